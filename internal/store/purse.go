package store

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/wallet"
)

// LedgerHeads are the ends of the payers' chains, kept from other writers.
func (tx *Tx) LedgerHeads(ctx context.Context, payers []string) (map[string]wallet.Head, error) {
	heads := make(map[string]wallet.Head, len(payers))
	if tx.dialect != Postgres {
		for _, payer := range payers {
			head, err := tx.LedgerHead(ctx, payer)
			if err != nil {
				return nil, err
			}
			heads[payer] = head
		}
		return heads, nil
	}
	names := make([]string, len(payers))
	for i, payer := range payers {
		names[i] = ledgerChain(payer)
	}
	if _, err := tx.Exec(ctx, `
		INSERT INTO chain (name, n, hash)
		SELECT name, 0, ''
		FROM UNNEST($1::TEXT[]) AS name
		ON CONFLICT (name) DO NOTHING`, names); err != nil {
		return nil, fmt.Errorf("make chains: %w", err)
	}
	links, err := tx.heads(ctx, names, "\nORDER BY name"+tx.lockWrites()) // always in one order, against deadlocks
	for i, payer := range payers {
		l := links[names[i]]
		heads[payer] = wallet.Head{Number: l.n, Hash: l.hash}
	}
	return heads, err
}

// StoredBalancesOf gives the balances of the payers' accounts in a currency.
func (tx *Tx) StoredBalancesOf(ctx context.Context, payers []string, c money.Currency) (map[string]map[wallet.Account]money.Amount, error) {
	rows, err := tx.Query(ctx, `
		SELECT payer, account, minor
		FROM ledger_balance
		WHERE `+tx.among("payer", 1)+`
			AND currency = $2`, tx.list(payers), string(c))
	balances := make(map[string]map[wallet.Account]money.Amount, len(payers))
	_, err = collect(rows, err, func(r Row) (struct{}, error) {
		var payer, account string
		var minor int64
		err := r.Scan(&payer, &account, &minor)
		if balances[payer] == nil {
			balances[payer] = map[wallet.Account]money.Amount{}
		}
		balances[payer][wallet.Account(account)] = money.Of(minor, c)
		return struct{}{}, err
	})
	return balances, err
}

var (
	entryInsert   = strings.Fields(`payer number id key kind cause at previous hash`)
	postingInsert = strings.Fields(`payer number position account currency minor`)
)

// AppendEntries keeps entries, each payer's one behind the other, moves the
// stored balances within their bounds (else wallet.ErrFloor) and the heads.
func (tx *Tx) AppendEntries(ctx context.Context, entries []wallet.Entry) error {
	type place struct{ entry, position int }
	var postings []place
	for i := range entries {
		for at := range entries[i].Postings {
			postings = append(postings, place{i, at})
		}
	}
	if err := tx.insertMany(ctx, "ledger_entry", entryInsert, len(entries), func(i int, to *Fields) {
		e := &entries[i]
		to.Text(e.Payer)
		to.Int(e.Number)
		for _, text := range [...]string{e.ID, e.Key, string(e.Kind), e.Cause} {
			to.Text(text)
		}
		to.Int(period.Micros(e.At))
		to.Text(e.Previous)
		to.Text(e.Hash)
	}); err != nil {
		return err
	}
	if err := tx.insertMany(ctx, "ledger_posting", postingInsert, len(postings), func(i int, to *Fields) {
		e, at := &entries[postings[i].entry], postings[i].position
		p := &e.Postings[at]
		to.Text(e.Payer)
		to.Int(e.Number)
		to.Int(int64(at))
		to.Text(string(p.Account))
		to.Text(string(p.Amount.Currency()))
		to.Int(p.Amount.Minor())
	}); err != nil {
		return err
	}
	moves, err := movesOf(entries)
	if err != nil {
		return err
	}
	if err := tx.moveBalances(ctx, moves); err != nil {
		return err
	}
	if err := tx.extendLedgers(ctx, entries); err != nil {
		return err
	}
	return tx.tellLater(ctx, entries)
}

// movesOf sums what entries do to each account that has a stored balance.
func movesOf(entries []wallet.Entry) ([]wallet.Posting, error) {
	type holding struct {
		account  wallet.Account
		currency money.Currency
	}
	var moves []wallet.Posting
	at := map[holding]int{}
	for _, e := range entries {
		for _, p := range e.Postings {
			if p.Account.Payer() == "" {
				continue
			}
			h := holding{p.Account, p.Amount.Currency()}
			i, known := at[h]
			if !known {
				at[h] = len(moves)
				moves = append(moves, p)
				continue
			}
			var err error
			if moves[i].Amount, err = moves[i].Amount.Add(p.Amount); err != nil {
				return nil, err
			}
		}
	}
	return moves, nil
}

// moveBalances moves the stored balances of payers' accounts. The bounds are in
// the WHERE clause: no balance passes its floor, whoever asks.
func (tx *Tx) moveBalances(ctx context.Context, moves []wallet.Posting) error {
	if tx.dialect != Postgres {
		for _, p := range moves {
			if err := tx.moveBalance(ctx, p); err != nil {
				return err
			}
		}
		return nil
	}
	n := len(moves)
	payers, accounts, currencies := make([]string, n), make([]string, n), make([]string, n)
	minors, lows, highs := make([]int64, n), make([]int64, n), make([]int64, n)
	for i, p := range moves {
		payers[i], accounts[i], currencies[i], minors[i] = p.Account.Payer(), string(p.Account), string(p.Amount.Currency()), p.Amount.Minor()
		lows[i], highs[i], _ = p.Account.Bounds()
	}
	if _, err := tx.Exec(ctx, `
		INSERT INTO ledger_balance (payer, account, currency, minor)
		SELECT payer, account, currency, 0
		FROM UNNEST($1::TEXT[], $2::TEXT[], $3::TEXT[]) AS m (payer, account, currency)
		ON CONFLICT (payer, account, currency) DO NOTHING`, payers, accounts, currencies); err != nil {
		return fmt.Errorf("open accounts: %w", err)
	}
	moved, err := tx.Exec(ctx, `
		UPDATE ledger_balance b
		SET minor = b.minor + m.minor
		FROM UNNEST($1::TEXT[], $2::TEXT[], $3::TEXT[], $4::BIGINT[], $5::BIGINT[], $6::BIGINT[]) AS m (payer, account, currency, minor, low, high)
		WHERE b.payer = m.payer
			AND b.account = m.account
			AND b.currency = m.currency
			AND b.minor + m.minor BETWEEN m.low AND m.high`, payers, accounts, currencies, minors, lows, highs)
	if err == nil && moved != int64(n) {
		return wallet.ErrFloor.With("accounts", n-int(moved))
	}
	return err
}

// extendLedgers moves the heads of the payers' chains over their entries.
func (tx *Tx) extendLedgers(ctx context.Context, entries []wallet.Entry) error {
	if tx.dialect != Postgres {
		for _, e := range entries {
			if err := tx.extend(ctx, ledgerChain(e.Payer), link{e.Number, e.Hash}); err != nil {
				return err
			}
		}
		return nil
	}
	var names, hashes []string
	var from, to []int64
	for i, e := range entries {
		if i == 0 || entries[i-1].Payer != e.Payer {
			names, hashes = append(names, ledgerChain(e.Payer)), append(hashes, "")
			from, to = append(from, e.Number-1), append(to, 0)
		}
		hashes[len(hashes)-1], to[len(to)-1] = e.Hash, e.Number
	}
	n, err := tx.Exec(ctx, `
		UPDATE chain c
		SET n = m.till, hash = m.hash
		FROM UNNEST($1::TEXT[], $2::BIGINT[], $3::BIGINT[], $4::TEXT[]) AS m (name, since, till, hash)
		WHERE c.name = m.name
			AND c.n = m.since`, names, from, to, hashes)
	if err == nil && n != int64(len(names)) {
		err = errors.New("a payer's chain moved meanwhile")
	}
	return err
}
