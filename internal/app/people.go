package app

import (
	"context"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/job"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/workspace"
)

func (a *App) registerPeople() {
	job.Register(a.runner, a.mailReset)
	job.Register(a.runner, a.lapsePromotion)
}

// lapseAtOnce bounds the requests that are queued in one look.
const lapseAtOnce = 500

// lapsePromotion ends a promotion request that nobody answered.
func (a *App) lapsePromotion(ctx context.Context, l workspace.LapsePromotion) error {
	return a.store.Write(ctx, func(tx *store.Tx) error {
		return workspace.ExpirePromotion(ctx, tx, l.PromotionID, a.clock.Now())
	})
}

// lapsing falls due when a promotion request expires.
func (a *App) lapsing() job.Task {
	return job.Task{
		Name: "end unanswered promotion requests",
		Next: func(ctx context.Context, tx *store.Tx) (time.Time, bool, error) { return tx.NextLapse(ctx) },
		Enqueue: func(ctx context.Context, tx *store.Tx, at time.Time) error {
			ids, err := tx.LapsedPromotions(ctx, at, lapseAtOnce)
			if err != nil {
				return err
			}
			for _, id := range ids {
				if err := tx.Enqueue(ctx, workspace.LapsePromotion{PromotionID: id}); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// mailReset looks for the account of a forgotten password and mails its code.
func (a *App) mailReset(ctx context.Context, r account.ResetWanted) error {
	return a.store.Write(ctx, func(tx *store.Tx) error { return account.MailReset(ctx, tx, r, a.clock.Now()) })
}
