package storetest_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/wallet"
)

// exportPlants are changes after which a table that somebody takes away no
// longer sums to what it is about, whatever else they break.
var exportPlants = map[string]string{
	"a bill's total":            `UPDATE bill SET total = total + 1 WHERE workspace_id = 'wksp_shop' AND day = '2026-03-02'`,
	"what paid a bill":          `UPDATE bill SET paid_cash = paid_cash - 1, owed = owed + 1 WHERE workspace_id = 'wksp_shop' AND day = '2026-03-02'`,
	"a bill that is gone":       `DELETE FROM bill WHERE workspace_id = 'wksp_shop' AND day = '2026-03-02'`,
	"a bill of another payer":   `UPDATE bill SET payer = 'bcac_a' WHERE workspace_id = 'wksp_shop' AND day = '2026-03-02'`,
	"a document that was cut":   `UPDATE bill SET document = SUBSTR(document, 1, 50) WHERE workspace_id = 'wksp_shop' AND day = '2026-03-02'`,
	"a bill off its statement":  `DELETE FROM statement_bill WHERE workspace_id = 'wksp_shop' AND day = '2026-03-02'`,
	"a statement's total":       `UPDATE statement SET total = total - 1 WHERE payer = 'bcac_shop'`,
	"a charge off a statement":  `UPDATE package_charge SET statement_id = '' WHERE statement_id <> ''`,
	"what a package cost":       `UPDATE package_charge SET total = total + 100 WHERE statement_id <> ''`,
	"two bills' sums exchanged": `UPDATE bill SET total = (SELECT SUM(b.total) FROM bill b WHERE b.workspace_id = bill.workspace_id) - total WHERE workspace_id = 'wksp_shop' AND day < '2026-03-03'`,
}

// TestAnExportThatDoesNotSumIsFound plants changes in a month with its
// statement, and expects I12 to say so.
func TestAnExportThatDoesNotSumIsFound(t *testing.T) {
	t.Parallel()
	s := storetest.SQLite(t)
	settled(t, s)
	sound(t, s)
	for name, sql := range exportPlants {
		t.Run(name, func(t *testing.T) {
			found, refused := outcomeOf(t, s, plant{name: name, sql: sql})
			if refused || !slices.ContainsFunc(found, func(f audit.Finding) bool { return f.Invariant == "I12" }) {
				t.Errorf("I12 was not found, only %v", found)
			}
		})
	}
}

// TestABillThatWasWrittenAnewIsMissedByItsExport changes a bill's document and
// its hash so that it reads well and sums: the table then has another amount
// than the columns by which the money went.
func TestABillThatWasWrittenAnewIsMissedByItsExport(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newShop(t, s, "shop")
		x.use(t, "logs", "14d", noonOf("2026-03-02"), 2_000_000)
		closeDays(t, s, march1, "2026-04-02")
		issueMonth(t, s, "2026-03")
		sound(t, s)
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			var document string
			if err := tx.QueryRow(ctx, `SELECT REPLACE(document, ' 3.00', ' 2.00') FROM bill WHERE day = '2026-03-02'`).Scan(&document); err != nil {
				return err
			}
			if _, err := bill.Read([]byte(document)); err != nil {
				return fmt.Errorf("it does not read well: %w", err)
			}
			_, err := tx.Exec(ctx, `UPDATE bill SET document = $1, hash = $2 WHERE day = '2026-03-02'`, document, bill.Sum([]byte(document)))
			return err
		})
		found := findings(t, s)
		if !slices.ContainsFunc(found, func(f audit.Finding) bool { return f.Invariant == "I12" }) {
			t.Errorf("I12 was not found, only %v", found)
		}
	})
}

// TestAVoucherHoldsUntilWhenItsEntrySays changes the end and the origin of a
// voucher behind the program's back.
func TestAVoucherHoldsUntilWhenItsEntrySays(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newShop(t, s, "shop")
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			if _, err := wallet.GiveVoucher(ctx, tx, x.payer, wallet.ByVoucher, cny("5"), april, noon); err != nil {
				return err
			}
			_, err := wallet.GiveCard(ctx, tx, x.payer, cny("100"), time.Time{}, noon)
			return err
		})
		sound(t, s)
		for _, sql := range []string{
			`UPDATE wallet_source SET expires_at = expires_at + 86400000000 WHERE expires_at > 0`,
			`UPDATE wallet_source SET expires_at = 0 WHERE expires_at > 0`,
			`UPDATE wallet_source SET expires_at = 1798732800000000 WHERE expires_at = 0`,
			`UPDATE wallet_source SET origin = 'bought' WHERE payment = 'card'`,
		} {
			found, _ := outcomeOf(t, s, plant{name: sql, sql: sql})
			if !slices.ContainsFunc(found, func(f audit.Finding) bool { return f.Invariant == "I8" }) {
				t.Errorf("%s: I8 was not found, only %v", sql, found)
			}
		}
		found, _ := outcomeOf(t, s, plant{name: "no terms", sql: `UPDATE ledger_entry SET terms = '' WHERE kind = 'voucher'`})
		if !slices.ContainsFunc(found, func(f audit.Finding) bool { return f.Invariant == "I6" }) {
			t.Errorf("an entry without its terms: I6 was not found, only %v", found)
		}
	})
}

// TestAVoucherFromBeforeEntriesHadTermsIsSound keeps a voucher as it was kept
// before: its entry does not say until when it holds.
func TestAVoucherFromBeforeEntriesHadTermsIsSound(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newShop(t, s, "shop")
		old := wallet.Source{
			ID: "vchr_old", Payer: x.payer.ID, Payment: wallet.ByVoucher, Account: wallet.Voucher(x.payer.ID, "vchr_old"),
			Face: cny("5"), Since: noon, ExpiresAt: april, Origin: wallet.Given,
		}
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			if err := tx.InsertSource(ctx, old); err != nil {
				return err
			}
			_, err := wallet.Post(ctx, tx, wallet.Movement{
				Key: "source:" + old.ID, Kind: wallet.VoucherIssued, Cause: old.ID, Payer: old.Payer,
				Postings: []wallet.Posting{{Account: old.Account, Amount: old.Face}, {Account: wallet.Grants(old.Face.Currency()), Amount: old.Face.Neg()}},
			}, noon)
			return err
		})
		sound(t, s)
	})
}
