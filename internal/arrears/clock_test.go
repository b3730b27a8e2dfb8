package arrears

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestTheVectorsOfTheClock are those of domain section 12.
func TestTheVectorsOfTheClock(t *testing.T) {
	t.Parallel()
	t0 := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	for at, want := range map[string]Stage{
		"2026-03-01T10:00:00Z":        Running,
		"2026-03-12T09:59:59.999999Z": Running,
		"2026-03-12T10:00:00Z":        ThreeDays,
		"2026-03-14T09:59:59.999999Z": ThreeDays,
		"2026-03-14T10:00:00Z":        OneDay,
		"2026-03-15T09:59:00Z":        OneDay,
		"2026-03-15T10:00:00Z":        RunOut,
		"2027-01-01T00:00:00Z":        RunOut,
	} {
		instant, err := time.Parse(time.RFC3339Nano, at)
		if err != nil {
			t.Fatal(err)
		}
		if got := Start(Debt, "bcac_1", t0).Turn(instant).Stage; got != want {
			t.Errorf("at %s it is %s, want %s", at, got, want)
		}
	}
}

func TestAClockTurnsTheSameInOneStepOrMany(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := Start(Debt, "bcac_1", noon)
		at := noon.Add(time.Duration(rapid.Int64Range(0, 20*24*3600).Draw(t, "seconds")) * time.Second)
		slow := c
		for _, step := range rapid.SliceOf(rapid.Int64Range(0, 20*24*3600)).Draw(t, "looks") {
			if on := noon.Add(time.Duration(step) * time.Second); !on.After(at) {
				slow = slow.Turn(on)
			}
		}
		if slow = slow.Turn(at); slow != c.Turn(at) {
			t.Fatalf("%+v, want %+v", slow, c.Turn(at))
		}
		if next := slow.NextAt(); !next.IsZero() && !next.After(at) {
			t.Fatalf("at %s the next stage was due at %s", at, next)
		}
	})
}

func TestTheOperatorGrantsOnlyWhatIsMore(t *testing.T) {
	t.Parallel()
	c := Start(Debt, "bcac_1", noon)
	for days, want := range map[int]error{0: ErrDays, -1: ErrDays, 91: ErrDays, 13: ErrNotLater, 14: ErrNotLater, 15: nil, 90: nil} {
		next, err := c.Extend(days, noon)
		if !errors.Is(err, want) {
			t.Errorf("%d days: %v, want %v", days, err, want)
		}
		if err == nil && (next.BeganAt != c.BeganAt || next.LockAt != noon.Add(time.Duration(days)*24*time.Hour)) {
			t.Errorf("%d days: %+v", days, next)
		}
	}
	over := c.Turn(c.LockAt)
	next, err := over.Extend(2, c.LockAt)
	if err != nil || next.Stage != ThreeDays || !next.NextAt().Equal(next.LockAt.Add(-24*time.Hour)) {
		t.Errorf("a locked one gets two days: %+v, %v", next, err)
	}
}

func TestFailedTriesWaitLongerAndLonger(t *testing.T) {
	t.Parallel()
	c := Clearing{WorkspaceID: "wksp_1", NextAt: noon}
	before := time.Duration(0)
	for range 30 {
		next := c.putOff("the disk is full", noon)
		wait := next.NextAt.Sub(noon)
		if wait < before || wait < time.Minute || wait > 6*time.Hour {
			t.Fatalf("try %d waits %s after %s", next.Tries, wait, before)
		}
		before, c = wait, next
	}
	if before != 6*time.Hour || c.Tries != 30 || c.Failure != "the disk is full" {
		t.Errorf("in the end %+v", c)
	}
}
