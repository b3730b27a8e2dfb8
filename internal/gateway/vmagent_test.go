package gateway

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"tollgate.dev/internal/meter"
	"tollgate.dev/internal/quota"
)

// startVmagent runs vmagent, which scrapes itself every second and writes to
// the gateway in zstd, as it does when it is not told otherwise.
func startVmagent(t *testing.T, gateway string) prometheusServer {
	t.Helper()
	binary, err := filepath.Abs("../../out/peers/vmagent")
	if err != nil {
		t.Fatal(err)
	}
	dir, address := t.TempDir(), freeAddress(t)
	config := filepath.Join(dir, "scrape.yml")
	text := fmt.Sprintf("global: {scrape_interval: 1s}\nscrape_configs:\n- job_name: self\n  static_configs: [{targets: [%q]}]\n", address)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	cmd := exec.Command(binary, "-httpListenAddr="+address, "-promscrape.config="+config, "-remoteWrite.url="+gateway+"/api/v1/write",
		"-remoteWrite.bearerToken="+token, "-remoteWrite.tmpDataPath="+filepath.Join(dir, "queue"), "-remoteWrite.flushInterval=200ms",
		"-remoteWrite.retryMinInterval=50ms", "-remoteWrite.retryMaxTime=200ms", "-memory.allowedBytes=64MB")
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatalf("vmagent is needed (make test builds it): %v", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("vmagent said:\n%s", log.String())
		}
	})
	return prometheusServer{t, "http://" + address}
}

// TestVmagentGoesOnThroughQuotaAndOverload shows that nothing wedges its queue,
// and that what is billed is what the sink holds.
func TestVmagentGoesOnThroughQuotaAndOverload(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.at(time.Now())
	s.limit(quota.Limits{meter.Series: 3})
	f := newFront(s)
	agent := startVmagent(t, f.url)
	eventually(t, "vmagent drops what the quota refuses", func() bool { return agent.metric("vmagent_remotewrite_packets_dropped_total") >= 2 })
	if f.answered[409].Load() < 2 || s.store.series(1) != 0 {
		t.Errorf("answered 409 %d times, counted %d", f.answered[409].Load(), s.store.series(1))
	}
	s.limit(nil)
	eventually(t, "vmagent writes when there is room", func() bool {
		s.flush()
		return s.store.series(1) > 100
	})
	s.g.ready.Store(false)
	eventually(t, "vmagent tries again", func() bool { return agent.metric("vmagent_remotewrite_retries_count_total") >= 2 })
	dropped := agent.metric("vmagent_remotewrite_packets_dropped_total")
	before := f.answered[204].Load()
	s.g.ready.Store(true)
	eventually(t, "vmagent writes after an overload", func() bool { return f.answered[204].Load() > before })
	if now := agent.metric("vmagent_remotewrite_packets_dropped_total"); now != dropped {
		t.Errorf("vmagent dropped %v packets in an overload", now-dropped)
	}
	if f.answered[415].Load() != 0 {
		t.Error("vmagent was not understood in zstd")
	}
	s.flush()
	names := map[string]bool{}
	for _, r := range s.records(1, meter.Metric) {
		names[fmt.Sprint(r.Name, r.Tags)] = true
	}
	if len(names) > s.store.series(1) {
		t.Errorf("the sink holds %d series at least, %d are counted", len(names), s.store.series(1))
	}
}
