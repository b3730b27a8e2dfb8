package quota

import (
	"errors"
	"math"
	"testing"

	"pgregory.net/rapid"

	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/period"
)

var today = period.MustParseDay("2026-03-01")

func TestAdmissionIsWholeOrNot(t *testing.T) {
	t.Parallel()
	limits := Limits{"timeseries": 3000, "logs": 0}
	tests := []struct {
		item      string
		used, add int64
		want      error
	}{
		{"timeseries", 0, 3000, nil},
		{"timeseries", 0, 3001, ErrWouldPass},
		{"timeseries", 2999, 1, nil},
		{"timeseries", 2999, 2, ErrWouldPass},
		{"timeseries", 2999, 0, nil},
		{"timeseries", 3000, 0, ErrFull},
		{"timeseries", 3000, 1, ErrFull},
		{"timeseries", 4000, 1, ErrFull},
		{"timeseries", 1, math.MaxInt64, ErrWouldPass},
		{"logs", 0, 0, ErrFull},
		{"apm_trace", 1 << 60, 1 << 60, nil},
	}
	for _, tt := range tests {
		if err := limits.Admit(tt.item, tt.used, tt.add); !errors.Is(err, tt.want) {
			t.Errorf("%s %d+%d: got %v, want %v", tt.item, tt.used, tt.add, err, tt.want)
		}
	}
}

func TestARefusalNamesItsFigures(t *testing.T) {
	t.Parallel()
	args := fault.From(Limits{"logs": 10}.Admit("logs", 8, 5)).Args
	if args["item"] != "logs" || args["used"] != int64(8) || args["limit"] != int64(10) || args["add"] != int64(5) {
		t.Errorf("got %v", args)
	}
}

func TestCommercialHasNoLimits(t *testing.T) {
	t.Parallel()
	var none Limits
	w := NewWatch("w", today)
	if err := none.Admit("logs", math.MaxInt64, math.MaxInt64); err != nil {
		t.Error(err)
	}
	if due := append(w.Observe(none, "logs", math.MaxInt64), w.Refused(none, "logs", 1)...); len(due) > 0 {
		t.Errorf("got %v", due)
	}
}

func TestNoticesAreDueAt85And100Percent(t *testing.T) {
	t.Parallel()
	w := NewWatch("w", today)
	limits := Limits{"timeseries": 3000, "logs": 3}
	for _, step := range []struct {
		item string
		used int64
		want []Level
	}{
		{"timeseries", 2549, nil},
		{"timeseries", 2550, []Level{Warning}},
		{"timeseries", 2999, nil},
		{"logs", 2, nil},
		{"timeseries", 3000, []Level{Exhausted}},
		{"timeseries", 3100, nil},
		{"logs", 3, []Level{Warning, Exhausted}},
	} {
		due := w.Observe(limits, step.item, step.used)
		if len(due) != len(step.want) {
			t.Fatalf("%s at %d: got %v, want %v", step.item, step.used, due, step.want)
		}
		for i, n := range due {
			want := Notice{"w", step.item, today, step.want[i], step.used, limits[step.item]}
			if n != want {
				t.Errorf("got %+v, want %+v", n, want)
			}
		}
	}
}

func TestARefusedReportExhaustsOnce(t *testing.T) {
	t.Parallel()
	w := NewWatch("w", today)
	limits := Limits{"logs": 10}
	if due := w.Refused(limits, "logs", 4); len(due) != 1 || due[0].Level != Exhausted || due[0].Used != 4 {
		t.Fatalf("got %v", due)
	}
	if due := w.Refused(limits, "logs", 4); len(due) != 0 {
		t.Errorf("a second time: %v", due)
	}
	if due := w.Observe(limits, "logs", 10); len(due) != 1 || due[0].Level != Warning {
		t.Errorf("later: got %v, want the warning alone", due)
	}
}

func TestEachLevelIsNoticedOnceHoweverUsageGrows(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.OneOf(rapid.Int64Range(0, 1000), rapid.Int64Range(0, math.MaxInt64)).Draw(t, "limit")
		limits, w := Limits{"logs": limit}, NewWatch("w", today)
		seen := map[Level]int{}
		var used int64
		for range 20 {
			add := rapid.Int64Range(0, limit/4+1).Draw(t, "add")
			if limits.Admit("logs", used, add) == nil {
				used += add
			}
			if used > limit {
				t.Fatalf("used %d of %d", used, limit)
			}
			for _, n := range w.Observe(limits, "logs", used) {
				seen[n.Level]++
			}
			if got := seen[Exhausted] == 1; got != (used >= limit) {
				t.Fatalf("exhausted notice %v at %d of %d", got, used, limit)
			}
		}
		if seen[Warning] > 1 || seen[Exhausted] > 1 {
			t.Fatalf("got %v", seen)
		}
	})
}
