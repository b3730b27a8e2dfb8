package bill

import (
	"time"

	"tollgate.dev/internal/period"
	"tollgate.dev/internal/site"
)

// CloseDay is the job that closes a service day of a site.
type CloseDay struct {
	Site site.ID    `json:"site"`
	Day  period.Day `json:"day"`
}

// Kind names the job for the queue.
func (CloseDay) Kind() string { return "bill.close_day" }

// UniqueByArgs keeps one job of a site's day waiting at most.
func (CloseDay) UniqueByArgs() bool { return true }

// Within is how long a close may take before it is stopped and goes on where it
// was: the day after must not wait for it.
func (CloseDay) Within() time.Duration { return 12 * time.Hour }

// FirstClosed is what counts as the last closed day of a site that never
// closed one: the day before its first Commercial workspace was upgraded.
func FirstClosed(zone *time.Location, firstUpgrade time.Time) period.Day {
	return period.DayOf(firstUpgrade, zone).Add(-1)
}

// Due is the next day to close and whether it has ended. Days are closed one
// after the other, so that after a pause every one of them gets its bills.
func Due(zone *time.Location, lastClosed period.Day, at time.Time) (period.Day, bool) {
	next := lastClosed.Add(1)
	return next, !at.Before(next.End(zone))
}

// DueAt is the instant at which the next day falls due.
func DueAt(zone *time.Location, lastClosed period.Day) time.Time {
	return lastClosed.Add(1).End(zone)
}

// Flushed reports whether every gateway has handed over all usage of a day
// that ends at the instant. through is the earliest instant that any of them
// has reached; known is false when none is running, so that none holds usage.
func Flushed(through time.Time, known bool, end time.Time) error {
	if known && through.Before(end) {
		return ErrNotFlushed.With("through", through.UTC().Format(time.RFC3339)).With("end", end.UTC().Format(time.RFC3339))
	}
	return nil
}
