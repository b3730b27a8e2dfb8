// Package catalog says what can be sold: billing items with their units, rules
// and prices, free quotas, retention classes, weights, packages and cards, in
// versions with effective days. It owns the file format and its checks. It
// does not count, rate or charge anything.
//
// Always true of a loaded catalogue: its versions follow each other without a
// gap or an overlap; an item has a price for each of its classes wherever it
// is sold; every unit size is a power of ten, so that units are exact.
package catalog

import (
	_ "embed" // the catalogue that is shipped
	"slices"
	"sync"
	"sync/atomic"

	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/quantity"
	"tollgate.dev/internal/site"
)

// Faults of the catalogue.
var (
	ErrNoVersion    = fault.New(fault.NotFound, "catalog_no_version", "The catalogue has no prices for this day.")
	ErrVersion      = fault.New(fault.NotFound, "catalog_version_unknown", "The catalogue has no such version.")
	ErrItemUnknown  = fault.New(fault.Invalid, "item_unknown", "The catalogue has no such billing item.")
	ErrClassUnknown = fault.New(fault.Invalid, "class_unknown", "This billing item has no such retention class.")
	ErrNotSold      = fault.New(fault.Invalid, "item_not_sold_here", "This billing item is not sold in this currency at this group of sites.")
	ErrInvalid      = fault.New(fault.Invalid, "catalog_invalid", "This catalogue cannot be used.")
)

// NoClass is the class of items whose price does not depend on retention.
const NoClass = "none"

// Text is a name in the two languages.
type Text struct {
	En string `yaml:"en"`
	Zh string `yaml:"zh"`
}

// Sampling says what each hourly sample of an item holds (domain section 7.1).
type Sampling string

// The samplings.
const (
	NewInHour   Sampling = "new_in_hour"  // what was added within the hour
	DayToDate   Sampling = "day_to_date"  // distinct members since the day began
	StoredTotal Sampling = "stored_total" // the volume that retention keeps
)

// Rule says how the samples of a day become one quantity.
type Rule string

// The rules.
const (
	Sum24    Rule = "sum24"
	Max24    Rule = "max24"
	MaxOfTwo Rule = "max_of_two" // the larger of two sums, the second divided
)

// Market is where a price holds: a currency and a price group of sites.
type Market struct {
	Currency money.Currency
	Group    site.Group
}

// String is "CNY/china", as the catalogue file has it.
func (m Market) String() string { return string(m.Currency) + "/" + string(m.Group) }

// Markets lists every market.
func Markets() []Market {
	return []Market{
		{money.CNY, site.China}, {money.CNY, site.International},
		{money.USD, site.China}, {money.USD, site.International},
	}
}

// Unit is what a price is for: so many of what is counted. Size is ten to the
// Exponent.
type Unit struct {
	Size     quantity.Decimal
	Exponent int
	Name     Text // of what is counted: records, bytes
}

// Alternative is the second counter of an item whose rule is MaxOfTwo. Divisor
// is ten to the Exponent.
type Alternative struct {
	Counter  string
	Divisor  quantity.Decimal
	Exponent int
}

// Item is one thing that is sold.
type Item struct {
	ID             string
	Name           Text
	Counted        string // what is counted, for people
	Unit           Unit
	Sampling       Sampling
	Rule           Rule
	Alternative    Alternative // of MaxOfTwo, else zero
	Retention      string      // the data type whose class the item's data has; empty when nothing is kept
	Classes        []string    // with a price each; NoClass alone for a flat item
	VoucherPayable bool
	PayAsYouGo     bool   // false: sold within packages only
	OperatorSwitch bool   // true: only for workspaces that the operator switched over
	Replaces       string // the item that it stands in for when switched on
	prices         map[Market]map[string]quantity.Decimal
}

// Flat reports whether the price does not depend on the retention class.
func (it Item) Flat() bool { return len(it.Classes) == 1 && it.Classes[0] == NoClass }

// SoldIn reports whether the item has prices in the market.
func (it Item) SoldIn(m Market) bool { return it.prices[m] != nil }

// Price is the price of one unit a day.
func (it Item) Price(c money.Currency, g site.Group, class string) (quantity.Decimal, error) {
	prices := it.prices[Market{c, g}]
	if prices == nil {
		return quantity.Zero, ErrNotSold.With("item", it.ID).With("currency", string(c)).With("group", string(g))
	}
	price, ok := prices[class]
	if !ok {
		return quantity.Zero, ErrClassUnknown.With("item", it.ID).With("class", class)
	}
	return price, nil
}

// Rounding is the policy of a version (domain C-06).
type Rounding struct {
	TruncateUnits bool // false: units stay exact
	UnitDecimals  int  // kept when units are truncated
}

// Version is the catalogue as it holds from one day to another. It is shared
// between readers and must not be changed.
type Version struct {
	ID              string
	From            period.Day
	Until           period.Day // the first day on which it no longer holds; zero while no end is known
	Rounding        Rounding
	Items           []Item // in catalogue order, which is the order of bill lines
	Quotas          Quotas
	Retention       Retention
	Splits          map[string]Split // by item
	TaskCalls       TaskCalls
	AnnualPackages  AnnualPackages
	TrafficPackages TrafficPackages
	Cards           Cards
	index           map[string]int
}

// State says where the version stands on a day: past, now or coming.
func (v *Version) State(today period.Day) string {
	switch {
	case v.From.After(today):
		return "coming"
	case !v.Until.IsZero() && !today.Before(v.Until):
		return "past"
	}
	return "now"
}

// Item finds an item by its ID.
func (v *Version) Item(id string) (Item, error) {
	i, ok := v.index[id]
	if !ok {
		return Item{}, ErrItemUnknown.With("item", id)
	}
	return v.Items[i], nil
}

// Position is the item's place in catalogue order.
func (v *Version) Position(id string) (int, bool) {
	i, ok := v.index[id]
	return i, ok
}

// QuotaLimits maps each item that has a quota to it; an item that the free
// plan does not support has 0, an item without a limit is missing.
func (v *Version) QuotaLimits() map[string]int64 {
	limits := make(map[string]int64, len(v.Quotas.Items))
	for _, q := range v.Quotas.Items {
		if q.Limited {
			limits[q.Item] = q.Quota
		}
	}
	return limits
}

// Catalog is all versions, oldest first: those that came with the program and
// those that were added since. Whoever holds it sees a version as soon as it
// is adopted; a version that is there never changes.
type Catalog struct {
	shipped  []*Version
	versions atomic.Pointer[[]*Version]
}

func of(shipped, versions []*Version) *Catalog {
	c := &Catalog{shipped: shipped}
	c.versions.Store(&versions)
	return c
}

func (c *Catalog) all() []*Version { return *c.versions.Load() }

// Versions lists them, oldest first.
func (c *Catalog) Versions() []*Version { return slices.Clone(c.all()) }

// At is the version that holds on the service day.
func (c *Catalog) At(d period.Day) (*Version, error) {
	versions := c.all()
	for i := len(versions) - 1; i >= 0; i-- {
		v := versions[i]
		if d.Before(v.From) {
			continue
		}
		if !v.Until.IsZero() && !d.Before(v.Until) {
			break
		}
		return v, nil
	}
	return nil, ErrNoVersion.With("day", d.String())
}

// Find gives a version by its ID.
func (c *Catalog) Find(id string) (*Version, error) {
	for _, v := range c.all() {
		if v.ID == id {
			return v, nil
		}
	}
	return nil, ErrVersion.With("version", id)
}

//go:embed default.yaml
var shipped []byte

// Default is the catalogue that is shipped with the program.
var Default = sync.OnceValue(func() *Catalog {
	c, err := Load(shipped)
	if err != nil {
		panic("catalog: the shipped catalogue: " + err.Error())
	}
	return c
})
