package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/wallet"
)

const adjustmentColumns = `id, account_id, currency, minor, reason, bill_id, bill_number, state, proposed_by, proposed_at, decided_by, decided_at, refusal`

func scanAdjustment(r Row) (wallet.Adjustment, error) {
	var a wallet.Adjustment
	var currency string
	var minor, proposed, decided int64
	err := r.Scan(&a.ID, &a.AccountID, &currency, &minor, &a.Reason, &a.BillID, &a.BillNumber, &a.State,
		&a.ProposedBy, &proposed, &a.DecidedBy, &decided, &a.Refusal)
	if errors.Is(err, ErrNoRows) {
		return a, wallet.ErrAdjustmentUnknown
	}
	a.Amount = money.Of(minor, money.Currency(currency))
	a.ProposedAt, a.DecidedAt = period.FromMicros(proposed), period.FromMicros(decided)
	return a, err
}

// InsertAdjustment keeps a proposed adjustment; the same one again is
// wallet.ErrAdjustmentTwice as long as it waits.
func (tx *Tx) InsertAdjustment(ctx context.Context, a wallet.Adjustment) error {
	n, err := tx.Exec(ctx, `
		INSERT INTO adjustment (`+adjustmentColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
		ON CONFLICT DO NOTHING`,
		a.ID, a.AccountID, string(a.Amount.Currency()), a.Amount.Minor(), a.Reason, a.BillID, a.BillNumber, string(a.State),
		a.ProposedBy, period.Micros(a.ProposedAt), a.DecidedBy, period.Micros(a.DecidedAt), a.Refusal)
	return exactlyOne(n, err, wallet.ErrAdjustmentTwice)
}

// AdjustmentForUpdate finds an adjustment, kept from other writers, or
// wallet.ErrAdjustmentUnknown.
func (tx *Tx) AdjustmentForUpdate(ctx context.Context, id string) (wallet.Adjustment, error) {
	return scanAdjustment(tx.QueryRow(ctx, `
		SELECT `+adjustmentColumns+`
		FROM adjustment
		WHERE id = $1`+tx.lockWrites(), id))
}

// DecideAdjustment keeps the outcome of an adjustment that is still proposed.
// Nobody approves his own, whoever asks.
func (tx *Tx) DecideAdjustment(ctx context.Context, a wallet.Adjustment) error {
	n, err := tx.Exec(ctx, `
		UPDATE adjustment
		SET state = $2, decided_by = $3, decided_at = $4, refusal = $5
		WHERE id = $1
			AND state = 'proposed'
			AND ($2 <> 'approved' OR proposed_by <> $3)`,
		a.ID, string(a.State), a.DecidedBy, period.Micros(a.DecidedAt), a.Refusal)
	return exactlyOne(n, err, fmt.Errorf("adjustment %s was decided meanwhile", a.ID))
}

// AdjustmentsProposed lists adjustments that wait for a second operator, the
// longest waiting first.
func (tx *Tx) AdjustmentsProposed(ctx context.Context, limit int) ([]wallet.Adjustment, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+adjustmentColumns+`
		FROM adjustment
		WHERE state = 'proposed'
		ORDER BY proposed_at, id
		LIMIT $1`, int64(limit))
	return collect(rows, err, scanAdjustment)
}

// AdjustmentsDecided lists adjustments that were approved or rejected, the
// latest first.
func (tx *Tx) AdjustmentsDecided(ctx context.Context, limit int) ([]wallet.Adjustment, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+adjustmentColumns+`
		FROM adjustment
		WHERE state <> 'proposed'
		ORDER BY decided_at DESC, id
		LIMIT $1`, int64(limit))
	return collect(rows, err, scanAdjustment)
}

// AdjustmentsOf lists a payer's adjustments, the newest first.
func (tx *Tx) AdjustmentsOf(ctx context.Context, accountID string, limit int) ([]wallet.Adjustment, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+adjustmentColumns+`
		FROM adjustment
		WHERE account_id = $1
		ORDER BY proposed_at DESC, id
		LIMIT $2`, accountID, int64(limit))
	return collect(rows, err, scanAdjustment)
}

// TakeAdjustments puts all adjustments of an account on the statement that
// were booked before the instant and are on none yet.
func (tx *Tx) TakeAdjustments(ctx context.Context, statementID, payer string, c money.Currency, before time.Time) (int64, error) {
	n, err := tx.Exec(ctx, `
		UPDATE adjustment
		SET statement_id = $1
		WHERE account_id = $2
			AND currency = $3
			AND state = 'approved'
			AND decided_at < $4
			AND statement_id = ''`, statementID, payer, string(c), period.Micros(before))
	if err != nil {
		return 0, fmt.Errorf("put adjustments of %s on %s: %w", payer, statementID, err)
	}
	return n, nil
}

// AdjustmentsOn lists the adjustments of a statement, as they were booked.
func (tx *Tx) AdjustmentsOn(ctx context.Context, statementID string) ([]wallet.Adjustment, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+adjustmentColumns+`
		FROM adjustment
		WHERE statement_id = $1
			AND statement_id <> ''
		ORDER BY decided_at, id`, statementID)
	return collect(rows, err, scanAdjustment)
}

// AdjustmentsOfBill lists the booked adjustments of a bill, the earliest first.
func (tx *Tx) AdjustmentsOfBill(ctx context.Context, billID string) ([]wallet.Adjustment, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+adjustmentColumns+`
		FROM adjustment
		WHERE bill_id = $1
			AND bill_id <> ''
			AND state = 'approved'
		ORDER BY decided_at, id`, billID)
	return collect(rows, err, scanAdjustment)
}

// AdjustmentsAfter lists adjustments, the newest first, from behind the one of
// the given ID on; in one state, or in any where it is empty.
func (tx *Tx) AdjustmentsAfter(ctx context.Context, state wallet.AdjustmentState, after string, limit int) ([]wallet.Adjustment, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+adjustmentColumns+`
		FROM adjustment a
		WHERE ($1 = '' OR state = $1)
			AND ($2 = '' OR EXISTS (
				SELECT 1
				FROM adjustment b
				WHERE b.id = $2
					AND (a.proposed_at < b.proposed_at
						OR (a.proposed_at = b.proposed_at AND a.id > b.id))))
		ORDER BY proposed_at DESC, id
		LIMIT $3`, string(state), after, int64(limit))
	return collect(rows, err, scanAdjustment)
}

// BillOfPayer finds the ID of a payer's bill by its number; another payer's is
// as unknown as none.
func (tx *Tx) BillOfPayer(ctx context.Context, payer, number string) (string, error) {
	b, err := tx.BillByNumber(ctx, number)
	if errors.Is(err, bill.ErrUnknown) || err == nil && b.Payer != payer {
		return "", wallet.ErrAdjustmentBill
	}
	return b.ID, err
}

// verifyAdjustments looks for an adjustment without its entry, for an entry
// without its adjustment, and for one that nobody else approved (I4).
func (tx *Tx) verifyAdjustments(ctx context.Context, _ *catalog.Catalog) ([]audit.Finding, error) {
	var all []audit.Finding
	for _, sql := range []string{`
		SELECT a.id, 'the adjustment was approved, and the ledger has no such entry'
		FROM adjustment a
		LEFT JOIN ledger_entry e ON e.key = 'adjustment:' || a.id AND e.kind = 'adjustment' AND e.cause = a.id AND e.payer = a.account_id
		LEFT JOIN ledger_posting p ON p.payer = e.payer AND p.number = e.number AND p.account = 'correction:' || a.currency AND p.currency = a.currency
		WHERE a.state = 'approved'
			AND (p.minor IS NULL OR p.minor <> -a.minor)`, `
		SELECT e.id, 'the adjustment of this entry was not approved'
		FROM ledger_entry e
		LEFT JOIN adjustment a ON a.id = e.cause AND a.state = 'approved'
		WHERE e.kind = 'adjustment'
			AND a.id IS NULL`, `
		SELECT id, 'the adjustment was approved by nobody else than who proposed it'
		FROM adjustment
		WHERE state = 'approved'
			AND (decided_by = '' OR decided_by = proposed_by)`,
	} {
		found, err := tx.strays(ctx, "I4", sql)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}
