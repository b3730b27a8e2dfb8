package gateway

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"tollgate.dev/internal/logindex"
	"tollgate.dev/internal/meter"
	"tollgate.dev/internal/quota"
	"tollgate.dev/internal/retention"
)

// routed is a tenant whose nginx logs go into the index web, which is kept for
// 3 days, 60 from the given instant on.
func routed(t Tenant, at time.Time) Tenant {
	rules := logindex.Routing{Rules: []logindex.Rule{{Field: logindex.Source, Value: "nginx", Index: "web"}}}
	t.Indexes = Indexes{
		Router:  rules.Router([]retention.Setting{{Target: retention.IndexOf("own")}}),
		Classes: map[string]string{"web": "3d", "own": "30d"}, Next: map[string]string{"web": "60d", "own": "30d"},
	}
	t.NextAt, t.Next = at, t.Classes
	return t
}

// mixed are lines of two sources in turn.
func mixed(n int, at time.Time) []byte {
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, "%s,host=h message=\"line %d\" %d\n", [...]string{"nginx", "app"}[i%2], i, at.UnixNano())
	}
	return b.Bytes()
}

// byIndex sums what the store has of logs by class and index, and what the
// sink has.
func (s *stage) byIndex() (counted map[string]int64, stored map[string]int64) {
	s.flush()
	counted, stored = map[string]int64{}, map[string]int64{}
	s.store.mu.Lock()
	for d, n := range s.store.sums {
		counted[d.Class+"/"+d.Index] += n
	}
	s.store.mu.Unlock()
	for _, r := range s.records(1, meter.Logging) {
		stored[r.Class+"/"+r.Index]++
	}
	return counted, stored
}

func (s *stage) expectIndexes(want string) {
	s.t.Helper()
	counted, stored := s.byIndex()
	if got := fmt.Sprint(counted); got != want {
		s.t.Errorf("counted %s, want %s", got, want)
	}
	if got := fmt.Sprint(stored); got != want {
		s.t.Errorf("stored %s, want %s", got, want)
	}
}

func TestAReportIsToldApartByIndex(t *testing.T) {
	t.Parallel()
	midnight := noon.Add(12 * time.Hour)
	s := newStage(t, routed(commercial(nil, time.Time{}), midnight))
	s.must(200, write("logging", mixed(7, noon)))
	s.must(200, write("logging", mixed(7, noon))) // the same again counts once
	s.expectIndexes("map[14d/:3 3d/web:4]")
	s.must(200, with(write("logging", mixed(5, noon.Add(time.Second))), indexHeader, "own"))
	s.must(200, with(write("logging", mixed(2, noon.Add(2*time.Second))), indexHeader, "default"))
	s.must(200, with(write("logging", mixed(2, noon.Add(3*time.Second))), indexHeader, "invented"))
	s.expectIndexes("map[14d/:6 30d/own:5 3d/web:5]")
	s.must(200, with(write("logging", mixed(7, noon)), indexHeader, "own")) // for another index it is another report
	s.stop()
	s.start()
	s.at(midnight)
	s.must(200, write("logging", mixed(2, midnight)))
	s.expectIndexes("map[14d/:7 30d/own:12 3d/web:5 60d/web:1]")
}

// TestAQuotaIsOfTheItemWhateverTheIndex fills the quota of logs over indexes.
func TestAQuotaIsOfTheItemWhateverTheIndex(t *testing.T) {
	t.Parallel()
	s := newStage(t, routed(experience(), time.Time{}))
	s.limit(quota.Limits{meter.Logs: 10})
	s.must(200, write("logging", mixed(8, noon)))
	s.must(403, write("logging", mixed(3, noon.Add(time.Second)))) // 2 of nginx would fit, 3 in all do not
	s.must(200, write("logging", mixed(2, noon.Add(2*time.Second))))
	s.must(403, write("logging", mixed(1, noon.Add(3*time.Second))))
	s.expectIndexes("map[3d/web:5 7d/:5]")
}
