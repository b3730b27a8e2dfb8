package store

import (
	"context"
	"errors"
)

// QueuedJob is a job that waits in the queue.
type QueuedJob struct {
	ID   int64
	Kind string
	Args []byte // JSON
}

// NextJob gives the job that has waited longest; ok is false when none does.
// It is for whoever works the queue alone, without the runner.
func (tx *Tx) NextJob(ctx context.Context) (j QueuedJob, ok bool, err error) {
	text := `CAST(args AS TEXT)`
	if tx.dialect == SQLite {
		text = `json(args)` // kept in SQLite's binary form
	}
	var args string
	err = tx.QueryRow(ctx, `
		SELECT id, kind, `+text+`
		FROM river_job
		WHERE state = 'available'
		ORDER BY id
		LIMIT 1`).Scan(&j.ID, &j.Kind, &args)
	if errors.Is(err, ErrNoRows) {
		return j, false, nil
	}
	j.Args = []byte(args)
	return j, err == nil, err
}

// EndJob takes a job that is done out of the queue.
func (tx *Tx) EndJob(ctx context.Context, id int64) error {
	_, err := tx.Exec(ctx, `
		DELETE FROM river_job
		WHERE id = $1`, id)
	return err
}
