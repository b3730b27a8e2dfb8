// Package statement makes the monthly statement: one document per Billing
// Center account and month that sums the daily bills of all its workspaces by
// workspace, by item and by what paid them, and what its packages cost. It owns the document, its number
// and its chain, and when a month falls due. It does not own the bills, nor
// any money.
//
// Always true: an account has at most one statement a month, and it never
// changes; a bill and an adjustment are on one statement, and a statement is the sum of its
// bills; its number follows the one before of its currency and year without a
// gap; it holds the hash of the account's statement before it.
package statement

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/prepaid"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/wallet"
)

// Faults of statements.
var (
	ErrUnknown    = fault.New(fault.NotFound, "statement_unknown", "There is no such statement.")
	ErrNotDue     = fault.New(fault.Conflict, "month_not_due", "The statements of this month are not due yet.")
	ErrOutOfOrder = fault.New(fault.Conflict, "month_out_of_order", "The statements of the month before have not been made yet.")
	ErrDaysOpen   = fault.New(fault.Unavailable, "month_not_closed", "A day of this month has not been closed yet.")
	ErrUnsummed   = fault.New(fault.Internal, "statement_does_not_sum", "The parts of this statement do not sum to it.")
)

// Statement is what an account's workspaces cost in a month.
type Statement struct {
	ID         string
	Number     string // ST-CNY-2026-000123: currency, year, and a count without gaps
	Payer      string // the Billing Center account
	UserName   string // its name and company when the statement was made
	Company    string
	Month      period.Month
	Currency   money.Currency
	Bills      int64
	Late       Late
	Total      money.Amount
	Paid       bill.Paid
	Workspaces []Workspace
	Items      []Item    // of the bills
	Packages   []Package // what packages cost besides

	Adjustments []Adjustment // of what the account has, beside the total

	Owed     money.Amount // by the account, over all, when it was made
	DueBy    period.Day   // when that must be paid; zero where nothing is owed
	IssuedAt time.Time
	Previous string // the hash of the account's statement before; empty for the first
	Hash     string // of the document
}

// Late are the bills of earlier months that were made after the statements of
// those months.
type Late struct {
	Bills int64
	Total money.Amount
}

// Workspace is the part of one workspace.
type Workspace struct {
	ID    string
	Name  string // when the statement was made
	Site  site.ID
	Bills int64
	Total money.Amount
	Paid  bill.Paid
	Items []Item
}

// Item is the part of one billing item.
type Item struct {
	ID    string
	Lines int64 // on bills
	Total money.Amount
	Paid  bill.Paid
}

// Package is what an annual package cost in the month: its purchase, its
// upgrades, or the traffic packages of an item.
type Package struct {
	ID      string
	Kind    prepaid.ChargeKind
	What    string // the size, or the item of the traffic packages
	Charges int64
	Total   money.Amount
	Paid    bill.Paid
}

// packages are its parts as parts of the statement.
func (s Statement) packages() []Item {
	parts := make([]Item, len(s.Packages))
	for i, p := range s.Packages {
		parts[i] = Item{Total: p.Total, Paid: p.Paid}
	}
	return parts
}

// prefix begins every ID of a statement.
const prefix = "stmt"

// IDOf is the statement's ID: an account's month has one, whoever makes it.
func IDOf(payer string, m period.Month) string {
	sum := sha256.Sum256([]byte(payer + "\n" + m.String()))
	return prefix + "_" + hex.EncodeToString(sum[:16])
}

// SeriesPrefix begins every series of statements' numbers.
const SeriesPrefix = "ST-"

// Series is the series of numbers that a statement's number is from.
func Series(c money.Currency, m period.Month) string {
	return SeriesPrefix + string(c) + "-" + m.String()[:4]
}

// Zone is in which a Billing Center counts months and days of its own: that
// of China for the domestic one, UTC for the overseas one. The days of a bill
// are those of its site all the same.
func Zone(c money.Currency) *time.Location { return wallet.Zone(c) }

// readyAfter is the day of the next month after which a statement is made
// (domain section 9).
const readyAfter = 3

// DueAt is the instant at which the statements of a month are made.
func DueAt(c money.Currency, m period.Month) time.Time {
	return m.Next().First().Add(readyAfter).Start(Zone(c))
}

// Sums checks that the parts of the statement sum to it: workspaces, their
// items, all items, and the sources of payment.
func (s Statement) Sums() error {
	whole := Item{Total: s.Total, Paid: s.Paid}
	parts := make([]Item, 0, len(s.Workspaces))
	var bills int64
	for _, w := range s.Workspaces {
		one := Item{Total: w.Total, Paid: w.Paid}
		if err := equal(one, w.Items); err != nil {
			return ErrUnsummed.With("statement", s.ID).With("workspace", w.ID).Because(err)
		}
		parts, bills = append(parts, one), bills+w.Bills
	}
	for _, list := range [][]Item{parts, s.Items} {
		if err := equal(whole, slices.Concat(list, s.packages())); err != nil {
			return ErrUnsummed.With("statement", s.ID).Because(err)
		}
	}
	if bills != s.Bills {
		return ErrUnsummed.With("statement", s.ID)
	}
	_, err := s.Adjusted()
	return err
}

// equal compares a whole with its parts, and with what paid it.
func equal(whole Item, parts []Item) error {
	sum := Item{Total: money.Of(0, whole.Total.Currency()), Paid: bill.NoPaid(whole.Total.Currency())}
	for _, p := range parts {
		if err := sum.add(0, p.Total, p.Paid); err != nil {
			return err
		}
	}
	paid, err := whole.Paid.Sum()
	if err != nil {
		return err
	}
	if sum.Total != whole.Total || sum.Paid != whole.Paid || paid != whole.Total {
		return fmt.Errorf("parts of %s paid by %v, the whole is %s paid by %v", sum.Total, sum.Paid, whole.Total, whole.Paid)
	}
	return nil
}

func (it *Item) add(lines int64, a money.Amount, paid bill.Paid) (err error) {
	it.Lines += lines
	if it.Total, err = it.Total.Add(a); err != nil {
		return err
	}
	for _, kind := range wallet.Payments() {
		if err := it.Paid.Add(kind, paid.By(kind)); err != nil {
			return err
		}
	}
	return nil
}
