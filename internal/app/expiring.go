package app

import (
	"context"
	"time"

	"tollgate.dev/internal/job"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/wallet"
)

// endAtOnce bounds the vouchers and cards that are queued in one look; the
// next look finds the others.
const endAtOnce = 500

// expire ends a voucher or card whose time is over.
func (a *App) expire(ctx context.Context, e wallet.Expire) error {
	return a.store.Write(ctx, func(tx *store.Tx) error { return wallet.End(ctx, tx, e.SourceID, a.clock.Now()) })
}

// expiring falls due when a voucher or card expires.
func (a *App) expiring() job.Task {
	return job.Task{
		Name: "end vouchers and cards",
		Next: func(ctx context.Context, tx *store.Tx) (time.Time, bool, error) { return tx.NextExpiry(ctx) },
		Enqueue: func(ctx context.Context, tx *store.Tx, at time.Time) error {
			ids, err := tx.Expired(ctx, at, endAtOnce)
			if err != nil {
				return err
			}
			for _, id := range ids {
				if err := tx.Enqueue(ctx, wallet.Expire{SourceID: id}); err != nil {
					return err
				}
			}
			return nil
		},
	}
}
