package testkit_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"tollgate.dev/internal/testkit"
)

// child makes the test binary play a test process that is killed.
const child = "TESTKIT_CHILD"

func TestMain(m *testing.M) { testkit.Main(m) }

func TestPostgresGivesEachCallItsOwnDurableDatabase(t *testing.T) {
	t.Parallel()
	first, second := testkit.Postgres(t), testkit.Postgres(t)
	if first == second {
		t.Fatalf("both calls gave %s", first)
	}
	ctx := context.Background()
	c, err := pgx.Connect(ctx, first)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(ctx)
	if _, err := c.Exec(ctx, "CREATE TABLE seen (word TEXT)"); err != nil {
		t.Fatal(err)
	}
	for _, setting := range []string{"fsync", "full_page_writes", "synchronous_commit"} {
		var value string
		if err := c.QueryRow(ctx, "SHOW "+setting).Scan(&value); err != nil || value != "on" {
			t.Errorf("%s is %q (%v), want on", setting, value, err)
		}
	}
	other, err := pgx.Connect(ctx, second)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close(ctx)
	var n int
	if err := other.QueryRow(ctx, "SELECT count(*) FROM pg_tables WHERE tablename = 'seen'").Scan(&n); err != nil || n != 0 {
		t.Errorf("the second database sees %d tables of the first (%v)", n, err)
	}
}

func TestKilledTestProcessTakesItsServersAlong(t *testing.T) {
	t.Parallel()
	if os.Getenv(child) != "" {
		playKilledProcess(t)
	}
	command := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	command.Env = append(os.Environ(), child+"=1")
	out, err := command.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("the child process was not killed: %v\n%s", err, out)
	}
	var pid int
	var url string
	for line := range strings.Lines(string(out)) {
		if _, rest, ok := strings.Cut(line, "DAEMON "); ok {
			pid, _ = strconv.Atoi(strings.TrimSpace(rest))
		}
		if _, rest, ok := strings.Cut(line, "POSTGRES "); ok {
			url = strings.TrimSpace(rest)
		}
	}
	if pid == 0 || url == "" {
		t.Fatalf("the child process did not say what it started:\n%s", out)
	}
	testkit.Eventually(t, 20*time.Second, func() error {
		if running(pid) {
			return fmt.Errorf("process %d is still running", pid)
		}
		c, err := pgx.Connect(context.Background(), url)
		if err == nil {
			c.Close(context.Background())
			return errors.New("its PostgreSQL still answers")
		}
		return nil
	})
}

// running leaves out zombies, which nobody may be there to bury.
func running(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(stat), ") Z ")
}

func playKilledProcess(t *testing.T) {
	d := testkit.Start(t, testkit.Command{Path: "/bin/sh", Args: []string{"-c", "echo ready; exec sleep 600"}, Ready: "ready"})
	fmt.Println("POSTGRES", testkit.Postgres(t))
	fmt.Println("DAEMON", d.PID())
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

func TestDaemonIsReadyWhenItSaysSoAndEndsWhenAsked(t *testing.T) {
	t.Parallel()
	script := `trap 'echo bye; exit 0' TERM; echo starting; echo "listening on port 4242"; while :; do sleep 0.05; done`
	d := testkit.Start(t, testkit.Command{Path: "/bin/sh", Args: []string{"-c", script}, Ready: `listening on port (\d+)`})
	if d.Match(1) != "4242" {
		t.Errorf("the port is %q, want 4242", d.Match(1))
	}
	if err := d.Stop(); err != nil {
		t.Errorf("stopping: %v", err)
	}
	if !strings.HasSuffix(d.Output(), "bye\n") {
		t.Errorf("the output ends before the process did: %q", d.Output())
	}
	d.Kill() // of an ended process does nothing
}

func TestKilledDaemonHasNoTimeToSayGoodbye(t *testing.T) {
	t.Parallel()
	script := `trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.05; done`
	d := testkit.Start(t, testkit.Command{Path: "/bin/sh", Args: []string{"-c", script}, Ready: `ready`})
	d.Kill()
	<-d.Exited()
	if strings.Contains(d.Output(), "bye") {
		t.Error("the process ended in order")
	}
}

func TestClockMovesOnlyByHand(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	c := testkit.NewClock(start)
	if !c.Now().Equal(start) {
		t.Errorf("the clock stands at %v", c.Now())
	}
	if got := c.Advance(time.Hour); !got.Equal(start.Add(time.Hour)) || !c.Now().Equal(got) {
		t.Errorf("after an hour the clock stands at %v", c.Now())
	}
	c.Set(start)
	if !c.Now().Equal(start) {
		t.Errorf("set back, the clock stands at %v", c.Now())
	}
}

func TestEventuallyAsksUntilItHolds(t *testing.T) {
	t.Parallel()
	asked := 0
	testkit.Eventually(t, time.Minute, func() error {
		if asked++; asked < 3 {
			return errors.New("not yet")
		}
		return nil
	})
	if asked != 3 {
		t.Errorf("asked %d times, want 3", asked)
	}
}
