package app

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
)

// health answers the probes of whoever runs the process.
func (a *App) health(mux *http.ServeMux) {
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("ok\n")) // the probe has gone if this fails
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), probeWithin)
		defer cancel()
		if err := a.store.Ping(ctx); err != nil || !a.ready.Load() {
			http.Error(w, "not ready", http.StatusServiceUnavailable)
			return
		}
		_, _ = w.Write([]byte("ready\n"))
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(a.metrics(), promhttp.HandlerOpts{}))
}

const probeWithin = 2 * time.Second

// stuckAfter is how long a mail may wait before it is counted as stuck.
const stuckAfter = 5 * time.Minute

func (a *App) metrics() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), a.gateway,
		a.gauge("tollgate_jobs_queued", "Jobs that wait or run.", func(ctx context.Context, tx *store.Tx) (int64, error) { return tx.QueuedJobs(ctx) }),
		a.gauge("tollgate_mails_stuck", "Mails that have waited for five minutes.", func(ctx context.Context, tx *store.Tx) (int64, error) {
			return tx.StuckMails(ctx, a.clock.Now().Add(-stuckAfter))
		}),
	)
	return r
}

// gauge reads a figure from the store when it is asked for; -1 says that it
// could not be read.
func (a *App) gauge(name, help string, read func(context.Context, *store.Tx) (int64, error)) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 {
		ctx, cancel := context.WithTimeout(context.Background(), probeWithin)
		defer cancel()
		var n int64
		err := a.store.Read(ctx, func(tx *store.Tx) (err error) {
			n, err = read(ctx, tx)
			return err
		})
		if err != nil {
			return -1
		}
		return float64(n)
	})
}

// mounted serves a console at its prefix.
func mounted(mux *http.ServeMux, prefix string, h http.Handler) {
	mux.Handle(prefix, h)
	mux.Handle(prefix+"/", h)
}

// shared mounts what every console uses.
func (a *App) shared(mux *http.ServeMux) {
	mux.Handle("GET /static/", web.Static())
	mux.Handle("/preferences", web.Choose(len(a.baseURL) > 5 && a.baseURL[:5] == "https"))
	mux.HandleFunc(ClockPath, a.serveClock)
}

func wrapf(err error, what string) error {
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}
