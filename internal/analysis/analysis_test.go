package analysis_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"tollgate.dev/internal/analysis"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
)

func day(s string) period.Day { return period.MustParseDay(s) }

func TestRangesAreWhatTheirNamesSay(t *testing.T) {
	t.Parallel()
	cases := map[string]map[analysis.Range]string{
		"2026-03-04": { // a Wednesday
			analysis.Today: "2026-03-04 2026-03-04", analysis.Yesterday: "2026-03-03 2026-03-03",
			analysis.ThisWeek: "2026-03-02 2026-03-04", analysis.LastWeek: "2026-02-23 2026-03-01",
			analysis.ThisMonth: "2026-03-01 2026-03-04", analysis.LastMonth: "2026-02-01 2026-02-28", analysis.ThisYear: "2026-01-01 2026-03-04",
		},
		"2026-03-01": { // a Sunday, the first of a month
			analysis.Yesterday: "2026-02-28 2026-02-28", analysis.ThisWeek: "2026-02-23 2026-03-01", analysis.LastWeek: "2026-02-16 2026-02-22",
			analysis.ThisMonth: "2026-03-01 2026-03-01",
		},
		"2024-12-31": {analysis.ThisYear: "2024-01-01 2024-12-31"},                                                          // a leap year
		"2027-01-01": {analysis.LastMonth: "2026-12-01 2026-12-31", analysis.ThisYear: "2027-01-01 2027-01-01"},             // a new year
		"2026-03-02": {analysis.ThisWeek: "2026-03-02 2026-03-02", analysis.LastWeek: "2026-02-23 2026-03-01"},              // a Monday
		"2024-03-31": {analysis.LastMonth: "2024-02-01 2024-02-29", analysis.Range("this_decade"): "none", "TODAY": "none"}, // unknown ones
	}
	for today, ranges := range cases {
		for r, want := range ranges {
			span, ok := r.Span(day(today))
			got := span.First.String() + " " + span.Last.String()
			if !ok {
				got = "none"
			}
			if got != want {
				t.Errorf("%s as of %s: %s, want %s", r, today, got, want)
			}
		}
	}
}

func TestSpansAreReadAndWrongOnesNameTheirField(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		typed analysis.Typed
		want  string
	}{
		{analysis.Typed{}, "this_month 2026-03-01 2026-03-04"},
		{analysis.Typed{Range: "yesterday"}, "yesterday 2026-03-03 2026-03-03"},
		{analysis.Typed{Range: "yesterday", From: " 2026-02-01 ", To: "2026-02-10"}, " 2026-02-01 2026-02-10"},
		{analysis.Typed{From: "2026-02-01"}, " 2026-02-01 2026-03-04"},
		{analysis.Typed{To: "2026-02-10"}, " 2026-02-10 2026-02-10"},
		{analysis.Typed{From: "2025-01-29", To: "2026-03-04"}, " 2025-01-29 2026-03-04"}, // 400 days
		{analysis.Typed{Range: "last_decade"}, "range_unknown on range"},
		{analysis.Typed{From: "2026-03-05"}, "range_reversed on to"},
		{analysis.Typed{From: "2026-02-10", To: "2026-02-01"}, "range_reversed on to"},
		{analysis.Typed{From: "2025-01-28", To: "2026-03-04"}, "range_too_long on from"},
		{analysis.Typed{From: "0001-01-01", To: "9999-12-31"}, "range_too_long on from"},
		{analysis.Typed{From: "2026-02-30", To: "yesterday"}, "malformed_date on from, malformed_date on to"},
	} {
		r, span, err := c.typed.Parse(day("2026-03-04"))
		got := fmt.Sprint(r, " ", span.First, " ", span.Last)
		if err != nil {
			var faults []string
			var list fault.Fields
			if !errors.As(err, &list) {
				list = fault.Fields{fault.From(err)}
			}
			for _, f := range list {
				faults = append(faults, f.Code+" on "+f.Field)
			}
			got = strings.Join(faults, ", ")
		}
		if got != c.want {
			t.Errorf("%+v: %s, want %s", c.typed, got, c.want)
		}
	}
}

// month is a report of daily totals that ends with the given day; a total with
// a question mark is an estimate, a dash is a day without a bill.
func month(last, totals string) analysis.Report {
	fields := strings.Fields(totals)
	span := analysis.Span{First: day(last).Add(1 - len(fields)), Last: day(last)}
	r := analysis.Report{Span: span, Currency: money.CNY}
	for i, text := range fields {
		if text == "-" {
			continue
		}
		amount, estimated := strings.CutSuffix(text, "?")
		r.Days = append(r.Days, analysis.Day{
			Day: span.First.Add(i), Estimated: estimated, Cost: analysis.Cost{Payable: money.MustParse(amount, money.CNY)},
		})
	}
	return r
}

func TestForecastIsTheMeanOfSevenClosedDaysForEachOpenOne(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, upgraded, today, totals, want string }{
		{"a steady month", "2026-01-01", "2026-03-10", "9 1 1 1 1 1 1 1 0.5?", "to date 16.50, expected 38.00 (38.00 to 38.00), 7 days, 22 open"},
		{"a range from the cheapest and the dearest day", "2026-01-01", "2026-03-30", "7 1 2 3 4 5 6 0.10?", "to date 28.10, expected 36.00 (30.00 to 42.00), 7 days, 2 open"},
		{"a day without a bill cost nothing", "2026-01-01", "2026-03-30", "7 7 7 - 7 7 7 0?", "to date 42.00, expected 54.00 (42.00 to 56.00), 7 days, 2 open"},
		{"never below what there is already", "2026-01-01", "2026-03-31", "1 1 1 1 1 1 1 50?", "to date 57.00, expected 57.00 (57.00 to 57.00), 7 days, 1 open"},
		{"the day of the upgrade is cut", "2026-03-01", "2026-03-04", "0.10 4 4 2?", "to date 10.10, expected 120.10 (120.10 to 120.10), 2 days, 28 open"},
		{"yesterday is not closed yet", "2026-01-01", "2026-03-31", "1 1 1 1 1 1 1 3? 1?", "to date 11.00, expected 11.00 (11.00 to 11.00), 7 days, 2 open"},
		{"the last month is evidence and not a part", "2026-01-01", "2026-03-01", "2 2 2 2 2 2 2 1?", "to date 1.00, expected 62.00 (62.00 to 62.00), 7 days, 31 open"},
		{"no whole day yet", "2026-03-01", "2026-03-02", "5 1?", "to date 6.00, expected 0.00 (0.00 to 0.00), 0 days, 30 open"},
		{"a third of a cent", "2026-01-01", "2026-03-31", "0.01 0.01 0 0 0 0 0 0?", "to date 0.02, expected 0.02 (0.02 to 0.03), 7 days, 1 open"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f, err := month(c.today, c.totals).Project(day(c.upgraded), day(c.today))
			if err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprintf("to date %s, expected %s (%s to %s), %d days, %d open", f.ToDate, f.Expected, f.Low, f.High, f.Days, f.Open); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}
