package studio

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/a-h/templ"
	"github.com/alexedwards/scs/v2"

	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/holder"
	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/sink"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/workspace"
)

// Prefix is where the pages live.
const Prefix = "/studio"

// Options make the console.
type Options struct {
	Store    *store.Store
	Sessions scs.Store
	Records  sink.Sink
	Catalog  *catalog.Catalog
	Profile  site.Profile
	Clouds   *marketplace.Desk // the marketplaces that settle
	BaseURL  string            // of the consoles
	Gateway  string            // the address that collectors report to
	Log      *slog.Logger
	Now      func() time.Time
	Real     func() time.Time // the machine's clock; nil is Now
	Note     templ.Component  // above every page: the sandbox clock; may be nil
}

// Console serves Studio.
type Console struct {
	*web.Console
	options Options
	store   *store.Store
	now     func() time.Time
	logins  *web.Limiter
	desk    *holder.Desk // of the account itself
}

// How many wrong passwords an address or an account may have.
const (
	loginTries  = 10
	loginWindow = 5 * time.Minute
)

// New makes the console with its routes.
func New(o Options) *Console {
	c := &Console{options: o, store: o.Store, now: o.Now, logins: &web.Limiter{Most: loginTries, Window: loginWindow, Now: o.Now}}
	c.Console = web.NewConsole(web.Options{
		Name: "studio", Prefix: Prefix, SignIn: Prefix + "/sign-in", Cookie: "tollgate_studio", BaseURL: o.BaseURL,
		Sessions: o.Sessions, Log: o.Log, Now: o.Now, Guard: c.guard, Frame: c.problemFrame, Aside: c.aside, Page: c.lockPage,
	})
	c.desk = c.openDesk()
	c.Serve(c.desk.Routes()...)
	c.Serve(c.accountRoutes()...)
	c.Serve(c.workspaceRoutes()...)
	c.Serve(c.teamRoutes()...)
	c.Serve(c.rebindRoutes()...)
	c.Serve(c.upgradeRoutes()...)
	c.Serve(c.retentionRoutes()...)
	c.Serve(c.keyRoutes()...)
	c.Serve(c.standingRoutes()...)
	return c
}

// accountRoutes are those without a workspace.
func (c *Console) accountRoutes() []web.Route {
	return []web.Route{
		{Method: "GET", Pattern: "/studio/{$}", Needs: web.SignedIn, Handler: c.home},
		{Method: "GET", Pattern: "/studio", Needs: web.Public, Handler: c.toHome},
		{Method: "GET", Pattern: "/studio/sign-in", Needs: web.Public, Handler: c.showSignIn},
		{Method: "POST", Pattern: "/studio/sign-in", Needs: web.Public, Handler: c.signIn},
		{Method: "POST", Pattern: "/studio/sign-out", Needs: web.Public, Handler: c.signOut},
		{Method: "GET", Pattern: "/studio/sign-up", Needs: web.Public, Handler: c.showBasics},
		{Method: "POST", Pattern: "/studio/sign-up", Needs: web.Public, Handler: c.begin},
		{Method: "GET", Pattern: "/studio/sign-up/verify", Needs: web.Public, Handler: c.showVerify},
		{Method: "POST", Pattern: "/studio/sign-up/verify", Needs: web.Public, Handler: c.verify},
		{Method: "POST", Pattern: "/studio/sign-up/resend", Needs: web.Public, Handler: c.resend},
		{Method: "GET", Pattern: "/studio/sign-up/company", Needs: web.Public, Handler: c.showCompany},
		{Method: "POST", Pattern: "/studio/sign-up/company", Needs: web.Public, Handler: c.finish},
		{Method: "GET", Pattern: "/studio/workspaces/new", Needs: web.SignedIn, Handler: c.showCreate},
		{Method: "POST", Pattern: "/studio/workspaces", Needs: web.SignedIn, Handler: c.create},
	}
}

// of is a route of one workspace and the action that it needs.
func of(method, tail string, needs workspace.Action, h web.Handler) web.Route {
	return web.Route{Method: method, Pattern: "/studio/workspaces/{workspace}" + tail, Needs: web.Need(needs), Handler: h}
}

func (c *Console) workspaceRoutes() []web.Route {
	return []web.Route{
		of("GET", "", workspace.ViewData, c.enter),
		of("GET", "/start", workspace.ViewData, c.start),
		of("GET", "/start/light", workspace.ViewData, c.light),
		of("POST", "/token", workspace.ManageToken, c.replaceToken),
		of("GET", "/explorer", workspace.ViewData, c.explorer),
		of("GET", "/billing", workspace.ViewBilling, c.billing),
		of("GET", "/billing/bills", workspace.ViewBilling, c.bills),
		of("GET", "/billing/bills/{day}", workspace.ViewBilling, c.bill),
		of("GET", "/billing/bills/{day}/lines/{line}", workspace.ViewBilling, c.explain),
		of("GET", "/analysis", workspace.ViewBilling, c.analysis),
		of("GET", "/analysis/csv", workspace.ViewBilling, c.analysisCSV),
		of("GET", "/alerts", workspace.ViewBilling, c.alerts),
		of("POST", "/alerts", workspace.ViewBilling, c.setAlert),
		of("POST", "/alerts/{item}/remove", workspace.ViewBilling, c.removeAlert),
		of("POST", "/billing-center", workspace.PayBilling, c.jump),
		of("GET", "/settlement", workspace.PayBilling, c.settlement),
		of("GET", "/notices", workspace.ViewData, c.notices),
		of("GET", "/settings", workspace.ViewData, c.settings),
		of("POST", "/settings", workspace.ChangeName, c.rename),
		of("POST", "/members", workspace.InviteMembers, c.join),
		of("POST", "/members/{account}/role", workspace.ManageMembers, c.changeRole),
		of("POST", "/members/{account}/remove", workspace.ManageMembers, c.remove),
		of("POST", "/leave", workspace.ViewMembers, c.leave),
	}
}

func (c *Console) upgradeRoutes() []web.Route {
	return []web.Route{
		of("GET", "/upgrade", workspace.UpgradePlan, c.plans),
		of("GET", "/upgrade/bind", workspace.UpgradePlan, c.showBind),
		of("POST", "/upgrade/name", workspace.UpgradePlan, c.name),
		of("POST", "/upgrade/mail", workspace.UpgradePlan, c.mail),
		of("POST", "/upgrade/prove", workspace.UpgradePlan, c.prove),
		of("GET", "/upgrade/agreement", workspace.UpgradePlan, c.showAgreement),
		of("POST", "/upgrade/agreement", workspace.UpgradePlan, c.agree),
		of("GET", "/upgrade/confirm", workspace.UpgradePlan, c.showConfirm),
		of("POST", "/upgrade/confirm", workspace.UpgradePlan, c.confirm),
		of("GET", "/upgrade/done", workspace.UpgradePlan, c.done),
	}
}

func (c *Console) toHome(w http.ResponseWriter, r *http.Request) error {
	return web.SeeOther(w, r, Prefix+"/")
}
