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

// warn tells a payer of vouchers and cards that end soon.
func (a *App) warn(ctx context.Context, w wallet.Warn) error {
	return a.store.Write(ctx, func(tx *store.Tx) error { return wallet.WarnOfEnd(ctx, tx, w.Payer, a.clock.Now()) })
}

// warning falls due some days before a voucher or card expires.
func (a *App) warning() job.Task {
	return job.Task{
		Name: "tell of vouchers and cards that end soon",
		Next: func(ctx context.Context, tx *store.Tx) (time.Time, bool, error) {
			ends, ok, err := tx.NextEnding(ctx)
			return ends.Add(-wallet.WarnBefore), ok, err
		},
		Enqueue: func(ctx context.Context, tx *store.Tx, at time.Time) error {
			payers, err := tx.PayersOfEnding(ctx, at.Add(wallet.WarnBefore), endAtOnce)
			if err != nil {
				return err
			}
			for _, payer := range payers {
				if err := tx.Enqueue(ctx, wallet.Warn{Payer: payer}); err != nil {
					return err
				}
			}
			return nil
		},
	}
}
