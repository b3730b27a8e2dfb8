package studio

import (
	"context"
	"strings"

	"github.com/a-h/templ"

	"tollgate.dev/internal/alert"
	"tollgate.dev/internal/analysis"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/quantity"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/web/gallery"
	"tollgate.dev/internal/workspace"
)

// month is three weeks of seven items, the last day an estimate.
func month(last period.Day) analysis.Report {
	cny := func(minor int64) money.Amount { return money.Of(minor, money.CNY) }
	r := analysis.Report{Span: analysis.Span{First: last.Add(-20), Last: last}, Currency: money.CNY, Cost: analysis.Cost{Payable: cny(0), Arrears: cny(0)}}
	items := []string{"timeseries", "logs", "network_host", "apm_trace", "rum_pv", "synthetic_test", "task_call"}
	for i := range 21 {
		d := analysis.Day{Day: r.Span.First.Add(i), Number: "cn1-2026-000124", Cost: analysis.Cost{Payable: cny(0), Arrears: cny(0)}}
		if i == 20 {
			d.Number, d.Estimated = "", true
		}
		for j, item := range items {
			n := int64((i*7+j*13)%29+3) * int64(9-j)
			cost := analysis.Cost{Payable: cny(n * 7), Arrears: cny(0)}
			if i == 19 && j < 2 {
				cost.Arrears = cny(n)
			}
			d.Lines = append(d.Lines, analysis.Line{Item: item, Class: "14d", Mode: analysis.PayAsYouGo, Quantity: quantity.Of(n * 4_321), Cost: cost})
			d.Cost, _ = d.Cost.Add(cost)
		}
		r.Days = append(r.Days, d)
		r.Cost, _ = r.Cost.Add(d.Cost)
	}
	return r
}

func (g canvas) analysed(v *visit, change func(*analysisPage)) func(context.Context, web.Frame) templ.Component {
	g.t.Helper()
	today := period.DayOf(noon, v.place.Site.Zone)
	prices, report := version(g.t), month(today)
	page := analysisPage{
		Place: v.place, Form: web.Blank(), Currency: money.CNY, Lately: asOfNow{"2026-03-02 12:00", "UTC+08:00"},
		Range: analysis.ThisMonth, Span: report.Span, Report: report,
	}
	var err error
	if page.Forecast, err = report.Project(today.Add(-30), today); err != nil {
		g.t.Fatal(err)
	}
	if page.Usages, err = report.Usages(prices, catalog.Market{Currency: money.CNY, Group: site.China}, today); err != nil {
		g.t.Fatal(err)
	}
	change(&page)
	if page.Item != "" {
		if page.Report, err = report.Of(page.Item); err != nil {
			g.t.Fatal(err)
		}
	}
	if page.Items, err = page.Report.Items(prices); err != nil {
		g.t.Fatal(err)
	}
	return func(_ context.Context, f web.Frame) templ.Component {
		p := page
		p.Frame = f
		return analysisView(p)
	}
}

func (g canvas) spending() []gallery.State {
	owner := shopkeeper(g.t, workspace.Owner, workspace.Commercial, "cn1")
	admin := shopkeeper(g.t, workspace.Administrator, workspace.Commercial, "cn1")
	cny := func(s string) money.Amount { return money.MustParse(s, money.CNY) }
	team := []alert.Member{
		{AccountID: "acnt_1", Role: workspace.Owner, UserName: "olivia", Email: "olivia@example.com"},
		{AccountID: "acnt_2", Role: workspace.Administrator, UserName: "noah", Email: "noah@example.com"},
		{AccountID: "acnt_3", Role: workspace.ReadOnly, UserName: "mia", Email: "mia@example.com"},
	}
	rules := []alert.Rule{
		{Item: "logs", Threshold: cny("50"), Members: []string{"acnt_3"}, Addresses: []string{"oncall@ops.example", "finance-controlling-emea@a-long-company-name.example"}},
		{Item: "sms", Threshold: money.MustParse("1", money.USD)}, {Item: alert.Total, Threshold: cny("200"), Administrators: true},
	}
	alerts := func(v *visit, change func(*alertsPage)) func(context.Context, web.Frame) templ.Component {
		p := alertsPage{Place: v.place, Currency: money.CNY, Rules: rules, Team: team}
		p.offer(version(g.t), "")
		change(&p)
		return func(_ context.Context, f web.Frame) templ.Component {
			p := p
			p.Frame = f
			return alertsView(p)
		}
	}
	return []gallery.State{
		g.view("analysis", owner, "analysis", g.analysed(owner, func(*analysisPage) {})),
		g.view("analysis-item", admin, "analysis", g.analysed(admin, func(p *analysisPage) { p.Item, p.Range = "logs", "" })),
		g.view("analysis-fresh", owner, "analysis", g.analysed(owner, func(p *analysisPage) {
			p.Report, p.Usages, p.Forecast.Days, p.Forecast.ToDate = analysis.Report{Currency: money.CNY}, p.Usages[:3], 0, cny("0")
		})),
		g.view("analysis-wrong", owner, "analysis", g.analysed(owner, func(p *analysisPage) {
			p.Form = refused(web.Blank("from", "2026-03-09", "to", "2026-03-01"), period.ErrReversed.On("to"), analysis.ErrRange.On("range"))
			p.Range, p.Wrong = "", true
		})),
		g.view("alerts", owner, "alerts", alerts(owner, func(*alertsPage) {})),
		g.view("alerts-empty", admin, "alerts", alerts(admin, func(p *alertsPage) { p.Rules = nil })),
		g.view("alerts-change", owner, "alerts", alerts(owner, func(p *alertsPage) { p.offer(version(g.t), "logs") })),
		g.view("alerts-wrong", owner, "alerts", alerts(owner, func(p *alertsPage) {
			p.Form = refused(web.Blank("item", "logs", "threshold", "0", "addresses", strings.Repeat("x", 40)),
				alert.ErrThreshold.On("threshold"), alert.ErrMember.On("members"), alert.ErrAddresses.On("addresses"))
			p.typed(p.Form)
		})),
	}
}
