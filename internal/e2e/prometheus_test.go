package e2e_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/klauspost/compress/snappy"
	"google.golang.org/protobuf/encoding/protowire"

	"tollgate.dev/internal/meter"
	"tollgate.dev/internal/testkit"
)

// A real collector, from its first scrape over the end of its quota to the
// next morning.
func TestPrometheusIsCountedExactlyDropsOverTheQuotaAndIsTakenAgainAfterMidnight(t *testing.T) {
	t.Parallel()
	x := demo(t, "").newcomer("prom")
	between := relayTo(t, x.gateway)
	p := startPrometheus(t, between.url, x.token)

	testkit.Eventually(t, time.Minute, func() error {
		return x.agree(between, p.headSeries())
	})
	testkit.Eventually(t, 15*time.Second, func() error {
		shown, sent := x.onBillingPage(meter.Series), between.series()
		if shown != sent {
			return fmt.Errorf("the Billing page shows %d series, Prometheus has sent %d", shown, sent)
		}
		return nil
	})
	if n := p.metric("prometheus_remote_storage_samples_failed_total"); n != 0 {
		t.Errorf("Prometheus says that %v samples failed", n)
	}

	x.fill()
	testkit.Eventually(t, time.Minute, func() error {
		if n := between.answers(http.StatusConflict); n < 5 {
			return fmt.Errorf("%d reports were refused", n)
		}
		if behind := time.Since(between.latest()); behind > 8*time.Second {
			return fmt.Errorf("Prometheus sends what is %v old: it holds on to what was refused", behind)
		}
		if p.metric("prometheus_remote_storage_samples_failed_total") == 0 {
			return fmt.Errorf("Prometheus knows of no refusal")
		}
		return nil
	})

	between.forget()
	x.advance("1d")
	testkit.Eventually(t, time.Minute, func() error {
		return x.agree(between, between.series())
	})
	if n := p.metric("prometheus_remote_storage_samples_retried_total"); n != 0 {
		t.Errorf("Prometheus sent %v samples again: it was told to hold what it should drop", n)
	}
}

// agree compares three counts of distinct series: what passed by on the wire,
// what the product counts, and what Prometheus itself has.
func (x *team) agree(between *relay, own int64) error {
	used, err := x.used()
	if err != nil {
		return err
	}
	if sent := between.series(); sent < 100 || used[meter.Series] != sent || own != sent {
		return fmt.Errorf("%d series were sent, %d are counted, Prometheus has %d", sent, used[meter.Series], own)
	}
	return nil
}

// fill uses up the free quota of series by another collector.
func (x *team) fill() {
	x.t.Helper()
	c := sending()
	defer c.CloseIdleConnections()
	next := int64(0)
	for size := int64(1000); size > 0; {
		var points []point
		for n := range size {
			points = append(points, point{next + n, fmt.Sprintf("fill-%d", next+n), time.Now()})
		}
		r := report{wire: influx, body: influx.encode(points)}
		switch r.deliver(x.t, c, x.gateway, x.token); r.status {
		case influx.ok:
			next += size
		case http.StatusConflict:
			size /= 2
		default:
			x.t.Fatalf("filling the quota was answered %d %s", r.status, r.answer)
		}
	}
	x.uses(map[string]int64{meter.Series: freeSeries})
}

// freeSeries is the Experience plan's quota (domain section 6).
const freeSeries = 3000

// onBillingPage reads the used quantity where a person reads it.
func (x *team) onBillingPage(item string) int64 {
	x.t.Helper()
	jar, err := cookiejar.New(nil)
	must(x.t, jar, err)
	browser := &http.Client{Jar: jar, Timeout: 10 * time.Second}
	response, err := browser.PostForm(x.base+"/studio/sign-in", url.Values{"site": {"cn1"}, "email": {x.email}, "password": {password}})
	must(x.t, response, err)
	_ = response.Body.Close()
	response, err = browser.Get(x.base + "/studio/workspaces/" + x.id + "/billing")
	must(x.t, response, err)
	defer func() { _ = response.Body.Close() }()
	page, err := goquery.NewDocumentFromReader(response.Body)
	must(x.t, page, err)
	cell := page.Find(`main tr[data-item="` + item + `"] td.number`).First().Text()
	n, err := strconv.ParseInt(strings.ReplaceAll(strings.TrimSpace(cell), ",", ""), 10, 64)
	if err != nil {
		x.t.Fatalf("the Billing page (%s) has %q for %s:\n%s", response.Status, cell, item, page.Text())
	}
	return n
}

// prometheusServer is Debian's Prometheus, scraping itself every second.
type prometheusServer struct {
	t   testing.TB
	url string
}

func startPrometheus(t testing.TB, target, token string) prometheusServer {
	t.Helper()
	program, err := exec.LookPath("prometheus")
	if err != nil {
		t.Fatalf("Debian's prometheus is needed (make test installs it): %v", err)
	}
	folder, address := t.TempDir(), fmt.Sprintf("127.0.0.1:%d", testkit.FreePort(t))
	config := filepath.Join(folder, "prometheus.yml")
	text := fmt.Sprintf(`
global: {scrape_interval: 1s}
scrape_configs:
- job_name: self
  static_configs: [{targets: ["%s"]}]
remote_write:
- url: %s/api/v1/write
  authorization: {type: Bearer, credentials: "%s"}
  queue_config: {batch_send_deadline: 200ms}
`, address, target, token)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	testkit.Start(t, testkit.Command{
		Path: program, Ready: "Server is ready to receive web requests",
		Args: []string{"--config.file=" + config, "--storage.tsdb.path=" + filepath.Join(folder, "data"), "--web.listen-address=" + address},
	})
	return prometheusServer{t, "http://" + address}
}

// headSeries is how many series Prometheus itself has.
func (p prometheusServer) headSeries() int64 {
	p.t.Helper()
	var status struct {
		Data struct{ HeadStats struct{ NumSeries int64 } }
	}
	response, err := http.Get(p.url + "/api/v1/status/tsdb")
	must(p.t, response, err)
	defer func() { _ = response.Body.Close() }()
	must(p.t, 0, json.NewDecoder(response.Body).Decode(&status))
	return status.Data.HeadStats.NumSeries
}

// metric is the sum of one of Prometheus' own metrics, which must be there.
func (p prometheusServer) metric(name string) (sum float64) {
	p.t.Helper()
	response, err := http.Get(p.url + "/metrics")
	must(p.t, response, err)
	defer func() { _ = response.Body.Close() }()
	there := false
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		line := lines.Text()
		if !strings.HasPrefix(line, name+"{") && !strings.HasPrefix(line, name+" ") {
			continue
		}
		v, err := strconv.ParseFloat(line[strings.LastIndexByte(line, ' ')+1:], 64)
		there, sum = true, sum+must(p.t, v, err)
	}
	if !there {
		p.t.Fatalf("Prometheus has no metric %s", name)
	}
	return sum
}

// relay stands between Prometheus and the gateway and counts for itself.
type relay struct {
	t       testing.TB
	url     string
	gateway string

	mu       sync.Mutex
	statuses map[int]int
	accepted map[string]bool // the label sets of samples that were acknowledged
	newest   time.Time       // of the samples seen
}

func relayTo(t testing.TB, gateway string) *relay {
	r := &relay{t: t, gateway: gateway, statuses: map[int]int{}, accepted: map[string]bool{}}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	r.url = server.URL
	return r
}

// ServeHTTP passes a report on and remembers what became of it.
func (r *relay) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	onward, err := http.NewRequestWithContext(request.Context(), request.Method, r.gateway+request.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	onward.Header = request.Header.Clone()
	response, err := http.DefaultClient.Do(onward)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer func() { _ = response.Body.Close() }()
	r.note(response.StatusCode, body)
	w.WriteHeader(response.StatusCode)
	_, _ = io.Copy(w, response.Body) // Prometheus reads at most the first line
}

func (r *relay) note(status int, body []byte) {
	plain, err := snappy.Decode(nil, body)
	if err != nil {
		r.t.Errorf("Prometheus sent what is no snappy: %v", err)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.statuses[status]++
	for _, one := range parts(r.t, plain, 1) {
		var labels []string
		for _, l := range parts(r.t, one, 1) {
			labels = append(labels, string(parts(r.t, l, 1)[0])+"\x00"+string(bytes.Join(parts(r.t, l, 2), nil)))
		}
		slices.Sort(labels)
		for _, sample := range parts(r.t, one, 2) {
			if stale(r.t, sample) {
				continue
			}
			if at := time.UnixMilli(int64(number(r.t, sample, 2))); at.After(r.newest) {
				r.newest = at
			}
			if status/100 == 2 {
				r.accepted[strings.Join(labels, "\x01")] = true
			}
		}
	}
}

// series is how many distinct ones were acknowledged since forget.
func (r *relay) series() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return int64(len(r.accepted))
}

func (r *relay) answers(status int) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.statuses[status]
}

func (r *relay) latest() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.newest
}

func (r *relay) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.accepted)
}

// stale reports whether the sample is the marker of a series' end.
func stale(t testing.TB, sample []byte) bool {
	return number(t, sample, 1) == 0x7ff0000000000002 && math.IsNaN(math.Float64frombits(number(t, sample, 1)))
}

// parts are the embedded messages and texts of a field.
func parts(t testing.TB, message []byte, field protowire.Number) (list [][]byte) {
	walk(t, message, func(number protowire.Number, kind protowire.Type, value []byte) {
		if number == field && kind == protowire.BytesType {
			v, _ := protowire.ConsumeBytes(value)
			list = append(list, v)
		}
	})
	return list
}

// number is the value of a field with a number.
func number(t testing.TB, message []byte, field protowire.Number) (n uint64) {
	walk(t, message, func(number protowire.Number, kind protowire.Type, value []byte) {
		switch {
		case number != field:
		case kind == protowire.VarintType:
			n, _ = protowire.ConsumeVarint(value)
		case kind == protowire.Fixed64Type:
			n, _ = protowire.ConsumeFixed64(value)
		}
	})
	return n
}

func walk(t testing.TB, message []byte, f func(number protowire.Number, kind protowire.Type, value []byte)) {
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			t.Errorf("Prometheus sent what is no message: %v", protowire.ParseError(n))
			return
		}
		size := protowire.ConsumeFieldValue(number, kind, message[n:])
		if size < 0 {
			t.Errorf("Prometheus sent what is no message: %v", protowire.ParseError(size))
			return
		}
		f(number, kind, message[n:n+size])
		message = message[n+size:]
	}
}
