package studio

import (
	"context"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/a-h/templ"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/preview"
	"tollgate.dev/internal/quantity"
	"tollgate.dev/internal/rebind"
	"tollgate.dev/internal/settle"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/upgrade"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/web/gallery"
	"tollgate.dev/internal/workspace"
)

// noon is when the gallery happens.
var noon = time.Date(2026, 3, 2, 4, 0, 0, 0, time.UTC)

// shopkeeper is a visit of somebody to the shop's workspace.
func shopkeeper(t *testing.T, role workspace.Role, plan workspace.Plan, at site.ID) *visit {
	t.Helper()
	s, err := site.Find(at)
	if err != nil {
		t.Fatal(err)
	}
	w := workspace.Workspace{
		ID: "wksp_4f0qz81m0vkx2c7d9s3b5n6h8j1l2p0a", Site: at, Name: "shop", Language: "en", OwnerID: "acnt_1", Plan: plan,
		Generation: 1, State: workspace.Normal, CreatedAt: noon.AddDate(0, -1, 0), Revision: 1,
	}
	if plan == workspace.Commercial {
		w.Generation, w.Payer, w.Settlement, w.UpgradedAt = 2, "bcac_1", site.BillingCenter, noon.AddDate(0, 0, -3)
	}
	other := w
	other.ID, other.Name = "wksp_another", "payments"
	return &visit{
		account: account.Studio{ID: "acnt_1", Site: at, UserName: "olivia", Email: "olivia@example.com", Language: "en"},
		list:    []store.Membership{{Workspace: w, Role: role}, {Workspace: other, Role: role}},
		place:   place{Workspace: w, Site: s, Role: role, Owner: person{"olivia", "olivia@example.com"}},
	}
}

// canvas makes frames as the console makes them.
type canvas struct {
	t *testing.T
	c *Console
}

func (g canvas) frame(ctx context.Context, v *visit, title, section string) web.Frame {
	r := httptest.NewRequest("GET", "/studio/", nil).WithContext(context.WithValue(ctx, visitKey{}, v))
	return g.c.frame(r, title, section)
}

// underWay is a team in which everything is under way.
func underWay(members []member, asked bool) team {
	last := members[len(members)-1]
	wish := workspace.Promotion{ID: "prmo_1", AccountID: last.AccountID, To: workspace.Administrator, State: workspace.PromotionPending, ExpiresAt: noon.Add(workspace.PromotionLife)}
	return team{
		Waiting:     map[string]workspace.Promotion{last.AccountID: wish},
		Invitations: []workspace.Invitation{{ID: "invt_1", Email: "guest@example.com", Role: workspace.Standard, InvitedBy: "acnt_1", ExpiresAt: noon.Add(workspace.InvitationLife)}},
		Offer:       &workspace.Offer{ExpiresAt: noon.Add(workspace.OfferLife)}, OfferedTo: "noah", OfferedToMe: asked,
	}
}

func teamOf(handover *web.Form) team { return team{Handover: handover} }

// view is a state of a page with a visit.
func (g canvas) view(name string, v *visit, section string, page func(ctx context.Context, f web.Frame) templ.Component) gallery.State {
	return gallery.State{Name: "studio/" + name, Page: func(ctx context.Context) templ.Component {
		return page(ctx, g.frame(ctx, v, name, section))
	}}
}

func refused(form *web.Form, faults ...error) *web.Form {
	for _, f := range faults {
		form.Refused(f)
	}
	return form
}

func TestGallery(t *testing.T) {
	t.Parallel()
	g := canvas{t, New(Options{Now: func() time.Time { return noon }, Gateway: "http://gateway.example.com:9529"})}
	var states []gallery.State
	states = append(states, g.registration()...)
	states = append(states, g.everyday()...)
	states = append(states, g.team()...)
	states = append(states, g.plans()...)
	states = append(states, g.upgrades()...)
	states = append(states, g.money()...)
	states = append(states, g.spending()...)
	gallery.Check(t, states)
}

func (g canvas) registration() []gallery.State {
	s, _ := site.Find("cn1")
	newcomer := &visit{account: account.Studio{UserName: "olivia", Email: "olivia@example.com"}}
	return []gallery.State{
		g.view("sign-in", nil, "", func(_ context.Context, f web.Frame) templ.Component {
			return signInView(signInPage{Frame: f, Form: web.Blank("site", "cn1")})
		}),
		g.view("sign-in-wrong", nil, "", func(_ context.Context, f web.Frame) templ.Component {
			return signInView(signInPage{Frame: f, Form: refused(web.Blank("site", "us1", "email", "olivia@example.com"), account.ErrLogin.On("password"))})
		}),
		g.view("sign-up", nil, "", func(_ context.Context, f web.Frame) templ.Component {
			return basicsView(basicsPage{Frame: f, Form: web.Blank()})
		}),
		g.view("sign-up-wrong", nil, "", func(_ context.Context, f web.Frame) templ.Component {
			return basicsView(basicsPage{Frame: f, Form: refused(web.Blank("site", "cn1", "user_name", "o", "email", "olivia"), account.ErrUserNameForm.On("user_name"), account.ErrEmailForm.On("email"), account.ErrPasswordForm.On("password"))})
		}),
		g.view("sign-up-verify", nil, "", func(_ context.Context, f web.Frame) templ.Component {
			return verifyView(verifyPage{Frame: f, Form: refused(web.Blank(), account.ErrCodeWrong.On("code")), Email: "olivia@example.com"})
		}),
		g.view("sign-up-company", nil, "", func(_ context.Context, f web.Frame) templ.Component {
			return companyView(companyPage{Frame: f, Form: refused(web.Blank(), account.ErrAgreement.On("agreed"))})
		}),
		g.view("create-first", newcomer, "", func(_ context.Context, f web.Frame) templ.Component {
			return createView(createPage{Frame: f, Form: web.Blank(), Site: s, First: true, Beside: true, UserName: "olivia"})
		}),
		g.view("create-another", shopkeeper(g.t, workspace.Owner, workspace.Experience, "cn1"), "", func(_ context.Context, f web.Frame) templ.Component {
			return createView(createPage{Frame: f, Form: web.Blank(), Site: s})
		}),
	}
}

// staff are the members of a workspace.
func staff() []member {
	return []member{
		{"acnt_1", "olivia", "olivia@example.com", workspace.Owner, noon.AddDate(0, -1, 0), true},
		{"acnt_2", "noah", "noah@example.com", workspace.Administrator, noon.AddDate(0, 0, -9), false},
		{"acnt_3", "mia", "mia@example.com", workspace.ReadOnly, noon.AddDate(0, 0, -2), false},
	}
}

// team is what is under way among them.
func (g canvas) team() []gallery.State {
	upgraded := shopkeeper(g.t, workspace.Owner, workspace.Commercial, "cn1")
	reader := shopkeeper(g.t, workspace.ReadOnly, workspace.Experience, "cn1")
	team := staff()
	return []gallery.State{
		g.view("rebind", upgraded, "billing", func(_ context.Context, f web.Frame) templ.Component {
			return rebindView(rebindPage{Frame: f, Place: upgraded.place, Form: web.Blank(), Payer: account.Billing{UserName: "acme", Enterprise: account.Enterprise{Company: "Acme Ltd"}}})
		}),
		g.view("rebind-refused", upgraded, "billing", func(_ context.Context, f web.Frame) templ.Component {
			form := refused(web.Blank("user_name", "other"), rebind.ErrOtherCompany.On("user_name"))
			return rebindView(rebindPage{Frame: f, Place: upgraded.place, Form: form, Payer: account.Billing{UserName: "acme"}})
		}),
		g.view("rebind-code", upgraded, "billing", func(_ context.Context, f web.Frame) templ.Component {
			form := refused(web.Blank(), account.ErrCodeWrong.On("code").With("left", 4))
			return rebindView(rebindPage{Frame: f, Place: upgraded.place, Form: form, Payer: account.Billing{UserName: "acme"}, Draft: rebind.Draft{BillingID: "bcac_2", UserName: "acme-two", Email: "pay@acme.example"}})
		}),
		g.view("settings-under-way", upgraded, "settings", func(_ context.Context, f web.Frame) templ.Component {
			return settingsView(settingsPage{Frame: f, Place: upgraded.place, Members: team, Self: "acnt_1", Token: "tkn_0", Team: underWay(team, false)})
		}),
		g.view("settings-handover", upgraded, "settings", func(_ context.Context, f web.Frame) templ.Component {
			return settingsView(settingsPage{Frame: f, Place: upgraded.place, Members: team, Token: "tkn_0", Team: teamOf(refused(web.Blank("workspace_name", "Shop"), workspace.ErrOfferName.On("workspace_name")))})
		}),
		g.view("settings-asked", reader, "settings", func(_ context.Context, f web.Frame) templ.Component {
			return settingsView(settingsPage{Frame: f, Place: reader.place, Members: team, Team: underWay(team, true)})
		}),
	}
}

func (g canvas) everyday() []gallery.State {
	owner := shopkeeper(g.t, workspace.Owner, workspace.Experience, "cn1")
	reader := shopkeeper(g.t, workspace.ReadOnly, workspace.Experience, "cn1")
	upgraded := shopkeeper(g.t, workspace.Owner, workspace.Commercial, "cn1")
	waiting := light{Path: owner.place.path("start/light"), Page: owner.place.path("start"), Now: noon, Zone: owner.place.Site.Zone}
	arrived := waiting
	arrived.Arrived, arrived.At = true, noon.Add(-42*time.Second)
	start := func(v *visit, token string, l light, with string, fresh bool) func(context.Context, web.Frame) templ.Component {
		return func(_ context.Context, f web.Frame) templ.Component {
			return startView(startPage{Frame: f, Place: v.place, Token: token, Gateway: "http://gateway.example.com:9529", With: with, Fresh: fresh, Light: l, Ends: map[bool]time.Time{true: noon.Add(time.Hour)}[with == "curl"]})
		}
	}
	team := staff()

	return []gallery.State{
		g.view("start-new", owner, "start", start(owner, "tkn_0123456789abcdef0123456789abcdef", waiting, "datakit", true)),
		g.view("start-curl", owner, "start", start(owner, "tkn_0123456789abcdef0123456789abcdef", arrived, "curl", false)),
		g.view("start-prometheus", owner, "start", start(owner, "tkn_0123456789abcdef0123456789abcdef", arrived, "prometheus", false)),
		g.view("start-telegraf", reader, "start", start(reader, "", waiting, "telegraf", false)),
		{Name: "studio/light", Fragment: true, Page: func(context.Context) templ.Component { return lightView(arrived) }},
		g.view("explorer", owner, "explorer", func(_ context.Context, f web.Frame) templ.Component {
			return explorerView(sampleRecords(f, owner.place))
		}),
		g.view("explorer-empty", upgraded, "explorer", func(_ context.Context, f web.Frame) templ.Component {
			return explorerView(explorerPage{Frame: f, Place: upgraded.place, Type: "metric", Range: "1h"})
		}),
		g.view("explorer-none", owner, "explorer", func(_ context.Context, f web.Frame) templ.Component {
			return explorerView(explorerPage{Frame: f, Place: owner.place, Type: "logging", Range: "1h", Query: "timeout"})
		}),
		g.view("settings", owner, "settings", func(_ context.Context, f web.Frame) templ.Component {
			return settingsView(settingsPage{Frame: f, Place: owner.place, Members: team, Token: "tkn_0123456789abcdef0123456789abcdef"})
		}),
		g.view("settings-wrong", owner, "settings", func(_ context.Context, f web.Frame) templ.Component {
			return settingsView(settingsPage{Frame: f, Place: owner.place, Members: team, Token: "tkn_0", Invite: refused(web.Blank("email", "nobody@example.com"), workspace.ErrMemberUnknown.On("email"))})
		}),
		g.view("settings-reader", reader, "settings", func(_ context.Context, f web.Frame) templ.Component {
			return settingsView(settingsPage{Frame: f, Place: reader.place, Members: team})
		}),
		g.view("notices", owner, "notices", func(ctx context.Context, f web.Frame) templ.Component {
			args := map[string]string{"item": "logs", "used": "870000", "limit": "1000000", "ends": "2026-03-03T04:00:00Z", "suffix": "cdef", "member": "noah", "before": "olivia", "now": "noah"}
			var list []notice
			for i, kind := range []string{"quota_exhausted", "quota_warning", "token_changed", "promotion_accepted", "promotion_rejected", "promotion_expired", "owner_changed"} {
				n := told(ctx, owner.place, workspace.Notice{Kind: kind, Args: args, CreatedAt: noon})
				n.New = i < 2
				list = append(list, n)
			}
			return noticesView(noticesPage{Frame: f, Place: owner.place, List: list, Unread: 2})
		}),
		g.view("notices-empty", owner, "notices", func(_ context.Context, f web.Frame) templ.Component {
			return noticesView(noticesPage{Frame: f, Place: owner.place})
		}),
		g.problem("not-owner", shopkeeper(g.t, workspace.Administrator, workspace.Experience, "cn1"), workspace.ErrOwnerOnly),
		g.problem("not-permitted", reader, workspace.ErrNotPermitted),
		g.problem("dissolved", owner, workspace.ErrDissolved),
		g.problem("already-commercial", upgraded, workspace.ErrAlready),
	}
}

func sampleRecords(f web.Frame, p place) explorerPage {
	page := explorerPage{Frame: f, Place: p, Type: "logging", Range: "1h", Query: "", Found: "50", Older: "#main"}
	texts := []string{
		"GET /cart 200 12ms", "POST /checkout 500 842ms upstream timed out while reading the response header from the payment service",
		`{"level":"info","msg":"order placed","order":"o-29918","amount":"129.00"}`, "cache miss for key session:8812",
	}
	for i, text := range texts {
		page.Records = append(page.Records, record{At: noon.Add(-time.Duration(i*7) * time.Second), Name: "nginx", Text: text, Tags: []field{{"host", "web-1"}, {"service", "shop"}}, Fields: []field{{"message", text}, {"status", "info"}}})
	}
	page.Histogram = web.BarChart{Label: "Records over time", Head: "Time", Series: []string{"Records"}, Top: "91"}
	for i := range 30 {
		page.Histogram.Bars = append(page.Histogram.Bars, web.Bar{Label: noon.Add(time.Duration(2*i-60) * time.Minute).In(p.Site.Zone).Format("15:04"), Values: []int64{int64((i*37)%91 + 4)}})
	}
	return page
}

func (g canvas) problem(name string, v *visit, err error) gallery.State {
	return g.view("problem-"+name, v, "", func(ctx context.Context, f web.Frame) templ.Component {
		w := httptest.NewRecorder()
		r := httptest.NewRequest("GET", "/studio/", nil).WithContext(context.WithValue(ctx, visitKey{}, v))
		g.c.Fail(w, r, err)
		return templ.Raw(w.Body.String())
	})
}

func version(t *testing.T) *catalog.Version {
	t.Helper()
	v, err := catalog.Default().At(period.DayOf(noon, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func (g canvas) plans() []gallery.State {
	v := version(g.t)
	owner := shopkeeper(g.t, workspace.Owner, workspace.Experience, "cn1")
	admin := shopkeeper(g.t, workspace.Administrator, workspace.Experience, "us1")
	lines := quotas(v, nil)
	for i := range lines {
		switch lines[i].Item {
		case "timeseries":
			lines[i].Used = 3000
		case "logs":
			lines[i].Used = 870_000
		case "apm_trace":
			lines[i].Used = 120
		}
	}
	page := func(who *visit, lines []quotaLine) func(context.Context, web.Frame) templ.Component {
		return func(_ context.Context, f web.Frame) templ.Component {
			return experienceView(experiencePage{Frame: f, Place: who.place, Lines: lines, AsOf: noon, ResetAt: noon.Add(12 * time.Hour)})
		}
	}
	cny := func(s string) money.Amount { return money.MustParse(s, money.CNY) }
	upgradePage := plansPage{Place: owner.place, Preview: previewTable{
		Form: refused(web.Blank("growth.logs", "1,5"), preview.ErrGrowth.On("growth.logs")), Spans: preview.Spans(), Totals: []money.Amount{cny("14.20"), cny("58.90")},
		Rows: []previewRow{
			{"timeseries", []string{"3d", "7d", "14d", "30d"}, "7d", "1.5", []previewCell{{quantity.Of(18_400), cny("12.88")}, {quantity.Of(76_200), cny("53.34")}}},
			{"logs", []string{"3d", "7d", "14d"}, "14d", "1", []previewCell{{quantity.Of(880_000), cny("1.32")}, {quantity.Of(3_706_666), cny("5.56")}}},
			{"task_call", nil, "none", "1", []previewCell{{quantity.Zero, cny("0.00")}, {quantity.Of(4), cny("0.00")}}},
		},
	}}
	fresh := plansPage{Place: owner.place, Preview: previewTable{Form: web.Blank()}}
	upgradePage.compare(v)
	return []gallery.State{
		g.view("billing-experience", owner, "billing", page(owner, quotas(v, nil))),
		g.view("billing-experience-full", owner, "billing", page(owner, lines)),
		g.view("billing-experience-admin", admin, "billing", page(admin, lines)),
		g.view("upgrade-plans", owner, "upgrade", func(_ context.Context, f web.Frame) templ.Component {
			p := upgradePage
			p.Frame = f
			return plansView(p)
		}),
		g.view("upgrade-plans-unused", owner, "upgrade", func(_ context.Context, f web.Frame) templ.Component {
			p := fresh
			p.Frame = f
			return plansView(p)
		}),
	}
}

func (g canvas) upgrades() []gallery.State {
	owner := shopkeeper(g.t, workspace.Owner, workspace.Experience, "cn1")
	after := shopkeeper(g.t, workspace.Owner, workspace.Commercial, "cn1")
	cn4 := shopkeeper(g.t, workspace.Owner, workspace.Commercial, "cn4")
	named := upgrade.Draft{UserName: "acme-pay", BillingID: "bcac_1", NamedAt: noon}
	sent := named
	sent.Email, sent.SentAt = "finance@example.com", noon
	proven := sent
	proven.VerifiedAt, proven.Agreement, proven.AgreedAt = noon, upgrade.AgreementVersion, noon
	bind := func(d upgrade.Draft, form *web.Form) func(context.Context, web.Frame) templ.Component {
		return func(_ context.Context, f web.Frame) templ.Component {
			return bindView(bindPage{Frame: f, Place: owner.place, Form: form, Draft: d, Register: "/billing-center/register"})
		}
	}
	dialog := func(v *visit, arbitrary bool) func(context.Context, web.Frame) templ.Component {
		return func(_ context.Context, f web.Frame) templ.Component {
			p := settlementPage{Frame: f, Place: v.place, Payer: "acme-pay", Options: settle.Rules{Profile: site.Seed}.Options(v.place.Site, arbitrary)}
			if len(p.Options) > 0 {
				p.Shown = &p.Options[0]
			}
			return settlementView(p)
		}
	}
	return []gallery.State{
		g.view("upgrade-bind", owner, "upgrade", bind(upgrade.Draft{}, web.Blank())),
		g.view("upgrade-bind-unknown", owner, "upgrade", bind(upgrade.Draft{}, refused(web.Blank("user_name", "acme"), upgrade.ErrAccountUnknown.On("user_name")))),
		g.view("upgrade-bind-named", owner, "upgrade", bind(named, web.Blank())),
		g.view("upgrade-bind-code", owner, "upgrade", bind(sent, refused(web.Blank(), account.ErrCodeExpired.On("code")))),
		g.view("upgrade-bind-proven", owner, "upgrade", bind(proven, web.Blank())),
		g.view("upgrade-agreement", owner, "upgrade", func(ctx context.Context, f web.Frame) templ.Component {
			return agreementView(agreementPage{Frame: f, Place: owner.place, Form: refused(web.Blank(), upgrade.ErrNotAgreed.On("agreed")), Title: "Agreement", Paragraphs: []string{upgrade.AgreementText(web.Language(ctx))}})
		}),
		g.view("upgrade-confirm", owner, "upgrade", func(_ context.Context, f web.Frame) templ.Component {
			return confirmView(confirmPage{Frame: f, Place: owner.place, Form: web.Blank(), Draft: proven})
		}),
		g.view("upgrade-done", after, "billing", func(_ context.Context, f web.Frame) templ.Component {
			return doneView(donePage{Frame: f, Place: after.place, Payer: account.Billing{UserName: "acme-pay", Email: "finance@example.com"}, Offered: true})
		}),
		g.view("settlement-cn1", after, "billing", dialog(after, false)),
		g.view("settlement-all", after, "billing", dialog(after, true)),
		g.view("settlement-cn4", cn4, "billing", dialog(cn4, false)),
	}
}

func (g canvas) money() []gallery.State {
	owner := shopkeeper(g.t, workspace.Owner, workspace.Commercial, "cn1")
	admin := shopkeeper(g.t, workspace.Administrator, workspace.Commercial, "cn1")
	cny := func(s string) money.Amount { return money.MustParse(s, money.CNY) }
	list := []billHead{
		{"2026-03-01", "cn1-2026-000124", cny("41.20"), []paid{{"cash", cny("31.20")}, {"owed", cny("10.00")}}},
		{"2026-02-28", "cn1-2026-000091", cny("38.07"), []paid{{"cash", cny("38.07")}}},
	}
	today := []usageLine{{"timeseries", "7d", quantity.Of(12_480), cny("8.74"), ""}, {"logs", "14d", quantity.Of(4_210_331), cny("6.32"), "nginx-access"}}
	full := commercialPage{
		Payer: "acme-pay", Balances: &balances{Cash: cny("0.00"), Arrears: cny("10.00")}, Month: "2026-03", MonthSum: cny("41.20"),
		Latest: &list[0], Today: today, TodaySum: cny("15.06"), Bills: list, AsOf: noon,
	}
	fresh := commercialPage{Payer: "acme-pay", Balances: &balances{Cash: cny("500.00"), Arrears: cny("0.00")}, Month: "2026-03", MonthSum: cny("0.00"), TodaySum: cny("0.00"), AsOf: noon}
	page := func(v *visit, p commercialPage) func(context.Context, web.Frame) templ.Component {
		return func(_ context.Context, f web.Frame) templ.Component {
			p := p
			p.Frame, p.Place = f, v.place
			return commercialView(p)
		}
	}
	covered := full
	covered.Package = &packageToday{Size: "starter", Last: period.MustParseDay("2027-02-28"), Place: 1, Of: 2, Items: []packageItem{
		{"logs", quantity.Of(70_000_000), quantity.Of(31_400_000), quantity.Of(26_600_000)}, {"apm_trace", quantity.Of(5_000_000), quantity.Of(4_700_000), quantity.Of(0)},
	}}
	hidden := full
	hidden.Balances = nil
	one := billPage{
		Place: owner.place, Head: list[0], ClosedAt: noon, Catalog: "2024-11-06", Exact: quantity.MustParse("41.196"), Rounding: quantity.MustParse("0.004"),
		Lines: []billLine{
			{"timeseries", "7d", quantity.Of(12_480), quantity.MustParse("12.48"), quantity.Of(1000), quantity.MustParse("0.7"), quantity.MustParse("8.736"), cny("8.74"), []paid{{"cash", cny("8.74")}}, ""},
			{"logs", "14d", quantity.Of(21_640_331), quantity.MustParse("21.64"), quantity.Of(1_000_000), quantity.MustParse("1.5"), quantity.MustParse("32.46"), cny("32.46"), []paid{{"cash", cny("22.46")}, {"owed", cny("10.00")}}, "nginx-access"},
		},
	}
	return []gallery.State{
		g.view("billing-commercial", owner, "billing", page(owner, full)),
		g.view("billing-commercial-package", owner, "billing", page(owner, covered)),
		g.view("billing-commercial-fresh", owner, "billing", page(owner, fresh)),
		g.view("billing-commercial-admin", admin, "billing", page(admin, hidden)),
		g.view("bills", owner, "billing", func(_ context.Context, f web.Frame) templ.Component {
			return billsView(billsPage{Frame: f, Place: owner.place, Bills: list, Older: "#main"})
		}),
		g.view("bill", owner, "billing", func(_ context.Context, f web.Frame) templ.Component {
			p := one
			p.Frame = f
			return billView(p)
		}),
	}
}
