package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tollgate.dev/internal/job"
	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/settle"
	"tollgate.dev/internal/store"
)

// registerMarketplaces says how the jobs of marketplaces are done.
func (a *App) registerMarketplaces() {
	job.Register(a.runner, a.seal)
	job.Register(a.runner, a.conclude)
	job.Register(a.runner, a.zero)
	job.Register(a.runner, func(ctx context.Context, j marketplace.SendUsage) error {
		return a.clouds.Deliver(ctx, j.Cloud, a.clock.Now, a.between)
	})
}

// between waits between two requests to a cloud. A simulation does not.
func (a *App) between(ctx context.Context, d time.Duration) error {
	if a.played {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// seal makes records of the charges of a subscription.
func (a *App) seal(ctx context.Context, j marketplace.SealUsage) error {
	err := a.store.Write(ctx, func(tx *store.Tx) error {
		s, err := tx.Subscription(ctx, j.SubscriptionID)
		if err != nil {
			return err
		}
		cloud, err := a.clouds.Cloud(s.Cloud)
		if errors.Is(err, settle.ErrNotEnabled) { // they wait until it is connected again
			return tx.SealAgain(ctx, s.ID, marketplace.NextHour(a.clock.Now()))
		}
		if err != nil {
			return err
		}
		_, err = marketplace.Seal(ctx, tx, cloud, s.ID, a.clock.Now())
		return err
	})
	if errors.Is(err, marketplace.ErrCurrency) {
		a.log.Error("usage cannot be sealed in its currency", "subscription", j.SubscriptionID, "err", err)
		return a.store.Write(ctx, func(tx *store.Tx) error {
			return tx.SealAgain(ctx, j.SubscriptionID, marketplace.NextHour(a.clock.Now()))
		})
	}
	if err != nil {
		return fmt.Errorf("seal usage of %s: %w", j.SubscriptionID, err)
	}
	return nil
}

// conclude charges the last usage of a subscription, each workspace in a
// transaction of its own, and seals it at once: the cloud takes it for an hour
// perhaps. A workspace that fails does not stop the others.
func (a *App) conclude(ctx context.Context, j marketplace.Conclude) error {
	var failed []error
	for _, id := range j.Workspaces {
		err := a.store.Write(ctx, func(tx *store.Tx) error {
			return marketplace.ConcludeOne(ctx, tx, a.catalog, j.SubscriptionID, id, a.clock.Now())
		})
		if err != nil {
			failed = append(failed, fmt.Errorf("last usage of %s: %w", id, err))
		}
	}
	return errors.Join(append(failed, a.seal(ctx, marketplace.SealUsage{SubscriptionID: j.SubscriptionID}))...)
}

// sealing falls due when the hour of a charge is closed.
func (a *App) sealing() job.Task {
	return job.Task{
		Name: "seal usage for marketplaces",
		Next: func(ctx context.Context, tx *store.Tx) (time.Time, bool, error) { return tx.NextSealing(ctx) },
		Enqueue: func(ctx context.Context, tx *store.Tx, at time.Time) error {
			due, err := tx.SealingsDue(ctx, at, dueAtOnce)
			if err != nil {
				return err
			}
			for _, j := range due {
				if err := tx.Enqueue(ctx, j); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// sending falls due when usage is to go to a cloud, or a person is to be told
// that it did not.
func (a *App) sending() job.Task {
	return job.Task{
		Name: "send usage to marketplaces",
		Next: func(ctx context.Context, tx *store.Tx) (time.Time, bool, error) {
			return tx.NextSending(ctx, a.clouds.Methods())
		},
		Enqueue: func(ctx context.Context, tx *store.Tx, at time.Time) error {
			for _, m := range a.clouds.Methods() {
				j, found, err := tx.FirstSending(ctx, m)
				if err != nil {
					return err
				}
				if !found || j.Due.After(at) {
					continue
				}
				if err := tx.Enqueue(ctx, j); err != nil {
					return err
				}
			}
			return nil
		},
	}
}
