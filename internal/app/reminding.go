package app

import (
	"context"
	"time"

	"tollgate.dev/internal/job"
	"tollgate.dev/internal/prepaid"
	"tollgate.dev/internal/store"
)

// remindAtOnce bounds the packages that are queued in one look; the next look
// finds the others.
const remindAtOnce = 500

// remind tells a package's payer that it ends soon.
func (a *App) remind(ctx context.Context, r prepaid.Remind) error {
	return a.store.Write(ctx, func(tx *store.Tx) error { return prepaid.Warn(ctx, tx, r.PackageID, a.clock.Now()) })
}

// reminding falls due when a package is about to end.
func (a *App) reminding() job.Task {
	return job.Task{
		Name: "remind of packages that end",
		Next: func(ctx context.Context, tx *store.Tx) (time.Time, bool, error) { return tx.NextReminder(ctx) },
		Enqueue: func(ctx context.Context, tx *store.Tx, at time.Time) error {
			ids, err := tx.PackagesToRemind(ctx, at, remindAtOnce)
			if err != nil {
				return err
			}
			for _, id := range ids {
				if err := tx.Enqueue(ctx, prepaid.Remind{PackageID: id}); err != nil {
					return err
				}
			}
			return nil
		},
	}
}
