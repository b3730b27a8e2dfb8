package app

import (
	"context"
	"log/slog"

	"tollgate.dev/internal/demo"
)

// openDemo makes the demo's people and the collector that reports for them.
func (a *App) openDemo(ctx context.Context) error {
	if !a.config.Demo {
		return nil
	}
	token, err := demo.Seed(ctx, a.store, a.clock.Now())
	if err != nil {
		return err
	}
	a.people = &demo.Collector{Gateway: a.gatewayURL, Token: token, Now: a.clock.Now, Log: a.log}
	return nil
}

// pagesLog is the log of the consoles; the demo's collector reports a copy.
func (a *App) pagesLog() *slog.Logger {
	if a.people == nil {
		return a.log
	}
	return slog.New(a.people.Tee(a.log.Handler()))
}
