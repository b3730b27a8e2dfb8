package operator

import (
	"context"
	"io"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/a-h/templ"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/arrears"
	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/job"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/notify"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/quantity"
	"tollgate.dev/internal/retention"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/statement"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/upgrade"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/web/gallery"
	"tollgate.dev/internal/workspace"
)

var (
	noon = time.Date(2026, 3, 12, 4, 0, 0, 0, time.UTC)
	acme = account.Billing{
		ID: "bcac_0123456789abcdefghijklmnopqrstuv", UserName: "acme-pay", Email: "finance@acme.example", Currency: money.CNY,
		Profile: account.Profile{Company: "Acme Commerce Ltd"}, CreatedAt: noon.AddDate(0, -3, 0), ArbitrarySettlement: true,
	}
	blocked = account.Billing{ID: "bcac_1", UserName: "blocked", Email: "b@blocked.example", Currency: money.USD, Profile: account.Profile{Company: "Blocked Inc"}, Disabled: true, CreatedAt: noon}
	owner   = account.Studio{ID: "acnt_1", UserName: "lin", Email: "lin@shop.example"}
	shop    = workspace.Workspace{
		ID: "wksp_7f3k2m9q0x4v8b1n6c5z7a2s4d9g0h1j", Site: "cn1", Name: "shop", Plan: workspace.Commercial, Generation: 2, State: workspace.Grace,
		Payer: acme.ID, Settlement: site.BillingCenter, CreatedAt: noon.AddDate(0, -2, 0), UpgradedAt: noon.AddDate(0, 0, -10),
	}
	trial = workspace.Workspace{ID: "wksp_2", Site: "us1", Name: "trial", Plan: workspace.Experience, Generation: 1, State: workspace.Normal, CreatedAt: noon}
	log   = []store.AuditLine{
		{Entry: audit.Entry{At: noon, Actor: "bcac_0123456789abcdefghijklmnopqrstuv", Address: "192.0.2.7", Action: "workspace.upgraded", Subject: shop.ID, Detail: map[string]string{"payer": acme.ID, "entry": "studio"}}, N: 1042},
		{Entry: audit.Entry{At: noon.Add(-time.Minute), Actor: "system", Action: "day.closed", Subject: "cn1 2026-03-11"}, N: 1041},
	}
)

func cny(text string) money.Amount { return money.MustParse(text, money.CNY) }

// inGrace is how the shop stands: its payer has owed for twelve days.
var inGrace = arrears.Standing{
	State: workspace.Grace, Clocks: []arrears.Clock{arrears.Start(arrears.Debt, acme.ID, noon.AddDate(0, 0, -12)).Turn(noon)}, Owed: cny("1234.5"),
}

func frame(ctx context.Context, title, section string) web.Frame {
	return web.Frame{
		Title: title, Console: web.T(ctx, "console.operator"), Home: Prefix + "/", Nav: navigation(ctx, section),
		Person: &web.Person{Name: "ops", Detail: "ops@demo.example", SignOut: Prefix + "/sign-out"},
	}
}

func refused(form *web.Form, err error) *web.Form {
	form.Refused(err)
	return form
}

type page = func(ctx context.Context) templ.Component

func TestGallery(t *testing.T) {
	t.Parallel()
	var states []gallery.State
	for _, group := range []map[string]page{today(), transfers(), tenants(), installation(), vouchers1(), staff()} {
		for name, p := range group {
			states = append(states, gallery.State{Name: "operator/" + name, Page: seenBy(account.Admin, p)})
		}
	}
	for name, p := range looked() {
		states = append(states, gallery.State{Name: "operator/viewer-" + name, Page: seenBy(account.Viewer, p)})
	}
	gallery.Check(t, states)
}

// seenBy is a page as an operator of the role sees it.
func seenBy(role account.OperatorRole, p page) page {
	as := func(ctx context.Context) context.Context {
		return context.WithValue(ctx, operatorKey{}, account.Operator{ID: "oper_2", Name: "ops", Email: "ops@demo.example", Role: role})
	}
	return func(ctx context.Context) templ.Component {
		inner := p(as(ctx))
		return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error { return inner.Render(as(ctx), w) })
	}
}

// asAdmin are pages as an administrator sees them.
func asAdmin(states []gallery.State) []gallery.State {
	for i := range states {
		states[i].Page = seenBy(account.Admin, states[i].Page)
	}
	return states
}

// looked are the pages that offer work, as somebody sees them who only looks.
func looked() map[string]page {
	return map[string]page{
		"today": today()["today"], "transfer": transfers()["transfer-declared"], "account": tenants()["account"], "system": installation()["system-sandbox"],
		"operators": staff()["operators"], "operator": staff()["operator"],
	}
}

func staff() map[string]page {
	ops := account.Operator{ID: "oper_1", Name: "Chen", Email: "chen@tollgate.example", Role: account.Finance, CreatedAt: noon}
	gone := account.Operator{ID: "oper_3", Name: "Ana", Email: "ana@tollgate.example", Role: account.Support, CreatedAt: noon, DisabledAt: noon.Add(time.Hour)}
	me := account.Operator{ID: "oper_2", Name: "ops", Email: "ops@demo.example", Role: account.Admin, CreatedAt: noon}
	view := func(a account.Operator, form *web.Form, own bool) page {
		return func(ctx context.Context) templ.Component {
			return staffView(StaffView{Frame: frame(ctx, a.Name, "operators"), Form: form, Operator: a, Own: own, Log: log[:1]})
		}
	}
	return map[string]page{
		"operators": func(ctx context.Context) templ.Component {
			return staffPage(Staff{Frame: frame(ctx, "Operators", "operators"), Form: web.Blank(), Rows: []account.Operator{gone, ops, me}})
		},
		"operators-refused": func(ctx context.Context) templ.Component {
			return staffPage(Staff{Frame: frame(ctx, "Operators", "operators"), Form: refused(web.Blank("email", "chen@tollgate.example", "role", "admin"), account.ErrOperatorTaken.On("email")), Rows: []account.Operator{me}})
		},
		"operator":          view(ops, web.Blank(), false),
		"operator-refused":  view(me, refused(web.Blank(), account.ErrOperatorLast), false),
		"operator-own":      view(me, web.Blank(), true),
		"operator-disabled": view(gone, web.Blank(), false),
		"operator-password": func(ctx context.Context) templ.Component {
			return handedPage(Handed{Frame: frame(ctx, "Password", "operators"), Operator: ops, Password: "7f3k2m9q0x4v8b1n6c1a", Address: "https://tollgate.example/operator/sign-in"})
		},
		"own": func(ctx context.Context) templ.Component {
			return ownPage(Own{Frame: frame(ctx, "Your account", "account"), Form: refused(web.Blank(), account.ErrPasswordPresent.On("password_present")), Operator: me})
		},
		"refused": func(ctx context.Context) templ.Component {
			f := frame(ctx, "Not allowed", "")
			return web.ProblemPage(f, web.Problem{Status: 403, Code: account.ErrFinanceOnly.Code, Sentence: web.Sentence(ctx, account.ErrFinanceOnly), Kind: "forbidden", Back: Prefix + "/", Aside: colleaguesPart([]account.Operator{ops, me})})
		},
	}
}
func today() map[string]page {
	cn1, _ := site.Find("cn1")
	us1, _ := site.Find("us1")
	day := period.MustParseDay("2026-03-11")
	return map[string]page{
		"sign-in": func(ctx context.Context) templ.Component {
			f := web.Frame{Title: "Sign in", Console: web.T(ctx, "console.operator"), Home: Prefix + "/", Focused: true}
			return signInPage(SignIn{Frame: f, Form: refused(web.Blank("email", "ops@demo.example"), account.ErrLogin.On("email")), Return: Prefix + "/"})
		},
		"today-quiet": func(ctx context.Context) templ.Component {
			return todayPage(Today{Frame: frame(ctx, "Today", "today"), At: noon})
		},
		"today": func(ctx context.Context) templ.Component {
			return todayPage(Today{
				Frame: frame(ctx, "Today", "today"), At: noon, Transfers: 2, Queued: 3, Adjusting: 1, Certify: 3, Invoices: 100, Trouble: 1,
				Failed: []store.FailedJob{
					{QueuedJob: store.QueuedJob{ID: 7, Kind: "mail.deliver", Args: []byte(`{"mail_id":"mail_1"}`)}, Attempts: 4, Most: 25, Failure: "dial tcp 127.0.0.1:25: connection refused", At: noon.Add(-time.Minute), NextAt: noon.Add(time.Hour)},
					{QueuedJob: store.QueuedJob{ID: 8, Kind: "day.close", Args: []byte(`{"site":"cn1"}`)}, Given: true, Attempts: 25, Most: 25, Failure: "the store is closed", At: noon.Add(-time.Hour)},
				},
				Days: []DayRow{
					dayRow(cn1, bill.SiteDay{Site: "cn1", Day: day, BeganAt: noon.Add(-12 * time.Hour), ClosedAt: noon.Add(-12 * time.Hour), Bills: 41, Parked: 1}, noon, noon),
					dayRow(us1, bill.SiteDay{Site: "us1", Day: day.Add(-2), BeganAt: noon, Bills: 3, Total: 1000, Done: 340}, noon, noon),
				},
				Parked:    []ParkedRow{{bill.Parked{WorkspaceID: shop.ID, Site: "cn1", Day: day, At: noon.Add(-12 * time.Hour), Kept: fault.Kept{Code: "bill_beyond_bound", Reason: "This bill is larger than any that can be real."}}, "shop"}},
				Uncleared: []ClearingRow{{arrears.Clearing{WorkspaceID: "wksp_2", Reason: workspace.Dissolved, DueAt: noon.Add(-time.Hour), NextAt: noon.Add(time.Minute), Tries: 6, Failure: "forget the metric records: the disk is gone"}, "trial"}},
				Unstated:  []UnstatedRow{{statement.Parked{Payer: acme.ID, Month: day.Month(), At: noon.Add(-2 * time.Hour), Kept: fault.Kept{Code: "statement_does_not_sum", Reason: "The parts of this statement do not sum to it."}}, "acme"}},
				Mails:     []notify.Mail{{ID: "mail_1", Kind: notify.OpeningReminder, To: "finance@acme.example", CreatedAt: noon.Add(-time.Hour)}},
				Verdict:   audit.Verdict{At: noon, Findings: []audit.Finding{{Invariant: "I5", Subject: "bill_1", Detail: "its hours make 2 lines, it has 3"}}},
			})
		},
		"today-verified": func(ctx context.Context) templ.Component {
			return todayPage(Today{Frame: frame(ctx, "Today", "today"), At: noon, Verdict: audit.Verdict{At: noon}, Days: []DayRow{dayRow(cn1, bill.SiteDay{}, noon, noon)}})
		},
	}
}

func tenants() map[string]page {
	return map[string]page{
		"accounts": func(ctx context.Context) templ.Component {
			late := AccountRow{Billing: acme, Standing: inGrace, Cash: cny("0"), Owed: cny("120.5")}
			return accountsPage(Accounts{Frame: frame(ctx, "Accounts", "accounts"), List: listing("/accounts", "sort=-owed&currency=CNY", store.AccountOrders()), Rows: []AccountRow{late, {Billing: blocked, Cash: cny("12000"), Owed: cny("0")}}, Count: 112, Pager: web.Pager{Older: Prefix + "/accounts?after=b"}})
		},
		"accounts-empty": func(ctx context.Context) templ.Component {
			return accountsPage(Accounts{Frame: frame(ctx, "Accounts", "accounts"), List: listing("/accounts", "text=nobody", store.AccountOrders())})
		},
		"account": func(ctx context.Context) templ.Component {
			return accountPage(AccountView{Form: web.Blank(), Frame: frame(ctx, acme.UserName, "accounts"), Account: acme, Balances: wallet.Balances{Cash: cny("120.5"), Owed: cny("0")}, Workspaces: []workspace.Workspace{shop}, Log: log, Detail: exampleAccount(ctx)})
		},
		"account-disabled": func(ctx context.Context) templ.Component {
			return accountPage(AccountView{Form: web.Blank(), Frame: frame(ctx, blocked.UserName, "accounts"), Account: blocked})
		},
		"workspaces": func(ctx context.Context) templ.Component {
			return workspacesPage(Workspaces{Frame: frame(ctx, "Workspaces", "workspaces"), List: listing("/workspaces", "state=grace", store.WorkspaceOrders()), Rows: []WorkspaceRow{{shop, acme.UserName, inGrace}, {Workspace: trial}}, Count: 2})
		},
		"workspaces-empty": func(ctx context.Context) templ.Component {
			return workspacesPage(Workspaces{Frame: frame(ctx, "Workspaces", "workspaces"), List: listing("/workspaces", "text=nothing", store.WorkspaceOrders())})
		},
		"workspace": func(ctx context.Context) templ.Component {
			cn1, _ := site.Find("cn1")
			agreed := upgrade.Agreed{WorkspaceID: shop.ID, Version: upgrade.AgreementVersion, Language: "zh", SHA256: upgrade.AgreementSHA256("zh"), At: noon, ActorID: owner.ID, Address: "192.0.2.7"}
			return workspacePage(WorkspaceView{Frame: frame(ctx, shop.Name, "workspaces"), Workspace: shop, Zone: cn1.Zone, Owner: owner, Payer: acme, Agreed: []upgrade.Agreed{agreed}, Log: log, Form: web.Blank(), Standing: inGrace, Clearing: arrears.Clearing{Failure: "forget the metric records: the disk is gone"}, Detail: exampleWorkspace()})
		},
		"workspace-experience": func(ctx context.Context) templ.Component {
			us1, _ := site.Find("us1")
			return workspacePage(WorkspaceView{Frame: frame(ctx, trial.Name, "workspaces"), Workspace: trial, Zone: us1.Zone, Owner: owner, Form: web.Blank(), Standing: arrears.Standing{State: workspace.Normal}})
		},
	}
}

func listing(path, query string, orders []string) web.Listing {
	q, err := url.ParseQuery(query)
	if err != nil {
		panic(err)
	}
	return web.NewListing(Prefix+path, q, orders, "text", "currency", "state")
}

// exampleAccount is an account with one of everything.
func exampleAccount(ctx context.Context) AccountDetail {
	deal := Deal{At: noon, Name: "TG-7K2M4-00017", Href: Prefix + "/transfers/t", Note: "Bank transfer", Amount: cny("500"), State: web.T(ctx, "op.transfer.declared"), Tone: web.Warn}
	bills := []bill.Bill{{Number: "cn1-2026-000041", WorkspaceID: shop.ID, Day: period.MustParseDay("2026-03-11"), Settlement: site.BillingCenter, Total: cny("12.5"), Paid: bill.NoPaid(money.CNY)}}
	return AccountDetail{
		Standing: inGrace, Bills: bills, Topups: []Deal{deal}, Adjustments: []Deal{deal}, Statements: []Deal{{At: noon, Name: "ST-CNY-2026-000012", Note: "2026-02", Amount: cny("1272.71")}}, SignIns: 2, Prices: 1,
		Certifications: []account.Certification{{ID: "cert_1", Enterprise: account.Enterprise{Company: "Acme Ltd", TaxpayerID: "91330100MA27XXXX1A"}, State: account.CertificationCertified, SubmittedAt: noon}},
		Keys:           []account.Key{{ID: "akey_0123456789abcdef", Name: "month end", UsedOn: period.MustParseDay("2026-03-11")}, {ID: "akey_1", Name: "old", RevokedAt: noon}},
	}
}

// exampleWorkspace is a workspace in which something happened.
func exampleWorkspace() WorkspaceDetail {
	u := UsedLately{Items: []UsedItem{{Item: "logs", Counts: slices.Repeat([]quantity.Decimal{quantity.Of(1_250_000)}, lately), Quota: 500_000}}}
	for i := range lately {
		u.Days = append(u.Days, period.MustParseDay("2026-03-06").Add(i))
	}
	return WorkspaceDetail{
		Members: 4, Token: "tkn_4f8a1…", Used: u, Bills: exampleAccount(context.Background()).Bills,
		Retention: []retention.Setting{{Target: retention.Target{Type: "logs"}, Class: "14d", Pending: "30d", PendingAt: noon}},
		Notices:   []workspace.Notice{{Kind: "quota_warning", Args: map[string]string{"item": "logs", "used": "425000"}, CreatedAt: noon}},
	}
}

func installation() map[string]page {
	return map[string]page{
		"audit": func(ctx context.Context) templ.Component {
			return auditPage(Audit{Frame: frame(ctx, "Audit", "audit"), Form: web.Blank(), Rows: log, Pager: web.Pager{Older: Prefix + "/audit?before=2"}})
		},
		"search": func(ctx context.Context) templ.Component {
			return searchView(Search{Frame: frame(ctx, "Search", "search"), Form: web.Blank("text", "acme"), Text: "acme", Hits: []Hit{
				{"account", acme.UserName, acme.Email + " · " + acme.ID, Prefix + "/accounts/" + acme.ID}, {"workspace", "acme-shop", "China 1 (Hangzhou)", Prefix + "/workspaces/w"},
				{"bill", "cn1-2026-000041", "2026-03-11 · 12.50 CNY", Prefix + "/workspaces/w"}, {"source", "vchr_1", "acme-pay · 30.00 CNY", Prefix + "/accounts/a/vouchers"},
			}})
		},
		"search-none": func(ctx context.Context) templ.Component {
			return searchView(Search{Frame: frame(ctx, "Search", "search"), Form: web.Blank("text", "nothing"), Text: "nothing"})
		},
		"search-blank": func(ctx context.Context) templ.Component {
			return searchView(Search{Frame: frame(ctx, "Search", "search"), Form: web.Blank()})
		},
		"audit-refused": func(ctx context.Context) templ.Component {
			return auditPage(Audit{Frame: frame(ctx, "Audit", "audit"), Form: refused(web.Blank("from", "yesterday", "actor", "ops@demo.example"), period.ErrMalformed.On("from"))})
		},
		"audit-broken": func(ctx context.Context) templ.Component {
			return auditPage(Audit{Frame: frame(ctx, "Audit", "audit"), Form: web.Blank("subject", "wksp_x"), Broken: 1041})
		},
		"system-sandbox": func(ctx context.Context) templ.Component {
			return systemPage(System{Frame: frame(ctx, "System", "system"), Form: refused(web.Blank(), job.ErrStep), Now: noon, Sandbox: true, Engine: "SQLite", Answers: true, Queued: 2, Version: "dev", Profile: "seed", BaseURL: "http://127.0.0.1:8080"})
		},
		"system": func(ctx context.Context) templ.Component {
			return systemPage(System{Frame: frame(ctx, "System", "system"), Form: web.Blank(), Now: noon, Engine: "PostgreSQL", Profile: "newer", BaseURL: "https://tollgate.example"})
		},
	}
}
