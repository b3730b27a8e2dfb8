// Package quota says what the Experience plan still admits today (domain
// section 6).
//
// It owns the rule of admission and when a notice is due. It does not own the
// limits, which are the catalogue's, nor what has been used, which its caller
// counts.
//
// Always true: a report is admitted whole or refused whole; a refusal leaves
// every count as it was; one full item does not touch another; a level is
// noticed once per item and day.
package quota

import (
	"math"

	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/period"
)

// Faults of quotas. Both carry item, used, limit and add.
var (
	ErrFull      = fault.New(fault.Conflict, "quota_exhausted", "Today's quota of this item is used up. Further data of it is refused until the next day of the site; upgrade to the Commercial plan to go on at once.")
	ErrWouldPass = fault.New(fault.Conflict, "quota_would_be_passed", "This report would pass today's quota of this item. It is refused whole and nothing of it is counted; upgrade to the Commercial plan to go on at once.")
)

// Limits are the most of each item that a workspace may use in a day. An item
// without an entry has no limit, and a Commercial workspace has no limits: nil.
type Limits map[string]int64

// Admit says why a report that adds so much of the item cannot be admitted
// whole, if it cannot. Once used reaches the limit the item is full, even for
// data that would add nothing.
func (l Limits) Admit(item string, used, add int64) error {
	limit, limited := l[item]
	switch {
	case !limited:
		return nil
	case used >= limit:
		return refusal(ErrFull, item, used, limit, add)
	case add > limit-used:
		return refusal(ErrWouldPass, item, used, limit, add)
	}
	return nil
}

func refusal(f *fault.Error, item string, used, limit, add int64) error {
	return f.With("item", item).With("used", used).With("limit", limit).With("add", add)
}

// Level is how far an item's quota is used.
type Level string

// The levels.
const (
	Warning   Level = "warning"   // 85 % are used
	Exhausted Level = "exhausted" // all is used, or a report no longer fits
)

// warnAt is the share of the limit, in percent, at which a warning is due.
const warnAt = 85

// Notice tells a workspace's members how far an item is used.
type Notice struct {
	WorkspaceID string
	Item        string
	Day         period.Day
	Level       Level
	Used        int64
	Limit       int64
}

// Watch remembers which notices of one workspace and day are out.
type Watch struct {
	workspaceID string
	day         period.Day
	out         map[told]bool
}

type told struct {
	item  string
	level Level
}

// NewWatch starts the day of a workspace. A watch that begins in the middle of
// a day repeats the notices that are due: whoever keeps them keeps each once.
func NewWatch(workspaceID string, day period.Day) *Watch {
	return &Watch{workspaceID: workspaceID, day: day, out: map[told]bool{}}
}

// Observe gives the notices that have become due now that so much of the item
// is used.
func (w *Watch) Observe(l Limits, item string, used int64) []Notice {
	limit, limited := l[item]
	if !limited {
		return nil
	}
	var due []Notice
	if used >= warningOf(limit) {
		due = w.tell(due, item, Warning, used, limit)
	}
	if used >= limit {
		due = w.tell(due, item, Exhausted, used, limit)
	}
	return due
}

// Refused gives the notice that is due when a report of the item was refused:
// though something may be left, it was not enough.
func (w *Watch) Refused(l Limits, item string, used int64) []Notice {
	limit, limited := l[item]
	if !limited {
		return nil
	}
	return w.tell(nil, item, Exhausted, used, limit)
}

func (w *Watch) tell(due []Notice, item string, level Level, used, limit int64) []Notice {
	key := told{item, level}
	if w.out[key] {
		return due
	}
	w.out[key] = true
	return append(due, Notice{WorkspaceID: w.workspaceID, Item: item, Day: w.day, Level: level, Used: used, Limit: limit})
}

// warningOf is the least quantity that is at least 85 % of the limit.
func warningOf(limit int64) int64 {
	if limit > math.MaxInt64/100 {
		return limit / 100 * warnAt
	}
	return (limit*warnAt + 99) / 100
}
