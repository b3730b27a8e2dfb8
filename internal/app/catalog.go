package app

import (
	"context"
	"time"

	"tollgate.dev/internal/store"
)

// readCatalogEvery is how soon a version that another process added is seen
// here. It begins on a day to come, and a close reads anew before it rates.
const readCatalogEvery = 30 * time.Second

// reloadCatalog reads the catalogue versions that were added to those of the
// program; everything that holds the catalogue sees them.
func (a *App) reloadCatalog(ctx context.Context) error {
	return a.store.Read(ctx, func(tx *store.Tx) error { return a.catalog.Reload(ctx, tx) })
}

// watchCatalog reads them again and again until unwatch is called.
func (a *App) watchCatalog(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	a.unwatch = func() {
		cancel()
		<-done
	}
	go func() {
		defer close(done)
		ticks := time.NewTicker(readCatalogEvery)
		defer ticks.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticks.C:
			}
			if err := a.reloadCatalog(ctx); err != nil && ctx.Err() == nil {
				a.log.Error("read the catalogue", "err", err)
			}
		}
	}()
}
