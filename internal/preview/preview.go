// Package preview answers what the days behind an Experience workspace would
// have cost on the Commercial plan, at other retention classes and with other
// growth. It owns the projection, quantity of a day times a factor, and the
// choices that may be made; it does not own prices, nor the formula of a line,
// which is the rater's.
//
// Always true: without a choice it is what the bills would have been at today's
// prices and the default classes; every day is rated and rounded by itself, as
// a bill is, and only then summed; it keeps and moves nothing.
package preview

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/quantity"
	"tollgate.dev/internal/rate"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/usage"
	"tollgate.dev/internal/workspace"
)

// Faults of what is typed.
var (
	ErrGrowth = fault.New(fault.Invalid, "growth_factor", "Enter a growth factor above 0 and at most 100, with at most two decimals, such as 1.5.")
	ErrDays   = fault.New(fault.Invalid, "preview_days", "Choose the last 7 or the last 30 days.")
)

// The names under which choices are typed: class.logs and growth.logs.
const (
	ClassField  = "class."
	GrowthField = "growth."
)

// A growth factor is a decimal of so many places, and so large at most.
const (
	growthDecimals = 2
	mostGrowth     = 100
)

// Usual are the growth factors that are offered; any other may be typed.
func Usual() []string { return []string{"0.5", "1", "1.5", "2", "3", "5"} }

// Spans are the numbers of days that can be asked for.
func Spans() []int { return []int{7, 30} }

// ParseDays reads a number of days.
func ParseDays(typed string) (int, error) {
	for _, days := range Spans() {
		if typed == fmt.Sprint(days) {
			return days, nil
		}
	}
	return 0, ErrDays
}

// Choice is what is tried for one item. The zero value is the default class
// and no growth.
type Choice struct {
	Class  string
	Growth quantity.Decimal // zero: as measured
}

// Choices are by item.
type Choices map[string]Choice

// Of is the choice for an item, with nothing left open.
func (c Choices) Of(v *catalog.Version, item catalog.Item) Choice {
	chosen := c[item.ID]
	if chosen.Class == "" {
		chosen.Class = defaultClass(v, item)
	}
	if chosen.Growth.IsZero() {
		chosen.Growth = quantity.Of(1)
	}
	return chosen
}

func defaultClass(v *catalog.Version, item catalog.Item) string {
	if item.Flat() {
		return catalog.NoClass
	}
	of, _ := v.Retention.Type(item.Retention)
	return of.Default
}

// Classes are those that may be chosen for an item; none where the price does
// not depend on it.
func Classes(v *catalog.Version, item catalog.Item) []string {
	if item.Flat() {
		return nil
	}
	of, _ := v.Retention.Type(item.Retention)
	return slices.DeleteFunc(slices.Clone(of.Allowed), func(class string) bool { return !slices.Contains(item.Classes, class) })
}

// Parse reads the choices among what was typed; names that are neither a class
// nor a growth are left alone. What can be read is given beside the faults.
func Parse(v *catalog.Version, typed map[string][]string) (Choices, error) {
	choices := Choices{}
	var wrong fault.Fields
	for _, field := range slices.Sorted(maps.Keys(typed)) {
		text := strings.TrimSpace(strings.Join(typed[field][:min(len(typed[field]), 1)], ""))
		kind, id, ok := strings.Cut(field, ".")
		if kind += "."; !ok || text == "" || kind != ClassField && kind != GrowthField {
			continue
		}
		item, err := v.Item(id)
		if err != nil {
			wrong = append(wrong, fault.From(err).On(field))
			continue
		}
		chosen := choices[id]
		if kind == ClassField {
			chosen.Class, err = parseClass(v, item, text)
		} else {
			chosen.Growth, err = parseGrowth(text)
		}
		if err != nil {
			wrong = append(wrong, fault.From(err).On(field))
			continue
		}
		choices[id] = chosen
	}
	return choices, wrong.OrNil()
}

func parseClass(v *catalog.Version, item catalog.Item, text string) (string, error) {
	if !slices.Contains(Classes(v, item), text) {
		return "", catalog.ErrClassUnknown.With("item", item.ID).With("class", text)
	}
	return text, nil
}

func parseGrowth(text string) (quantity.Decimal, error) {
	factor, err := quantity.Parse(text)
	if err != nil || factor.Sign() <= 0 || factor.Cmp(quantity.Of(mostGrowth)) > 0 || factor.Cmp(factor.Truncate(growthDecimals)) != 0 {
		return quantity.Zero, ErrGrowth.Because(err)
	}
	return factor.Trimmed(), nil
}

// Line is what one item would have cost in all days.
type Line struct {
	Item     string
	Class    string
	Growth   quantity.Decimal
	Measured quantity.Decimal // the day quantities, summed
	Quantity quantity.Decimal // the same after growth
	Amount   money.Amount
}

// Preview is what some days would have cost.
type Preview struct {
	First, Last period.Day
	Version     string // of the catalogue
	Market      catalog.Market
	Lines       []Line // in catalogue order
	Total       money.Amount
}

// Last is the preview of the last days at a site, today among them so far.
func Last(ctx context.Context, tx Reading, c *catalog.Catalog, w workspace.Workspace, days int, choices Choices, at time.Time) (Preview, error) {
	s, err := site.Find(w.Site)
	if err != nil {
		return Preview{}, err
	}
	today := period.DayOf(at, s.Zone)
	v, err := c.At(today)
	if err != nil {
		return Preview{}, err
	}
	first := today.Add(1 - days)
	samples, err := tx.UsageBetween(ctx, w.ID, w.Generation, first.Start(s.Zone), today.End(s.Zone))
	if err != nil {
		return Preview{}, fmt.Errorf("usage of %s: %w", w.ID, err)
	}
	byDay := map[period.Day][]usage.Sample{}
	for _, sample := range samples {
		day := period.DayOf(sample.Hour, s.Zone)
		byDay[day] = append(byDay[day], sample)
	}
	var quantities [][]usage.Quantity
	for day := first; !day.After(today); day = day.Add(1) {
		of, err := usage.Quantities(v, byDay[day])
		if err != nil {
			return Preview{}, err
		}
		quantities = append(quantities, of)
	}
	p, err := Of(v, catalog.Market{Currency: s.Currency, Group: s.Group}, quantities, choices)
	p.First, p.Last = first, today
	return p, err
}

// Reading is what a preview needs of a transaction.
type Reading interface {
	UsageBetween(ctx context.Context, workspaceID string, g workspace.Generation, from, to time.Time) ([]usage.Sample, error)
}

// Of rates days of quantities at the choices and sums them. What is not sold
// in the market, or not for pay-as-you-go, costs nothing and is left out, as
// in a bill.
func Of(v *catalog.Version, m catalog.Market, days [][]usage.Quantity, choices Choices) (Preview, error) {
	tariff := rate.NewTariff(v, m)
	sums := make([]Line, len(v.Items))
	for _, day := range days {
		all, err := merged(v, day)
		if err != nil {
			return Preview{}, err
		}
		for position, measured := range all {
			item := v.Items[position]
			if !item.PayAsYouGo || item.OperatorSwitch || !item.SoldIn(m) {
				continue
			}
			if err := sums[position].add(tariff, item.ID, measured, choices.Of(v, item)); err != nil {
				return Preview{}, err
			}
		}
	}
	p := Preview{Version: v.ID, Market: m, Total: money.Of(0, m.Currency)}
	for _, line := range sums {
		if line.Item == "" {
			continue
		}
		p.Lines = append(p.Lines, line)
		var err error
		if p.Total, err = p.Total.Add(line.Amount); err != nil {
			return Preview{}, err
		}
	}
	return p, nil
}

// merged are the quantities of a day by the item's position, all classes
// together: the choice gives them one.
func merged(v *catalog.Version, day []usage.Quantity) (map[int]quantity.Decimal, error) {
	of := map[int]quantity.Decimal{}
	for _, q := range day {
		position, known := v.Position(q.Item)
		if !known {
			return nil, catalog.ErrItemUnknown.With("item", q.Item)
		}
		var err error
		if of[position], err = of[position].Add(q.Quantity); err != nil {
			return nil, err
		}
	}
	return of, nil
}

// add rates the quantity of one more day.
func (l *Line) add(tariff *rate.Tariff, item string, measured quantity.Decimal, c Choice) error {
	projected, err := measured.Mul(c.Growth)
	if err != nil {
		return err
	}
	rated, err := tariff.Line(usage.Quantity{Item: item, Class: c.Class, Quantity: projected})
	if err != nil {
		return err
	}
	l.Item, l.Class, l.Growth = item, c.Class, c.Growth
	if l.Measured, err = l.Measured.Add(measured); err != nil {
		return err
	}
	if l.Quantity, err = l.Quantity.Add(projected); err != nil {
		return err
	}
	l.Quantity = l.Quantity.Trimmed()
	l.Amount, err = l.Amount.Add(rated.Amount)
	return err
}
