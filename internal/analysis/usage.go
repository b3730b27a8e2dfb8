package analysis

import (
	"slices"

	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/quantity"
)

// Usage is what was used of one item: until now and until yesterday, of the
// day and of the month. Quantities of a month are its day quantities, summed,
// since these are what is billed.
type Usage struct {
	Item           string
	Today          quantity.Decimal // until now
	Yesterday      quantity.Decimal // the whole day
	MonthNow       quantity.Decimal
	MonthYesterday quantity.Decimal
}

// Usages lists every item that is sold in the market by pay-as-you-go, and
// whatever else was used, in catalogue order. The report begins yesterday or
// with the month, whichever is earlier, and ends today.
func (r Report) Usages(v *catalog.Version, m catalog.Market, today period.Day) ([]Usage, error) {
	var list []Usage
	for _, item := range v.Items {
		if item.PayAsYouGo && !item.OperatorSwitch && item.SoldIn(m) {
			list = append(list, Usage{Item: item.ID})
		}
	}
	for _, d := range r.Days {
		for _, l := range d.Lines {
			i := slices.IndexFunc(list, func(u Usage) bool { return u.Item == l.Item })
			if i < 0 {
				list, i = append(list, Usage{Item: l.Item}), len(list)
			}
			if err := list[i].add(d.Day, today, l.Quantity); err != nil {
				return nil, err
			}
		}
	}
	return list, nil
}

func (u *Usage) add(day, today period.Day, q quantity.Decimal) (err error) {
	for _, part := range []struct {
		holds bool
		of    *quantity.Decimal
	}{
		{day == today, &u.Today},
		{day == today.Add(-1), &u.Yesterday},
		{day.Month() == today.Month(), &u.MonthNow},
		{day.Month() == today.Month() && day.Before(today), &u.MonthYesterday},
	} {
		if !part.holds {
			continue
		}
		if *part.of, err = part.of.Add(q); err != nil {
			return err
		}
	}
	return nil
}

// Lately is the span that usage statistics and a forecast of today need.
func Lately(today period.Day) Span {
	first := today.Add(-evidence - 1)
	if month := today.Month().First(); month.Before(first) {
		first = month
	}
	return Span{first, today}
}
