package storetest

import (
	"context"
	"testing"
	"time"

	"tollgate.dev/internal/period"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/usage"
	"tollgate.dev/internal/workspace"
)

// ChangeUsage changes every stored sample behind the program's back, as somebody
// with a hand on the tables could: no door lets usage in that cannot be billed.
func ChangeUsage(t testing.TB, s *store.Store, change func(*usage.Sample)) {
	t.Helper()
	err := s.Write(t.Context(), func(tx *store.Tx) error {
		stored, err := Usage(t.Context(), tx)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(t.Context(), `DELETE FROM usage_day`); err != nil {
			return err
		}
		for i := range stored {
			change(&stored[i])
		}
		return KeepUsage(t.Context(), tx, stored)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Usage is every sample that is stored.
func Usage(ctx context.Context, tx *store.Tx) ([]usage.Sample, error) {
	rows, err := tx.Query(ctx, `
		SELECT workspace_id, generation, record
		FROM usage_day
		ORDER BY day, workspace_id, generation`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var all []usage.Sample
	for rows.Next() {
		var k usage.Key
		var record []byte
		if err := rows.Scan(&k.WorkspaceID, &k.Generation, &record); err != nil {
			return nil, err
		}
		if all, err = usage.Record(record).Samples(all, k, usage.Window{To: time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)}); err != nil {
			return nil, err
		}
	}
	return all, rows.Err()
}

// recordOf names a record.
type recordOf struct {
	day         period.Day
	workspaceID string
	generation  workspace.Generation
}

// KeepUsage stores samples in new records of their days.
func KeepUsage(ctx context.Context, tx *store.Tx, samples []usage.Sample) error {
	records := map[recordOf]usage.Record{}
	for _, s := range samples {
		zone, err := zoneOf(ctx, tx, s.WorkspaceID)
		if err != nil {
			return err
		}
		k := recordOf{period.DayOf(s.Hour, zone), s.WorkspaceID, s.Generation}
		if records[k] == nil {
			records[k] = usage.NewRecord(k.day, zone)
		}
		change := usage.Change{Item: s.Item, Counter: s.Counter, Class: s.Class, Hour: s.Hour, Quantity: s.Quantity}
		if records[k], err = records[k].With([]usage.Change{change}); err != nil {
			return err
		}
	}
	for k, record := range records {
		if _, err := tx.Exec(ctx, `
			INSERT INTO usage_day (day, workspace_id, generation, record)
			VALUES ($1, $2, $3, $4)`, k.day.String(), k.workspaceID, int64(k.generation), []byte(record)); err != nil {
			return err
		}
	}
	return nil
}

func zoneOf(ctx context.Context, tx *store.Tx, workspaceID string) (*time.Location, error) {
	w, err := tx.Workspace(ctx, workspaceID)
	if err != nil {
		return nil, err
	}
	s, err := site.Find(w.Site)
	return s.Zone, err
}
