package gateway

import (
	"bytes"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/snappy"

	"tollgate.dev/internal/meter"
	"tollgate.dev/internal/quota"
	"tollgate.dev/internal/workspace"
)

func TestEveryProtocolIsTaken(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.must(200, with(write("metric", zipped(metricLines(3, noon))), "Content-Encoding", "gzip"))
	s.must(200, write("metrics", metricLines(3, noon.Add(time.Second))))
	s.must(200, with(write("logging", zipped(pbPoint("app", "hello", noon))), "Content-Encoding", "gzip").proto())
	s.must(200, write("keyevent", pbPoint("alert", "down", noon)).proto())
	s.must(200, write("object", pbPoint("HOST", "h", noon)).proto())
	s.must(200, write("custom_object", pbPoint("DISK", "d", noon)).proto())
	s.must(200, write("object_change", pbPoint("HOST", "changed", noon)).proto())
	s.must(204, remote(samples(5, noon)))
	s.must(204, call{path: "/api/v1/write?token=" + token, body: samples(6, noon)})
	s.must(204, call{path: "/api/v1/write", header: map[string]string{"X-Token": token}, body: samples(7, noon)})
	s.must(204, influx([]byte("mem,host=a used=1 1772337600\nmem,host=b used=1 1772337600")).at("/api/v2/write?precision=s"))
	s.must(204, call{path: "/write?db=x&precision=ms&u=any&p=" + token, body: []byte("mem,host=c used=1 1772337600000")})
	basic := call{path: "/write?db=x", body: []byte("mem,host=d used=1"), header: map[string]string{"Authorization": "Basic YW55OnRrbl8wMTIzNDU2Nzg5YWJjZGVmZ2hpamtsbW5vcHFyc3R1dg=="}}
	s.must(204, basic)
	s.expect(3+7+4, 2, 3+3+1+1+3+5+6+7+4)
	for kind, n := range map[meter.Type]int{meter.Metric: 28, meter.Logging: 1, meter.Event: 1, meter.Object: 3} {
		if got := len(s.records(1, kind)); got != n {
			t.Errorf("%s: %d records, want %d", kind, got, n)
		}
	}
}

func (c call) proto() call {
	return with(c, "Content-Type", "application/protobuf; proto=com.guance.Point")
}

func (c call) at(path string) call {
	c.path = path
	return c
}

// refusal is a mistake and its answer.
type refusal struct {
	name   string
	change func(c call, door string) call // of a good call
	code   string
	status [4]int // of DataWay, remote write, Influx 2, Influx 1; 0 does not apply
}

func refusals() []refusal {
	huge := bytes.Repeat([]byte(" "), maxUnpacked+1)
	return []refusal{
		{"no token", func(c call, _ string) call { return c.as("") }, "token_missing", [4]int{403, 409, 409, 409}},
		{"unknown token", func(c call, _ string) call { return c.as("tkn_x") }, "token_unknown", [4]int{403, 409, 409, 409}},
		{"endless token", func(c call, _ string) call { return c.as(strings.Repeat("x", 4000)) }, "token_unknown", [4]int{403, 409, 409, 409}},
		{"replaced token", func(c call, _ string) call { return c.as("replaced") }, "token_unknown", [4]int{403, 409, 409, 409}},
		{"another site's token", func(c call, _ string) call { return c.as("elsewhere") }, "token_unknown", [4]int{403, 409, 409, 409}},
		{"locked", func(c call, _ string) call { return c.as("locked") }, "workspace_locked", [4]int{403, 409, 409, 409}},
		{"dissolved", func(c call, _ string) call { return c.as("dissolved") }, "workspace_dissolved", [4]int{403, 409, 409, 409}},
		{"malformed", func(c call, door string) call { return c.with(pack(door, []byte("\x00no report"))) }, "report_malformed", [4]int{400, 400, 400, 400}},
		{"not what its encoding says", func(c call, _ string) call { return with(c, "Content-Encoding", "gzip") }, "encoding_mismatch", [4]int{400, 0, 400, 400}},
		{"unknown encoding", func(c call, _ string) call { return with(c, "Content-Encoding", "br") }, "encoding_unsupported", [4]int{415, 415, 415, 415}},
		{"too large", func(c call, door string) call { return c.with(pack(door, huge)) }, "report_too_large", [4]int{413, 400, 413, 413}},
		{"bomb", func(c call, door string) call {
			if door == "remote_write" {
				return c.with(snappy.Encode(nil, huge))
			}
			return with(c.with(zipped(huge)), "Content-Encoding", "gzip")
		}, "report_too_large", [4]int{413, 400, 413, 413}},
		{"too many points", func(c call, door string) call {
			if door == "remote_write" {
				return c.with(samples(meter.MaxPoints+1, noon))
			}
			return c.with(bytes.Repeat([]byte("m f=1\n"), meter.MaxPoints+1))
		}, "report_too_many_points", [4]int{413, 400, 413, 413}},
		{"of another age", func(c call, door string) call {
			if door == "remote_write" {
				return c.with(samples(1, time.Unix(1, 0)))
			}
			return c.with(metricLines(1, time.Unix(1, 0)))
		}, "timestamp_out_of_range", [4]int{400, 400, 400, 400}},
		{"from the future", func(c call, door string) call {
			if door == "remote_write" {
				return c.with(samples(1, noon.Add(25*time.Hour)))
			}
			return c.with(metricLines(1, noon.Add(25*time.Hour)))
		}, "timestamp_out_of_range", [4]int{400, 400, 400, 400}},
		{"would pass the quota", func(c call, door string) call {
			if door == "remote_write" {
				return c.with(samples(3, noon))
			}
			return c.with(metricLines(3, noon))
		}, "quota_would_be_passed", [4]int{403, 409, 409, 409}},
	}
}

func TestEveryRefusalHasTheStatusThatItsClientDropsOn(t *testing.T) {
	t.Parallel()
	locked, dissolved, replaced, elsewhere := experience(), experience(), experience(), experience()
	locked.Token.Secret, locked.Workspace.State = "locked", workspace.Locked
	dissolved.Token.Secret, dissolved.Workspace.State = "dissolved", workspace.Dissolved
	replaced.Token.Secret, replaced.Token.EndsAt = "replaced", noon.Add(-time.Second)
	elsewhere.Token.Secret, elsewhere.Workspace.Site = "elsewhere", "us1"
	s := newStage(t, experience(), locked, dissolved, replaced, elsewhere)
	s.g.Sites = append(s.g.Sites, "cn1", "cn2")
	s.limit(quota.Limits{meter.Series: 2, meter.Logs: 2})
	good := [4]call{write("metric", metricLines(1, noon)), remote(samples(1, noon)), influx(metricLines(1, noon)),
		{path: "/write?db=x", header: map[string]string{"Authorization": "Token " + token}, body: metricLines(1, noon)}}
	for i, door := range []door{dataway, remoteWrite, influxV2, influxV1} {
		for _, tt := range refusals() {
			if tt.status[i] == 0 {
				continue
			}
			got := s.do(tt.change(good[i], door.name))
			if got.status != tt.status[i] || got.body["code"] != tt.code || got.body["message"] == "" {
				t.Errorf("%s, %s: got %d %s, want %d %s", door.name, tt.name, got.status, got.text, tt.status[i], tt.code)
			}
			if extra := got.body[door.field]; door.field != "" && (extra == nil || extra == "") {
				t.Errorf("%s, %s: no %s in %s", door.name, tt.name, door.field, got.text)
			}
		}
	}
	s.expect(0, 0, 0)
}

// as sends with another token.
func (c call) as(secret string) call {
	c.path = strings.ReplaceAll(c.path, "token="+token, "token="+secret)
	if a := c.header["Authorization"]; a != "" {
		scheme, _, _ := strings.Cut(a, " ")
		c = with(c, "Authorization", scheme+" "+secret)
	}
	return c
}

func (c call) with(body []byte) call {
	c.body = body
	return c
}

func pack(door string, body []byte) []byte {
	if door == "remote_write" {
		return snappy.Encode(nil, body)
	}
	return body
}

func TestAFullQuotaIsAnsweredWithItsFigures(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.limit(quota.Limits{meter.Series: 2, meter.Logs: 2})
	s.must(200, write("metric", metricLines(2, noon)))
	got := s.must(403, write("metric", metricLines(1, noon.Add(time.Second))))
	for key, want := range map[string]any{
		"error_code": "kodo.beyondDataUsage", "message": "beyond data usage", "code": "quota_exhausted", "item": "timeseries",
		"used": 2.0, "limit": 2.0, "resets_at": "2026-03-02T00:00:00+08:00",
	} {
		if got.body[key] != want {
			t.Errorf("%s: got %v, want %v", key, got.body[key], want)
		}
	}
	if got := s.must(409, remote(samples(1, noon))); got.body["code"] != "quota_exhausted" || got.body["resets_at"] == nil {
		t.Errorf("got %s", got.text)
	}
}

func TestDataKitsOtherCallsAreAnsweredHarmlessly(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for _, tt := range []struct {
		call   call
		status int
		want   string
	}{
		{call{method: "GET", path: "/v1/ntp?token=x"}, 200, `{"timestamp_sec":1772337600}`},
		{call{method: "GET", path: "/v1/datakit/pull?token=x&kv=true&&version=1"}, 200, `{"kv":null}`},
		{call{method: "GET", path: "/v1/datakit/pull?token=x&remote_pipelines=true&ts=0"}, 200, `{"remote_pipelines":null}`},
		{call{method: "GET", path: "/v1/datakit/pull?token=x&filters=true"}, 200, `{"filters":{},"pull_interval":60000000000}`},
		{call{path: "/v1/datakit/usage_trace?token=x"}, 200, `{"code":200}`},
		{call{path: "/v1/election?token=x&id=a"}, 403, "token_unknown"},
		{call{path: "/v1/election?token=" + token}, 400, "candidate_malformed"},
		{call{path: "/v1/election?namespace=n&id=a&token=" + token}, 200, `"id":"a","incumbency_id":"a","interval":3,"namespace":"n","status":"success"`},
		{call{path: "/v1/election?namespace=n&id=b&token=" + token}, 200, `"id":"b","incumbency_id":"a","interval":3,"namespace":"n","status":"fail"`},
		{call{path: "/v1/election/heartbeat?namespace=n&id=a&token=" + token}, 200, `"status":"success"`},
		{call{method: "GET", path: "/v1/check/token/" + token}, 200, `{"code":200}`},
		{call{method: "GET", path: "/v1/check/token/other"}, 403, "token_unknown"},
		{call{path: "/v1/workspace?token=" + token}, 200, `"ver_type":"free"`},
		{call{path: "/v1/workspace?token=other"}, 403, "token_unknown"},
		{write("remote_job", nil), 404, "category_not_offered"},
		{write("rum/replay", nil), 415, "encoding_unsupported"},
		{with(write("metric", nil), "Content-Type", "application/json"), 415, "encoding_unsupported"},
		{call{method: "GET", path: "/v1/write/metric"}, 404, "path_unknown"},
		{call{method: "GET", path: "/healthz"}, 200, `"ok"`},
		{call{method: "GET", path: "/ping"}, 204, ""},
		{call{method: "HEAD", path: "/ping"}, 204, ""},
		{influx(nil).at("/api/v2/write?precision=years"), 400, "precision_unknown"},
		{with(remote(nil), "Content-Type", "application/x-protobuf;proto=io.prometheus.write.v3.Request"), 415, "encoding_unsupported"},
		{influx(nil), 204, ""},
		{remote(snappy.Encode(nil, nil)), 204, ""},
	} {
		if got := s.must(tt.status, tt.call); !strings.Contains(got.text, tt.want) {
			t.Errorf("%s: got %s, want %s", tt.call.path, got.text, tt.want)
		}
	}
}

func TestTheWorkspaceOfATokenShowsItsUsage(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.limit(quota.Limits{meter.Series: 2, meter.Logs: 20})
	s.must(200, write("metric", metricLines(2, noon)))
	s.must(200, write("logging", logLines(3, noon)))
	got := s.must(200, call{path: "/v1/workspace?token=" + token})
	if !strings.Contains(got.text, `{"data_logging":3,"data_metric":2,"data_rum":0,"data_tracing":0,"is_over_usage":true}`) {
		t.Errorf("got %s", got.text)
	}
}

// badBodies are sent to every door in every encoding: whatever comes, the
// answer is the client's mistake, never ours.
func TestNoBodyMakesTheGatewayFail(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	bodies := [][]byte{nil, {0}, []byte("{}"), []byte("m"), []byte("m f="), []byte("m f=1 x"), bytes.Repeat([]byte{0xff}, 1000), bytes.Repeat([]byte("a,"), 5000),
		{0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f}, {0x1f, 0x8b}, zipped([]byte("m f=1"))[:12], append(zipped([]byte("m f=1")), "tail"...), samples(1, noon)[:7],
		pbPoint("", "", noon), part(nil, 1, part(nil, 2, nil)), []byte("m f=\"" + strings.Repeat("\\", 999)), []byte(strings.Repeat("m f=1 ", 99)), zipped(zipped([]byte("m f=1")))}
	doors := []call{write("metric", nil), write("logging", nil), write("object", nil), write("keyevent", nil), write("metric", nil).proto(), write("logging", nil).proto(), influx(nil), remote(nil)}
	for _, c := range doors {
		for i, body := range bodies {
			for _, encoding := range []string{"", "gzip", "identity", "snappy", "deflate", "zstd", "\x00"} {
				if got := s.do(with(c.with(body), "Content-Encoding", encoding)); got.status >= 500 {
					t.Errorf("%s, body %d as %q: got %d %s", c.path, i, encoding, got.status, got.text)
				}
			}
		}
	}
}

func TestABodyThatIsCutOffCountsAsNothing(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.server(), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	head := "POST /v1/write/metric?token=" + token + " HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"
	if _, err := conn.Write(append([]byte(head), metricLines(3, noon)...)); err != nil {
		t.Fatal(err)
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, 12)
	if _, err := conn.Read(answer); err != nil || !strings.HasSuffix(string(answer), "400") {
		t.Errorf("got %q, %v", answer, err)
	}
	conn.Close()
	s.expect(0, 0, 0)
}

func TestABodyThatDribblesIsSentAwayToComeAgain(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.g.bodyTime = 20 * time.Millisecond
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.server(), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("POST /v1/write/metric?token=" + token + " HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\ncpu f=1\n")); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, 12)
	if _, err := conn.Read(answer); err != nil || !strings.HasSuffix(string(answer), "503") {
		t.Errorf("got %q, %v", answer, err)
	}
}

func TestAChunkedGzipBodyOfTelegrafIsTaken(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	status, text := post(t, s.server()+"/api/v2/write?bucket=b", map[string]string{"Authorization": "Token " + token, "Content-Encoding": "gzip"},
		struct{ *bytes.Reader }{bytes.NewReader(zipped(metricLines(3, noon)))})
	if status != 204 {
		t.Errorf("got %d %s", status, text)
	}
	s.expect(3, 0, 3)
}

func TestWhatCannotBeStoredIsToBeSentAgain(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	broken := &failing{Sink: s.g.Sink, err: errors.New("disk full")}
	s.g.Sink = broken
	for _, c := range []call{write("metric", metricLines(3, noon)), influx(metricLines(3, noon)), remote(samples(3, noon))} {
		got := s.must(503, c)
		if got.body["code"] != "unavailable" || got.header.Get("Retry-After") == "" || strings.Contains(got.text, "disk") {
			t.Errorf("got %s", got.text)
		}
	}
	s.limit(quota.Limits{meter.Series: 3}) // nothing is held any more: three fit
	broken.heal()
	s.must(200, write("metric", metricLines(3, noon)))
	s.expect(3, 0, 3)
}
