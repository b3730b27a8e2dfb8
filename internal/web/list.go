package web

import (
	"net/url"
	"slices"
	"strings"
)

// Listing is the address of a list: its filters and its order. Where in the
// list a page begins is not part of it, so that a filter or an order that
// changes leads to the first page.
type Listing struct {
	path   string
	values url.Values
	orders []string
}

// NewListing reads the filters of a list from its address. The orders are the
// columns that it can be sorted by, "-" before one that descends; the first is
// the one where none is named, or one that there is not.
func NewListing(path string, q url.Values, orders []string, filters ...string) Listing {
	l := Listing{path: path, values: url.Values{}, orders: orders}
	for _, name := range filters {
		if text := strings.TrimSpace(q.Get(name)); text != "" {
			l.values.Set(name, text)
		}
	}
	if order := q.Get("sort"); slices.Contains(orders, order) && order != orders[0] {
		l.values.Set("sort", order)
	}
	return l
}

// Text is the value of a filter; empty where it is not set.
func (l Listing) Text(filter string) string { return l.values.Get(filter) }

// Form is the filters as a form shows them.
func (l Listing) Form() *Form { return &Form{Values: l.values} }

// Narrowed reports whether a filter is set.
func (l Listing) Narrowed() bool {
	for name := range l.values {
		if name != "sort" {
			return true
		}
	}
	return false
}

// Order is the column that the list is sorted by, "-" before it descending.
func (l Listing) Order() string {
	if order := l.values.Get("sort"); order != "" {
		return order
	}
	return l.orders[0]
}

// Address is that of the list with something changed: pairs of a name and a
// value, empty to leave it out.
func (l Listing) Address(pairs ...string) string {
	values := url.Values{}
	for name, list := range l.values {
		values[name] = list
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		if values.Del(pairs[i]); pairs[i+1] != "" {
			values.Set(pairs[i], pairs[i+1])
		}
	}
	if len(values) == 0 {
		return l.path
	}
	return l.path + "?" + values.Encode()
}

// Of is the same list at another path, such as its table to download.
func (l Listing) Of(path string) string {
	l.path = path
	return l.Address()
}

// Pages leads to the neighbours of a page that begins behind a place, full
// where there may be more behind its last row.
func (l Listing) Pages(place, last string, full bool) Pager {
	var p Pager
	if place != "" {
		p.Newer = l.Address()
	}
	if full {
		p.Older = l.Address("after", last)
	}
	return p
}

// sorted says how a column is sorted: "ascending", "descending" or "none".
func (l Listing) sorted(column string) string {
	switch l.Order() {
	case column:
		return "ascending"
	case "-" + column:
		return "descending"
	}
	return "none"
}

// resort is the address in which the column is sorted, or sorted the other way.
func (l Listing) resort(column string) string {
	to := column
	if !slices.Contains(l.orders, to) || l.Order() == to && slices.Contains(l.orders, "-"+column) {
		to = "-" + column
	}
	if to == l.orders[0] {
		to = ""
	}
	return l.Address("sort", to)
}
