package meter

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	common "go.opentelemetry.io/proto/otlp/common/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"tollgate.dev/internal/fault"
)

// The requests are encoded by OpenTelemetry's own types.

func marshal(t testing.TB, m proto.Message) []byte {
	t.Helper()
	body, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func str(key, value string) *common.KeyValue {
	return &common.KeyValue{Key: key, Value: &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: value}}}
}

func web() *resourcepb.Resource {
	return &resourcepb.Resource{Attributes: []*common.KeyValue{str("service.name", "web"), str("host", "a")}}
}

func gauge(name string, points ...*metricspb.NumberDataPoint) *metricspb.Metric {
	return &metricspb.Metric{Name: name, Data: &metricspb.Metric_Gauge{Gauge: &metricspb.Gauge{DataPoints: points}}}
}

func metricsOf(list ...*metricspb.Metric) *metricspb.MetricsData {
	return &metricspb.MetricsData{ResourceMetrics: []*metricspb.ResourceMetrics{{
		Resource: web(), ScopeMetrics: []*metricspb.ScopeMetrics{{Metrics: list}},
	}}}
}

func TestOTLPMetricsAreSeries(t *testing.T) {
	t.Parallel()
	at := uint64(noon.UnixNano())
	body := marshal(t, metricsOf(
		gauge("temperature",
			&metricspb.NumberDataPoint{TimeUnixNano: at, Value: &metricspb.NumberDataPoint_AsDouble{AsDouble: 1.5}, Attributes: []*common.KeyValue{str("room", "1")}},
			&metricspb.NumberDataPoint{TimeUnixNano: at + 1, Value: &metricspb.NumberDataPoint_AsInt{AsInt: -2}, Attributes: []*common.KeyValue{str("room", "1")}},
			&metricspb.NumberDataPoint{TimeUnixNano: at, Value: &metricspb.NumberDataPoint_AsDouble{AsDouble: 3}, Attributes: []*common.KeyValue{str("room", "2"), str("host", "b")}},
			&metricspb.NumberDataPoint{TimeUnixNano: at, Flags: 1, Attributes: []*common.KeyValue{str("room", "3")}}),
		&metricspb.Metric{Name: "requests", Data: &metricspb.Metric_Sum{Sum: &metricspb.Sum{DataPoints: []*metricspb.NumberDataPoint{
			{TimeUnixNano: at, Value: &metricspb.NumberDataPoint_AsInt{AsInt: 7}}}}}},
		&metricspb.Metric{Name: "latency", Data: &metricspb.Metric_Histogram{Histogram: &metricspb.Histogram{DataPoints: []*metricspb.HistogramDataPoint{
			{TimeUnixNano: at, Count: 3, Sum: proto.Float64(4), BucketCounts: []uint64{1, 2}, ExplicitBounds: []float64{1}, Attributes: []*common.KeyValue{str("path", "/")}}}}}},
		&metricspb.Metric{Name: "size", Data: &metricspb.Metric_ExponentialHistogram{ExponentialHistogram: &metricspb.ExponentialHistogram{DataPoints: []*metricspb.ExponentialHistogramDataPoint{
			{TimeUnixNano: at, Count: 3, Attributes: []*common.KeyValue{str("path", "/")}}}}}},
		&metricspb.Metric{Name: "rpc", Data: &metricspb.Metric_Summary{Summary: &metricspb.Summary{DataPoints: []*metricspb.SummaryDataPoint{
			{Count: 3, Attributes: []*common.KeyValue{str("path", "/")}}}}}},
	))
	points, err := DecodeOTLPMetrics(body, noon)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range points {
		got = append(got, fmt.Sprintf("%s%v%s%d%v", p.Name, p.Tags, p.Fields[0].Key, p.Fields[0].Value.Kind, p.Stamped))
	}
	service := "{service.name web}"
	want := []string{
		"temperature[{host a} {room 1} " + service + "]value3true",
		"temperature[{host a} {room 1} " + service + "]value1true",
		"temperature[{host b} {room 2} " + service + "]value3true", // a point's attribute goes before its resource's
		"requests[{host a} " + service + "]value1true",
		"latency[{host a} {path /} " + service + "]histogram7true",
		"size[{host a} {path /} " + service + "]histogram7true",
		"rpc[{host a} {path /} " + service + "]histogram7false",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if n := len(series(Metric, points)); n != 6 {
		t.Errorf("counted %d series, want 6", n)
	}
	if v := points[1].Fields[0].Value.Int(); v != -2 {
		t.Errorf("read %d, want -2", v)
	}
}

func tracesOf(spans ...*tracepb.Span) *tracepb.TracesData {
	return &tracepb.TracesData{ResourceSpans: []*tracepb.ResourceSpans{{Resource: web(), ScopeSpans: []*tracepb.ScopeSpans{{Spans: spans}}}}}
}

func fieldsOf(p Point) map[string]string {
	all := map[string]string{}
	for _, f := range p.Fields {
		all[f.Key] = f.Value.label()
	}
	return all
}

func TestOTLPSpansAreTraces(t *testing.T) {
	t.Parallel()
	at := uint64(noon.UnixNano())
	trace := []byte("0123456789abcdef")
	list := &common.AnyValue{Value: &common.AnyValue_ArrayValue{ArrayValue: &common.ArrayValue{Values: []*common.AnyValue{
		{Value: &common.AnyValue_IntValue{IntValue: 1}}, {Value: &common.AnyValue_StringValue{StringValue: "a\"b"}}, nil,
		{Value: &common.AnyValue_KvlistValue{KvlistValue: &common.KeyValueList{Values: []*common.KeyValue{str("k", "v")}}}}}}}}
	points, err := DecodeOTLPTraces(marshal(t, tracesOf(
		&tracepb.Span{TraceId: trace, SpanId: []byte("12345678"), ParentSpanId: []byte("87654321"), Name: "GET /", StartTimeUnixNano: at, EndTimeUnixNano: at + 1500,
			Attributes: []*common.KeyValue{{Key: "list", Value: list}}, Status: &tracepb.Status{Code: 2, Message: "no"},
			Events: []*tracepb.Span_Event{{Name: "exception", Attributes: []*common.KeyValue{str("type", "x")}}},
			Links:  []*tracepb.Span_Link{{TraceId: trace}}},
		&tracepb.Span{TraceId: trace, Name: "GET /b", StartTimeUnixNano: at},
	)), noon)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"trace_id": "30313233343536373839616263646566", "span_id": "3132333435363738", "parent_id": "3837363534333231", "operation": "GET /",
		"duration": "1", "list": `[1,"a\"b",null,{"k":"v"}]`, "status_message": "no", "event.1": "exception", "event.1.type": "x",
		"link.1": "30313233343536373839616263646566",
	}
	if got := fieldsOf(points[0]); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := fmt.Sprint(points[0].Tags); got != "[{host a} {service.name web} {status error}]" || points[0].Name != "web" {
		t.Errorf("%s has the tags %s", points[0].Name, got)
	}
	if got := counts(counter.Count(Tracing, points, Options{})); got[Traces] != 1 || got[Traces+"/"+Spans] != 2 {
		t.Errorf("counted %v, want one trace of two spans", got)
	}
}

func TestOTLPLogsAreRecords(t *testing.T) {
	t.Parallel()
	at := uint64(noon.UnixNano())
	points, err := DecodeOTLPLogs(marshal(t, &logspb.LogsData{ResourceLogs: []*logspb.ResourceLogs{{Resource: web(), ScopeLogs: []*logspb.ScopeLogs{{LogRecords: []*logspb.LogRecord{
		{TimeUnixNano: at, SeverityText: "WARN", Body: str("", "hello").Value, Attributes: []*common.KeyValue{str("k", "v")}, TraceId: []byte("0123456789abcdef")},
		{ObservedTimeUnixNano: at, Body: &common.AnyValue{Value: &common.AnyValue_BytesValue{BytesValue: []byte{1, 2}}}},
		{},
	}}}}}}), noon)
	if err != nil || len(points) != 3 {
		t.Fatalf("%d points, %v", len(points), err)
	}
	if got := fieldsOf(points[0]); got["message"] != "hello" || got["status"] != "WARN" || got["k"] != "v" || len(got["trace_id"]) != 32 {
		t.Errorf("got %v", got)
	}
	if !points[0].Stamped || !points[1].Stamped || points[2].Stamped {
		t.Error("a record's own time, or that of its observation, is its time")
	}
	if got := records(Logging, points); got != 3 {
		t.Errorf("counted %d, want 3", got)
	}
}

// In JSON the IDs are hexadecimal, and numbers of 64 bits are texts.
func TestOTLPJSONIsTheSameReport(t *testing.T) {
	t.Parallel()
	got, err := DecodeOTLPTracesJSON([]byte(`{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"web"}},{"key":"host","value":{"stringValue":"a"}}]},
		"scopeSpans":[{"scope":{"name":"x"},"spans":[{"traceId":"5B8EFFF798038103D269B633813FC60C","spanId":"EEE19B7EC3C1B174","name":"GET","kind":2,"unheardOf":[{}],
		"startTimeUnixNano":"1772366400000000000","endTimeUnixNano":"1772366400000002000","attributes":[{"key":"n","value":{"intValue":"3"}}]}]}]}]}`), noon)
	if err != nil {
		t.Fatal(err)
	}
	want, err := DecodeOTLPTraces(marshal(t, tracesOf(&tracepb.Span{
		TraceId: []byte{0x5B, 0x8E, 0xFF, 0xF7, 0x98, 0x03, 0x81, 0x03, 0xD2, 0x69, 0xB6, 0x33, 0x81, 0x3F, 0xC6, 0x0C}, SpanId: []byte{0xEE, 0xE1, 0x9B, 0x7E, 0xC3, 0xC1, 0xB1, 0x74},
		Name: "GET", Kind: 2, StartTimeUnixNano: 1772366400000000000, EndTimeUnixNano: 1772366400000002000,
		Attributes: []*common.KeyValue{{Key: "n", Value: &common.AnyValue{Value: &common.AnyValue_IntValue{IntValue: 3}}}},
	})), noon)
	if err != nil {
		t.Fatal(err)
	}
	a, b := fieldsOf(got[0]), fieldsOf(want[0])
	if strings.ToLower(a["trace_id"]) != b["trace_id"] || strings.ToLower(a["span_id"]) != b["span_id"] {
		t.Errorf("IDs %s and %s, want %s and %s", a["trace_id"], a["span_id"], b["trace_id"], b["span_id"])
	}
	x, y := counter.Count(Tracing, got, Options{}), counter.Count(Tracing, want, Options{})
	if !reflect.DeepEqual(x, y) {
		t.Errorf("the same trace counts %v in JSON and %v in protobuf", x, y)
	}
	for _, body := range []string{"", "[]", "{", `{"resourceSpans":3}`, `{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"!"}]}]}]}`, strings.Repeat("{", maxObjects+1)} {
		if _, err := DecodeOTLPTracesJSON([]byte(body), noon); err == nil || fault.From(err).Kind == fault.Internal {
			t.Errorf("%.40s: %v", body, err)
		}
	}
}

// However points are spread over resources and scopes, they are the series of
// a plain map.
func TestOTLPSeriesEqualAPlainMap(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := map[string]bool{}
		data := &metricspb.MetricsData{}
		for range rapid.IntRange(1, 4).Draw(t, "resources") {
			host := rapid.SampledFrom([]string{"a", "b"}).Draw(t, "host")
			scope := &metricspb.ScopeMetrics{}
			for range rapid.IntRange(0, 6).Draw(t, "metrics") {
				name := rapid.SampledFrom([]string{"m", "n"}).Draw(t, "name")
				room := word(t, "room")
				scope.Metrics = append(scope.Metrics, gauge(name, &metricspb.NumberDataPoint{
					TimeUnixNano: uint64(noon.UnixNano()), Value: &metricspb.NumberDataPoint_AsDouble{AsDouble: math.Pi}, Attributes: []*common.KeyValue{str("room", room)},
				}))
				want[name+"\xff"+host+"\xff"+room] = true
			}
			data.ResourceMetrics = append(data.ResourceMetrics, &metricspb.ResourceMetrics{
				Resource:     &resourcepb.Resource{Attributes: []*common.KeyValue{str("host", host)}},
				ScopeMetrics: []*metricspb.ScopeMetrics{scope},
			})
		}
		points, err := DecodeOTLPMetrics(marshal(noTest{}, data), noon)
		if err != nil || len(series(Metric, points)) != len(want) {
			t.Fatalf("counted %d series, %v; want %d", len(series(Metric, points)), err, len(want))
		}
	})
}

// noTest is a testing.TB for code that cannot fail.
type noTest struct{ testing.TB }

func (noTest) Helper()           {}
func (noTest) Fatal(args ...any) { panic(fmt.Sprint(args...)) }

func FuzzDecodeOTLP(f *testing.F) {
	f.Add(marshal(f, tracesOf(&tracepb.Span{TraceId: []byte("0123456789abcdef"), Events: []*tracepb.Span_Event{{Name: "e"}}})))
	f.Add(marshal(f, metricsOf(gauge("m", &metricspb.NumberDataPoint{Value: &metricspb.NumberDataPoint_AsInt{AsInt: 1}}))))
	f.Add([]byte(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"x"}}]}]}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, decode := range []func([]byte, time.Time) ([]Point, error){
			DecodeOTLPMetrics, DecodeOTLPLogs, DecodeOTLPTraces, DecodeOTLPMetricsJSON, DecodeOTLPLogsJSON, DecodeOTLPTracesJSON,
		} {
			points, err := decode(body, noon)
			sound(t, points, err)
		}
	})
}
