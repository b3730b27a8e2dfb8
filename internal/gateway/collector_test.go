package gateway

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"tollgate.dev/internal/meter"
	"tollgate.dev/internal/quota"
)

// prometheus is Debian's, scraping itself every second and writing to the
// gateway.
type prometheusServer struct {
	t   *testing.T
	url string
}

func startPrometheus(t *testing.T, gateway string) prometheusServer {
	t.Helper()
	dir := t.TempDir()
	address := freeAddress(t)
	config := fmt.Sprintf(`
global: {scrape_interval: 1s}
scrape_configs:
- job_name: self
  static_configs: [{targets: ["%s"]}]
remote_write:
- url: %s/api/v1/write
  authorization: {credentials: %s}
  queue_config: {batch_send_deadline: 200ms, min_backoff: 30ms, max_backoff: 200ms}
`, address, gateway, token)
	path := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	cmd := exec.Command("prometheus", "--config.file="+path, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+address)
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatalf("Debian's prometheus is needed (make test installs it): %v", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("prometheus said:\n%s", log.String())
		}
	})
	return prometheusServer{t, "http://" + address}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// headSeries is how many series Prometheus itself has.
func (p prometheusServer) headSeries() int {
	var status struct {
		Data struct{ HeadStats struct{ NumSeries int } }
	}
	resp, err := http.Get(p.url + "/api/v1/status/tsdb")
	if err != nil {
		return -1 // not up yet
	}
	defer resp.Body.Close()
	if json.NewDecoder(resp.Body).Decode(&status) != nil {
		return -1
	}
	return status.Data.HeadStats.NumSeries
}

// metric is the sum of one of Prometheus' own metrics.
func (p prometheusServer) metric(name string) (sum float64) {
	resp, err := http.Get(p.url + "/metrics")
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if line := lines.Text(); strings.HasPrefix(line, name) {
			v, _ := strconv.ParseFloat(line[strings.LastIndexByte(line, ' ')+1:], 64)
			sum += v
		}
	}
	return sum
}

// eventually waits for another process.
func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	deadline, poll := time.After(time.Minute), time.NewTicker(100*time.Millisecond)
	defer poll.Stop()
	for !f() {
		select {
		case <-poll.C:
		case <-deadline:
			t.Fatalf("not within a minute: %s", what)
		}
	}
}

func TestPrometheusSeriesAreCountedExactly(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.at(time.Now())
	p := startPrometheus(t, s.server())
	eventually(t, "as many series counted as Prometheus has", func() bool {
		s.flush()
		n := s.store.series(1)
		return n > 100 && n == p.headSeries()
	})
	up := false
	for _, r := range s.records(1, meter.Metric) {
		up = up || r.Name == "up" && r.Field("job") == "self" && r.Field("value") == "1"
	}
	if !up {
		t.Error("the sink does not have that Prometheus is up")
	}
	if n := p.metric("prometheus_remote_storage_samples_failed_total"); n != 0 {
		t.Errorf("Prometheus says that %v samples failed", n)
	}
}

func TestPrometheusDropsWhatTheQuotaRefusesAndGoesOn(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.at(time.Now())
	s.limit(quota.Limits{meter.Series: 3})
	p := startPrometheus(t, s.server())
	eventually(t, "Prometheus drops samples", func() bool {
		return p.metric("prometheus_remote_storage_samples_failed_total") > 100
	})
	s.limit(nil)
	eventually(t, "Prometheus writes again", func() bool {
		s.flush()
		return s.store.series(1) > 100
	})
	if n := p.metric("prometheus_remote_storage_samples_retried_total"); n != 0 {
		t.Errorf("Prometheus held %v samples back", n)
	}
}
