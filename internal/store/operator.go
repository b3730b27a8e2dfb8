package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"tollgate.dev/internal/notify"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/workspace"
)

// WorkspacesMatching lists workspaces whose name holds the text or whose ID
// begins with it, by ID after the given one. It is the operator's search, the
// one query that looks at every tenant.
func (tx *Tx) WorkspacesMatching(ctx context.Context, text, after string, limit int) ([]workspace.Workspace, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+workspaceColumns+`
		FROM workspace w
		WHERE w.id > $1
			AND ($2 = '' OR SUBSTR(w.id, 1, LENGTH($2)) = $2 OR REPLACE(LOWER(w.name), $2, '') <> LOWER(w.name))
		ORDER BY w.id
		LIMIT $3`, after, strings.ToLower(text), int64(limit))
	return collect(rows, err, scanWorkspace)
}

// WaitingMails lists mails that wait since before the instant, the longest
// waiting first.
func (tx *Tx) WaitingMails(ctx context.Context, before time.Time, limit int) ([]notify.Mail, error) {
	rows, err := tx.Query(ctx, `
		SELECT document, created_at
		FROM mail
		WHERE sent_at = 0
			AND created_at < $1
		ORDER BY created_at, id
		LIMIT $2`, period.Micros(before), int64(limit))
	return collect(rows, err, func(r Row) (notify.Mail, error) {
		var m notify.Mail
		var document string
		var created int64
		if err := r.Scan(&document, &created); err != nil {
			return m, fmt.Errorf("read a waiting mail: %w", err)
		}
		err := json.Unmarshal([]byte(document), &m)
		m.CreatedAt = period.FromMicros(created)
		return m, err
	})
}
