package gateway

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"tollgate.dev/internal/meter"
	"tollgate.dev/internal/quota"
)

// kept sums what the store has by item, counter and class.
func (s *stage) kept() map[string]int64 {
	s.flush()
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	found := map[string]int64{}
	for d, n := range s.store.sums {
		found[d.Item+"/"+d.Counter+"@"+d.Class] += n
	}
	for key, set := range s.store.sets {
		found[key.Item+"/"+key.Counter+"@"+key.Class] += int64(len(set))
	}
	return found
}

// lines posts line protocol of a category; each line gets its own instant.
func (s *stage) lines(category string, status int, lines ...string) {
	s.t.Helper()
	var body strings.Builder
	for i, line := range lines {
		fmt.Fprintf(&body, "%s %d\n", line, s.clock().UnixNano()+int64(i))
	}
	s.must(status, call{path: "/v1/write/" + category + "?token=" + token, body: []byte(body.String())})
}

func tracesAreTenSpans(item string) (string, int) {
	if item == meter.Traces {
		return meter.Spans, 1
	}
	return "", 0
}

// all is a Commercial tenant with a class for every type.
func all() Tenant {
	t := experience()
	t.Workspace.Plan = "commercial"
	t.Classes = map[meter.Type]string{
		meter.Metric: "3d", meter.Logging: "14d", meter.Tracing: "7d", meter.RUM: "30d", meter.Profiling: "3d",
	}
	return t
}

func TestEveryCategoryIsCountedAndKept(t *testing.T) {
	t.Parallel()
	s := newStage(t, all())
	s.lines("tracing", 200, "web,trace_id=a n=1i", "web,trace_id=a n=2i", "web,trace_id=b n=1i")
	s.lines("rum", 200, "view,app_id=1,view_id=v,session_id=s,has_replay=true n=1i", "error,app_id=1 n=1i")
	s.lines("network", 200, "netflow,host=a n=1i", "netflow,host=b n=1i")
	s.lines("security", 200, "checker,host=a n=1i")
	s.lines("dialtesting", 200, "http_dial_testing,owner=default n=1i", "http_dial_testing,owner=me n=1i")
	s.lines("profiling", 200, "profile,host=a n=1i")
	s.lines("object", 200, "HOST,name=a n=1i")
	s.at(s.clock().Add(time.Hour)) // a trace counts in each hour, a view and a session once a day
	s.lines("tracing", 200, "web,trace_id=b n=3i")
	s.lines("rum", 200, "view,app_id=1,view_id=v,session_id=s,has_replay=true n=2i")
	want := map[string]int64{
		"apm_trace/@7d": 3, "apm_trace/spans@7d": 4, "rum_pv/@30d": 1, "rum_pv/rum_events@30d": 1,
		"session_replay/@none": 1, "network_host/@none": 2, "logs/@14d": 2, "synthetic_test/@none": 1, "datakit_host/@none": 1,
	}
	got := s.kept()
	for key, n := range want {
		if got[key] != n {
			t.Errorf("%s: counted %d, want %d", key, got[key], n)
		}
		delete(got, key)
	}
	if len(got) > 0 {
		t.Errorf("counted besides: %v", got)
	}
	for kind, class := range map[meter.Type]string{meter.Tracing: "7d", meter.RUM: "30d", meter.Network: "14d", meter.Profiling: "3d"} {
		if records := s.records(1, kind); len(records) == 0 || records[0].Class != class {
			t.Errorf("%s: stored %d records, want some of class %s", kind, len(records), class)
		}
	}
}

func TestTheSecondCounterUsesUpTheQuotaToo(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.g.Alternative = tracesAreTenSpans
	s.limit(quota.Limits{meter.Traces: 2})
	s.lines("tracing", 200, slicesOf(19, "web,trace_id=a n=1i")...) // one trace; spans of 1.9
	s.lines("tracing", 403, "web,trace_id=b n=1i", "web,trace_id=c n=1i")
	s.lines("tracing", 200, "web,trace_id=a n=1i") // 20 spans are the two
	s.lines("tracing", 403, "web,trace_id=a n=2i")
	s.lines("logging", 200, "nginx,host=a n=1i") // other items flow on
	if got := s.kept(); got["apm_trace/@7d"] != 1 || got["apm_trace/spans@7d"] != 20 {
		t.Errorf("counted %v, want 1 trace of 20 spans: what was refused counts nothing", got)
	}
}

func TestQuotasHoldOverAStop(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.limit(quota.Limits{meter.Traces: 2, meter.PageViews: 2})
	s.lines("tracing", 200, "web,trace_id=a n=1i", "web,trace_id=b n=1i")
	s.lines("rum", 200, "view,app_id=1,view_id=v n=1i")
	s.stop()
	s.start()
	s.lines("tracing", 403, "web,trace_id=c n=1i")
	s.lines("rum", 200, "view,app_id=1,view_id=v n=1i", "view,app_id=1,view_id=w n=1i")
	s.lines("rum", 403, "view,app_id=1,view_id=x n=1i")
	if got := s.kept(); got["apm_trace/@7d"] != 2 || got["rum_pv/@7d"] != 2 {
		t.Errorf("counted %v, want 2 traces and 2 views", got)
	}
}

func slicesOf(n int, line string) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = line
	}
	return list
}
