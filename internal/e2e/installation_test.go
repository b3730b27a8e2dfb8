package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"tollgate.dev/client"
	"tollgate.dev/internal/app"
	"tollgate.dev/internal/mailbox"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/testkit"
)

// installation is Tollgate as a real process with a folder of its own, which
// it may be killed in and started on again.
type installation struct {
	t       testing.TB
	program string
	args    []string // without the command's folder, store and addresses
	ready   string
	folder  string
	url     string // of the store; empty is SQLite in the folder

	daemon  *testkit.Daemon
	base    string
	gateway string
	mails   func(to string) ([]mailbox.Message, error)
}

// The words by which a process says that it is ready, and where.
const (
	welcome  = `(?s)Start here\s+(http://\S+?)/?\n.*?Gateway\s+(http://\S+)\n`
	readyLog = `"msg":"ready","consoles":"([^"]+)","gateway":"([^"]+)"`
)

// demo starts `tollgate demo` with the store that the URL names.
func demo(t testing.TB, storeURL string, more ...string) *installation {
	t.Helper()
	i := &installation{t: t, program: testkit.Build(t), args: append([]string{"demo"}, more...), ready: welcome, folder: t.TempDir(), url: storeURL}
	i.mails = i.mailboxPage
	i.start()
	i.morning()
	return i
}

// serve starts `tollgate serve` as a sandbox, with a mail server of the test's.
func serve(t testing.TB, args ...string) *installation {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	box := mailbox.New(mailbox.Config{Now: time.Now})
	go func() { _ = box.Serve(l) }()
	t.Cleanup(func() { _ = box.Close() })
	i := &installation{t: t, program: testkit.Build(t), ready: readyLog, folder: t.TempDir()}
	i.args = append([]string{"serve", "--sandbox", "--smtp-address", l.Addr().String(), "--smtp-security", "none"}, args...)
	i.mails = func(to string) ([]mailbox.Message, error) { return box.Messages(to), nil }
	i.start()
	i.morning()
	return i
}

func (i *installation) start() {
	i.t.Helper()
	args := append(append([]string{}, i.args...), "--data", i.folder, "--listen", "127.0.0.1:0", "--gateway-listen", "127.0.0.1:0")
	if i.url != "" {
		args = append(args, "--store", i.url)
	}
	i.daemon = testkit.Start(i.t, testkit.Command{Path: i.program, Args: args, Ready: i.ready})
	i.base, i.gateway = i.daemon.Match(1), i.daemon.Match(2)
}

func (i *installation) api() *client.Client { return client.New(i.base) }

// zone is where the days of the tests' site begin.
func (i *installation) zone() *time.Location {
	i.t.Helper()
	s, err := site.Find("cn1")
	if err != nil {
		i.t.Fatal(err)
	}
	return s.Zone
}

// morning moves the clock on when the site's midnight is near, so that a test
// that counts a day does not fall into two.
func (i *installation) morning() {
	i.t.Helper()
	if i.now().In(i.zone()).Hour() >= 22 {
		i.advance("3h")
	}
}

// tool runs a command of the operator's on the installation.
func (i *installation) tool(args ...string) (string, error) {
	out, err := exec.Command(i.program, args...).CombinedOutput()
	return string(out), err
}

// now is the time of the sandbox.
func (i *installation) now() time.Time {
	i.t.Helper()
	out, err := i.tool("clock", "show", "--data", i.folder)
	if err != nil {
		i.t.Fatalf("tollgate clock: %v\n%s", err, out)
	}
	return i.clock(out)
}

func (i *installation) clock(out string) time.Time {
	i.t.Helper()
	var answer struct{ Now time.Time }
	if err := json.Unmarshal([]byte(out), &answer); err != nil {
		i.t.Fatalf("tollgate clock said %q: %v", out, err)
	}
	return answer.Now
}

// advance moves the clock; what falls due has ended when it returns.
func (i *installation) advance(step string) time.Time {
	i.t.Helper()
	out, err := i.tool("clock", "advance", step, "--data", i.folder)
	if err != nil {
		i.t.Fatalf("tollgate clock advance %s: %v\n%s", step, err, out)
	}
	return i.clock(out)
}

// today is the service day of the site.
func (i *installation) today() string {
	i.t.Helper()
	return i.now().In(i.zone()).Format(time.DateOnly)
}

// verified runs `tollgate verify`, which must find nothing.
func (i *installation) verified() {
	i.t.Helper()
	args := []string{"verify", "--data", i.folder}
	if i.url != "" {
		args = append(args, "--store", i.url)
	}
	if out, err := i.tool(args...); err != nil {
		i.t.Errorf("tollgate verify: %v\n%s", err, out)
	}
}

// behind opens the installation's store beside the running process.
func (i *installation) behind(f func(ctx context.Context, s *store.Store) error) {
	i.t.Helper()
	s, err := app.OpenStore(i.t.Context(), i.url, i.folder)
	if err != nil {
		i.t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if err := f(i.t.Context(), s); err != nil {
		i.t.Fatal(err)
	}
}

// mailboxPage asks the demo's mailbox, as a program would.
func (i *installation) mailboxPage(to string) ([]mailbox.Message, error) {
	response, err := http.Get(i.base + "/mailbox.json?to=" + url.QueryEscape(to))
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	var list []mailbox.Message
	return list, json.NewDecoder(response.Body).Decode(&list)
}

// code waits for the mail that an action causes and gives the code in it.
func (i *installation) code(to string, action func() error) string {
	i.t.Helper()
	before, err := i.mails(to)
	if err != nil {
		i.t.Fatal(err)
	}
	if err := action(); err != nil {
		i.t.Fatal(err)
	}
	var code string
	testkit.Eventually(i.t, 20*time.Second, func() error {
		list, err := i.mails(to)
		if err != nil {
			return err
		}
		for _, m := range list[:len(list)-len(before)] {
			if m.Code != "" {
				code = m.Code
				return nil
			}
		}
		return fmt.Errorf("no code has come for %s", to)
	})
	return code
}

// peak is the most memory that the process has held so far, in bytes.
func (i *installation) peak() int64 {
	i.t.Helper()
	return i.status("VmHWM")
}

var figure = regexp.MustCompile(`\d+`)

func (i *installation) status(name string) int64 {
	i.t.Helper()
	text := readText(i.t, fmt.Sprintf("/proc/%d/status", i.daemon.PID()))
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			var kib int64
			if _, err := fmt.Sscan(figure.FindString(rest), &kib); err != nil {
				i.t.Fatal(err)
			}
			return kib << 10
		}
	}
	i.t.Fatalf("no %s in the status of the process", name)
	return 0
}
