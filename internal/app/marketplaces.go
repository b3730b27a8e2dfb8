package app

import (
	"context"

	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/store"
)

// openClouds connects the marketplaces that are configured.
func (a *App) openClouds(context.Context) error {
	a.clouds = &marketplace.Desk{
		Clouds: a.config.Clouds,
		Write: func(ctx context.Context, f func(marketplace.Tx) error) error {
			return a.store.Write(ctx, func(tx *store.Tx) error { return f(tx) })
		},
		Read: func(ctx context.Context, f func(marketplace.Tx) error) error {
			return a.store.Read(ctx, func(tx *store.Tx) error { return f(tx) })
		},
	}
	return nil
}
