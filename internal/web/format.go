package web

import (
	"context"
	"strconv"
	"strings"
	"time"

	"tollgate.dev/internal/money"
	"tollgate.dev/internal/quantity"
)

// Count writes a whole number with a comma between thousands.
func Count(n int64) string { return grouped(strconv.FormatInt(n, 10)) }

// Money writes an amount with a comma between thousands and without its
// currency, which the head of a column or a label names once.
func Money(a money.Amount) string { return grouped(a.String()) }

// Exact writes an exact decimal without needless zeros.
func Exact(d quantity.Decimal) string { return grouped(d.Plain()) }

func grouped(s string) string {
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "−", s[1:]
	}
	whole, rest, point := strings.Cut(s, ".")
	var b strings.Builder
	for i := range len(whole) {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteByte(whole[i])
	}
	if point {
		return sign + b.String() + "." + rest
	}
	return sign + b.String()
}

// Instant writes a time of day to the minute in the zone, ISO order.
func Instant(at time.Time, zone *time.Location) string {
	if at.IsZero() {
		return "–"
	}
	return at.In(zone).Format("2006-01-02 15:04")
}

// Moment is Instant to the second.
func Moment(at time.Time, zone *time.Location) string {
	return at.In(zone).Format("2006-01-02 15:04:05")
}

// Machine is the instant for the datetime attribute.
func Machine(at time.Time) string { return at.UTC().Format(time.RFC3339) }

// Zone names the offset that holds at the instant: "UTC+08:00".
func Zone(at time.Time, zone *time.Location) string {
	offset := at.In(zone).Format("-07:00")
	if offset == "+00:00" {
		return "UTC"
	}
	return "UTC" + strings.Replace(offset, "-", "−", 1)
}

// Percent writes used of quota in whole percent, rounded down, so that 100 %
// is never shown before it is reached.
func Percent(used, quota int64) int64 {
	if quota <= 0 {
		return 0
	}
	return used * 100 / quota
}

// Ago writes how long before now something was, in the largest fitting unit.
func Ago(ctx context.Context, at, now time.Time) string {
	d := max(now.Sub(at), 0)
	switch {
	case d < time.Minute:
		return T(ctx, "time.seconds_ago", "count", int(d/time.Second))
	case d < time.Hour:
		return T(ctx, "time.minutes_ago", "count", int(d/time.Minute))
	case d < 48*time.Hour:
		return T(ctx, "time.hours_ago", "count", int(d/time.Hour))
	}
	return T(ctx, "time.days_ago", "count", int(d/(24*time.Hour)))
}
