// Package billingcenter is the payer's console: registration and sign-in of
// Billing Center accounts, what they owe and own, their workspaces, bills and
// movements of money. It owns pages and the reading of forms. It owns no rule:
// every change is one call of a noun inside one transaction.
//
// Always true: a page shows what belongs to the account that is signed in;
// another account's workspace, bill or transfer is as unknown as one that does
// not exist.
package billingcenter

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/a-h/templ"
	"github.com/alexedwards/scs/v2"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/arrears"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/holder"
	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/marketplace/huawei"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/topup"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/workspace"
)

// Where the console lives.
const (
	Prefix = "/billing-center"
	Cookie = "tollgate_billing"

	signInPath = Prefix + "/sign-in"
)

// Config is what the console is made of.
type Config struct {
	Store       *store.Store
	Sessions    scs.Store
	Now         func() time.Time // the installation's clock
	Real        func() time.Time // the machine's clock; nil is Now
	Profile     site.Profile
	BaseURL     string
	Log         *slog.Logger
	Beneficiary Beneficiary
	Catalog     *catalog.Catalog
	Topups      *topup.Desk                           // its channels are offered beside the bank transfer
	Clouds      *marketplace.Desk                     // the marketplaces that settle
	Cards       *huawei.Market                        // on which stored-value cards are sold; nil: on none
	Simulated   bool                                  // the channels are stand-ins, which the pages say
	Note        func(r *http.Request) templ.Component // above every page, such as the sandbox clock; may be nil
}

// Beneficiary is the operator's bank account, to which payers transfer money.
type Beneficiary struct {
	Holder string
	Bank   string
	Number string
}

// Console serves the pages.
type Console struct {
	Config
	web     *web.Console
	desk    *holder.Desk // of the account itself
	handler http.Handler
	byLogin *web.Limiter // wrong passwords per login
	byPlace *web.Limiter // and per address
}

// Bounds of guessing: per login and, for many logins, per address.
const (
	triesPerLogin = 10
	triesPerPlace = 60
	triesWindow   = 10 * time.Minute
)

// New makes the console.
func New(c Config) *Console {
	b := &Console{Config: c}
	b.byLogin = &web.Limiter{Most: triesPerLogin, Window: triesWindow, Now: c.Now}
	b.byPlace = &web.Limiter{Most: triesPerPlace, Window: triesWindow, Now: c.Now}
	b.web = web.NewConsole(web.Options{
		Name: "billing_center", Prefix: Prefix, SignIn: signInPath, Cookie: Cookie, BaseURL: c.BaseURL,
		Sessions: c.Sessions, Log: c.Log, Now: c.Now, Guard: b.guard,
		Frame: func(r *http.Request) web.Frame { return b.frame(r, "", "") },
	})
	b.desk = b.openDesk()
	b.web.Serve(b.Routes()...)
	b.handler = b.web.Handler()
	return b
}

// ServeHTTP serves everything below Prefix.
func (b *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) { b.handler.ServeHTTP(w, r) }

type payerKey struct{}

// payer is the account that is signed in.
func payer(ctx context.Context) account.Billing {
	a, _ := ctx.Value(payerKey{}).(account.Billing)
	return a
}

// guard finds out who is signed in. Rights within the console are not graded:
// the holder of the account may do everything with what is the account's.
func (b *Console) guard(r *http.Request, needs web.Need) (*http.Request, error) {
	known, err := b.signedIn(r)
	if err == nil || needs == web.Public && (errors.Is(err, account.ErrSignedOut) || errors.Is(err, account.ErrDisabled)) {
		return known, nil
	}
	return known, err
}

func (b *Console) signedIn(r *http.Request) (*http.Request, error) {
	ctx := r.Context()
	id := b.web.Account(ctx)
	if id == "" {
		return r, account.ErrSignedOut
	}
	var a account.Billing
	var here account.SignIn
	var standing arrears.Standing
	var told int
	err := b.Store.Read(ctx, func(tx *store.Tx) (err error) {
		if a, err = tx.BillingByID(ctx, id); err != nil {
			return err
		}
		if standing, err = arrears.LookPayer(ctx, tx, a); err != nil {
			return err
		}
		if here, err = b.desk.Present(ctx, tx, a.ID, a.Password); err != nil {
			return err
		}
		told, err = tx.UnreadMessages(ctx, a.ID)
		return err
	})
	switch {
	case errors.Is(err, account.ErrUnknown):
		return r, account.ErrSignedOut
	case err != nil:
		return r, err
	case a.Disabled:
		return web.Prefer(r, a.Language), account.ErrDisabled
	}
	if err := b.desk.Saw(r, here); err != nil {
		return r, err
	}
	r = web.Prefer(r, a.Language)
	ctx = context.WithValue(r.Context(), standingKey{}, standing)
	ctx = context.WithValue(ctx, payerKey{}, a)
	return r.WithContext(context.WithValue(ctx, unreadKey{}, told)), nil
}

// actor is who does something, and from where.
func actor(r *http.Request) workspace.Actor {
	return workspace.Actor{AccountID: payer(r.Context()).ID, Address: web.Address(r)}
}

// sections are the lines of the navigation.
var sections = []struct{ key, path, icon string }{
	{"overview", "/", "activity"},
	{"wallet", "/wallet", "card"},
	{"recharge", "/recharge", "wallet"},
	{"workspaces", "/workspaces", "box"},
	{"clouds", "/clouds", "globe"},
	{"packages", "/packages", "shield"},
	{"statements", "/statements", "calendar"},
	{"bills", "/bills", "receipt"},
	{"consumption", "/consumption", "list"},
	{"movements", "/movements", "swap"},
	{"invoices", "/invoices", "invoice"},
	{"messages", "/messages", "mail"},
	{"account", "/account", "user"},
}

// frame is what stands around a page of the section.
func (b *Console) frame(r *http.Request, title, section string) web.Frame {
	ctx := r.Context()
	f := web.Frame{Title: title, Console: web.T(ctx, "console.billing_center"), Home: Prefix + "/", Notices: b.web.Said(ctx)}
	if b.Note != nil {
		f.Note = b.Note(r)
	}
	a := payer(ctx)
	if a.ID == "" {
		f.Focused = true
		return f
	}
	f.Person = &web.Person{Name: a.UserName, Detail: a.Profile.Company, SignOut: Prefix + "/sign-out"}
	f.Nav = navigation(ctx, section)
	f.Notices = append(f.Notices, b.stopped(ctx, a)...)
	return f
}

func navigation(ctx context.Context, section string) []web.NavItem {
	items := make([]web.NavItem, len(sections))
	for i, s := range sections {
		items[i] = web.NavItem{Label: web.T(ctx, "bc.nav."+s.key), Href: Prefix + s.path, Icon: s.icon, Current: s.key == section}
		if n := unread(ctx); s.key == "messages" && n > 0 {
			items[i].Badge, items[i].Tone = strconv.Itoa(min(n, mostUnread)), web.Accent
		}
	}
	return items
}

// zoneOf is the zone in which an account's own times are shown. Its days are
// those of the sites; the two Billing Centers keep one zone each.
func zoneOf(c money.Currency) *time.Location {
	if c == money.CNY {
		s, err := site.Find("cn1")
		if err != nil {
			panic("billingcenter: " + err.Error())
		}
		return s.Zone
	}
	return time.UTC
}

// say leaves a sentence for the next page.
func (b *Console) say(ctx context.Context, key string, args ...any) {
	b.web.Say(ctx, web.Good, web.T(ctx, key, args...))
}
