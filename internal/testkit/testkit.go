// Package testkit is what tests of Tollgate share: a private PostgreSQL, real
// processes that are started, watched and killed, a clock that is moved by
// hand, and waiting with a deadline.
//
// Only tests import it. It knows nothing of Tollgate's business, so that every
// package may use it. Always true: what it starts ends with the test process,
// also when that is killed, and what it cannot find fails the test: a missing
// PostgreSQL is no reason to pass.
package testkit

import (
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// Main runs the tests of a package and then stops what they share. A package
// that uses Postgres or Build calls it from its TestMain:
//
//	func TestMain(m *testing.M) { testkit.Main(m) }
func Main(m *testing.M) {
	shared.announce()
	code := m.Run()
	shared.end()
	os.Exit(code)
}

// ends holds what must happen after the last test of the process.
type ends struct {
	mu    sync.Mutex
	known bool // Main is in charge
	list  []func()
}

var shared ends

func (e *ends) announce() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.known = true
}

// later keeps f for the end of the process.
func (e *ends) later(f func()) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.known {
		return errors.New(`the package needs "func TestMain(m *testing.M) { testkit.Main(m) }", which stops at the end what its tests share`)
	}
	e.list = append(e.list, f)
	return nil
}

func (e *ends) end() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := len(e.list) - 1; i >= 0; i-- {
		e.list[i]()
	}
	e.list = nil
}

// Clock is moved by hand; its method Now is what a door takes for its clock.
type Clock struct {
	mu sync.Mutex
	at time.Time
}

// NewClock starts at the instant.
func NewClock(at time.Time) *Clock { return &Clock{at: at} }

// Now is where the clock stands.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

// Advance moves the clock and says where it stands then.
func (c *Clock) Advance(by time.Duration) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(by)
	return c.at
}

// Set puts the clock to the instant.
func (c *Clock) Set(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = at
}

// Logger writes to the test's log, so that what happened is shown when the
// test fails. What comes after the end of the test is dropped: a service that
// is still closing may not take the whole test process down.
func Logger(t testing.TB) *slog.Logger {
	w := &logWriter{t: t}
	t.Cleanup(w.close)
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

type logWriter struct {
	mu   sync.Mutex
	t    testing.TB
	over bool
}

func (w *logWriter) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.over {
		w.t.Log(strings.TrimSuffix(string(line), "\n"))
	}
	return len(line), nil
}

func (w *logWriter) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = true
}

// FreePort is a loopback port that nothing listens on. Prefer to let a server
// choose its own and to read it from its output; this is for programs that
// cannot.
func FreePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("finding a free port: %v", err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}

// pause is how long Eventually rests between two looks.
const pause = 20 * time.Millisecond

// Eventually asks until check returns nil, and fails the test with its last
// error when the time is over. It is for real processes; what has a clock of
// its own is tested with that.
func Eventually(t testing.TB, within time.Duration, check func() error) {
	t.Helper()
	deadline := time.Now().Add(within)
	for {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %v", within, err)
		}
		time.Sleep(pause)
	}
}

// Root is the folder of the module, found upwards from the test's own folder.
func Root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatalf("working directory: %v", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("no go.mod above the test's folder")
		}
		dir = parent
	}
}
