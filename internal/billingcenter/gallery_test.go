package billingcenter

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/a-h/templ"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/arrears"
	"tollgate.dev/internal/attachment"
	"tollgate.dev/internal/holder"
	"tollgate.dev/internal/message"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/rebind"
	"tollgate.dev/internal/settle"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/upgrade"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/web/gallery"
	"tollgate.dev/internal/workspace"
)

var (
	noon     = time.Date(2026, 3, 12, 4, 0, 0, 0, time.UTC) // 12:00 in Hangzhou
	hangzhou = zoneOf(money.CNY)
	acme     = account.Billing{
		ID: "bcac_0123456789abcdefghijklmnopqrstuv", UserName: "acme-pay", Email: "finance@acme.example", Phone: "+8657112345678", Currency: money.CNY,
		Profile: account.Profile{Company: "Acme Commerce Ltd", Industry: "Retail"}, Language: "en", CreatedAt: noon.AddDate(0, -3, 0),
	}
	shop = workspace.Workspace{
		ID: "wksp_7f3k2m9q0x4v8b1n6c5z7a2s4d9g0h1j", Site: "cn1", Name: "shop", Language: "en", Plan: workspace.Commercial, Generation: 2,
		State: workspace.Normal, Payer: acme.ID, Settlement: site.BillingCenter, CreatedAt: noon.AddDate(0, -2, 0), UpgradedAt: noon.AddDate(0, 0, -10),
	}
	payments2 = workspace.Workspace{
		ID: "wksp_2a8d4g6j1k3m5p7r9t0v2x4z6b8d0f1h", Site: "cn4", Name: "payments", Language: "zh", Plan: workspace.Commercial, Generation: 2,
		State: workspace.Grace, Payer: acme.ID, Settlement: site.BillingCenter, CreatedAt: noon.AddDate(0, -1, 0), UpgradedAt: noon.AddDate(0, 0, -5),
	}
)

func cny(text string) money.Amount { return money.MustParse(text, money.CNY) }

func frame(ctx context.Context, title, section string) web.Frame {
	return web.Frame{
		Title: title, Console: web.T(ctx, "console.billing_center"), Home: Prefix + "/", Nav: navigation(ctx, section),
		Person: &web.Person{Name: acme.UserName, Detail: acme.Profile.Company, SignOut: Prefix + "/sign-out"},
	}
}

func focused(ctx context.Context, title string) web.Frame {
	return web.Frame{Title: title, Console: web.T(ctx, "console.billing_center"), Home: Prefix + "/", Focused: true}
}

func refused(form *web.Form, errs ...error) *web.Form {
	for _, err := range errs {
		form.Refused(err)
	}
	return form
}

type page = func(ctx context.Context) templ.Component

func TestGallery(t *testing.T) {
	t.Parallel()
	var states []gallery.State
	for _, group := range []map[string]page{registration(), money1(), workspaces1(), bills1(), account1(), wallet1(), messages1(), packages1(), desk1()} {
		for name, p := range group {
			states = append(states, gallery.State{Name: "billing-center/" + name, Page: p})
		}
	}
	gallery.Check(t, states)
}

func registration() map[string]page {
	register := func(ctx context.Context, form *web.Form, back string) Register {
		return Register{Frame: focused(ctx, "Register"), Form: form, Email: acme.Email, Return: back}
	}
	const back = "/studio/wksp_1/upgrade/bind"
	return map[string]page{
		"sign-in": func(ctx context.Context) templ.Component {
			return signInPage(SignIn{Frame: focused(ctx, "Sign in"), Form: web.Blank()})
		},
		"sign-in-wrong": func(ctx context.Context) templ.Component {
			return signInPage(SignIn{Frame: focused(ctx, "Sign in"), Return: Prefix + "/bills", Form: refused(web.Blank("login", "acme"), account.ErrLogin.On("login"))})
		},
		"register": func(ctx context.Context) templ.Component {
			return registerPage(register(ctx, web.Blank("currency", "CNY"), back))
		},
		"register-wrong": func(ctx context.Context) templ.Component {
			form := web.Blank("currency", "USD", "user_name", "acme", "email", "finance@acme")
			return registerPage(register(ctx, refused(form, account.ErrUserNameTaken.On("user_name"), account.ErrEmailForm.On("email"), account.ErrPasswordForm.On("password"), account.ErrPasswordRepeat.On("password_repeat")), ""))
		},
		"register-verify": func(ctx context.Context) templ.Component {
			return verifyPage(register(ctx, refused(web.Blank(), account.ErrCodeWrong.On("code").With("left", 3)), back))
		},
		"register-company": func(ctx context.Context) templ.Component {
			return companyPage(register(ctx, refused(web.Blank("industry", "Retail"), account.ErrCompany.On("company"), account.ErrAgreement.On("agreed")), ""))
		},
		"register-done": func(ctx context.Context) templ.Component {
			return registeredPage(Registered{Frame: focused(ctx, "Done"), UserName: acme.UserName, Email: acme.Email, Currency: money.CNY, Return: back})
		},
	}
}

func money1() map[string]page {
	transfer := wallet.Transfer{ID: "trsf_1", AccountID: acme.ID, Amount: cny("5000"), Reference: "TG-7K3M9-Q2X4V", State: wallet.Declared, DeclaredAt: noon}
	credited, rejected := transfer, transfer
	credited.State, credited.DecidedAt, credited.Reference = wallet.Credited, noon.Add(time.Hour), "TG-1A2B3-C4D5E"
	rejected.State, rejected.DecidedAt, rejected.Reference, rejected.Reason = wallet.Rejected, noon.Add(time.Hour), "TG-9Z8Y7-X6W5V", "No such amount arrived by 2026-03-14."
	entered, another := transfer, credited
	entered.State, entered.Arrived = wallet.Proposed, cny("5000")
	another.Arrived, another.Difference, another.Slips = cny("4980"), "The bank kept a fee of 20.00.", 1
	credited.Arrived = credited.Amount
	slips := []attachment.File{{ID: "attc_1", Name: "slip-1.pdf", Type: attachment.PDF, SentAt: noon}}
	balances := wallet.Balances{Cash: cny("0"), Voucher: cny("0"), FullReduction: cny("0"), Card: cny("0"), Owed: cny("23.45")}
	recharge := func(ctx context.Context, form *web.Form, list ...wallet.Transfer) templ.Component {
		return rechargePage(Recharge{Frame: frame(ctx, "Recharge", "recharge"), Form: form, Currency: money.CNY, Zone: hangzhou, Balances: balances, Reference: "TG-00000-00000", Transfers: list})
	}
	view := func(t wallet.Transfer, to Beneficiary, form *web.Form, slips ...attachment.File) page {
		return func(ctx context.Context) templ.Component {
			return transferPage(TransferView{Frame: frame(ctx, "Transfer", "recharge"), Form: form, Transfer: t, Slips: slips, Zone: hangzhou, Beneficiary: to})
		}
	}
	to := Beneficiary{Holder: "Tollgate Operations Ltd", Bank: "Example Bank, Hangzhou", Number: "6222 0000 1111 2222"}
	return map[string]page{
		"recharge-empty": func(ctx context.Context) templ.Component { return recharge(ctx, web.Blank()) },
		"recharge-wrong": func(ctx context.Context) templ.Component {
			return recharge(ctx, refused(web.Blank("amount", "1e3"), money.ErrMalformed.On("amount"), attachment.ErrType.On("slip")), transfer, entered, credited, another, rejected)
		},
		"transfer-declared": view(transfer, to, web.Blank()),
		"transfer-slip":     view(transfer, to, refused(web.Blank(), attachment.ErrLarge.On("slip")), slips...),
		"transfer-entered":  view(entered, to, web.Blank(), slips...),
		"transfer-credited": view(credited, Beneficiary{}, web.Blank()),
		"transfer-another":  view(another, to, web.Blank(), slips...),
		"transfer-rejected": view(rejected, to, web.Blank()),
		"movements-empty": func(ctx context.Context) templ.Component {
			return movementsPage(Movements{Frame: frame(ctx, "Movements", "movements"), Form: refused(web.Blank("from", "2026-03-09", "to", "2026-03-01"), period.ErrReversed.On("to")), Currency: money.CNY, Zone: hangzhou})
		},
		"movements": func(ctx context.Context) templ.Component {
			return movementsPage(Movements{Frame: frame(ctx, "Movements", "movements"), Form: web.Blank(), Currency: money.CNY, Zone: hangzhou, Rows: []MovementRow{
				{Number: 4, ID: "ltxn_4", At: noon, Kind: wallet.Charge, Cause: "cn1-2026-000042", Href: Prefix + "/bills/bill_1", Amount: cny("-38.15"), Parts: []PaidPart{{wallet.ByCash, cny("-14.70"), ""}, {wallet.Owed, cny("-23.45"), ""}}, Cash: cny("0"), Owed: cny("23.45")},
				{Number: 3, ID: "ltxn_3", At: noon.Add(-time.Hour), Kind: wallet.Deposit, Cause: "TG-1A2B3-C4D5E", Href: Prefix + "/recharge/trsf_1", Amount: cny("5000"), Parts: []PaidPart{{wallet.ByCash, cny("4990"), ""}, {wallet.Owed, cny("10"), ""}}, Cash: cny("14.70"), Owed: cny("0")},
			}, Pager: web.Pager{Older: Prefix + "/movements?before=3"}})
		},
	}
}

func exampleBills() []BillRow {
	row := func(id, number, day string, ws workspace.Workspace, amount, owed string) BillRow {
		return BillRow{ID: id, Number: number, Day: period.MustParseDay(day), WorkspaceID: ws.ID, WorkspaceName: ws.Name, Site: ws.Site, Amount: cny(amount), Owed: cny(owed), Method: site.BillingCenter}
	}
	return []BillRow{
		row("bill_1", "cn1-2026-000042", "2026-03-11", shop, "38.15", "23.45"),
		row("bill_2", "cn4-2026-000007", "2026-03-11", payments2, "0.00", "0"),
		row("bill_3", "cn1-2026-000041", "2026-03-10", shop, "1234.56", "0"),
	}
}

func workspaces1() map[string]page {
	settlement := func(ctx context.Context, ws workspace.Workspace, form *web.Form, arbitrary bool) templ.Component {
		s, _ := site.Find(ws.Site)
		return settlementPage(Settlement{Frame: frame(ctx, "Settlement", "workspaces"), Form: form, Workspace: ws, Methods: s.Allowed(site.Seed, arbitrary), Selected: s.Default, Arbitrary: arbitrary})
	}
	bind := func(ctx context.Context, form *web.Form) Bind {
		title, text := paragraphs(upgrade.AgreementText(web.Language(ctx)))
		return Bind{
			Frame: frame(ctx, "Bind", "workspaces"), Form: form, WorkspaceID: shop.ID, OwnerEmail: account.MaskEmail("lin@shop.example"), SentAt: noon, Zone: hangzhou,
			Version: upgrade.AgreementVersion, Title: title, Paragraphs: text, Workspace: shop, Account: acme, AgreedAt: noon,
		}
	}
	listed := func(query string) web.Listing {
		return workspaceListing(httptest.NewRequest(http.MethodGet, Prefix+"/workspaces?"+query, nil))
	}
	return map[string]page{
		"workspaces-empty": func(ctx context.Context) templ.Component {
			return workspacesPage(Workspaces{Frame: frame(ctx, "Workspaces", "workspaces"), Currency: money.CNY, Month: period.MustParseDay("2026-03-01").Month(), List: listed("")})
		},
		"workspaces-none": func(ctx context.Context) templ.Component {
			return workspacesPage(Workspaces{Frame: frame(ctx, "Workspaces", "workspaces"), Currency: money.CNY, Month: period.MustParseDay("2026-03-01").Month(), List: listed("text=nothing&state=locked")})
		},
		"workspaces": func(ctx context.Context) templ.Component {
			return workspacesPage(Workspaces{Frame: frame(ctx, "Workspaces", "workspaces"), Currency: money.CNY, Month: period.MustParseDay("2026-03-01").Month(), Rows: []WorkspaceRow{
				{shop, hangzhou, cny("1272.71"), true, arrears.Standing{}}, {payments2, hangzhou, cny("0"), false, standingOf(4)},
			}, List: listed("sort=-name&site=cn1"), Count: 120, CSV: Prefix + "/workspaces.csv", Pager: listed("").Pages("wksp_a", shop.ID, true)})
		},
		"settlement": func(ctx context.Context) templ.Component {
			return settlement(ctx, shop, refused(web.Blank("method", "alibaba"), settle.ErrNotEnabled.On("method")), false)
		},
		"settlement-arbitrary": func(ctx context.Context) templ.Component { return settlement(ctx, payments2, web.Blank(), true) },
		"bind": func(ctx context.Context) templ.Component {
			return bindPage(bind(ctx, refused(web.Blank("workspace_id", "wksp_unknown"), workspace.ErrUnknown.On("workspace_id"))))
		},
		"bind-code": func(ctx context.Context) templ.Component {
			return bindCodePage(bind(ctx, refused(web.Blank(), account.ErrCodeExpired.On("code"))))
		},
		"bind-agreement": func(ctx context.Context) templ.Component {
			return bindAgreementPage(bind(ctx, refused(web.Blank(), upgrade.ErrNotAgreed.On("agreed"))))
		},
		"bind-confirm": func(ctx context.Context) templ.Component { return bindConfirmPage(bind(ctx, web.Blank())) },
		"opened": func(ctx context.Context) templ.Component {
			return openedPage(Opened{Frame: frame(ctx, "Opened", "workspaces"), Workspace: shop, UserName: acme.UserName, Email: acme.Email, At: noon, Zone: hangzhou, Selectable: true})
		},
		"overview-empty": func(ctx context.Context) templ.Component {
			zero := wallet.Balances{Cash: cny("0"), Owed: cny("0")}
			return overviewPage(Overview{Frame: frame(ctx, "Overview", "overview"), At: noon, Zone: hangzhou, Balances: zero, Currency: money.CNY, Month: period.MustParseDay("2026-03-01").Month(), Spent: cny("0"), Yesterday: cny("0")})
		},
		"overview": overviewExample,
	}
}

// desk1 are the pages on which a workspace changes its method, its payer or ends.
func desk1() map[string]page {
	return map[string]page{
		"settlement-held": func(ctx context.Context) templ.Component {
			return heldPage(ctx, shop, settle.PackagedThrough(period.MustParseDay("2026-08-31")))
		},
		"settlement-cloud": func(ctx context.Context) templ.Component {
			cloud := shop
			cloud.Settlement = site.Alibaba
			return heldPage(ctx, cloud, settle.ErrCloudLocked)
		},
		"take-over": func(ctx context.Context) templ.Component {
			return takeOverCodePage(takeOver(ctx, refused(web.Blank(), account.ErrCodeWrong.On("code").With("left", 3))))
		},
		"take-over-confirm": func(ctx context.Context) templ.Component {
			p := takeOver(ctx, refused(web.Blank(), rebind.ErrArrears))
			p.Workspace, p.Present = shop, acme
			p.Present.UserName, p.Present.Enterprise = "acme-old", p.Account.Enterprise
			return takeOverConfirmPage(p)
		},
		"dissolve": func(ctx context.Context) templ.Component {
			return dissolvePage(Dissolution{Frame: frame(ctx, "Dissolve", "workspaces"), Form: web.Blank(), Workspace: shop, OwnerEmail: "l***@shop.example"})
		},
		"dissolve-refused": func(ctx context.Context) templ.Component {
			form := refused(web.Blank("workspace_name", "shopp"), arrears.ErrNameDiffers.On("workspace_name").With("name", "shop"))
			return dissolvePage(Dissolution{Frame: frame(ctx, "Dissolve", "workspaces"), Form: form, Workspace: shop, OwnerEmail: "l***@shop.example"})
		},
	}
}

func takeOver(ctx context.Context, form *web.Form) TakeOver {
	a := acme
	a.Enterprise = account.Enterprise{Company: "Acme Commerce Ltd", TaxpayerID: "91330100MA27XXXX1A"}
	return TakeOver{Frame: frame(ctx, "Take over", "workspaces"), Form: form, WorkspaceID: shop.ID, OwnerEmail: "l***@shop.example", Account: a}
}

// heldPage is the dialog while nothing can be chosen.
func heldPage(ctx context.Context, ws workspace.Workspace, why error) templ.Component {
	s, _ := site.Find(ws.Site)
	return settlementPage(Settlement{
		Frame: frame(ctx, "Settlement", "workspaces"), Form: web.Blank(), Workspace: ws, Methods: s.Allowed(site.Seed, false), Selected: ws.Settlement, Held: why,
		Rules: settle.Rules{Profile: site.Seed, Enabled: site.Methods()},
	})
}

func overviewExample(ctx context.Context) templ.Component {
	p := Overview{
		Frame: frame(ctx, "Overview", "overview"), At: noon, Zone: hangzhou, Currency: money.CNY, Month: period.MustParseDay("2026-03-01").Month(),
		Balances: wallet.Balances{Cash: cny("0"), Owed: cny("23.45")}, OwedSince: noon.Add(-12 * time.Hour), Yesterday: cny("38.15"), Bills: exampleBills(), Declared: 1,
	}
	var spent []store.Spent
	day := period.MustParseDay("2026-03-02")
	for i, amount := range []string{"80.10", "92.40", "131.00", "120.75", "118.20", "150.05", "99.90", "87.30", "1234.56", "38.15"} {
		spent = append(spent, store.Spent{WorkspaceID: shop.ID, Day: day.Add(i), Total: cny(amount)})
		if i > 4 {
			spent = append(spent, store.Spent{WorkspaceID: payments2.ID, Day: day.Add(i), Total: cny("42.00")})
		}
	}
	list := []workspace.Workspace{shop, payments2}
	if err := p.spend(ctx, list, spent); err != nil {
		panic(err)
	}
	p.Closes, _ = closes(list, noon)
	return overviewPage(p)
}

func bills1() map[string]page {
	return map[string]page{
		"bills-empty": func(ctx context.Context) templ.Component {
			return billsPage(Bills{Frame: frame(ctx, "Bills", "bills"), Form: web.Blank(), Currency: money.CNY, Total: cny("0")})
		},
		"bills": func(ctx context.Context) templ.Component {
			return billsPage(Bills{
				Frame: frame(ctx, "Bills", "bills"), Form: web.Blank("workspace", shop.ID, "from", "2026-03-01"), Filter: BillFilter{WorkspaceID: shop.ID, From: "2026-03-01"},
				Currency: money.CNY, Workspaces: []workspace.Workspace{shop, payments2}, Rows: exampleBills(), Count: 3, Total: cny("1272.71"), Pager: web.Pager{Older: Prefix + "/bills?after=bill_3"},
			})
		},
		"bill": func(ctx context.Context) templ.Component {
			cash, owed := PaidPart{wallet.ByCash, cny("14.70"), ""}, PaidPart{wallet.Owed, cny("23.45"), ""}
			return billPage(BillView{
				Frame: frame(ctx, "Bill", "bills"), Row: exampleBills()[0], Zone: hangzhou, BilledAt: noon.Add(-12 * time.Hour), Catalog: "2024-11-06", Market: "CNY/china",
				Exact: "38.154", Rounding: "−0.004", Paid: []PaidPart{cash, owed}, Sources: []PaidPart{{wallet.ByVoucher, cny("3.20"), "vchr_4f0q7k3m9q2x4v8b1n6c5z7a2s4d9g0h"}, cash, owed}, Hash: "5f2b0c6f0a8f4e2f9d4f6d1c0a9b8e7f6d5c4b3a29181706f5e4d3c2b1a09080",
				Lines: []BillLine{
					{Item: "timeseries", Class: "7d", Quantity: "8,123", Units: "8.12", UnitPrice: "0.7", Exact: "5.684", Amount: cny("5.68"), Paid: []PaidPart{{wallet.ByVoucher, cny("3.20"), "vchr_4f0q7k3m9q2x4v8b1n6c5z7a2s4d9g0h"}, {wallet.ByCard, cny("1.10"), "card_8b1n6c5z7a2s4d9g0h4f0q7k3m9q2x4v"}, {wallet.ByCash, cny("1.38"), ""}}},
					{Item: "logs", Class: "14d", Quantity: "21,650,000", Units: "21.65", UnitPrice: "1.5", Exact: "32.47", Amount: cny("32.47"), Paid: []PaidPart{{wallet.ByCash, cny("9.02"), ""}, owed}},
					{Item: "task_call", Class: "none", Quantity: "0", Units: "0.00", UnitPrice: "1", Exact: "0", Amount: cny("0")},
				},
			})
		},
	}
}

func account1() map[string]page {
	state := func(ctx context.Context) holder.AccountPage {
		return holder.AccountPage{
			Frame: frame(ctx, "Account", "account"), Prefix: Prefix, System: account.BillingSystem, Holder: personOf(acme), Identity: identity(ctx, acme), Zone: hangzhou,
			Links:   []web.Action{{Label: web.T(ctx, "keys.title"), Href: keysPath, Icon: "key"}},
			Profile: web.Blank("company", acme.Profile.Company), Language: web.Blank("language", "en"), Password: web.Blank(),
		}
	}
	return map[string]page{
		"account": func(ctx context.Context) templ.Component { return holder.AccountView(state(ctx)) },
		"account-wrong": func(ctx context.Context) templ.Component {
			p := state(ctx)
			p.Password = refused(p.Password, account.ErrPasswordPresent.On("present_password"))
			return holder.AccountView(p)
		},
	}
}

func messages1() map[string]page {
	args := map[string]string{"workspace": "shop", "workspace_id": shop.ID, "member": "lin", "email": "lin@acme.example", "from": "standard", "role": "administrator", "by": "mei", "before": "mei", "now": "lin", "account": "acme-two"}
	about := func(k message.Kind, state workspace.PromotionState, read bool) MessageRow {
		m := message.Message{ID: "mssg_" + string(k) + string(state), AccountID: acme.ID, Kind: k, Args: args, CreatedAt: noon}
		if read {
			m.ReadAt = noon
		}
		row := MessageRow{Message: m, State: state}
		if state != "" {
			row.Promotion = workspace.Promotion{State: state, ExpiresAt: noon.Add(workspace.PromotionLife)}
		}
		if state == workspace.PromotionRejected {
			row.Promotion.AnsweredAt, row.Promotion.Reason = noon, "Ask again after the audit."
		}
		return row
	}
	all := []MessageRow{
		about(message.PromotionRequested, workspace.PromotionPending, false), about(message.PromotionRequested, workspace.PromotionAccepted, true),
		about(message.PromotionRequested, workspace.PromotionRejected, true), about(message.PromotionRequested, workspace.PromotionWithdrawn, true),
		about(message.PromotionRequested, workspace.PromotionCancelled, true), about(message.PromotionRequested, workspace.PromotionExpired, true),
		about(message.OwnerChanged, "", false), about(message.WorkspaceLeft, "", true), about(message.WorkspaceCame, "", true),
	}
	one := func(row MessageRow, form *web.Form) page {
		return func(ctx context.Context) templ.Component {
			return messageView(MessageView{Frame: frame(ctx, "Message", "messages"), Row: row, Form: form, Zone: hangzhou})
		}
	}
	return map[string]page{
		"messages": func(ctx context.Context) templ.Component {
			return messagesView(Messages{Frame: frame(context.WithValue(ctx, unreadKey{}, 2), "Messages", "messages"), Rows: all, Unread: 2, Zone: hangzhou, Pager: web.Pager{Older: messagesPath + "?before=1~x"}})
		},
		"messages-empty": func(ctx context.Context) templ.Component {
			return messagesView(Messages{Frame: frame(ctx, "Messages", "messages"), Zone: hangzhou})
		},
		"message-pending":  one(all[0], web.Blank()),
		"message-rejected": one(all[2], web.Blank()),
		"message-over":     one(all[5], refused(web.Blank(), workspace.ErrPromotionOver)),
		"message-owner":    one(all[6], web.Blank()),
	}
}
