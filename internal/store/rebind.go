package store

import (
	"context"
	"errors"

	"tollgate.dev/internal/period"
	"tollgate.dev/internal/rebind"
)

// RebindDraft finds a re-binding under way, or rebind.ErrNotNamed.
func (tx *Tx) RebindDraft(ctx context.Context, workspaceID, actorID string) (rebind.Draft, error) {
	d := rebind.Draft{WorkspaceID: workspaceID, ActorID: actorID}
	var named, proved int64
	err := tx.QueryRow(ctx, `
		SELECT billing_id, user_name, email, named_at, proved_at
		FROM rebind_draft
		WHERE workspace_id = $1
			AND actor_id = $2`, workspaceID, actorID).Scan(&d.BillingID, &d.UserName, &d.Email, &named, &proved)
	if errors.Is(err, ErrNoRows) {
		return d, rebind.ErrNotNamed
	}
	d.NamedAt, d.ProvedAt = period.FromMicros(named), period.FromMicros(proved)
	return d, err
}

// SaveRebindDraft keeps a re-binding in place of the actor's earlier one.
func (tx *Tx) SaveRebindDraft(ctx context.Context, d rebind.Draft) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO rebind_draft (workspace_id, actor_id, billing_id, user_name, email, named_at, proved_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (workspace_id, actor_id) DO UPDATE
		SET billing_id = excluded.billing_id, user_name = excluded.user_name, email = excluded.email,
			named_at = excluded.named_at, proved_at = excluded.proved_at`,
		d.WorkspaceID, d.ActorID, d.BillingID, d.UserName, d.Email, period.Micros(d.NamedAt), period.Micros(d.ProvedAt))
	return err
}

// DeleteRebindDraft ends what is under way for a workspace.
func (tx *Tx) DeleteRebindDraft(ctx context.Context, workspaceID string) error {
	_, err := tx.Exec(ctx, `
		DELETE FROM rebind_draft
		WHERE workspace_id = $1`, workspaceID)
	return err
}

// ParkedOf counts the days of a workspace that could not be billed yet.
func (tx *Tx) ParkedOf(ctx context.Context, workspaceID string) (int, error) {
	var n int64
	err := tx.QueryRow(ctx, `
		SELECT COUNT(*)
		FROM parked
		WHERE workspace_id = $1`, workspaceID).Scan(&n)
	return int(n), err
}
