package stage

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func open(t *testing.T, answered func(int) string) (*Stage, *atomic.Int64) {
	t.Helper()
	var calls atomic.Int64
	vendor := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { calls.Add(1) }))
	t.Cleanup(vendor.Close)
	s := New(Options{Now: time.Now, RealNow: time.Now, Seed: 1, Gaps: []time.Duration{0}})
	s.Register("cloud", Sender{
		Compose: func(ctx context.Context, c Callback) (*http.Request, error) {
			if c.Kind == "broken" {
				return nil, errors.New("nothing to send")
			}
			return http.NewRequestWithContext(ctx, http.MethodGet, vendor.URL, nil)
		},
		Answered: func(c Callback, _ int, _ http.Header, _ []byte) string { return answered(len(c.Attempts)) },
	})
	s.Start(t.Context())
	t.Cleanup(s.Stop)
	return s, &calls
}

func TestACallbackIsTriedUntilItIsAnsweredOrGivenUp(t *testing.T) {
	t.Parallel()
	s, calls := open(t, func(before int) string {
		if before < 2 {
			return "not yet"
		}
		return ""
	})
	s.Tell(Callback{Cloud: "cloud", Kind: "one", Most: 5})
	s.done.Wait()
	if got := s.Callbacks("cloud")[0]; !got.Done || len(got.Attempts) != 3 || got.Attempts[1].Problem != "not yet" || calls.Load() != 3 {
		t.Errorf("%+v", got)
	}
	s.Tell(Callback{Cloud: "cloud", Kind: "two", Most: 2})
	s.Tell(Callback{Cloud: "cloud", Kind: "broken", Most: 2})
	s.done.Wait()
	for _, got := range s.Callbacks("")[1:] {
		if got.Done || len(got.Attempts) != 2 || got.Latest().Problem == "" {
			t.Errorf("%+v", got)
		}
	}
}

func TestStoppingEndsTheAttempts(t *testing.T) {
	t.Parallel()
	s, calls := open(t, func(int) string { return "never" })
	s.gaps = []time.Duration{0, time.Hour}
	s.Tell(Callback{Cloud: "cloud", Kind: "one", Most: 5})
	s.Stop()
	s.Tell(Callback{Cloud: "cloud", Kind: "after", Most: 5})
	if got := calls.Load(); got > 1 || len(s.Callbacks("")[1].Attempts) != 0 {
		t.Errorf("%d calls", got)
	}
}

// Whatever the seed, an order is one of the same things.
func TestAShuffleLosesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := New(Options{Now: time.Now, RealNow: time.Now, Seed: rapid.Uint64().Draw(t, "seed")})
		before := rapid.SliceOf(rapid.Int()).Draw(t, "things")
		after := slices.Clone(before)
		s.Shuffle(len(after), func(i, j int) { after[i], after[j] = after[j], after[i] })
		slices.Sort(before)
		slices.Sort(after)
		if !slices.Equal(before, after) {
			t.Fatalf("%v became %v", before, after)
		}
		if n := rapid.IntRange(1, 18).Draw(t, "digits"); len(s.Digits(n)) != n || s.Digits(n)[0] == '0' {
			t.Fatalf("%d digits", n)
		}
	})
}

func TestTheJournalForgetsTheOldest(t *testing.T) {
	t.Parallel()
	s := New(Options{Now: time.Now, RealNow: time.Now})
	for range mostEntries + 10 {
		s.Note(Entry{Cloud: "cloud", Request: string(make([]byte, longestText+1))})
	}
	got := s.Journal("cloud")
	if len(got) > mostEntries || got[len(got)-1].Number != mostEntries+10 || len(got[0].Request) > longestText+4 || len(s.Journal("other")) != 0 {
		t.Errorf("%d entries", len(got))
	}
}
