package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"google.golang.org/protobuf/encoding/protowire"

	"tollgate.dev/internal/meter"
	"tollgate.dev/internal/quota"
	"tollgate.dev/internal/sink"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/workspace"
)

// noon is in Shanghai.
var (
	shanghai = func() *time.Location { s, _ := site.Find("cn1"); return s.Zone }()
	noon     = time.Date(2026, 3, 1, 12, 0, 0, 0, shanghai)
)

const token = "tkn_0123456789abcdefghijklmnopqrstuv"

func experience() Tenant {
	return Tenant{
		Workspace: workspace.Workspace{ID: "wksp_1", Site: "cn1", Plan: workspace.Experience, Generation: 1, State: workspace.Normal},
		Token:     workspace.Token{Secret: token, WorkspaceID: "wksp_1"},
		Classes:   map[meter.Type]string{meter.Metric: "7d", meter.Logging: "7d"},
	}
}

// stage is a gateway under test with all that stands around it.
type stage struct {
	t     *testing.T
	g     *Gateway
	store *memory
	sink  sink.Sink
	dir   string

	mu     sync.Mutex
	now    time.Time
	limits quota.Limits
}

func newStage(t *testing.T, tenants ...Tenant) *stage {
	if len(tenants) == 0 {
		tenants = []Tenant{experience()}
	}
	s := &stage{t: t, store: newMemory(tenants...), dir: t.TempDir(), now: noon, limits: quota.Limits{meter.Series: 3000, meter.Logs: 1_000_000}}
	local, err := sink.OpenLocal(filepath.Join(s.dir, "records"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	s.sink = local
	s.start()
	t.Cleanup(func() {
		s.stop()
		s.sink.Close()
	})
	return s
}

func (s *stage) start() {
	s.t.Helper()
	s.g = New(Config{
		ID: "g1", SpoolPath: filepath.Join(s.dir, "spool"), Store: s.store, Sink: s.sink, Now: s.clock,
		Limits: func(time.Time) quota.Limits {
			s.mu.Lock()
			defer s.mu.Unlock()
			return s.limits
		},
		FlushEvery: time.Hour, Log: slog.New(slog.DiscardHandler),
	})
	if err := s.g.Start(context.Background()); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stage) stop() {
	if err := s.g.Stop(context.Background()); err != nil {
		s.t.Error(err)
	}
}

func (s *stage) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *stage) at(t time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = t
}

func (s *stage) limit(l quota.Limits) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limits = l
}

func (s *stage) flush() {
	s.t.Helper()
	if err := s.g.Flush(context.Background()); err != nil {
		s.t.Fatal(err)
	}
}

// call is a request and what it is answered.
type call struct {
	method, path string
	header       map[string]string
	body         []byte
}

type reply struct {
	status int
	body   map[string]any
	text   string
	header http.Header
}

func (s *stage) raw(c call) *httptest.ResponseRecorder {
	if c.method == "" {
		c.method = "POST"
	}
	r := httptest.NewRequest(c.method, c.path, bytes.NewReader(c.body))
	for k, v := range c.header {
		r.Header.Set(k, v)
	}
	w := httptest.NewRecorder()
	s.g.Handler().ServeHTTP(w, r)
	return w
}

func (s *stage) do(c call) reply {
	s.t.Helper()
	w := s.raw(c)
	got := reply{status: w.Code, text: w.Body.String(), header: w.Header()}
	if got.text != "" {
		if err := json.Unmarshal([]byte(got.text), &got.body); err != nil {
			s.t.Errorf("%s %s: answered %q, which is no JSON", c.method, c.path, got.text)
		}
	}
	return got
}

// must sends and fails the test on another status.
func (s *stage) must(status int, c call) reply {
	s.t.Helper()
	got := s.do(c)
	if got.status != status {
		s.t.Fatalf("%s: got %d %s, want %d", c.path, got.status, got.text, status)
	}
	return got
}

func (s *stage) records(g workspace.Generation, t meter.Type) []sink.Record {
	s.t.Helper()
	page, err := s.sink.Query(context.Background(), sink.Query{WorkspaceID: "wksp_1", Generation: g, Type: t, At: s.clock(), Limit: sink.MaxPage})
	if err != nil {
		s.t.Fatal(err)
	}
	return page.Records
}

// expect checks what the store has counted and what the sink holds of
// generation 1, after a flush.
func (s *stage) expect(series int, logs int64, records int) {
	s.t.Helper()
	s.flush()
	if a, b, c := s.store.series(1), s.store.logs(1), len(s.records(1, "")); a != series || b != logs || c != records {
		s.t.Errorf("counted %d series and %d logs and stored %d records, want %d, %d and %d", a, b, c, series, logs, records)
	}
}

// The reports of the tests.

func metricLines(n int, at time.Time) []byte {
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, "cpu,host=h%04d usage=%d %d\n", i, i, at.UnixNano())
	}
	return b.Bytes()
}

func logLines(n int, at time.Time) []byte {
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, "nginx,host=h message=\"line %d\" %d\n", i, at.UnixNano())
	}
	return b.Bytes()
}

func write(category string, body []byte) call {
	return call{path: "/v1/write/" + category + "?token=" + token, body: body}
}

func influx(body []byte) call {
	return call{path: "/api/v2/write?bucket=b&org=o", header: map[string]string{"Authorization": "Token " + token}, body: body}
}

func remote(body []byte) call {
	return call{path: "/api/v1/write", body: body, header: map[string]string{
		"Authorization": "Bearer " + token, "Content-Encoding": "snappy", "Content-Type": "application/x-protobuf", "X-Prometheus-Remote-Write-Version": "0.1.0"}}
}

func zipped(body []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(body)
	_ = w.Close()
	return b.Bytes()
}

func with(c call, key, value string) call {
	h := map[string]string{key: value}
	for k, v := range c.header {
		if k != key {
			h[k] = v
		}
	}
	c.header = h
	return c
}

func part(b []byte, number protowire.Number, content []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, number, protowire.BytesType), content)
}

func varint(b []byte, number protowire.Number, v uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, number, protowire.VarintType), v)
}

// pbPoint is a point of DataKit with one text field.
func pbPoint(name, message string, at time.Time) []byte {
	field := part(part(nil, 1, []byte("message")), 11, []byte(message))
	point := part(part(nil, 1, []byte(name)), 2, field)
	if !at.IsZero() {
		point = varint(point, 3, uint64(at.UnixNano()))
	}
	return part(nil, 1, point)
}

// samples is a packed remote write request of n series with a sample each.
func samples(n int, at time.Time) []byte {
	var out []byte
	for i := range n {
		label := func(k, v string) []byte { return part(part(nil, 1, []byte(k)), 2, []byte(v)) }
		sample := protowire.AppendFixed64(protowire.AppendTag(nil, 1, protowire.Fixed64Type), math.Float64bits(float64(i)))
		series := part(part(nil, 1, label("__name__", "up")), 1, label("instance", fmt.Sprint(i)))
		out = part(out, 1, part(series, 2, varint(sample, 2, uint64(at.UnixMilli()))))
	}
	return snappy.Encode(nil, out)
}

// server puts the gateway behind a real connection.
func (s *stage) server() string {
	srv := httptest.NewServer(s.g.Handler())
	s.t.Cleanup(srv.Close)
	return srv.URL
}

func post(t *testing.T, url string, header map[string]string, body io.Reader) (int, string) {
	t.Helper()
	r, err := http.NewRequest("POST", url, body)
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range header {
		r.Header.Set(k, v)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, strings.TrimSpace(string(text))
}
