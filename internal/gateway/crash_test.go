package gateway

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tollgate.dev/internal/meter"
	"tollgate.dev/internal/quota"
	"tollgate.dev/internal/sink"
)

// crashDir tells the test binary to be a gateway in that folder, to be killed.
const crashDir = "TOLLGATE_TEST_GATEWAY_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		if err := errors.Join(boundDisk(), beGateway(dir)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// beGateway serves until its standard input ends, and then stops cleanly.
func beGateway(dir string) error {
	store := newMemory(experience())
	if err := store.replay(filepath.Join(dir, "journal")); err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	local, err := sink.OpenLocal(filepath.Join(dir, "records"), log)
	if err != nil {
		return err
	}
	g := New(Config{
		ID: "g1", SpoolPath: filepath.Join(dir, "spool"), Store: store, Sink: local, Now: time.Now, FlushEvery: 5 * time.Millisecond, Log: log,
		Limits: func(time.Time) quota.Limits { return quota.Limits{meter.Series: 1 << 40, meter.Logs: 1 << 40} },
	})
	if err := g.Start(context.Background()); err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	srv := &http.Server{Handler: g.Handler()}
	go srv.Serve(l)
	fmt.Println("http://" + l.Addr().String())
	_, _ = io.Copy(io.Discard, os.Stdin)
	if err := srv.Shutdown(context.Background()); err != nil {
		return err
	}
	if err := g.Stop(context.Background()); err != nil {
		return err
	}
	return local.Close()
}

// child is a gateway in a process of its own.
type child struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
	log   *bytes.Buffer
	url   string
}

func startChild(t *testing.T, dir string, environment ...string) *child {
	t.Helper()
	c := &child{cmd: exec.Command(os.Args[0]), log: &bytes.Buffer{}}
	c.cmd.Env = append(append(os.Environ(), crashDir+"="+dir), environment...)
	c.cmd.Stderr = c.log
	stdin, err1 := c.cmd.StdinPipe()
	stdout, err2 := c.cmd.StdoutPipe()
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	c.stdin = stdin
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	url, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("the gateway did not start: %v\n%s", err, c.log)
	}
	c.url = strings.TrimSpace(url)
	return c
}

func (c *child) kill() {
	_ = c.cmd.Process.Kill()
	_ = c.cmd.Wait()
}

// reporter sends each report until it is acknowledged, to whichever gateway
// is alive.
type reporter struct {
	url  atomic.Pointer[string]
	sent atomic.Int64
}

func (r *reporter) send(ctx context.Context, category string, body []byte) error {
	for ctx.Err() == nil {
		resp, err := http.Post(*r.url.Load()+"/v1/write/"+category+"?token="+token, "text/plain", bytes.NewReader(body))
		if err != nil {
			continue // killed; the next one comes up
		}
		_ = resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			r.sent.Add(1)
			return nil
		}
		if resp.StatusCode < 500 {
			return fmt.Errorf("answered %d", resp.StatusCode)
		}
	}
	return ctx.Err()
}

// TestWhatIsAcknowledgedSurvivesKills: clients write without a pause while the
// gateway is killed again and again, anywhere in its work. In the end each
// report is in the sink once and counted once.
func TestWhatIsAcknowledgedSurvivesKills(t *testing.T) {
	t.Parallel()
	const clients, each, kills = 6, 60, 50
	dir := t.TempDir()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	var r reporter
	c := startChild(t, dir)
	r.url.Store(&c.url)
	var work sync.WaitGroup
	start := time.Now()
	for i := range clients {
		work.Go(func() {
			for j := range each {
				at := start.Add(time.Duration(i*each+j) * time.Microsecond)
				body := fmt.Appendf(nil, "app,client=%d message=\"%d-%d\" %d\n", i, i, j, at.UnixNano())
				if err := r.send(ctx, "logging", body); err != nil {
					t.Error(err)
				}
				body = fmt.Appendf(nil, "cpu,client=%d,n=%d f=1 %d\n", i, j, at.UnixNano())
				if err := r.send(ctx, "metric", body); err != nil {
					t.Error(err)
				}
			}
		})
	}
	finished := make(chan struct{})
	go func() { work.Wait(); close(finished) }()
	poll := time.NewTicker(time.Millisecond)
	defer poll.Stop()
	for k := range kills {
		// After a share of the work, at no particular point of it.
		share := int64(2*clients*each*(k+1)/(kills+1)) + rand.Int64N(10)
		for r.sent.Load() < share && ctx.Err() == nil {
			<-poll.C
		}
		c.kill()
		c = startChild(t, dir)
		r.url.Store(&c.url)
	}
	<-finished
	_ = c.stdin.Close()
	if err := c.cmd.Wait(); err != nil {
		t.Fatalf("the gateway did not stop cleanly: %v\n%s", err, c.log)
	}
	checkOnce(t, dir, clients*each)
}

func checkOnce(t *testing.T, dir string, n int) {
	t.Helper()
	store := newMemory()
	if err := store.replay(filepath.Join(dir, "journal")); err != nil {
		t.Fatal(err)
	}
	if series, logs := store.series(1), store.logs(1); series != n || logs != int64(n) {
		t.Errorf("counted %d series and %d logs, want %d of each", series, logs, n)
	}
	local, err := sink.OpenLocal(filepath.Join(dir, "records"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer local.Close()
	for _, kind := range []meter.Type{meter.Metric, meter.Logging} {
		page, err := local.Query(context.Background(), sink.Query{WorkspaceID: "wksp_1", Generation: 1, Type: kind, Limit: sink.MaxPage})
		if err != nil || len(page.Records) != n {
			t.Errorf("%s: stored %d records, %v; want %d", kind, len(page.Records), err, n)
		}
	}
}
