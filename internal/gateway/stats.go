package gateway

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// stats are the gateway's own metrics; register the Gateway as a collector.
type stats struct {
	reports       *prometheus.CounterVec
	points        *prometheus.CounterVec
	bytes         *prometheus.CounterVec
	flushFailures prometheus.Counter
	flushTime     prometheus.Histogram
	sinkWrite     prometheus.Histogram
	through       prometheus.Gauge
	age           prometheus.GaugeFunc
	spooled       prometheus.GaugeFunc
	streets       prometheus.GaugeFunc

	last atomic.Int64 // through, in microseconds; zero before the first flush
}

const subsystem = "gateway"

func newStats(g *Gateway) *stats {
	counters := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "tollgate", Subsystem: subsystem, Name: name, Help: help}, labels)
	}
	times := func(name, help string) prometheus.Histogram {
		return prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: "tollgate", Subsystem: subsystem, Name: name, Help: help, Buckets: prometheus.ExponentialBuckets(0.001, 2, 14)})
	}
	gauge := func(name, help string) prometheus.GaugeOpts {
		return prometheus.GaugeOpts{Namespace: "tollgate", Subsystem: subsystem, Name: name, Help: help}
	}
	s := &stats{
		reports: counters("reports_total", "Reports by protocol and outcome: accepted, duplicate, or the code of the refusal.", "door", "outcome"),
		points:  counters("points_total", "Points stored, by type.", "type"),
		bytes:   counters("received_bytes_total", "Bytes of bodies received, packed as they came.", "door"),
		flushFailures: prometheus.NewCounter(prometheus.CounterOpts{Namespace: "tollgate", Subsystem: subsystem, Name: "flush_failures_total",
			Help: "Flushes that the store did not take; their usage stays in the spool."}),
		flushTime: times("flush_seconds", "How long a flush of usage to the store took."),
		sinkWrite: times("sink_write_seconds", "How long the sink took to store a report."),
		through:   prometheus.NewGauge(gauge("flushed_through_seconds", "Everything received before this time is in the store.")),
	}
	s.age = prometheus.NewGaugeFunc(gauge("spool_age_seconds", "For how long the store has not heard of everything that was received."), func() float64 {
		last := s.last.Load()
		if last == 0 {
			return 0
		}
		return max(0, g.Now().Sub(time.UnixMicro(last)).Seconds())
	})
	s.spooled = prometheus.NewGaugeFunc(gauge("spool_depth", "Reports and batches in the spool that the store does not have yet; -1 when it could not be read."), g.depth)
	s.streets = prometheus.NewGaugeFunc(gauge("workspaces", "Workspaces that reported within the last minute."), func() float64 { return float64(g.traffic.size()) })
	return s
}

// depthWithin bounds how long a scrape waits for the spool.
const depthWithin = 2 * time.Second

func (g *Gateway) depth() float64 {
	if !g.ready.Load() {
		return -1
	}
	ctx, cancel := context.WithTimeout(context.Background(), depthWithin)
	defer cancel()
	n, err := g.spool.waiting(ctx)
	if err != nil {
		return -1
	}
	return float64(n)
}

// flushed notes through when the store knows everything.
func (s *stats) flushed(through time.Time) {
	s.through.Set(float64(through.Unix()))
	s.last.Store(through.UnixMicro())
}

func (s *stats) all() []prometheus.Collector {
	return []prometheus.Collector{s.reports, s.points, s.bytes, s.flushFailures, s.flushTime, s.sinkWrite, s.through, s.age, s.spooled, s.streets}
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
