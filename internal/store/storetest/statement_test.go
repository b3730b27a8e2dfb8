package storetest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/statement"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/workspace"
)

// What a store transaction must be able to do for statements.
var _ statement.Tx = (*store.Tx)(nil)

func month(t *testing.T, text string) period.Month {
	t.Helper()
	m, err := period.ParseMonth(text)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func desk(s *store.Store) statement.Desk {
	return statement.Desk{
		Catalog: catalog.Default(), Patience: 48 * time.Hour,
		Write: func(ctx context.Context, f func(statement.Tx) error) error {
			return s.Write(ctx, func(tx *store.Tx) error { return f(tx) })
		},
	}
}

// issueMonth makes the statements of a month in CNY just after they are due.
func issueMonth(t *testing.T, s *store.Store, m string) statement.Run {
	t.Helper()
	run, err := desk(s).IssueMonth(t.Context(), statement.IssueMonth{Currency: money.CNY, Month: m}, statement.DueAt(money.CNY, month(t, m)))
	if err != nil {
		t.Fatalf("statements of %s: %v", m, err)
	}
	return run
}

func (x shopOf) statement(t *testing.T, m string) (made statement.Statement, err error) {
	t.Helper()
	err = x.s.Read(t.Context(), func(tx *store.Tx) (err error) {
		made, err = tx.StatementOf(t.Context(), x.payer.ID, month(t, m))
		return err
	})
	return made, err
}

// closeDays closes the days of cn1 from the first to the last.
func closeDays(t *testing.T, s *store.Store, first, last string) {
	t.Helper()
	for d := day(first); !d.After(day(last)); d = d.Add(1) {
		closeDay(t, s, d.String())
	}
}

// second is another workspace that the same account pays for.
func (x shopOf) second(t *testing.T, name string) shopOf {
	t.Helper()
	write(t, x.s, func(ctx context.Context, tx *store.Tx) error {
		w, err := workspace.New("cn1", name, "en", "acnt_"+name, upgraded.AddDate(0, 0, -3))
		if err != nil {
			return err
		}
		w.ID = "wksp_" + name
		if w, err = w.Upgrade(x.payer.ID, upgraded); err != nil {
			return err
		}
		x.shop = w
		return tx.InsertWorkspace(ctx, w)
	})
	return x
}

// aMonth is March of two accounts, one with two workspaces and a debt.
func aMonth(t *testing.T, s *store.Store) (a, b shopOf) {
	t.Helper()
	cn1, _ := site.Find("cn1")
	a, b = newShop(t, s, "a"), newShop(t, s, "b")
	c := a.second(t, "c")
	b.recharge(t, "100")
	for _, d := range []string{"2026-03-02", "2026-03-17", "2026-03-31"} {
		hour := day(d).Start(cn1.Zone).Add(14 * time.Hour)
		a.use(t, "logs", "14d", hour, 2_345_678)
		a.use(t, "timeseries", "7d", hour, 6000)
		c.use(t, "logs", "14d", hour, 4_000_000)
		b.use(t, "apm_trace", "14d", hour, 3_000_000)
	}
	a.use(t, "logs", "14d", day("2026-04-01").Start(cn1.Zone), 9_000_000) // of the next month
	return a, b
}

func TestAStatementIsTheSumOfItsBills(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a, b := aMonth(t, s)
		closeDays(t, s, march1, "2026-04-02")
		if run := issueMonth(t, s, "2026-03"); run.Statements != 2 || run.Parked != 0 {
			t.Fatalf("run %+v", run)
		}
		of, err := a.statement(t, "2026-03")
		if err != nil {
			t.Fatal(err)
		}
		var bills []bill.Bill
		write(t, s, func(ctx context.Context, tx *store.Tx) (err error) {
			bills, err = tx.BillsPaidBy(ctx, a.payer.ID, day(march1), day("2026-03-31"), 100)
			return err
		})
		total, paid := money.Of(0, money.CNY), bill.NoPaid(money.CNY)
		items := map[string]money.Amount{}
		for _, d := range bills {
			total, _ = total.Add(d.Total)
			for _, kind := range wallet.Payments() {
				_ = paid.Add(kind, d.Paid.By(kind))
			}
			for _, l := range d.Lines {
				items[l.Item], _ = items[l.Item].Add(l.Amount)
			}
		}
		if of.Total != total || of.Paid != paid || of.Bills != 6 || len(bills) != 6 || of.Number != "ST-CNY-2026-000001" || of.Late.Bills != 0 {
			t.Errorf("%s: %d bills of %s paid %v; there are %d of %s paid %v", of.Number, of.Bills, of.Total, of.Paid, len(bills), total, paid)
		}
		for _, it := range of.Items {
			if items[it.ID] != it.Total {
				t.Errorf("%s: %s, the bills say %s", it.ID, it.Total, items[it.ID])
			}
		}
		if len(of.Items) != 2 || len(of.Workspaces) != 2 || of.Items[0].ID != "timeseries" || of.Workspaces[1].Name != "c" || of.Workspaces[1].Total.String() != "18.00" {
			t.Errorf("items %v, workspaces %v", of.Items, of.Workspaces)
		}
		if of.Owed.IsZero() || of.DueBy != day("2026-03-17") {
			t.Errorf("owes %s until %s", of.Owed, of.DueBy)
		}
		if other, err := b.statement(t, "2026-03"); err != nil || other.Number != "ST-CNY-2026-000002" || !other.Owed.IsZero() || !other.DueBy.IsZero() {
			t.Errorf("the other account's: %+v, %v", other, err)
		}
		sound(t, s)
	})
}

func TestStatementsAreMadeOnceInOrderAndMailed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a, _ := aMonth(t, s)
		closeDays(t, s, march1, "2026-04-02")
		due := statement.DueAt(money.CNY, month(t, "2026-03"))
		if got := due.UTC().Format(time.RFC3339); got != "2026-04-03T16:00:00Z" {
			t.Errorf("due at %s, want midnight after 3 April in China", got)
		}
		march := statement.IssueMonth{Currency: money.CNY, Month: "2026-03"}
		if _, err := desk(s).IssueMonth(t.Context(), march, due.Add(-time.Microsecond)); !errors.Is(err, statement.ErrNotDue) {
			t.Errorf("too early: %v", err)
		}
		issueMonth(t, s, "2026-03")
		first, err := a.statement(t, "2026-03")
		if err != nil {
			t.Fatal(err)
		}
		if again := issueMonth(t, s, "2026-03"); again != (statement.Run{}) {
			t.Errorf("made again: %+v", again)
		}
		same, err := desk(s).Issue(t.Context(), a.payer.ID, month(t, "2026-03"), due.AddDate(0, 1, 0))
		if err != nil || same.Hash != first.Hash || same.Number != first.Number {
			t.Errorf("made again: %+v, %v", same, err)
		}
		if _, err := desk(s).IssueMonth(t.Context(), statement.IssueMonth{Currency: money.CNY, Month: "2026-05"}, due.AddDate(1, 0, 0)); !errors.Is(err, statement.ErrOutOfOrder) {
			t.Errorf("a month left out: %v", err)
		}
		var mails int64
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			return tx.QueryRow(ctx, `SELECT COUNT(*) FROM mail WHERE kind = 'statement_issued'`).Scan(&mails)
		})
		if mails != 2 {
			t.Errorf("%d mails of two statements", mails)
		}
		sound(t, s)
	})
}

// TestARunThatDiedGoesOnWhereItStopped lets the second account's transaction
// fail half way, as a death would, and runs again.
func TestARunThatDiedGoesOnWhereItStopped(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a, b := aMonth(t, s)
		closeDays(t, s, march1, "2026-04-02")
		ctx, die := context.WithCancel(t.Context())
		d, writes := desk(s), 0
		d.Write = func(ctx context.Context, f func(statement.Tx) error) error {
			return s.Write(ctx, func(tx *store.Tx) error {
				err := f(tx)
				if writes++; writes == 4 { // begun, the accounts, the first account, and now the second
					die()
					return errors.Join(err, ctx.Err())
				}
				return err
			})
		}
		at := statement.DueAt(money.CNY, month(t, "2026-03"))
		if _, err := d.IssueMonth(ctx, statement.IssueMonth{Currency: money.CNY, Month: "2026-03"}, at); err == nil {
			t.Fatal("the run did not die")
		}
		one, err := a.statement(t, "2026-03")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.statement(t, "2026-03"); !errors.Is(err, statement.ErrUnknown) {
			t.Fatalf("the second account: %v", err)
		}
		issueMonth(t, s, "2026-03")
		again, _ := a.statement(t, "2026-03")
		two, err := b.statement(t, "2026-03")
		if err != nil || again.Hash != one.Hash || two.Number != "ST-CNY-2026-000002" {
			t.Errorf("%s then %s, and %s: %v", one.Number, again.Number, two.Number, err)
		}
		sound(t, s)
	})
}

func TestAStatementWaitsForTheDaysOfItsMonth(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a, _ := aMonth(t, s)
		closeDays(t, s, march1, "2026-03-30")
		due := statement.DueAt(money.CNY, month(t, "2026-03"))
		march := statement.IssueMonth{Currency: money.CNY, Month: "2026-03"}
		if _, err := desk(s).IssueMonth(t.Context(), march, due); !errors.Is(err, statement.ErrDaysOpen) {
			t.Fatalf("with the last day open: %v", err)
		}
		if _, err := desk(s).IssueMonth(t.Context(), march, due.Add(49*time.Hour)); err != nil {
			t.Fatalf("after two days of waiting: %v", err)
		}
		if of, err := a.statement(t, "2026-03"); err != nil || of.Bills != 4 {
			t.Errorf("%d bills: %v", of.Bills, err)
		}
		sound(t, s)
	})
}

func TestALateBillGoesOnTheNextStatement(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		cn1, _ := site.Find("cn1")
		x := newShop(t, s, "shop")
		hour := upgraded.Truncate(time.Hour)
		x.use(t, "logs", "nonsense", hour, 2_000_000) // parked
		x.use(t, "logs", "14d", day("2026-03-05").Start(cn1.Zone), 2_000_000)
		closeDays(t, s, march1, "2026-03-31")
		issueMonth(t, s, "2026-03")
		mend(t, s)
		if _, err := books(s).Retry(t.Context(), x.shop.ID, day(march1), noon.AddDate(0, 1, 5)); err != nil {
			t.Fatal(err)
		}
		sound(t, s)
		x.use(t, "logs", "14d", day("2026-04-05").Start(cn1.Zone), 4_000_000)
		closeDays(t, s, "2026-04-01", "2026-04-30")
		issueMonth(t, s, "2026-04")
		march, err := x.statement(t, "2026-03")
		if err != nil || march.Total.String() != "3.00" || march.Bills != 1 {
			t.Errorf("March: %d bills of %s, %v", march.Bills, march.Total, err)
		}
		april, err := x.statement(t, "2026-04")
		if err != nil || april.Total.String() != "9.00" || april.Late.Bills != 1 || april.Late.Total.String() != "3.00" || april.Previous != march.Hash {
			t.Errorf("April: %+v, %v", april, err)
		}
		sound(t, s)
	})
}

func TestAnAccountWhoseStatementFailsIsParkedAndTheOthersGoOn(t *testing.T) {
	t.Parallel()
	s := storetest.SQLite(t)
	a, b := aMonth(t, s)
	closeDays(t, s, march1, "2026-03-31")
	change := func(sql string) {
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			_, err := tx.Exec(ctx, sql, a.payer.ID)
			return err
		})
	}
	change(`UPDATE bill SET hash = hash || 'x' WHERE payer = $1`)
	if run := issueMonth(t, s, "2026-03"); run.Statements != 1 || run.Parked != 1 {
		t.Fatalf("run %+v", run)
	}
	var parked []statement.Parked
	list := func() {
		write(t, s, func(ctx context.Context, tx *store.Tx) (err error) {
			parked, err = tx.ParkedStatements(ctx, 10)
			return err
		})
	}
	if list(); len(parked) != 1 || parked[0].Payer != a.payer.ID || !strings.Contains(parked[0].Reason, "is not what was issued") {
		t.Fatalf("parked %+v", parked)
	}
	change(`UPDATE bill SET hash = SUBSTR(hash, 1, 64) WHERE payer = $1`)
	made, err := desk(s).Issue(t.Context(), a.payer.ID, month(t, "2026-03"), noon.AddDate(0, 1, 5))
	if list(); err != nil || made.Number != "ST-CNY-2026-000002" || len(parked) != 0 {
		t.Errorf("%s, parked %v: %v", made.Number, parked, err)
	}
	if other, _ := b.statement(t, "2026-03"); other.Number != "ST-CNY-2026-000001" {
		t.Errorf("the other account has %s", other.Number)
	}
	sound(t, s)
}

func TestChangesToStatementsAreFound(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ invariant, sql string }{
		"a document changed":    {"I6", `UPDATE statement SET document = REPLACE(document, '"company":""', '"company":"Other"')`},
		"a total changed":       {"I5", `UPDATE statement SET document = REPLACE(document, '"total":"18.00"', '"total":"19.00"')`},
		"a statement lost":      {"I6", `DELETE FROM statement WHERE seq = 2`},
		"a bill left out":       {"I5", `DELETE FROM statement_bill WHERE workspace_id = 'wksp_c' AND day = '2026-03-17'`},
		"a bill of another":     {"I5", `UPDATE statement_bill SET payer = 'bcac_b' WHERE workspace_id = 'wksp_c' AND day = '2026-03-17'`},
		"a bill that is gone":   {"I5", `DELETE FROM bill WHERE workspace_id = 'wksp_c' AND day = '2026-03-17'`},
		"a number not taken":    {"I11", `UPDATE document_number SET last = last + 1 WHERE series LIKE 'ST-%'`},
		"numbers never counted": {"I11", `DELETE FROM statement`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := storetest.SQLite(t)
			aMonth(t, s)
			closeDays(t, s, march1, "2026-03-31")
			issueMonth(t, s, "2026-03")
			write(t, s, func(ctx context.Context, tx *store.Tx) error {
				n, err := tx.Exec(ctx, c.sql)
				if err == nil && n == 0 {
					t.Error("nothing was changed")
				}
				return err
			})
			found := fmt.Sprint(findings(t, s))
			if !strings.Contains(found, c.invariant+" ") && !strings.Contains(found, c.invariant+":") {
				t.Errorf("%s was not found, only %s", c.invariant, found)
			}
		})
	}
}
