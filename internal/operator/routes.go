package operator

import (
	"net/http"
	"slices"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/web"
)

// Routes is the console on one screen: each page and form with the duty that
// it belongs to.
func (o *Console) Routes() []web.Route {
	get := func(path string, d account.Duty, h web.Handler) web.Route {
		return web.Route{Method: http.MethodGet, Pattern: Prefix + path, Needs: needs(d), Handler: h}
	}
	post := func(path string, d account.Duty, h web.Handler) web.Route {
		return web.Route{Method: http.MethodPost, Pattern: Prefix + path, Needs: needs(d), Handler: h}
	}
	return slices.Concat(o.payments(), o.cloudUsage(), []web.Route{
		{Method: http.MethodGet, Pattern: signInPath, Needs: web.Public, Handler: o.signInPage},
		{Method: http.MethodPost, Pattern: signInPath, Needs: web.Public, Handler: o.signIn},
		{Method: http.MethodPost, Pattern: Prefix + "/sign-out", Needs: web.Public, Handler: o.signOut},

		get("/{$}", account.Look, o.todayPage),
		post("/verify", account.VerifyBooks, o.verify),
		post("/parked/{workspace}/{day}/retry", account.RetryWork, o.retryParked),
		post("/statements/{account}/{month}/retry", account.RetryWork, o.retryStatement),
		post("/jobs/{job}/retry", account.RetryWork, o.retryJob),
		get("/search", account.Look, o.searchPage),
		post("/mails/{mail}/retry", account.RetryWork, o.retryMail),

		get("/accounts", account.Look, o.accountsPage),
		get("/accounts.csv", account.Look, o.accountsCSV),
		get("/accounts/{account}", account.Look, o.accountPage),
		post("/accounts/{account}/settlement", account.SwitchAccounts, o.switchSettlement),
		post("/accounts/{account}/disabled", account.SwitchAccounts, o.switchDisabled),

		post("/accounts/{account}/currency", account.SwitchAccounts, o.changeCurrency),

		get("/accounts/{account}/prices", account.Look, o.pricesPage),
		post("/accounts/{account}/prices", account.KeepPrices, o.agreePrice),
		post("/accounts/{account}/prices/{price}/end", account.KeepPrices, o.endPrice),

		get("/accounts/{account}/discounts", account.Look, o.discountsPage),
		post("/accounts/{account}/discounts", account.KeepPrices, o.grantDiscount),
		post("/accounts/{account}/discounts/{item}/end", account.KeepPrices, o.endDiscount),

		get("/catalog", account.Look, o.catalogPage),
		get("/catalog/new", account.KeepPrices, o.newVersionPage),
		post("/catalog/new", account.KeepPrices, o.addVersion),
		get("/catalog/versions/{version}", account.Look, o.versionPage),
		post("/catalog/versions/{version}/remove", account.KeepPrices, o.removeVersion),
		get("/catalog/versions/{version}/what-if", account.Look, o.whatIfPage),
		get("/catalog/versions/{version}/what-if.csv", account.Look, o.whatIfCSV),

		get("/workspaces", account.Look, o.workspacesPage),
		get("/workspaces.csv", account.Look, o.workspacesCSV),
		get("/workspaces/{workspace}", account.Look, o.workspacePage),
		post("/workspaces/{workspace}/grant", account.UnlockWorkspaces, o.grant),
		post("/workspaces/{workspace}/log-count", account.KeepPrices, o.countLogs),

		get("/audit", account.Look, o.auditPage),
		get("/audit.csv", account.Look, o.auditCSV),
		get("/system", account.Look, o.systemPage),
		post("/system/clock", account.MoveClock, o.advance),
	}, o.transferRoutes(), o.certifications(), o.invoices(), o.vouchers(), o.sources(), o.adjustments(), o.staff(), o.serviceKeys(), o.credentials())
}
