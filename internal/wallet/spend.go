package wallet

import (
	"context"
	"fmt"
	"time"

	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/money"
)

// Faults of a chosen mix of payment.
var (
	ErrMixSum      = fault.New(fault.Invalid, "payment_does_not_sum", "These amounts do not sum to the price.")
	ErrMixNegative = fault.New(fault.Invalid, "payment_negative", "An amount to pay must not be below zero.")
	ErrMixShort    = fault.New(fault.Conflict, "payment_short", "There is not that much left that can be used now.")
	ErrMixKind     = fault.New(fault.Invalid, "payment_kind", "Pay with cash, cards and vouchers only.")
)

// The kinds of movement by packages.
const (
	PackageBought Kind = "package"     // an annual package, or its upgrade, was paid for
	PackageDay    Kind = "package_day" // the traffic packages of a day
)

// Mix is how much of a price each kind of source is to pay, as the payer chose
// (domain C-13).
type Mix map[Payment]money.Amount

// MixField is the name of the field in which the amount of a kind is typed.
func MixField(p Payment) string { return "pay_" + string(p) }

// Choosable lists the kinds of source that a mix may have.
func Choosable() []Payment { return []Payment{ByVoucher, ByFullReduction, ByCard, ByCash} }

// sums checks that the mix comes to the price.
func (m Mix) sums(price money.Amount) error {
	var wrong fault.Fields
	sum := money.Of(0, price.Currency())
	for kind, amount := range m {
		switch {
		case kind != ByVoucher && kind != ByFullReduction && kind != ByCard && kind != ByCash:
			return ErrMixKind.With("kind", string(kind))
		case amount.Sign() < 0:
			wrong = append(wrong, ErrMixNegative.On(MixField(kind)))
		}
		var err error
		if sum, err = sum.Add(amount); err != nil {
			return err
		}
	}
	if len(wrong) > 0 {
		return wrong
	}
	if sum != price {
		return ErrMixSum.On("pay").With("price", price.String()).With("sum", sum.String())
	}
	return nil
}

// Buying is something that is paid for at once.
type Buying struct {
	Key   string // idempotency
	Kind  Kind
	Cause string
	Payer string
	Price money.Amount
	Mix   Mix
}

// Spend pays a price by the mix in one entry: within one kind of source the
// earliest expiry first, then the oldest. Nothing is ever owed for it: where a
// kind has too little, nothing moves. The caller sees to it that a thing is
// paid for once.
func Spend(ctx context.Context, tx Tx, b Buying, at time.Time) ([]Part, error) {
	if err := b.Mix.sums(b.Price); err != nil {
		return nil, err
	}
	if _, err := tx.LedgerHead(ctx, b.Payer); err != nil { // nobody else moves this payer's money until we are done
		return nil, fmt.Errorf("chain of %s: %w", b.Payer, err)
	}
	c := b.Price.Currency()
	has, err := BalancesOf(ctx, tx, b.Payer, c)
	if err != nil {
		return nil, err
	}
	sources, err := tx.Sources(ctx, b.Payer, c)
	if err != nil {
		return nil, fmt.Errorf("vouchers and cards of %s: %w", b.Payer, err)
	}
	usable := Deduction{At: at, Sources: append(sources, Source{Payment: ByCash, Account: Cash(b.Payer), Balance: has.Cash})}.usable()
	parts, err := b.take(usable)
	if err != nil || len(parts) == 0 {
		return nil, err
	}
	postings, err := Postings([][]Part{parts}, c)
	if err != nil {
		return nil, err
	}
	_, err = Post(ctx, tx, Movement{Key: b.Key, Kind: b.Kind, Cause: b.Cause, Payer: b.Payer, Postings: postings}, at)
	return parts, err
}

// take lets each kind pay its part, and names those that have too little.
func (b Buying) take(usable []Source) (parts []Part, err error) {
	var short fault.Fields
	for _, kind := range Choosable() {
		left := b.Mix[kind]
		if left.IsZero() {
			continue
		}
		if parts, left, err = take(parts, left, kind, usable); err != nil {
			return nil, err
		}
		if !left.IsZero() {
			short = append(short, ErrMixShort.On(MixField(kind)).With("missing", left.String()))
		}
	}
	return parts, short.OrNil()
}

// Spendable sums what each kind of source could pay at the instant.
func Spendable(ctx context.Context, tx Tx, payer string, c money.Currency, at time.Time) (Mix, error) {
	has, err := BalancesOf(ctx, tx, payer, c)
	if err != nil {
		return nil, err
	}
	sources, err := tx.Sources(ctx, payer, c)
	if err != nil {
		return nil, fmt.Errorf("vouchers and cards of %s: %w", payer, err)
	}
	zero := money.Of(0, c)
	mix := Mix{ByVoucher: zero, ByFullReduction: zero, ByCard: zero, ByCash: has.Cash}
	for _, s := range (Deduction{At: at, Sources: sources}).usable() {
		if mix[s.Payment], err = mix[s.Payment].Add(s.Balance); err != nil {
			return nil, err
		}
	}
	return mix, nil
}
