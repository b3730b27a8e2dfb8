package gateway

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"tollgate.dev/internal/meter"
	"tollgate.dev/internal/quota"
)

// front stands before a gateway that is replaced while clients go on, and
// counts what they are answered.
type front struct {
	*stage
	url      string
	answered [600]atomic.Int64
}

func newFront(s *stage) *front {
	f := &front{stage: s}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		counting := &statusWriter{ResponseWriter: w, status: 200}
		f.g.Handler().ServeHTTP(counting, r)
		f.answered[counting.status].Add(1)
	}))
	s.t.Cleanup(server.Close)
	f.url = server.URL
	return f
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// meterOf is OpenTelemetry's SDK for Go with its exporter, gzip as it likes.
func (f *front) meterOf(t *testing.T) (metric.Meter, *sdkmetric.MeterProvider) {
	t.Helper()
	exporter, err := otlpmetrichttp.New(t.Context(), otlpmetrichttp.WithEndpointURL(f.url+"/v1/metrics"), otlpmetrichttp.WithInsecure(),
		otlpmetrichttp.WithHeaders(map[string]string{"X-Token": token}), otlpmetrichttp.WithCompression(otlpmetrichttp.GzipCompression),
		otlpmetrichttp.WithRetry(otlpmetrichttp.RetryConfig{Enabled: true, InitialInterval: 20 * time.Millisecond, MaxInterval: 50 * time.Millisecond, MaxElapsedTime: time.Minute}))
	if err != nil {
		t.Fatal(err)
	}
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewPeriodicReader(exporter, sdkmetric.WithInterval(time.Hour))))
	t.Cleanup(func() { _ = provider.Shutdown(context.Background()) })
	return provider.Meter("shop"), provider
}

func TestOpenTelemetrysSDKIsCountedExactlyThroughTheDay(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.at(time.Now())
	f := newFront(s)
	m, provider := f.meterOf(t)
	orders, err := m.Int64Counter("orders")
	if err != nil {
		t.Fatal(err)
	}
	add := func(from, to int) {
		for i := from; i < to; i++ {
			orders.Add(t.Context(), 1, metric.WithAttributes(attribute.Int("customer", i)))
		}
	}
	counted := func() int {
		s.flush()
		return int(s.kept()["timeseries/@7d"])
	}

	add(0, 40)
	if err := provider.ForceFlush(t.Context()); err != nil || counted() != 40 {
		t.Fatalf("as usual: %v, %d series, want 40", err, counted())
	}

	s.limit(quota.Limits{meter.Series: 40})
	add(40, 60)
	if err := provider.ForceFlush(t.Context()); err == nil || f.answered[403].Load() != 1 || counted() != 40 {
		t.Fatalf("over quota: %v, answered 403 %d times, %d series", err, f.answered[403].Load(), counted())
	}
	s.limit(nil)
	if err := provider.ForceFlush(t.Context()); err != nil || counted() != 60 {
		t.Fatalf("with room again: %v, %d series, want 60", err, counted())
	}

	s.g.ready.Store(false)
	add(60, 80)
	done := make(chan error, 1)
	go func() { done <- provider.ForceFlush(t.Context()) }()
	eventually(t, "the exporter tries again", func() bool { return f.answered[503].Load() >= 2 })
	s.g.ready.Store(true)
	if err := <-done; err != nil || counted() != 80 {
		t.Fatalf("after an overload: %v, %d series, want 80", err, counted())
	}

	s.stop()
	s.start()
	add(80, 100)
	if err := provider.ForceFlush(t.Context()); err != nil || counted() != 100 {
		t.Fatalf("after a restart: %v, %d series, want 100", err, counted())
	}
	if got := len(s.records(1, meter.Metric)); got != 40+60+80+100 {
		t.Errorf("the sink holds %d samples, want each of four exports once", got)
	}
}

func TestOpenTelemetrysSpansAreCountedOnce(t *testing.T) {
	t.Parallel()
	s := newStage(t, all())
	s.at(time.Now())
	f := newFront(s)
	exporter, err := otlptracehttp.New(t.Context(), otlptracehttp.WithEndpointURL(f.url+"/v1/traces"), otlptracehttp.WithInsecure(), otlptracehttp.WithHeaders(map[string]string{"Authorization": "Bearer " + token}),
		otlptracehttp.WithRetry(otlptracehttp.RetryConfig{Enabled: true, InitialInterval: 20 * time.Millisecond, MaxInterval: 50 * time.Millisecond, MaxElapsedTime: time.Minute}))
	if err != nil {
		t.Fatal(err)
	}
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter, sdktrace.WithBatchTimeout(time.Hour)))
	t.Cleanup(func() { _ = provider.Shutdown(context.Background()) })
	s.g.ready.Store(false)
	for i := range 30 {
		ctx, root := provider.Tracer("shop").Start(t.Context(), fmt.Sprint("checkout ", i))
		_, child := provider.Tracer("shop").Start(ctx, "pay")
		child.End()
		root.End()
	}
	done := make(chan error, 1)
	go func() { done <- provider.ForceFlush(t.Context()) }()
	eventually(t, "the exporter tries again", func() bool { return f.answered[503].Load() >= 2 })
	s.g.ready.Store(true)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	s.flush()
	got := s.kept()
	if got["apm_trace/@7d"] != 30 || got["apm_trace/spans@7d"] != 60 || len(s.records(1, meter.Tracing)) != 60 {
		t.Errorf("counted %v and stored %d, want 30 traces of 60 spans", got, len(s.records(1, meter.Tracing)))
	}
}
