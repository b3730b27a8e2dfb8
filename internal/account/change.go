package account

import (
	"context"
	"time"

	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/site"
)

// Faults of changes.
var (
	ErrPasswordPresent = fault.New(fault.Invalid, "password_present", "This is not your present password.")
	ErrLanguageUnknown = fault.New(fault.Invalid, "account_language_unknown", "Choose English or Chinese.")
)

// Who names an account of one of the two systems, and from where its holder acts.
type Who struct {
	System  System
	ID      string
	Address string
}

// Person is what the two account systems have in common: what the holder of an
// account may change of it himself.
type Person struct {
	System   System
	ID       string
	Site     site.ID // of a Studio account; empty for a Billing Center account
	UserName string
	Email    string
	Phone    string
	Password string // the hash
	Profile  Profile
	Language string
}

// who is the person, acting from the address.
func (p Person) who(address string) Who { return Who{p.System, p.ID, address} }

// PersonTx is what a holder's changes need of a transaction. The user name of
// a Billing Center account and its currency are not among what is updated:
// they never change (domain C-02).
type PersonTx interface {
	// Person finds an account and keeps it from other writers, or ErrUnknown.
	Person(ctx context.Context, s System, id string) (Person, error)
	// PersonByEmail is Person by its address; of Studio, on the site.
	PersonByEmail(ctx context.Context, s System, where site.ID, email string) (Person, error)
	// UpdatePerson is ErrEmailTaken or ErrPhoneTaken where another account has either.
	UpdatePerson(ctx context.Context, p Person) error
	// EndSignIns ends every sign-in of the account but the given one.
	EndSignIns(ctx context.Context, s System, accountID, except string, at time.Time) error
	Codes
	Audit(ctx context.Context, e audit.Entry) error
}

// ChangeProfile replaces what the account says of its company.
func ChangeProfile(ctx context.Context, tx PersonTx, who Who, p Profile, at time.Time) error {
	if err := p.Valid(); err != nil {
		return err
	}
	_, err := change(ctx, tx, who, "profile_changed", at, func(a *Person) { a.Profile = p })
	return err
}

// ChangeLanguage chooses the language of pages and mails.
func ChangeLanguage(ctx context.Context, tx PersonTx, who Who, language string, at time.Time) error {
	if language != "en" && language != "zh" {
		return ErrLanguageUnknown.On("language")
	}
	_, err := change(ctx, tx, who, "language_changed", at, func(a *Person) { a.Language = language })
	return err
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

// ChangePassword keeps the hash of a new password and ends every sign-in but
// the one in which it was chosen. The caller has compared the present one.
func ChangePassword(ctx context.Context, tx PersonTx, who Who, hash, signIn string, at time.Time) error {
	p, err := change(ctx, tx, who, "password_changed", at, func(a *Person) { a.Password = hash })
	if err != nil {
		return err
	}
	if err := tx.EndSignIns(ctx, p.System, p.ID, signIn, at); err != nil {
		return err
	}
	return tx.Announce(ctx, p.secured(PasswordChanged, p.Email, at))
}

// auditName is how the audit log calls an account of the system.
func (s System) auditName() string {
	if s == BillingSystem {
		return "billing_account"
	}
	return "studio_account"
}

func change(ctx context.Context, tx PersonTx, who Who, action string, at time.Time, apply func(*Person)) (Person, error) {
	p, err := tx.Person(ctx, who.System, who.ID)
	if err != nil {
		return p, err
	}
	apply(&p)
	if err := tx.UpdatePerson(ctx, p); err != nil {
		return p, err
	}
	return p, tx.Audit(ctx, who.entry(action, at))
}

func (w Who) entry(action string, at time.Time) audit.Entry {
	return audit.Entry{At: at, Actor: w.ID, Address: w.Address, Action: w.System.auditName() + "." + action, Subject: w.ID}
}
