// Package analysis sums what a workspace used and cost over a span of days:
// the bill details, the usage statistics and the forecast of the month (domain
// section 9). It owns the ranges that can be asked for, the sums and the
// forecast's rule; it does not own bills, which it only reads, nor the estimate
// of a day without a bill, which is the bill's own formula.
//
// Always true: the figures of a billed day are those of its bill to the
// smallest unit, and the sums are checked against what the store sums by
// itself; a day that has no bill yet is marked as an estimate.
package analysis

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/quantity"
	"tollgate.dev/internal/rate"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/workspace"
)

// Tx is what an analysis needs of a transaction.
type Tx interface {
	bill.Reading
	// BillsOf lists a workspace's bills of the days from first to last, the newest first.
	BillsOf(ctx context.Context, workspaceID string, first, last period.Day, limit int) ([]bill.Bill, error)
	// CostBetween sums them in one currency.
	CostBetween(ctx context.Context, workspaceID string, c money.Currency, first, last period.Day) (Cost, error)
	LastSiteDay(ctx context.Context, s site.ID) (bill.SiteDay, error)
}

// Cost is what is due for something, and what of it nothing covered.
type Cost struct {
	Payable money.Amount
	Arrears money.Amount
}

// Add is the sum of two.
func (c Cost) Add(other Cost) (Cost, error) {
	payable, err := c.Payable.Add(other.Payable)
	if err != nil {
		return Cost{}, err
	}
	arrears, err := c.Arrears.Add(other.Arrears)
	return Cost{payable, arrears}, err
}

// How a line is billed: by use, or within an annual package.
const (
	PayAsYouGo = "pay_as_you_go"
	Packaged   = "package"
)

func modeOf(l rate.Line) string {
	if l.Package != nil {
		return Packaged
	}
	return PayAsYouGo
}

// Line is one item in one class on one day; of logs, one index.
type Line struct {
	Item     string
	Class    string
	Index    string // empty: the default index, or no logs
	Mode     string
	Quantity quantity.Decimal
	Cost
}

// Day is one day of a workspace.
type Day struct {
	Day       period.Day
	Number    string // of its bill; empty where it has none
	Estimated bool   // not closed yet: as if it ended now
	Lines     []Line
	Cost
}

// Report is a span of days.
type Report struct {
	Span     Span
	Currency money.Currency
	Days     []Day // that were billed or are open, the oldest first
	Cost
}

// Read reads the bills of a span and estimates those of its days that are not
// closed yet.
func Read(ctx context.Context, tx Tx, c *catalog.Catalog, w workspace.Workspace, span Span, at time.Time) (Report, error) {
	s, err := site.Find(w.Site)
	if err != nil {
		return Report{}, err
	}
	payer, err := tx.BillingByID(ctx, w.Payer)
	if err != nil {
		return Report{}, fmt.Errorf("payer of %s: %w", w.ID, err)
	}
	zero := money.Of(0, payer.Currency)
	r := Report{Span: span, Currency: payer.Currency, Cost: Cost{zero, zero}}
	bills, err := tx.BillsOf(ctx, w.ID, span.First, span.Last, MostDays)
	if err != nil {
		return r, fmt.Errorf("bills of %s: %w", w.ID, err)
	}
	for _, b := range slices.Backward(bills) {
		if b.Market.Currency != r.Currency {
			continue // of another payer: its sums stand in its own currency
		}
		if err := r.take(billed(b)); err != nil {
			return r, err
		}
	}
	summed, err := tx.CostBetween(ctx, w.ID, r.Currency, span.First, span.Last)
	if err != nil {
		return r, fmt.Errorf("cost of %s: %w", w.ID, err)
	}
	if summed != r.Cost {
		return r, bill.ErrUnsummed.With("workspace", w.ID).With("bills", r.Payable.String()).With("sum", summed.Payable.String())
	}
	last, err := tx.LastSiteDay(ctx, s.ID)
	if err != nil {
		return r, err
	}
	today := period.DayOf(at, s.Zone)
	for day := firstOpen(span, period.DayOf(w.UpgradedAt, s.Zone), last); !day.After(today) && !day.After(span.Last); day = day.Add(1) {
		rated, err := bill.Calculate(ctx, tx, c, w, day)
		if err != nil {
			return r, err
		}
		open := Day{Day: day, Estimated: true, Cost: Cost{zero, zero}}
		for _, l := range rated.Lines {
			open.Lines = append(open.Lines, Line{l.Item, l.Class, l.Index, modeOf(l), l.Quantity, Cost{l.Amount, zero}})
		}
		if err := r.take(open); err != nil {
			return r, err
		}
	}
	return r, nil
}

func billed(b bill.Bill) Day {
	zero := money.Of(0, b.Market.Currency)
	d := Day{Day: b.Day, Number: b.Number, Cost: Cost{zero, zero}}
	for _, l := range b.Lines {
		d.Lines = append(d.Lines, Line{l.Item, l.Class, l.Index, modeOf(l.Line), l.Quantity, Cost{l.Amount, l.Paid.Owed}})
	}
	return d
}

// firstOpen is the first day of the span without a bill to come from a close
// that has begun.
func firstOpen(span Span, upgraded period.Day, last bill.SiteDay) period.Day {
	first := span.First
	if first.Before(upgraded) {
		first = upgraded
	}
	if last.Begun() && !last.Day.Before(first) {
		first = last.Day.Add(1)
	}
	return first
}

// take adds a day whose sums are still those of nothing.
func (r *Report) take(d Day) (err error) {
	for _, l := range d.Lines {
		if d.Cost, err = d.Cost.Add(l.Cost); err != nil {
			return err
		}
	}
	r.Days = append(r.Days, d)
	r.Cost, err = r.Cost.Add(d.Cost)
	return err
}

// Of is the report of one item alone.
func (r Report) Of(item string) (Report, error) {
	zero := money.Of(0, r.Currency)
	one := Report{Span: r.Span, Currency: r.Currency, Cost: Cost{zero, zero}}
	for _, d := range r.Days {
		d.Lines = slices.DeleteFunc(slices.Clone(d.Lines), func(l Line) bool { return l.Item != item })
		d.Cost = Cost{zero, zero}
		if err := one.take(d); err != nil {
			return one, err
		}
	}
	return one, nil
}

// Item is the sum of one item over a report, all classes together.
type Item struct {
	Item     string
	Mode     string
	Quantity quantity.Decimal
	Cost
}

// Items sums a report by item, in catalogue order; those that the version no
// longer knows come last.
func (r Report) Items(v *catalog.Version) ([]Item, error) {
	var items []Item
	for _, d := range r.Days {
		for _, l := range d.Lines {
			i := slices.IndexFunc(items, func(it Item) bool { return it.Item == l.Item && it.Mode == l.Mode })
			if i < 0 {
				zero := money.Of(0, r.Currency)
				items = append(items, Item{Item: l.Item, Mode: l.Mode, Cost: Cost{zero, zero}})
				i = len(items) - 1
			}
			var err error
			if items[i].Quantity, err = items[i].Quantity.Add(l.Quantity); err != nil {
				return nil, err
			}
			if items[i].Cost, err = items[i].Cost.Add(l.Cost); err != nil {
				return nil, err
			}
		}
	}
	slices.SortFunc(items, func(a, b Item) int {
		return cmp.Or(cmp.Compare(position(v, a.Item), position(v, b.Item)), cmp.Compare(a.Item, b.Item), cmp.Compare(a.Mode, b.Mode))
	})
	return items, nil
}

func position(v *catalog.Version, item string) int {
	if i, ok := v.Position(item); ok {
		return i
	}
	return len(v.Items)
}
