package gateway

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tollgate.dev/internal/meter"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/quota"
	"tollgate.dev/internal/sink"
	"tollgate.dev/internal/workspace"
)

// gated is a sink that waits to be opened.
type gated struct {
	sink.Sink
	entered chan struct{}
	open    chan struct{}
}

func (g gated) Write(ctx context.Context, reports []sink.Report) error {
	g.entered <- struct{}{}
	<-g.open
	return g.Sink.Write(ctx, reports)
}

func TestThroughPassesNoReportUnderWay(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	gate := gated{s.g.Sink, make(chan struct{}), make(chan struct{})}
	s.g.Sink = gate
	done := make(chan reply)
	go func() { done <- s.do(write("logging", logLines(1, noon))) }()
	<-gate.entered
	s.at(noon.Add(time.Hour))
	s.flush()
	if !s.store.through.Equal(noon) {
		t.Errorf("through %v while a report of %v is under way", s.store.through, noon)
	}
	close(gate.open)
	if got := <-done; got.status != 200 {
		t.Fatal(got.text)
	}
	s.flush()
	if want := noon.Add(time.Hour); !s.store.through.Equal(want) {
		t.Errorf("through %v, want %v", s.store.through, want)
	}
	for d := range s.store.sums {
		if !d.Hour.Equal(noon) {
			t.Errorf("counted in the hour %v, want that of its receipt", d.Hour)
		}
	}
}

func TestAnIdleGatewaySaysSoAtTheHour(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.flush()
	for _, step := range []struct {
		at    time.Time
		grows int
	}{
		{noon.Add(time.Second), 0}, {noon.Add(heartbeat), 1}, {noon.Add(heartbeat + time.Second), 0},
		{noon.Add(time.Hour - time.Second), 1}, {noon.Add(time.Hour), 1}, {noon.Add(time.Hour + time.Second), 0},
	} {
		s.at(step.at)
		before := s.store.batches
		if err := s.g.beat(context.Background()); err != nil {
			t.Fatal(err)
		}
		if s.store.batches-before != step.grows {
			t.Errorf("%v: %d batches, want %d", step.at, s.store.batches-before, step.grows)
		}
	}
}

func TestAClockThatGoesBackDoesNotTakeThroughWithIt(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.flush()
	s.at(noon.Add(-2 * time.Hour))
	s.must(200, write("logging", logLines(1, noon.Add(-2*time.Hour))))
	s.flush()
	s.stop()
	s.start()
	s.must(200, write("logging", logLines(2, noon.Add(-2*time.Hour))))
	s.flush()
	for d := range s.store.sums {
		if !d.Hour.Equal(noon) {
			t.Errorf("counted in the hour %v, which was handed over already", d.Hour)
		}
	}
}

func TestNoticesGoOutOncePerItemDayAndLevel(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.limit(quota.Limits{meter.Series: 100, meter.Logs: 100})
	day := period.DayOf(noon, shanghai)
	expect := func(levels ...quota.Level) {
		t.Helper()
		s.flush()
		if len(s.store.notices) != len(levels) {
			t.Errorf("got %v, want %v", s.store.notices, levels)
		}
		for _, l := range levels {
			if s.store.notices[quota.Notice{WorkspaceID: "wksp_1", Item: meter.Series, Day: day, Level: l, Limit: 100}] == 0 {
				t.Errorf("no notice %s", l)
			}
		}
	}
	s.must(200, write("metric", metricLines(84, noon)))
	expect()
	s.must(200, write("metric", metricLines(85, noon)))
	expect(quota.Warning)
	s.must(403, write("metric", metricLines(101, noon)))
	expect(quota.Warning, quota.Exhausted)
	s.must(403, write("metric", metricLines(102, noon)))
	s.must(200, write("metric", metricLines(99, noon)))
	expect(quota.Warning, quota.Exhausted)
	for n, times := range s.store.notices {
		if times != 1 {
			t.Errorf("%v went out %d times", n, times)
		}
	}
}

func TestATokenIsReadAgainWhenItMayHaveChanged(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.must(200, write("object", logLines(1, noon)))
	s.must(200, write("object", logLines(2, noon)))
	if s.store.reads != 1 {
		t.Errorf("the store was read %d times for one token", s.store.reads)
	}
	locked := experience()
	locked.Workspace.State = workspace.Locked
	s.store.set(locked)
	s.must(200, write("object", logLines(3, noon)))
	s.at(noon.Add(tenantAge))
	s.must(403, write("object", logLines(4, noon)))
	fresh := experience()
	fresh.Token.Secret = "fresh"
	s.must(403, write("object", nil).as("fresh"))
	s.store.set(fresh)
	s.must(403, write("object", nil).as("fresh"))
	s.g.Invalidate("wksp_1")
	s.must(200, write("object", nil).as("fresh"))
}

func TestStrangersDoNotFillTheMemory(t *testing.T) {
	t.Parallel()
	c := newTenants(newMemory(), func() time.Time { return noon })
	for i := range maxTenants + 100 {
		if _, err := c.find(context.Background(), fmt.Sprint(i)); !errors.Is(err, workspace.ErrTokenUnknown) {
			t.Fatal(err)
		}
	}
	if n := len(c.entries); n > maxTenants {
		t.Errorf("%d tokens are remembered", n)
	}
}

func TestMoreThanABatchHoldsGoesOutInSeveral(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	ctx := context.Background()
	s.g.flushing.Lock()
	err := s.g.spool.transact(ctx, "test", func(ctx context.Context, tx *sql.Tx) error {
		for range maxBatchRows + 5 {
			if _, err := tx.ExecContext(ctx, `INSERT INTO spool_usage (usage) VALUES ('{"Deltas":[{"WorkspaceID":"w","Generation":1,"Item":"logs","Hour":"2026-03-01T04:00:00Z","Add":2}]}')`); err != nil {
				return err
			}
		}
		return nil
	})
	s.g.flushing.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	before := s.store.batches
	s.flush()
	if n := s.store.logs(1); n != 2*(maxBatchRows+5) || s.store.batches != before+2 {
		t.Errorf("counted %d in %d batches", n, s.store.batches-before)
	}
}

func TestASpoolIsOfOneGateway(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	other := New(Config{ID: "g2", SpoolPath: s.g.SpoolPath, Store: s.store, Now: s.clock, Log: s.g.Log})
	if err := other.Start(context.Background()); err == nil {
		t.Error("another gateway took the spool")
	}
}

func TestTheGatewayTellsItsMetrics(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.must(200, write("metric", metricLines(2, noon)))
	s.must(200, write("metric", metricLines(2, noon)))
	s.must(403, write("metric", metricLines(2, noon)).as("other"))
	registry := prometheus.NewRegistry()
	registry.MustRegister(s.g)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	outcomes := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == "tollgate_gateway_reports_total" {
				outcomes[m.GetLabel()[1].GetValue()] = m.GetCounter().GetValue()
			}
		}
	}
	if want := map[string]float64{accepted: 1, duplicate: 1, "token_unknown": 1}; !maps.Equal(outcomes, want) {
		t.Errorf("got %v, want %v", outcomes, want)
	}
}
