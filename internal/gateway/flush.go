package gateway

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tollgate.dev/internal/period"
	"tollgate.dev/internal/quota"
)

// heartbeat is how often a gateway without reports says so: a day of a site
// cannot be closed before every gateway is past it.
const heartbeat = 5 * time.Second

// run flushes until stopped.
func (g *Gateway) run(ctx context.Context) {
	defer close(g.stopped)
	tick := time.NewTicker(g.FlushEvery)
	defer tick.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		err := g.beat(ctx)
		if err != nil && ctx.Err() == nil && !failing {
			g.Log.Error("usage stays in the spool: the store does not take it", "gateway", g.ID, "error", err)
		}
		if err == nil && failing {
			g.Log.Info("the store takes usage again", "gateway", g.ID)
		}
		failing = err != nil
	}
}

func (g *Gateway) beat(ctx context.Context) error {
	if !g.ready.Load() {
		return g.recover(ctx)
	}
	now := g.Now()
	g.desks.sweep(now)
	g.traffic.sweep()
	if err := g.spool.forget(ctx, now.Add(-ackWindow)); err != nil {
		return err
	}
	g.flushing.Lock()
	defer g.flushing.Unlock()
	last := g.spool.through
	due := now.Sub(last) >= heartbeat || period.HourOf(now).After(period.HourOf(last))
	return g.flush(ctx, due)
}

// Flush hands everything that was acknowledged so far to the store, and says
// through when, even if that is nothing.
func (g *Gateway) Flush(ctx context.Context) error {
	if g.spool == nil {
		return fmt.Errorf("flush gateway %s: it has not been started", g.ID)
	}
	g.flushing.Lock()
	defer g.flushing.Unlock()
	return g.flush(ctx, true)
}

func (g *Gateway) flush(ctx context.Context, even bool) error {
	timer := prometheus.NewTimer(g.stats.flushTime)
	err := g.flushUsage(ctx, even)
	timer.ObserveDuration()
	if err != nil {
		g.stats.flushFailures.Inc()
		return err
	}
	g.stats.flushed(g.spool.through)
	return g.saveNotices(ctx)
}

func (g *Gateway) flushUsage(ctx context.Context, even bool) error {
	if err := g.send(ctx); err != nil {
		return err
	}
	through := g.clock.through()
	for {
		more, sealed, err := g.spool.seal(ctx, through, even)
		if err != nil || !sealed {
			return err
		}
		if err := g.send(ctx); err != nil {
			return err
		}
		if !more {
			return nil
		}
	}
}

// send hands over the sealed batches, the oldest first.
func (g *Gateway) send(ctx context.Context) error {
	for {
		b, ok, err := g.spool.unsent(ctx)
		if err != nil || !ok {
			return err
		}
		if err := g.Store.AddUsage(ctx, b); err != nil {
			return fmt.Errorf("add usage batch %d: %w", b.Seq, err)
		}
		if err := g.spool.sent(ctx, b.Seq); err != nil {
			return err
		}
	}
}

// notify keeps notices for the next flush. Should the gateway die before, it
// meets the same levels again and repeats them.
func (g *Gateway) notify(due []quota.Notice) {
	if len(due) == 0 {
		return
	}
	g.noticeMu.Lock()
	defer g.noticeMu.Unlock()
	g.notices = append(g.notices, due...)
	for _, n := range due {
		g.Log.Info("quota", "workspace", n.WorkspaceID, "item", n.Item, "level", string(n.Level), "used", n.Used, "limit", n.Limit)
	}
}

func (g *Gateway) saveNotices(ctx context.Context) error {
	g.noticeMu.Lock()
	due := g.notices
	g.notices = nil
	g.noticeMu.Unlock()
	if len(due) == 0 {
		return nil
	}
	if err := g.Store.SaveNotices(ctx, due); err != nil {
		g.noticeMu.Lock()
		g.notices = append(due, g.notices...)
		g.noticeMu.Unlock()
		return fmt.Errorf("save notices: %w", err)
	}
	return nil
}
