package storetest_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/invoice"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/wallet"
)

func TestChangesToInvoicesAreFound(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ invariant, sql string }{
		"a total changed":        {"I5", `UPDATE invoice_request SET total = total + 1 WHERE seq = 1`},
		"a line changed":         {"I5", `UPDATE invoice_line SET cash = cash + 1, amount = amount + 1 WHERE kind = 'statement'`},
		"a line lost":            {"I5", `DELETE FROM invoice_line WHERE kind = 'card'`},
		"more repaid than owed":  {"I5", `UPDATE invoice_line SET repaid = repaid + 700, amount = amount + 700 WHERE kind = 'statement'`},
		"a card's price changed": {"I5", `UPDATE invoice_line SET cash = cash + 1, amount = amount + 1 WHERE kind = 'card'`},
		"a statement gone":       {"I5", `DELETE FROM statement`},
		"an item let go":         {"I4", `UPDATE invoice_line SET live = 0`},
		"a request reopened":     {"I4", `UPDATE invoice_request SET state = 'issued' WHERE seq = 1`},
		"a request lost":         {"I11", `DELETE FROM invoice_request WHERE seq = 1`},
		"a number left out":      {"I11", `UPDATE document_number SET last = last + 1 WHERE series LIKE 'IR-%'`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := storetest.SQLite(t)
			x := invoiced(t, s, "shop")
			x.recharge(t, "500")
			write(t, s, func(ctx context.Context, tx *store.Tx) error {
				_, err := wallet.BuyCard(ctx, tx, x.payer, terms(t), cny("100"), time.Time{}, april)
				return err
			})
			all := refs(x.items(t))
			first, err := x.ask(t.Context(), all...)
			if err != nil {
				t.Fatal(err)
			}
			x.moved(t, nil, func(ctx context.Context, tx *store.Tx) (invoice.Request, error) {
				return invoice.Reject(ctx, tx, first.ID, "why", "oper_1", "", april)
			})
			if _, err := x.ask(t.Context(), all...); err != nil {
				t.Fatal(err)
			}
			sound(t, s)
			write(t, s, func(ctx context.Context, tx *store.Tx) error {
				n, err := tx.Exec(ctx, c.sql)
				if err == nil && n == 0 {
					t.Error("nothing was changed")
				}
				return err
			})
			if found := fmt.Sprint(findings(t, s)); !strings.Contains(found, c.invariant+" ") {
				t.Errorf("%s was not found, only %s", c.invariant, found)
			}
		})
	}
}

func TestChangesToReversalsAreFound(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := invoiced(t, s, "shop")
		x.recharge(t, "500")
		for i := range 2 { // what was reversed is requested, issued and reversed again
			r, err := x.ask(t.Context(), refs(x.items(t))...)
			if err != nil {
				t.Fatal(err)
			}
			x.moved(t, nil, func(ctx context.Context, tx *store.Tx) (invoice.Request, error) {
				return invoice.Issue(ctx, tx, invoice.Issuing{RequestID: r.ID, TaxNumber: fmt.Sprint("26-", i), TaxDay: day("2026-04-10"), Operator: "oper_1"}, april)
			})
			red := x.moved(t, nil, func(ctx context.Context, tx *store.Tx) (invoice.Request, error) {
				return invoice.Reverse(ctx, tx, invoice.Reversing{RequestID: r.ID, TaxNumber: fmt.Sprint("26-R", i), TaxDay: day("2026-04-10"), Reason: "why", Operator: "oper_1"}, april)
			})
			if want := fmt.Sprintf("RL-CNY-2026-%06d", i+1); red.Red.Number != want {
				t.Errorf("reversal %s, want %s", red.Red.Number, want)
			}
		}
		sound(t, s)
		for name, c := range map[string]struct{ invariant, sql string }{
			"a reversal lost":         {"I11", `DELETE FROM invoice_request WHERE red_seq = 2`},
			"a number left out":       {"I11", `UPDATE document_number SET last = last + 1 WHERE series LIKE 'RL-%'`},
			"a reversal taken back":   {"I4", `UPDATE invoice_request SET state = 'sent' WHERE red_seq = 1`},
			"a reversal without more": {"I4", `UPDATE invoice_request SET red_tax_number = '' WHERE red_seq = 1`},
			"an item held on":         {"I4", `UPDATE invoice_line SET live = 1 WHERE request_id = (SELECT id FROM invoice_request WHERE red_seq = 1)`},
		} {
			var found string
			_ = s.Write(t.Context(), func(tx *store.Tx) error {
				if _, err := tx.Exec(t.Context(), c.sql); err != nil {
					t.Errorf("%s: %v", name, err)
				}
				list, err := tx.Verify(t.Context(), catalog.Default())
				if found = fmt.Sprint(list); err != nil {
					t.Error(err)
				}
				return context.Canceled
			})
			if !strings.Contains(found, c.invariant+" ") {
				t.Errorf("%s: %s was not found, only %s", name, c.invariant, found)
			}
		}
	})
}
