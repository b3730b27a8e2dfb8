package store

import (
	"context"
	"fmt"
	"time"

	"tollgate.dev/internal/period"
)

// Answer is the response to a request that carried an idempotency key.
type Answer struct {
	Request  string // a hash of what was asked
	Status   int    // 0 while the request that claimed the key has not answered
	Response string
}

// ClaimKey takes an idempotency key for a request of the actor. first is true
// for the one who must do the work and then call AnswerKey in the same
// transaction; anybody later gets the answer that was given. Two at once: the
// second waits for the first one's transaction to end.
func (tx *Tx) ClaimKey(ctx context.Context, actor, key, request string, at time.Time) (a Answer, first bool, err error) {
	n, err := tx.Exec(ctx, `
		INSERT INTO idempotency (actor, key, request, status, response, created_at)
		VALUES ($1, $2, $3, 0, '', $4)
		ON CONFLICT (actor, key) DO NOTHING`, actor, key, request, period.Micros(at))
	if err != nil {
		return a, false, fmt.Errorf("claim an idempotency key: %w", err)
	}
	if n == 1 {
		return Answer{Request: request}, true, nil
	}
	var status int64
	err = tx.QueryRow(ctx, `
		SELECT request, status, response
		FROM idempotency
		WHERE actor = $1
			AND key = $2`, actor, key).Scan(&a.Request, &status, &a.Response)
	if err != nil {
		return a, false, fmt.Errorf("read an idempotency key: %w", err)
	}
	a.Status = int(status)
	return a, false, nil
}

// AnswerKey keeps the response to the request that claimed the key.
func (tx *Tx) AnswerKey(ctx context.Context, actor, key string, status int, response string) error {
	n, err := tx.Exec(ctx, `
		UPDATE idempotency
		SET status = $3, response = $4
		WHERE actor = $1
			AND key = $2`, actor, key, int64(status), response)
	return exactlyOne(n, err, fmt.Errorf("idempotency key of %s was not claimed", actor))
}

// ReleaseKey forgets a key that was claimed for what was refused after all, in
// a transaction that is kept.
func (tx *Tx) ReleaseKey(ctx context.Context, actor, key string) error {
	n, err := tx.Exec(ctx, `
		DELETE FROM idempotency
		WHERE actor = $1
			AND key = $2
			AND status = 0`, actor, key)
	return exactlyOne(n, err, fmt.Errorf("idempotency key of %s was not claimed", actor))
}
