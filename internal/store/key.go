package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/period"
)

const keyColumns = `id, hash, scope, holder, name, made_by, created_at, revoked_at, used_on`

func scanKey(r Row) (account.Key, error) {
	var k account.Key
	var used string
	var created, revoked int64
	err := r.Scan(&k.ID, &k.Hash, &k.Holder.Scope, &k.Holder.ID, &k.Name, &k.MadeBy, &created, &revoked, &used)
	if errors.Is(err, ErrNoRows) {
		return k, account.ErrKeyUnknown
	}
	if err != nil {
		return k, fmt.Errorf("read a key: %w", err)
	}
	k.CreatedAt, k.RevokedAt = period.FromMicros(created), period.FromMicros(revoked)
	if used == "" {
		return k, nil
	}
	return k, k.UsedOn.UnmarshalText([]byte(used))
}

// InsertKey keeps a new key of the read API; a holder's working keys have
// names of their own, else account.ErrKeyNameTaken.
func (tx *Tx) InsertKey(ctx context.Context, k account.Key) error {
	n, err := tx.Exec(ctx, `
		INSERT INTO reader_key (`+keyColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, 0, '')
		ON CONFLICT DO NOTHING`,
		k.ID, k.Hash, string(k.Holder.Scope), k.Holder.ID, k.Name, k.MadeBy, period.Micros(k.CreatedAt))
	return exactlyOne(n, err, account.ErrKeyNameTaken.On("name"))
}

// CountKeys counts the holder's keys that work.
func (tx *Tx) CountKeys(ctx context.Context, h account.KeyHolder) (int, error) {
	var n int64
	err := tx.QueryRow(ctx, `
		SELECT COUNT(*)
		FROM reader_key
		WHERE scope = $1
			AND holder = $2
			AND revoked_at = 0`, string(h.Scope), h.ID).Scan(&n)
	return int(n), err
}

// Keys lists the holder's keys: those that work first, then the newest.
func (tx *Tx) Keys(ctx context.Context, h account.KeyHolder, limit int) ([]account.Key, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+keyColumns+`
		FROM reader_key
		WHERE scope = $1
			AND holder = $2
		ORDER BY CASE WHEN revoked_at = 0 THEN 0 ELSE 1 END, created_at DESC, id
		LIMIT $3`, string(h.Scope), h.ID, int64(limit))
	return collect(rows, err, scanKey)
}

// ServiceKeys lists the keys of all services of the platform: those that work
// first, then the newest.
func (tx *Tx) ServiceKeys(ctx context.Context, limit int) ([]account.Key, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+keyColumns+`
		FROM reader_key
		WHERE scope IN ($1, $2)
		ORDER BY CASE WHEN revoked_at = 0 THEN 0 ELSE 1 END, created_at DESC, id
		LIMIT $3`, string(account.ServiceKeys), string(account.DeductionKeys), int64(limit))
	return collect(rows, err, scanKey)
}

// ServiceKey finds a key of any service of the platform, or
// account.ErrKeyUnknown.
func (tx *Tx) ServiceKey(ctx context.Context, id string) (account.Key, error) {
	return scanKey(tx.QueryRow(ctx, `
		SELECT `+keyColumns+`
		FROM reader_key
		WHERE scope IN ($1, $2)
			AND id = $3`, string(account.ServiceKeys), string(account.DeductionKeys), id))
}

// KeyOf finds a key of the holder, or account.ErrKeyUnknown.
func (tx *Tx) KeyOf(ctx context.Context, h account.KeyHolder, id string) (account.Key, error) {
	return scanKey(tx.QueryRow(ctx, `
		SELECT `+keyColumns+`
		FROM reader_key
		WHERE scope = $1
			AND holder = $2
			AND id = $3`, string(h.Scope), h.ID, id))
}

// KeyByHash finds the key that works of a secret's hash, or
// account.ErrKeyInvalid.
func (tx *Tx) KeyByHash(ctx context.Context, hash string) (account.Key, error) {
	k, err := scanKey(tx.QueryRow(ctx, `
		SELECT `+keyColumns+`
		FROM reader_key
		WHERE hash = $1
			AND revoked_at = 0`, hash))
	if errors.Is(err, account.ErrKeyUnknown) {
		err = account.ErrKeyInvalid
	}
	return k, err
}

// EndKey revokes a key, if it was not revoked meanwhile.
func (tx *Tx) EndKey(ctx context.Context, id string, at time.Time) error {
	_, err := tx.Exec(ctx, `
		UPDATE reader_key
		SET revoked_at = $2
		WHERE id = $1
			AND revoked_at = 0`, id, period.Micros(at))
	return err
}

// UseKey keeps the day of a key's last use. It moves forward only.
func (tx *Tx) UseKey(ctx context.Context, id string, day period.Day) error {
	_, err := tx.Exec(ctx, `
		UPDATE reader_key
		SET used_on = $2
		WHERE id = $1
			AND used_on < $2`, id, day.String())
	return err
}
