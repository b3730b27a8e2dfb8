package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/period"
)

// consoleOf is the console whose tokens an account system's sign-ins hold.
var consoleOf = map[account.System]string{account.StudioSystem: "studio", account.BillingSystem: "billing_center"}

const signInColumns = `id, system, account_id, channel, agent, address, via, token, began_at, seen_at, expires_at`

func scanSignIn(r Row) (account.SignIn, error) {
	var s account.SignIn
	var began, seen, expires int64
	err := r.Scan(&s.ID, &s.System, &s.AccountID, &s.Channel, &s.Agent, &s.From, &s.Via, &s.Token, &began, &seen, &expires)
	if errors.Is(err, ErrNoRows) {
		return s, account.ErrSignInUnknown
	}
	if err != nil {
		return s, fmt.Errorf("read a sign-in: %w", err)
	}
	s.BegunAt, s.SeenAt, s.ExpiresAt = period.FromMicros(began), period.FromMicros(seen), period.FromMicros(expires)
	return s, nil
}

// InsertSignIn keeps a new sign-in.
func (tx *Tx) InsertSignIn(ctx context.Context, s account.SignIn) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO sign_in (`+signInColumns+`, ended_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0)`,
		s.ID, s.System, s.AccountID, s.Channel, s.Agent, s.From, s.Via, s.Token,
		period.Micros(s.BegunAt), period.Micros(s.SeenAt), period.Micros(s.ExpiresAt))
	return err
}

// SignIn finds a sign-in of the account that has not been ended, or
// account.ErrSignInUnknown.
func (tx *Tx) SignIn(ctx context.Context, s account.System, accountID, id string) (account.SignIn, error) {
	return scanSignIn(tx.QueryRow(ctx, `
		SELECT `+signInColumns+`
		FROM sign_in
		WHERE id = $1
			AND system = $2
			AND account_id = $3
			AND ended_at = 0`, id, s, accountID))
}

// SignInByToken finds the sign-in of a program's token, or account.ErrSignInUnknown.
func (tx *Tx) SignInByToken(ctx context.Context, token string) (account.SignIn, error) {
	return scanSignIn(tx.QueryRow(ctx, `
		SELECT `+signInColumns+`
		FROM sign_in
		WHERE token = $1
			AND token <> ''
			AND ended_at = 0`, token))
}

// SignIns lists where an account is signed in now, the last seen first; real
// is the machine's clock.
func (tx *Tx) SignIns(ctx context.Context, s account.System, accountID string, real time.Time, limit int) ([]account.SignIn, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+signInColumns+`
		FROM sign_in
		WHERE system = $1
			AND account_id = $2
			AND ended_at = 0
			AND expires_at > $3
		ORDER BY seen_at DESC, id
		LIMIT $4`, s, accountID, period.Micros(real), int64(limit))
	return collect(rows, err, scanSignIn)
}

// SeeSignIn keeps when and from where a sign-in was last seen. It moves
// forward only.
func (tx *Tx) SeeSignIn(ctx context.Context, id, address string, at time.Time) error {
	_, err := tx.Exec(ctx, `
		UPDATE sign_in
		SET seen_at = $2, address = $3
		WHERE id = $1
			AND seen_at < $2`, id, period.Micros(at), address)
	return err
}

// SeeToken is SeeSignIn by a program's token; a token without a sign-in is
// left alone.
func (tx *Tx) SeeToken(ctx context.Context, token, address string, at time.Time) error {
	_, err := tx.Exec(ctx, `
		UPDATE sign_in
		SET seen_at = $2, address = $3
		WHERE token = $1
			AND token <> ''
			AND ended_at = 0
			AND seen_at < $2`, token, period.Micros(at), address)
	return err
}

// EndSignIn ends one sign-in of the account, and the program's token of it.
func (tx *Tx) EndSignIn(ctx context.Context, s account.System, accountID, id string, at time.Time) error {
	found, err := tx.SignIn(ctx, s, accountID, id)
	if err != nil {
		return err
	}
	n, err := tx.Exec(ctx, `
		UPDATE sign_in
		SET ended_at = $2
		WHERE id = $1
			AND ended_at = 0`, id, period.Micros(at))
	if err := exactlyOne(n, err, account.ErrSignInUnknown); err != nil {
		return err
	}
	if found.Token == "" {
		return nil
	}
	_, err = tx.Exec(ctx, `
		UPDATE api_key
		SET revoked_at = $2
		WHERE hash = $1
			AND revoked_at = 0`, found.Token, period.Micros(at))
	return err
}

// EndSignIns ends all sign-ins of the account but the given one, and all
// programs' tokens but that one's.
func (tx *Tx) EndSignIns(ctx context.Context, s account.System, accountID, except string, at time.Time) error {
	_, err := tx.Exec(ctx, `
		UPDATE api_key
		SET revoked_at = $3
		WHERE console = $1
			AND account_id = $2
			AND revoked_at = 0
			AND hash NOT IN (SELECT token FROM sign_in WHERE id = $4)`, consoleOf[s], accountID, period.Micros(at), except)
	if err != nil {
		return fmt.Errorf("end the tokens of an account: %w", err)
	}
	_, err = tx.Exec(ctx, `
		UPDATE sign_in
		SET ended_at = $3
		WHERE system = $1
			AND account_id = $2
			AND ended_at = 0
			AND id <> $4`, s, accountID, period.Micros(at), except)
	return err
}

// EndSignInsVia ends what a Studio account opened in the Billing Center by
// jumping there, and the tickets that it has not used yet.
func (tx *Tx) EndSignInsVia(ctx context.Context, studioID string, at time.Time) error {
	_, err := tx.Exec(ctx, `
		DELETE FROM ticket
		WHERE studio_id = $1
			AND used_at = 0`, studioID)
	if err != nil {
		return fmt.Errorf("end the tickets of an account: %w", err)
	}
	_, err = tx.Exec(ctx, `
		UPDATE sign_in
		SET ended_at = $2
		WHERE via = $1
			AND via <> ''
			AND ended_at = 0`, studioID, period.Micros(at))
	return err
}
