package failpoint

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestMain is also the process that dies, or records.
func TestMain(m *testing.M) {
	if On() {
		Here("a")
		if err := Around("call", func() error { return nil }); err != nil {
			panic(err)
		}
		_ = Around("failing", func() error { return errors.New("no") })
		Here("a")
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func child(t *testing.T, value string) error {
	t.Helper()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), Variable+"="+value)
	return c.Run()
}

func TestANamedPointKills(t *testing.T) {
	t.Parallel()
	for name, dies := range map[string]bool{"a": true, "call.before": true, "call.after": true, "failing.before": true, "failing.after": false, "b": false} {
		err := child(t, name)
		var exit *exec.ExitError
		killed := errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL
		if killed != dies || !dies && err != nil {
			t.Errorf("%s: %v, want a death: %v", name, err, dies)
		}
	}
}

func TestPointsAreRecordedOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "points")
	if err := child(t, recording+path); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if want := "a call.before call.after failing.before"; err != nil || strings.Join(strings.Fields(string(text)), " ") != want {
		t.Errorf("recorded %q, %v, want %q", text, err, want)
	}
}

func TestAPointIsNamedAfterItsCaller(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"bill.Books.begin": "bill.Books.begin", "topup.(*Desk).Credit": "topup.Desk.Credit",
		"topup.(*Desk).Credit.func1": "topup.Desk.Credit", "arrears.Tell.func2.1": "arrears.Tell", "app.(*App).deliver-fm": "app.App.deliver",
	} {
		if got := short(name); got != want {
			t.Errorf("%s is called %s, want %s", name, got, want)
		}
	}
	if got := Caller("store"); got != "failpoint.TestAPointIsNamedAfterItsCaller" {
		t.Errorf("we are called %s", got)
	}
}

func BenchmarkAPointThatIsOff(b *testing.B) {
	for b.Loop() {
		Here("a")
	}
}
