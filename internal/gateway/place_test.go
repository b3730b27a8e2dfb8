package gateway

import (
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"tollgate.dev/internal/meter"
	"tollgate.dev/internal/quota"
	"tollgate.dev/internal/sink"
	"tollgate.dev/internal/workspace"
)

// newBlindStage is a stage whose sink looks at no points, so that reports of
// metrics are read in place.
func newBlindStage(t *testing.T) *stage {
	s := newStage(t)
	s.stop()
	s.g.Sink = sink.Discard{}
	local := s.sink
	s.sink = sink.Discard{}
	t.Cleanup(func() { local.Close() })
	s.start()
	return s
}

// countedSeries is how many the store has, of generation 1, after a flush.
func (s *stage) countedSeries() int {
	s.t.Helper()
	s.flush()
	return s.store.series(1)
}

func TestSeriesReadInPlaceCountOnceADay(t *testing.T) {
	t.Parallel()
	s := newBlindStage(t)
	for n := range 4 {
		at := noon.Add(time.Duration(n) * time.Second)
		s.must(204, influx(metricLines(10, at)))
		s.must(200, with(write("metric", zipped(metricLines(12, at))), "Content-Encoding", "gzip"))
		s.must(204, remote(samples(5, at)))
	}
	if n := s.countedSeries(); n != 12+5 {
		t.Errorf("counted %d series, want 17", n)
	}
	s.at(noon.Add(12 * time.Hour)) // midnight
	s.must(204, influx(metricLines(10, s.clock())))
	s.must(204, remote(samples(3, s.clock())))
	if n := s.seriesOf(s.clock()); n != 13 {
		t.Errorf("counted %d series on the next day, want 13", n)
	}
}

// seriesOf is how many the store has of the service day of an instant.
func (s *stage) seriesOf(at time.Time) (n int) {
	s.t.Helper()
	s.flush()
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	for key, set := range s.store.sets {
		if key.Item == meter.Series && key.day.Start(shanghai).Equal(at.In(shanghai).Truncate(time.Hour)) {
			n += len(set)
		}
	}
	return n
}

// What was read before midnight and admitted after it counts for the new day.
func TestAReportThatIsReadBeforeMidnightCountsWholeAfterIt(t *testing.T) {
	t.Parallel()
	s := newBlindStage(t)
	at := noon.Add(12*time.Hour - time.Second)
	s.at(at)
	for n := range 2 {
		s.must(204, influx(metricLines(10, at.Add(time.Duration(n)))))
	}
	tenant := experience()
	in, err := influxReport(httptest.NewRequest("POST", "/write", nil))
	if err != nil {
		t.Fatal(err)
	}
	c, err := s.g.read(tenant, in, metricLines(10, at.Add(2)), at)
	if err != nil || c.digest == nil || len(c.digest.Tally[0].Members) != 0 {
		t.Fatalf("read %+v, %v", c, err)
	}
	s.at(at.Add(2 * time.Second))
	if err := s.g.keep(t.Context(), tenant, in, c, sink.Key{1}, true); err != nil {
		t.Fatal(err)
	}
	if n := s.seriesOf(noon.Add(12 * time.Hour)); n != 10 {
		t.Errorf("counted %d series on the new day, want 10", n)
	}
}

// What the quota refused is not known: it counts when there is room.
func TestARefusedReportTeachesNothing(t *testing.T) {
	t.Parallel()
	s := newBlindStage(t)
	s.limit(quota.Limits{meter.Series: 10})
	s.must(204, influx(metricLines(6, noon)))
	s.must(409, influx(metricLines(20, noon)))
	s.must(409, influx(metricLines(20, noon.Add(1))))
	s.limit(quota.Limits{meter.Series: 20})
	s.must(204, influx(metricLines(20, noon)))
	if n := s.countedSeries(); n != 20 {
		t.Errorf("counted %d series, want 20", n)
	}
}

func TestAGenerationKnowsNothingOfAnother(t *testing.T) {
	t.Parallel()
	s := newBlindStage(t)
	for n := range 2 {
		s.must(204, influx(metricLines(10, noon.Add(time.Duration(n)))))
	}
	upgraded := experience()
	upgraded.Workspace.Plan, upgraded.Workspace.Generation = workspace.Commercial, 2
	s.store.set(upgraded)
	s.g.Invalidate(upgraded.Workspace.ID)
	s.must(204, influx(metricLines(10, noon.Add(3))))
	s.flush()
	if a, b := s.store.series(1), s.store.series(2); a != 10 || b != 10 {
		t.Errorf("counted %d and %d series, want 10 and 10", a, b)
	}
}

func TestAMalformedNumberNamesItsLineAlsoWhenReadInPlace(t *testing.T) {
	t.Parallel()
	s := newBlindStage(t)
	for range 2 {
		s.must(204, influx(metricLines(10, s.clock())))
		s.at(s.clock().Add(time.Second))
	}
	bad := append(metricLines(3, noon), "cpu,host=h0003 usage=1x 1\n"...)
	if got := s.must(400, influx(bad)); got.body["line"] != 4.0 {
		t.Errorf("answered %v", got.body)
	}
	if got := s.must(400, influx([]byte(fmt.Sprintf("cpu,host=h0000 usage=1 %d\n", noon.AddDate(-40, 0, 0).UnixNano())))); got.body["code"] != "timestamp_out_of_range" {
		t.Errorf("answered %v", got.body)
	}
}
