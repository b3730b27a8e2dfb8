package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/topup"
)

const paymentColumns = `id, account_id, channel, currency, minor, key, state, session, reference, url,
	created_at, expires_at, paid_at, credited_at, refunded, withheld, asks, next_ask_at, problem, revision`

func scanPayment(r Row) (topup.Payment, error) {
	var p topup.Payment
	var currency string
	var minor, created, expires, paid, credited, refunded, withheld, nextAsk int64
	err := r.Scan(&p.ID, &p.AccountID, &p.Channel, &currency, &minor, &p.Key, &p.State, &p.Session, &p.Reference, &p.URL,
		&created, &expires, &paid, &credited, &refunded, &withheld, &p.Asks, &nextAsk, &p.Problem, &p.Revision)
	if errors.Is(err, ErrNoRows) {
		return p, topup.ErrUnknown
	}
	c := money.Currency(currency)
	p.Amount, p.Refunded, p.Withheld = money.Of(minor, c), money.Of(refunded, c), money.Of(withheld, c)
	p.CreatedAt, p.ExpiresAt = period.FromMicros(created), period.FromMicros(expires)
	p.PaidAt, p.CreditedAt, p.NextAskAt = period.FromMicros(paid), period.FromMicros(credited), period.FromMicros(nextAsk)
	return p, err
}

// InsertPayment keeps a new payment, or gives the one that its payer began
// with the same key.
func (tx *Tx) InsertPayment(ctx context.Context, p topup.Payment) (kept topup.Payment, first bool, err error) {
	n, err := tx.Exec(ctx, `
		INSERT INTO payment (`+paymentColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
		ON CONFLICT (account_id, key) DO NOTHING`,
		p.ID, p.AccountID, string(p.Channel), string(p.Amount.Currency()), p.Amount.Minor(), p.Key, string(p.State), p.Session, p.Reference, p.URL,
		period.Micros(p.CreatedAt), period.Micros(p.ExpiresAt), period.Micros(p.PaidAt), period.Micros(p.CreditedAt),
		p.Refunded.Minor(), p.Withheld.Minor(), p.Asks, period.Micros(p.NextAskAt), p.Problem, p.Revision)
	if err != nil {
		return p, false, fmt.Errorf("keep a payment: %w", err)
	}
	kept, err = scanPayment(tx.QueryRow(ctx, `
		SELECT `+paymentColumns+`
		FROM payment
		WHERE account_id = $1
			AND key = $2`, p.AccountID, p.Key))
	return kept, n == 1, err
}

// PaymentForUpdate finds a payment, kept from other writers, or topup.ErrUnknown.
func (tx *Tx) PaymentForUpdate(ctx context.Context, id string) (topup.Payment, error) {
	return scanPayment(tx.QueryRow(ctx, `
		SELECT `+paymentColumns+`
		FROM payment
		WHERE id = $1`+tx.lockWrites(), id))
}

// PaymentByReference finds the payment of a channel's money, kept from other
// writers, or topup.ErrUnknown.
func (tx *Tx) PaymentByReference(ctx context.Context, channel topup.Name, reference string) (topup.Payment, error) {
	return scanPayment(tx.QueryRow(ctx, `
		SELECT `+paymentColumns+`
		FROM payment
		WHERE channel = $1
			AND reference = $2
			AND reference <> ''
		ORDER BY id
		LIMIT 1`+tx.lockWrites(), string(channel), reference))
}

// PaymentOf finds a payment of a payer, or topup.ErrUnknown: another payer's is
// as unknown as none.
func (tx *Tx) PaymentOf(ctx context.Context, accountID, id string) (topup.Payment, error) {
	return scanPayment(tx.QueryRow(ctx, `
		SELECT `+paymentColumns+`
		FROM payment
		WHERE account_id = $1
			AND id = $2`, accountID, id))
}

// PaymentsOf lists a payer's payments, the newest first, from behind the given
// one (empty for the newest).
func (tx *Tx) PaymentsOf(ctx context.Context, accountID, after string, limit int) ([]topup.Payment, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+paymentColumns+`
		FROM payment
		WHERE account_id = $1
			AND ($2 = '' OR EXISTS (
				SELECT 1
				FROM payment last
				WHERE last.account_id = $1
					AND last.id = $2
					AND (payment.created_at < last.created_at OR payment.created_at = last.created_at AND payment.id > last.id)
			))
		ORDER BY created_at DESC, id
		LIMIT $3`, accountID, after, int64(limit))
	return collect(rows, err, scanPayment)
}

// Payments lists payments of all payers, the newest first; a state narrows it.
func (tx *Tx) Payments(ctx context.Context, state topup.State, limit int) ([]topup.Payment, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+paymentColumns+`
		FROM payment
		WHERE ($1 = '' OR state = $1)
		ORDER BY created_at DESC, id
		LIMIT $2`, string(state), int64(limit))
	return collect(rows, err, scanPayment)
}

// PaymentsInTrouble lists the payments that do not go on by themselves, the
// oldest first.
func (tx *Tx) PaymentsInTrouble(ctx context.Context, limit int) ([]topup.Payment, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+paymentColumns+`
		FROM payment
		WHERE problem <> ''
		ORDER BY created_at, id
		LIMIT $1`, int64(limit))
	return collect(rows, err, scanPayment)
}

// KeepPayment keeps a changed payment whose revision is one more than the
// stored one.
func (tx *Tx) KeepPayment(ctx context.Context, p topup.Payment) error {
	n, err := tx.Exec(ctx, `
		UPDATE payment
		SET state = $3, session = $4, reference = $5, url = $6, expires_at = $7, paid_at = $8, credited_at = $9,
			refunded = $10, withheld = $11, asks = $12, next_ask_at = $13, problem = $14, revision = $2
		WHERE id = $1
			AND revision = $2 - 1`,
		p.ID, p.Revision, string(p.State), p.Session, p.Reference, p.URL, period.Micros(p.ExpiresAt), period.Micros(p.PaidAt), period.Micros(p.CreditedAt),
		p.Refunded.Minor(), p.Withheld.Minor(), p.Asks, period.Micros(p.NextAskAt), p.Problem)
	return exactlyOne(n, err, fmt.Errorf("payment %s moved meanwhile", p.ID))
}

// PaymentsToAsk lists the payments whose channel is to be asked, the longest
// due first.
func (tx *Tx) PaymentsToAsk(ctx context.Context, at time.Time, limit int) ([]topup.Payment, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+paymentColumns+`
		FROM payment
		WHERE next_ask_at > 0
			AND next_ask_at <= $1
		ORDER BY next_ask_at, id
		LIMIT $2`+tx.lockWrites(), period.Micros(at), int64(limit))
	return collect(rows, err, scanPayment)
}

// NextAsk gives the earliest instant at which a channel is to be asked.
func (tx *Tx) NextAsk(ctx context.Context) (at time.Time, any bool, err error) {
	var micros int64
	err = tx.QueryRow(ctx, `
		SELECT COALESCE(MIN(next_ask_at), 0)
		FROM payment
		WHERE next_ask_at > 0`).Scan(&micros)
	return period.FromMicros(micros), micros > 0, err
}

// HastenAsk has the channel asked now about a payment of the payer that was
// not asked about yet: the payer has come back from paying.
func (tx *Tx) HastenAsk(ctx context.Context, accountID, id string, at time.Time) error {
	_, err := tx.Exec(ctx, `
		UPDATE payment
		SET next_ask_at = $3, revision = revision + 1
		WHERE account_id = $1
			AND id = $2
			AND state = 'pending'
			AND asks = 0
			AND next_ask_at > $3`, accountID, id, period.Micros(at))
	return err
}

// QueueTopup queues a job of top-ups.
func (tx *Tx) QueueTopup(ctx context.Context, j topup.Job) error { return tx.Enqueue(ctx, j) }
