package rate

import (
	"fmt"

	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/quantity"
	"tollgate.dev/internal/usage"
)

// Cover is what an annual package did for a line (domain section 10.3): the
// quantity times the factor of its class is taken from what is left of the
// day's quota, and only the excess costs something. Covered and Excess sum to
// Converted.
type Cover struct {
	Package   string
	Factor    quantity.Decimal
	Converted quantity.Decimal
	Covered   quantity.Decimal
	Excess    quantity.Decimal
}

// String makes two covers comparable as texts.
func (c *Cover) String() string {
	if c == nil {
		return ""
	}
	return fmt.Sprint(*c)
}

// Beyond rates what a package did not cover. With an overage price it is that
// of the default class, whatever class the data has; without one the excess
// costs what it would without the package.
func (t *Tariff) Beyond(q usage.Quantity, c Cover, o catalog.Overage, priced bool) (Line, error) {
	if q.Quantity.Sign() < 0 {
		return Line{}, ErrNegative.With("item", q.Item)
	}
	if !priced {
		l, err := t.Line(usage.Quantity{Item: q.Item, Class: q.Class, Index: q.Index, Quantity: c.Excess})
		l.Quantity, l.Package = q.Quantity, &c
		return l, err
	}
	units, err := t.units(c.Excess, o.Exponent)
	if err != nil {
		return Line{}, err
	}
	exact, err := units.Mul(o.Price)
	if err != nil {
		return Line{}, err
	}
	amount, err := money.RoundHalfUp(exact, t.market.Currency)
	return Line{
		Item: q.Item, Class: q.Class, Index: q.Index, Quantity: q.Quantity, Units: units, UnitPrice: o.Price, Exact: exact.Trimmed(), Amount: amount, Package: &c,
	}, err
}

// Sum gives the lines of a day with their total.
func (t *Tariff) Sum(lines []Line) (Rated, error) {
	rated := Rated{Version: t.version.ID, Market: t.market, Lines: lines, Total: money.Of(0, t.market.Currency)}
	var err error
	for i := range lines {
		if rated.Total, err = rated.Total.Add(lines[i].Amount); err != nil {
			return Rated{}, err
		}
	}
	return rated, nil
}
