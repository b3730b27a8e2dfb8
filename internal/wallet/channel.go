package wallet

import (
	"context"
	"time"

	"tollgate.dev/internal/money"
)

// Channel is where a payment channel's money comes from in a currency. It goes
// down by what came in and up by what went back.
func Channel(name string, c money.Currency) Account {
	return Account("channel:" + name + ":" + string(c))
}

// Outgoing is money that goes back to where it came from.
type Outgoing struct {
	Key    string // idempotency
	Kind   Kind   // Refund or Chargeback
	Cause  string // the ID of the payment that it came with
	Payer  string
	To     Account // the channel
	Amount money.Amount
}

// GivenBack is what became of it.
type GivenBack struct {
	Entry    Entry
	FromCash money.Amount
	Debt     money.Amount // the part that was spent already and is owed now
	After    Balances
}

// GiveBack reverses incoming money: it leaves the payer's cash, and what was
// spent already becomes arrears, the one balance that may be negative (domain
// section 10.2). Once per key.
func GiveBack(ctx context.Context, tx Tx, out Outgoing, at time.Time) (GivenBack, error) {
	if out.Amount.Sign() <= 0 {
		return GivenBack{}, ErrNotPositive.On("amount")
	}
	if _, err := tx.LedgerHead(ctx, out.Payer); err != nil { // nobody else moves this payer's money until we are done
		return GivenBack{}, err
	}
	c := out.Amount.Currency()
	g := GivenBack{FromCash: money.Of(0, c), Debt: money.Of(0, c)}
	before, err := BalancesOf(ctx, tx, out.Payer, c)
	if err != nil {
		return g, err
	}
	e, found, err := tx.LedgerEntry(ctx, out.Key)
	if err != nil {
		return g, err
	}
	if !found {
		m, err := out.movement(before.Cash)
		if err != nil {
			return g, err
		}
		if e, err = Post(ctx, tx, m, at); err != nil {
			return g, err
		}
	}
	last := e.Postings[len(e.Postings)-1]
	if e.Kind != out.Kind || e.Cause != out.Cause || e.Payer != out.Payer || last != (Posting{out.To, out.Amount}) {
		return g, ErrKeyReused.With("key", out.Key)
	}
	g.Entry = e
	for _, p := range e.Postings {
		switch p.Account {
		case Cash(out.Payer):
			g.FromCash = p.Amount.Neg()
		case Arrears(out.Payer):
			g.Debt = p.Amount.Neg()
		}
	}
	g.After, err = BalancesOf(ctx, tx, out.Payer, c)
	return g, err
}

// movement splits the amount between the cash that is there and a debt.
func (out Outgoing) movement(cash money.Amount) (Movement, error) {
	taken, debt := out.Amount, money.Of(0, out.Amount.Currency())
	if cash.Minor() < out.Amount.Minor() {
		var err error
		if debt, err = out.Amount.Sub(cash); err != nil {
			return Movement{}, err
		}
		taken = cash
	}
	m := Movement{Key: out.Key, Kind: out.Kind, Cause: out.Cause, Payer: out.Payer}
	if !taken.IsZero() {
		m.Postings = append(m.Postings, Posting{Cash(out.Payer), taken.Neg()})
	}
	if !debt.IsZero() {
		m.Postings = append(m.Postings, Posting{Arrears(out.Payer), debt.Neg()})
	}
	m.Postings = append(m.Postings, Posting{out.To, out.Amount})
	return m, nil
}
