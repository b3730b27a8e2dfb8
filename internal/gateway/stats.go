package gateway

import "github.com/prometheus/client_golang/prometheus"

// stats are the gateway's own metrics; register the Gateway as a collector.
type stats struct {
	reports       *prometheus.CounterVec
	points        *prometheus.CounterVec
	bytes         *prometheus.CounterVec
	flushFailures prometheus.Counter
	through       prometheus.Gauge
}

func newStats() *stats {
	counters := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "tollgate", Subsystem: "gateway", Name: name, Help: help}, labels)
	}
	return &stats{
		reports: counters("reports_total", "Reports by protocol and outcome: accepted, duplicate, or the code of the refusal.", "door", "outcome"),
		points:  counters("points_total", "Points stored, by type.", "type"),
		bytes:   counters("received_bytes_total", "Bytes of bodies received, packed as they came.", "door"),
		flushFailures: prometheus.NewCounter(prometheus.CounterOpts{Namespace: "tollgate", Subsystem: "gateway", Name: "flush_failures_total",
			Help: "Flushes that the store did not take; their usage stays in the spool."}),
		through: prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "tollgate", Subsystem: "gateway", Name: "flushed_through_seconds",
			Help: "Everything received before this time is in the store."}),
	}
}

func (s *stats) all() []prometheus.Collector {
	return []prometheus.Collector{s.reports, s.points, s.bytes, s.flushFailures, s.through}
}

// Describe implements prometheus.Collector.
func (g *Gateway) Describe(ch chan<- *prometheus.Desc) {
	for _, c := range g.stats.all() {
		c.Describe(ch)
	}
}

// Collect implements prometheus.Collector.
func (g *Gateway) Collect(ch chan<- prometheus.Metric) {
	for _, c := range g.stats.all() {
		c.Collect(ch)
	}
}
