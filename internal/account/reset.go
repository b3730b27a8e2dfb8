package account

import (
	"context"
	"errors"
	"time"

	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/site"
)

// ResetWanted is the job of a forgotten password: it looks for the account and
// mails the code. The page that was asked answers the same, and as fast, for
// an address that has no account.
type ResetWanted struct {
	System System  `json:"system"`
	Site   site.ID `json:"site,omitempty"`
	Email  string  `json:"email"`
}

// Kind names the job for the queue.
func (ResetWanted) Kind() string { return "account.reset_password" }

// subject ties a code to the system and site that it was asked at.
func (r ResetWanted) subject() string { return "reset/" + string(r.System) + "/" + string(r.Site) }

// normal checks what was typed. A Billing Center account has no site.
func (r ResetWanted) normal() (ResetWanted, error) {
	var list fault.Fields
	email, err := NormalEmail(r.Email)
	if err != nil {
		list = append(list, fault.From(err).On("email"))
	}
	if r.System == StudioSystem {
		if _, err := site.Find(r.Site); err != nil {
			list = append(list, fault.From(err).On("site"))
		}
	} else {
		r.Site = ""
	}
	r.Email = email
	return r, list.OrNil()
}

// AskReset begins the way back to an account whose password is forgotten. It
// looks at nothing but the codes of that address, which are kept whether or
// not it has an account: the limits tell nothing either.
func AskReset(ctx context.Context, tx Codes, typed ResetWanted, at time.Time) (ResetWanted, error) {
	r, err := typed.normal()
	if err != nil {
		return r, err
	}
	return r, mayCode(ctx, tx, ForReset, r.Email, r.subject(), at)
}

// MailReset does what AskReset began. For an address without an account it
// keeps a code that nobody was told.
func MailReset(ctx context.Context, tx PersonTx, r ResetWanted, at time.Time) error {
	p, err := tx.PersonByEmail(ctx, r.System, r.Site, r.Email)
	switch {
	case isUnknown(err):
		if err := mayCode(ctx, tx, ForReset, r.Email, r.subject(), at); err != nil {
			return quietly(err)
		}
		decoy, _ := NewCode(ForReset, r.Email, r.subject(), at)
		return tx.SaveCode(ctx, decoy)
	case err != nil:
		return err
	}
	mail := CodeSent{Purpose: ForReset, Email: p.Email, Language: p.Language, Site: p.Site, For: p.UserName}
	return quietly(SendCode(ctx, tx, mail, r.subject(), at))
}

// quietly lets go of a second request that came before the first was served.
func quietly(err error) error {
	if errors.Is(err, ErrCodeOften) {
		return nil
	}
	return err
}

// Reset takes the mailed code and keeps the hash of the new password. Every
// sign-in of the account ends. Commit also when there is a fault.
func Reset(ctx context.Context, tx PersonTx, typed ResetWanted, digits, hash, address string, at time.Time) error {
	r, err := typed.normal()
	if err != nil {
		return err
	}
	if err := TryCode(ctx, tx, ForReset, r.Email, r.subject(), digits, at); err != nil {
		return err
	}
	p, err := tx.PersonByEmail(ctx, r.System, r.Site, r.Email)
	if isUnknown(err) {
		return ErrCodeWrong.On("code") // the address was given up meanwhile, or six digits were guessed
	}
	if err != nil {
		return err
	}
	p.Password = hash
	if err := tx.UpdatePerson(ctx, p); err != nil {
		return err
	}
	if err := tx.EndSignIns(ctx, p.System, p.ID, "", at); err != nil {
		return err
	}
	if err := tx.Announce(ctx, p.secured(PasswordReset, p.Email, at)); err != nil {
		return err
	}
	return tx.Audit(ctx, p.who(address).entry("password_reset", at))
}
