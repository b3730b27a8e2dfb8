package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"tollgate.dev/internal/demo"
)

// readiness is true between the start of the last part and the first step of
// a shutdown.
type readiness struct{ atomic.Bool }

// Run starts every part, calls ready, and serves until ctx ends; then it stops
// the parts in the opposite order. What was acknowledged is kept.
func (a *App) Run(ctx context.Context, ready func()) error {
	consoles, err := a.consoles()
	if err != nil {
		return a.CloseAfter(err)
	}
	proxies, err := parseProxies(a.config.Proxies)
	if err != nil {
		return a.CloseAfter(err)
	}
	pages, door := newServer(behind(proxies, consoles), a.log), newServer(a.gateway.Handler(), a.log)
	failed := make(chan error, 3)
	serve := func(name string, f func() error) {
		go func() {
			if err := f(); err != nil && !errors.Is(err, http.ErrServerClosed) {
				failed <- fmt.Errorf("%s: %w", name, err)
			}
		}()
	}
	if a.mailbox != nil {
		serve("mailbox", func() error { return a.mailbox.Serve(a.smtp) })
	}
	running := context.WithoutCancel(ctx) // the parts stop in order, not all at once
	if err := a.start(running); err != nil {
		return a.CloseAfter(errors.Join(err, a.stop(nil, nil)))
	}
	serve("gateway", func() error { return door.Serve(a.door) })
	serve("consoles", func() error { return pages.Serve(a.web) })
	if a.people != nil {
		a.people.Start(running)
	}
	if a.config.Sandbox && !a.config.Demo {
		a.log.Warn("this installation is a sandbox: its clock can be moved; never use it for real bills")
	}
	a.ready.Store(true)
	ready()
	select {
	case <-ctx.Done():
		err = nil
	case err = <-failed:
	}
	a.log.Info("stopping")
	a.ready.Store(false)
	return a.CloseAfter(errors.Join(err, a.stop(pages, door)))
}

func (a *App) start(ctx context.Context) error {
	if err := a.gateway.Start(ctx); err != nil {
		return fmt.Errorf("start the gateway: %w", err)
	}
	if err := a.runner.Start(ctx); err != nil {
		return err
	}
	a.calendar.Start(ctx)
	a.sims.start(ctx)
	a.markets.start(ctx)
	a.watchCatalog(ctx)
	a.followEvents(ctx)
	return a.openDoor()
}

// stop ends the parts from the outside in: doors first, so that nothing new
// comes; then the gateway hands over what it counted; then jobs end.
func (a *App) stop(pages, door *http.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
	defer cancel()
	var errs []error
	if a.people != nil {
		a.people.Stop()
	}
	a.sims.stop()
	for _, s := range []*http.Server{door, pages} {
		if s == nil {
			continue
		}
		if err := s.Shutdown(ctx); err != nil {
			errs = append(errs, fmt.Errorf("close a door: %w", err), s.Close())
		}
	}
	if a.follow != nil {
		a.follow()
	}
	errs = append(errs, a.markets.stop())
	a.calendar.Stop()
	if a.unwatch != nil {
		a.unwatch()
	}
	errs = append(errs, a.gateway.Stop(ctx), a.runner.Stop(ctx))
	if a.mailbox != nil {
		errs = append(errs, a.mailbox.Close())
	}
	return errors.Join(errs...)
}

// Welcome is what the demo prints when it is ready.
func (a *App) Welcome() string {
	return fmt.Sprintf(`
Tollgate demo is ready (in %s).

  Start here     %s/
  Mailbox        %s/mailbox
  Gateway        %s
  Cloud markets  %s/   (simulated)

  Owner          %s   site cn1   password %s
  Payer          %s           (Billing Center)   password %s
  Operator       %s   password %s

  %s clock advance 1d    moves the sandbox clock past midnight
`, time.Since(started).Round(time.Millisecond), a.baseURL, a.baseURL, a.gatewayURL, a.markets.url,
		demo.OwnerEmail, demo.Password, demo.PayerName, demo.Password, demo.OperatorEmail, demo.Password, os.Args[0])
}

// started is when the process began, for the demo's word on how long it took.
var started = time.Now()
