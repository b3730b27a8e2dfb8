// Package job runs what is done later: queued jobs, and the calendar of work
// that falls due when the installation's clock passes an instant.
//
// It owns the clock, the queue's runner and the calendar. It does not own what
// the jobs do: rules take the instant as an argument.
package job

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/store"
)

// Faults of the clock.
var (
	ErrNotSandbox = fault.New(fault.Conflict, "clock_not_sandbox", "The clock can be moved in sandbox mode only.")
	ErrBackwards  = fault.New(fault.Invalid, "clock_backwards", "The clock only moves forward.")
	ErrTooFar     = fault.New(fault.Invalid, "clock_too_far", "The clock moves by at most 400 days at once.")
)

// MostAdvance bounds one move of the clock.
const MostAdvance = 400 * 24 * time.Hour

const (
	clockSetting  = "clock.offset_us"
	standsSetting = "clock.stands_us"
)

// Clock is the installation's time: real, or in a sandbox real plus an offset
// that only grows and outlives a restart.
type Clock struct {
	sandbox bool
	offset  atomic.Int64 // nanoseconds ahead of real time
	still   bool
	kept    bool         // where a still clock stands is in the store
	stands  atomic.Int64 // microseconds since 1970, where a still clock stands
}

// Real is the clock of production.
func Real() *Clock { return &Clock{} }

// Sandbox is a movable clock that goes on where the store last left it.
func Sandbox(ctx context.Context, s *store.Store) (*Clock, error) {
	c := &Clock{sandbox: true}
	err := s.Read(ctx, func(tx *store.Tx) error {
		value, ok, err := tx.Setting(ctx, clockSetting)
		if err != nil || !ok {
			return err
		}
		us, err := strconv.ParseInt(value, 10, 64)
		c.offset.Store(us * int64(time.Microsecond))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the sandbox clock: %w", err)
	}
	return c, nil
}

// Still is a clock that stands where it is until it is moved, for a
// simulation: the same moves give the same instants. Nothing of it is kept.
func Still(at time.Time) *Clock {
	c := &Clock{sandbox: true, still: true}
	c.stands.Store(at.UnixMicro())
	return c
}

// Kept is a still clock that stands where it last stood in the store: a
// simulation that dies goes on at the instant at which it died.
func Kept(ctx context.Context, s *store.Store, at time.Time) (*Clock, error) {
	c := Still(at)
	c.kept = true
	err := s.Read(ctx, func(tx *store.Tx) error {
		value, ok, err := tx.Setting(ctx, standsSetting)
		if err != nil || !ok {
			return err
		}
		us, err := strconv.ParseInt(value, 10, 64)
		c.stands.Store(us)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the kept clock: %w", err)
	}
	return c, nil
}

// Now is the installation's time.
func (c *Clock) Now() time.Time {
	if c.still {
		return time.UnixMicro(c.stands.Load()).UTC()
	}
	return time.Now().Add(time.Duration(c.offset.Load())).UTC().Truncate(time.Microsecond)
}

// IsSandbox reports whether the clock can be moved.
func (c *Clock) IsSandbox() bool { return c.sandbox }

// Offset is how far ahead of real time the clock is.
func (c *Clock) Offset() time.Duration { return time.Duration(c.offset.Load()) }

// set moves the clock forward to the instant and remembers it.
func (c *Clock) set(ctx context.Context, s *store.Store, to time.Time) error {
	if !c.sandbox {
		return ErrNotSandbox
	}
	if c.still {
		if to.Before(c.Now()) {
			return ErrBackwards
		}
		if c.kept {
			if err := s.Write(ctx, func(tx *store.Tx) error {
				return tx.SetSetting(ctx, standsSetting, strconv.FormatInt(to.UnixMicro(), 10))
			}); err != nil {
				return fmt.Errorf("keep the clock: %w", err)
			}
		}
		c.stands.Store(to.UnixMicro())
		return nil
	}
	offset := time.Until(to)
	if offset < c.Offset() {
		return ErrBackwards
	}
	us := int64(offset / time.Microsecond)
	err := s.Write(ctx, func(tx *store.Tx) error {
		return tx.SetSetting(ctx, clockSetting, strconv.FormatInt(us, 10))
	})
	if err != nil {
		return fmt.Errorf("keep the sandbox clock: %w", err)
	}
	c.offset.Store(us * int64(time.Microsecond))
	return nil
}

// ErrStep is a step that names no time.
var ErrStep = fault.New(fault.Invalid, "clock_step", "Say how far the clock moves: 36h, 14d or 1mo.")

// ParseStep gives how far the clock moves from the instant by a step such as
// 36h, 14d or 1mo. Months are calendar months.
func ParseStep(step string, from time.Time) (time.Duration, error) {
	step = strings.TrimSpace(step)
	number, unit := strings.TrimRight(step, "abcdefghijklmnopqrstuvwxyz"), strings.TrimLeft(step, "0123456789")
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 || n > 10000 || number+unit != step {
		return 0, ErrStep.With("step", step)
	}
	switch unit {
	case "h":
		return time.Duration(n) * time.Hour, nil
	case "d":
		return time.Duration(n) * 24 * time.Hour, nil
	case "mo":
		return from.AddDate(0, n, 0).Sub(from), nil
	}
	return 0, ErrStep.With("step", step)
}
