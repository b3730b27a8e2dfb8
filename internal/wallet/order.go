package wallet

import (
	"context"
	"fmt"
	"time"

	"tollgate.dev/internal/money"
)

// Turn is one source in the order of deduction.
type Turn struct {
	Payment Payment
	Source  Source // its ID is empty for cash, a cloud and arrears
}

// Order lists what pays a line, first to last: the sources that have something
// left, and at the end the cloud or the arrears that take the rest. It is what
// Deduct does, told before it happens.
func (d Deduction) Order(voucherPayable bool) ([]Turn, error) {
	policy, err := PolicyFor(d.Settlement, voucherPayable)
	if err != nil {
		return nil, err
	}
	sources := d.usable()
	var turns []Turn
	for _, payment := range policy[:len(policy)-1] {
		for _, s := range sources {
			if s.Payment == payment && s.Balance.Sign() > 0 {
				turns = append(turns, Turn{payment, s})
			}
		}
	}
	return append(turns, Turn{Payment: policy[len(policy)-1]}), nil
}

// Means reads all that a payer has to pay with: the vouchers, the cards and
// the cash. The settlement method is for the caller to fill in.
func Means(ctx context.Context, tx Tx, payer string, c money.Currency, at time.Time) (Deduction, Balances, error) {
	d := Deduction{Payer: payer, Currency: c, At: at}
	has, err := BalancesOf(ctx, tx, payer, c)
	if err != nil {
		return d, has, err
	}
	if d.Sources, err = tx.Sources(ctx, payer, c); err != nil {
		return d, has, fmt.Errorf("vouchers and cards of %s: %w", payer, err)
	}
	d.Sources = append(d.Sources, Source{Payment: ByCash, Payer: payer, Account: Cash(payer), Balance: has.Cash})
	return d, has, nil
}

// Spend is the sources after some of them paid: what the next bill finds.
func (d Deduction) Spend(parts [][]Part) (Deduction, error) {
	left := map[Account]int{}
	sources := make([]Source, len(d.Sources))
	for i, s := range d.Sources {
		sources[i], left[s.Account] = s, i
	}
	for _, line := range parts {
		for _, p := range line {
			i, known := left[p.Account]
			if !known {
				continue // a cloud, or arrears
			}
			var err error
			if sources[i].Balance, err = sources[i].Balance.Sub(p.Amount); err != nil {
				return d, err
			}
		}
	}
	d.Sources = sources
	return d, nil
}
