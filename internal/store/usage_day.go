package store

import (
	"context"
	"fmt"
	"time"

	"tollgate.dev/internal/period"
	"tollgate.dev/internal/usage"
	"tollgate.dev/internal/workspace"
)

// UsageOf gives the records of workspaces' generation for a service day, which
// it keeps in the room. Those of workspaces that used nothing are missing.
func (tx *Tx) UsageOf(ctx context.Context, room *usage.Room, workspaceIDs []string, g workspace.Generation, day period.Day) (map[string]usage.Record, error) {
	rows, err := tx.Query(ctx, `
		SELECT workspace_id, record
		FROM usage_day
		WHERE day = $2
			AND `+tx.among("workspace_id", 1)+`
			AND generation = $3`, tx.list(workspaceIDs), day.String(), int64(g))
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	records := make(map[string]usage.Record, len(workspaceIDs))
	for rows.Next() {
		c, ok := binaryColumns(rows)
		if !ok {
			var id string
			var record []byte
			if err := rows.Scan(&id, &record); err != nil {
				return nil, fmt.Errorf("read usage: %w", err)
			}
			records[id] = record
			continue
		}
		records[string(c[0])] = room.Keep(c[1])
	}
	return records, rows.Err()
}

// UsageBetween lists the samples of a workspace's generation whose hours lie in
// [from, to), in order of hour, item, counter and class.
func (tx *Tx) UsageBetween(ctx context.Context, workspaceID string, g workspace.Generation, from, to time.Time) ([]usage.Sample, error) {
	// A day of a zone begins up to a day before or behind that of UTC.
	first, last := period.DayOf(from, time.UTC).Add(-1), period.DayOf(to, time.UTC).Add(1)
	within, args, err := tx.daily(ctx, "usage_day", "day", 3, first, last)
	if err != nil {
		return nil, err
	}
	rows, err := tx.Query(ctx, `
		SELECT record
		FROM usage_day
		WHERE workspace_id = $1
			AND generation = $2
			AND `+within+`
		ORDER BY day`, append([]any{workspaceID, int64(g)}, args...)...)
	var samples []usage.Sample
	key, window := usage.Key{WorkspaceID: workspaceID, Generation: g}, usage.Window{From: from, To: to}
	_, err = collect(rows, err, func(r Row) (struct{}, error) {
		var record []byte
		err := r.Scan(&record)
		if err == nil {
			samples, err = usage.Record(record).Samples(samples, key, window)
		}
		return struct{}{}, err
	})
	if err != nil {
		return nil, fmt.Errorf("usage of %s: %w", workspaceID, err)
	}
	return samples, nil
}
