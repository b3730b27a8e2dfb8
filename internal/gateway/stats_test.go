package gateway

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// TestTheDashboardShowsMetricsThatExist reads the dashboard that is shipped
// and what the gateway gives a scrape.
func TestTheDashboardShowsMetricsThatExist(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/grafana/gateway.json")
	if err != nil {
		t.Fatal(err)
	}
	if !json.Valid(text) {
		t.Fatal("the dashboard is no JSON")
	}
	s := newStage(t)
	s.must(204, call{path: "/api/v2/write", header: header(), body: []byte("cpu,host=a usage=1")})
	s.flush()
	registry := prometheus.NewRegistry()
	registry.MustRegister(s.g)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	given := map[string]bool{}
	for _, f := range families {
		given[f.GetName()] = true
	}
	shown := map[string]bool{}
	for _, name := range regexp.MustCompile(`tollgate_gateway_[a-z_]+`).FindAllString(string(text), -1) {
		name = strings.TrimSuffix(name, "_bucket")
		if shown[name] = true; !given[name] {
			t.Errorf("the dashboard shows %s, which the gateway does not give", name)
		}
	}
	for name := range given {
		if !shown[name] {
			t.Errorf("the dashboard does not show %s", name)
		}
	}
	for _, f := range families {
		if f.GetName() == "tollgate_gateway_spool_depth" && f.GetMetric()[0].GetGauge().GetValue() != 0 {
			t.Errorf("after a flush the spool holds %v", f.GetMetric()[0])
		}
	}
}
