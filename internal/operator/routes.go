package operator

import (
	"net/http"
	"slices"

	"tollgate.dev/internal/web"
)

// Routes is the console on one screen.
func (o *Console) Routes() []web.Route {
	get := func(path string, needs web.Need, h web.Handler) web.Route {
		return web.Route{Method: http.MethodGet, Pattern: Prefix + path, Needs: needs, Handler: h}
	}
	post := func(path string, needs web.Need, h web.Handler) web.Route {
		return web.Route{Method: http.MethodPost, Pattern: Prefix + path, Needs: needs, Handler: h}
	}
	return slices.Concat([]web.Route{
		get("/sign-in", web.Public, o.signInPage),
		post("/sign-in", web.Public, o.signIn),
		post("/sign-out", web.Public, o.signOut),

		get("/{$}", web.SignedIn, o.todayPage),
		post("/verify", web.SignedIn, o.verify),
		post("/parked/{workspace}/{day}/retry", web.SignedIn, o.retryParked),
		post("/statements/{account}/{month}/retry", web.SignedIn, o.retryStatement),
		post("/mails/{mail}/retry", web.SignedIn, o.retryMail),

		get("/transfers", web.SignedIn, o.transfersPage),
		get("/transfers/{transfer}", web.SignedIn, o.transferPage),
		post("/transfers/{transfer}/credit", web.SignedIn, o.creditTransfer),
		post("/transfers/{transfer}/reject", web.SignedIn, o.rejectTransfer),

		get("/accounts", web.SignedIn, o.accountsPage),
		get("/accounts/{account}", web.SignedIn, o.accountPage),
		post("/accounts/{account}/settlement", web.SignedIn, o.switchSettlement),
		post("/accounts/{account}/disabled", web.SignedIn, o.switchDisabled),

		get("/accounts/{account}/prices", web.SignedIn, o.pricesPage),
		post("/accounts/{account}/prices", web.SignedIn, o.agreePrice),
		post("/accounts/{account}/prices/{price}/end", web.SignedIn, o.endPrice),

		get("/catalog", web.SignedIn, o.catalogPage),
		get("/catalog/new", web.SignedIn, o.newVersionPage),
		post("/catalog/new", web.SignedIn, o.addVersion),
		get("/catalog/versions/{version}", web.SignedIn, o.versionPage),
		post("/catalog/versions/{version}/remove", web.SignedIn, o.removeVersion),
		get("/catalog/versions/{version}/what-if", web.SignedIn, o.whatIfPage),
		get("/catalog/versions/{version}/what-if.csv", web.SignedIn, o.whatIfCSV),

		get("/workspaces", web.SignedIn, o.workspacesPage),
		get("/workspaces/{workspace}", web.SignedIn, o.workspacePage),
		post("/workspaces/{workspace}/grant", web.SignedIn, o.grant),

		get("/audit", web.SignedIn, o.auditPage),
		get("/system", web.SignedIn, o.systemPage),
		post("/system/clock", web.SignedIn, o.advance),
	}, o.certifications(), o.invoices(), o.vouchers())
}
