package account

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"strings"
	"time"

	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/id"
)

// Faults of mailed codes (domain section 5, step 3b).
var (
	ErrCodeWrong   = fault.New(fault.Invalid, "code_wrong", "This code is wrong. Check the mail and try again.")
	ErrCodeExpired = fault.New(fault.Gone, "code_expired", "This code has expired: codes hold for 10 minutes. Ask for a new one.")
	ErrCodeUsed    = fault.New(fault.Gone, "code_used", "This code has been used. Ask for a new one.")
	ErrCodeTries   = fault.New(fault.TooMany, "code_too_many_tries", "Too many wrong codes. Ask for a new one.")
	ErrCodeNone    = fault.New(fault.NotFound, "code_not_sent", "No code has been sent yet. Ask for one first.")
	ErrCodeOften   = fault.New(fault.TooMany, "code_too_often", "A code was sent a moment ago. Wait a minute before asking for another.")
)

// Rules of mailed codes.
const (
	CodeDigits = 6
	CodeLife   = 10 * time.Minute
	CodeTries  = 5
	CodePause  = 30 * time.Second // between two codes of one purpose and subject to one address
	CodeMost   = 10               // codes per address and hour
)

// Purpose says what a code lets its holder do; a code of one purpose is
// nothing for another.
type Purpose string

// The purposes.
const (
	ForStudio  Purpose = "studio_registration"
	ForBilling Purpose = "billing_registration"
	ForUpgrade Purpose = "upgrade"        // entry A: to the Billing Center account's address
	ForBinding Purpose = "bind_workspace" // entry B: to the workspace Owner's address
	ForReset   Purpose = "password_reset"

	ForPresentAddress Purpose = "email_change"       // to the present address: it shall be another one
	ForNewAddress     Purpose = "email_confirmation" // to the new one
	ForPhone          Purpose = "phone_change"       // to the mail address

	ForRebinding  Purpose = "rebind_workspace"    // to the account that shall pay
	ForTakingOver Purpose = "take_over_workspace" // to the workspace's Owner: another account wants to pay
	ForOpening    Purpose = "open_workspace"      // to the Studio account for which a buyer opens a workspace
	ForDissolving Purpose = "dissolve_workspace"  // to the workspace's Owner: the payer wants to end it
)

// Code is six digits mailed to an address. Only their hash is kept. Subject
// ties the code to what it is for (a registration, a workspace and account).
type Code struct {
	ID        string
	Purpose   Purpose
	Email     string
	Subject   string
	hash      string
	SentAt    time.Time
	ExpiresAt time.Time
	Tries     int
	UsedAt    time.Time
}

// NewCode makes a code and the digits to mail.
func NewCode(p Purpose, email, subject string, at time.Time) (Code, string) {
	digits := id.Digits(CodeDigits)
	c := Code{ID: id.New(id.Code), Purpose: p, Email: email, Subject: subject, SentAt: at, ExpiresAt: at.Add(CodeLife)}
	c.hash = c.sum(digits)
	return c, digits
}

// Stored rebuilds a code from its record.
func Stored(c Code, hash string) Code {
	c.hash = hash
	return c
}

// Hash is what is stored in place of the digits.
func (c Code) Hash() string { return c.hash }

func (c Code) sum(digits string) string {
	h := sha256.Sum256([]byte(c.ID + "\n" + digits))
	return hex.EncodeToString(h[:])
}

// Try uses the code at the instant. It always returns the next value, which
// the caller keeps whether or not there is a fault: a wrong try counts.
func (c Code) Try(digits string, at time.Time) (Code, error) {
	switch {
	case !c.UsedAt.IsZero():
		return c, ErrCodeUsed.On("code")
	case c.Tries >= CodeTries:
		return c, ErrCodeTries.On("code")
	case !at.Before(c.ExpiresAt):
		return c, ErrCodeExpired.On("code")
	}
	digits = strings.Join(strings.Fields(digits), "")
	if subtle.ConstantTimeCompare([]byte(c.sum(digits)), []byte(c.hash)) != 1 {
		c.Tries++
		if c.Tries >= CodeTries {
			return c, ErrCodeTries.On("code")
		}
		return c, ErrCodeWrong.On("code").With("left", CodeTries-c.Tries)
	}
	c.UsedAt = at
	return c, nil
}

// Ticket lets the Owner of a workspace jump from Studio to the Billing Center
// without signing in there: one use, sixty seconds.
type Ticket struct {
	ID        string
	BillingID string // the account it signs in
	StudioID  string // the Owner who jumps
	Target    string // the path in the Billing Center
	ExpiresAt time.Time
	UsedAt    time.Time
}

// TicketLife is how long a jump may take.
const TicketLife = time.Minute

// Faults of the jump.
var (
	ErrTicket = fault.New(fault.Gone, "ticket_invalid", "This link has been used or is too old. Go back to Studio and click Billing Center again.")
)

// NewTicket makes a ticket.
func NewTicket(billingID, studioID, target string, at time.Time) Ticket {
	return Ticket{ID: id.New(id.Ticket), BillingID: billingID, StudioID: studioID, Target: target, ExpiresAt: at.Add(TicketLife)}
}

// Use spends the ticket.
func (t Ticket) Use(at time.Time) (Ticket, error) {
	if !t.UsedAt.IsZero() || !at.Before(t.ExpiresAt) {
		return t, ErrTicket
	}
	t.UsedAt = at
	return t, nil
}
