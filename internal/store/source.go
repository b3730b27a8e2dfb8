package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/wallet"
)

const sourceSelect = `
	SELECT s.id, s.payer, s.payment, s.account, s.currency, s.face, s.issued_at, s.expires_at, s.ended_at,
		s.origin, s.came_from, s.tail, s.reason, COALESCE(b.minor, 0)
	FROM wallet_source s
	LEFT JOIN ledger_balance b ON b.payer = s.payer AND b.account = s.account AND b.currency = s.currency
	`

func scanSource(r Row) (wallet.Source, error) {
	var s wallet.Source
	var account, currency string
	var face, issued, expires, ended, left int64
	if err := r.Scan(&s.ID, &s.Payer, &s.Payment, &account, &currency, &face, &issued, &expires, &ended,
		&s.Origin, &s.From, &s.Tail, &s.Reason, &left); err != nil {
		return s, err
	}
	c := money.Currency(currency)
	s.Account, s.Face, s.Balance = wallet.Account(account), money.Of(face, c), money.Of(left, c)
	s.Since, s.ExpiresAt, s.EndedAt = period.FromMicros(issued), period.FromMicros(expires), period.FromMicros(ended)
	return s, nil
}

// InsertSource keeps a new voucher or card.
func (tx *Tx) InsertSource(ctx context.Context, s wallet.Source) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO wallet_source (id, payer, payment, account, currency, face, issued_at, expires_at, ended_at, origin, came_from, tail, reason)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9, $10, $11, $12)`,
		s.ID, s.Payer, string(s.Payment), string(s.Account), string(s.Face.Currency()), s.Face.Minor(),
		period.Micros(s.Since), period.Micros(s.ExpiresAt), string(s.Origin), s.From, s.Tail, s.Reason)
	if err != nil {
		return fmt.Errorf("keep %s: %w", s.ID, err)
	}
	return nil
}

// Sources lists the payer's vouchers and cards in a currency that have
// something left.
func (tx *Tx) Sources(ctx context.Context, payer string, c money.Currency) ([]wallet.Source, error) {
	rows, err := tx.Query(ctx, sourceSelect+`
		WHERE s.payer = $1
			AND s.ended_at = 0
			AND s.currency = $2
			AND b.minor > 0
		ORDER BY s.account`, payer, string(c))
	return collect(rows, err, scanSource)
}

// SourceForUpdate finds a voucher or card, with its balance, kept from other
// writers; found is false where there is none.
func (tx *Tx) SourceForUpdate(ctx context.Context, id string) (wallet.Source, bool, error) {
	if _, err := tx.Exec(ctx, `
		UPDATE wallet_source
		SET ended_at = ended_at
		WHERE id = $1`, id); err != nil { // kept from other writers
		return wallet.Source{}, false, err
	}
	s, err := scanSource(tx.QueryRow(ctx, sourceSelect+`WHERE s.id = $1`, id))
	if errors.Is(err, ErrNoRows) {
		return s, false, nil
	}
	return s, err == nil, err
}

// EndSource keeps that a voucher or card is over.
func (tx *Tx) EndSource(ctx context.Context, id string, at time.Time) error {
	n, err := tx.Exec(ctx, `
		UPDATE wallet_source
		SET ended_at = $2
		WHERE id = $1
			AND ended_at = 0`, id, period.Micros(at))
	return exactlyOne(n, err, fmt.Errorf("%s was ended meanwhile", id))
}

// NextExpiry is the earliest instant at which a voucher or card expires; ok is
// false when none will.
func (tx *Tx) NextExpiry(ctx context.Context) (at time.Time, ok bool, err error) {
	return tx.earliestEnd(ctx, "")
}

// earliestEnd is the earliest instant at which a voucher or card that has not
// ended expires, of those that a further condition names.
func (tx *Tx) earliestEnd(ctx context.Context, and string) (at time.Time, ok bool, err error) {
	var us int64
	err = tx.QueryRow(ctx, `
		SELECT expires_at
		FROM wallet_source
		WHERE expires_at > 0
			AND ended_at = 0
			`+and+`
		ORDER BY expires_at
		LIMIT 1`).Scan(&us)
	if errors.Is(err, ErrNoRows) {
		return at, false, nil
	}
	return period.FromMicros(us), err == nil, err
}

// Expired lists vouchers and cards whose time is over and that have not ended,
// the earliest first.
func (tx *Tx) Expired(ctx context.Context, at time.Time, limit int) ([]string, error) {
	rows, err := tx.Query(ctx, `
		SELECT id
		FROM wallet_source
		WHERE expires_at > 0
			AND ended_at = 0
			AND expires_at <= $1
		ORDER BY expires_at, id
		LIMIT $2`, period.Micros(at), int64(limit))
	return collect(rows, err, func(r Row) (id string, err error) {
		err = r.Scan(&id)
		return id, err
	})
}
