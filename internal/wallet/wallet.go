// Package wallet is the ledger: what a payer has, owes and has paid. It owns
// the accounts of the books, the entries that move money between them, the
// order in which a charge is taken from its sources, vouchers and cards,
// deposits and bank transfers. It does not own what is charged, which is the
// bill's.
//
// Signs: a posting adds its amount to an account. A payer's accounts hold what
// the payer has, so cash is never below zero; arrears are the one account that
// may be, and minus 15 there means that 15 is owed. Revenue grows with what was
// earned. A channel or a cloud goes down by what came in through it, so that
// every entry sums to zero.
//
// Always true: the postings of an entry sum to zero per currency; an entry
// never changes; an idempotency key has one entry; each entry holds the hash
// of the one before it in its payer's chain.
package wallet

import (
	"strings"
	"time"

	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/site"
)

// Faults of the ledger.
var (
	ErrUnbalanced   = fault.New(fault.Internal, "ledger_unbalanced", "This movement does not balance. Nothing was moved.")
	ErrFloor        = fault.New(fault.Conflict, "balance_too_low", "The balance does not cover this. Nothing was moved.")
	ErrKeyReused    = fault.New(fault.Conflict, "idempotency_key_reused", "This key was used for another movement.")
	ErrNotPositive  = fault.New(fault.Invalid, "amount_not_positive", "Enter an amount above zero.")
	ErrAbsurd       = fault.New(fault.Invalid, "amount_absurd", "This amount is larger than any that can be real. Contact the operator.")
	ErrNothingDue   = fault.New(fault.Internal, "charge_negative", "A charge must not be negative.")
	ErrMethodOfItem = fault.New(fault.Internal, "settlement_without_policy", "There is no order of deduction for this settlement method.")
)

// Account names one account of the books: a kind and whose it is.
type Account string

// Cash is what a payer has recharged and not spent.
func Cash(payer string) Account { return Account("cash:" + payer) }

// Arrears is the one negative balance of a payer.
func Arrears(payer string) Account { return Account("arrears:" + payer) }

// Voucher is the rest of an ordinary voucher.
func Voucher(payer, id string) Account { return Account("voucher:" + payer + ":" + id) }

// FullReduction is the rest of a full-reduction voucher.
func FullReduction(payer, id string) Account { return Account("full_reduction:" + payer + ":" + id) }

// Card is the rest of a stored-value card.
func Card(payer, id string) Account { return Account("card:" + payer + ":" + id) }

// Revenue is what the platform has earned in a currency.
func Revenue(c money.Currency) Account { return Account("revenue:" + string(c)) }

// Bank is the channel of bank transfers in a currency.
func Bank(c money.Currency) Account { return Channel("bank", c) }

// Cloud is what a cloud marketplace collects in a currency.
func Cloud(m site.Method, c money.Currency) Account {
	return Account("cloud:" + string(m) + ":" + string(c))
}

// Payer is whose account it is; empty for one of the platform's.
func (a Account) Payer() string {
	kind, rest, _ := strings.Cut(string(a), ":")
	switch kind {
	case "cash", "arrears", "voucher", "full_reduction", "card":
		payer, _, _ := strings.Cut(rest, ":")
		return payer
	}
	return ""
}

// Bounds says between which minor units the balance must stay. A payer's
// account never passes zero: arrears from above, every other one from below
// (promise P4). The platform's accounts have no bounds and no stored balance.
func (a Account) Bounds() (low, high int64, bounded bool) {
	switch {
	case a.Payer() == "":
		return 0, 0, false
	case strings.HasPrefix(string(a), "arrears:"):
		return -maxBalance, 0, true
	}
	return 0, maxBalance, true
}

// maxBalance bounds every balance, far below where sums would overflow.
const maxBalance = 1 << 60

// MostAmount bounds a single charge or deposit: ten million in whole units. A
// larger one is a mistake that a person must look at (promise P11).
const MostAmount = 10_000_000_00

// Kind says what sort of movement an entry is.
type Kind string

// The kinds of movement.
const (
	Charge     Kind = "charge"           // a bill was paid or left a debt
	Deposit    Kind = "deposit"          // money came in
	Refund     Kind = "refund"           // money went back the way it came
	Chargeback Kind = "chargeback"       // a dispute took back what had come
	Returned   Kind = "dispute_returned" // a dispute was won: what it took came again
)

// Kinds lists the kinds of movement, for filters and their names.
func Kinds() []Kind {
	return []Kind{Charge, Deposit, VoucherIssued, CardIssued, Lapse, Withdrawal, PackageBought, PackageDay, Deducted, Adjusted, Opening, Refund, Chargeback, Returned}
}

// Balances is what a payer has, in one currency.
type Balances struct {
	Cash          money.Amount
	Voucher       money.Amount
	FullReduction money.Amount
	Card          money.Amount
	Owed          money.Amount // positive: what is missing
}

// NewBalances sorts the stored balances of a payer's accounts into kinds.
func NewBalances(c money.Currency, stored map[Account]money.Amount) (Balances, error) {
	zero := money.Of(0, c)
	b := Balances{zero, zero, zero, zero, zero}
	for account, amount := range stored {
		kind, _, _ := strings.Cut(string(account), ":")
		to := map[string]*money.Amount{
			"cash": &b.Cash, "voucher": &b.Voucher, "full_reduction": &b.FullReduction, "card": &b.Card, "arrears": &b.Owed,
		}[kind]
		if to == nil {
			continue
		}
		if kind == "arrears" {
			amount = amount.Neg()
		}
		var err error
		if *to, err = to.Add(amount); err != nil {
			return Balances{}, err
		}
	}
	return b, nil
}

// CashCredited happens when money came in (domain section 14 asks for a
// receipt as our choice).
type CashCredited struct {
	Payer      string // the Billing Center account's ID
	UserName   string
	Email      string
	Language   string
	Amount     money.Amount
	PaidDebt   money.Amount // the part that filled arrears
	Cash       money.Amount // the balances afterwards
	Owed       money.Amount
	Channel    string // empty: a bank transfer
	Reference  string
	Declared   money.Amount // by a bank transfer's payer; without a currency where the money came in another way
	Difference string       // why another amount arrived than was declared
	CreditedAt time.Time
}

// CashReversed happens when money that had come in went back.
type CashReversed struct {
	Payer      string // the Billing Center account's ID
	UserName   string
	Email      string
	Language   string
	Kind       Kind // Refund or Chargeback
	Amount     money.Amount
	Debt       money.Amount // the part that was spent and is owed now
	Cash       money.Amount // the balances afterwards
	Owed       money.Amount
	Channel    string
	Reference  string
	ReversedAt time.Time
}
