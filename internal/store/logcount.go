package store

import (
	"context"
	"errors"
	"fmt"

	"tollgate.dev/internal/logcount"
	"tollgate.dev/internal/workspace"
)

// LogCount gives how a workspace's logs are counted; none chosen is the zero
// value.
func (tx *Tx) LogCount(ctx context.Context, workspaceID string) (logcount.Way, error) {
	var w logcount.Way
	var byVolume int64
	err := tx.QueryRow(ctx, `
		SELECT by_volume, cut_size, revision
		FROM log_count
		WHERE workspace_id = $1`, workspaceID).Scan(&byVolume, &w.CutSize, &w.Revision)
	w.ByVolume = byVolume == 1
	if errors.Is(err, ErrNoRows) {
		return logcount.Way{}, nil
	}
	if err != nil {
		return w, fmt.Errorf("how logs of %s are counted: %w", workspaceID, err)
	}
	return w, nil
}

// SaveLogCount keeps the way that follows on that of w.Revision; changed
// meanwhile it is workspace.ErrStale. The gateway hears of it after the commit.
func (tx *Tx) SaveLogCount(ctx context.Context, workspaceID string, w logcount.Way) error {
	var byVolume int64
	if w.ByVolume {
		byVolume = 1
	}
	n, err := tx.Exec(ctx, `
		INSERT INTO log_count (workspace_id, by_volume, cut_size, revision)
		VALUES ($1, $2, $3, $4)
		ON CONFLICT (workspace_id) DO UPDATE SET
			by_volume = excluded.by_volume,
			cut_size = excluded.cut_size,
			revision = excluded.revision
		WHERE log_count.revision = excluded.revision - 1`, workspaceID, byVolume, w.CutSize, w.Revision+1)
	tx.changed[workspaceID] = true
	return exactlyOne(n, err, workspace.ErrStale)
}
