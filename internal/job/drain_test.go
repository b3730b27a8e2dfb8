package job_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
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
