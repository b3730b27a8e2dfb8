package account

import (
	"context"
	"strconv"
	"time"

	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/money"
)

// ErrCurrencyUsed is an account whose books are in its currency for good.
var ErrCurrencyUsed = fault.New(fault.Conflict, "account_currency_used", "This account has movements, bills or payments under way in its currency, which therefore stays.")

// Switches are what the operator may switch on a Billing Center account.
type Switches struct {
	Disabled            bool // it can neither sign in nor pay for further workspaces
	ArbitrarySettlement bool // every settlement method is open to its workspaces (domain C-11)
}

// SwitchTx is what switching needs of a transaction.
type SwitchTx interface {
	BillingByID(ctx context.Context, id string) (Billing, error)
	SetBillingSwitches(ctx context.Context, id string, disabled, arbitrary bool) error
	Audit(ctx context.Context, e audit.Entry) error
}

// Switch sets an account's switches; the audit log keeps what they were and
// are. What is so already changes nothing.
func Switch(ctx context.Context, tx SwitchTx, billingID string, to Switches, operator, address string, at time.Time) error {
	a, err := tx.BillingByID(ctx, billingID)
	if err != nil {
		return err
	}
	was := Switches{a.Disabled, a.ArbitrarySettlement}
	if was == to {
		return nil
	}
	if err := tx.SetBillingSwitches(ctx, billingID, to.Disabled, to.ArbitrarySettlement); err != nil {
		return err
	}
	detail := map[string]string{}
	for name, v := range map[string][2]bool{
		"disabled": {was.Disabled, to.Disabled}, "arbitrary_settlement": {was.ArbitrarySettlement, to.ArbitrarySettlement},
	} {
		if v[0] != v[1] {
			detail[name] = strconv.FormatBool(v[0]) + " -> " + strconv.FormatBool(v[1])
		}
	}
	return tx.Audit(ctx, audit.Entry{At: at, Actor: operator, Address: address, Action: "billing_account.switched", Subject: billingID, Detail: detail})
}

// CurrencyTx is what changing a currency needs of a transaction.
type CurrencyTx interface {
	BillingByID(ctx context.Context, id string) (Billing, error)
	// SetBillingCurrency changes it where no money was moved, nothing was
	// billed and nothing is on its way, or is ErrCurrencyUsed.
	SetBillingCurrency(ctx context.Context, id string, to money.Currency) error
	Audit(ctx context.Context, e audit.Entry) error
}

// ChangeCurrency moves an account to another currency (domain section 2) as
// long as its books are empty: nothing is ever converted. What is so already
// changes nothing.
func ChangeCurrency(ctx context.Context, tx CurrencyTx, billingID string, to money.Currency, operator, address string, at time.Time) error {
	a, err := tx.BillingByID(ctx, billingID)
	if err != nil || a.Currency == to {
		return err
	}
	if err := tx.SetBillingCurrency(ctx, billingID, to); err != nil {
		return err
	}
	return tx.Audit(ctx, audit.Entry{
		At: at, Actor: operator, Address: address, Action: "billing_account.currency_changed", Subject: billingID,
		Detail: map[string]string{"currency": string(a.Currency) + " -> " + string(to)},
	})
}
