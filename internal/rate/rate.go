// Package rate turns day quantities into money: quantity by unit size, times
// the price of the class, rounded as the catalogue says. It owns this formula
// and nothing else: no clock, no store, no account.
//
// Always true: the same quantities, catalogue version, currency and group give
// the same lines to the last digit; the total is the sum of the lines.
package rate

import (
	"slices"

	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/quantity"
	"tollgate.dev/internal/usage"
)

// ErrNegative is a quantity below zero.
var ErrNegative = fault.New(fault.Invalid, "quantity_negative", "A quantity must not be negative.")

// Line is the charge for one item in one class on one service day; of logs,
// for one index.
type Line struct {
	Item      string
	Class     string
	Index     string           // the log index; empty for the default one and for other items
	Quantity  quantity.Decimal // what was counted
	Units     quantity.Decimal // quantity / unit size, cut if the catalogue cuts
	UnitPrice quantity.Decimal
	Exact     quantity.Decimal // units x unit price, before rounding
	Amount    money.Amount     // exact, half up to the minor unit
	Override  string           // the agreed price that stood in for the catalogue's; empty: none did
	Package   *Cover           // what an annual package did for it; nil where it has none
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
	items   []prices // by the item's position in the catalogue
}

// prices are what an item costs in the market.
type prices struct {
	item     string
	exponent int // of the unit size
	classes  []price
}

type price struct {
	class    string
	price    quantity.Decimal
	override string
}

// NewTariff reads the prices of a version in one market. Prices agreed with
// the payer stand in for those of the version; give those that hold.
func NewTariff(v *catalog.Version, m catalog.Market, agreed ...catalog.Override) *Tariff {
	t := &Tariff{version: v, market: m, items: make([]prices, len(v.Items))}
	for i, item := range v.Items {
		t.items[i] = prices{item: item.ID, exponent: item.Unit.Exponent}
		for _, class := range item.Classes {
			if p, err := item.Price(m.Currency, m.Group, class); err == nil {
				t.items[i].classes = append(t.items[i].classes, price{class: class, price: p})
			}
		}
	}
	for _, o := range agreed {
		t.agree(o)
	}
	return t
}

// agree puts an agreed price in the place of the version's. Where the version
// sells nothing there is nothing to stand in for.
func (t *Tariff) agree(o catalog.Override) {
	i, known := t.version.Position(o.Item)
	if !known || o.Market != t.market {
		return
	}
	for j := range t.items[i].classes {
		if p := &t.items[i].classes[j]; p.class == o.Class {
			p.price, p.override = o.Price, o.ID
		}
	}
}

// Line rates one day quantity.
func (t *Tariff) Line(q usage.Quantity) (Line, error) {
	var l Line
	_, err := t.rate(&l, q, 0)
	return l, err
}

// rate fills the line of a day quantity whose item is looked for from the
// position on: a day's quantities stand in catalogue order, so that the next
// one is near. It gives the item's own position.
func (t *Tariff) rate(l *Line, q usage.Quantity, from int) (int, error) {
	at := t.position(q.Item, from)
	price, ok := t.price(at, q.Class)
	if !ok {
		return at, t.missing(q)
	}
	if q.Quantity.Sign() < 0 {
		return at, ErrNegative.With("item", q.Item)
	}
	units, err := t.units(q.Quantity, t.items[at].exponent)
	if err != nil {
		return at, err
	}
	exact, err := units.Mul(price.price)
	if err != nil {
		return at, err
	}
	amount, err := money.RoundHalfUp(exact, t.market.Currency)
	if err != nil {
		return at, err
	}
	l.Item, l.Class, l.Index, l.Quantity, l.Units = q.Item, q.Class, q.Index, q.Quantity, units
	l.UnitPrice, l.Exact, l.Amount, l.Override = price.price, exact.Trimmed(), amount, price.override
	return at, nil
}

// position finds an item from a position on, then before it; -1 when the
// catalogue lacks it.
func (t *Tariff) position(item string, from int) int {
	for i := from; i < len(t.items); i++ {
		if t.items[i].item == item {
			return i
		}
	}
	for i := range from {
		if t.items[i].item == item {
			return i
		}
	}
	return -1
}

func (t *Tariff) price(at int, class string) (*price, bool) {
	if at < 0 {
		return nil, false
	}
	for i := range t.items[at].classes {
		if p := &t.items[at].classes[i]; p.class == class {
			return p, true
		}
	}
	return nil, false
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
	rated, _, err := t.Append(make([]Line, 0, len(quantities)), quantities)
	return rated, err
}

// Append is Rate for many days: it appends the lines to those of others and
// gives all of them, too.
func (t *Tariff) Append(to []Line, quantities []usage.Quantity) (Rated, []Line, error) {
	start := len(to)
	all := slices.Grow(to, len(quantities))[:start+len(quantities)]
	rated := Rated{
		Version: t.version.ID, Market: t.market,
		Lines: all[start:len(all):len(all)], Total: money.Of(0, t.market.Currency),
	}
	clear(rated.Lines)
	at := 0
	for i, q := range quantities {
		var err error
		line := &rated.Lines[i]
		if at, err = t.rate(line, q, at); err != nil {
			return Rated{}, to, err
		}
		if rated.Total, err = rated.Total.Add(line.Amount); err != nil {
			return Rated{}, to, err
		}
	}
	return rated, all, nil
}
