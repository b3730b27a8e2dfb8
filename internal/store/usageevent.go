package store

import (
	"context"
	"errors"
	"time"

	"tollgate.dev/internal/period"
	"tollgate.dev/internal/usageevent"
)

// EventKept finds what an event of the source and ID said that counted.
func (tx *Tx) EventKept(ctx context.Context, source, id string) (fingerprint string, kept bool, err error) {
	err = tx.QueryRow(ctx, `
		SELECT fingerprint
		FROM usage_event
		WHERE source = $1
			AND id = $2`, source, id).Scan(&fingerprint)
	if errors.Is(err, ErrNoRows) {
		return "", false, nil
	}
	return fingerprint, err == nil, err
}

// KeepEvent remembers that an event counts; kept is false when it does already.
func (tx *Tx) KeepEvent(ctx context.Context, e usageevent.Event, fingerprint string, at time.Time) (kept bool, err error) {
	n, err := tx.Exec(ctx, `
		INSERT INTO usage_event (source, id, workspace_id, fingerprint, received_at)
		VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT DO NOTHING`, e.Source, e.ID, e.WorkspaceID, fingerprint, period.Micros(at))
	return n == 1, err
}

// SweepEvents forgets the events received before an instant: one of them that
// came again would count again.
func (tx *Tx) SweepEvents(ctx context.Context, before time.Time) error {
	_, err := tx.Exec(ctx, `
		DELETE FROM usage_event
		WHERE received_at < $1`, period.Micros(before))
	return err
}
