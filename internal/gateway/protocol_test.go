package gateway

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"google.golang.org/protobuf/encoding/protowire"

	"tollgate.dev/internal/meter"
	"tollgate.dev/internal/quota"
)

func header(pairs ...string) map[string]string {
	h := map[string]string{"X-Token": token}
	for i := 0; i < len(pairs); i += 2 {
		h[pairs[i]] = pairs[i+1]
	}
	return h
}

const (
	otlpMetric = `{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"m%d","gauge":{"dataPoints":[{"asDouble":1,"timeUnixNano":"%d"}]}}]}]}]}`
	otlpLog    = `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"line %d"},"timeUnixNano":"%d"}]}]}]}`
	otlpTrace  = `{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"%032x","name":"s","startTimeUnixNano":"%d"}]}]}]}`
	lokiPush   = `{"streams":[{"stream":{"app":"a"},"values":[["%d","line %d"]]}]}`
)

func TestOpenTelemetryIsCountedAndAnsweredInItsOwnWords(t *testing.T) {
	t.Parallel()
	s := newStage(t, all())
	for i, path := range []string{"/v1/metrics", "/v1/logs", "/v1/traces"} {
		body := []byte(fmt.Sprintf([]string{otlpMetric, otlpLog, otlpTrace}[i], i, noon.UnixNano()))
		got := s.must(200, call{path: path, header: header("Content-Type", "application/json; charset=utf-8", "Content-Encoding", "gzip"), body: zipped(body)})
		if got.header.Get("Content-Type") != jsonType || strings.TrimSpace(got.text) != "{}" {
			t.Errorf("%s: answered %s %q", path, got.header.Get("Content-Type"), got.text)
		}
	}
	got := s.kept()
	for key, n := range map[string]int64{"timeseries/@3d": 1, "logs/@14d": 1, "apm_trace/@7d": 1, "apm_trace/spans@7d": 1} {
		if got[key] != n {
			t.Errorf("%s: counted %d, want %d", key, got[key], n)
		}
	}
	for path, want := range map[string]int{"/v1/metrics": 200, "/v1/metrics?token=other": 403} {
		r := s.raw(call{path: path, header: map[string]string{"Content-Type": protobufType, "Authorization": "Bearer " + token}})
		if r.Code != want || r.Header().Get("Content-Type") != protobufType {
			t.Errorf("%s: answered %d %s, want %d", path, r.Code, r.Header().Get("Content-Type"), want)
		}
		if code, text := rpcStatus(t, r.Body.Bytes()); want != 200 && (code != 7 || !strings.Contains(text, "token_unknown")) {
			t.Errorf("%s: answered %d %s", path, code, text)
		}
	}
	s.must(400, call{path: "/v1/logs", header: header("Content-Type", "application/json"), body: []byte("{")})
	s.must(415, call{path: "/v1/logs", header: header("Content-Type", "application/json", "Content-Encoding", "br"), body: []byte("{}")})
	if r := s.raw(call{path: "/v1/logs", header: header("Content-Type", "text/plain")}); r.Code != 415 {
		t.Errorf("a text: answered %d", r.Code)
	}
}

// rpcStatus reads a google.rpc.Status of a code and a message.
func rpcStatus(t *testing.T, body []byte) (code uint64, text string) {
	t.Helper()
	for len(body) > 0 {
		number, kind, n := protowire.ConsumeTag(body)
		if n < 0 {
			t.Fatalf("%x is no message", body)
		}
		body = body[n:]
		if number == 1 && kind == protowire.VarintType {
			code, n = protowire.ConsumeVarint(body)
		} else {
			text, n = protowire.ConsumeString(body)
		}
		if n < 0 {
			t.Fatalf("%x is cut off", body)
		}
		body = body[n:]
	}
	return code, text
}

// Telegraf's loki would send again for ever what is not answered by success.
func TestLokiOverQuotaIsDiscardedAndSaysSo(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.limit(quota.Limits{meter.Logs: 1})
	push := func(n int) reply {
		return s.do(call{path: "/loki/api/v1/push", header: header("Content-Type", "application/json"), body: []byte(fmt.Sprintf(lokiPush, noon.UnixNano()+int64(n), n))})
	}
	if got := push(1); got.status != 204 || got.header.Get("X-Tollgate-Discarded") != "" {
		t.Errorf("answered %d %v", got.status, got.header)
	}
	if got := push(2); got.status != 204 || got.header.Get("X-Tollgate-Discarded") != "quota_exhausted" {
		t.Errorf("answered %d %v", got.status, got.header)
	}
	s.must(409, call{path: "/loki/api/v1/push?token=other", header: map[string]string{"Content-Type": "application/json"}, body: []byte("{}")})
	s.expect(0, 1, 1)
}

func TestRemoteWriteComesInTwoVersionsAndTwoPackings(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	text := func(number byte, s string) []byte { return append([]byte{number<<3 | 2, byte(len(s))}, s...) }
	sample := append([]byte{0x09, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0x10}, varintOf(uint64(noon.UnixMilli()))...)
	series1 := append(text(1, string(append(text(1, "__name__"), text(2, "up")...))), text(2, string(sample))...)
	first := text(1, string(series1))
	series2 := append(text(1, "\x01\x02"), text(2, string(sample))...)
	second := append(append(append(text(4, ""), text(4, "__name__")...), text(4, "up")...), text(5, string(series2))...)

	encoder, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	s.must(204, call{path: "/api/v1/write", header: header("Content-Encoding", "zstd", "Content-Type", protobufType), body: encoder.EncodeAll(first, nil)})
	got := s.must(204, call{
		path: "/api/v1/write", body: snappy.Encode(nil, second),
		header: header("Content-Encoding", "snappy", "Content-Type", "application/x-protobuf;proto=io.prometheus.write.v2.Request", "X-Prometheus-Remote-Write-Version", "2.0.0"),
	})
	for kind, want := range map[string]string{"Samples": "1", "Histograms": "0", "Exemplars": "0"} {
		if n := got.header.Get("X-Prometheus-Remote-Write-" + kind + "-Written"); n != want {
			t.Errorf("%s: says %q were written, want %s", kind, n, want)
		}
	}
	s.flush()
	if n := s.store.series(1); n != 1 {
		t.Errorf("counted %d series: the same one came twice", n)
	}
	bomb := encoder.EncodeAll(make([]byte, maxUnpacked+1), nil)
	s.must(400, call{path: "/api/v1/write", header: header("Content-Encoding", "zstd"), body: bomb})
	s.must(400, call{path: "/api/v1/write", header: header("Content-Encoding", "zstd"), body: []byte("no zstd")})
}

func varintOf(v uint64) (b []byte) {
	for ; v >= 0x80; v >>= 7 {
		b = append(b, byte(v)|0x80)
	}
	return append(b, byte(v))
}

// form is a multipart upload; names that end in a dot and more are files.
func form(t *testing.T, path string, parts ...string) call {
	t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for i := 0; i < len(parts); i += 2 {
		part, err := w.CreateFormField(parts[i])
		if strings.Contains(parts[i], "file") {
			part, err = w.CreateFormFile(parts[i], parts[i]+".bin")
		}
		if err == nil {
			_, err = part.Write([]byte(parts[i+1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return call{path: path, header: header("Content-Type", w.FormDataContentType()), body: body.Bytes()}
}

func TestReplaysAndProfilesAreUploads(t *testing.T) {
	t.Parallel()
	s := newStage(t, all())
	replay := func(session string) call {
		return form(t, "/v1/write/rum/replay", "segment.file", "\x00\x01video", "app_id", "a", "session_id", session, "view_id", "v")
	}
	again := replay("s")
	s.must(200, again)
	s.must(200, again) // DataKit sends it again: the same bytes
	s.must(200, replay("s"))
	s.must(200, replay("r"))
	s.must(200, form(t, "/v1/upload/profiling", "event", `{"a":1}`, "main.file", strings.Repeat("x", 650<<10)))
	s.must(400, form(t, "/v1/write/rum/replay", "segment.file", "x", "app_id", "a"))
	s.must(400, form(t, "/v1/upload/profiling", "event", "{}"))
	broken := replay("s")
	broken.body = broken.body[:len(broken.body)-10]
	s.must(400, broken)
	s.must(415, call{path: "/v1/upload/profiling", header: header("Content-Type", "application/json"), body: []byte("{}")})
	got := s.kept()
	if got["session_replay/@none"] != 2 || got["apm_profile/@3d"] != 2 || len(got) != 2 {
		t.Errorf("counted %v, want 2 sessions and a profile of 2", got)
	}
	if n := len(s.records(1, meter.Replaying)); n != 3 {
		t.Errorf("stored %d segments, want 3", n)
	}
	records := s.records(1, meter.Profiling)
	if len(records) != 1 || records[0].ExpiresAt.Sub(records[0].Received) != 72*time.Hour {
		t.Errorf("stored %v", records)
	}
}

func TestOneDataKitLeadsUntilItIsSilent(t *testing.T) {
	t.Parallel()
	var e elections
	c := candidacy{"wksp_1", "n"}
	for _, step := range []struct {
		id    string
		after time.Duration
		want  string
	}{{"a", 0, "a"}, {"b", time.Second, "a"}, {"a", 20 * time.Second, "a"}, {"b", 49 * time.Second, "a"}, {"b", 50 * time.Second, "b"}, {"a", 51 * time.Second, "b"}} {
		if got := e.stand(c, step.id, noon.Add(step.after)); got != step.want {
			t.Errorf("after %v %s asked: %s leads, want %s", step.after, step.id, got, step.want)
		}
	}
	if got := e.stand(candidacy{"wksp_2", "n"}, "b", noon); got != "b" {
		t.Errorf("%s leads another workspace", got)
	}
	for i := range maxLeaders + 1 {
		e.stand(candidacy{"wksp_3", fmt.Sprint(i)}, "x", noon)
	}
	if len(e.leaders) > maxLeaders {
		t.Errorf("%d leaders are remembered", len(e.leaders))
	}
}
