package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/period"
)

// APIKey is a sign-in to the JSON API of one console. Only the hash of what
// its holder shows is kept, so that a copy of the database opens nothing.
type APIKey struct {
	Hash      string
	Console   string
	AccountID string
	Name      string
	CreatedAt time.Time // real time, also in a sandbox
}

// InsertAPIKey keeps a key and removes those of the account that have ended:
// revoked ones, and ones made before the given instant.
func (tx *Tx) InsertAPIKey(ctx context.Context, k APIKey, ended time.Time) error {
	if _, err := tx.Exec(ctx, `
		DELETE FROM api_key
		WHERE console = $1
			AND account_id = $2
			AND (revoked_at <> 0 OR created_at < $3)`, k.Console, k.AccountID, period.Micros(ended)); err != nil {
		return fmt.Errorf("remove ended API keys: %w", err)
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO api_key (hash, console, account_id, name, created_at, revoked_at)
		VALUES ($1, $2, $3, $4, $5, 0)`, k.Hash, k.Console, k.AccountID, k.Name, period.Micros(k.CreatedAt))
	return err
}

// APIKeyByHash finds a key of the console that was made after the instant and
// not revoked, or account.ErrSignedOut. A key of another console is none.
func (tx *Tx) APIKeyByHash(ctx context.Context, console, hash string, after time.Time) (APIKey, error) {
	var k APIKey
	var created int64
	err := tx.QueryRow(ctx, `
		SELECT hash, console, account_id, name, created_at
		FROM api_key
		WHERE console = $1
			AND hash = $2
			AND created_at > $3
			AND revoked_at = 0`, console, hash, period.Micros(after)).
		Scan(&k.Hash, &k.Console, &k.AccountID, &k.Name, &created)
	if errors.Is(err, ErrNoRows) {
		return k, account.ErrSignedOut
	}
	if err != nil {
		return k, fmt.Errorf("read an API key: %w", err)
	}
	k.CreatedAt = period.FromMicros(created)
	return k, nil
}

// RevokeAPIKey ends a key.
func (tx *Tx) RevokeAPIKey(ctx context.Context, console, hash string, at time.Time) error {
	n, err := tx.Exec(ctx, `
		UPDATE api_key
		SET revoked_at = $3
		WHERE console = $1
			AND hash = $2
			AND revoked_at = 0`, console, hash, period.Micros(at))
	return exactlyOne(n, err, account.ErrSignedOut)
}
