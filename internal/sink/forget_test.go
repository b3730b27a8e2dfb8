package sink

import (
	"context"
	"fmt"
	"testing"
	"time"

	"tollgate.dev/internal/meter"
)

func sample(key byte, at time.Time, class, text string) Report {
	r := report(key, at, line(text, at))
	r.Type, r.Class = meter.Metric, class
	return r
}

func TestForgottenMetricsAreGoneAndNothingElseIs(t *testing.T) {
	t.Parallel()
	l := fresh(t)
	other, older := sample(4, noon, "7d", "another workspace"), sample(5, noon, "7d", "another generation")
	other.WorkspaceID, older.Generation = "w2", 2
	write(t, l, sample(1, noon.Add(-30*time.Hour), "7d", "yesterday"), sample(2, noon.Add(-time.Second), "7d", "before"),
		sample(3, noon, "30d", "after"), other, older, report(6, noon.Add(-time.Hour), line("a log", noon.Add(-time.Hour))))
	for range 2 { // the second time it has nothing to do
		if err := l.Forget(context.Background(), Forgetting{"w1", 1, meter.Metric, noon}); err != nil {
			t.Fatal(err)
		}
	}
	at := noon.Add(time.Minute)
	want(t, messages(t, l, Query{At: at}), "after", "a log")
	want(t, messages(t, l, Query{WorkspaceID: "w2", Generation: 1, At: at}), "another workspace")
	want(t, messages(t, l, Query{WorkspaceID: "w1", Generation: 2, At: at}), "another generation")
	write(t, l, sample(2, noon.Add(time.Second), "30d", "before")) // the same report once more
	want(t, messages(t, l, Query{At: at, Type: meter.Metric}), "after")
}

func TestMetricsOfAnOldClassAreNotFoundThoughTheyAreStillThere(t *testing.T) {
	t.Parallel()
	l := fresh(t)
	write(t, l, sample(1, noon.Add(-time.Second), "7d", "before"), sample(2, noon, "30d", "after"), report(3, noon.Add(-time.Second), line("a log", noon.Add(-2*time.Second))))
	q := Query{WorkspaceID: "w1", Generation: 1, At: noon, MetricsFrom: noon, From: noon.Add(-time.Minute), To: noon.Add(time.Minute)}
	want(t, messages(t, l, q), "after", "a log")
	steps, err := l.Histogram(context.Background(), q, time.Minute)
	if err != nil || steps[0].Count != 1 || steps[1].Count != 1 {
		t.Errorf("histogram %v, %v; want a log before and a sample after", steps, err)
	}
}

func TestForgettingGoesOnUntilAllIsGone(t *testing.T) {
	t.Parallel()
	l := fresh(t)
	r := sample(1, noon.Add(-time.Hour), "7d", "first")
	for i := range forgetAtOnce + 7 {
		r.Points = append(r.Points, line(fmt.Sprint(i), noon.Add(-time.Hour)))
	}
	write(t, l, r)
	if err := l.Forget(context.Background(), Forgetting{"w1", 1, meter.Metric, noon}); err != nil {
		t.Fatal(err)
	}
	want(t, messages(t, l, Query{}))
	if err := (Discard{}).Forget(context.Background(), Forgetting{}); err != nil {
		t.Error(err)
	}
}
