package job_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"tollgate.dev/internal/job"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// count is a job that says its number.
type count struct {
	N int `json:"n"`
}

func (count) Kind() string { return "test.count" }

// once is a job of which one waits or runs at most.
type once struct {
	N int `json:"n"`
}

func (once) Kind() string       { return "test.once" }
func (once) UniqueByArgs() bool { return true }

// TestAUniqueJobIsQueuedAgainOnceItHasEnded holds for whoever finds that there
// is still, or again, something to do: an equal job that was done yesterday, or
// before the sandbox's clock moved by a month, is no reason not to.
func TestAUniqueJobIsQueuedAgainOnceItHasEnded(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var done atomic.Int64
		goes := make(chan struct{})
		r := job.NewRunner(s, testkit.Logger(t))
		job.Register(r, func(context.Context, once) error {
			<-goes
			done.Add(1)
			return nil
		})
		if err := r.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = r.Stop(context.Background()) })
		again := func() {
			t.Helper()
			if err := s.Write(t.Context(), func(tx *store.Tx) error { return tx.Enqueue(t.Context(), once{1}) }); err != nil {
				t.Fatal(err)
			}
		}
		ended := func(want int64) {
			t.Helper()
			testkit.Eventually(t, 20*time.Second, func() error {
				var queued int64
				err := s.Read(t.Context(), func(tx *store.Tx) (err error) {
					queued, err = tx.QueuedJobs(t.Context())
					return err
				})
				if err == nil && (queued > 0 || done.Load() != want) {
					err = fmt.Errorf("%d are queued and %d done, want %d done", queued, done.Load(), want)
				}
				return err
			})
		}
		again()
		again()
		goes <- struct{}{}
		ended(1)
		again()
		select {
		case goes <- struct{}{}:
		case <-time.After(20 * time.Second):
			t.Fatal("it was not queued again")
		}
		ended(2)
	})
}

func enqueue(t *testing.T, s *store.Store, numbers ...int) {
	t.Helper()
	if err := s.Write(t.Context(), func(tx *store.Tx) error {
		for _, n := range numbers {
			if err := tx.Enqueue(t.Context(), count{n}); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func TestDrainWorksTheQueueInOrderAndStopsAtAFailure(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var done []int
		refuses := 3
		r := job.NewRunner(s, slog.New(slog.DiscardHandler))
		job.Register(r, func(_ context.Context, c count) error {
			if c.N == refuses {
				return errors.New("no")
			}
			done = append(done, c.N)
			if c.N == 2 {
				enqueue(t, s, 4) // a job may cause another one
			}
			return nil
		})
		enqueue(t, s, 1, 2, 3)
		if err := r.Drain(t.Context()); err == nil || !slices.Equal(done, []int{1, 2}) {
			t.Errorf("did %v, %v", done, err)
		}
		refuses = 0
		if err := r.Drain(t.Context()); err != nil || !slices.Equal(done, []int{1, 2, 3, 4}) {
			t.Errorf("did %v, %v", done, err)
		}
		if err := r.Drain(t.Context()); err != nil || len(done) != 4 {
			t.Errorf("did a job twice: %v, %v", done, err)
		}
	})
}

func TestAStillClockStandsUntilTheCalendarMovesIt(t *testing.T) {
	t.Parallel()
	ctx, s := t.Context(), storetest.SQLite(t)
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	clock := job.Still(start)
	var worked []time.Time
	r := job.NewRunner(s, slog.New(slog.DiscardHandler))
	job.Register(r, func(context.Context, count) error {
		worked = append(worked, clock.Now())
		return nil
	})
	due := start.Add(time.Hour)
	hourly := job.Task{
		Name: "every hour",
		Next: func(context.Context, *store.Tx) (time.Time, bool, error) { return due, true, nil },
		Enqueue: func(ctx context.Context, tx *store.Tx, at time.Time) error {
			due = due.Add(time.Hour)
			return tx.Enqueue(ctx, count{1})
		},
	}
	c := job.NewCalendar(s, clock, slog.New(slog.DiscardHandler), []job.Task{hourly}).Draining(r)
	now, err := c.Advance(ctx, 150*time.Minute)
	if err != nil || !now.Equal(start.Add(150*time.Minute)) || !clock.Now().Equal(now) {
		t.Errorf("the clock stands at %s, %v", now, err)
	}
	if want := []time.Time{start.Add(time.Hour), start.Add(2 * time.Hour)}; !slices.Equal(worked, want) {
		t.Errorf("worked at %v", worked)
	}
}
