package web_test

import (
	"errors"
	"fmt"
	"testing"

	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/web"
)

func TestAStoredFaultIsSaidInTheReadersLanguage(t *testing.T) {
	t.Parallel()
	en, zh := web.WithLanguage(t.Context(), "en", ""), web.WithLanguage(t.Context(), "zh", "")
	kept := fault.Keep(fmt.Errorf("rate logs: %w", catalog.ErrClassUnknown.With("item", "logs").With("class", "90d")))
	text, err := kept.FiguresText()
	if err != nil {
		t.Fatal(err)
	}
	stored := fault.Kept{Code: kept.Code, Reason: kept.Reason}
	if err := stored.ReadFigures(text); err != nil {
		t.Fatal(err)
	}
	want := web.Sentence(zh, catalog.ErrClassUnknown.With("item", "logs").With("class", "90d"))
	if said, detail := web.Kept(zh, stored); said != want || detail != kept.Reason {
		t.Errorf("it is said as %q with %q, want %q", said, detail, want)
	}
	plain := fault.Keep(catalog.ErrClassUnknown)
	if said, detail := web.Kept(en, plain); said != catalog.ErrClassUnknown.Message || detail != "" {
		t.Errorf("in English it is %q with %q", said, detail)
	}
	internal := fault.Keep(errors.New("the disk is gone"))
	if said, detail := web.Kept(zh, internal); said != web.Sentence(zh, fault.ErrInternal) || detail != "" && detail != internal.Reason {
		t.Errorf("our own mistake is said as %q with %q", said, detail)
	}
	unknown := fault.Kept{Code: "no_such_code", Reason: "no_such_code: As it was written."}
	if said, _ := web.Kept(zh, unknown); said != "As it was written." {
		t.Errorf("an unknown code is said as %q", said)
	}
}

func TestAFailureNamesTheFaultInIt(t *testing.T) {
	t.Parallel()
	zh := web.WithLanguage(t.Context(), "zh", "")
	text := "issue statements: internal: Something went wrong on our side. Nothing was changed. (x)"
	if said, detail := web.Told(zh, text); said != web.Sentence(zh, fault.ErrInternal) || detail != text {
		t.Errorf("it is said as %q with %q", said, detail)
	}
	if said, detail := web.Told(zh, "dial tcp: connection refused"); said != "dial tcp: connection refused" || detail != "" {
		t.Errorf("what is no fault is said as %q with %q", said, detail)
	}
}
