package catalog

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"tollgate.dev/internal/quantity"
)

func (b *builder) item(f *fileItem) Item {
	item := Item{
		ID: f.ID, Name: f.Name, Counted: f.Counted,
		Sampling: Sampling(f.Sampling), Rule: Rule(f.Rule), Retention: f.Retention,
		VoucherPayable: f.VoucherPayable == nil || *f.VoucherPayable,
		PayAsYouGo:     f.PayAsYouGo == nil || *f.PayAsYouGo,
		OperatorSwitch: f.Availability == "operator_switch",
		Replaces:       f.Replaces,
		Classes:        f.Classes,
	}
	if len(item.Classes) == 0 {
		item.Classes = []string{NoClass}
	}
	if f.ID == "" || strings.Trim(f.ID, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
		b.wrong("id", "%q must be made of small letters, digits and underscores", f.ID)
	}
	if f.Name.En == "" || f.Name.Zh == "" {
		b.wrong("name", "is missing in English or Chinese")
	}
	if f.Availability != "" && f.Availability != "operator_switch" {
		b.wrong("availability", "%q is unknown; only operator_switch is", f.Availability)
	}
	item.Unit.Size, item.Unit.Exponent = b.powerOfTen("unit.size", f.Unit.Size)
	item.Unit.Name = Text{f.Unit.En, f.Unit.Zh}
	b.rule(&item, f)
	b.classes(f.Classes)
	b.prices(&item, f)
	return item
}

// rule checks that rule and sampling belong together: running counts and
// stocks are never added up, and what is new in each hour always is.
func (b *builder) rule(item *Item, f *fileItem) {
	switch item.Sampling {
	case NewInHour, DayToDate, StoredTotal:
	default:
		b.wrong("sampling", "%q is unknown", f.Sampling)
	}
	added := item.Sampling == NewInHour
	switch item.Rule {
	case Sum24, MaxOfTwo:
		if !added {
			b.wrong("rule", "%s needs samples of what is new in the hour", f.Rule)
		}
	case Max24:
		if added {
			b.wrong("rule", "max24 needs samples of a running count or a stock")
		}
	default:
		b.wrong("rule", "%q is unknown", f.Rule)
	}
	switch {
	case f.Alternative == nil && item.Rule == MaxOfTwo:
		b.wrong("alternative", "is missing, and the rule is max_of_two")
	case f.Alternative == nil:
	case item.Rule != MaxOfTwo:
		b.wrong("alternative", "has no meaning for the rule %q", f.Rule)
	case f.Alternative.Counter == "":
		b.wrong("alternative.counter", "is empty")
	default:
		item.Alternative.Counter = f.Alternative.Counter
		item.Alternative.Divisor, item.Alternative.Exponent = b.powerOfTen("alternative.divisor", f.Alternative.Divisor)
	}
}

// classes checks that each is a number of days, once, and in ascending order.
func (b *builder) classes(classes []string) {
	before := 0
	for _, class := range classes {
		days, ok := Days(class)
		switch {
		case !ok:
			b.wrong("classes", "%q is no number of days such as 7d", class)
		case days <= before:
			b.wrong("classes", "%q is not above the one before", class)
		}
		before = days
	}
}

// Days is the number of days that a class such as "14d" keeps data.
func Days(class string) (int, bool) {
	digits, ok := strings.CutSuffix(class, "d")
	days, err := strconv.Atoi(digits)
	if !ok || err != nil || days < 1 || digits[0] == '0' || digits[0] == '+' || days > 9999 {
		return 0, false
	}
	return days, true
}

// prices reads the price table: every market is either priced in every class
// or named as one where the item is not sold.
func (b *builder) prices(item *Item, f *fileItem) {
	known := map[string]Market{}
	for _, m := range Markets() {
		known[m.String()] = m
	}
	item.prices = map[Market]map[string]quantity.Decimal{}
	for _, text := range slices.Sorted(maps.Keys(f.Prices)) {
		path := "prices[" + text + "]"
		m, ok := known[text]
		if !ok {
			b.wrong(path, "is no pair of currency and price group such as CNY/china")
			continue
		}
		item.prices[m] = b.priceRow(path, f.Prices[text], item.Classes)
	}
	for _, text := range f.NotSold {
		m, ok := known[text]
		switch {
		case !ok:
			b.wrong("not_sold", "%q is no pair of currency and price group such as CNY/china", text)
		case item.prices[m] != nil:
			b.wrong("not_sold", "%s has prices", text)
		}
	}
	for _, m := range Markets() {
		if item.prices[m] == nil && !slices.Contains(f.NotSold, m.String()) {
			b.wrong("prices["+m.String()+"]", "is missing, and not_sold does not name it")
		}
	}
}

func (b *builder) priceRow(path string, row map[string]string, classes []string) map[string]quantity.Decimal {
	prices := make(map[string]quantity.Decimal, len(row))
	for _, class := range slices.Sorted(maps.Keys(row)) {
		if !slices.Contains(classes, class) {
			b.wrong(path+"."+class, "is no class of this item")
		}
		prices[class] = b.decimal(path+"."+class, row[class])
	}
	for _, class := range classes {
		if _, ok := row[class]; !ok {
			b.wrong(path+"."+class, "is missing")
		}
	}
	return prices
}
