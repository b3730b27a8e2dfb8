package store

import (
	"context"
	"errors"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/period"
)

const operatorColumns = `id, email, name, role, password, language, created_at, disabled_at`

func scanOperator(r Row) (account.Operator, error) {
	var o account.Operator
	var created, disabled int64
	err := r.Scan(&o.ID, &o.Email, &o.Name, &o.Role, &o.Password, &o.Language, &created, &disabled)
	if errors.Is(err, ErrNoRows) {
		return o, account.ErrUnknown
	}
	o.CreatedAt, o.DisabledAt = period.FromMicros(created), period.FromMicros(disabled)
	return o, err
}

// OperatorByEmail finds an operator, or account.ErrUnknown.
func (tx *Tx) OperatorByEmail(ctx context.Context, email string) (account.Operator, error) {
	return scanOperator(tx.QueryRow(ctx, `
		SELECT `+operatorColumns+`
		FROM operator_account
		WHERE email = $1`, email))
}

// OperatorByID finds an operator, or account.ErrUnknown.
func (tx *Tx) OperatorByID(ctx context.Context, id string) (account.Operator, error) {
	return scanOperator(tx.QueryRow(ctx, `
		SELECT `+operatorColumns+`
		FROM operator_account
		WHERE id = $1`, id))
}

// Operators lists all operators in order of their addresses.
func (tx *Tx) Operators(ctx context.Context) ([]account.Operator, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+operatorColumns+`
		FROM operator_account
		ORDER BY email`)
	return collect(rows, err, scanOperator)
}

// AdminsForUpdate gives the IDs of the administrators who can sign in, kept
// from other writers.
func (tx *Tx) AdminsForUpdate(ctx context.Context) ([]string, error) {
	rows, err := tx.Query(ctx, `
		SELECT id
		FROM operator_account
		WHERE role = $1
			AND disabled_at = 0
		ORDER BY id`+tx.lockWrites(), string(account.Admin))
	return collect(rows, err, func(r Row) (id string, err error) {
		err = r.Scan(&id)
		return id, err
	})
}

// InsertOperator keeps a new operator; one of the same address is account.ErrEmailTaken.
func (tx *Tx) InsertOperator(ctx context.Context, o account.Operator) error {
	n, err := tx.Exec(ctx, `
		INSERT INTO operator_account (`+operatorColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT DO NOTHING`,
		o.ID, o.Email, o.Name, string(o.Role), o.Password, o.Language, period.Micros(o.CreatedAt), period.Micros(o.DisabledAt))
	return exactlyOne(n, err, account.ErrEmailTaken)
}

// SetOperator keeps an operator's role, name and whether it is disabled.
func (tx *Tx) SetOperator(ctx context.Context, o account.Operator) error {
	n, err := tx.Exec(ctx, `
		UPDATE operator_account
		SET name = $2, role = $3, disabled_at = $4
		WHERE id = $1`, o.ID, o.Name, string(o.Role), period.Micros(o.DisabledAt))
	return exactlyOne(n, err, account.ErrUnknown)
}

// SetOperatorPassword replaces an operator's password. His sessions end with
// the old one, which they are tied to; his tokens end here.
func (tx *Tx) SetOperatorPassword(ctx context.Context, id, hash string, at time.Time) error {
	n, err := tx.Exec(ctx, `
		UPDATE operator_account
		SET password = $2
		WHERE id = $1`, id, hash)
	if err := exactlyOne(n, err, account.ErrUnknown); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
		UPDATE api_key
		SET revoked_at = $2
		WHERE console = 'operator'
			AND account_id = $1
			AND revoked_at = 0`, id, period.Micros(at))
	return err
}
