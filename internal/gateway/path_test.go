package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tollgate.dev/internal/meter"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/quota"
	"tollgate.dev/internal/sink"
	"tollgate.dev/internal/workspace"
)

// failing is a sink whose disk fails until it is healed.
type failing struct {
	sink.Sink
	mu  sync.Mutex
	err error
}

func (f *failing) Write(ctx context.Context, reports []sink.Report) error {
	f.mu.Lock()
	err := f.err
	f.mu.Unlock()
	if err != nil {
		return err
	}
	return f.Sink.Write(ctx, reports)
}

func (f *failing) heal() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = nil
}

func TestAReportThatComesAgainIsCountedOnce(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for range 3 {
		s.must(200, write("logging", logLines(4, noon)))
		s.must(204, remote(samples(2, noon)))
	}
	s.expect(2, 4, 6)
	s.stop()
	s.start()
	s.must(200, write("logging", logLines(4, noon)))
	s.at(noon.Add(ackWindow + time.Minute))
	s.expect(2, 4, 6)
	s.must(200, write("logging", logLines(4, noon)))
	s.expect(2, 8, 6) // beyond the window it is another report to the meter; the sink knows it still
}

func TestEqualBodiesWithoutTimesAreTwoReportsUnlessTheClientSaysSo(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	body := []byte("nginx message=\"hello\"")
	s.must(200, write("logging", body))
	s.must(200, write("logging", body))
	s.expect(0, 2, 2)
	s.must(200, with(write("logging", body), "X-Fail-Cache-Retry", "1"))
	s.expect(0, 2, 2)
	s.must(200, with(write("logging", append(body, '\n')), "X-Fail-Cache-Retry", "1"))
	s.expect(0, 3, 3)
}

func TestAGatewayThatNeverStartedStopsQuietly(t *testing.T) {
	t.Parallel()
	g := New(Config{ID: "g1", Now: func() time.Time { return noon }})
	if err := g.Stop(context.Background()); err != nil {
		t.Error(err)
	}
	if err := g.Flush(context.Background()); err == nil {
		t.Error("a gateway without a spool flushed")
	}
}

func TestTheSameBodyAtOnceIsCountedOnce(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	var clients sync.WaitGroup
	for range 20 {
		clients.Go(func() { s.must(200, write("logging", logLines(4, noon))) })
	}
	clients.Wait()
	s.expect(0, 4, 4)
}

func TestTheStoreTakesABatchOnceThoughItsAnswerIsLost(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.must(200, write("logging", logLines(4, noon)))
	s.must(200, write("metric", metricLines(4, noon)))
	s.store.fail(nil, true)
	for range 3 {
		if err := s.g.Flush(context.Background()); !errors.Is(err, errLost) {
			t.Fatal(err)
		}
	}
	s.must(200, write("logging", logLines(5, noon)))
	s.store.fail(nil, false)
	s.expect(4, 9, 13)
}

func TestUsageWaitsInTheSpoolWhileTheStoreIsAway(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	away := errors.New("the store is away")
	s.store.fail(away, false)
	s.must(200, write("logging", logLines(4, noon)))
	if err := s.g.Flush(context.Background()); !errors.Is(err, away) {
		t.Fatal(err)
	}
	if err := s.g.Stop(context.Background()); !errors.Is(err, away) {
		t.Fatal(err)
	}
	s.start()
	got := s.must(503, write("logging", logLines(1, noon)))
	if got.body["code"] != "unavailable" {
		t.Errorf("got %s", got.text)
	}
	s.must(503, call{method: "GET", path: "/healthz"})
	s.store.fail(nil, false)
	if err := s.g.beat(context.Background()); err != nil {
		t.Fatal(err)
	}
	s.must(200, write("logging", logLines(1, noon)))
	s.expect(0, 5, 5)
}

func TestConcurrentReportsNeverPassAQuotaTogether(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.limit(quota.Limits{meter.Series: 50, meter.Logs: 70})
	var clients sync.WaitGroup
	for i := range 30 {
		clients.Go(func() {
			for j := range 5 {
				id := i*5 + j
				s.do(influx(fmt.Appendf(nil, "m,a=%d f=1,g=2,h=3 %d", id%40, noon.UnixNano()+int64(id))))
				s.do(write("logging", logLines(4, noon.Add(time.Duration(id)))))
			}
		})
	}
	clients.Wait()
	s.flush()
	// 50 is not divisible by 3, nor 70 by 4: the last that fits, and no more.
	if series, logs := s.store.series(1), s.store.logs(1); series != 48 || logs != 68 {
		t.Errorf("counted %d series and %d logs, want 48 and 68", series, logs)
	}
	if n := len(s.records(1, meter.Logging)); n != 68 {
		t.Errorf("stored %d logs, want 68", n)
	}
}

func TestWhatIsHeldByAFailingReportIsLetGo(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		k := &desk{zone: shanghai}
		if err := k.turn(context.Background(), newDesks(newMemory()), workspace.Workspace{}, period.DayOf(noon, shanghai)); err != nil {
			rt.Fatal(err)
		}
		g := New(Config{Now: func() time.Time { return noon }, Log: slog.New(slog.DiscardHandler)})
		limits := quota.Limits{meter.Series: 12}
		settled := map[uint64]bool{}
		var open []*admission
		tenant := Tenant{Classes: map[meter.Type]string{meter.Metric: "7d"}}
		for range rapid.IntRange(0, 60).Draw(rt, "steps") {
			switch rapid.IntRange(0, 2).Draw(rt, "step") {
			case 0:
				a := &admission{desk: k, day: k.day, limits: limits, end: func() {}}
				series := rapid.SliceOfNDistinct(rapid.Uint64Range(0, 20), 1, 6, rapid.ID).Draw(rt, "series")
				if a.hold(g, tenant, meter.Tally{{Item: meter.Series, Priced: meter.Metric, Members: series}}) == nil {
					open = append(open, a)
				}
			default:
				if len(open) == 0 {
					continue
				}
				i := rapid.IntRange(0, len(open)-1).Draw(rt, "which")
				a := open[i]
				open = append(open[:i], open[i+1:]...)
				if rapid.Bool().Draw(rt, "fails") {
					a.release()
					continue
				}
				for _, h := range a.holdings[0].members {
					settled[h] = true
				}
				a.settle(g)
			}
			held := map[uint64]bool{}
			for h := range settled {
				held[h] = true
			}
			for _, a := range open {
				for _, h := range a.holdings[0].members {
					held[h] = true
				}
			}
			used, sure := g.used(k, meter.Series, (*sum).all), g.used(k, meter.Series, (*sum).sure)
			if used != int64(len(held)) || sure != int64(len(settled)) || len(held) > 12 {
				rt.Fatalf("used %d of %d, settled %d of %d", used, len(held), sure, len(settled))
			}
		}
	})
}

func TestAFullItemStopsItselfAlone(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.limit(quota.Limits{meter.Series: 3000, meter.Logs: 2})
	s.must(403, write("logging", logLines(3, noon)))
	s.must(200, write("logging", logLines(2, noon)))
	s.must(403, write("logging", logLines(1, noon.Add(1))))
	s.must(200, write("metric", metricLines(2, noon)))
	s.must(200, write("keyevent", logLines(1, noon)))
	s.must(200, write("object", logLines(1, noon)))
	s.must(403, write("logging", logLines(1, noon.Add(2))))
	s.expect(2, 3, 2+2+1+1)
}

func TestQuotasResetAtTheSitesMidnight(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.limit(quota.Limits{meter.Series: 2, meter.Logs: 2})
	midnight := time.Date(2026, 3, 2, 0, 0, 0, 0, shanghai)
	s.must(200, write("logging", logLines(2, noon)))
	s.must(200, write("metric", metricLines(2, noon)))
	s.at(midnight.Add(-time.Nanosecond))
	s.must(403, write("logging", logLines(1, noon)))
	s.must(403, write("metric", metricLines(1, noon)))
	s.at(midnight)
	s.must(200, write("logging", logLines(1, noon)))
	s.must(200, write("metric", metricLines(2, midnight)))
	s.must(403, write("metric", metricLines(1, noon)))
	s.expect(4, 3, 7)
	s.at(midnight.Add(30 * time.Hour))
	if err := s.g.beat(context.Background()); err != nil {
		t.Fatal(err)
	}
	if n := len(s.g.desks.desks); n != 0 {
		t.Errorf("%d desks of days gone by are kept", n)
	}
	s.must(200, write("metric", metricLines(2, noon.Add(1))))
}

func TestARestartForgetsNeitherQuotasNorSeries(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.limit(quota.Limits{meter.Series: 4, meter.Logs: 4})
	s.must(200, write("logging", logLines(3, noon)))
	s.must(200, write("metric", metricLines(3, noon)))
	s.stop()
	s.start()
	s.must(403, write("logging", logLines(2, noon)))
	s.must(200, write("metric", metricLines(3, noon.Add(1))))
	s.must(403, write("metric", metricLines(5, noon.Add(2))))
	s.must(200, write("metric", metricLines(4, noon.Add(3))))
	s.expect(4, 3, 3+3+3+4)
}

func TestAnUpgradeLetsTheSameTokenGoOnAtOnce(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.limit(quota.Limits{meter.Series: 2, meter.Logs: 2})
	s.must(200, write("metric", metricLines(2, noon)))
	s.must(403, write("metric", metricLines(3, noon)))
	paid := experience()
	paid.Workspace.Plan, paid.Workspace.Generation = workspace.Commercial, 2
	paid.Classes = map[meter.Type]string{meter.Metric: "3d", meter.Logging: "14d"}
	s.store.set(paid)
	s.g.Invalidate(paid.Workspace.ID)
	s.must(200, write("metric", metricLines(3, noon)))
	s.must(200, write("logging", logLines(9, noon)))
	s.expect(2, 0, 2)
	if s.store.series(2) != 3 || s.store.logs(2) != 9 || len(s.records(2, "")) != 12 {
		t.Errorf("the new generation has %d series, %d logs, %d records", s.store.series(2), s.store.logs(2), len(s.records(2, "")))
	}
	for key := range s.store.sums {
		if key.Class != "14d" {
			t.Errorf("logs are counted under class %s", key.Class)
		}
	}
}

func TestNoWriteIsRefusedOrLostThroughAnUpgrade(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	var clients sync.WaitGroup
	half := make(chan struct{})
	for i := range 8 {
		clients.Go(func() {
			for j := range 20 {
				if i == 0 && j == 10 {
					close(half)
				}
				s.must(200, write("logging", logLines(1, noon.Add(time.Duration(i*100+j)))))
			}
		})
	}
	<-half
	paid := experience()
	paid.Workspace.Plan, paid.Workspace.Generation = workspace.Commercial, 2
	s.store.set(paid)
	s.g.Invalidate(paid.Workspace.ID)
	s.must(200, write("logging", logLines(1, noon.Add(time.Hour))))
	if n := len(s.records(2, "")); n == 0 {
		t.Error("what came after the upgrade is not of the new generation")
	}
	clients.Wait()
	s.flush()
	if n := s.store.logs(1) + s.store.logs(2); n != 161 {
		t.Errorf("counted %d of 161", n)
	}
	if a, b := len(s.records(1, "")), len(s.records(2, "")); int64(a) != s.store.logs(1) || int64(b) != s.store.logs(2) {
		t.Errorf("stored %d and %d, counted %d and %d", a, b, s.store.logs(1), s.store.logs(2))
	}
}
