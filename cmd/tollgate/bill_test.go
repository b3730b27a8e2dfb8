package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/sqlite"
	"tollgate.dev/internal/usage"
	"tollgate.dev/internal/workspace"
)

// billed is a store with one bill, in a file.
func billed(t *testing.T) (path string, b bill.Bill) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "tollgate.db")
	e, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	s, day := store.New(e), period.MustParseDay("2026-03-01")
	upgraded := time.Date(2026, 3, 1, 2, 20, 0, 0, time.UTC)
	cn1, _ := site.Find("cn1")
	err = s.Write(t.Context(), func(tx *store.Tx) error {
		payer := account.Billing{ID: "bcac_1", UserName: "acme", Email: "acme@pay.example", Currency: money.CNY, Language: "en", CreatedAt: upgraded}
		w, err := workspace.New("cn1", "shop", "en", "acnt_1", upgraded.AddDate(0, 0, -3))
		if err != nil {
			return err
		}
		if w, err = w.Upgrade(payer.ID, upgraded); err != nil {
			return err
		}
		key := usage.Key{WorkspaceID: w.ID, Generation: w.Generation, Item: "logs", Class: "14d"}
		batch := usage.Batch{Gateway: "g", Epoch: 1, Seq: 1, Deltas: []usage.Delta{{Key: key, Hour: day.Hours(cn1.Zone)[12], Add: 1_234_567}}}
		if err := errors.Join(tx.InsertBilling(t.Context(), payer), tx.InsertWorkspace(t.Context(), w), tx.AddUsage(t.Context(), batch)); err != nil {
			return err
		}
		b, err = bill.Close(t.Context(), tx, catalog.Default(), day, w.ID, day.End(cn1.Zone))
		return err
	})
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	return path, b
}

func TestABillIsExplainedOnTheCommandLine(t *testing.T) {
	t.Parallel()
	path, b := billed(t)
	e, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	s := store.New(e)
	defer func() { _ = s.Close() }()
	for _, name := range []string{b.ID, b.Number} {
		c := billExplain{Bill: name, Line: 1, Output: "text"}
		shown, err := c.explain(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		var text, machine bytes.Buffer
		if err := c.print(&text, shown); err != nil {
			t.Fatal(err)
		}
		flat := strings.Join(strings.Fields(text.String()), " ")
		for _, want := range []string{
			"bill cn1-2026-000001", "day 2026-03-01, 24 hours in Asia/Shanghai", "2026-03-01 09:00 +08:00 - before the upgrade", "2026-03-01 12:00 +08:00 1234567",
			"units 1234567 / 1000000 = 1.23, cut to 2 decimals", "exact 1.23 x 1.5 = 1.845", "half up to the minor unit, 0.005", "amount 1.85 CNY",
			"paid 1.85 from owed, entry 1 of the ledger", "the hours make this line again",
		} {
			if !strings.Contains(flat, want) {
				t.Errorf("%q is not said:\n%s", want, text.String())
			}
		}
		c.Output = "json"
		if err := c.print(&machine, shown); err != nil || !json.Valid(machine.Bytes()) {
			t.Errorf("%v: %s", err, machine.String())
		}
	}
}

func TestABillOrLineThatIsNotThereEndsWith2(t *testing.T) {
	t.Parallel()
	path, b := billed(t)
	for _, c := range []billExplain{{Bill: "cn1-2026-000002"}, {Bill: "nonsense"}, {Bill: b.Number, Line: 2}, {Bill: b.Number, Line: -1}} {
		c.Output, c.Data, c.Store = "text", t.TempDir(), "sqlite:"+path
		var end *exit
		if err := c.Run(context.WithoutCancel(t.Context())); !errors.As(err, &end) || end.code != 2 {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
