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

// Range narrows a list of entries to instants [From, To), where a zero end is
// open, and to one kind, where that is not empty.
type Range struct {
	From time.Time
	To   time.Time
	Kind wallet.Kind
}

// micros gives the bounds as they are stored; an open end is beyond all.
func (r Range) micros() (from, to int64) {
	from, to = period.Micros(r.From), period.Micros(r.To)
	if r.To.IsZero() {
		to = 1<<63 - 1
	}
	return from, to
}

// LedgerEntriesIn is LedgerEntries within a range of time.
func (tx *Tx) LedgerEntriesIn(ctx context.Context, payer string, r Range, before int64, limit int) ([]wallet.Entry, error) {
	from, to := r.micros()
	return tx.entries(ctx, `
		WHERE e.payer = $1
			AND e.number IN (
				SELECT number
				FROM ledger_entry
				WHERE payer = $1
					AND at >= $2
					AND at < $3
					AND ($4 = 0 OR number < $4)
					AND ($5 = '' OR kind = $5)
				ORDER BY number DESC
				LIMIT $6
			)
		ORDER BY e.number DESC, p.position`, payer, from, to, before, string(r.Kind), int64(limit))
}

// LedgerEntryOf finds an entry of a payer by its number.
func (tx *Tx) LedgerEntryOf(ctx context.Context, payer string, number int64) (wallet.Entry, bool, error) {
	entries, err := tx.entries(ctx, `WHERE e.payer = $1 AND e.number = $2 ORDER BY p.position`, payer, number)
	if err != nil || len(entries) == 0 {
		return wallet.Entry{}, false, err
	}
	return entries[0], true, nil
}

// BalancesAfter gives what a payer had right after an entry: the sums of the
// postings up to it.
func (tx *Tx) BalancesAfter(ctx context.Context, payer string, c money.Currency, number int64) (wallet.Balances, error) {
	rows, err := tx.Query(ctx, `
		SELECT account, CAST(SUM(minor) AS BIGINT)
		FROM (
			SELECT account, minor
			FROM ledger_posting
			WHERE payer = $1
				AND currency = $2
				AND number <= $3
			UNION ALL
			SELECT 'cash:' || payer, -cash
			FROM ledger_entry
			WHERE payer = $1
				AND currency = $2
				AND number <= $3
		) p
		GROUP BY account`, payer, string(c), number)
	sums := map[wallet.Account]money.Amount{}
	_, err = collect(rows, err, func(r Row) (struct{}, error) {
		var account string
		var minor int64
		err := r.Scan(&account, &minor)
		sums[wallet.Account(account)] = money.Of(minor, c)
		return struct{}{}, err
	})
	if err != nil {
		return wallet.Balances{}, fmt.Errorf("balances of %s after entry %d: %w", payer, number, err)
	}
	return wallet.NewBalances(c, sums)
}

// CashAndArrearsAfter gives a payer's cash and arrears right after each of the
// entries of these numbers, which are in descending order.
func (tx *Tx) CashAndArrearsAfter(ctx context.Context, payer string, c money.Currency, numbers []int64) ([]wallet.Balances, error) {
	if len(numbers) == 0 {
		return nil, nil
	}
	newest, oldest := numbers[0], numbers[len(numbers)-1]
	now, err := tx.BalancesAfter(ctx, payer, c, newest)
	if err != nil {
		return nil, err
	}
	cash, arrears := string(wallet.Cash(payer)), string(wallet.Arrears(payer))
	rows, err := tx.Query(ctx, `
		SELECT number, account, minor
		FROM ledger_posting
		WHERE payer = $1
			AND currency = $2
			AND account IN ($3, $4)
			AND number > $5
			AND number <= $6
		UNION ALL
		SELECT number, $3, -cash
		FROM ledger_entry
		WHERE payer = $1
			AND currency = $2
			AND number > $5
			AND number <= $6
		ORDER BY number DESC`, payer, string(c), cash, arrears, oldest, newest)
	after, i := make([]wallet.Balances, len(numbers)), 0
	_, err = collect(rows, err, func(r Row) (struct{}, error) {
		var number, minor int64
		var account string
		if err := r.Scan(&number, &account, &minor); err != nil {
			return struct{}{}, err
		}
		for numbers[i] >= number { // what is undone now came before all that is told
			after[i] = now
			i++
		}
		to, amount := &now.Cash, money.Of(-minor, c)
		if account == arrears {
			to, amount = &now.Owed, money.Of(minor, c)
		}
		var err error
		*to, err = to.Add(amount)
		return struct{}{}, err
	})
	for ; err == nil && i < len(numbers); i++ {
		after[i] = now
	}
	return after, err
}

// OwedSince is when the payer's present debt began: the entry before which
// nothing was owed. It is zero when nothing is owed now.
func (tx *Tx) OwedSince(ctx context.Context, payer string, c money.Currency) (time.Time, error) {
	var at int64
	err := tx.QueryRow(ctx, `
		SELECT e.at
		FROM ledger_entry e
		WHERE e.payer = $1
			AND e.number > COALESCE((
				SELECT MAX(paid.number)
				FROM (
					SELECT number, SUM(minor) OVER (ORDER BY number) AS owed
					FROM ledger_posting
					WHERE payer = $1
						AND account = $2
						AND currency = $3
				) paid
				WHERE paid.owed >= 0
			), 0)
			AND EXISTS (
				SELECT 1
				FROM ledger_posting p
				WHERE p.payer = e.payer
					AND p.number = e.number
					AND p.account = $2
					AND p.currency = $3
			)
		ORDER BY e.number
		LIMIT 1`, payer, string(wallet.Arrears(payer)), string(c)).Scan(&at)
	if errors.Is(err, ErrNoRows) {
		return time.Time{}, nil
	}
	return period.FromMicros(at), err
}
