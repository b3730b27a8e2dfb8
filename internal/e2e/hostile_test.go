package e2e_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/snappy"

	"tollgate.dev/internal/meter"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/testkit"
	"tollgate.dev/internal/workspace"
)

// mostMemory is what the process may hold at its worst, in bytes: about 250 MiB
// live (64 of bodies being read, 128 of reports under way, the program, its
// store and its own pages), which the collector of garbage lets double, and
// what is left over between. Thirty-two such reports without bounds take 4 GiB.
const mostMemory = 640 << 20

// attack is a report that no collector sends, and the answers that are right.
type attack struct {
	name    string
	method  string // POST where it is empty
	path    string
	header  map[string]string
	body    []byte
	answers []int
}

// attacks are the hostile reports; the token in their paths is %s.
func attacks(now time.Time) []attack {
	one := []point{{1, "a", now}}
	good := lineProtocol("cpu", "value=%di", one)
	packed := gzipped(good)
	const metric, logging, remote, influxed = "/v1/write/metric?token=%s", "/v1/write/logging?token=%s", "/api/v1/write?token=%s", "/api/v2/write?token=%s"
	gz := map[string]string{"Content-Encoding": "gzip"}
	snap := map[string]string{"Content-Encoding": "snappy"}
	pb := map[string]string{"Content-Type": "application/protobuf; proto=com.guance.Point"}
	bomb := zeroBomb(64 << 20)
	return []attack{
		{name: "a gzip bomb at DataWay", path: metric, header: gz, body: bomb, answers: []int{413}},
		{name: "a gzip bomb at Influx", path: influxed, header: gz, body: bomb, answers: []int{413}},
		{name: "gzip cut off", path: metric, header: gz, body: packed[:len(packed)/2], answers: []int{400}},
		{name: "gzip with a wrong checksum", path: metric, header: gz, body: flipped(packed, len(packed)-6), answers: []int{400}},
		{name: "plain text that is called gzip", path: metric, header: gz, body: good, answers: []int{400}},
		{name: "gzip that is called plain", path: metric, body: packed, answers: []int{400}},
		{name: "gzip that is called snappy", path: remote, header: snap, body: packed, answers: []int{400}},
		{name: "an encoding that nobody speaks", path: metric, header: map[string]string{"Content-Encoding": "br"}, body: good, answers: []int{415}},
		{name: "brotli at remote write", path: remote, header: map[string]string{"Content-Encoding": "br"}, body: good, answers: []int{415}},
		{name: "a snappy bomb", path: remote, header: snap, body: snappy.Encode(nil, make([]byte, 64<<20)), answers: []int{400}},
		{name: "snappy that promises four gigabytes", path: remote, header: snap, body: []byte{0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0}, answers: []int{400}},
		{name: "snappy of no message", path: remote, header: snap, body: snappy.Encode(nil, good), answers: []int{400}},
		{name: "remote write 2.0", path: remote, header: map[string]string{"Content-Encoding": "snappy", "Content-Type": "application/x-protobuf;proto=io.prometheus.write.v2.Request"}, body: good, answers: []int{400}},
		{name: "protobuf cut off", path: logging, header: pb, body: cut(dataWay("orders", one)), answers: []int{400}},
		{name: "lines that are called protobuf", path: logging, header: pb, body: good, answers: []int{400}},
		{name: "protobuf that is called lines", path: logging, body: dataWay("orders", one), answers: []int{400}},
		{name: "half a line", path: metric, body: []byte("cpu,host=a va"), answers: []int{400}},
		{name: "a time of another age", path: metric, body: []byte("cpu value=1 1700000000"), answers: []int{400}},
		{name: "a time to come", path: metric, body: []byte("cpu value=1 9000000000000000000"), answers: []int{400}},
		{name: "a time beyond numbers", path: "/api/v2/write?precision=s&token=%s", body: []byte("cpu value=1 9000000000000000000"), answers: []int{400}},
		{name: "a precision that nobody has", path: "/api/v2/write?precision=fortnight&token=%s", body: good, answers: []int{400}},
		{name: "more points than a report may have", path: metric, body: bytes.Repeat([]byte("a v=1\n"), meter.MaxPoints+1), answers: []int{413}},
		{name: "more tags than a point may have", path: metric, body: []byte("a" + strings.Repeat(",t=v", meter.MaxPerPoint+1) + " v=1"), answers: []int{413}},
		{name: "a body of 33 MiB", path: metric, body: bytes.Repeat([]byte("#"), 33<<20), answers: []int{413}},
		{name: "a category that is not taken", path: "/v1/write/remote_job?token=%s", body: good, answers: []int{404}},
		{name: "a path that is none", path: "/v1/../../etc/passwd?token=%s", body: good, answers: []int{404, 400, 301, 307}},
		{name: "a GET", method: http.MethodGet, path: metric, answers: []int{404, 405}},
		{name: "no token at DataWay", path: "/v1/write/metric", body: good, answers: []int{403}},
		{name: "no token at remote write", path: "/api/v1/write", header: snap, body: good, answers: []int{409}},
		{name: "an unknown token at DataWay", path: "/v1/write/metric?token=tkn_00000000000000000000000000000000", body: good, answers: []int{403}},
		{name: "an unknown token at Influx", path: "/api/v2/write", header: map[string]string{"Authorization": "Token tkn_00000000000000000000000000000000"}, body: good, answers: []int{409}},
		{name: "a token of 60 KB", path: "/v1/write/metric?token=" + strings.Repeat("x", 30<<10), body: good, answers: []int{403, 431}},
		{name: "a token that is SQL", path: "/v1/write/metric?token='%%20OR%%201=1--", body: good, answers: []int{403}},
	}
}

func TestHostileReportsGetClearAnswersAndLeaveNothingBehind(t *testing.T) {
	t.Parallel()
	x := demo(t, "").newcomer("hostile")
	for _, a := range attacks(time.Now()) {
		began := time.Now()
		status, answer := x.attacked(a)
		if took := time.Since(began); took > 2*time.Second {
			t.Logf("%s took %v", a.name, took)
		}
		right := false
		for _, want := range a.answers {
			right = right || status == want
		}
		if !right {
			t.Errorf("%s was answered %d %.300s, want %v", a.name, status, answer, a.answers)
		}
		if status/100 == 4 && status != http.StatusRequestHeaderFieldsTooLarge && !json.Valid([]byte(answer)) {
			t.Errorf("%s was answered %d %.300q, which is no JSON", a.name, status, answer)
		}
	}
	x.hungUpOn()
	x.locked()
	x.replaced()
	if n := len(x.inSink()); n != 0 {
		t.Errorf("after the attacks the sink has %d records", n)
	}
	x.takes(influx, 0, 3)
	x.takes(logsAsProtobuf, 10, 3)
	x.uses(map[string]int64{meter.Series: 3, meter.Logs: 3})
	x.mutated()
	if peak := x.peak(); peak > mostMemory {
		t.Errorf("the process has held %d MiB", peak>>20)
	}
	if strings.Contains(x.daemon.Output(), "panic") {
		t.Error("the process has panicked")
	}
}

// Many at once: what bounds one report must bound them together.
func TestManyBombsAtOnceDoNotFillTheMemory(t *testing.T) {
	t.Parallel()
	x := demo(t, "").newcomer("bombs")
	var bombs []attack
	for _, a := range attacks(time.Now()) {
		if strings.Contains(a.name, "bomb") || strings.Contains(a.name, "33 MiB") || strings.Contains(a.name, "more points") {
			bombs = append(bombs, a)
		}
	}
	// The largest report that is taken, too: 30 MiB of a few logs.
	large := gzipped([]byte(`big message="` + strings.Repeat("x", 30<<20) + `"`))
	bombs = append(bombs, attack{name: "a report of 30 MiB", path: "/v1/write/logging?token=%s", header: map[string]string{"Content-Encoding": "gzip"}, body: large, answers: []int{200}})
	var attackers sync.WaitGroup
	for n := range 32 {
		attackers.Go(func() {
			for k := range 2 {
				a := bombs[(n+k)%len(bombs)]
				if status, answer := x.attacked(a); status != a.answers[0] && status != http.StatusServiceUnavailable {
					t.Errorf("%s was answered %d %.300s", a.name, status, answer)
				}
			}
		})
	}
	attackers.Wait()
	peak := x.peak()
	t.Logf("the process has held %d MiB", peak>>20)
	if peak > mostMemory {
		t.Errorf("the process has held %d MiB", peak>>20)
	}
	x.takes(influx, 0, 1)
}

// attacked sends the attack and gives the answer; none is an error.
func (x *team) attacked(a attack) (int, string) {
	method, path := a.method, a.path
	if method == "" {
		method = http.MethodPost
	}
	if strings.Contains(path, "%") {
		path = strings.ReplaceAll(strings.ReplaceAll(path, "%s", x.token), "%%", "%")
	}
	request, err := http.NewRequestWithContext(x.t.Context(), method, x.gateway+path, bytes.NewReader(a.body))
	if err != nil {
		x.t.Errorf("%s: %v", a.name, err)
		return 0, ""
	}
	for key, value := range a.header {
		request.Header.Set(key, value)
	}
	c := &http.Client{
		Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := c.Do(request)
	if err != nil {
		// A server that refuses a body early may close before all of it is sent.
		if strings.Contains(err.Error(), "reset") || strings.Contains(err.Error(), "broken pipe") {
			return a.answers[0], "{}"
		}
		x.t.Errorf("%s got no answer: %v", a.name, err)
		return 0, ""
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		x.t.Errorf("%s: %v", a.name, err)
	}
	return response.StatusCode, string(text)
}

// hungUpOn leaves in the middle of what was announced, in several ways.
func (x *team) hungUpOn() {
	x.t.Helper()
	host := strings.TrimPrefix(x.gateway, "http://")
	line := "POST /v1/write/metric?token=" + x.token + " HTTP/1.1\r\nHost: " + host + "\r\n"
	for _, text := range []string{
		line + "Content-Length: 1000000\r\n\r\ncpu value=1",
		line + "Content-Length: 16777216\r\n\r\n",
		line + "Content-Length: -1\r\n\r\ncpu value=1",
		line + "Transfer-Encoding: chunked\r\n\r\nb\r\ncpu value=1",
		line + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\ncpu value=1\r\n",
		line + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nzzzz",
		line,
		"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
	} {
		c, err := net.Dial("tcp", host)
		if err != nil {
			x.t.Fatal(err)
		}
		_, err = c.Write([]byte(text))
		must(x.t, 0, err)
		must(x.t, 0, c.(*net.TCPConn).CloseWrite())
		must(x.t, 0, c.SetReadDeadline(time.Now().Add(20*time.Second)))
		answer, _ := io.ReadAll(c) // a connection that is reset is an answer too
		if first, _, _ := strings.Cut(string(answer), "\r\n"); strings.Contains(first, " 5") && !strings.Contains(first, " 503") || strings.Contains(first, " 2") {
			x.t.Errorf("%q was answered %q", text, first)
		}
		_ = c.Close()
	}
}

// mutated sends good reports with wrong bytes in them: whatever comes of it, it
// is an answer, and never that something went wrong inside.
func (x *team) mutated() {
	x.t.Helper()
	random := rand.New(rand.NewPCG(3, 14))
	c := sending()
	defer c.CloseIdleConnections()
	for _, w := range []wire{logsAsProtobuf, logsAsLines, influx, prometheus} {
		for range 100 {
			body := w.encode([]point{{1, "a", time.Now()}, {2, "b", time.Now()}})
			for range 1 + random.IntN(8) {
				body[random.IntN(len(body))] = byte(random.Uint32())
			}
			r := report{wire: w, body: body[:random.IntN(len(body))+1]}
			r.deliver(x.t, c, x.gateway, x.token)
			switch r.status {
			case w.ok, 400, 413, 415: // a few are whole by luck
			default:
				x.t.Errorf("%s with wrong bytes %x was answered %d %s", w.name, r.body, r.status, r.answer)
			}
		}
	}
}

// locked holds that a locked workspace takes nothing, and says so until it is
// unlocked.
func (x *team) locked() {
	x.t.Helper()
	x.stand(workspace.Locked)
	for _, door := range []struct {
		wire   wire
		status int
	}{{logsAsProtobuf, 403}, {metricsAsLines, 403}, {objects, 403}, {events, 403}, {prometheus, 409}, {influx, 409}, {influxV1, 409}} {
		testkit.Eventually(x.t, 10*time.Second, func() error { // another process's change is seen within a moment
			r := report{wire: door.wire, body: door.wire.encode([]point{{1, "a", time.Unix(1, 0)}})}
			c := sending()
			defer c.CloseIdleConnections()
			if r.deliver(x.t, c, x.gateway, x.token); r.status != door.status || !json.Valid([]byte(r.answer)) {
				return fmt.Errorf("%s into a locked workspace was answered %d %s, want %d", r.wire.name, r.status, r.answer, door.status)
			}
			return nil
		})
	}
	x.stand(workspace.Normal)
	testkit.Eventually(x.t, 10*time.Second, func() error {
		if status, answer := x.attacked(attack{name: "the unlocked workspace", path: "/v1/write/metric?token=%s"}); status != http.StatusOK {
			return fmt.Errorf("after the unlock: %d %s", status, answer)
		}
		return nil
	})
}

// replaced holds that a replaced token works for a day more, and the new one at
// once.
func (x *team) replaced() {
	x.t.Helper()
	old := x.token
	token, err := x.studio().ReplaceToken(x.t.Context(), x.id)
	must(x.t, token, err)
	empty := func(token string, want int) {
		x.t.Helper()
		status, answer := x.attacked(attack{name: "a report of nothing", path: "/v1/write/metric?token=" + token})
		if status != want {
			x.t.Errorf("a report of nothing was answered %d %s, want %d", status, answer, want)
		}
	}
	empty(old, http.StatusOK)
	empty(token.Token, http.StatusOK)
	x.advance("25h")
	empty(old, http.StatusForbidden)
	empty(token.Token, http.StatusOK)
	x.token = token.Token
}

// stand puts the workspace into a state behind the product's back.
func (x *team) stand(state workspace.State) {
	x.t.Helper()
	x.behind(func(ctx context.Context, s *store.Store) error {
		return s.Write(ctx, func(tx *store.Tx) error {
			w, err := tx.Workspace(ctx, x.id)
			if err != nil {
				return err
			}
			w.State = state
			return tx.UpdateWorkspace(ctx, w)
		})
	})
}

// zeroBomb is gzip that unpacks to so many zeros.
func zeroBomb(size int) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	block := make([]byte, 1<<20)
	for range size / len(block) {
		if _, err := w.Write(block); err != nil {
			panic(err) // memory cannot fail to be written
		}
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// flipped is the body with one byte wrong.
func flipped(body []byte, at int) []byte {
	wrong := bytes.Clone(body)
	wrong[at] ^= 0xff
	return wrong
}

func cut(body []byte) []byte { return body[:len(body)-3] }
