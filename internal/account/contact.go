package account

import (
	"context"
	"time"

	"tollgate.dev/internal/fault"
)

// ContactLife is how long a change of address or phone may take.
const ContactLife = time.Hour

// Faults of changing an address or a phone.
var (
	ErrContactSame     = fault.New(fault.Invalid, "contact_unchanged", "The account has this already.")
	ErrContactNotBegun = fault.New(fault.Conflict, "contact_change_not_begun", "This change has not been begun, or was begun too long ago. Begin again.")
	ErrContactOldFirst = fault.New(fault.Conflict, "contact_old_code_first", "Enter the code that was mailed to the present address first.")
)

// ContactKind is what of an account is changed.
type ContactKind string

// The kinds.
const (
	EmailContact ContactKind = "email"
	PhoneContact ContactKind = "phone"
)

// Contact is a change of address or phone under way. A new address needs a
// code to the present one and then a code to the new one (domain section 4).
// A phone gets no message from here, so that a code to the mail address is all
// that proves the change; the number itself stays unproved.
type Contact struct {
	System    System
	AccountID string
	Kind      ContactKind
	New       string // normalized; an empty phone removes it
	BegunAt   time.Time
	ProvedAt  time.Time // the present address was proved
}

// Waits reports whether the change still can be finished.
func (c Contact) Waits(at time.Time) bool { return at.Before(c.BegunAt.Add(ContactLife)) }

// subject ties a code to exactly this change.
func (c Contact) subject() string { return c.AccountID + "/" + string(c.Kind) + "/" + c.New }

// ContactTx is what such a change needs of a transaction.
type ContactTx interface {
	PersonTx
	Contact(ctx context.Context, s System, accountID string, k ContactKind) (Contact, error) // ErrContactNotBegun
	SaveContact(ctx context.Context, c Contact) error
	DeleteContact(ctx context.Context, c Contact) error
}

// BeginContact takes what the holder wants and mails a code to the present
// address. Whether somebody else has the new address is not said before its
// own code proves that it is the holder's.
func BeginContact(ctx context.Context, tx ContactTx, who Who, kind ContactKind, typed string, at time.Time) (Contact, error) {
	normal, had := NormalEmail, func(p Person) string { return p.Email }
	if kind == PhoneContact {
		normal, had = NormalPhone, func(p Person) string { return p.Phone }
	}
	value, err := normal(typed)
	if err != nil {
		return Contact{}, fault.From(err).On(string(kind))
	}
	p, err := tx.Person(ctx, who.System, who.ID)
	if err != nil {
		return Contact{}, err
	}
	if value == had(p) {
		return Contact{}, ErrContactSame.On(string(kind))
	}
	c := Contact{System: p.System, AccountID: p.ID, Kind: kind, New: value, BegunAt: at}
	if err := tx.SaveContact(ctx, c); err != nil {
		return c, err
	}
	return c, SendCode(ctx, tx, c.presentMail(p), c.subject(), at)
}

// presentMail is the code to the present address.
func (c Contact) presentMail(p Person) CodeSent {
	purpose := ForPresentAddress
	if c.Kind == PhoneContact {
		purpose = ForPhone
	}
	return CodeSent{Purpose: purpose, Email: p.Email, Language: p.Language, Site: p.Site, For: c.New}
}

func (c Contact) newMail(p Person) CodeSent {
	return CodeSent{Purpose: ForNewAddress, Email: c.New, Language: p.Language, Site: p.Site, For: p.UserName}
}

// ResendContact mails another code of the step that the change is at.
func ResendContact(ctx context.Context, tx ContactTx, who Who, kind ContactKind, at time.Time) error {
	c, p, err := openContact(ctx, tx, who, kind, at)
	if err != nil {
		return err
	}
	mail := c.presentMail(p)
	if !c.ProvedAt.IsZero() {
		mail = c.newMail(p)
	}
	return SendCode(ctx, tx, mail, c.subject(), at)
}

func openContact(ctx context.Context, tx ContactTx, who Who, kind ContactKind, at time.Time) (Contact, Person, error) {
	c, err := tx.Contact(ctx, who.System, who.ID, kind)
	if err != nil {
		return c, Person{}, err
	}
	if !c.Waits(at) {
		return c, Person{}, ErrContactNotBegun
	}
	p, err := tx.Person(ctx, who.System, who.ID)
	return c, p, err
}

// ProvePresent takes the code of the present address. A phone is changed by
// it; a new address gets its own code. Commit also when there is a fault.
func ProvePresent(ctx context.Context, tx ContactTx, who Who, kind ContactKind, digits string, at time.Time) (Contact, error) {
	c, p, err := openContact(ctx, tx, who, kind, at)
	if err != nil || !c.ProvedAt.IsZero() {
		return c, err
	}
	if err := TryCode(ctx, tx, c.presentMail(p).Purpose, p.Email, c.subject(), digits, at); err != nil {
		return c, err
	}
	if kind == PhoneContact {
		return c, applyContact(ctx, tx, who, c, p, at)
	}
	c.ProvedAt = at
	if err := tx.SaveContact(ctx, c); err != nil {
		return c, err
	}
	return c, SendCode(ctx, tx, c.newMail(p), c.subject(), at)
}

// ProveNew takes the code of the new address; from then on it is the
// account's. Commit also when there is a fault.
func ProveNew(ctx context.Context, tx ContactTx, who Who, digits string, at time.Time) error {
	c, p, err := openContact(ctx, tx, who, EmailContact, at)
	if err != nil {
		return err
	}
	if c.ProvedAt.IsZero() {
		return ErrContactOldFirst.On("code")
	}
	if err := TryCode(ctx, tx, ForNewAddress, c.New, c.subject(), digits, at); err != nil {
		return err
	}
	return applyContact(ctx, tx, who, c, p, at)
}

// applyContact changes the account and tells the address that it had before,
// whoever reads that one now.
func applyContact(ctx context.Context, tx ContactTx, who Who, c Contact, p Person, at time.Time) error {
	before, what := p.Email, PhoneChanged
	if c.Kind == EmailContact {
		p.Email, what = c.New, EmailChanged
	} else {
		p.Phone = c.New
	}
	if err := tx.UpdatePerson(ctx, p); err != nil {
		return fault.From(err).On("code")
	}
	if err := tx.DeleteContact(ctx, c); err != nil {
		return err
	}
	if err := tx.Announce(ctx, p.secured(what, before, at)); err != nil {
		return err
	}
	return tx.Audit(ctx, who.entry(string(c.Kind)+"_changed", at))
}
