package wallet

import (
	"cmp"
	"context"
	"time"

	"tollgate.dev/internal/money"
)

// Incoming is money that came in for a payer.
type Incoming struct {
	Key    string // idempotency
	Kind   Kind   // empty: Deposit
	Cause  string // the ID of the transfer or payment
	Payer  string
	From   Account // the channel
	Amount money.Amount
}

// Deposited is what became of it.
type Deposited struct {
	Entry    Entry
	PaidDebt money.Amount // the part that filled arrears
	After    Balances
}

// Take credits incoming money: it first fills the payer's arrears, and what is
// left becomes cash (domain section 10.2). Once per key.
func Take(ctx context.Context, tx Tx, in Incoming, at time.Time) (Deposited, error) {
	switch {
	case in.Amount.Sign() <= 0:
		return Deposited{}, ErrNotPositive.On("amount")
	case in.Amount.Minor() > MostAmount:
		return Deposited{}, ErrAbsurd.On("amount")
	}
	if _, err := tx.LedgerHead(ctx, in.Payer); err != nil { // nobody else moves this payer's money until we are done
		return Deposited{}, err
	}
	c := in.Amount.Currency()
	e, found, err := tx.LedgerEntry(ctx, in.Key)
	if err != nil {
		return Deposited{}, err
	}
	if !found {
		before, err := BalancesOf(ctx, tx, in.Payer, c)
		if err != nil {
			return Deposited{}, err
		}
		m, err := in.movement(before.Owed)
		if err != nil {
			return Deposited{}, err
		}
		if e, err = Post(ctx, tx, m, at); err != nil {
			return Deposited{}, err
		}
	}
	d := Deposited{Entry: e, PaidDebt: money.Of(0, c)}
	if !e.is(in) {
		return d, ErrKeyReused.With("key", in.Key)
	}
	for _, p := range e.Postings {
		if p.Account == Arrears(in.Payer) {
			d.PaidDebt = p.Amount
		}
	}
	d.After, err = BalancesOf(ctx, tx, in.Payer, c)
	return d, err
}

func (in Incoming) kind() Kind { return cmp.Or(in.Kind, Deposit) }

// movement splits the amount between the debt and the cash.
func (in Incoming) movement(owed money.Amount) (Movement, error) {
	debt, cash := in.Amount, money.Of(0, in.Amount.Currency())
	if owed.Minor() < in.Amount.Minor() {
		var err error
		if cash, err = in.Amount.Sub(owed); err != nil {
			return Movement{}, err
		}
		debt = owed
	}
	m := Movement{Key: in.Key, Kind: in.kind(), Cause: in.Cause, Payer: in.Payer}
	if !debt.IsZero() {
		m.Postings = append(m.Postings, Posting{Arrears(in.Payer), debt})
	}
	if !cash.IsZero() {
		m.Postings = append(m.Postings, Posting{Cash(in.Payer), cash})
	}
	m.Postings = append(m.Postings, Posting{in.From, in.Amount.Neg()})
	return m, nil
}

// is reports whether the entry credited this very money.
func (e Entry) is(in Incoming) bool {
	last := e.Postings[len(e.Postings)-1]
	return e.Kind == in.kind() && e.Cause == in.Cause && e.Payer == in.Payer && last == Posting{in.From, in.Amount.Neg()}
}
