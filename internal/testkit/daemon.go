package testkit

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Build makes the tollgate binary, once per test process, and gives its path.
func Build(t testing.TB) string {
	t.Helper()
	path, err := build(Root(t))
	if err != nil {
		t.Fatalf("building tollgate: %v", err)
	}
	return path
}

var (
	buildOnce sync.Once
	buildPath string
	buildErr  error
)

func build(root string) (string, error) {
	buildOnce.Do(func() {
		folder, err := os.MkdirTemp("", "tollgate-build-")
		if err != nil {
			buildErr = err
			return
		}
		if buildErr = shared.later(func() { _ = os.RemoveAll(folder) }); buildErr != nil {
			return
		}
		buildPath = filepath.Join(folder, "tollgate")
		command := exec.Command("go", "build", "-o", buildPath, "./cmd/tollgate")
		command.Dir = root
		command.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := command.CombinedOutput(); err != nil {
			buildErr = fmt.Errorf("%w\n%s", err, out)
		}
	})
	return buildPath, buildErr
}

// Command is a program to start as a real process.
type Command struct {
	Path   string
	Args   []string
	Env    []string // added to the test's own
	Dir    string
	Ready  string        // a regular expression; the process is ready when its output matches
	Within time.Duration // how long that may take; 30 seconds when zero
}

// Defaults and limits of a process.
const (
	readyWithin  = 30 * time.Second
	stopWithin   = 30 * time.Second
	outputAtMost = 8 << 20 // what is kept of the output; the rest is dropped
)

// Daemon is a running process. It is killed at the end of the test, and when
// the test process dies.
type Daemon struct {
	command *exec.Cmd
	output  output
	exited  chan struct{} // closed when it has ended; exit is set before
	exit    error
	match   []string
}

// Start runs the command and returns when its output says that it is ready.
func Start(t testing.TB, c Command) *Daemon {
	t.Helper()
	ready, err := regexp.Compile(c.Ready)
	if err != nil {
		t.Fatalf("readiness of %s: %v", c.Path, err)
	}
	d := &Daemon{command: exec.Command(c.Path, c.Args...), exited: make(chan struct{})}
	d.output.changed = make(chan struct{}, 1)
	d.command.Env = append(os.Environ(), c.Env...)
	d.command.Dir = c.Dir
	d.command.Stdout, d.command.Stderr = &d.output, &d.output
	d.command.WaitDelay = time.Second // a grandchild that holds the pipe may not hold the test
	if err := spawn(d.command, syscall.SIGKILL); err != nil {
		t.Fatalf("starting %s: %v", c.Path, err)
	}
	go func() {
		d.exit = d.command.Wait()
		close(d.exited)
	}()
	t.Cleanup(func() {
		d.Kill()
		if t.Failed() {
			t.Logf("output of %s:\n%s", filepath.Base(c.Path), d.Output())
		}
	})
	within := c.Within
	if within == 0 {
		within = readyWithin
	}
	if err := d.await(ready, within); err != nil {
		t.Fatalf("%s: %v", filepath.Base(c.Path), err)
	}
	return d
}

func (d *Daemon) await(ready *regexp.Regexp, within time.Duration) error {
	late := time.NewTimer(within)
	defer late.Stop()
	for {
		if d.match = ready.FindStringSubmatch(d.Output()); d.match != nil {
			return nil
		}
		select {
		case <-d.output.changed:
		case <-d.exited:
			if d.match = ready.FindStringSubmatch(d.Output()); d.match != nil {
				return nil
			}
			return fmt.Errorf("ended before it was ready: %v", d.exit)
		case <-late.C:
			return fmt.Errorf("not ready within %v", within)
		}
	}
}

// Match is what the readiness expression matched: the whole at 0, its groups
// from 1 on.
func (d *Daemon) Match(group int) string { return d.match[group] }

// Output is what the process has written so far, errors included.
func (d *Daemon) Output() string { return d.output.String() }

// PID is the number of the process.
func (d *Daemon) PID() int { return d.command.Process.Pid }

// Exited is closed when the process has ended.
func (d *Daemon) Exited() <-chan struct{} { return d.exited }

// Stop asks the process to end (SIGTERM), waits, and returns its exit error:
// nil for a clean end.
func (d *Daemon) Stop() error {
	_ = d.command.Process.Signal(syscall.SIGTERM)
	select {
	case <-d.exited:
		return d.exit
	case <-time.After(stopWithin):
		d.Kill()
		return errors.New("did not end after SIGTERM and was killed")
	}
}

// Kill ends the process and its children at once, as kill -9 does.
func (d *Daemon) Kill() {
	select {
	case <-d.exited: // its number may belong to another process by now
		return
	default:
	}
	_ = syscall.Kill(-d.command.Process.Pid, syscall.SIGKILL)
	<-d.exited
}

// output keeps what a process writes and says when there is more.
type output struct {
	mu      sync.Mutex
	text    bytes.Buffer
	changed chan struct{}
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	o.text.Write(p[:min(len(p), max(0, outputAtMost-o.text.Len()))])
	o.mu.Unlock()
	select {
	case o.changed <- struct{}{}:
	default:
	}
	return len(p), nil
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}
