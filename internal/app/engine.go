package app

import (
	"context"
	"log/slog"
	"time"

	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/gateway"
	"tollgate.dev/internal/job"
	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/notify"
	"tollgate.dev/internal/sink"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/topup"
)

// Engine is an installation without doors: the store, a clock that is moved by
// hand, and all the work that falls due, done in order as the clock passes it.
// A simulation plays on it.
type Engine struct{ app *App }

// Bench is what an engine runs on.
type Bench struct {
	Store   *store.Store // open, migrated and empty; it stays the caller's to close
	Clock   *job.Clock
	Catalog *catalog.Catalog
	Send    func(ctx context.Context, m notify.Mail) error // takes the mails of the outbox
	Flush   func(ctx context.Context) error                // hands over usage that was counted before the clock moved
	Clouds  []marketplace.Cloud                            // whose marketplaces settle
	Log     *slog.Logger

	Sink     sink.Sink       // nil: nothing is reported
	Channels []topup.Channel // besides those that are configured: none
}

// NewEngine prepares the jobs and the calendar of an installation.
func NewEngine(ctx context.Context, b Bench) (*Engine, error) {
	a := &App{store: b.Store, clock: b.Clock, catalog: b.Catalog, sink: b.Sink, send: b.Send, flush: b.Flush, log: b.Log, played: true}
	if a.sink == nil {
		a.sink = sink.Discard{}
	}
	a.config.Clouds = b.Clouds
	if err := a.openTopups(ctx); err != nil {
		return nil, err
	}
	if err := a.openClouds(ctx); err != nil {
		return nil, err
	}
	a.desk.Channels = append(a.desk.Channels, b.Channels...)
	if err := a.openJobs(ctx); err != nil {
		return nil, err
	}
	a.calendar.Draining(a.runner)
	return &Engine{a}, nil
}

// Work does what is queued.
func (e *Engine) Work(ctx context.Context) error { return e.app.runner.Drain(ctx) }

// Advance moves the clock; what falls due on the way is done at its instant.
func (e *Engine) Advance(ctx context.Context, by time.Duration) error {
	_, err := e.app.calendar.Advance(ctx, by)
	return err
}

// Gateway makes the engine's door for reports, with its spool in the folder. It
// is the caller's to start, to flush when the clock moves, and to stop.
func (e *Engine) Gateway(ctx context.Context, folder string) (*gateway.Gateway, error) {
	return e.app.newGateway(ctx, folder)
}

// Clouds is where purchases on marketplaces are bound and their words arrive.
func (e *Engine) Clouds() *marketplace.Desk { return e.app.clouds }

// Desk is where payments are begun and the words of channels arrive.
func (e *Engine) Desk() *topup.Desk { return e.app.desk }
