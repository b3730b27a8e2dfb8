package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tollgate.dev/internal/period"
	"tollgate.dev/internal/retention"
	"tollgate.dev/internal/workspace"
)

// RetentionSettings lists what was ever chosen for a workspace, by type and
// index. What is missing has the class of the plan.
func (tx *Tx) RetentionSettings(ctx context.Context, workspaceID string) ([]retention.Setting, error) {
	rows, err := tx.Query(ctx, `
		SELECT data_type, log_index, class, since, changed_at, pending, pending_at, pending_by, revision
		FROM retention_setting
		WHERE workspace_id = $1
		ORDER BY data_type, log_index`, workspaceID)
	return collect(rows, err, func(r Row) (retention.Setting, error) {
		var s retention.Setting
		var since, changed, pending int64
		err := r.Scan(&s.Type, &s.Index, &s.Class, &since, &changed, &s.Pending, &pending, &s.PendingBy, &s.Revision)
		s.Since, s.ChangedAt, s.PendingAt = period.FromMicros(since), period.FromMicros(changed), period.FromMicros(pending)
		return s, err
	})
}

// SaveRetention keeps the next value of a setting that was read at s.Revision;
// changed meanwhile it is workspace.ErrStale.
func (tx *Tx) SaveRetention(ctx context.Context, workspaceID string, s retention.Setting) error {
	n, err := tx.Exec(ctx, `
		INSERT INTO retention_setting (workspace_id, data_type, log_index, class, since, changed_at, pending, pending_at, pending_by, revision)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		ON CONFLICT (workspace_id, data_type, log_index) DO UPDATE SET
			class = excluded.class,
			since = excluded.since,
			changed_at = excluded.changed_at,
			pending = excluded.pending,
			pending_at = excluded.pending_at,
			pending_by = excluded.pending_by,
			revision = excluded.revision
		WHERE retention_setting.revision = excluded.revision - 1`,
		workspaceID, s.Type, s.Index, s.Class, period.Micros(s.Since), period.Micros(s.ChangedAt),
		s.Pending, period.Micros(s.PendingAt), s.PendingBy, s.Revision+1)
	tx.changed[workspaceID] = true
	return exactlyOne(n, err, workspace.ErrStale)
}

// InsertClassChange keeps for ever that a class began to hold.
func (tx *Tx) InsertClassChange(ctx context.Context, c retention.ClassChange) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO retention_change (workspace_id, data_type, log_index, revision, before, class, at, actor_id)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		c.WorkspaceID, c.Type, c.Index, c.Revision, c.Before, c.Class, period.Micros(c.At), c.By)
	if err != nil {
		return fmt.Errorf("keep a class change of %s: %w", c.WorkspaceID, err)
	}
	return nil
}

const classChangeColumns = `workspace_id, data_type, log_index, revision, before, class, at, actor_id`

func scanClassChange(r Row) (retention.ClassChange, error) {
	var c retention.ClassChange
	var at int64
	err := r.Scan(&c.WorkspaceID, &c.Type, &c.Index, &c.Revision, &c.Before, &c.Class, &at, &c.By)
	c.At = period.FromMicros(at)
	return c, err
}

// ClassChanges lists the classes of a workspace that began to hold in
// [from, to), the newest first.
func (tx *Tx) ClassChanges(ctx context.Context, workspaceID string, from, to time.Time, limit int) ([]retention.ClassChange, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+classChangeColumns+`
		FROM retention_change
		WHERE workspace_id = $1
			AND at >= $2
			AND at < $3
		ORDER BY at DESC, revision DESC, data_type, log_index
		LIMIT $4`, workspaceID, period.Micros(from), period.Micros(to), int64(limit))
	return collect(rows, err, scanClassChange)
}

// TypeChangesSince lists, of all workspaces, the classes of a type that began
// to hold since then, the oldest first.
func (tx *Tx) TypeChangesSince(ctx context.Context, dataType string, since time.Time) ([]retention.ClassChange, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+classChangeColumns+`
		FROM retention_change
		WHERE at >= $1
			AND data_type = $2
		ORDER BY at, workspace_id, revision`, period.Micros(since), dataType)
	return collect(rows, err, scanClassChange)
}

// ForgetRecords queues the deletion of records that a change leaves behind.
func (tx *Tx) ForgetRecords(ctx context.Context, f retention.Forget) error { return tx.Enqueue(ctx, f) }

// NextRetention gives the instant at which the first waiting change acts, or
// acted; ok is false when none waits.
func (tx *Tx) NextRetention(ctx context.Context) (at time.Time, ok bool, err error) {
	var us int64
	err = tx.QueryRow(ctx, `
		SELECT pending_at
		FROM retention_setting
		WHERE pending_at > 0
		ORDER BY pending_at
		LIMIT 1`).Scan(&us)
	if errors.Is(err, ErrNoRows) {
		return at, false, nil
	}
	return period.FromMicros(us), err == nil, err
}

// RetentionDue lists the workspaces that have a change that is due at the
// instant, by ID after the given one.
func (tx *Tx) RetentionDue(ctx context.Context, at time.Time, after string, limit int) ([]workspace.Workspace, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+workspaceColumns+`
		FROM workspace w
		WHERE w.id > $1
			AND w.id IN (
				SELECT workspace_id
				FROM retention_setting
				WHERE pending_at > 0
					AND pending_at <= $2)
		ORDER BY w.id
		LIMIT $3`, after, period.Micros(at), int64(limit))
	return collect(rows, err, scanWorkspace)
}
