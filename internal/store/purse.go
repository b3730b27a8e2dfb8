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
	read := tx.readPurses(payers, func(payer string, end wallet.Head, _ money.Amount) { heads[payer] = end })
	if err := tx.together(ctx, "ends of chains", read); err != nil {
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
	if err := tx.makePurses(ctx, missing); err != nil {
		return nil, err
	}
	return heads, tx.together(ctx, "ends of chains", read)
}

// makePurses opens the purses of payers that never had an entry.
func (tx *Tx) makePurses(ctx context.Context, payers []string) error {
	return tx.together(ctx, "make purses", tx.insertRows("purse", purseColumns, len(payers), func(i int, to []any) {
		to[0], to[1], to[2] = payers[i], int64(0), ""
	}, "\nON CONFLICT (payer) DO NOTHING")...)
}

// readPurses reads the ends of payers' chains and their cash, which has no
// currency where none ever moved; always in one order, against deadlocks.
// Payers without a purse are left out.
func (tx *Tx) readPurses(payers []string, take func(payer string, end wallet.Head, cash money.Amount)) *Statement {
	return &Statement{
		SQL: `
		SELECT payer, n, hash, currency, cash
		FROM purse
		WHERE ` + tx.among("payer", 1) + `
		ORDER BY payer` + tx.lockWrites(),
		Args: []any{tx.list(payers)},
		Read: each(func(r Row) error {
			var payer, currency string
			var end wallet.Head
			var cash int64
			err := r.Scan(&payer, &end.Number, &end.Hash, &currency, &cash)
			take(payer, end, money.Of(cash, money.Currency(currency)))
			return err
		}),
	}
}

// StoredBalancesOf gives the balances of the payers' accounts in a currency.
func (tx *Tx) StoredBalancesOf(ctx context.Context, payers []string, c money.Currency) (map[string]map[wallet.Account]money.Amount, error) {
	rows, err := tx.Query(ctx, `
		SELECT payer, account, minor
		FROM ledger_balance
		WHERE `+tx.among("payer", 1)+`
			AND currency = $2
		UNION ALL
		SELECT payer, 'cash:' || payer, cash
		FROM purse
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
	entryColumns   = columnsOf(`payer number# id key kind cause at# previous hash terms currency cash#`)
	postingColumns = columnsOf(`payer number# position# account currency minor#`)
	moveColumns    = columnsOf(`payer account currency minor# low# high#`)
	openColumns    = columnsOf(`payer account currency minor#`)
	stepColumns    = columnsOf(`payer since# till# hash currency cash#`)
	purseColumns   = columnsOf(`payer n# hash`)
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
	steps, moves, err := movesOf(entries)
	if err != nil {
		return err
	}
	moved, stepped := tx.moveBalances(moves), tx.movePurses(steps)
	statements := slices.Concat(tx.insertEntries(entries), moved, stepped, more)
	if err := tx.together(ctx, "append to the ledger", statements...); err != nil {
		return err
	}
	if touched(stepped) != int64(len(steps)) {
		return tx.unmoved(ctx, steps)
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

// insertEntries keeps entries with their postings. Those of a deduction that
// cash paid alone are its amount.
func (tx *Tx) insertEntries(entries []wallet.Entry) []*Statement {
	type place struct{ entry, position int }
	var postings []place
	inCash := make([]money.Amount, len(entries))
	for i := range entries {
		if amount, ok := entries[i].InCash(); ok {
			inCash[i] = amount
			continue
		}
		for at := range entries[i].Postings {
			postings = append(postings, place{i, at})
		}
	}
	all := tx.insertRows("ledger_entry", entryColumns, len(entries), func(i int, to []any) {
		e := &entries[i]
		to[0], to[1], to[2], to[3], to[4], to[5], to[6], to[7], to[8], to[9], to[10], to[11] =
			e.Payer, e.Number, e.ID, e.Key, string(e.Kind), e.Cause, period.Micros(e.At), e.Previous, e.Hash, e.Terms,
			string(inCash[i].Currency()), inCash[i].Minor()
	}, "")
	return append(all, tx.insertRows("ledger_posting", postingColumns, len(postings), func(i int, to []any) {
		e, at := &entries[postings[i].entry], postings[i].position
		p := &e.Postings[at]
		to[0], to[1], to[2], to[3], to[4], to[5] =
			e.Payer, e.Number, int64(at), string(p.Account), string(p.Amount.Currency()), p.Amount.Minor()
	}, "")...)
}

// step is what entries do to a payer's purse.
type step struct {
	payer string
	since int64 // where the chain ended before
	wallet.Head
	cash money.Amount // without a currency where none moves
}

// movesOf sums what entries, each payer's one behind the other, do to the
// purses and to the other accounts that have a stored balance.
func movesOf(entries []wallet.Entry) (steps []step, moves []wallet.Posting, err error) {
	type holding struct {
		account  wallet.Account
		currency money.Currency
	}
	at := map[holding]int{}
	for i, e := range entries {
		if i == 0 || entries[i-1].Payer != e.Payer {
			steps = append(steps, step{payer: e.Payer, since: e.Number - 1})
		}
		in, cash := &steps[len(steps)-1], wallet.Cash(e.Payer)
		in.Head = wallet.Head{Number: e.Number, Hash: e.Hash}
		for _, p := range e.Postings {
			switch {
			case p.Account == cash && in.cash.Currency() == "":
				in.cash = p.Amount
			case p.Account == cash:
				in.cash, err = in.cash.Add(p.Amount)
			case p.Account.Payer() != "":
				h := holding{p.Account, p.Amount.Currency()}
				if i, known := at[h]; known {
					moves[i].Amount, err = moves[i].Amount.Add(p.Amount)
					break
				}
				at[h] = len(moves)
				moves = append(moves, p)
			}
			if err != nil {
				return nil, nil, err
			}
		}
	}
	return steps, moves, nil
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

// movePurses moves the ends of payers' chains over their entries, and their
// cash within its bounds, in the one currency that it has. A purse that has
// another end than was read is not moved.
func (tx *Tx) movePurses(steps []step) []*Statement {
	low, high, _ := wallet.Cash("any").Bounds()
	return tx.forRows(stepColumns, len(steps), func(i int, to []any) {
		s := &steps[i]
		to[0], to[1], to[2], to[3], to[4], to[5] = s.payer, s.since, s.Number, s.Hash, string(s.cash.Currency()), s.cash.Minor()
	}, func(from string) string {
		return fmt.Sprintf(`
		UPDATE purse AS p
		SET n = m.till,
			hash = m.hash,
			currency = CASE WHEN m.currency = '' THEN p.currency ELSE m.currency END,
			cash = p.cash + m.cash
		FROM %s AS m
		WHERE p.payer = m.payer
			AND p.n = m.since
			AND p.cash + m.cash BETWEEN %d AND %d
			AND (m.currency = '' OR p.currency = '' OR p.currency = m.currency)`, from, low, high)
	})
}

// unmoved says why not all purses moved: where one still ends where it was read,
// its cash would have passed a bound.
func (tx *Tx) unmoved(ctx context.Context, steps []step) error {
	since := make(map[string]int64, len(steps))
	payers := make([]string, len(steps))
	for i, s := range steps {
		payers[i], since[s.payer] = s.payer, s.since
	}
	refused := 0
	if err := tx.together(ctx, "purses that did not move", tx.readPurses(payers, func(payer string, end wallet.Head, _ money.Amount) {
		if end.Number == since[payer] {
			refused++
		}
	})); err != nil {
		return err
	}
	if refused > 0 {
		return wallet.ErrFloor.With("accounts", refused)
	}
	return errors.New("a payer's chain moved meanwhile")
}
