package app

import (
	"context"
	"fmt"
	"time"

	"tollgate.dev/internal/job"
	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
)

// zero tells a cloud that a subscription used nothing in the last closed hour.
func (a *App) zero(ctx context.Context, j marketplace.ZeroUsage) error {
	err := a.store.Write(ctx, func(tx *store.Tx) error {
		s, err := tx.Subscription(ctx, j.SubscriptionID)
		if err != nil {
			return err
		}
		cloud, err := a.clouds.Cloud(s.Cloud)
		if err != nil {
			return err
		}
		_, err = marketplace.Zero(ctx, tx, cloud, s.ID, a.clock.Now())
		return err
	})
	if err != nil {
		return fmt.Errorf("say that %s used nothing: %w", j.SubscriptionID, err)
	}
	return nil
}

// zeroed lists the clouds that are told of hours without usage.
func (a *App) zeroed() []site.Method {
	if a.doors != nil && a.doors.AWS != nil && a.doors.AWS.Zeros() {
		return []site.Method{site.AWS}
	}
	return nil
}

// zeroing falls due a little after each hour of a subscription whose cloud is
// told of hours without usage.
func (a *App) zeroing() job.Task {
	return job.Task{
		Name: "tell marketplaces of hours without usage",
		Next: func(ctx context.Context, tx *store.Tx) (first time.Time, any bool, err error) {
			for _, m := range a.zeroed() {
				at, found, err := tx.NextZero(ctx, m)
				if err != nil {
					return first, any, err
				}
				if found && (!any || at.Before(first)) {
					first, any = at, true
				}
			}
			return first, any, nil
		},
		Enqueue: func(ctx context.Context, tx *store.Tx, at time.Time) error {
			for _, m := range a.zeroed() {
				due, err := tx.ZerosDue(ctx, m, at, dueAtOnce)
				if err != nil {
					return err
				}
				for _, j := range due {
					if err := tx.Enqueue(ctx, j); err != nil {
						return err
					}
				}
			}
			return nil
		},
	}
}
