package wallet

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"tollgate.dev/internal/money"
	"tollgate.dev/internal/site"
)

// Charging is a bill to be paid.
type Charging struct {
	Key        string // idempotency
	Kind       Kind   // empty: Charge
	Cause      string // the ID of the bill, or of what else is charged
	Payer      string
	Currency   money.Currency
	Settlement site.Method
	Lines      []Due
}

// Paid is how it was paid.
type Paid struct {
	Parts [][]Part // of each line
	Entry int64    // the number of the payer's entry; zero when there was nothing to pay
	Owed  money.Amount
}

// Pay takes the lines of a bill from what the payer has and leaves the rest as
// arrears. The caller sees to it that a bill is paid once.
func Pay(ctx context.Context, tx Tx, c Charging, at time.Time) (Paid, error) {
	if _, err := tx.LedgerHead(ctx, c.Payer); err != nil { // nobody else moves this payer's money until we are done
		return Paid{}, fmt.Errorf("chain of %s: %w", c.Payer, err)
	}
	stored, err := tx.StoredBalances(ctx, c.Payer, c.Currency)
	if err != nil {
		return Paid{}, fmt.Errorf("balances of %s: %w", c.Payer, err)
	}
	before, err := NewBalances(c.Currency, stored)
	if err != nil {
		return Paid{}, err
	}
	sources, err := tx.Sources(ctx, c.Payer, c.Currency)
	if err != nil {
		return Paid{}, fmt.Errorf("vouchers and cards of %s: %w", c.Payer, err)
	}
	parts, err := Deduct(Deduction{
		Settlement: c.Settlement, Payer: c.Payer, Currency: c.Currency, At: at,
		Sources: append(sources, Source{Payment: ByCash, Account: Cash(c.Payer), Balance: before.Cash}),
	}, c.Lines)
	if err != nil {
		return Paid{}, err
	}
	postings, err := Postings(parts, c.Currency)
	if err != nil {
		return Paid{}, err
	}
	p := Paid{Parts: parts, Owed: before.Owed}
	if len(postings) > 0 {
		m := Movement{Key: c.Key, Kind: cmp.Or(c.Kind, Charge), Cause: c.Cause, Payer: c.Payer, Postings: postings}
		e, err := Post(ctx, tx, m, at)
		if err != nil {
			return Paid{}, err
		}
		p.Entry = e.Number
		after, err := BalancesOf(ctx, tx, c.Payer, c.Currency)
		if err != nil {
			return Paid{}, err
		}
		p.Owed = after.Owed
	}
	return p, nil
}
