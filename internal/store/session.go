package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tollgate.dev/internal/period"
)

// Sessions keeps the login sessions of one console; it is the store that the
// session library asks for. Times here are real, also in a sandbox.
type Sessions struct {
	store   *Store
	console string
	now     func() time.Time
}

// Sessions gives the session store of a console; now is the real clock.
func (s *Store) Sessions(console string, now func() time.Time) *Sessions {
	return &Sessions{s, console, now}
}

// FindCtx finds the data of a session that has not ended.
func (s *Sessions) FindCtx(ctx context.Context, token string) (data []byte, found bool, err error) {
	err = s.store.Read(ctx, func(tx *Tx) error {
		var expires int64
		err := tx.QueryRow(ctx, `
			SELECT data, expires_at
			FROM session
			WHERE console = $1
				AND token = $2`, s.console, token).Scan(&data, &expires)
		if errors.Is(err, ErrNoRows) {
			return nil
		}
		found = err == nil && s.now().Before(period.FromMicros(expires))
		return err
	})
	return data, found, err
}

// CommitCtx keeps a session.
func (s *Sessions) CommitCtx(ctx context.Context, token string, data []byte, expires time.Time) error {
	err := s.store.Write(ctx, func(tx *Tx) error {
		_, err := tx.Exec(ctx, `
			INSERT INTO session (console, token, data, expires_at)
			VALUES ($1, $2, $3, $4)
			ON CONFLICT (console, token) DO UPDATE SET data = excluded.data, expires_at = excluded.expires_at`,
			s.console, token, data, period.Micros(expires))
		return err
	})
	if err != nil {
		return fmt.Errorf("keep a session: %w", err)
	}
	return nil
}

// DeleteCtx ends a session.
func (s *Sessions) DeleteCtx(ctx context.Context, token string) error {
	return s.store.Write(ctx, func(tx *Tx) error {
		_, err := tx.Exec(ctx, `
			DELETE FROM session
			WHERE console = $1
				AND token = $2`, s.console, token)
		return err
	})
}

// Find is FindCtx without a context.
func (s *Sessions) Find(token string) ([]byte, bool, error) {
	return s.FindCtx(context.Background(), token)
}

// Commit is CommitCtx without a context.
func (s *Sessions) Commit(token string, data []byte, expires time.Time) error {
	return s.CommitCtx(context.Background(), token, data, expires)
}

// Delete is DeleteCtx without a context.
func (s *Sessions) Delete(token string) error { return s.DeleteCtx(context.Background(), token) }

// Sweep removes what no longer serves: ended sessions, old codes, tickets and
// unfinished registrations.
func (tx *Tx) Sweep(ctx context.Context, real, at time.Time) error {
	old := at.Add(-7 * 24 * time.Hour)
	for _, s := range []struct {
		sql    string
		before time.Time
	}{
		{`DELETE FROM session WHERE expires_at < $1`, real},
		{`DELETE FROM sign_in WHERE expires_at < $1`, real},
		{`DELETE FROM contact_change WHERE began_at < $1`, old},
		{`DELETE FROM code WHERE expires_at < $1`, old},
		{`DELETE FROM ticket WHERE expires_at < $1`, old},
		{`DELETE FROM registration WHERE created_at < $1`, old},
		{`DELETE FROM idempotency WHERE created_at < $1`, old},
	} {
		if _, err := tx.Exec(ctx, s.sql, period.Micros(s.before)); err != nil {
			return fmt.Errorf("sweep: %w", err)
		}
	}
	return nil
}
