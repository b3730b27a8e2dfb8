package fault

import (
	"errors"
	"fmt"
	"io"
	"testing"
)

var (
	errTaken = New(Conflict, "taken", "This is taken.")
	errShort = New(Invalid, "short", "This is too short.")
)

func TestFaultIsKnownByItsCode(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{
		"itself":      errTaken,
		"on a field":  errTaken.On("name"),
		"with figure": errTaken.With("name", "acme").With("left", 3),
		"reworded":    errTaken.Says("%s is taken.", "acme"),
		"caused":      errTaken.Because(io.EOF),
		"wrapped":     fmt.Errorf("register: %w", errTaken.On("name")),
		"in a form":   Fields{errShort.On("mail"), errTaken.On("name")},
		"form wrapped": fmt.Errorf("register: %w",
			Fields{errShort.On("mail"), errTaken.On("name")}.OrNil()),
	} {
		if !errors.Is(err, errTaken) {
			t.Errorf("%s: not known as %v", name, errTaken)
		}
	}
	if errors.Is(errTaken, errShort) || errors.Is(errShort.Because(io.EOF), errTaken) {
		t.Error("two codes are one")
	}
	if !errors.Is(errTaken.Because(io.EOF), io.EOF) {
		t.Error("the cause cannot be found")
	}
}

func TestDeclaredFaultNeverChanges(t *testing.T) {
	t.Parallel()
	first := errTaken.With("name", "acme")
	second := first.With("left", 3).On("name").Says("No.").Because(io.EOF)
	if len(errTaken.Args) != 0 || errTaken.Field != "" || errTaken.Unwrap() != nil || errTaken.Message != "This is taken." {
		t.Errorf("the declared fault became %+v", errTaken)
	}
	if len(first.Args) != 1 || len(second.Args) != 2 {
		t.Errorf("figures %v and %v", first.Args, second.Args)
	}
}

func TestFromFindsTheFault(t *testing.T) {
	t.Parallel()
	if f := From(nil); f != nil {
		t.Errorf("of no error: %v", f)
	}
	if f := From(fmt.Errorf("register: %w", errTaken.On("name"))); f.Code != "taken" || f.Field != "name" {
		t.Errorf("of a wrapped fault: %v", f)
	}
	if f := From(fmt.Errorf("register: %w", Fields{errShort.On("mail"), errTaken.On("name")})); f.Code != "short" || f.Field != "mail" {
		t.Errorf("of a form: %v", f)
	}
	f := From(fmt.Errorf("read: %w", io.EOF))
	if !errors.Is(f, ErrInternal) || !errors.Is(f, io.EOF) {
		t.Errorf("of any other error: %v", f)
	}
	if f.Message != ErrInternal.Message {
		t.Errorf("the outside would read %q", f.Message)
	}
}

func TestNoFaultsAreNoError(t *testing.T) {
	t.Parallel()
	var none Fields
	if err := none.OrNil(); err != nil {
		t.Errorf("an empty form gives %v", err)
	}
	if f := From(fmt.Errorf("form: %w", none)); f.Kind != Internal {
		t.Errorf("an empty form that was returned by mistake gives %v", f)
	}
}

func TestEveryKindHasAStatus(t *testing.T) {
	t.Parallel()
	seen := map[int]Kind{}
	for k := Internal; k <= Unavailable; k++ {
		status := k.Status()
		if status < 400 || status > 599 {
			t.Errorf("kind %d has status %d", k, status)
		}
		if other, twice := seen[status]; twice {
			t.Errorf("kinds %d and %d share status %d", k, other, status)
		}
		seen[status] = k
	}
}
