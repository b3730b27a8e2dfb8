package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/site"
)

// KeepOpened remembers that a workspace was opened with a subscription.
func (tx *Tx) KeepOpened(ctx context.Context, workspaceID string, s marketplace.Subscription, at time.Time) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO marketplace_opened (workspace_id, cloud, subscription_id, opened_at)
		VALUES ($1, $2, $3, $4)`, workspaceID, string(s.Cloud), s.ID, period.Micros(at))
	if err != nil {
		return fmt.Errorf("keep where %s was opened: %w", workspaceID, err)
	}
	return nil
}

// OpenedOn is the cloud from whose marketplace a workspace was opened; empty
// for none (settle.LookTx).
func (tx *Tx) OpenedOn(ctx context.Context, workspaceID string) (m site.Method, err error) {
	err = tx.QueryRow(ctx, `
		SELECT cloud
		FROM marketplace_opened
		WHERE workspace_id = $1`, workspaceID).Scan(&m)
	if errors.Is(err, ErrNoRows) {
		return "", nil
	}
	return m, err
}
