// Package account says who logs in: Studio accounts, one site each; Billing
// Center accounts, which pay; and operators. The three systems share nothing
// after creation: no session, no cookie, no password (domain section 4).
//
// It owns the accounts, their passwords, mailed codes and jump tickets. It
// does not own workspaces, roles or money.
package account

import (
	"net/mail"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/site"
)

// Faults of accounts and registration.
var (
	ErrUserNameForm   = fault.New(fault.Invalid, "user_name_form", "A user name has 3 to 64 characters: letters, digits, dots, hyphens and underscores, beginning with a letter or a digit.")
	ErrUserNameTaken  = fault.New(fault.Conflict, "user_name_taken", "This Billing Center user name is taken. Choose another one.")
	ErrEmailForm      = fault.New(fault.Invalid, "email_form", "Enter an e-mail address such as name@example.com.")
	ErrEmailTaken     = fault.New(fault.Conflict, "email_taken", "This e-mail address already has an account here. Sign in instead.")
	ErrPhoneForm      = fault.New(fault.Invalid, "phone_form", "Enter a phone number of 5 to 20 digits; a leading + and spaces are fine.")
	ErrPhoneTaken     = fault.New(fault.Conflict, "phone_taken", "This phone number already has an account on this site.")
	ErrPasswordForm   = fault.New(fault.Invalid, "password_form", "A password has 8 to 256 characters, with at least one letter and one digit.")
	ErrPasswordRepeat = fault.New(fault.Invalid, "password_repeat", "The two passwords differ.")
	ErrCompany        = fault.New(fault.Invalid, "company_required", "Enter the name of your company, at most 256 characters.")
	ErrAgreement      = fault.New(fault.Invalid, "agreement_required", "Agree to the terms to continue.")
	ErrLogin          = fault.New(fault.Unauthenticated, "login_failed", "The account or the password is wrong.")
	ErrSignedOut      = fault.New(fault.Unauthenticated, "signed_out", "Sign in to continue.")
	ErrDisabled       = fault.New(fault.Forbidden, "account_disabled", "This account is disabled. Contact the operator.")
	ErrUnknown        = fault.New(fault.NotFound, "account_unknown", "There is no such account.")
	ErrTooManyLogins  = fault.New(fault.TooMany, "too_many_logins", "Too many attempts. Wait a few minutes and try again.")
	ErrTextTooLong    = fault.New(fault.Invalid, "text_too_long", "This is too long.")
)

// Limits of what is typed.
const (
	maxText     = 256
	maxUserName = 64
)

// Profile is what an account says of its company and contact.
type Profile struct {
	Company      string
	Industry     string
	Region       string
	Introduction string
	Contact      string
}

// Valid checks the lengths; the company is required.
func (p Profile) Valid() error {
	var list fault.Fields
	if n := utf8.RuneCountInString(strings.TrimSpace(p.Company)); n == 0 || n > maxText {
		list = append(list, ErrCompany.On("company"))
	}
	for field, text := range map[string]string{"industry": p.Industry, "region": p.Region, "introduction": p.Introduction, "contact": p.Contact} {
		if utf8.RuneCountInString(text) > 4*maxText {
			list = append(list, ErrTextTooLong.On(field))
		}
	}
	return list.OrNil()
}

// Studio is a login to one site's console. Its e-mail is its credential,
// unique on the site; so is its phone.
type Studio struct {
	ID        string
	Site      site.ID
	UserName  string
	Email     string // normalized
	Phone     string // normalized; empty when not given
	Password  string // the Argon2id hash
	Profile   Profile
	Language  string // "en" or "zh"
	CreatedAt time.Time
}

// Billing is a login to the Billing Center and the payer behind workspaces of
// any site. Its user name is unique and never changes (domain C-02).
type Billing struct {
	ID                  string
	UserName            string
	Email               string
	Phone               string
	Password            string
	Currency            money.Currency
	Profile             Profile
	Language            string
	Disabled            bool
	ArbitrarySettlement bool       // the operator's switch (domain C-11)
	Enterprise          Enterprise // that it is certified for; zero while it is for none
	CreatedAt           time.Time
}

// NormalEmail checks an address and gives the form in which it is compared:
// trimmed and in lower case.
func NormalEmail(s string) (string, error) {
	s = strings.ToLower(strings.TrimSpace(s))
	a, err := mail.ParseAddress(s)
	if err != nil || a.Address != s || len(s) > maxText || strings.ContainsFunc(s, unicode.IsSpace) {
		return "", ErrEmailForm
	}
	return s, nil
}

// MaskEmail hides an address from whoever may not know it: f***@example.com.
func MaskEmail(email string) string {
	name, domain, ok := strings.Cut(email, "@")
	if !ok || name == "" {
		return "***"
	}
	_, size := utf8.DecodeRuneInString(name)
	return name[:size] + "***@" + domain
}

// NormalPhone checks a phone number and removes its spaces and hyphens. An
// empty one stays empty.
func NormalPhone(s string) (string, error) {
	var b strings.Builder
	for i, r := range strings.TrimSpace(s) {
		switch {
		case r >= '0' && r <= '9', r == '+' && i == 0:
			b.WriteRune(r)
		case r == ' ', r == '-':
		default:
			return "", ErrPhoneForm
		}
	}
	if n := b.Len(); n != 0 && (n < 5 || n > 21) {
		return "", ErrPhoneForm
	}
	return b.String(), nil
}

// NormalUserName checks a user name and gives the form in which it is
// compared and kept: trimmed, in lower case.
func NormalUserName(s string) (string, error) {
	s = strings.ToLower(strings.TrimSpace(s))
	if len(s) < 3 || len(s) > maxUserName {
		return "", ErrUserNameForm
	}
	for i, r := range s {
		letter := r >= 'a' && r <= 'z' || r >= '0' && r <= '9'
		if !letter && (i == 0 || r != '.' && r != '-' && r != '_') {
			return "", ErrUserNameForm
		}
	}
	return s, nil
}
