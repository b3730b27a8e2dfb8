package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tollgate.dev/internal/failpoint"
	"tollgate.dev/internal/job"
	"tollgate.dev/internal/meter"
	"tollgate.dev/internal/retention"
	"tollgate.dev/internal/sink"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/workspace"
)

// dueAtOnce bounds the workspaces that are listed in one transaction.
const dueAtOnce = 500

func (a *App) registerRetention() {
	job.Register(a.runner, a.applyRetention)
	job.Register(a.runner, a.forget)
}

// retaining is the calendar's task of writing the changes of retention that
// wait for midnight. Readers know of them without it; it keeps the history and
// has old metrics deleted.
func (a *App) retaining() job.Task {
	return job.Task{
		Name: "apply retention",
		Next: func(ctx context.Context, tx *store.Tx) (time.Time, bool, error) { return tx.NextRetention(ctx) },
		Enqueue: func(ctx context.Context, tx *store.Tx, at time.Time) error {
			if due, any, err := tx.NextRetention(ctx); err != nil || !any || due.After(at) {
				return err
			}
			return tx.Enqueue(ctx, retention.ApplyDue{Minute: at.UTC().Truncate(time.Minute)})
		},
	}
}

// applyRetention writes what is due, each workspace in a transaction of its
// own: one that fails is tried again with the job and does not stop the others.
func (a *App) applyRetention(ctx context.Context, _ retention.ApplyDue) error {
	at := a.clock.Now()
	var failed []error
	for after := ""; ; {
		var page []workspace.Workspace
		err := a.store.Read(ctx, func(tx *store.Tx) (err error) {
			page, err = tx.RetentionDue(ctx, at, after, dueAtOnce)
			return err
		})
		if err != nil {
			return fmt.Errorf("list changes of retention: %w", err)
		}
		for _, w := range page {
			if err := a.applyOne(ctx, w, at); err != nil {
				failed = append(failed, fmt.Errorf("retention of %s: %w", w.ID, err))
			}
			after = w.ID
		}
		if len(page) < dueAtOnce {
			return errors.Join(failed...)
		}
	}
}

func (a *App) applyOne(ctx context.Context, w workspace.Workspace, at time.Time) error {
	v, err := retention.Version(a.catalog, w.Site, at)
	if err != nil {
		return err
	}
	return a.store.Write(ctx, func(tx *store.Tx) error { return retention.Apply(ctx, tx, v, w.ID, at) })
}

// forget deletes the records that a change of class leaves behind.
func (a *App) forget(ctx context.Context, f retention.Forget) error {
	for m, dataType := range dataTypes {
		if dataType != f.Type {
			continue
		}
		err := a.forgetIn(ctx, sink.Forgetting{WorkspaceID: f.WorkspaceID, Generation: f.Generation, Type: m, Before: f.Before})
		if err != nil {
			return fmt.Errorf("forget %s: %w", f.Type, err)
		}
	}
	return nil
}

// lateRecords is for how long after a change of class records that were
// received before it may still reach the sink: a report under way at that
// moment, with plenty to spare.
const lateRecords = 48 * time.Hour

// forgetLate deletes once more what late changes left behind. Nobody has seen
// it meanwhile: viewers begin with the change.
func (a *App) forgetLate(ctx context.Context, now time.Time) error {
	var late []sink.Forgetting
	err := a.store.Read(ctx, func(tx *store.Tx) error {
		changes, err := tx.TypeChangesSince(ctx, retention.Metrics, now.Add(-lateRecords))
		if err != nil {
			return err
		}
		for _, c := range changes {
			w, err := tx.Workspace(ctx, c.WorkspaceID)
			if err != nil {
				return err
			}
			late = append(late, sink.Forgetting{WorkspaceID: w.ID, Generation: w.Generation, Type: meter.Metric, Before: c.At})
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("list changes of class: %w", err)
	}
	for _, f := range late {
		if err := a.forgetIn(ctx, f); err != nil {
			return fmt.Errorf("forget late metrics: %w", err)
		}
	}
	return nil
}

// forgetIn has the sink forget.
func (a *App) forgetIn(ctx context.Context, f sink.Forgetting) error {
	return failpoint.Around("sink.forget", func() error { return a.sink.Forget(ctx, f) })
}
