package app

import (
	"context"
	"testing"

	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/retention"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
)

// TestABreakInTheBooksIsFoundOvernight changes history and lets a night pass.
func TestABreakInTheBooksIsFoundOvernight(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	verdict := func() (v audit.Verdict) {
		t.Helper()
		err := h.store.Read(t.Context(), func(tx *store.Tx) (err error) {
			v, err = tx.LastVerdict(t.Context())
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	h.to(firstDay, "08:01")
	if v := verdict(); v.At.IsZero() || !v.Holds() {
		t.Fatalf("the first night: %+v", v)
	}
	err := h.store.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(context.Background(), `UPDATE audit SET actor = 'somebody else' WHERE n = 1`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	h.to(firstDay.Add(1), "08:01")
	if v := verdict(); v.Holds() || v.Findings[0].Invariant != "I6" {
		t.Errorf("a changed audit log was not found: %+v", v)
	}
}

// TestNothingIsQueuedBeforeItIsDue asks every task to queue what is due when
// nothing is: between the look at the clock and the queueing, the work may have
// been done by a job that was under way.
func TestNothingIsQueuedBeforeItIsDue(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	h.change("logs", "7d", retention.AtOnce)
	h.change("logs", "3d", retention.Held)
	h.owe()
	h.to(firstDay, "09:00")
	h.write(func(ctx context.Context, tx *store.Tx) error {
		for _, task := range h.tasks() {
			if at, any, err := task.Next(ctx, tx); err != nil || any && !at.After(h.clock.Now()) {
				t.Fatalf("%s is due at %v, %v", task.Name, at, err)
			}
			if err := task.Enqueue(ctx, tx, h.clock.Now()); err != nil {
				t.Fatalf("%s: %v", task.Name, err)
			}
			if n, err := tx.QueuedJobs(ctx); err != nil || n > 0 {
				t.Fatalf("%s queued %d jobs before their time, %v", task.Name, n, err)
			}
		}
		return nil
	})
}
