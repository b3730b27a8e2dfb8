package catalog

import (
	"slices"

	"tollgate.dev/internal/money"
	"tollgate.dev/internal/quantity"
)

// factorDecimals is how exact a factor is that is a ratio of two prices.
const factorDecimals = 6

// Package finds a size of annual packages by its ID.
func (a AnnualPackages) Package(id string) (AnnualPackage, bool) {
	i := slices.IndexFunc(a.Packages, func(p AnnualPackage) bool { return p.ID == id })
	if i < 0 {
		return AnnualPackage{}, false
	}
	return a.Packages[i], true
}

// Of finds the traffic package of an item that is still sold.
func (t TrafficPackages) Of(item string) (TrafficPackage, bool) {
	i := slices.IndexFunc(t.Packages, func(p TrafficPackage) bool { return p.Item == item && !p.Discontinued })
	if i < 0 {
		return TrafficPackage{}, false
	}
	return t.Packages[i], true
}

// Sells reports whether packages are sold in the currency.
func (a AnnualPackages) Sells(c money.Currency) bool { return len(a.Packages) > 0 && a.Currency == c }

// Factor is how many times a quantity of the class counts against the quota of
// a package (domain section 10.3). A class that the catalogue does not list
// counts once when it is shorter than the default one, and else as many times
// as its price is that of the default one: our choice, as is the cut behind
// the sixth decimal.
func (v *Version) Factor(itemID, class string, m Market) (quantity.Decimal, error) {
	item, err := v.Item(itemID)
	if err != nil {
		return quantity.Zero, err
	}
	if !slices.Contains(item.Classes, class) {
		return quantity.Zero, ErrClassUnknown.With("item", itemID).With("class", class)
	}
	if factor, listed := v.AnnualPackages.Conversion[itemID][class]; listed {
		return factor, nil
	}
	usual, has := v.AnnualPackages.DefaultClasses[itemID]
	days, _ := Days(class)
	usualDays, _ := Days(usual)
	if item.Flat() || !has || days <= usualDays {
		return quantity.Of(1), nil
	}
	price, err := item.Price(m.Currency, m.Group, class)
	if err != nil {
		return quantity.Zero, err
	}
	of, err := item.Price(m.Currency, m.Group, usual)
	if err != nil {
		return quantity.Zero, err
	}
	return price.Ratio(of, factorDecimals)
}
