// Package holder is the pages on which the holder of an account looks after
// it: forgotten password, profile, language, password, e-mail address, phone,
// and the places where the account is signed in. Studio and the Billing Center
// serve the same pages, each for its own accounts.
//
// It owns those pages and the bond between a browser's session and the
// account's list of sign-ins. It owns no rule; those are package account's.
//
// Always true: a session whose sign-in was ended is nobody's from the next
// request on; what is asked about an address that has no account is answered
// as for one that has.
package holder

import (
	"context"
	"errors"
	"net/http"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/id"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
)

// Desk serves the accounts of one console.
type Desk struct {
	Console *web.Console
	Store   *store.Store
	System  account.System
	Prefix  string           // of the console
	SignIn  string           // the path of its sign-in page
	Now     func() time.Time // the installation's clock
	Real    func() time.Time // the machine's clock; nil is Now

	// Holder is who is signed in.
	Holder func(ctx context.Context) account.Person
	// Frame is the frame of a page of the account.
	Frame func(r *http.Request, title, section string) web.Frame
	// Zone is in which zone times are shown.
	Zone func(ctx context.Context) *time.Location
	// Identity is what of the account stays as it is.
	Identity func(ctx context.Context) []web.Pair
	// Links stand beside the heading of the account's page.
	Links func(ctx context.Context) []web.Action

	guesses *web.Limiter // wrong present passwords, per account
	resets  *web.Limiter // forgotten passwords, per place
}

// Bounds of guessing and of asking.
const (
	mostGuesses = 10
	mostResets  = 30
	window      = 10 * time.Minute
)

// keptSignIn holds the sign-in of a session.
const keptSignIn = "sign_in"

// Open makes the desk ready.
func Open(d Desk) *Desk {
	if d.Real == nil {
		d.Real = d.Now
	}
	d.guesses = &web.Limiter{Most: mostGuesses, Window: window, Now: d.Now}
	d.resets = &web.Limiter{Most: mostResets, Window: window, Now: d.Now}
	return &d
}

// Routes are the pages of the desk.
func (d *Desk) Routes() []web.Route {
	get := func(path string, needs web.Need, h web.Handler) web.Route {
		return web.Route{Method: http.MethodGet, Pattern: d.Prefix + path, Needs: needs, Handler: h}
	}
	post := func(path string, needs web.Need, h web.Handler) web.Route {
		return web.Route{Method: http.MethodPost, Pattern: d.Prefix + path, Needs: needs, Handler: h}
	}
	return []web.Route{
		get("/forgot", web.Public, d.forgotPage),
		post("/forgot", web.Public, d.forgot),
		get("/forgot/code", web.Public, d.resetPage),
		post("/forgot/code", web.Public, d.reset),
		post("/forgot/resend", web.Public, d.resendReset),

		get("/account", web.SignedIn, d.accountPage),
		post("/account/profile", web.SignedIn, d.changeProfile),
		post("/account/language", web.SignedIn, d.changeLanguage),
		post("/account/password", web.SignedIn, d.changePassword),

		get("/account/email", web.SignedIn, d.contactPage(account.EmailContact)),
		post("/account/email", web.SignedIn, d.beginContact(account.EmailContact)),
		post("/account/email/resend", web.SignedIn, d.resendContact(account.EmailContact)),
		post("/account/email/present", web.SignedIn, d.provePresent(account.EmailContact)),
		post("/account/email/new", web.SignedIn, d.proveNew),
		get("/account/phone", web.SignedIn, d.contactPage(account.PhoneContact)),
		post("/account/phone", web.SignedIn, d.beginContact(account.PhoneContact)),
		post("/account/phone/resend", web.SignedIn, d.resendContact(account.PhoneContact)),
		post("/account/phone/present", web.SignedIn, d.provePresent(account.PhoneContact)),

		get("/account/sessions", web.SignedIn, d.sessionsPage),
		post("/account/sessions/{session}/end", web.SignedIn, d.endSession),
		post("/account/sessions/end-others", web.SignedIn, d.endOthers),
	}
}

// who is the holder, acting from where the request came from.
func (d *Desk) who(r *http.Request) account.Who {
	return account.Who{System: d.System, ID: d.Holder(r.Context()).ID, Address: web.Address(r)}
}

// Enter signs an account in under a fresh session and keeps the sign-in; via
// is the Studio account that jumped here, if one did.
func (d *Desk) Enter(r *http.Request, accountID, passwordHash, via string) error {
	ctx, now := r.Context(), d.Now()
	s := account.SignIn{
		ID: id.New(id.SignIn), System: d.System, AccountID: accountID, Channel: account.Browser, Agent: account.Agent(r.UserAgent()),
		From: web.Address(r), Via: via, BegunAt: now, SeenAt: now, ExpiresAt: d.Real().Add(web.SessionLife),
	}
	if err := d.Store.Write(ctx, func(tx *store.Tx) error { return tx.InsertSignIn(ctx, s) }); err != nil {
		return err
	}
	return d.enter(ctx, accountID, passwordHash, s.ID)
}

func (d *Desk) enter(ctx context.Context, accountID, passwordHash, signIn string) error {
	if err := d.Console.EnterWith(ctx, accountID, passwordHash); err != nil {
		return err
	}
	d.Console.Keep(ctx, keptSignIn, signIn)
	return nil
}

// Present says whether the session's account is still signed in here:
// account.ErrSignedOut once the sign-in was ended or the password changed.
func (d *Desk) Present(ctx context.Context, tx *store.Tx, accountID, passwordHash string) (account.SignIn, error) {
	if d.Console.Stale(ctx, accountID, passwordHash) {
		return account.SignIn{}, account.ErrSignedOut
	}
	s, err := tx.SignIn(ctx, d.System, accountID, d.Console.Kept(ctx, keptSignIn))
	if errors.Is(err, account.ErrSignInUnknown) {
		err = account.ErrSignedOut
	}
	return s, err
}

// Saw keeps that the sign-in was seen, once in a while.
func (d *Desk) Saw(r *http.Request, s account.SignIn) error {
	now := d.Now()
	if !s.Due(now) {
		return nil
	}
	return d.Store.Write(r.Context(), func(tx *store.Tx) error { return tx.SeeSignIn(r.Context(), s.ID, web.Address(r), now) })
}

// Leave signs out: the sign-in ends with the session.
func (d *Desk) Leave(r *http.Request) error {
	ctx := r.Context()
	accountID, signIn := d.Console.Account(ctx), d.Console.Kept(ctx, keptSignIn)
	if accountID != "" && signIn != "" {
		err := d.Store.Write(ctx, func(tx *store.Tx) error { return tx.EndSignIn(ctx, d.System, accountID, signIn, d.Now()) })
		if err != nil && !errors.Is(err, account.ErrSignInUnknown) {
			return err
		}
	}
	return d.Console.Leave(ctx)
}

func (d *Desk) say(ctx context.Context, key string, args ...any) {
	d.Console.Say(ctx, web.Good, web.T(ctx, key, args...))
}
