package job

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/store"
)

// Task is work that falls due when the clock passes an instant: a site's day
// to close, records to expire.
type Task struct {
	Name string
	// Next gives the earliest instant at which something is, or was, due.
	Next func(ctx context.Context, tx *store.Tx) (at time.Time, any bool, err error)
	// Enqueue queues everything that is due at the instant, and nothing else:
	// the work may have been done since Next was asked, and what is done before
	// its time counts as done when it comes. It may be called again before that
	// work is done, so its jobs must be unique, and do no harm when done twice.
	Enqueue func(ctx context.Context, tx *store.Tx, at time.Time) error
}

// How the calendar looks and waits.
const (
	lookEvery   = time.Second
	settleEvery = 25 * time.Millisecond
	settleMost  = 2 * time.Minute
)

// ErrUnsettled is a move of the clock whose work did not end in time; it goes
// on in the queue.
var ErrUnsettled = fault.New(fault.Unavailable, "clock_unsettled", "The clock has moved, but work that fell due has not ended yet. It goes on; look again in a moment.")

// Calendar queues tasks as the clock passes them.
type Calendar struct {
	store *store.Store
	clock *Clock
	log   *slog.Logger
	tasks []Task
	moved []func(ctx context.Context) error
	drain func(ctx context.Context) error // nil: a runner works the queue meanwhile

	moving sync.Mutex // one move of the clock at a time
	stop   context.CancelFunc
	done   sync.WaitGroup
}

// NewCalendar makes a calendar of the tasks. The functions of moved run after
// each move of the clock, before the work that falls due: what was received
// until then must be handed over first.
func NewCalendar(s *store.Store, c *Clock, log *slog.Logger, tasks []Task, moved ...func(context.Context) error) *Calendar {
	return &Calendar{store: s, clock: c, log: log, tasks: tasks, moved: moved}
}

// Draining is the calendar of a simulation: where it would wait for the runner
// to work the queue, it works it by itself.
func (c *Calendar) Draining(r *Runner) *Calendar {
	c.drain = r.Drain
	return c
}

// Start looks every second for what is due.
func (c *Calendar) Start(ctx context.Context) {
	ctx, c.stop = context.WithCancel(ctx)
	c.done.Go(func() {
		tick := time.NewTicker(lookEvery)
		defer tick.Stop()
		for {
			if _, err := c.look(ctx); err != nil && ctx.Err() == nil {
				c.log.Error("look for due work", "err", err)
			}
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	})
}

// Stop ends the looking.
func (c *Calendar) Stop() {
	if c.stop != nil {
		c.stop()
		c.done.Wait()
	}
}

// look queues what is due now and gives the earliest instant of any task.
func (c *Calendar) look(ctx context.Context) (next time.Time, err error) {
	now := c.clock.Now()
	due := false
	err = c.store.Read(ctx, func(tx *store.Tx) error {
		for _, t := range c.tasks {
			at, any, err := t.Next(ctx, tx)
			if err != nil {
				return fmt.Errorf("when %s is due: %w", t.Name, err)
			}
			if any && (next.IsZero() || at.Before(next)) {
				next = at
			}
			due = due || any && !at.After(now)
		}
		return nil
	})
	if err != nil || !due {
		return next, err
	}
	return next, c.store.Write(ctx, func(tx *store.Tx) error {
		for _, t := range c.tasks {
			at, any, err := t.Next(ctx, tx)
			if err != nil || !any || at.After(now) {
				if err != nil {
					return fmt.Errorf("when %s is due: %w", t.Name, err)
				}
				continue
			}
			if err := t.Enqueue(ctx, tx, now); err != nil {
				return fmt.Errorf("queue %s: %w", t.Name, err)
			}
		}
		return nil
	})
}

// Advance moves a sandbox clock forward by the duration. It stops at every
// instant at which work falls due, in order, and waits for that work before it
// goes on.
func (c *Calendar) Advance(ctx context.Context, by time.Duration) (time.Time, error) {
	switch {
	case !c.clock.IsSandbox():
		return c.clock.Now(), ErrNotSandbox
	case by <= 0:
		return c.clock.Now(), ErrBackwards
	case by > MostAdvance:
		return c.clock.Now(), ErrTooFar
	}
	c.moving.Lock()
	defer c.moving.Unlock()
	to := c.clock.Now().Add(by)
	for {
		next, err := c.settle(ctx)
		if err != nil {
			return c.clock.Now(), err
		}
		if next.IsZero() || next.After(to) {
			break
		}
		if err := c.move(ctx, next); err != nil {
			return c.clock.Now(), err
		}
	}
	if to.After(c.clock.Now()) {
		if err := c.move(ctx, to); err != nil {
			return c.clock.Now(), err
		}
	}
	_, err := c.settle(ctx)
	return c.clock.Now(), err
}

func (c *Calendar) move(ctx context.Context, to time.Time) error {
	if to.After(c.clock.Now()) {
		if err := c.clock.set(ctx, c.store, to); err != nil {
			return err
		}
	}
	for _, f := range c.moved {
		if err := f(ctx); err != nil {
			return fmt.Errorf("after moving the clock: %w", err)
		}
	}
	return nil
}

// settle waits until nothing is due and the queue is empty; it gives the next
// instant at which something will be due.
func (c *Calendar) settle(ctx context.Context) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, settleMost)
	defer cancel()
	for {
		next, err := c.look(ctx)
		if err != nil {
			return next, err
		}
		if c.drain != nil {
			if err := c.drain(ctx); err != nil {
				return next, err
			}
		}
		var queued int64
		if err := c.store.Read(ctx, func(tx *store.Tx) (err error) {
			queued, err = tx.QueuedJobs(ctx)
			return err
		}); err != nil {
			return next, err
		}
		if queued == 0 && (next.IsZero() || next.After(c.clock.Now())) {
			return next, nil
		}
		pause := settleEvery
		if c.drain != nil {
			pause = 0
		}
		select {
		case <-ctx.Done():
			return next, ErrUnsettled.Because(ctx.Err())
		case <-time.After(pause):
		}
	}
}
