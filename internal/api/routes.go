package api

import (
	"net/http"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/workspace"
)

const (
	get    = http.MethodGet
	post   = http.MethodPost
	put    = http.MethodPut
	patch  = http.MethodPatch
	remove = http.MethodDelete
)

const (
	ok       = http.StatusOK
	created  = http.StatusCreated
	accepted = http.StatusAccepted
)

// routes is the table of all calls: method, path, whose sign-in it needs, and
// in a workspace what its member must be allowed.
func (s *server) routes() []route {
	var all []route
	for _, part := range [][]route{
		s.topUps(),
		s.signIns(), s.holders(), s.teams(), s.workspaces(), s.spending(), s.analyses(), s.upgrades(),
		s.billingCenter(), s.transferring(), s.adjustments(), s.purse(), s.vouchers(), s.statements(), s.packages(),
		s.operations(), s.standings(), s.catalogue(), s.prices(),
		s.keys(), s.reported(), s.readings(), s.accountReadings(), s.certifications(), s.invoices(), s.deductions(), s.deductionKeys(),
	} {
		all = append(all, part...)
	}
	return all
}

func line(method, path string, console Console, action workspace.Action, id, summary string) Route {
	return Route{Method: method, Path: path, Console: console, Action: action, ID: id, Summary: summary}
}

// onDuty is a call of the operator's console, open to the roles that have the
// duty.
func onDuty(method, path string, d account.Duty, id, summary string) Route {
	return Route{Method: method, Path: path, Console: Operator, Duty: d, ID: id, Summary: summary}
}

func (s *server) signIns() []route {
	const anybody = Console("")
	const studio, billing = "/studio/registrations", "/billing-center/registrations"
	return []route{
		reads(line(get, "/sites", anybody, "", "list-sites", "Sites where a team may register"), listSites),

		outside(line(post, studio, anybody, "", "begin-studio-registration", "Begin a Studio account; a code is mailed"), created, s.beginStudio),
		writes(line(post, studio+"/{registration_id}/code", anybody, "", "resend-studio-code", "Mail another code"), accepted, resend(account.StudioSystem)),
		writes(line(post, studio+"/{registration_id}/verification", anybody, "", "verify-studio-registration", "Enter the mailed code"), ok, verify(account.StudioSystem)),
		writes(line(post, studio+"/{registration_id}/account", anybody, "", "finish-studio-registration", "Enter the company: the account exists"), created, finishStudio),
		outside(line(post, "/studio/sessions", anybody, "", "sign-in-studio", "Sign in to Studio"), created, s.signInStudio),
		removes(line(remove, "/studio/sessions", Studio, "", "sign-out-studio", "Sign out of Studio"), s.signOut),
		reads(line(get, "/studio/account", Studio, "", "show-studio-account", "The account that is signed in"), showStudio),

		outside(line(post, billing, anybody, "", "begin-billing-registration", "Begin a Billing Center account; a code is mailed"), created, s.beginBilling),
		writes(line(post, billing+"/{registration_id}/code", anybody, "", "resend-billing-code", "Mail another code"), accepted, resend(account.BillingSystem)),
		writes(line(post, billing+"/{registration_id}/verification", anybody, "", "verify-billing-registration", "Enter the mailed code"), ok, verify(account.BillingSystem)),
		writes(line(post, billing+"/{registration_id}/account", anybody, "", "finish-billing-registration", "Enter the company: the account exists"), created, finishBilling),
		outside(line(post, "/billing-center/sessions", anybody, "", "sign-in-billing-center", "Sign in to the Billing Center"), created, s.signInBilling),
		removes(line(remove, "/billing-center/sessions", BillingCenter, "", "sign-out-billing-center", "Sign out of the Billing Center"), s.signOut),

		outside(line(post, "/operator/sessions", anybody, "", "sign-in-operator", "Sign in to the operator's console"), created, s.signInOperator),
		removes(onDuty(remove, "/operator/sessions", account.Look, "sign-out-operator", "Sign out of the operator's console"), s.signOut),
	}
}

func (s *server) workspaces() []route {
	const one = "/workspaces/{workspace_id}"
	return []route{
		reads(line(get, "/workspaces", Studio, "", "list-workspaces", "Your workspaces"), listWorkspaces),
		writes(line(post, "/workspaces", Studio, "", "create-workspace", "Start an Experience workspace"), created, createWorkspace),
		reads(line(get, one, Studio, workspace.ViewData, "show-workspace", "A workspace"), showWorkspace),
		writes(line(patch, one, Studio, workspace.ChangeName, "rename-workspace", "Change name or language"), ok, renameWorkspace),
		reads(line(get, one+"/members", Studio, workspace.ViewMembers, "list-members", "Its members"), listMembers),
		writes(line(post, one+"/members", Studio, workspace.InviteMembers, "add-member", "Add a member; making an Administrator needs the right to manage"), created, addMember),
		writes(line(patch, one+"/members/{account_id}", Studio, workspace.ManageMembers, "change-role", "Give a member another role"), ok, changeRole),
		removes(line(remove, one+"/members/{account_id}", Studio, workspace.ViewMembers, "remove-member", "Leave; removing somebody else needs the right to manage"), removeMember),
		reads(line(get, one+"/token", Studio, workspace.ViewToken, "show-token", "The token that collectors report with"), showToken),
		writes(line(post, one+"/token", Studio, workspace.ManageToken, "replace-token", "Replace the token; the old one works for 24 hours"), created, replaceToken),
		reads(line(get, one+"/notices", Studio, workspace.ViewData, "list-notices", "Notices of the last 30 days, the newest first"), listNotices),
		reads(line(get, one+"/usage", Studio, workspace.ViewBilling, "show-usage", "What was used today, with the quotas"), s.showUsage),
		outside(line(get, one+"/records", Studio, workspace.ViewData, "list-records", "What was collected, the newest first"), ok, s.listRecords),
		reads(line(get, one+"/bills", Studio, workspace.ViewBilling, "list-bills", "Its bills, the newest first"), listBills),
		reads(line(get, one+"/bills/{bill_id}", Studio, workspace.ViewBilling, "show-bill", "A bill, line by line"), s.showBill),
		reads(line(get, one+"/bills/{bill_id}/explain", Studio, workspace.ViewBilling, "explain-bill", "How each line came about, from its hours to what paid it"), s.explainBill),
		reads(line(get, one+"/month-to-date", Studio, workspace.ViewBilling, "show-month", "What the month comes to so far, and is expected to come to"), s.showMonth),
		reads(line(get, one+"/settlement", Studio, workspace.PayBilling, "show-settlement", "Who settles it, and who may"), s.showSettlement),
		writes(line(put, one+"/settlement", Studio, workspace.PayBilling, "change-settlement", "Change who settles it"), ok, s.changeSettlement),
		reads(line(get, one+"/retention", Studio, workspace.ViewData, "show-retention", "For how long its data is kept"), s.showRetention),
		reads(line(get, one+"/log-rules", Studio, workspace.ViewData, "show-log-rules", "Which of its logs go into which index"), showLogRules),
		writes(line(put, one+"/log-rules", Studio, workspace.ChangeRetention, "replace-log-rules", "Send its logs into other indexes from now on"), ok, replaceLogRules),
		reads(line(get, one+"/standing", Studio, workspace.UnlockWorkspace, "show-standing", "What stops it, since when, until when"), showStanding),
		writes(line(post, one+"/dissolve", Studio, workspace.DissolveWorkspace, "dissolve-workspace", "End it; its data goes after seven days"), ok, dissolveWorkspace),
		writes(line(put, one+"/retention", Studio, workspace.ChangeRetention, "change-retention", "Keep a type of data for another time: the first change of a day acts at once, the last of the others at midnight"), ok, s.changeRetention),
		reads(line(get, one+"/balance", Studio, workspace.PayBilling, "show-balance", "What its payer has"), showBalance),
	}
}

// spending is what a workspace costs, would cost, and when to warn of it.
func (s *server) spending() []route {
	const one = "/workspaces/{workspace_id}"
	return []route{
		readsNamed(line(get, one+"/cost-preview", Studio, workspace.UpgradePlan, "preview-cost", "What the last days would have cost on the Commercial plan"), previewParams(), s.showPreview),
		reads(line(get, one+"/alerts", Studio, workspace.ViewBilling, "show-alerts", "Its high-consumption alerts"), showAlerts),
		writes(line(put, one+"/alerts", Studio, workspace.ViewBilling, "replace-alerts", "Set its high-consumption alerts, all at once"), ok, s.replaceAlerts),
	}
}

func (s *server) upgrades() []route {
	const one = "/workspaces/{workspace_id}/upgrade"
	const may = workspace.UpgradePlan
	return []route{
		reads(line(get, one, Studio, may, "show-upgrade", "How far the upgrade has come"), showUpgrade),
		writes(line(put, one+"/account", Studio, may, "name-billing-account", "Name the Billing Center account"), ok, nameAccount),
		writes(line(post, one+"/code", Studio, may, "mail-upgrade-code", "Have a code mailed to its address"), accepted, mailCode),
		writes(line(post, one+"/proof", Studio, may, "prove-billing-account", "Enter the mailed code"), ok, proveCode),
		reads(line(get, one+"/agreement", Studio, may, "show-agreement", "The opening agreement"), showAgreement),
		writes(line(put, one+"/agreement", Studio, may, "agree", "Agree to it"), ok, agree),
		once(line(post, one, Studio, may, "upgrade", "Become Commercial; nothing leads back"), ok, s.confirmUpgrade),
	}
}

func (s *server) billingCenter() []route {
	const bindings = "/billing-center/bindings"
	return []route{
		reads(line(get, "/billing-center/balance", BillingCenter, "", "show-own-balance", "What the account has"), showOwnBalance),
		reads(line(get, "/billing-center/workspaces", BillingCenter, "", "list-paid-workspaces", "The workspaces that the account pays for"), listPaidWorkspaces),
		reads(line(get, "/billing-center/bills", BillingCenter, "", "list-paid-bills", "Their bills, the newest first"), listPaidBills),
		reads(line(get, "/billing-center/bills/{bill_id}", BillingCenter, "", "show-paid-bill", "A bill, line by line"), s.showPaidBill),
		reads(line(get, "/billing-center/bills/{bill_id}/explain", BillingCenter, "", "explain-paid-bill", "How each line came about, from its hours to what paid it"), s.explainPaidBill),
		reads(line(get, "/billing-center/entries", BillingCenter, "", "list-entries", "Income and expense, the newest first"), listEntries),
		reads(line(get, "/billing-center/account", BillingCenter, "", "show-billing-account", "The account that is signed in"), showBilling),
		reads(line(get, "/billing-center/agreement", BillingCenter, "", "show-binding-agreement", "The opening agreement"), showBindingAgreement),
		writes(line(post, bindings, BillingCenter, "", "bind-workspace", "Name a workspace to pay for; a code is mailed to its Owner"), created, bindWorkspace),
		reads(line(get, bindings+"/{workspace_id}", BillingCenter, "", "show-binding", "How far the binding has come"), showBinding),
		writes(line(post, bindings+"/{workspace_id}/proof", BillingCenter, "", "prove-binding", "Enter the code mailed to the Owner"), ok, proveBinding),
		writes(line(put, bindings+"/{workspace_id}/agreement", BillingCenter, "", "agree-binding", "Agree to the opening agreement"), ok, agreeBinding),
		once(line(post, bindings+"/{workspace_id}", BillingCenter, "", "confirm-binding", "Bind: the workspace becomes Commercial; nothing leads back"), ok, s.confirmBinding),
	}
}

func (s *server) operations() []route {
	return []route{
		reads(onDuty(get, "/operator/verify", account.VerifyBooks, "verify-books", "Check the books; sound ones have no finding"), s.verifyBooks),
		reads(onDuty(get, "/operator/clock", account.Look, "show-clock", "The installation's time"), s.showClock),
		outside(onDuty(post, "/operator/clock", account.MoveClock, "move-clock", "Move a sandbox's time forward: 36h, 14d, 1mo"), ok, s.moveClock),
	}
}
