package catalog

import (
	"reflect"
	"slices"
)

// PriceChange is one price that a version changes. An empty price is none.
type PriceChange struct {
	Item          string
	Market        Market
	Class         string
	Before, After string
}

// Difference is what a version changes of the one before it.
type Difference struct {
	Prices   []PriceChange // in the order of items, markets and classes
	New      []string      // items that were not there before
	Items    []string      // items of which more than the price changed
	Sections []string      // other sections that changed, by their name in the file
}

// Empty reports whether nothing changes.
func (d Difference) Empty() bool {
	return len(d.Prices)+len(d.New)+len(d.Items)+len(d.Sections) == 0
}

// DifferenceOf compares two versions.
func DifferenceOf(before, after *Version) Difference {
	var d Difference
	for _, item := range after.Items {
		old, err := before.Item(item.ID)
		if err != nil {
			d.New = append(d.New, item.ID)
		}
		d.Prices = append(d.Prices, priceChanges(old, item)...)
		old.prices, item.prices = nil, nil
		if err == nil && !reflect.DeepEqual(old, item) {
			d.Items = append(d.Items, item.ID)
		}
	}
	for _, section := range []struct {
		name          string
		before, after any
	}{
		{"rounding", before.Rounding, after.Rounding},
		{"quotas", before.Quotas, after.Quotas},
		{"retention", before.Retention, after.Retention},
		{"splits", before.Splits, after.Splits},
		{"task_calls", before.TaskCalls, after.TaskCalls},
		{"annual_packages", before.AnnualPackages, after.AnnualPackages},
		{"traffic_packages", before.TrafficPackages, after.TrafficPackages},
		{"cards", before.Cards, after.Cards},
	} {
		if !reflect.DeepEqual(section.before, section.after) {
			d.Sections = append(d.Sections, section.name)
		}
	}
	return d
}

func priceChanges(old, item Item) (changes []PriceChange) {
	classes := slices.Clone(item.Classes)
	for _, class := range old.Classes {
		if !slices.Contains(classes, class) {
			classes = append(classes, class)
		}
	}
	for _, m := range Markets() {
		for _, class := range classes {
			before, after := priceText(old, m, class), priceText(item, m, class)
			if before != after {
				changes = append(changes, PriceChange{item.ID, m, class, before, after})
			}
		}
	}
	return changes
}

func priceText(it Item, m Market, class string) string {
	price, ok := it.prices[m][class]
	if !ok {
		return ""
	}
	return price.Trimmed().String()
}
