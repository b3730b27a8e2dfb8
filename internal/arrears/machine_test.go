package arrears

import (
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tollgate.dev/internal/workspace"
)

var noon = time.Date(2026, 3, 1, 4, 0, 0, 0, time.UTC)

// clocks are what can concern a workspace: nothing, one cause or both, each
// running or run out.
func clocks() map[string][]Clock {
	running := Start(Debt, "bcac_1", noon)
	over := running
	over.Stage = RunOut
	cloud := Start(Cloud, "wksp_1", noon)
	cloudOver := cloud
	cloudOver.Stage = RunOut
	ended := over
	ended.EndedAt = noon
	return map[string][]Clock{
		"nothing":             nil,
		"a debt":              {running},
		"a debt run out":      {over},
		"a cloud":             {cloud},
		"a cloud run out":     {cloudOver},
		"both":                {running, cloud},
		"a debt run out, and": {over, cloud},
		"a cloud run out and": {running, cloudOver},
		"both run out":        {over, cloudOver},
		"an ended one":        {ended},
	}
}

// TestTheWholeStateSpace takes every event in every state with every set of
// clocks, and says by hand what may come.
func TestTheWholeStateSpace(t *testing.T) {
	t.Parallel()
	const n, g, l, c, d = workspace.Normal, workspace.Grace, workspace.Locked, workspace.Cleared, workspace.Dissolved
	for name, set := range clocks() {
		says := Strictest(set...)
		for _, from := range States() {
			for _, on := range Events() {
				to, err := Next(from, on, set...)
				var want workspace.State
				switch {
				case from == d && on != Dissolve && on != HoldOver, from == c && on != Dissolve && on != HoldOver:
					want = from // whatever becomes of the causes
				case on == Dissolve && (from == n || from == g || from == l):
					want = d
				case on == HoldOver && from == l:
					want = c
				case on == Dissolve, on == HoldOver:
				case on == CauseBegan && from == n && says != n, on == CauseBegan && from == g && says != n, on == CauseBegan && from == l && says != n:
					want = says
				case on == CauseEnded && from == n && says == n, on == CauseEnded && from == g && says != l, on == CauseEnded && from == l:
					want = says
				case on == TimeUp && from == n && says == n, on == TimeUp && from == g && says == l, on == TimeUp && from == l && says == l:
					want = says
				case on == Extended && from == n && says == n, on == Extended && from == g && says == g, on == Extended && from == l && says != n:
					want = says
				}
				if want == "" && err == nil || want != "" && (err != nil || to != want) {
					t.Errorf("%s in %s with %s: %s, %v; want %q", on, from, name, to, err, want)
				}
				if err != nil && to != from {
					t.Errorf("%s in %s with %s is refused and leads to %s", on, from, name, to)
				}
			}
		}
	}
}

func TestWhatIsOverIsRefusedWithItsReason(t *testing.T) {
	t.Parallel()
	for from, want := range map[workspace.State]error{workspace.Cleared: workspace.ErrCleared, workspace.Dissolved: workspace.ErrDissolved} {
		if _, err := Next(from, Dissolve); !errors.Is(err, want) {
			t.Errorf("dissolving what is %s: %v", from, err)
		}
	}
}

func TestEveryStateAndEventHasItsRow(t *testing.T) {
	t.Parallel()
	if len(machine) != len(States()) {
		t.Errorf("%d states have rows", len(machine))
	}
	for from, row := range machine {
		for on, to := range row {
			if !slices.Contains(Events(), on) || len(to) == 0 {
				t.Errorf("%s: %s leads to %v", from, on, to)
			}
			for _, s := range to {
				if !slices.Contains(States(), s) {
					t.Errorf("%s: %s leads to %s", from, on, s)
				}
			}
		}
	}
}

// world is a workspace with its causes, moved at random and judged by rules of
// its own: a cause is there or not, and since when.
type world struct {
	state  workspace.State
	clocks map[Cause]Clock
	at     time.Time
}

func (w *world) list() []Clock {
	var all []Clock
	for _, cause := range []Cause{Debt, Cloud} {
		if c, ok := w.clocks[cause]; ok {
			all = append(all, c)
		}
	}
	return all
}

func (w *world) take(t *rapid.T, on Event) {
	to, err := Next(w.state, on, w.list()...)
	if err != nil {
		t.Fatalf("%s in %s with %v: %v", on, w.state, w.list(), err)
	}
	w.state = to
}

// wait lets time pass and the clocks turn, as the calendar does.
func (w *world) wait(t *rapid.T, by time.Duration) {
	end := w.at.Add(by)
	for {
		var next Cause
		at := end
		for cause, c := range w.clocks {
			if due := c.NextAt(); !due.IsZero() && !due.After(at) {
				next, at = cause, due
			}
		}
		w.at = at
		if next == "" {
			return
		}
		c := w.clocks[next].Turn(at)
		w.clocks[next] = c
		if c.Stage == RunOut {
			w.take(t, TimeUp)
		}
	}
}

// TestRandomHistoriesKeepTheRules plays what can happen to a workspace in any
// order and compares with what each rule says by itself.
func TestRandomHistoriesKeepTheRules(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := &world{state: workspace.Normal, clocks: map[Cause]Clock{}, at: noon}
		since := map[Cause]time.Time{} // what the machine is judged by
		until := map[Cause]time.Time{}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			w.wait(t, time.Duration(rapid.Int64Range(0, 8*24*60).Draw(t, "minutes"))*time.Minute)
			cause := rapid.SampledFrom([]Cause{Debt, Cloud}).Draw(t, "cause")
			_, lasts := w.clocks[cause]
			switch rapid.SampledFrom([]string{"begin", "begin", "begin", "end", "extend", "hold", "dissolve"}).Draw(t, "what") {
			case "begin":
				if !lasts {
					w.clocks[cause] = Start(cause, "x", w.at)
					since[cause], until[cause] = w.at, w.at.Add(14*24*time.Hour)
					w.take(t, CauseBegan)
				}
			case "end":
				if lasts {
					delete(w.clocks, cause)
					delete(since, cause)
					delete(until, cause)
					w.take(t, CauseEnded)
				}
			case "extend":
				days := rapid.IntRange(1, 20).Draw(t, "days")
				if c, err := w.clocks[cause].Extend(days, w.at); lasts && err == nil {
					w.clocks[cause], until[cause] = c, w.at.Add(time.Duration(days)*24*time.Hour)
					w.take(t, Extended)
				}
			case "hold":
				if w.state == workspace.Locked && rapid.IntRange(0, 9).Draw(t, "rarely") == 0 {
					w.take(t, HoldOver)
				}
			case "dissolve":
				if w.state != workspace.Cleared && w.state != workspace.Dissolved && rapid.IntRange(0, 9).Draw(t, "rarely") == 0 {
					w.take(t, Dissolve)
				}
			}
			w.judge(t, since, until)
		}
	})
}

func (w *world) judge(t *rapid.T, since, until map[Cause]time.Time) {
	want := workspace.Normal
	for cause, lock := range until {
		if want == workspace.Normal {
			want = workspace.Grace
		}
		if !w.at.Before(lock) {
			want = workspace.Locked
		}
		if w.clocks[cause].BeganAt != since[cause] {
			t.Fatalf("%s began at %s, the clock says %s", cause, since[cause], w.clocks[cause].BeganAt)
		}
	}
	if w.state != workspace.Cleared && w.state != workspace.Dissolved && w.state != want {
		t.Fatalf("it is %s at %s, want %s: %v", w.state, w.at, want, until)
	}
}
