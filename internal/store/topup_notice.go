package store

import (
	"context"
	"errors"
	"fmt"

	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/topup"
)

const noticeColumns = `id, channel, event, type, payment_id, named, reference, outcome, currency, minor, dispute, won, odd,
	state, reason, received_at, decided_at, decided_by, remark`

func scanPaymentNotice(r Row) (topup.Notice, error) {
	var n topup.Notice
	var currency string
	var minor, won, received, decided int64
	err := r.Scan(&n.ID, &n.Channel, &n.Report.Event, &n.Report.Type, &n.PaymentID, &n.Report.PaymentID, &n.Report.Reference, &n.Report.Outcome,
		&currency, &minor, &n.Report.Dispute, &won, &n.Report.Odd, &n.State, &n.Reason, &received, &decided, &n.DecidedBy, &n.Remark)
	if errors.Is(err, ErrNoRows) {
		return n, topup.ErrNotice
	}
	n.Report.Amount, n.Report.Won = money.Of(minor, money.Currency(currency)), won == 1
	n.ReceivedAt, n.DecidedAt = period.FromMicros(received), period.FromMicros(decided)
	return n, err
}

// InsertNotice keeps a notice of a payment channel unless its event is known.
func (tx *Tx) InsertNotice(ctx context.Context, n topup.Notice) (first bool, err error) {
	r := n.Report
	rows, err := tx.Exec(ctx, `
		INSERT INTO payment_notice (`+noticeColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
		ON CONFLICT (channel, event) DO NOTHING`,
		n.ID, string(n.Channel), r.Event, r.Type, n.PaymentID, r.PaymentID, r.Reference, string(r.Outcome),
		string(r.Amount.Currency()), r.Amount.Minor(), r.Dispute, flag(r.Won), string(r.Odd),
		string(n.State), string(n.Reason), period.Micros(n.ReceivedAt), period.Micros(n.DecidedAt), n.DecidedBy, n.Remark)
	if err != nil {
		return false, fmt.Errorf("keep a notice: %w", err)
	}
	return rows == 1, nil
}

// NoticeForUpdate finds a notice of a payment channel, kept from other
// writers, or topup.ErrNotice.
func (tx *Tx) NoticeForUpdate(ctx context.Context, id string) (topup.Notice, error) {
	return scanPaymentNotice(tx.QueryRow(ctx, `
		SELECT `+noticeColumns+`
		FROM payment_notice
		WHERE id = $1`+tx.lockWrites(), id))
}

// KeepNotice keeps what became of a notice.
func (tx *Tx) KeepNotice(ctx context.Context, n topup.Notice) error {
	rows, err := tx.Exec(ctx, `
		UPDATE payment_notice
		SET payment_id = $2, state = $3, reason = $4, decided_at = $5, decided_by = $6, remark = $7
		WHERE id = $1`, n.ID, n.PaymentID, string(n.State), string(n.Reason), period.Micros(n.DecidedAt), n.DecidedBy, n.Remark)
	return exactlyOne(rows, err, topup.ErrNotice)
}

// NoticesFor lists the notices of a payment, or of its channel's reference,
// that wait for its credit or were parked because it was not known.
func (tx *Tx) NoticesFor(ctx context.Context, p topup.Payment) ([]topup.Notice, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+noticeColumns+`
		FROM payment_notice
		WHERE channel = $1
			AND (state = 'waiting' OR state = 'parked' AND reason = 'unknown')
			AND (payment_id = $2 OR named = $2 OR reference = $3 AND reference <> '')
		ORDER BY received_at, id`+tx.lockWrites(), string(p.Channel), p.ID, p.Reference)
	return collect(rows, err, scanPaymentNotice)
}

// NoticesOf lists the notices of a payment in the order in which they came.
func (tx *Tx) NoticesOf(ctx context.Context, paymentID string) ([]topup.Notice, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+noticeColumns+`
		FROM payment_notice
		WHERE payment_id = $1
		ORDER BY received_at, id`, paymentID)
	return collect(rows, err, scanPaymentNotice)
}

// NoticesIn lists the notices in a state, the oldest first.
func (tx *Tx) NoticesIn(ctx context.Context, state topup.NoticeState, limit int) ([]topup.Notice, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+noticeColumns+`
		FROM payment_notice
		WHERE state = $1
		ORDER BY received_at, id
		LIMIT $2`, string(state), int64(limit))
	return collect(rows, err, scanPaymentNotice)
}

// ForgedNotices counts the parked notices of a channel whose signature did not
// hold or that could not be read.
func (tx *Tx) ForgedNotices(ctx context.Context, channel topup.Name) (int64, error) {
	var n int64
	err := tx.QueryRow(ctx, `
		SELECT COUNT(*)
		FROM payment_notice
		WHERE state = 'parked'
			AND channel = $1
			AND reason IN ('forged', 'unreadable')`, string(channel)).Scan(&n)
	return n, err
}

const refundColumns = `id, payment_id, key, currency, minor, state, reason, asked_by, asked_at, done_at, problem`

func scanRefund(r Row) (topup.Refund, error) {
	var f topup.Refund
	var currency string
	var minor, asked, done int64
	err := r.Scan(&f.ID, &f.PaymentID, &f.Key, &currency, &minor, &f.State, &f.Reason, &f.AskedBy, &asked, &done, &f.Problem)
	if errors.Is(err, ErrNoRows) {
		return f, topup.ErrUnknown
	}
	f.Amount, f.AskedAt, f.DoneAt = money.Of(minor, money.Currency(currency)), period.FromMicros(asked), period.FromMicros(done)
	return f, err
}

// InsertRefund keeps a new refund, or gives the one of the same payment and key.
func (tx *Tx) InsertRefund(ctx context.Context, r topup.Refund) (kept topup.Refund, first bool, err error) {
	n, err := tx.Exec(ctx, `
		INSERT INTO payment_refund (`+refundColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
		ON CONFLICT (payment_id, key) DO NOTHING`,
		r.ID, r.PaymentID, r.Key, string(r.Amount.Currency()), r.Amount.Minor(), string(r.State), r.Reason, r.AskedBy,
		period.Micros(r.AskedAt), period.Micros(r.DoneAt), r.Problem)
	if err != nil {
		return r, false, fmt.Errorf("keep a refund: %w", err)
	}
	kept, err = scanRefund(tx.QueryRow(ctx, `
		SELECT `+refundColumns+`
		FROM payment_refund
		WHERE payment_id = $1
			AND key = $2`, r.PaymentID, r.Key))
	return kept, n == 1, err
}

// RefundForUpdate finds a refund, kept from other writers, or topup.ErrUnknown.
func (tx *Tx) RefundForUpdate(ctx context.Context, id string) (topup.Refund, error) {
	return scanRefund(tx.QueryRow(ctx, `
		SELECT `+refundColumns+`
		FROM payment_refund
		WHERE id = $1`+tx.lockWrites(), id))
}

// KeepRefund keeps what became of a refund that was still asked for.
func (tx *Tx) KeepRefund(ctx context.Context, r topup.Refund) error {
	n, err := tx.Exec(ctx, `
		UPDATE payment_refund
		SET state = $2, done_at = $3, problem = $4
		WHERE id = $1
			AND state = 'asked'`, r.ID, string(r.State), period.Micros(r.DoneAt), r.Problem)
	return exactlyOne(n, err, fmt.Errorf("refund %s was decided meanwhile", r.ID))
}

// RefundsOf lists the refunds of a payment, the oldest first.
func (tx *Tx) RefundsOf(ctx context.Context, paymentID string) ([]topup.Refund, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+refundColumns+`
		FROM payment_refund
		WHERE payment_id = $1
		ORDER BY asked_at, id`, paymentID)
	return collect(rows, err, scanRefund)
}

const disputeColumns = `channel, reference, payment_id, currency, minor, state, opened_at, decided_at`

func scanDispute(r Row) (topup.Dispute, error) {
	var d topup.Dispute
	var currency string
	var minor, opened, decided int64
	err := r.Scan(&d.Channel, &d.Reference, &d.PaymentID, &currency, &minor, &d.State, &opened, &decided)
	d.Amount, d.OpenedAt, d.DecidedAt = money.Of(minor, money.Currency(currency)), period.FromMicros(opened), period.FromMicros(decided)
	return d, err
}

// DisputeOf finds a dispute of a channel. Its payment is kept from other
// writers by whoever asks.
func (tx *Tx) DisputeOf(ctx context.Context, channel topup.Name, reference string) (d topup.Dispute, found bool, err error) {
	d, err = scanDispute(tx.QueryRow(ctx, `
		SELECT `+disputeColumns+`
		FROM payment_dispute
		WHERE channel = $1
			AND reference = $2`, string(channel), reference))
	if errors.Is(err, ErrNoRows) {
		return topup.Dispute{}, false, nil
	}
	return d, err == nil, err
}

// DisputesOf lists the disputes of a payment, the oldest first.
func (tx *Tx) DisputesOf(ctx context.Context, paymentID string) ([]topup.Dispute, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+disputeColumns+`
		FROM payment_dispute
		WHERE payment_id = $1
		ORDER BY opened_at, reference`, paymentID)
	return collect(rows, err, scanDispute)
}

// KeepDispute keeps a dispute as it stands.
func (tx *Tx) KeepDispute(ctx context.Context, d topup.Dispute) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO payment_dispute (`+disputeColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (channel, reference) DO UPDATE SET state = excluded.state, decided_at = excluded.decided_at`,
		string(d.Channel), d.Reference, d.PaymentID, string(d.Amount.Currency()), d.Amount.Minor(), string(d.State),
		period.Micros(d.OpenedAt), period.Micros(d.DecidedAt))
	if err != nil {
		return fmt.Errorf("keep a dispute: %w", err)
	}
	return nil
}
