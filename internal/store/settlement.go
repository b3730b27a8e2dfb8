package store

import (
	"context"
	"fmt"
	"time"

	"tollgate.dev/internal/arrears"
	"tollgate.dev/internal/settle"
)

// SettlementChanges tells whether a settlement method was chosen since the
// workspace was opened, and when the last change was made that counts as the
// change of its month; zero for none. The audit log remembers both.
func (tx *Tx) SettlementChanges(ctx context.Context, workspaceID string) (chosen bool, counted time.Time, err error) {
	changes, err := tx.audited(ctx, workspaceID, settle.Changed)
	if err != nil {
		return false, time.Time{}, fmt.Errorf("settlement changes of %s: %w", workspaceID, err)
	}
	for _, c := range changes {
		if c.Detail[settle.Counts] == "true" {
			counted = c.At
		}
	}
	return len(changes) > 0, counted, nil
}

// StateChanges lists the changes of a workspace's state, the oldest first.
func (tx *Tx) StateChanges(ctx context.Context, workspaceID string) ([]AuditLine, error) {
	return tx.audited(ctx, workspaceID, arrears.Changed)
}

// audited lists what was done to a subject by one action, the oldest first.
func (tx *Tx) audited(ctx context.Context, subject, action string) ([]AuditLine, error) {
	rows, err := tx.Query(ctx, `
		SELECT n, at, actor, address, action, subject, detail, hash
		FROM audit
		WHERE subject = $1
			AND action = $2
		ORDER BY n`, subject, action)
	return collect(rows, err, scanAudit)
}
