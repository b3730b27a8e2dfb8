package account

import (
	"context"
	"strings"
	"time"
	"unicode"

	"tollgate.dev/internal/fault"
)

// ErrSignInUnknown is a sign-in that has ended, or somebody else's.
var ErrSignInUnknown = fault.New(fault.NotFound, "session_unknown", "There is no such session, or it has ended already.")

// Channel is what somebody signed in with.
type Channel string

// The channels.
const (
	Browser Channel = "browser"
	Program Channel = "api"
)

// SeenEvery is how fine the last visit of a sign-in is kept: a page more or
// less is not written down.
const SeenEvery = 5 * time.Minute

// maxAgent bounds what a browser says of itself.
const maxAgent = 256

// SignIn is one place where an account is signed in, as its holder sees it and
// may end it.
type SignIn struct {
	ID        string
	System    System
	AccountID string
	Channel   Channel
	Agent     string // what the browser or the program says of itself
	From      string // the address it came from
	Via       string // the Studio account that jumped into the Billing Center; else empty
	Token     string // of Program: the hash of its token
	BegunAt   time.Time
	SeenAt    time.Time
	ExpiresAt time.Time // by the machine's clock, also in a sandbox
}

// Agent is what a browser or program says of itself, made fit to be shown.
func Agent(header string) string {
	clean := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(header, ""))
	if runes := []rune(clean); len(runes) > maxAgent {
		clean = string(runes[:maxAgent])
	}
	return strings.TrimSpace(clean)
}

// Due reports whether a visit at the instant is worth keeping.
func (s SignIn) Due(at time.Time) bool { return at.Sub(s.SeenAt) >= SeenEvery }

// SignInTx is what ending sign-ins needs of a transaction.
type SignInTx interface {
	PersonTx
	EndSignIn(ctx context.Context, s System, accountID, id string, at time.Time) error // ErrSignInUnknown
}

// End ends one sign-in of the account.
func End(ctx context.Context, tx SignInTx, who Who, id string, at time.Time) error {
	if err := tx.EndSignIn(ctx, who.System, who.ID, id, at); err != nil {
		return err
	}
	e := who.entry("session_ended", at)
	e.Detail = map[string]string{"session": id}
	return tx.Audit(ctx, e)
}

// EndOthers ends all sign-ins of the account but this one.
func EndOthers(ctx context.Context, tx SignInTx, who Who, this string, at time.Time) error {
	if err := tx.EndSignIns(ctx, who.System, who.ID, this, at); err != nil {
		return err
	}
	return tx.Audit(ctx, who.entry("other_sessions_ended", at))
}
