package arrears

import (
	"slices"
	"time"

	"tollgate.dev/internal/workspace"
)

// Cause is why a workspace is stopped.
type Cause string

// The causes.
const (
	Debt  Cause = "arrears"            // of the payer; its clock's subject is the payer
	Cloud Cause = "cloud_subscription" // abnormal; its clock's subject is the workspace
)

// Stage is how far a clock has come. Every stage but the first has its mail.
type Stage string

// The stages, in order.
const (
	Running   Stage = "running"
	ThreeDays Stage = "three_days"
	OneDay    Stage = "one_day"
	RunOut    Stage = "run_out"
)

// stages says how long before the lock each begins (domain section 12).
var stages = []struct {
	stage  Stage
	before time.Duration
}{{Running, Grace}, {ThreeDays, 3 * day}, {OneDay, day}, {RunOut, 0}}

// Clock runs from the beginning of a cause to the lock.
type Clock struct {
	Cause      Cause
	Subject    string    // a payer's ID, or a workspace's
	BeganAt    time.Time // t0
	LockAt     time.Time
	Stage      Stage
	ExtendedAt time.Time // when the operator granted more time; zero: never
	EndedAt    time.Time // when the cause ended; zero while it lasts
	Pending    bool      // the workspaces have not been told of its beginning or end yet
	Told       bool      // they were told of its beginning
}

// Start is the clock of a cause that begins.
func Start(cause Cause, subject string, at time.Time) Clock {
	return Clock{Cause: cause, Subject: subject, BeganAt: at, LockAt: at.Add(Grace), Stage: Running, Pending: true}
}

// Lasts reports whether the cause is still there.
func (c Clock) Lasts() bool { return c.Subject != "" && c.EndedAt.IsZero() }

// NextAt is when the next stage begins; zero when there is none.
func (c Clock) NextAt() time.Time {
	i := slices.IndexFunc(stages, func(s struct {
		stage  Stage
		before time.Duration
	}) bool {
		return s.stage == c.Stage
	}) + 1
	if i == 0 || i == len(stages) || !c.Lasts() {
		return time.Time{}
	}
	return c.LockAt.Add(-stages[i].before)
}

// Turn is the clock as it stands at the instant.
func (c Clock) Turn(at time.Time) Clock {
	for next := c.NextAt(); !next.IsZero() && !at.Before(next); next = c.NextAt() {
		c.Stage = c.after()
	}
	return c
}

func (c Clock) after() Stage {
	for i, s := range stages[:len(stages)-1] {
		if s.stage == c.Stage {
			return stages[i+1].stage
		}
	}
	return c.Stage
}

// MostDays bounds what the operator grants at once.
const MostDays = 90

// Extend moves the lock to so many days from now. When the debt began, and
// that it is owed, stays.
func (c Clock) Extend(days int, at time.Time) (Clock, error) {
	if days < 1 || days > MostDays {
		return c, ErrDays.On("days")
	}
	lockAt := at.Add(time.Duration(days) * day)
	if c.Stage != RunOut && !lockAt.After(c.LockAt) {
		return c, ErrNotLater.On("days").With("lock_at", c.LockAt.UTC().Format(time.RFC3339))
	}
	c.LockAt, c.ExtendedAt, c.Stage = lockAt, at, Running
	return c.Turn(at), nil
}

// state is what a clock alone would make of a workspace.
func (c Clock) state() workspace.State {
	switch {
	case !c.Lasts():
		return workspace.Normal
	case c.Stage == RunOut:
		return workspace.Locked
	}
	return workspace.Grace
}
