package store

import (
	"context"
	"fmt"
	"time"

	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/period"
)

// Faults of jobs that failed.
var (
	ErrJobGone   = fault.New(fault.NotFound, "job_not_failed", "This job has not failed, or has been tried again meanwhile.")
	ErrJobQueued = fault.New(fault.Conflict, "job_queued_again", "The same job has been queued again meanwhile.")
)

// FailedJob is a job of the queue that failed: it waits for its next try, or
// none is left.
type FailedJob struct {
	QueuedJob
	Given    bool // up: no try is left
	Attempts int64
	Most     int64
	Failure  string    // of the last try
	At       time.Time // of the last try
	NextAt   time.Time // of the next one; zero when it was given up
}

// jobWords are what the queue's table calls for on each engine.
var jobWords = map[Dialect]struct{ args, failure, tried, next string }{
	SQLite: {`json(args)`, `COALESCE(json_extract(errors, '$[#-1].error'), '')`,
		`CAST(COALESCE(strftime('%s', attempted_at), 0) AS INTEGER)`, `CAST(COALESCE(strftime('%s', scheduled_at), 0) AS INTEGER)`},
	Postgres: {`CAST(args AS TEXT)`, `COALESCE(errors[array_length(errors, 1)]->>'error', '')`,
		`CAST(COALESCE(EXTRACT(EPOCH FROM attempted_at), 0) AS BIGINT)`, `CAST(COALESCE(EXTRACT(EPOCH FROM scheduled_at), 0) AS BIGINT)`},
}

// FailedJobs lists jobs that failed and have not run since, those that were
// given up first, then the longest failing.
func (tx *Tx) FailedJobs(ctx context.Context, limit int) ([]FailedJob, error) {
	w := jobWords[tx.dialect]
	rows, err := tx.Query(ctx, `
		SELECT id, kind, `+w.args+`, CASE WHEN state = 'discarded' THEN 1 ELSE 0 END, attempt, max_attempts, `+w.failure+`, `+w.tried+`, `+w.next+`
		FROM river_job
		WHERE state IN ('retryable', 'discarded')
		ORDER BY CASE WHEN state = 'discarded' THEN 0 ELSE 1 END, id
		LIMIT $1`, int64(limit))
	return collect(rows, err, func(r Row) (FailedJob, error) {
		var j FailedJob
		var args string
		var given, tried, next int64
		err := r.Scan(&j.ID, &j.Kind, &args, &given, &j.Attempts, &j.Most, &j.Failure, &tried, &next)
		j.Args, j.Given, j.At = []byte(args), given == 1, period.FromMicros(tried*1e6)
		if !j.Given {
			j.NextAt = period.FromMicros(next * 1e6)
		}
		return j, err
	})
}

// RetryJob has a failed job tried again at once, with a try more if none was
// left. A job of which the same was queued meanwhile stays as it is.
func (tx *Tx) RetryJob(ctx context.Context, id int64) error {
	var again int64
	if err := tx.QueryRow(ctx, `
		SELECT COUNT(*)
		FROM river_job j
		JOIN river_job o ON o.unique_key = j.unique_key AND o.id <> j.id
		WHERE j.id = $1
			AND j.state = 'discarded'
			AND o.state NOT IN ('completed', 'discarded', 'cancelled')`, id).Scan(&again); err != nil {
		return fmt.Errorf("look for the same job: %w", err)
	}
	if again > 0 {
		return ErrJobQueued
	}
	n, err := tx.Exec(ctx, `
		UPDATE river_job
		SET state = 'available', scheduled_at = CURRENT_TIMESTAMP, finalized_at = NULL,
			max_attempts = CASE WHEN attempt >= max_attempts THEN attempt + 1 ELSE max_attempts END
		WHERE id = $1
			AND state IN ('retryable', 'discarded')`, id)
	return exactlyOne(n, err, ErrJobGone)
}

// AuditFilter narrows the audit log. What is empty narrows nothing.
type AuditFilter struct {
	Subject string
	Actor   string
	Action  string // begins with it
	From    time.Time
	To      time.Time // before it
}

// AuditIn lists entries within a filter from the newest back, before the given
// number (0 for the newest).
func (tx *Tx) AuditIn(ctx context.Context, f AuditFilter, before int64, limit int) ([]AuditLine, error) {
	to := period.Micros(f.To)
	if f.To.IsZero() {
		to = 1<<63 - 1
	}
	rows, err := tx.Query(ctx, `
		SELECT n, at, actor, address, action, subject, detail, hash
		FROM audit
		WHERE ($1 = '' OR subject = $1)
			AND ($2 = '' OR actor = $2)
			AND ($3 = '' OR SUBSTR(action, 1, LENGTH($3)) = $3)
			AND at >= $4
			AND at < $5
			AND ($6 = 0 OR n < $6)
		ORDER BY n DESC
		LIMIT $7`, f.Subject, f.Actor, f.Action, period.Micros(f.From), to, before, int64(limit))
	return collect(rows, err, scanAudit)
}

// RetriedJob is the entry of the audit log about a job that is tried again.
func RetriedJob(j FailedJob, actor, address string, at time.Time) audit.Entry {
	return audit.Entry{At: at, Actor: actor, Address: address, Action: "job.retried", Subject: fmt.Sprintf("job %d", j.ID),
		Detail: map[string]string{"kind": j.Kind, "attempts": fmt.Sprint(j.Attempts), "failure": j.Failure}}
}
