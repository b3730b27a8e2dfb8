package store

import (
	"context"
	"fmt"

	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/wallet"
)

// LedgerHead is the end of the payer's chain, kept from other writers.
func (tx *Tx) LedgerHead(ctx context.Context, payer string) (wallet.Head, error) {
	l, err := tx.endOf(ctx, "purse", "payer", payer)
	return wallet.Head{Number: l.n, Hash: l.hash}, err
}

// LedgerEntry finds the entry of an idempotency key.
func (tx *Tx) LedgerEntry(ctx context.Context, key string) (wallet.Entry, bool, error) {
	entries, err := tx.entries(ctx, `WHERE e.key = $1 ORDER BY e.number, p.position`, key)
	if err != nil || len(entries) == 0 {
		return wallet.Entry{}, false, err
	}
	return entries[0], true, nil
}

// LedgerEntries lists a payer's entries from the newest back, before the given
// number (0 for the newest).
func (tx *Tx) LedgerEntries(ctx context.Context, payer string, before int64, limit int) ([]wallet.Entry, error) {
	return tx.entries(ctx, `
		WHERE e.payer = $1
			AND e.number IN (
				SELECT number
				FROM ledger_entry
				WHERE payer = $1
					AND ($2 = 0 OR number < $2)
				ORDER BY number DESC
				LIMIT $3
			)
		ORDER BY e.number DESC, p.position`, payer, before, int64(limit))
}

// entries reads entries with their postings, which must come together.
func (tx *Tx) entries(ctx context.Context, rest string, args ...any) ([]wallet.Entry, error) {
	rows, err := tx.Query(ctx, entrySelect+rest, args...)
	if err != nil {
		return nil, fmt.Errorf("read the ledger: %w", err)
	}
	var all []wallet.Entry
	err = eachEntry(rows, func(e wallet.Entry) { all = append(all, e) })
	return all, err
}

const entrySelect = `
	SELECT e.payer, e.number, e.id, e.key, e.kind, e.cause, e.at, e.previous, e.hash, e.terms, e.currency, e.cash, p.account, p.currency, p.minor
	FROM ledger_entry e
	LEFT JOIN ledger_posting p ON p.payer = e.payer AND p.number = e.number
	`

// eachEntry gathers the rows of each entry and hands it over.
func eachEntry(rows Rows, take func(wallet.Entry)) error {
	defer func() { _ = rows.Close() }()
	var e wallet.Entry
	for rows.Next() {
		var next wallet.Entry
		var at, cash int64
		var in string
		var account, currency *string
		var minor *int64
		if err := rows.Scan(&next.Payer, &next.Number, &next.ID, &next.Key, &next.Kind, &next.Cause, &at, &next.Previous, &next.Hash, &next.Terms,
			&in, &cash, &account, &currency, &minor); err != nil {
			return fmt.Errorf("read an entry: %w", err)
		}
		if next.ID != e.ID {
			if e.ID != "" {
				take(e)
			}
			e = next
			e.At = period.FromMicros(at)
			if in != "" || cash != 0 {
				e.Postings = wallet.PaidInCash(e.Payer, money.Of(cash, money.Currency(in)))
			}
		}
		if account != nil && currency != nil && minor != nil {
			e.Postings = append(e.Postings, wallet.Posting{Account: wallet.Account(*account), Amount: money.Of(*minor, money.Currency(*currency))})
		}
	}
	if e.ID != "" {
		take(e)
	}
	return rows.Err()
}

// AppendEntry keeps an entry, moves the stored balances within their bounds
// (else wallet.ErrFloor) and the head of the chain. Where it begins or ends a
// debt, the payer's workspaces are told.
func (tx *Tx) AppendEntry(ctx context.Context, e wallet.Entry) error {
	if err := tx.appendEntries(ctx, []wallet.Entry{e}); err != nil {
		return err
	}
	return tx.tellAtOnce(ctx, e)
}

// StoredBalances gives the balances of a payer's accounts in a currency.
func (tx *Tx) StoredBalances(ctx context.Context, payer string, c money.Currency) (map[wallet.Account]money.Amount, error) {
	balances, err := tx.StoredBalancesOf(ctx, []string{payer}, c)
	if balances[payer] == nil {
		return map[wallet.Account]money.Amount{}, err
	}
	return balances[payer], err
}
