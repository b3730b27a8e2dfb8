package fire_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"tollgate.dev/internal/failpoint"
)

// cycles is how often a process of each story is killed; TOLLGATE_FIRE_CYCLES
// makes it more (make fire CYCLES=2000).
func cycles(t *testing.T) int {
	text, set := os.LookupEnv("TOLLGATE_FIRE_CYCLES")
	if !set {
		return 50
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("TOLLGATE_FIRE_CYCLES=%s is no number of cycles", text)
	}
	return n
}

// process is a life under way.
type process struct {
	command *exec.Cmd
	ready   chan bool // true: it plays; false: it has ended before
	said    bytes.Buffer
	ended   chan error
}

func begin(t *testing.T, name, folder, upTo, point string) *process {
	t.Helper()
	p := &process{command: exec.CommandContext(t.Context(), os.Args[0]), ready: make(chan bool, 1), ended: make(chan error, 1)}
	p.command.Env = append(os.Environ(), childFolder+"="+folder, childStory+"="+name, childUpTo+"="+upTo, failpoint.Variable+"="+point)
	p.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := p.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.command.Stderr = &p.said
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		line, _ := bufio.NewReader(io.TeeReader(out, &p.said)).ReadString('\n')
		p.ready <- line == "ready\n"
		_, _ = io.Copy(&p.said, out)
		p.ended <- p.command.Wait()
	}()
	return p
}

// whole lets a life come to its end.
func whole(t *testing.T, name, folder, upTo string) {
	t.Helper()
	p := begin(t, name, folder, upTo, "")
	if err := <-p.ended; err != nil {
		t.Fatalf("%s: %v\n%s", name, err, &p.said)
	}
}

// killed reports whether a process ended by SIGKILL.
func killed(err error) bool {
	var exit *exec.ExitError
	return errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL
}

// stage is a story that was opened once, so that every run of it begins alike,
// and was played once without a death.
type stage struct {
	name     string
	template string
	want     string
	took     time.Duration // the whole of it, played without a death
}

func prepare(t *testing.T, name string) stage {
	t.Helper()
	s := stage{name: name, template: t.TempDir()}
	whole(t, name, s.template, "opened")
	folder := s.fresh(t)
	p := begin(t, name, folder, "", "")
	<-p.ready
	began := time.Now()
	if err := <-p.ended; err != nil {
		t.Fatalf("%s: %v\n%s", name, err, &p.said)
	}
	s.took = time.Since(began)
	s.want = outcome(t, stories[name], folder)
	return s
}

func (s stage) fresh(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	if err := os.CopyFS(folder, os.DirFS(s.template)); err != nil {
		t.Fatal(err)
	}
	return folder
}

// same holds the end of a disturbed run against the undisturbed one.
func (s stage) same(t *testing.T, folder, how string) {
	t.Helper()
	if got := outcome(t, stories[s.name], folder); got != s.want {
		t.Errorf("%s, %s: %s", s.name, how, differ(got, s.want))
	}
	if err := os.RemoveAll(folder); err != nil {
		t.Error(err)
	}
}

// TestKilledAnywhereItEndsTheSame kills each story at random instants, again
// and again, and begins it anew whenever it has come to its end.
func TestKilledAnywhereItEndsTheSame(t *testing.T) {
	t.Parallel()
	for name, story := range stories {
		if name == "everything" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := prepare(t, name)
			step := s.took/time.Duration(story.steps) + time.Millisecond
			runs, folder := 0, s.fresh(t)
			for kills := 0; kills < cycles(t); {
				p := begin(t, name, folder, "", "")
				if <-p.ready {
					select {
					case <-time.After(rand.N(step)):
						_ = p.command.Process.Kill()
					case err := <-p.ended:
						p.ended <- err
					}
				}
				switch err := <-p.ended; {
				case killed(err):
					kills++
				case err != nil:
					t.Fatalf("after %d kills: %v\n%s", kills, err, &p.said)
				default:
					s.same(t, folder, fmt.Sprintf("after %d kills", kills))
					runs, folder = runs+1, s.fresh(t)
				}
			}
			whole(t, name, folder, "")
			s.same(t, folder, "after the last kill")
			t.Logf("%d kills in %d runs of %s, a step takes about %v", cycles(t), runs+1, name, step)
		})
	}
}

// pointed are the stories that are killed at each named point: a bit of
// everything, a gateway that takes reports, and a cloud that settles.
var pointed = []string{"everything", "reports", "clouds"}

// passes are the points that a story passes when nothing happens to it.
func (s stage) passes(t *testing.T) []string {
	t.Helper()
	list := filepath.Join(t.TempDir(), "points")
	p := begin(t, s.name, s.fresh(t), "", "record:"+list)
	if err := <-p.ended; err != nil {
		t.Fatalf("recording: %v\n%s", err, &p.said)
	}
	text, err := os.ReadFile(list)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(text))
}

// TestADeathAtEveryNamedPointIsSurvived records the points that stories pass,
// and dies at each of them once, in the first story that passes it.
func TestADeathAtEveryNamedPointIsSurvived(t *testing.T) {
	t.Parallel()
	stages, of := map[string]stage{}, map[string]string{}
	for _, name := range pointed {
		stages[name] = prepare(t, name)
		for _, point := range stages[name].passes(t) {
			if of[point] == "" {
				of[point] = name
			}
		}
	}
	points := slices.Sorted(maps.Keys(of))
	golden(t, points)
	for part := range 4 {
		t.Run(fmt.Sprint("part ", part), func(t *testing.T) {
			t.Parallel()
			for i, point := range points {
				if i%4 != part {
					continue
				}
				s := stages[of[point]]
				folder := s.fresh(t)
				p := begin(t, s.name, folder, "", point)
				if err := <-p.ended; !killed(err) {
					t.Fatalf("at %s of %s it was not killed: %v\n%s", point, s.name, err, &p.said)
				}
				whole(t, s.name, folder, "")
				s.same(t, folder, "killed at "+point)
			}
		})
	}
}
