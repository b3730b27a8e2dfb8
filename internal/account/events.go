package account

import (
	"time"

	"tollgate.dev/internal/site"
)

// CodeSent happens when a code is made: its digits are mailed to the address
// and kept nowhere else in the clear.
type CodeSent struct {
	Purpose   Purpose
	Email     string
	Language  string // of the one who reads it: "en" or "zh"
	Digits    string
	ExpiresAt time.Time
	Site      site.ID // where the account or the workspace is; empty when none is concerned
	For       string  // what the code confirms, as its reader knows it: the workspace's name; may be empty
	By        string  // the Billing Center account that asks, where the reader's consent is asked for
}

// Registered happens when an account exists from now on. For a Billing Center
// account the mail repeats the user name, which an upgrade asks for.
type Registered struct {
	Site         site.ID // of a Studio account; empty for a Billing Center account
	UserName     string
	Email        string
	Language     string
	RegisteredAt time.Time
}

// Security is a change of what guards an account.
type Security string

// The changes.
const (
	PasswordChanged Security = "password_changed"
	PasswordReset   Security = "password_reset"
	EmailChanged    Security = "email_changed"
	PhoneChanged    Security = "phone_changed"
)

// Secured happens after such a change. The mail goes to the address that the
// account had before, so that its holder learns of what he did not do.
type Secured struct {
	What     Security
	System   System
	Site     site.ID // of a Studio account
	UserName string
	Email    string // where it goes
	Now      string // the account's address from now on
	Language string
	At       time.Time
}

func (p Person) secured(what Security, email string, at time.Time) Secured {
	return Secured{What: what, System: p.System, Site: p.Site, UserName: p.UserName, Email: email, Now: p.Email, Language: p.Language, At: at}
}
