package storetest_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/wallet"
)

// adjust proposes and books an adjustment at the instant.
func (x shopOf) adjust(t *testing.T, amount, bill string, at time.Time) wallet.Adjustment {
	t.Helper()
	var a wallet.Adjustment
	write(t, x.s, func(ctx context.Context, tx *store.Tx) (err error) {
		if a, err = wallet.Propose(ctx, tx, x.payer.ID, wallet.AdjustmentDraft{Amount: cny(amount), Reason: "counted " + amount, Bill: bill}, proposer, at); err != nil {
			return err
		}
		a, err = wallet.ApproveAdjustment(ctx, tx, a.ID, approver, at)
		return err
	})
	return a
}

func TestAnAdjustmentIsALineOfOneStatementAndPartOfNoTotal(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a, b := aMonth(t, s)
		closeDays(t, s, "2026-03-01", "2026-03-31")
		last := day("2026-03-31").End(wallet.Zone("CNY"))
		kept := a.adjust(t, "12.50", "", last.Add(-time.Microsecond))
		against := b.adjust(t, "-40", "", last.Add(-time.Hour))
		next := a.adjust(t, "-3", "", last) // midnight: of April
		issueMonth(t, s, "2026-03")
		for _, want := range []struct {
			x  shopOf
			id string
		}{{a, kept.ID}, {b, against.ID}} {
			st, err := want.x.statement(t, "2026-03")
			if err != nil || len(st.Adjustments) != 1 || st.Adjustments[0].ID != want.id {
				t.Fatalf("the statement has %+v, %v", st.Adjustments, err)
			}
			paid, err := st.Paid.Sum()
			if err != nil || paid != st.Total {
				t.Errorf("%s is paid by %s, %v", st.Total, paid, err)
			}
		}
		sound(t, s)
		closeDays(t, s, "2026-04-01", "2026-04-30")
		issueMonth(t, s, "2026-04")
		st, err := a.statement(t, "2026-04")
		if err != nil || len(st.Adjustments) != 1 || st.Adjustments[0].ID != next.ID {
			t.Errorf("April has %+v, %v", st.Adjustments, err)
		}
		if st, err := b.statement(t, "2026-04"); err == nil {
			t.Errorf("nothing happened in April, and there is %+v", st)
		}
		sound(t, s)
		for what, sql := range map[string]string{
			"another amount":    `UPDATE adjustment SET minor = minor + 1 WHERE statement_id <> ''`,
			"on none":           `UPDATE adjustment SET statement_id = '' WHERE id = '` + kept.ID + `'`,
			"on another's":      `UPDATE adjustment SET statement_id = 'stmt_x' WHERE id = '` + kept.ID + `'`,
			"an invented one":   `UPDATE adjustment SET state = 'proposed' WHERE id = '` + kept.ID + `'`,
			"a changed reason":  `UPDATE adjustment SET reason = 'x' WHERE id = '` + kept.ID + `'`,
			"a changed instant": `UPDATE adjustment SET decided_at = decided_at + 1 WHERE id = '` + kept.ID + `'`,
		} {
			if !spoils(t, s, sql) {
				t.Errorf("%s is not found", what)
			}
		}
	})
}

// spoils changes something in a transaction that is taken back, and reports
// whether verify finds it.
func spoils(t *testing.T, s *store.Store, sql string) (found bool) {
	t.Helper()
	_ = s.Write(t.Context(), func(tx *store.Tx) error {
		if _, err := tx.Exec(t.Context(), sql); err != nil {
			t.Error(err)
		}
		findings, err := tx.Verify(t.Context(), catalog.Default())
		if err != nil {
			t.Error(err)
		}
		for _, f := range findings {
			found = found || strings.Contains(f.Invariant, "I5")
		}
		return context.Canceled
	})
	return found
}

func TestAnAccountThatWasOnlyAdjustedHasAStatement(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newShop(t, s, "a")
		x.adjust(t, "5", "", noon)
		closeDays(t, s, "2026-03-01", "2026-03-31")
		issueMonth(t, s, "2026-03")
		st, err := x.statement(t, "2026-03")
		if err != nil || st.Bills != 0 || !st.Total.IsZero() || len(st.Adjustments) != 1 {
			t.Fatalf("%+v, %v", st, err)
		}
		if sum, err := st.Adjusted(); err != nil || sum != cny("5") {
			t.Errorf("adjusted by %v, %v", sum, err)
		}
		sound(t, s)
	})
}
