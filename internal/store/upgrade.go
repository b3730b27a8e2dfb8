package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"tollgate.dev/internal/period"
	"tollgate.dev/internal/upgrade"
)

// UpgradeDraft finds what somebody has entered for a workspace's upgrade, or
// upgrade.ErrNotBegun.
func (tx *Tx) UpgradeDraft(ctx context.Context, workspaceID, actorID string) (upgrade.Draft, error) {
	var d upgrade.Draft
	var document string
	err := tx.QueryRow(ctx, `
		SELECT document
		FROM upgrade_draft
		WHERE workspace_id = $1
			AND actor_id = $2`+tx.lockWrites(), workspaceID, actorID).Scan(&document)
	if errors.Is(err, ErrNoRows) {
		return d, upgrade.ErrNotBegun
	}
	if err != nil {
		return d, fmt.Errorf("read an upgrade's draft: %w", err)
	}
	return d, json.Unmarshal([]byte(document), &d)
}

// SaveUpgradeDraft inserts or replaces a draft.
func (tx *Tx) SaveUpgradeDraft(ctx context.Context, d upgrade.Draft) error {
	document, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("encode an upgrade's draft: %w", err)
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO upgrade_draft (workspace_id, actor_id, document)
		VALUES ($1, $2, $3)
		ON CONFLICT (workspace_id, actor_id) DO UPDATE SET document = excluded.document`,
		d.WorkspaceID, d.ActorID, string(document))
	return err
}

// InsertAgreed keeps an agreement for ever.
func (tx *Tx) InsertAgreed(ctx context.Context, a upgrade.Agreed) error {
	document, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("encode an agreement: %w", err)
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO agreed (workspace_id, version, document, at)
		VALUES ($1, $2, $3, $4)`, a.WorkspaceID, a.Version, string(document), period.Micros(a.At))
	return err
}

// AgreedFor lists the agreements of a workspace, the newest first.
func (tx *Tx) AgreedFor(ctx context.Context, workspaceID string) ([]upgrade.Agreed, error) {
	rows, err := tx.Query(ctx, `
		SELECT document
		FROM agreed
		WHERE workspace_id = $1
		ORDER BY at DESC`, workspaceID)
	return collect(rows, err, func(r Row) (upgrade.Agreed, error) {
		var a upgrade.Agreed
		var document string
		if err := r.Scan(&document); err != nil {
			return a, err
		}
		return a, json.Unmarshal([]byte(document), &a)
	})
}
