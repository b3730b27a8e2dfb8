package storetest_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
)

func findings(t *testing.T, s *store.Store) []audit.Finding {
	t.Helper()
	var found []audit.Finding
	if err := s.Read(t.Context(), func(tx *store.Tx) (err error) {
		found, err = tx.Verify(t.Context(), catalog.Default())
		return err
	}); err != nil {
		t.Fatalf("verify: %v", err)
	}
	return found
}

// sound fails the test when the books do not hold.
func sound(t *testing.T, s *store.Store) {
	t.Helper()
	for _, f := range findings(t, s) {
		t.Errorf("verify: %v", f)
	}
}

// history is three days of two workspaces, with deposits and arrears: in the
// end the first two are in grace, and a third is dissolved.
func history(t *testing.T, s *store.Store) {
	t.Helper()
	a, b := newShop(t, s, "a"), newShop(t, s, "b")
	cn1, err := site.Find("cn1")
	if err != nil {
		t.Fatal(err)
	}
	a.recharge(t, "10")
	for i, d := range []string{march1, "2026-03-02", "2026-03-03"} {
		hour := day(d).Start(cn1.Zone).Add(14 * time.Hour)
		a.use(t, "logs", "14d", hour, int64(2+i)*1_000_000)
		b.use(t, "apm_trace", "14d", hour, 3_000_000)
		closeDay(t, s, d)
	}
	a.tell(t)
	b.tell(t)
	b.recharge(t, "20")
	gone := newShop(t, s, "gone")
	gone.owned(t)
	if err := gone.dissolve(t, "gone", noon.AddDate(0, 0, 3)); err != nil {
		t.Fatal(err)
	}
}

func TestBooksWithoutMistakeAreSound(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		sound(t, s)
		history(t, s)
		sound(t, s)
	})
}

// corruptions of sound books, each with the invariant that it breaks.
var corruptions = map[string]struct{ invariant, sql string }{
	"a posting changed":            {"I1", `UPDATE ledger_posting SET minor = minor + 1 WHERE payer = (SELECT payer FROM workspace WHERE id = 'wksp_a') AND number = 1 AND position = 0`},
	"a posting lost":               {"I1", `DELETE FROM ledger_posting WHERE number = 1 AND position = 0`},
	"a balance raised":             {"I2", `UPDATE purse SET cash = cash + 100`},
	"a balance lost":               {"I2", `DELETE FROM ledger_balance WHERE account LIKE 'arrears:%'`},
	"more taken than was there":    {"I3", `UPDATE ledger_posting SET minor = minor * 100 WHERE number = 2`},
	"an entry's cause changed":     {"I6", `UPDATE ledger_entry SET cause = 'bill_x' WHERE number = 2`},
	"an entry's time changed":      {"I6", `UPDATE ledger_entry SET at = at + 1 WHERE number = 1`},
	"an entry lost":                {"I6", `DELETE FROM ledger_entry WHERE number = 2`},
	"the end of a ledger moved":    {"I6", `UPDATE purse SET hash = 'x'`},
	"a deposit without transfer":   {"I4", `UPDATE transfer SET state = 'declared'`},
	"a transfer without deposit":   {"I4", `UPDATE transfer SET arrived_minor = arrived_minor + 1`},
	"another amount, no reason":    {"I4", `UPDATE transfer SET minor = minor + 1`},
	"a transfer of one operator":   {"I4", `UPDATE transfer SET proposed_by = decided_by`},
	"a slip that is gone":          {"I4", `UPDATE transfer SET slips = slips + 1`},
	"a second deposit for a cause": {"I4", `UPDATE ledger_entry SET cause = (SELECT MIN(cause) FROM ledger_entry) WHERE number = 2`},
	"a bill's document changed":    {"I6", `UPDATE bill SET document = REPLACE(document, ' cn1 ', ' cn2 ')`},
	"a bill's line changed":        {"I5", `UPDATE bill SET document = REPLACE(document, ' 3.00 ', ' 2.00 ')`},
	"a bill's total changed":       {"I5", `UPDATE bill SET total = total + 1`},
	"usage changed afterwards":     {"I5", `UPDATE usage_day SET record = (SELECT record FROM usage_day WHERE workspace_id = 'wksp_b' ORDER BY day LIMIT 1) WHERE workspace_id = 'wksp_a'`},
	"usage lost":                   {"I5", `DELETE FROM usage_day WHERE workspace_id = 'wksp_b'`},
	"a bill lost":                  {"I11", `DELETE FROM bill WHERE workspace_id = 'wksp_a' AND day = '2026-03-02'`},
	"the last bill lost":           {"I6", `DELETE FROM bill WHERE workspace_id = 'wksp_b' AND day = '2026-03-03'`},
	"a charge without bill":        {"I4", `DELETE FROM bill WHERE workspace_id = 'wksp_a'`},
	"a bill without its entry":     {"I4", `UPDATE bill SET entry = 0 WHERE workspace_id = 'wksp_a' AND day = '2026-03-01'`},
	"a bill of another entry":      {"I4", `UPDATE bill SET entry = entry + 1 WHERE workspace_id = 'wksp_a' AND day = '2026-03-01'`},
	"a bill paid by other means":   {"I5", `UPDATE bill SET paid_cash = paid_cash - 1, owed = owed + 1 WHERE workspace_id = 'wksp_a' AND day = '2026-03-01'`},
	"a series' end moved":          {"I6", `UPDATE document_number SET link = 'x'`},
	"a series' end lost":           {"I6", `DELETE FROM document_number`},
	"two bills' numbers swapped":   {"I6", `UPDATE bill SET hash = (SELECT MIN(hash) FROM bill)`},
	"a day's other years changed":  {"I6", `UPDATE site_day SET older = 'cn1-2025 1 x' WHERE day = '2026-03-02'`},
	"a number left out":            {"I11", `UPDATE document_number SET last = last + 1`},
	"a closed day changed":         {"I6", `UPDATE site_day SET bills = 1 WHERE day = '2026-03-02'`},
	"a closed day lost":            {"I6", `DELETE FROM site_day WHERE day = '2026-03-02'`},
	"the last closed day lost":     {"I6", `DELETE FROM site_day WHERE day = '2026-03-03'`},
	"a workspace set back":         {"I7", `UPDATE workspace SET plan = 'experience' WHERE id = 'wksp_a'`},
	"upgraded after its bill":      {"I10", `UPDATE workspace SET upgraded_at = upgraded_at + 86400000000 WHERE id = 'wksp_a'`},
	"billed for the free plan":     {"I10", `UPDATE workspace SET generation = 3 WHERE id = 'wksp_a'`},
	"the audit log changed":        {"I6", `UPDATE audit SET actor = 'nobody' WHERE n = 2`},
	"a debt without its clock":     {"I13", `DELETE FROM arrears_clock WHERE subject = 'bcac_a'`},
	"a clock without a debt":       {"I13", `INSERT INTO arrears_clock SELECT cause, 'bcac_gone', began_at, lock_at, stage, next_at, extended_at, ended_at, pending, told FROM arrears_clock WHERE subject = 'bcac_a'`},
	"a clock that began later":     {"I13", `UPDATE arrears_clock SET began_at = began_at + 1, lock_at = lock_at + 1 WHERE subject = 'bcac_a'`},
	"a clock that locks later":     {"I13", `UPDATE arrears_clock SET lock_at = lock_at + 1 WHERE subject = 'bcac_a'`},
	"a workspace set free":         {"I13", `UPDATE workspace SET state = 'normal' WHERE id = 'wksp_a'`},
	"a workspace locked":           {"I13", `UPDATE workspace SET state = 'locked' WHERE id = 'wksp_b'`},
	"a dissolved one that works":   {"I13", `UPDATE workspace SET state = 'normal' WHERE id = 'wksp_gone'`},
	"a deletion forgotten":         {"I13", `DELETE FROM clearing WHERE workspace_id = 'wksp_gone'`},
	"a deletion without a word":    {"I13", `UPDATE clearing SET deleted_at = due_at WHERE workspace_id = 'wksp_gone'`},
	"a deletion before its time":   {"I13", `UPDATE clearing SET deleted_at = due_at - 1 WHERE workspace_id = 'wksp_gone'`},
	"the audit log cut":            {"I6", `DELETE FROM audit WHERE n = (SELECT MAX(n) FROM audit)`},
}

// TestEveryPlantedCorruptionIsFound changes one thing in sound books, behind
// the program's back, and expects the invariant that it breaks.
func TestEveryPlantedCorruptionIsFound(t *testing.T) {
	t.Parallel()
	for name, c := range corruptions {

		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := storetest.SQLite(t)
			history(t, s)
			write(t, s, func(ctx context.Context, tx *store.Tx) error {
				n, err := tx.Exec(ctx, c.sql)
				if err == nil && n == 0 {
					t.Error("nothing was changed")
				}
				return err
			})
			found := findings(t, s)
			var lines []string
			for _, f := range found {
				if f.Invariant == c.invariant {
					return
				}
				lines = append(lines, f.String())
			}
			t.Errorf("%s was not found, only:\n%s", c.invariant, strings.Join(lines, "\n"))
		})
	}
}
