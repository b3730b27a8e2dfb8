package app

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/a-h/templ"

	"tollgate.dev/internal/api"
	"tollgate.dev/internal/billingcenter"
	"tollgate.dev/internal/demo"
	"tollgate.dev/internal/hooks"
	"tollgate.dev/internal/invoice"
	"tollgate.dev/internal/operator"
	"tollgate.dev/internal/statement"
	"tollgate.dev/internal/studio"
)

// consoles is everything behind the address for browsers and programs.
func (a *App) consoles() (http.Handler, error) {
	mux, log := http.NewServeMux(), a.pagesLog()
	a.health(mux)
	a.shared(mux)
	mounted(mux, hooks.Prefix, hooks.New(hooks.Config{Desk: a.desk, Clouds: a.doors, Now: a.clock.Now, Log: log}))
	a.sims.mount(mux)
	team := studio.New(studio.Options{
		Store: a.store, Sessions: a.store.Sessions("studio", time.Now), Now: a.clock.Now, Real: time.Now, Records: a.sink, Catalog: a.catalog,
		Profile: a.config.Profile, BaseURL: a.baseURL, Gateway: a.gatewayURL, Log: log, Note: a.note(), Clouds: a.clouds,
	})
	mounted(mux, studio.Prefix, team.Handler())
	payers := billingcenter.New(billingcenter.Config{
		Store: a.store, Sessions: a.store.Sessions("billing_center", time.Now), Now: a.clock.Now, Real: time.Now,
		Profile: a.config.Profile, BaseURL: a.baseURL, Log: log, Note: a.noteFor, Beneficiary: a.config.Bank, Catalog: a.catalog,
		Topups: a.desk, Simulated: a.sims != nil, Clouds: a.clouds, Cards: a.doors.Huawei,
	})
	mounted(mux, billingcenter.Prefix, payers)
	mounted(mux, operator.Prefix, a.operatorConsole(log, payers))
	mounted(mux, api.Prefix, api.New(api.Config{
		Store: a.store, Now: a.clock.Now, RealNow: time.Now, Catalog: a.catalog, Profile: a.config.Profile,
		Sink: a.sink, Sandbox: a.config.Sandbox, Clock: a.calendar, Log: log, Statement: drawnBy(payers), Invoice: requestDrawnBy(payers), Topups: a.desk, Clouds: a.clouds, Limits: a.config.Limits, Till: a.till,
	}))
	if !a.config.Demo {
		mux.Handle("GET /{$}", http.RedirectHandler("/studio", http.StatusSeeOther))
		return mux, nil
	}
	start, err := demo.New(demo.Config{
		BaseURL: a.baseURL, GatewayURL: a.gatewayURL, Markets: a.markets.url, Sessions: a.store.Sessions("demo", time.Now),
		Now: a.clock.Now, Advance: a.calendar.Advance, Log: log,
	})
	if err != nil {
		return nil, fmt.Errorf("open the demo's start page: %w", err)
	}
	mounted(mux, "/demo", start.Handler())
	mux.Handle("GET /{$}", start.Handler())
	mounted(mux, "/mailbox", a.mailbox.Handler())
	mux.Handle("GET /mailbox.json", a.mailbox.Handler())
	return mux, nil
}

// drawnBy lets the API hand out the documents that the Billing Center draws.
func drawnBy(payers *billingcenter.Console) func(context.Context, statement.Statement, string, string) (api.Drawn, error) {
	return func(ctx context.Context, s statement.Statement, format, language string) (api.Drawn, error) {
		d, err := payers.StatementDocument(ctx, s, format, language)
		return api.Drawn(d), err
	}
}

// requestDrawnBy is drawnBy for invoice requests.
func requestDrawnBy(payers *billingcenter.Console) func(context.Context, invoice.Request, string) (api.Drawn, error) {
	return func(ctx context.Context, r invoice.Request, language string) (api.Drawn, error) {
		d, err := payers.InvoiceDocument(ctx, r, language)
		return api.Drawn(d), err
	}
}

func (a *App) noteFor(*http.Request) templ.Component { return a.note() }

// note stands above every page of a sandbox: what time it is there.
func (a *App) note() templ.Component {
	if !a.config.Demo {
		return nil
	}
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		return demo.SandboxNote(demo.Instant(a.clock.Now())).Render(ctx, w)
	})
}

func (a *App) operatorConsole(log *slog.Logger, payers *billingcenter.Console) http.Handler {
	return operator.New(operator.Config{
		Store: a.store, Sessions: a.store.Sessions("operator", time.Now), Real: time.Now,
		Clock:   operator.Clock{Now: a.clock.Now, Sandbox: a.config.Sandbox, Advance: a.calendar.Advance},
		Profile: a.config.Profile, Catalog: a.catalog, BaseURL: a.baseURL, Version: a.config.Version, Log: log, Note: a.noteFor,
		Limits: a.config.Limits, Credentials: operator.Credentials{Ring: a.config.Secrets, Given: a.given, InUse: a.unsealed},
		Invoice: func(ctx context.Context, r invoice.Request, language string) (string, []byte, error) {
			d, err := payers.InvoiceDocument(ctx, r, language)
			return d.Name, d.Bytes, err
		},
		Retry:  a.retry,
		Issue:  a.restate,
		Verify: a.verify,
	})
}
