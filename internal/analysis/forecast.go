package analysis

import (
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
)

// evidence is how many closed days a forecast rests on at most.
const evidence = 7

// Forecast is what the month is expected to come to.
type Forecast struct {
	Month    period.Month
	ToDate   money.Amount // bills, and the estimate of the days that are still open
	Expected money.Amount
	Low      money.Amount
	High     money.Amount
	Days     int // closed days that it rests on; 0: there is no forecast yet
	Open     int // days of the month that are not closed, today among them
}

// Project forecasts a month by a plain rule: its bills, and for every day that
// is not closed yet the mean of the last seven closed days; the range takes
// the cheapest and the dearest of those days in place of the mean. None of the
// three is ever below what the month has come to already. The day of the
// upgrade is cut and tells nothing of a whole day.
//
// The report begins early enough for the seven days; upgraded is the day of
// the upgrade, today the last day of the report.
func (r Report) Project(upgraded, today period.Day) (Forecast, error) {
	month := today.Month()
	zero := money.Of(0, r.Currency)
	f := Forecast{Month: month, ToDate: zero, Open: month.Last().Sub(today) + 1}
	billed, byDay, open := zero, map[period.Day]money.Amount{}, today
	var err error
	for _, d := range r.Days {
		byDay[d.Day] = d.Payable
		if d.Estimated && d.Day.Before(open) {
			open = d.Day
		}
		if d.Day.Month() != month {
			continue
		}
		if f.ToDate, err = f.ToDate.Add(d.Payable); err != nil {
			return f, err
		}
		if !d.Estimated {
			if billed, err = billed.Add(d.Payable); err != nil {
				return f, err
			}
		}
	}
	first := month.First()
	if first.Before(open) {
		first = open
	}
	f.Open = month.Last().Sub(first) + 1
	var sum, least, most int64
	for day := open.Add(-1); f.Days < evidence && day.After(upgraded) && !day.Before(r.Span.First); day = day.Add(-1) {
		n := byDay[day].Minor() // a closed day without a bill cost nothing
		if f.Days == 0 {
			least, most = n, n
		}
		sum, least, most = sum+n, min(least, n), max(most, n)
		f.Days++
	}
	if f.Days == 0 {
		return f, nil
	}
	open64, days64 := int64(f.Open), int64(f.Days)
	f.Expected, f.Low, f.High = f.atLeast(billed, (sum*open64+days64/2)/days64), f.atLeast(billed, least*open64), f.atLeast(billed, most*open64)
	return f, nil
}

// atLeast is what was billed and the given amount, but not less than the month
// to date. Both are bounded far below what an amount holds: 31 days of the
// largest bill.
func (f Forecast) atLeast(billed money.Amount, more int64) money.Amount {
	return money.Of(max(billed.Minor()+more, f.ToDate.Minor()), f.ToDate.Currency())
}
