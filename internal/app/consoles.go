package app

import (
	"fmt"
	"net/http"
	"time"

	"tollgate.dev/internal/api"
	"tollgate.dev/internal/demo"
)

// consoles is everything behind the address for browsers and programs.
func (a *App) consoles() (http.Handler, error) {
	mux, log := http.NewServeMux(), a.pagesLog()
	a.health(mux)
	a.shared(mux)
	mounted(mux, api.Prefix, api.New(api.Config{
		Store: a.store, Now: a.clock.Now, RealNow: time.Now, Catalog: a.catalog, Profile: a.config.Profile,
		Clock: a.calendar, Changed: a.gateway.Invalidate, Log: log,
	}))
	if !a.config.Demo {
		mux.Handle("GET /{$}", http.RedirectHandler("/studio", http.StatusSeeOther))
		return mux, nil
	}
	start, err := demo.New(demo.Config{
		BaseURL: a.baseURL, GatewayURL: a.gatewayURL, Sessions: a.store.Sessions("demo", time.Now),
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
