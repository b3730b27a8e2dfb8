package app

import (
	"context"
	"fmt"

	"tollgate.dev/internal/alert"
	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/job"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/store"
)

func (a *App) registerAlerts() {
	watch := alert.Watch{Catalog: a.catalog, Write: func(ctx context.Context, f func(alert.WatchTx) error) error {
		return a.store.Write(ctx, func(tx *store.Tx) error { return f(tx) })
	}}
	job.Register(a.runner, func(ctx context.Context, c alert.Check) error {
		sent, err := watch.Check(ctx, c, a.clock.Now())
		if sent > 0 {
			a.log.Info("high consumption", "site", c.Site, "day", c.Day, "alerts", sent)
		}
		if err != nil {
			return fmt.Errorf("alerts of %s on %s: %w", c.Site, c.Day, err)
		}
		return nil
	})
}

// watch queues the look through a day's bills, outside of its close. A process
// that dies in between closes the day again, which changes nothing, and comes
// here.
func (a *App) watch(ctx context.Context, c alert.Check) error {
	return a.store.Write(ctx, func(tx *store.Tx) error { return tx.Enqueue(ctx, c) })
}

// retry bills a parked workspace's day.
func (a *App) retry(ctx context.Context, workspaceID string, day period.Day) (bill.Bill, error) {
	b, err := a.books(quietBefore).Retry(ctx, workspaceID, day, a.clock.Now())
	if err != nil || b.ID == "" {
		return b, err
	}
	return b, a.watch(ctx, alert.Check{Site: b.Site, Day: b.Day})
}
