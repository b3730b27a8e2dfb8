package store

import (
	"context"
	"errors"
	"time"

	"tollgate.dev/internal/period"
	"tollgate.dev/internal/wallet"
)

// SourceOf finds a voucher or card of a payer, or wallet.ErrSourceUnknown:
// another payer's is as unknown as none.
func (tx *Tx) SourceOf(ctx context.Context, payer, id string) (wallet.Source, error) {
	return foundSource(tx.QueryRow(ctx, sourceSelect+`
		WHERE s.payer = $1
			AND s.id = $2`, payer, id))
}

func foundSource(r Row) (wallet.Source, error) {
	s, err := scanSource(r)
	if errors.Is(err, ErrNoRows) {
		return s, wallet.ErrSourceUnknown
	}
	return s, err
}

// SourcesOf lists a payer's vouchers and cards, the newest first, behind the
// one of an ID (empty for the first page). An ID that is not the payer's leads
// nowhere.
func (tx *Tx) SourcesOf(ctx context.Context, payer, after string, limit int) ([]wallet.Source, error) {
	rows, err := tx.Query(ctx, sourceSelect+`
		LEFT JOIN wallet_source a ON a.id = $2 AND a.payer = $1
		WHERE s.payer = $1
			AND ($2 = ''
				OR s.issued_at < a.issued_at
				OR s.issued_at = a.issued_at AND s.id > a.id)
		ORDER BY s.issued_at DESC, s.id
		LIMIT $3`, payer, after, int64(limit))
	return collect(rows, err, scanSource)
}

// EntriesOfSource lists the entries that moved what is on a voucher or card,
// the newest first.
func (tx *Tx) EntriesOfSource(ctx context.Context, s wallet.Source, limit int) ([]wallet.Entry, error) {
	return tx.entries(ctx, `
		WHERE e.payer = $1
			AND e.number IN (
				SELECT number
				FROM ledger_posting
				WHERE payer = $1
					AND account = $2
				ORDER BY number DESC
				LIMIT $3
			)
		ORDER BY e.number DESC, p.position`, s.Payer, string(s.Account), int64(limit))
}

// NextEnding is the earliest end of a voucher or card that its payer was not
// told of; ok is false when there is none.
func (tx *Tx) NextEnding(ctx context.Context) (at time.Time, ok bool, err error) {
	return tx.earliestEnd(ctx, "AND told_end = 0")
}

// PayersOfEnding lists payers who were not told of a voucher or card that ends
// by the instant.
func (tx *Tx) PayersOfEnding(ctx context.Context, by time.Time, limit int) ([]string, error) {
	rows, err := tx.Query(ctx, `
		SELECT DISTINCT payer
		FROM wallet_source
		WHERE expires_at > 0
			AND ended_at = 0
			AND told_end = 0
			AND expires_at <= $1
		ORDER BY payer
		LIMIT $2`, period.Micros(by), int64(limit))
	return collect(rows, err, func(r Row) (payer string, err error) {
		err = r.Scan(&payer)
		return payer, err
	})
}

// TakeEnding marks the payer's vouchers and cards that end by the instant as
// told of, and gives those that were not, the earliest end first.
func (tx *Tx) TakeEnding(ctx context.Context, payer string, by time.Time) ([]wallet.Source, error) {
	rows, err := tx.Query(ctx, sourceSelect+`
		WHERE s.payer = $1
			AND s.expires_at > 0
			AND s.ended_at = 0
			AND s.told_end = 0
			AND s.expires_at <= $2
		ORDER BY s.expires_at, s.issued_at, s.id`, payer, period.Micros(by))
	ending, err := collect(rows, err, scanSource)
	if err != nil {
		return nil, err
	}
	for _, s := range ending {
		n, err := tx.Exec(ctx, `
			UPDATE wallet_source
			SET told_end = 1
			WHERE id = $1
				AND told_end = 0`, s.ID)
		if err := exactlyOne(n, err, errors.New("a payer is told by somebody else")); err != nil {
			return nil, err
		}
	}
	return ending, nil
}

// BatchRow is a batch of codes and what became of them.
type BatchRow struct {
	wallet.Batch
	Used    int64
	Revoked int64
}

// Unused is how many codes still wait.
func (b BatchRow) Unused() int64 {
	if b.ExportedAt.IsZero() {
		return 0
	}
	return int64(b.Size) - b.Used - b.Revoked
}

const batchRowSelect = `
	SELECT ` + batchColumns + `,
		(SELECT COUNT(*) FROM activation_code c WHERE c.batch_id = b.id AND c.used_at > 0),
		(SELECT COUNT(*) FROM activation_code c WHERE c.batch_id = b.id AND c.revoked_at > 0)
	FROM code_batch b
	`

func scanBatchRow(r Row) (BatchRow, error) {
	var row BatchRow
	fields, finish := batchFields(&row.Batch)
	err := r.Scan(append(fields, &row.Used, &row.Revoked)...)
	if errors.Is(err, ErrNoRows) {
		return row, wallet.ErrBatchUnknown
	}
	if err != nil {
		return row, err
	}
	return row, finish()
}

// Batches lists batches of codes, the newest first, behind the one of an ID
// (empty for the first page).
func (tx *Tx) Batches(ctx context.Context, after string, limit int) ([]BatchRow, error) {
	rows, err := tx.Query(ctx, batchRowSelect+`
		LEFT JOIN code_batch a ON a.id = $1
		WHERE $1 = ''
			OR b.made_at < a.made_at
			OR b.made_at = a.made_at AND b.id > a.id
		ORDER BY b.made_at DESC, b.id
		LIMIT $2`, after, int64(limit))
	return collect(rows, err, scanBatchRow)
}

// Batch finds a batch of codes, or wallet.ErrBatchUnknown.
func (tx *Tx) Batch(ctx context.Context, id string) (BatchRow, error) {
	return scanBatchRow(tx.QueryRow(ctx, batchRowSelect+`WHERE b.id = $1`, id))
}

// CodeRow is a code and the user name of who activated it.
type CodeRow struct {
	wallet.Code
	UserName string
}

// Codes lists the codes of a batch by their numbers behind the given one; with
// a tail those only that end so.
func (tx *Tx) Codes(ctx context.Context, batchID, tail string, after, limit int) ([]CodeRow, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+codeColumns+`, COALESCE(a.user_name, '')
		FROM activation_code c
		LEFT JOIN billing_account a ON a.id = c.payer
		WHERE c.batch_id = $1
			AND c.number > $2
			AND ($3 = '' OR c.tail = $3)
		ORDER BY c.number
		LIMIT $4`, batchID, int64(after), tail, int64(limit))
	return collect(rows, err, func(r Row) (CodeRow, error) {
		var row CodeRow
		fields, finish := codeFields(&row.Code)
		err := r.Scan(append(fields, &row.UserName)...)
		finish()
		return row, err
	})
}

// Issued lists the vouchers and cards of all payers, the newest first, behind
// the one of an ID (empty for the first page).
func (tx *Tx) Issued(ctx context.Context, after string, limit int) ([]wallet.Source, error) {
	rows, err := tx.Query(ctx, sourceSelect+`
		LEFT JOIN wallet_source a ON a.id = $1
		WHERE $1 = ''
			OR s.issued_at < a.issued_at
			OR s.issued_at = a.issued_at AND s.id > a.id
		ORDER BY s.issued_at DESC, s.id
		LIMIT $2`, after, int64(limit))
	return collect(rows, err, scanSource)
}
