package app

import (
	"context"
	"testing"

	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
)

// TestABreakInTheBooksIsFoundOvernight changes history and lets a night pass.
func TestABreakInTheBooksIsFoundOvernight(t *testing.T) {
	t.Parallel()
	h := houseOf(t, storetest.SQLite(t), false)
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
