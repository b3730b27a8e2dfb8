package gateway

import (
	"testing"
	"time"

	"tollgate.dev/internal/meter"
	"tollgate.dev/internal/workspace"
)

func commercial(next map[meter.Type]string, at time.Time) Tenant {
	t := experience()
	t.Workspace.Plan = workspace.Commercial
	t.Classes = map[meter.Type]string{meter.Metric: "7d", meter.Logging: "14d", meter.Event: "60d"}
	t.Next, t.NextAt = next, at
	return t
}

// counted sums what the store has by item and class.
func (s *stage) counted() map[string]int64 {
	s.flush()
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	found := map[string]int64{}
	for d, n := range s.store.sums {
		found[d.Item+"@"+d.Class] += n
	}
	for key, set := range s.store.sets {
		found[key.Item+"@"+key.Class] += int64(len(set))
	}
	return found
}

// TestAChangeThatWaitsActsAtItsInstant sends two reports within the time for
// which a tenant is remembered, one on each side of midnight.
func TestAChangeThatWaitsActsAtItsInstant(t *testing.T) {
	t.Parallel()
	midnight := noon.Add(12 * time.Hour)
	s := newStage(t, commercial(map[meter.Type]string{meter.Metric: "7d", meter.Logging: "3d", meter.Event: "60d"}, midnight))
	s.at(midnight.Add(-time.Millisecond))
	s.must(200, write("logging", logLines(4, midnight)))
	s.must(200, write("keyevent", logLines(1, midnight)))
	reads := s.store.reads
	s.at(midnight)
	s.must(200, write("logging", logLines(3, midnight)))
	s.must(200, write("keyevent", logLines(2, midnight)))
	s.must(200, write("object", logLines(1, midnight)))
	if s.store.reads != reads {
		t.Fatalf("the tenant was read %d times more, so that this shows nothing", s.store.reads-reads)
	}
	if got := s.counted(); got["logs@14d"] != 5 || got["logs@3d"] != 5 || len(got) != 2 {
		t.Errorf("counted %v, want 5 in 14d and 5 in 3d: events count as the default index does", got)
	}
	kept := map[string]int{}
	for _, m := range []meter.Type{meter.Logging, meter.Event, meter.Object} {
		for _, r := range s.records(1, m) {
			kept[string(m)+"@"+r.Class]++
		}
	}
	if kept["logging@14d"] != 4 || kept["logging@3d"] != 3 || kept["keyevent@60d"] != 3 || kept["object@3d"] != 1 {
		t.Errorf("kept %v", kept)
	}
}

func TestASeriesIsNotCountedAgainInTheNextClass(t *testing.T) {
	t.Parallel()
	s := newStage(t, commercial(nil, time.Time{}))
	s.must(200, write("metric", metricLines(3, noon)))
	changed := commercial(nil, time.Time{})
	changed.Classes[meter.Metric] = "30d"
	s.store.set(changed)
	s.g.Invalidate("wksp_1")
	s.must(200, write("metric", metricLines(5, noon.Add(time.Second))))
	if got := s.counted(); got["timeseries@7d"] != 3 || got["timeseries@30d"] != 2 {
		t.Errorf("counted %v, want 3 in 7d and 2 in 30d", got)
	}
	s.stop()
	s.start() // a gateway that starts knows the sets of all classes
	s.must(200, write("metric", metricLines(6, noon.Add(2*time.Second))))
	if got := s.counted(); got["timeseries@7d"] != 3 || got["timeseries@30d"] != 3 {
		t.Errorf("counted %v, want 3 in 7d and 3 in 30d", got)
	}
}
