package storetest_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

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
