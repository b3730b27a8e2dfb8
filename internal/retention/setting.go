package retention

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"tollgate.dev/internal/period"
)

// Target is what has a class: a data type, or one index of the logs.
type Target struct {
	Type  string
	Index string // of logs; empty for the default index and for other types
}

// IndexOf is the target of a log index.
func IndexOf(name string) Target {
	if name == DefaultIndex {
		name = ""
	}
	return Target{Type: Logs, Index: name}
}

// String is "metrics", or "logs/nginx" for an index.
func (t Target) String() string {
	if t.Index == "" {
		return t.Type
	}
	return t.Type + "/" + t.Index
}

// Setting is the class of one target, and the change of it that waits.
type Setting struct {
	Target
	Class     string    // holds until PendingAt
	Since     time.Time // when it began to hold; zero for the plan's own class
	ChangedAt time.Time // the last change that acted at once; zero when none did
	Pending   string    // the class that comes next; empty when none does
	PendingAt time.Time // 00:00 of the day after ChangedAt, at the site
	PendingBy string    // the account that chose it
	Revision  int64     // grows with every change; 0 is not stored yet
}

func sortByTarget(list []Setting) {
	slices.SortFunc(list, func(a, b Setting) int {
		return cmp.Or(strings.Compare(a.Type, b.Type), strings.Compare(a.Index, b.Index))
	})
}

// Outcome is what became of a wish to change.
type Outcome string

// The outcomes.
const (
	Unchanged Outcome = "unchanged" // it is so already, or will be at midnight as wished before
	AtOnce    Outcome = "at_once"   // the first change of the day: it holds from now on
	Held      Outcome = "held"      // a later one: it holds from the next midnight, unless another one comes
	Cancelled Outcome = "cancelled" // back to the class that holds: the waiting change is dropped
)

// Settle is the setting once the waiting change has acted, if it is due; acted
// says whether it has.
func (s Setting) Settle(at time.Time) (next Setting, acted bool) {
	if s.Pending == "" || at.Before(s.PendingAt) {
		return s, false
	}
	s.Class, s.Since = s.Pending, s.PendingAt
	return s.idle(), true
}

// idle is the setting with nothing waiting.
func (s Setting) idle() Setting {
	s.Pending, s.PendingAt, s.PendingBy = "", time.Time{}, ""
	return s
}

// Change is the setting after somebody asked for a class. The first change of
// a day of the zone acts at once; of later ones the last waits for 00:00 of
// the next day; one back to the class that holds drops what waits (domain
// section 8). The setting must be settled.
//
// A clock that went back never gives a second change at once: a change on or
// before the day of the last one is a later one.
func (s Setting) Change(class, by string, at time.Time, zone *time.Location) (Setting, Outcome) {
	today := period.DayOf(at, zone)
	switch {
	case class == s.Class && s.Pending == "", class == s.Pending:
		return s, Unchanged
	case class == s.Class:
		return s.idle(), Cancelled
	case !s.ChangedAt.IsZero() && !today.After(period.DayOf(s.ChangedAt, zone)):
		s.Pending, s.PendingBy = class, by
		s.PendingAt = today.End(zone).UTC()
		return s, Held
	}
	s.Class, s.Since, s.ChangedAt = class, at, at
	return s, AtOnce
}

// FreeAt is the instant from which the next change acts at once: now, or the
// midnight that ends the day of the last one.
func (s Setting) FreeAt(at time.Time, zone *time.Location) time.Time {
	if s.ChangedAt.IsZero() {
		return at
	}
	if midnight := period.DayOf(s.ChangedAt, zone).End(zone); at.Before(midnight) {
		return midnight
	}
	return at
}
