// Package operator is the console of whoever runs the platform: what the day
// closes did, what waits for a person, transfers to credit, accounts and
// workspaces, the audit log, and the clock of a sandbox. It owns pages and the
// reading of forms. It owns no rule; everything that an operator changes is
// written to the audit log in the transaction that changes it.
//
// Operators are made by the installation or by an administrator, never by
// registration. Each route states the duty that it belongs to; who has it is
// the matrix of package account. A page shows nothing that its reader may not do.
package operator

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/a-h/templ"
	"github.com/alexedwards/scs/v2"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/invoice"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/statement"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/web"
)

// Where the console lives.
const (
	Prefix = "/operator"
	Cookie = "tollgate_operator"

	signInPath = Prefix + "/sign-in"
)

// Clock is the installation's clock; that of a sandbox can be moved.
type Clock struct {
	Now     func() time.Time
	Sandbox bool
	Advance func(ctx context.Context, by time.Duration) (time.Time, error)
}

// Config is what the console is made of.
type Config struct {
	Store    *store.Store
	Sessions scs.Store
	Clock    Clock
	Real     func() time.Time // the machine's clock, by which sign-ins expire; nil is Clock.Now
	Profile  site.Profile
	Catalog  *catalog.Catalog
	BaseURL  string
	Version  string
	Limits   wallet.Limits // above which two operators credit a bank transfer

	Credentials Credentials // of clouds: what seals them, and which are in use

	Log  *slog.Logger
	Note func(r *http.Request) templ.Component // above every page; may be nil

	// Retry bills a parked workspace's day again.
	Retry func(ctx context.Context, workspaceID string, day period.Day) (bill.Bill, error)
	// Issue makes a parked statement again; it is zero where its bills are on another one by now.
	Issue func(ctx context.Context, accountID string, m period.Month) (statement.Statement, error)
	// Invoice draws an invoice request as a PDF in a language.
	Invoice func(ctx context.Context, r invoice.Request, language string) (name string, document []byte, err error)
	// Verify checks the books and keeps the verdict; no finding means that they hold.
	Verify func(ctx context.Context) ([]audit.Finding, error)
}

// Console serves the pages.
type Console struct {
	Config
	web     *web.Console
	handler http.Handler
	byLogin *web.Limiter
	byPlace *web.Limiter
}

// Bounds of guessing.
const (
	triesPerLogin = 10
	triesPerPlace = 30
	triesWindow   = 10 * time.Minute
)

// zone is the one in which the console shows instants that belong to no site.
var zone = time.UTC

// New makes the console.
func New(c Config) *Console {
	if c.Real == nil {
		c.Real = c.Clock.Now
	}
	o := &Console{Config: c}
	o.byLogin = &web.Limiter{Most: triesPerLogin, Window: triesWindow, Now: c.Clock.Now}
	o.byPlace = &web.Limiter{Most: triesPerPlace, Window: triesWindow, Now: c.Clock.Now}
	o.web = web.NewConsole(web.Options{
		Name: "operator", Prefix: Prefix, SignIn: signInPath, Cookie: Cookie, BaseURL: c.BaseURL,
		Sessions: c.Sessions, Log: c.Log, Now: c.Clock.Now, Guard: o.guard,
		Frame: func(r *http.Request) web.Frame { return o.frame(r, "", "") },
		Aside: o.colleagues,
	})
	o.web.Serve(o.Routes()...)
	o.handler = o.web.Handler()
	return o
}

// ServeHTTP serves everything below Prefix.
func (o *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) { o.handler.ServeHTTP(w, r) }

type operatorKey struct{}

// operator is who is signed in.
func operator(ctx context.Context) account.Operator {
	a, _ := ctx.Value(operatorKey{}).(account.Operator)
	return a
}

func (o *Console) signedIn(r *http.Request) (*http.Request, error) {
	ctx := r.Context()
	id := o.web.Account(ctx)
	if id == "" {
		return r, account.ErrSignedOut
	}
	var a account.Operator
	err := o.Store.Read(ctx, func(tx *store.Tx) (err error) {
		a, err = tx.OperatorByID(ctx, id)
		return err
	})
	if errors.Is(err, account.ErrUnknown) || err == nil && (a.Disabled() || o.web.Stale(ctx, a.ID, a.Password)) {
		return r, account.ErrSignedOut
	}
	if err != nil {
		return r, err
	}
	r = web.Prefer(r, a.Language)
	return r.WithContext(context.WithValue(r.Context(), operatorKey{}, a)), nil
}

var sections = []struct{ key, path, icon string }{
	{"today", "/", "activity"},
	{"search", "/search", "search"},
	{"transfers", "/transfers", "wallet"},
	{"payments", "/payments", "card"},
	{"cloud-usage", "/cloud-usage", "activity"},
	{"adjustments", "/adjustments", "swap"},
	{"certifications", "/certifications", "building"},
	{"invoices", "/invoices", "invoice"},
	{"accounts", "/accounts", "users"},
	{"codes", "/codes", "card"},
	{"workspaces", "/workspaces", "box"},
	{"catalog", "/catalog", "list"},
	{"audit", "/audit", "shield"},
	{"operators", "/operators", "user"},
	{"system", "/system", "settings"},
}

func (o *Console) frame(r *http.Request, title, section string) web.Frame {
	ctx := r.Context()
	f := web.Frame{Title: title, Console: web.T(ctx, "console.operator"), Home: Prefix + "/", Notices: o.web.Said(ctx)}
	if o.Note != nil {
		f.Note = o.Note(r)
	}
	a := operator(ctx)
	if a.ID == "" {
		f.Focused = true
		return f
	}
	f.Person = &web.Person{
		Name: a.Name, Detail: roleName(ctx, a.Role) + " · " + a.Email, SignOut: Prefix + "/sign-out",
		Links: []web.NavItem{{Label: web.T(ctx, "op.own.title"), Href: ownPath, Current: section == "account"}},
	}
	f.Nav = navigation(ctx, section)
	return f
}

func navigation(ctx context.Context, section string) []web.NavItem {
	items := make([]web.NavItem, len(sections))
	for i, s := range sections {
		items[i] = web.NavItem{Label: web.T(ctx, "op.nav."+s.key), Href: Prefix + s.path, Icon: s.icon, Current: s.key == section}
	}
	return items
}

func (o *Console) say(ctx context.Context, tone web.Tone, key string, args ...any) {
	o.web.Say(ctx, tone, web.T(ctx, key, args...))
}
