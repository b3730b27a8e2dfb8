// Package rate turns day quantities into money: quantity by unit size, times
// the price of the class, rounded as the catalogue says. It owns this formula
// and nothing else: no clock, no store, no account.
//
// Always true: the same quantities, catalogue version, currency and group give
// the same lines to the last digit; the total is the sum of the lines.
package rate

import (
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/quantity"
	"tollgate.dev/internal/usage"
)

// ErrNegative is a quantity below zero.
var ErrNegative = fault.New(fault.Invalid, "quantity_negative", "A quantity must not be negative.")

// Line is the charge for one item in one class on one service day.
type Line struct {
	Item      string
	Class     string
	Quantity  quantity.Decimal // what was counted
	Units     quantity.Decimal // quantity / unit size, cut if the catalogue cuts
	UnitPrice quantity.Decimal
	Exact     quantity.Decimal // units x unit price, before rounding
	Amount    money.Amount     // exact, half up to the minor unit
}

// Rated is the charge for one service day.
type Rated struct {
	Version string // of the catalogue
	Market  catalog.Market
	Lines   []Line
	Total   money.Amount
}

// Tariff is a catalogue version in one market. Make it once and use it for
// every workspace that it holds for; it is safe for concurrent use.
type Tariff struct {
	version *catalog.Version
	market  catalog.Market
	rows    map[string][]row // by item, a row per class
}

// row is what a line needs to know of its item and class.
type row struct {
	class    string
	price    quantity.Decimal
	exponent int // of the unit size
}

// NewTariff reads the prices of a version in one market.
func NewTariff(v *catalog.Version, m catalog.Market) *Tariff {
	t := &Tariff{version: v, market: m, rows: map[string][]row{}}
	for _, item := range v.Items {
		for _, class := range item.Classes {
			if price, err := item.Price(m.Currency, m.Group, class); err == nil {
				t.rows[item.ID] = append(t.rows[item.ID], row{class, price, item.Unit.Exponent})
			}
		}
	}
	return t
}

// Line rates one day quantity.
func (t *Tariff) Line(q usage.Quantity) (Line, error) {
	row := t.row(q)
	if row == nil {
		return Line{}, t.missing(q)
	}
	if q.Quantity.Sign() < 0 {
		return Line{}, ErrNegative.With("item", q.Item)
	}
	units, err := t.units(q.Quantity, row.exponent)
	if err != nil {
		return Line{}, err
	}
	exact, err := units.Mul(row.price)
	if err != nil {
		return Line{}, err
	}
	amount, err := money.RoundHalfUp(exact, t.market.Currency)
	if err != nil {
		return Line{}, err
	}
	return Line{
		Item: q.Item, Class: q.Class, Quantity: q.Quantity, Units: units,
		UnitPrice: row.price, Exact: exact.Trimmed(), Amount: amount,
	}, nil
}

func (t *Tariff) row(q usage.Quantity) *row {
	rows := t.rows[q.Item]
	for i := range rows {
		if rows[i].class == q.Class {
			return &rows[i]
		}
	}
	return nil
}

// units are never rounded up; they are cut to the catalogue's decimals unless
// it says that they stay exact (domain C-06).
func (t *Tariff) units(q quantity.Decimal, exponent int) (quantity.Decimal, error) {
	r := t.version.Rounding
	if r.TruncateUnits {
		return q.Units(exponent, r.UnitDecimals)
	}
	units, err := q.DivPowerOfTen(exponent)
	return units.Trimmed(), err
}

// missing says why there is no price: the item is unknown, not sold in this
// market, or lacks the class.
func (t *Tariff) missing(q usage.Quantity) error {
	item, err := t.version.Item(q.Item)
	if err != nil {
		return err
	}
	_, err = item.Price(t.market.Currency, t.market.Group, q.Class)
	return err
}

// Rate rates a day's quantities in their order.
func (t *Tariff) Rate(quantities []usage.Quantity) (Rated, error) {
	rated := Rated{
		Version: t.version.ID, Market: t.market,
		Lines: make([]Line, 0, len(quantities)), Total: money.Of(0, t.market.Currency),
	}
	for _, q := range quantities {
		line, err := t.Line(q)
		if err != nil {
			return Rated{}, err
		}
		if rated.Total, err = rated.Total.Add(line.Amount); err != nil {
			return Rated{}, err
		}
		rated.Lines = append(rated.Lines, line)
	}
	return rated, nil
}
