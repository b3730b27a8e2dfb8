package sink

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"tollgate.dev/internal/period"
)

// forgetAtOnce bounds the records that are removed in one commit, so that
// writers do not wait for long.
const forgetAtOnce = 5000

// Forget removes the records from every file that may have some. Their
// reports stay known, so that one that is sent again does not bring them back.
func (l *Local) Forget(ctx context.Context, f Forgetting) error {
	for _, file := range l.newest() {
		if !file.day.Start(time.UTC).Before(f.Before) {
			continue
		}
		if err := file.forget(ctx, f); err != nil {
			return fmt.Errorf("forget records of %s in %v: %w", f.WorkspaceID, file.day, err)
		}
	}
	return nil
}

func (f *dayFile) forget(ctx context.Context, what Forgetting) error {
	writer, _, err := f.open(ctx)
	if errors.Is(err, errGone) {
		return nil
	}
	if err != nil {
		return err
	}
	for {
		n, err := forgetSome(ctx, writer, what)
		if err != nil || n < forgetAtOnce {
			return err
		}
	}
}

func forgetSome(ctx context.Context, writer *sql.DB, what Forgetting) (int64, error) {
	result, err := writer.ExecContext(ctx, `
		DELETE FROM record
		WHERE id IN (
			SELECT id
			FROM record
			WHERE workspace_id = $1
				AND generation = $2
				AND type = $3
				AND received < $4
			LIMIT $5)`,
		what.WorkspaceID, int64(what.Generation), string(what.Type), period.Micros(what.Before), int64(forgetAtOnce))
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}
