package statement

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/arrears"
	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/prepaid"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/workspace"
)

// Tx is what statements need of a transaction.
type Tx interface {
	wallet.Tx
	BillingByID(ctx context.Context, id string) (account.Billing, error)
	Workspace(ctx context.Context, id string) (workspace.Workspace, error)
	LastSiteDay(ctx context.Context, s site.ID) (bill.SiteDay, error)
	CommercialSites(ctx context.Context) (map[site.ID]time.Time, error)
	NextNumber(ctx context.Context, series string) (int64, error)
	// Clock finds the clock of a debt.
	Clock(ctx context.Context, cause arrears.Cause, subject string) (arrears.Clock, error)
	Announce(ctx context.Context, event any) error
	Audit(ctx context.Context, e audit.Entry) error

	// PayersIn lists the accounts of a currency by ID, after the given one.
	PayersIn(ctx context.Context, c money.Currency, after string, limit int) ([]string, error)
	// StatementOf finds the statement of an account's month, or ErrUnknown.
	StatementOf(ctx context.Context, payer string, m period.Month) (Statement, error)
	// StatementHead is the hash of the account's last statement; empty when it has none.
	StatementHead(ctx context.Context, payer string) (string, error)
	// TakeBills puts all bills of the account on the statement whose days are
	// not after the last one and that are on none yet.
	TakeBills(ctx context.Context, statementID, payer string, c money.Currency, last period.Day) (int64, error)
	// BillsOn lists the bills of a statement, by day and workspace after those given.
	BillsOn(ctx context.Context, statementID, payer string, after bill.Bill, limit int) ([]bill.Bill, error)
	// TakeCharges puts all charges of the account's packages on the statement
	// whose days are not after the last one and that are on none yet.
	TakeCharges(ctx context.Context, statementID, payer string, c money.Currency, last period.Day) (int64, error)
	// ChargesOn lists the charges of a statement, always in one order.
	ChargesOn(ctx context.Context, statementID string) ([]prepaid.Charge, error)
	// TakeAdjustments puts all adjustments of the account on the statement that
	// were booked before the instant and are on none yet.
	TakeAdjustments(ctx context.Context, statementID, payer string, c money.Currency, before time.Time) (int64, error)
	// AdjustmentsOn lists the adjustments of a statement, always in one order.
	AdjustmentsOn(ctx context.Context, statementID string) ([]wallet.Adjustment, error)
	// InsertStatement keeps a statement for ever and makes it the account's last.
	InsertStatement(ctx context.Context, s Statement) error

	// LastMonth is the last month whose statements were made, or the zero month.
	LastMonth(ctx context.Context, c money.Currency) (m period.Month, made bool, err error)
	// FinishMonth keeps that the statements of a month were made.
	FinishMonth(ctx context.Context, c money.Currency, m period.Month) error
	// ParkStatement keeps the reason why an account's statement could not be made.
	ParkStatement(ctx context.Context, p Parked) error
	// UnparkStatement forgets it.
	UnparkStatement(ctx context.Context, payer string, m period.Month) error
}

// Parked is an account whose statement could not be made. It waits for a
// person; until then its bills go on the next one.
type Parked struct {
	Payer string
	Month period.Month
	At    time.Time
	fault.Kept
}

// Issued happens when a statement was made (mail 3 of domain section 14).
type Issued struct {
	Statement Statement
	Email     string
	Language  string
}

// pageOf bounds the bills and the accounts that are read at once.
const pageOf = 500

// Issue makes the statement of an account's month, once: made again, the one
// that is there is given back. An account without bills, charges of packages and
// adjustments gets none; its ID is then empty.
func Issue(ctx context.Context, tx Tx, c *catalog.Catalog, payer string, m period.Month, at time.Time) (Statement, error) {
	if _, err := tx.LedgerHead(ctx, payer); err != nil { // nobody else charges or states this account until we are done
		return Statement{}, fmt.Errorf("chain of %s: %w", payer, err)
	}
	before, err := tx.StatementOf(ctx, payer, m)
	if err == nil || !errors.Is(err, ErrUnknown) {
		return before, err
	}
	a, err := tx.BillingByID(ctx, payer)
	if err != nil {
		return Statement{}, err
	}
	s := Statement{ID: IDOf(payer, m), Payer: payer, UserName: a.UserName, Company: a.Profile.Company, IssuedAt: period.FromMicros(period.Micros(at))}
	taken, err := tx.TakeBills(ctx, s.ID, payer, a.Currency, m.Last())
	if err != nil {
		return Statement{}, err
	}
	charges, err := tx.TakeCharges(ctx, s.ID, payer, a.Currency, m.Last())
	if err != nil {
		return Statement{}, err
	}
	corrected, err := tx.TakeAdjustments(ctx, s.ID, payer, a.Currency, m.Last().End(Zone(a.Currency)))
	if err != nil || taken+charges+corrected == 0 {
		return Statement{}, err
	}
	if err := s.gather(ctx, tx, c, m, a.Currency); err != nil {
		return Statement{}, err
	}
	if s.Bills != taken {
		return Statement{}, ErrUnsummed.With("statement", s.ID)
	}
	if err := s.account(ctx, tx); err != nil {
		return Statement{}, err
	}
	n, err := tx.NextNumber(ctx, Series(s.Currency, m))
	if err != nil {
		return Statement{}, fmt.Errorf("number of a statement: %w", err)
	}
	s.Number = bill.Number(Series(s.Currency, m), n)
	if s.Previous, err = tx.StatementHead(ctx, payer); err != nil {
		return Statement{}, fmt.Errorf("last statement of %s: %w", payer, err)
	}
	if err := s.Sums(); err != nil {
		return Statement{}, err
	}
	s.Hash = Sum(s.Document())
	if err := tx.InsertStatement(ctx, s); err != nil {
		return Statement{}, fmt.Errorf("keep statement %s: %w", s.Number, err)
	}
	return s, tx.Announce(ctx, Issued{Statement: s, Email: a.Email, Language: a.Language})
}

// gather sums the bills that were put on the statement.
func (s *Statement) gather(ctx context.Context, tx Tx, c *catalog.Catalog, m period.Month, currency money.Currency) error {
	g := Gather(m, currency)
	for after := (bill.Bill{}); ; {
		page, err := tx.BillsOn(ctx, s.ID, s.Payer, after, pageOf)
		if err != nil {
			return fmt.Errorf("bills of %s: %w", s.ID, err)
		}
		for _, b := range page {
			if err := g.Bill(b); err != nil {
				return err
			}
			after = b
		}
		if len(page) < pageOf {
			break
		}
	}
	charges, err := tx.ChargesOn(ctx, s.ID)
	if err != nil {
		return fmt.Errorf("charges of %s: %w", s.ID, err)
	}
	for _, charge := range charges {
		if err := g.Charge(charge); err != nil {
			return err
		}
	}
	names := map[string]string{}
	for _, id := range g.WorkspaceIDs() {
		w, err := tx.Workspace(ctx, id)
		if err != nil {
			return err
		}
		names[id] = w.Name
	}
	g.Into(s, c, names)
	corrected, err := tx.AdjustmentsOn(ctx, s.ID)
	s.Adjustments = adjusted(corrected)
	return err
}

// account adds what the account owes now, and by when.
func (s *Statement) account(ctx context.Context, tx Tx) error {
	b, err := wallet.BalancesOf(ctx, tx, s.Payer, s.Currency)
	if err != nil {
		return err
	}
	s.Owed = b.Owed
	if b.Owed.IsZero() {
		return nil
	}
	clock, err := tx.Clock(ctx, arrears.Debt, s.Payer)
	if err == nil && clock.Lasts() {
		s.DueBy = period.DayOf(clock.LockAt, Zone(s.Currency))
	}
	return err
}

// IssueMonth is the job that makes the statements of a month in a currency.
type IssueMonth struct {
	Currency money.Currency `json:"currency"`
	Month    string         `json:"month"` // 2026-03
}

// Kind names the job for the queue.
func (IssueMonth) Kind() string { return "statement.issue" }

// UniqueByArgs keeps one job of a month waiting at most.
func (IssueMonth) UniqueByArgs() bool { return true }

// Desk is where statements are made: each in a transaction of its own, so that
// an account that fails does not stop the others.
type Desk struct {
	Write    func(ctx context.Context, f func(Tx) error) error
	Catalog  *catalog.Catalog
	Patience time.Duration // how long after it is due a month waits for its days to be closed
}

// Run is what a month's work came to.
type Run struct {
	Statements int
	Parked     int
}

// IssueMonth makes the statements of all accounts of a currency. It may be
// stopped anywhere and run again to the same statements. It returns
// ErrDaysOpen while a day of the month is not closed: try later.
func (d Desk) IssueMonth(ctx context.Context, job IssueMonth, at time.Time) (Run, error) {
	m, err := period.ParseMonth(job.Month)
	if err != nil {
		return Run{}, err
	}
	var done bool
	err = d.Write(ctx, func(tx Tx) (err error) {
		done, err = d.begin(ctx, tx, job.Currency, m, at)
		return err
	})
	if err != nil || done {
		return Run{}, err
	}
	var run Run
	for after := ""; ; {
		var page []string
		err := d.Write(ctx, func(tx Tx) (err error) {
			page, err = tx.PayersIn(ctx, job.Currency, after, pageOf)
			return err
		})
		if err != nil {
			return run, fmt.Errorf("accounts in %s: %w", job.Currency, err)
		}
		for _, payer := range page {
			if err := d.one(ctx, payer, m, at, &run); err != nil {
				return run, err
			}
			after = payer
		}
		if len(page) < pageOf {
			break
		}
	}
	return run, d.Write(ctx, func(tx Tx) error {
		if err := tx.FinishMonth(ctx, job.Currency, m); err != nil {
			return err
		}
		return tx.Audit(ctx, audit.Entry{
			At: at, Actor: "system", Action: "statements.issued", Subject: string(job.Currency) + " " + m.String(),
			Detail: map[string]string{"statements": fmt.Sprint(run.Statements), "parked": fmt.Sprint(run.Parked)},
		})
	})
}

// begin checks that the month's turn has come; done reports that it was made.
func (d Desk) begin(ctx context.Context, tx Tx, c money.Currency, m period.Month, at time.Time) (done bool, err error) {
	last, made, err := tx.LastMonth(ctx, c)
	switch due := DueAt(c, m); {
	case err != nil:
		return false, err
	case made && !last.First().Before(m.First()):
		return true, nil
	case made && last.Next() != m:
		return false, ErrOutOfOrder.With("month", m.String()).With("last", last.String())
	case at.Before(due):
		return false, ErrNotDue.With("month", m.String())
	case at.After(due.Add(d.Patience)):
		return false, nil
	}
	return false, closed(ctx, tx, m)
}

// closed checks that every site has closed its days through the month's last.
func closed(ctx context.Context, tx Tx, m period.Month) error {
	firsts, err := tx.CommercialSites(ctx)
	if err != nil {
		return err
	}
	for id, first := range firsts {
		s, err := site.Find(id)
		if err != nil {
			return err
		}
		if !first.Before(m.Last().End(s.Zone)) {
			continue
		}
		last, err := tx.LastSiteDay(ctx, id)
		if err != nil {
			return err
		}
		through := last.Day
		if last.Begun() && !last.Closed() {
			through = through.Add(-1)
		}
		if !last.Begun() || through.Before(m.Last()) {
			return ErrDaysOpen.With("site", string(id)).With("month", m.String())
		}
	}
	return nil
}

// one makes the statement of an account or parks it with the reason.
func (d Desk) one(ctx context.Context, payer string, m period.Month, at time.Time, run *Run) error {
	made, err := d.Issue(ctx, payer, m, at)
	switch {
	case err == nil && made.ID != "":
		run.Statements++
		return nil
	case err == nil || ctx.Err() != nil:
		return err
	}
	run.Parked++
	p := Parked{Payer: payer, Month: m, At: at, Kept: fault.Keep(err)}
	return d.Write(ctx, func(tx Tx) error { return tx.ParkStatement(ctx, p) })
}

// Issue makes one statement; it serves the retry of a parked one, too.
func (d Desk) Issue(ctx context.Context, payer string, m period.Month, at time.Time) (Statement, error) {
	var made Statement
	err := d.Write(ctx, func(tx Tx) (err error) {
		if made, err = Issue(ctx, tx, d.Catalog, payer, m, at); err != nil {
			return err
		}
		return tx.UnparkStatement(ctx, payer, m)
	})
	return made, err
}

// Next is the month whose statements come next, and whether any bill may be
// due for one: the one after the last, or that of the first upgrade.
func Next(ctx context.Context, tx Tx, c money.Currency) (m period.Month, any bool, err error) {
	last, made, err := tx.LastMonth(ctx, c)
	if err != nil || made {
		return last.Next(), made, err
	}
	firsts, err := tx.CommercialSites(ctx)
	if err != nil {
		return m, false, err
	}
	for id, first := range firsts {
		s, err := site.Find(id)
		if err != nil {
			return m, false, err
		}
		if of := period.DayOf(first, s.Zone).Month(); !any || of.First().Before(m.First()) {
			m, any = of, true
		}
	}
	return m, any, nil
}
