package bill

import (
	"context"
	"fmt"
	"math"
	"time"

	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/prepaid"
	"tollgate.dev/internal/quantity"
	"tollgate.dev/internal/rate"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/usage"
	"tollgate.dev/internal/wallet"
)

// ErrLineUnknown is asking for a line that the bill does not have.
var ErrLineUnknown = fault.New(fault.NotFound, "bill_line_unknown", "This bill has no such line.")

// Explanation is how a bill came about: each line back to its hours, and
// forward to what paid it.
type Explanation struct {
	Bill    Bill
	Zone    *time.Location // of the site: its days and hours are those of the bill
	Version *catalog.Version
	Entry   wallet.Entry // which paid it, and maybe others of the payer's day; zero where there was nothing to pay
	Lines   []ExplainedLine

	Adjustments []wallet.Adjustment // what corrected it since, by lines of their own
}

// ExplainedLine is one line with everything that it was calculated from.
type ExplainedLine struct {
	Line
	Number   int // on the bill, from 1
	Item     catalog.Item
	Counters []Counter
	Hours    []Hour
	Again    rate.Line // the line, made again from these hours
}

// Counter is one of the one or two counts behind an item, and what the day
// rule makes of its samples.
type Counter struct {
	Name string // as people call it: "trace_ids"; "quantity" where there is one only
	Day  int64
}

// Hour is an hour of the service day: 23, 24 or 25 of them.
type Hour struct {
	Start   time.Time
	Billed  bool     // false: before the hour of the upgrade, and free
	Samples []Sample // one per counter
}

// Sample is what was stored for an hour; nothing is stored where nothing came.
type Sample struct {
	Quantity int64
	Stored   bool
}

// Agrees reports whether the hours still make the line, to the last digit.
func (l ExplainedLine) Agrees() bool { return fmt.Sprint(l.Again) == fmt.Sprint(l.Line.Line) }

// Line is the explained line of that number.
func (e Explanation) Line(number int) (ExplainedLine, error) {
	if number < 1 || number > len(e.Lines) {
		return ExplainedLine{}, ErrLineUnknown.With("line", number).With("lines", len(e.Lines))
	}
	return e.Lines[number-1], nil
}

// ExplainTx is what an explanation needs of a transaction.
type ExplainTx interface {
	ShareTx
	// LedgerEntryOf finds an entry of a payer by its number.
	LedgerEntryOf(ctx context.Context, payer string, number int64) (e wallet.Entry, found bool, err error)
	// AdjustmentsOfBill lists the booked adjustments of a bill.
	AdjustmentsOfBill(ctx context.Context, billID string) ([]wallet.Adjustment, error)
}

// Explain reads what a bill was made of.
func Explain(ctx context.Context, tx ExplainTx, c *catalog.Catalog, b Bill) (Explanation, error) {
	s, err := site.Find(b.Site)
	if err != nil {
		return Explanation{}, err
	}
	w, err := tx.Workspace(ctx, b.WorkspaceID)
	if err != nil {
		return Explanation{}, fmt.Errorf("workspace of bill %s: %w", b.Number, err)
	}
	window := usage.Of(b.Day, s.Zone).Since(w.UpgradedAt)
	samples, err := tx.UsageBetween(ctx, b.WorkspaceID, b.Generation, window.From, window.To)
	if err != nil {
		return Explanation{}, fmt.Errorf("usage of bill %s: %w", b.Number, err)
	}
	entry, _, err := tx.LedgerEntryOf(ctx, b.Payer, b.Entry)
	if err != nil {
		return Explanation{}, fmt.Errorf("entry of bill %s: %w", b.Number, err)
	}
	v, err := c.Find(b.Catalog)
	if err != nil {
		return Explanation{}, err
	}
	share, err := ShareOf(ctx, tx, v, b.Market, s, w.ID, b.Day)
	if err != nil {
		return Explanation{}, err
	}
	e, err := ExplainFrom(c, b, window, samples, share, entry)
	if err != nil {
		return e, err
	}
	e.Adjustments, err = tx.AdjustmentsOfBill(ctx, b.ID)
	return e, err
}

// ExplainFrom takes a bill apart: the samples are those of its generation in
// the window, and share is what its package had left for it. It calculates every line anew, with the formula of the bill.
func ExplainFrom(c *catalog.Catalog, b Bill, window usage.Window, samples []usage.Sample, share *prepaid.Share, paid wallet.Entry) (Explanation, error) {
	s, err := site.Find(b.Site)
	if err != nil {
		return Explanation{}, err
	}
	v, err := c.Find(b.Catalog)
	if err != nil {
		return Explanation{}, err
	}
	again, err := RateShared(v, b.Market, share, samples, b.Agreed()...)
	if err != nil {
		return Explanation{}, err
	}
	e := Explanation{Bill: b, Zone: s.Zone, Version: v, Entry: paid}
	for i, l := range b.Lines {
		item, err := v.Item(l.Item)
		if err != nil {
			return Explanation{}, err
		}
		x := ExplainedLine{Line: l, Number: i + 1, Item: item}
		for _, made := range again.Lines {
			if made.Item == l.Item && made.Class == l.Class && made.Index == l.Index {
				x.Again = made
			}
		}
		x.count(b.Day.Hours(s.Zone), window, samples)
		e.Lines = append(e.Lines, x)
	}
	return e, nil
}

// count lays the samples of the line over the hours of the day.
func (l *ExplainedLine) count(hours []time.Time, window usage.Window, samples []usage.Sample) {
	names := []string{""}
	if l.Item.Rule == catalog.MaxOfTwo {
		names = append(names, l.Item.Alternative.Counter)
	}
	at := make(map[int64]int, len(hours))
	for i, start := range hours {
		at[start.UnixMicro()] = i
		l.Hours = append(l.Hours, Hour{Start: start, Billed: !start.Before(window.From) && start.Before(window.To), Samples: make([]Sample, len(names))})
	}
	l.Counters = make([]Counter, len(names))
	for i, name := range l.Item.CounterNames()[:len(names)] {
		l.Counters[i].Name = name
	}
	for _, s := range samples {
		hour, within := at[s.Hour.UnixMicro()]
		if !within || s.Item != l.Line.Item || s.Class != l.Class || s.Index != l.Index {
			continue
		}
		for i, name := range names {
			if s.Counter == name {
				l.Hours[hour].Samples[i] = Sample{s.Quantity, true}
				l.Counters[i].take(l.Item.Rule, s.Quantity)
			}
		}
	}
}

// take adds a sample by the day rule. A sum that would pass the largest number
// was refused when the bill was rated.
func (c *Counter) take(rule catalog.Rule, n int64) {
	switch {
	case rule == catalog.Max24:
		c.Day = max(c.Day, n)
	case c.Day <= math.MaxInt64-n:
		c.Day += n
	}
}

// UnitSize is what makes a unit of the line: that of the overage price where
// a package has one, else the item's.
func (l ExplainedLine) UnitSize(v *catalog.Version) quantity.Decimal {
	if overage, priced := v.AnnualPackages.Overage[l.Line.Item]; priced && l.Package != nil {
		return overage.Unit
	}
	return l.Item.Unit.Size
}

// Divided is the quantity that units are made of: what was counted, or what a
// package did not cover of it.
func (l ExplainedLine) Divided() quantity.Decimal {
	if l.Package != nil {
		return l.Package.Excess
	}
	return l.Quantity
}

// Rounding is what rounding changed: the amount less what was exact.
func (l ExplainedLine) Rounding() (quantity.Decimal, error) {
	return quantity.Scaled(l.Amount.Minor(), money.Decimals).Sub(l.Exact)
}
