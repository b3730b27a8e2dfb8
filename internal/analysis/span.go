package analysis

import (
	"strings"
	"time"

	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/period"
)

// ErrRange is a range that has no such name.
var ErrRange = fault.New(fault.Invalid, "range_unknown", "There is no such range. Choose one of the list, or a first and a last day.")

// MostDays bounds a span.
const MostDays = 400

// Span is the days from First to Last, both included.
type Span struct{ First, Last period.Day }

// Days is how many.
func (s Span) Days() int { return s.Last.Sub(s.First) + 1 }

// Range is a span by its name (domain section 9).
type Range string

// The ranges. A week begins on Monday. What begins with "this" ends today.
const (
	Today     Range = "today"
	Yesterday Range = "yesterday"
	ThisWeek  Range = "this_week"
	LastWeek  Range = "last_week"
	ThisMonth Range = "this_month"
	LastMonth Range = "last_month"
	ThisYear  Range = "this_year"
)

// Ranges lists them as they are offered.
func Ranges() []Range {
	return []Range{Today, Yesterday, ThisWeek, LastWeek, ThisMonth, LastMonth, ThisYear}
}

// Span is the range as of a day; ok is false for a range that does not exist.
func (r Range) Span(today period.Day) (span Span, ok bool) {
	month := today.Month().First()
	monday := today.Add(-(int(today.Start(time.UTC).Weekday()) + 6) % 7)
	switch r {
	case Today:
		return Span{today, today}, true
	case Yesterday:
		return Span{today.Add(-1), today.Add(-1)}, true
	case ThisWeek:
		return Span{monday, today}, true
	case LastWeek:
		return Span{monday.Add(-7), monday.Add(-1)}, true
	case ThisMonth:
		return Span{month, today}, true
	case LastMonth:
		return Span{month.Add(-1).Month().First(), month.Add(-1)}, true
	case ThisYear:
		return Span{period.MustParseDay(today.String()[:4] + "-01-01"), today}, true
	}
	return Span{}, false
}

// Typed is a span as it is asked for: by name, or by its first and last day.
type Typed struct{ Range, From, To string }

// Parse reads a span. Days win over a name; a missing first day is the last
// one, a missing last day is today, and nothing at all is this month. The
// range is empty where days were typed.
func (t Typed) Parse(today period.Day) (Range, Span, error) {
	from, to := strings.TrimSpace(t.From), strings.TrimSpace(t.To)
	if from == "" && to == "" {
		r := Range(t.Range)
		if r == "" {
			r = ThisMonth
		}
		span, ok := r.Span(today)
		if !ok {
			return "", Span{}, ErrRange.On("range")
		}
		return r, span, nil
	}
	var wrong fault.Fields
	read := func(field, text string) (day period.Day) {
		day, err := period.ParseDay(text)
		if err != nil {
			wrong = append(wrong, fault.From(err).On(field))
		}
		return day
	}
	span := Span{Last: today}
	if from != "" {
		span.First = read("from", from)
	}
	if to != "" {
		span.Last = read("to", to)
	}
	if from == "" {
		span.First = span.Last
	}
	if len(wrong) == 0 {
		if unfit := period.Range(span.First, span.Last, MostDays); unfit != nil {
			wrong = append(wrong, unfit)
		}
	}
	return "", span, wrong.OrNil()
}
