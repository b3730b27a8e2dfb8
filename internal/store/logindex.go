package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"tollgate.dev/internal/logindex"
	"tollgate.dev/internal/workspace"
)

// LogRouting gives the rules by which a workspace's logs go to its indexes;
// none are the zero value.
func (tx *Tx) LogRouting(ctx context.Context, workspaceID string) (logindex.Routing, error) {
	var r logindex.Routing
	var rules string
	err := tx.QueryRow(ctx, `
		SELECT rules, revision
		FROM log_routing
		WHERE workspace_id = $1`, workspaceID).Scan(&rules, &r.Revision)
	if errors.Is(err, ErrNoRows) {
		return r, nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(rules), &r.Rules)
	}
	if err != nil {
		return r, fmt.Errorf("log rules of %s: %w", workspaceID, err)
	}
	return r, nil
}

// SaveLogRouting keeps the rules that follow on those of r.Revision; changed
// meanwhile it is workspace.ErrStale. The gateway hears of it after the commit.
func (tx *Tx) SaveLogRouting(ctx context.Context, workspaceID string, r logindex.Routing) error {
	rules, err := json.Marshal(r.Rules)
	if err != nil {
		return fmt.Errorf("log rules of %s: %w", workspaceID, err)
	}
	n, err := tx.Exec(ctx, `
		INSERT INTO log_routing (workspace_id, rules, revision)
		VALUES ($1, $2, $3)
		ON CONFLICT (workspace_id) DO UPDATE SET
			rules = excluded.rules,
			revision = excluded.revision
		WHERE log_routing.revision = excluded.revision - 1`, workspaceID, string(rules), r.Revision+1)
	tx.changed[workspaceID] = true
	return exactlyOne(n, err, workspace.ErrStale)
}
