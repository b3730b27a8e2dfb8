package billingcenter

import (
	"net/http"
	"slices"

	"tollgate.dev/internal/web"
)

// Routes is the console on one screen.
func (b *Console) Routes() []web.Route {
	get := func(path string, needs web.Need, h web.Handler) web.Route {
		return web.Route{Method: http.MethodGet, Pattern: Prefix + path, Needs: needs, Handler: h}
	}
	post := func(path string, needs web.Need, h web.Handler) web.Route {
		return web.Route{Method: http.MethodPost, Pattern: Prefix + path, Needs: needs, Handler: h}
	}
	return slices.Concat(b.payments(), []web.Route{
		get("/sign-in", web.Public, b.signInPage),
		post("/sign-in", web.Public, b.signIn),
		post("/sign-out", web.Public, b.signOut),
		get("/enter", web.Public, b.enterByTicket),

		get("/register", web.Public, b.registerPage),
		post("/register", web.Public, b.register),
		get("/register/verify", web.Public, b.verifyPage),
		post("/register/verify", web.Public, b.verify),
		post("/register/resend", web.Public, b.resend),
		get("/register/company", web.Public, b.companyPage),
		post("/register/company", web.Public, b.company),
		get("/register/done", web.SignedIn, b.registeredPage),

		get("/{$}", web.SignedIn, b.overviewPage),

		get("/recharge", web.SignedIn, b.rechargePage),
		post("/recharge", web.SignedIn, b.recharge),
		get("/recharge/{transfer}", web.SignedIn, b.transferPage),
		post("/recharge/{transfer}/slips", web.SignedIn, b.addSlip),
		get("/recharge/{transfer}/slips/{slip}", web.SignedIn, b.transferSlip),

		get("/workspaces", web.SignedIn, b.workspacesPage),
		get("/workspaces.csv", web.SignedIn, b.workspacesCSV),
		get("/workspaces/bind", web.SignedIn, b.bindPage),
		post("/workspaces/bind", web.SignedIn, b.bind),
		get("/workspaces/{workspace}/bind", web.SignedIn, b.bindCodePage),
		post("/workspaces/{workspace}/bind", web.SignedIn, b.bindCode),
		post("/workspaces/{workspace}/bind/resend", web.SignedIn, b.bindResend),
		get("/workspaces/{workspace}/agreement", web.SignedIn, b.bindAgreementPage),
		post("/workspaces/{workspace}/agreement", web.SignedIn, b.bindAgreement),
		get("/workspaces/{workspace}/confirm", web.SignedIn, b.bindConfirmPage),
		post("/workspaces/{workspace}/confirm", web.SignedIn, b.bindConfirm),
		get("/workspaces/{workspace}/opened", web.SignedIn, b.openedPage),
		get("/workspaces/{workspace}/settlement", web.SignedIn, b.settlementPage),
		post("/workspaces/{workspace}/settlement", web.SignedIn, b.settlement),
		get("/workspaces/{workspace}/standing", web.SignedIn, b.standingPage),
		post("/workspaces/{workspace}/unlock", web.SignedIn, b.unlock),

		get("/statements", web.SignedIn, b.statementsPage),
		get("/statements/{statement}", web.SignedIn, b.statementPage),
		get("/statements/{statement}/statement.csv", web.SignedIn, b.statementCSV),
		get("/statements/{statement}/statement.pdf", web.SignedIn, b.statementPDF),
		get("/consumption", web.SignedIn, b.consumptionPage),
		get("/consumption.csv", web.SignedIn, b.consumptionCSV),

		get("/bills", web.SignedIn, b.billsPage),
		get("/bills.csv", web.SignedIn, b.billsCSV),
		get("/bills/{bill}", web.SignedIn, b.billPage),
		get("/bills/{bill}/lines.csv", web.SignedIn, b.billCSV),
		get("/bills/{bill}/lines/{line}", web.SignedIn, b.explainPage),
		get("/movements", web.SignedIn, b.movementsPage),
		get("/movements.csv", web.SignedIn, b.movementsCSV),
	}, b.keyRoutes(), b.certifications(), b.invoices(), b.packageRoutes(), b.desk.Routes(), b.purse(), b.messages(), b.takeOvers(), b.dissolutions(), b.cloudRoutes())
}
