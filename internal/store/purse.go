package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/wallet"
)

// LedgerHeads are the ends of the payers' chains, kept from other writers.
func (tx *Tx) LedgerHeads(ctx context.Context, payers []string) (map[string]wallet.Head, error) {
	heads := make(map[string]wallet.Head, len(payers))
	if err := tx.together(ctx, "ends of chains", tx.readHeads(payers, heads)); err != nil {
		return nil, err
	}
	var missing []string
	for _, payer := range payers {
		if _, ok := heads[payer]; !ok {
			missing = append(missing, payer)
		}
	}
	if len(missing) == 0 {
		return heads, nil
	}
	if err := tx.makeChains(ctx, missing); err != nil {
		return nil, err
	}
	return heads, tx.together(ctx, "ends of chains", tx.readHeads(payers, heads))
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

// What the ledger's rows have.
var (
	entryColumns   = columnsOf(`payer number# id key kind cause at# previous hash terms`)
	postingColumns = columnsOf(`payer number# position# account currency minor#`)
	moveColumns    = columnsOf(`payer account currency minor# low# high#`)
	openColumns    = columnsOf(`payer account currency minor#`)
	headColumns    = columnsOf(`name since# till# hash`)
	chainColumns   = columnsOf(`name n# hash`)
)

// AppendEntries keeps entries, each payer's one behind the other, moves the
// stored balances within their bounds (else wallet.ErrFloor) and the heads.
func (tx *Tx) AppendEntries(ctx context.Context, entries []wallet.Entry) error {
	if err := tx.appendEntries(ctx, entries); err != nil {
		return err
	}
	return tx.tellLater(ctx, entries)
}

// appendEntries keeps entries, and runs more statements behind that.
func (tx *Tx) appendEntries(ctx context.Context, entries []wallet.Entry, more ...*Statement) error {
	moves, err := movesOf(entries)
	if err != nil {
		return err
	}
	moved, ends := tx.moveBalances(moves), endsOf(entries)
	extended := tx.extendLedgers(ends)
	statements := slices.Concat(tx.insertEntries(entries), moved, extended, more)
	if err := tx.together(ctx, "append to the ledger", statements...); err != nil {
		return err
	}
	if touched(extended) != int64(len(ends)) {
		return errors.New("a payer's chain moved meanwhile")
	}
	if n := touched(moved); n != int64(len(moves)) {
		return tx.openAccounts(ctx, moves, n)
	}
	return nil
}

// touched sums the rows that statements touched.
func touched(statements []*Statement) (n int64) {
	for _, s := range statements {
		n += s.Rows
	}
	return n
}

// insertEntries keeps entries with their postings.
func (tx *Tx) insertEntries(entries []wallet.Entry) []*Statement {
	type place struct{ entry, position int }
	postings := make([]place, 0, 2*len(entries))
	for i := range entries {
		for at := range entries[i].Postings {
			postings = append(postings, place{i, at})
		}
	}
	all := tx.insertRows("ledger_entry", entryColumns, len(entries), func(i int, to []any) {
		e := &entries[i]
		to[0], to[1], to[2], to[3], to[4], to[5], to[6], to[7], to[8], to[9] =
			e.Payer, e.Number, e.ID, e.Key, string(e.Kind), e.Cause, period.Micros(e.At), e.Previous, e.Hash, e.Terms
	}, "")
	return append(all, tx.insertRows("ledger_posting", postingColumns, len(postings), func(i int, to []any) {
		e, at := &entries[postings[i].entry], postings[i].position
		p := &e.Postings[at]
		to[0], to[1], to[2], to[3], to[4], to[5] =
			e.Payer, e.Number, int64(at), string(p.Account), string(p.Amount.Currency()), p.Amount.Minor()
	}, "")...)
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
// the WHERE clause: no balance passes its floor, whoever asks. An account that
// is not open is not moved.
func (tx *Tx) moveBalances(moves []wallet.Posting) []*Statement {
	return tx.forRows(moveColumns, len(moves), func(i int, to []any) {
		p := moves[i]
		low, high, _ := p.Account.Bounds()
		to[0], to[1], to[2], to[3], to[4], to[5] =
			p.Account.Payer(), string(p.Account), string(p.Amount.Currency()), p.Amount.Minor(), low, high
	}, func(from string) string {
		return `
		UPDATE ledger_balance AS b
		SET minor = b.minor + m.minor
		FROM ` + from + ` AS m
		WHERE b.payer = m.payer
			AND b.account = m.account
			AND b.currency = m.currency
			AND b.minor + m.minor BETWEEN m.low AND m.high`
	})
}

// openAccounts opens the accounts that were not moved because they did not
// exist, and moves them. Where others were not moved either, a balance would
// have passed its floor.
func (tx *Tx) openAccounts(ctx context.Context, moves []wallet.Posting, moved int64) error {
	open := map[string]bool{}
	var payers []string
	for i, p := range moves {
		if payer := p.Account.Payer(); i == 0 || moves[i-1].Account.Payer() != payer {
			payers = append(payers, payer)
		}
	}
	rows, err := tx.Query(ctx, `
		SELECT account, currency
		FROM ledger_balance
		WHERE `+tx.among("payer", 1), tx.list(payers))
	if _, err := collect(rows, err, func(r Row) (struct{}, error) {
		var account, currency string
		err := r.Scan(&account, &currency)
		open[account+" "+currency] = true
		return struct{}{}, err
	}); err != nil {
		return fmt.Errorf("open accounts: %w", err)
	}
	closed := make([]wallet.Posting, 0, len(moves))
	for _, p := range moves {
		if !open[string(p.Account)+" "+string(p.Amount.Currency())] {
			closed = append(closed, p)
		}
	}
	opened := tx.insertRows("ledger_balance", openColumns, len(closed), func(i int, to []any) {
		p := closed[i]
		to[0], to[1], to[2], to[3] = p.Account.Payer(), string(p.Account), string(p.Amount.Currency()), int64(0)
	}, "")
	rest := tx.moveBalances(closed)
	if err := tx.together(ctx, "open accounts", append(opened, rest...)...); err != nil {
		return err
	}
	if missed := int64(len(moves)) - moved - touched(rest); missed != 0 {
		return wallet.ErrFloor.With("accounts", int(missed))
	}
	return nil
}

// end is how far entries bring a payer's chain.
type end struct {
	payer string
	since int64
	wallet.Head
}

// endsOf are those of all payers, whose entries stand together.
func endsOf(entries []wallet.Entry) []end {
	var ends []end
	for i, e := range entries {
		if i == 0 || entries[i-1].Payer != e.Payer {
			ends = append(ends, end{payer: e.Payer, since: e.Number - 1})
		}
		ends[len(ends)-1].Head = wallet.Head{Number: e.Number, Hash: e.Hash}
	}
	return ends
}

// extendLedgers moves the heads of the payers' chains over their entries.
func (tx *Tx) extendLedgers(ends []end) []*Statement {
	return tx.forRows(headColumns, len(ends), func(i int, to []any) {
		to[0], to[1], to[2], to[3] = ledgerChain(ends[i].payer), ends[i].since, ends[i].Number, ends[i].Hash
	}, func(from string) string {
		return `
		UPDATE chain AS c
		SET n = m.till, hash = m.hash
		FROM ` + from + ` AS m
		WHERE c.name = m.name
			AND c.n = m.since`
	})
}
