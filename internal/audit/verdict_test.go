package audit

import (
	"testing"
	"time"
)

func TestBooksAreVerifiedEveryNight(t *testing.T) {
	t.Parallel()
	day := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for last, want := range map[time.Duration]time.Duration{
		0: 19 * time.Hour, 19*time.Hour - 1: 19 * time.Hour, 19 * time.Hour: 43 * time.Hour, 23 * time.Hour: 43 * time.Hour,
	} {
		if got := NextCheck(Verdict{At: day.Add(last)}); !got.Equal(day.Add(want)) {
			t.Errorf("after a check at %v the next is at %v, want %v", day.Add(last), got, day.Add(want))
		}
	}
	if first := NextCheck(Verdict{}); first.After(day) {
		t.Errorf("the first check waits until %v", first)
	}
}
