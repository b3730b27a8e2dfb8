// Package period holds the calendar of a bill: service days and months of a
// site's zone, and the hours inside them. A day has 23, 24 or 25 hours, as its
// zone has it. Instants are UTC microseconds wherever they are stored.
package period

import (
	"time"

	"tollgate.dev/internal/fault"
)

// ErrMalformed is a text that names no day or month.
var ErrMalformed = fault.New(fault.Invalid, "malformed_date", "Enter a date such as 2026-03-01.")

// Day is a calendar date; which 24 hours it means depends on the zone. The
// zero value is no day.
type Day struct {
	year  int
	month time.Month
	day   int
}

// DayOf is the date on which the instant falls in the zone.
func DayOf(at time.Time, zone *time.Location) Day {
	y, m, d := at.In(zone).Date()
	return Day{y, m, d}
}

// ParseDay reads "2026-03-01".
func ParseDay(s string) (Day, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return Day{}, ErrMalformed.With("text", s)
	}
	return DayOf(t, time.UTC), nil
}

// MustParseDay is ParseDay for literals in the source.
func MustParseDay(s string) Day {
	d, err := ParseDay(s)
	if err != nil {
		panic("period: " + err.Error())
	}
	return d
}

// IsZero reports whether this is no day.
func (d Day) IsZero() bool { return d == Day{} }

// String is "2026-03-01"; of no day it is empty. Text order is time order.
func (d Day) String() string {
	if d.IsZero() {
		return ""
	}
	if d.year < 0 || d.year > 9999 {
		return d.utc().Format(time.DateOnly)
	}
	text := [...]byte{'0', '0', '0', '0', '-', '0', '0', '-', '0', '0'} // a close writes millions of them
	for i, n := range [...]int{0: d.year / 1000, 1: d.year / 100, 2: d.year / 10, 3: d.year, 5: int(d.month) / 10, 6: int(d.month), 8: d.day / 10, 9: d.day} {
		if text[i] != '-' {
			text[i] += byte(n % 10)
		}
	}
	return string(text[:])
}

func (d Day) utc() time.Time { return time.Date(d.year, d.month, d.day, 0, 0, 0, 0, time.UTC) }

// Add is the date so many days later.
func (d Day) Add(days int) Day { return DayOf(d.utc().AddDate(0, 0, days), time.UTC) }

// Sub is the number of days from other to d.
func (d Day) Sub(other Day) int { return int(d.utc().Sub(other.utc()) / (24 * time.Hour)) }

// Before reports whether d is earlier.
func (d Day) Before(other Day) bool { return d.utc().Before(other.utc()) }

// After reports whether d is later.
func (d Day) After(other Day) bool { return other.Before(d) }

// Start is the first instant of the day in the zone. Where midnight does not
// exist because clocks go forward over it, it is the first instant that does.
func (d Day) Start(zone *time.Location) time.Time {
	start := time.Date(d.year, d.month, d.day, 0, 0, 0, 0, zone)
	if DayOf(start, zone) != d { // time.Date answered with an hour of the day before
		_, start = start.ZoneBounds()
	}
	return start
}

// End is the first instant after the day.
func (d Day) End(zone *time.Location) time.Time { return d.Add(1).Start(zone) }

// Hours are the starts of the day's hours, 23 to 25 of them.
func (d Day) Hours(zone *time.Location) []time.Time {
	hours := make([]time.Time, 0, 25)
	end := d.End(zone)
	for h := d.Start(zone); h.Before(end); h = h.Add(time.Hour) {
		hours = append(hours, h)
	}
	return hours
}

// Month is the month that the day is in.
func (d Day) Month() Month { return Month{d.year, d.month} }

// MarshalText writes "2026-03-01".
func (d Day) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads "2026-03-01".
func (d *Day) UnmarshalText(text []byte) error {
	v, err := ParseDay(string(text))
	*d = v
	return err
}

// HourOf is the start of the hour in which the instant falls. All sites' zones
// are whole hours from UTC, so that an hour is the same for each of them.
func HourOf(at time.Time) time.Time { return at.UTC().Truncate(time.Hour) }

// Month is a calendar month.
type Month struct {
	year  int
	month time.Month
}

// ParseMonth reads "2026-03".
func ParseMonth(s string) (Month, error) {
	t, err := time.Parse("2006-01", s)
	if err != nil {
		return Month{}, ErrMalformed.With("text", s)
	}
	return Month{t.Year(), t.Month()}, nil
}

// First is the first day of the month.
func (m Month) First() Day { return Day{m.year, m.month, 1} }

// Last is the last day of the month.
func (m Month) Last() Day { return m.Next().First().Add(-1) }

// Next is the month after.
func (m Month) Next() Month {
	t := time.Date(m.year, m.month+1, 1, 0, 0, 0, 0, time.UTC)
	return Month{t.Year(), t.Month()}
}

// String is "2026-03".
func (m Month) String() string { return m.First().utc().Format("2006-01") }

// Micros is an instant as it is stored: microseconds since 1970 in UTC. The
// zero time is 0.
func Micros(at time.Time) int64 {
	if at.IsZero() {
		return 0
	}
	return at.UnixMicro()
}

// FromMicros is the instant of Micros; 0 is the zero time.
func FromMicros(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}
