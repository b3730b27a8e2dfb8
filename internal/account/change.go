package account

import (
	"context"
	"time"

	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/fault"
)

// ErrPasswordPresent is a wrong present password on the way to a new one.
var ErrPasswordPresent = fault.New(fault.Invalid, "password_present", "This is not your present password.")

// ErrLanguageUnknown is a language that no page is written in.
var ErrLanguageUnknown = fault.New(fault.Invalid, "account_language_unknown", "Choose English or Chinese.")

// ChangeTx is what the holder's changes to a Billing Center account need of a
// transaction. The user name is not among them: it never changes (domain C-02).
type ChangeTx interface {
	BillingByID(ctx context.Context, id string) (Billing, error)
	UpdateBilling(ctx context.Context, a Billing) error
	Audit(ctx context.Context, e audit.Entry) error
}

// ChangeProfile replaces what the account says of its company.
func ChangeProfile(ctx context.Context, tx ChangeTx, billingID string, p Profile, address string, at time.Time) error {
	if err := p.Valid(); err != nil {
		return err
	}
	return change(ctx, tx, billingID, "billing_account.profile_changed", address, at, func(a *Billing) { a.Profile = p })
}

// ChangeLanguage chooses the language of pages and mails.
func ChangeLanguage(ctx context.Context, tx ChangeTx, billingID, language, address string, at time.Time) error {
	if language != "en" && language != "zh" {
		return ErrLanguageUnknown.On("language")
	}
	return change(ctx, tx, billingID, "billing_account.language_changed", address, at, func(a *Billing) { a.Language = language })
}

// NewPassword checks a new password, typed twice, and gives its hash. It takes
// a while, so do it outside of the transaction.
func NewPassword(password, repeat string) (string, error) {
	var list fault.Fields
	if err := passwordForm(password); err != nil {
		list = append(list, fault.From(err).On("password"))
	}
	if password != repeat {
		list = append(list, ErrPasswordRepeat.On("password_repeat"))
	}
	if len(list) > 0 {
		return "", list
	}
	return HashPassword(password)
}

// ChangePassword keeps the hash of a new password.
func ChangePassword(ctx context.Context, tx ChangeTx, billingID, hash, address string, at time.Time) error {
	return change(ctx, tx, billingID, "billing_account.password_changed", address, at, func(a *Billing) { a.Password = hash })
}

func change(ctx context.Context, tx ChangeTx, billingID, action, address string, at time.Time, apply func(*Billing)) error {
	a, err := tx.BillingByID(ctx, billingID)
	if err != nil {
		return err
	}
	apply(&a)
	if err := tx.UpdateBilling(ctx, a); err != nil {
		return err
	}
	return tx.Audit(ctx, audit.Entry{At: at, Actor: billingID, Address: address, Action: action, Subject: billingID})
}
