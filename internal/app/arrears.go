package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tollgate.dev/internal/arrears"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/job"
	"tollgate.dev/internal/meter"
	"tollgate.dev/internal/sink"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/workspace"
)

func (a *App) registerArrears() {
	job.Register(a.runner, a.tell)
	job.Register(a.runner, a.step)
	job.Register(a.runner, a.clearWorkspace)
}

// tell gives the workspaces of payers the state that a debt's beginning or end
// makes, each payer's together. One that fails is tried again with the job and
// does not stop the others.
func (a *App) tell(ctx context.Context, j arrears.Apply) error {
	var failed []error
	for _, payer := range j.Payers {
		err := a.store.Write(ctx, func(tx *store.Tx) error {
			return arrears.Tell(ctx, tx, arrears.Debt, payer, a.clock.Now())
		})
		if err != nil {
			failed = append(failed, fmt.Errorf("arrears of %s: %w", payer, err))
		}
	}
	return errors.Join(failed...)
}

// step takes a clock to its next stage: a reminder, or the lock.
func (a *App) step(ctx context.Context, s arrears.Step) error {
	err := a.store.Write(ctx, func(tx *store.Tx) error {
		return arrears.Advance(ctx, tx, s.Cause, s.Subject, a.clock.Now())
	})
	if err != nil {
		return fmt.Errorf("%s of %s: %w", s.Cause, s.Subject, err)
	}
	return nil
}

// locking falls due when a clock comes to its next stage.
func (a *App) locking() job.Task {
	return job.Task{
		Name: "remind and lock",
		Next: func(ctx context.Context, tx *store.Tx) (time.Time, bool, error) { return tx.NextClock(ctx) },
		Enqueue: func(ctx context.Context, tx *store.Tx, at time.Time) error {
			clocks, err := tx.ClocksDue(ctx, at, dueAtOnce)
			if err != nil {
				return err
			}
			for _, c := range clocks {
				due := c.NextAt()
				if c.Pending {
					due = at.Truncate(time.Minute) // should its job have failed
				}
				if err := tx.Enqueue(ctx, arrears.Step{Cause: c.Cause, Subject: c.Subject, Due: due.UTC()}); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// clearing falls due when the data of a locked or dissolved workspace is to be
// deleted, and when that is tried again.
func (a *App) clearing() job.Task {
	return job.Task{
		Name: "delete data",
		Next: func(ctx context.Context, tx *store.Tx) (time.Time, bool, error) { return tx.NextClearing(ctx) },
		Enqueue: func(ctx context.Context, tx *store.Tx, at time.Time) error {
			due, err := tx.ClearingsDue(ctx, at, dueAtOnce)
			if err != nil {
				return err
			}
			for _, c := range due {
				if err := tx.Enqueue(ctx, arrears.Clear{WorkspaceID: c.WorkspaceID, At: c.NextAt.UTC()}); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// clearWorkspace deletes the data of a workspace. What the sinks refuse is put off,
// said in the log and shown to the operator, and tried again by the calendar.
func (a *App) clearWorkspace(ctx context.Context, j arrears.Clear) error {
	var w workspace.Workspace
	var due bool
	err := a.store.Write(ctx, func(tx *store.Tx) (err error) {
		w, due, err = arrears.BeginClearing(ctx, tx, j.WorkspaceID, a.clock.Now())
		return err
	})
	if err != nil || !due {
		return err
	}
	if err := a.forgetAll(ctx, w); err != nil {
		if ctx.Err() != nil {
			return err
		}
		a.log.Error("the data of a workspace cannot be deleted", "workspace", w.ID, "err", err)
		return a.store.Write(ctx, func(tx *store.Tx) error {
			return arrears.PutOff(ctx, tx, w.ID, fault.From(err).Code+": "+err.Error(), a.clock.Now())
		})
	}
	return a.store.Write(ctx, func(tx *store.Tx) error { return arrears.FinishClearing(ctx, tx, w.ID, a.clock.Now()) })
}

// forgetAll deletes every record of every generation.
func (a *App) forgetAll(ctx context.Context, w workspace.Workspace) error {
	before := a.clock.Now()
	for g := workspace.Generation(1); g <= w.Generation; g++ {
		for _, t := range meter.Types() {
			err := a.forgetIn(ctx, sink.Forgetting{WorkspaceID: w.ID, Generation: g, Type: t, Before: before})
			if err != nil {
				return fmt.Errorf("forget the %s records: %w", t, err)
			}
		}
	}
	return nil
}
