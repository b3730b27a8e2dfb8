package studio

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"tollgate.dev/internal/analysis"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/export"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/quantity"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/workspace"
)

// analysisPage is what a Commercial workspace used and cost over some days.
type analysisPage struct {
	Frame    web.Frame
	Place    place
	Form     *web.Form
	Currency money.Currency
	Forecast analysis.Forecast
	Usages   []analysis.Usage
	Lately   asOfNow

	Range  analysis.Range // empty where days were typed
	Span   analysis.Span
	Item   string          // the one that is shown alone; empty: all
	Items  []analysis.Item // of the span
	Report analysis.Report
	Wrong  bool // the span cannot be read; nothing of it is shown
}

// asOfNow says as of when, in words that a page can show.
type asOfNow struct{ At, Zone string }

// asked is the filter of the address.
type asked struct {
	form *web.Form
	name analysis.Range
	span analysis.Span
	item string
}

// asks reads the filter. What it gives beside a fault is not to be used.
func (c *Console) asks(w http.ResponseWriter, r *http.Request, v *catalog.Version) (asked, error) {
	form, err := web.Parse(w, r)
	if err != nil {
		return asked{form: web.Blank()}, err
	}
	a := asked{form: form, item: strings.TrimSpace(form.Text("item"))}
	today := period.DayOf(c.now(), visitOf(r).place.Site.Zone)
	typed := analysis.Typed{Range: form.Text("range"), From: form.Text("from"), To: form.Text("to")}
	if a.name, a.span, err = typed.Parse(today); err != nil {
		return a, err
	}
	if _, err := v.Item(a.item); a.item != "" && err != nil {
		return a, catalog.ErrItemUnknown.On("item")
	}
	return a, nil
}

// analysis shows usage statistics, the forecast, and the bill details of the
// filter with their charts.
func (c *Console) analysis(w http.ResponseWriter, r *http.Request) error {
	ctx, p := r.Context(), visitOf(r).place
	if p.Workspace.Plan != workspace.Commercial {
		return web.SeeOther(w, r, p.path("billing"))
	}
	v, err := c.prices(p)
	if err != nil {
		return err
	}
	filter, err := c.asks(w, r, v)
	wrong := filter.form.Refused(err)
	if err != nil && !wrong {
		return err
	}
	page := analysisPage{
		Frame: c.frame(r, web.T(ctx, "analysis.title"), "analysis"), Place: p, Form: filter.form,
		Range: filter.name, Span: filter.span, Item: filter.item, Wrong: wrong,
	}
	err = c.store.Read(ctx, func(tx *store.Tx) error {
		if err := page.lately(ctx, tx, c, v); err != nil || wrong {
			return err
		}
		return page.details(ctx, tx, c, v)
	})
	if err != nil {
		return err
	}
	return web.Render(w, r, filter.form.Status(), analysisView(page))
}

// lately fills in the usage statistics and the forecast.
func (p *analysisPage) lately(ctx context.Context, tx *store.Tx, c *Console, v *catalog.Version) error {
	at, err := asOf(ctx, tx, c.now())
	if err != nil {
		return err
	}
	p.Lately = asOfNow{web.Instant(at, p.Place.Site.Zone), web.Zone(at, p.Place.Site.Zone)}
	today := period.DayOf(c.now(), p.Place.Site.Zone)
	recent, err := analysis.Read(ctx, tx, c.options.Catalog, p.Place.Workspace, analysis.Lately(today), c.now())
	if err != nil {
		return err
	}
	p.Currency = recent.Currency
	if p.Forecast, err = recent.Project(period.DayOf(p.Place.Workspace.UpgradedAt, p.Place.Site.Zone), today); err != nil {
		return err
	}
	p.Usages, err = recent.Usages(v, catalog.Market{Currency: recent.Currency, Group: p.Place.Site.Group}, today)
	return err
}

// details fills in the report of the filter.
func (p *analysisPage) details(ctx context.Context, tx *store.Tx, c *Console, v *catalog.Version) (err error) {
	if p.Report, err = analysis.Read(ctx, tx, c.options.Catalog, p.Place.Workspace, p.Span, c.now()); err != nil {
		return err
	}
	if p.Item != "" {
		if p.Report, err = p.Report.Of(p.Item); err != nil {
			return err
		}
	}
	p.Items, err = p.Report.Items(v)
	return err
}

// query is the filter with another item, as an address.
func (p analysisPage) query(item string) string {
	q := url.Values{}
	if p.Range != "" {
		q.Set("range", string(p.Range))
	} else {
		q.Set("from", p.Span.First.String())
		q.Set("to", p.Span.Last.String())
	}
	if item != "" {
		q.Set("item", item)
	}
	return q.Encode()
}

// ranges are the tabs of the ranges by name.
func (p analysisPage) ranges(ctx context.Context) []web.Tab {
	var tabs []web.Tab
	for _, r := range analysis.Ranges() {
		q := url.Values{"range": {string(r)}}
		if p.Item != "" {
			q.Set("item", p.Item)
		}
		tabs = append(tabs, web.Tab{Label: web.T(ctx, "analysis.range."+string(r)), Href: p.Place.path("analysis?" + q.Encode()), Current: r == p.Range && !p.Wrong})
	}
	return tabs
}

// itemOptions are the items that can be shown alone.
func (p analysisPage) itemOptions(ctx context.Context) []web.Option {
	options := []web.Option{{Value: "", Label: web.T(ctx, "analysis.all_items")}}
	for _, u := range p.Usages {
		options = append(options, web.Option{Value: u.Item, Label: web.Name(ctx, "item", u.Item)})
	}
	return options
}

// estimated reports whether a day of the report has no bill yet.
func (p analysisPage) estimated() bool {
	return slices.ContainsFunc(p.Report.Days, func(d analysis.Day) bool { return d.Estimated })
}

// axis are the days of the charts: those of the report, and the days between
// them on which nothing was used.
func (p analysisPage) axis() []analysis.Day {
	var days []analysis.Day
	for _, d := range p.Report.Days {
		if n := len(days); n > 0 {
			for gap := days[n-1].Day.Add(1); gap.Before(d.Day); gap = gap.Add(1) {
				days = append(days, analysis.Day{Day: gap})
			}
		}
		days = append(days, d)
	}
	return days
}

// bar is a day's bar, which leads to the day's bill.
func (p analysisPage) bar(ctx context.Context, d analysis.Day) web.Bar {
	b := web.Bar{Label: d.Day.String()}
	switch {
	case d.Estimated:
		b.Label = web.T(ctx, "analysis.estimated_day", "day", d.Day.String())
	case d.Number != "":
		b.Href = p.Place.path("billing/bills/" + d.Day.String())
	}
	return b
}

// mostSeries is how many series a chart can tell apart; what is more stands
// together as others.
const mostSeries = 6

// consumption is the cost of each day, by item.
func (p analysisPage) consumption(ctx context.Context) web.BarChart {
	top := slices.Clone(p.Items)
	slices.SortStableFunc(top, func(a, b analysis.Item) int { return int(b.Payable.Minor() - a.Payable.Minor()) })
	place, names := map[string]int{}, []string{}
	for i, item := range top {
		if len(top) > mostSeries && i >= mostSeries-1 {
			place[item.Item] = mostSeries - 1
			continue
		}
		place[item.Item] = i
		names = append(names, web.Name(ctx, "item", item.Item))
	}
	if len(top) > mostSeries {
		names = append(names, web.T(ctx, "analysis.others"))
	}
	chart := web.BarChart{
		Label: web.T(ctx, "analysis.consumption", "currency", string(p.Currency)), Head: web.T(ctx, "studio.bill.day"), Series: names,
		Format: func(n int64) string { return web.Money(money.Of(n, p.Currency)) },
	}
	most := money.Of(0, p.Currency)
	for _, d := range p.axis() {
		bar := p.bar(ctx, d)
		bar.Values = make([]int64, len(names))
		for _, l := range d.Lines {
			bar.Values[place[l.Item]] += l.Payable.Minor()
		}
		if d.Payable.Minor() > most.Minor() {
			most = d.Payable
		}
		chart.Bars = append(chart.Bars, bar)
	}
	chart.Top = web.T(ctx, "analysis.most", "value", web.Money(most))
	return chart
}

// used is the usage of each day of the one item.
func (p analysisPage) used(ctx context.Context) web.BarChart {
	name := web.Name(ctx, "item", p.Item)
	chart := web.BarChart{Label: web.T(ctx, "analysis.used", "item", name), Head: web.T(ctx, "studio.bill.day"), Series: []string{name}}
	most := quantity.Zero
	for _, d := range p.axis() {
		sum := quantity.Zero
		for _, l := range d.Lines {
			if s, err := sum.Add(l.Quantity); err == nil {
				sum = s
			}
		}
		whole, _ := sum.Truncate(0).Int()
		bar := p.bar(ctx, d)
		bar.Values, bar.Texts = []int64{whole}, []string{web.Exact(sum)}
		chart.Bars, most = append(chart.Bars, bar), most.Max(sum)
	}
	chart.Top = web.T(ctx, "analysis.most", "value", web.Exact(most))
	return chart
}

// analysisCSV is what the page shows, a row per day, item and class.
func (c *Console) analysisCSV(w http.ResponseWriter, r *http.Request) error {
	ctx, p := r.Context(), visitOf(r).place
	if p.Workspace.Plan != workspace.Commercial {
		return web.SeeOther(w, r, p.path("billing"))
	}
	v, err := c.prices(p)
	if err != nil {
		return err
	}
	filter, err := c.asks(w, r, v)
	if err != nil {
		return fault.From(err)
	}
	page := analysisPage{Place: p, Span: filter.span, Item: filter.item}
	err = c.store.Read(ctx, func(tx *store.Tx) error { return page.details(ctx, tx, c, v) })
	if err != nil {
		return err
	}
	rows := [][]string{{"day", "bill", "item", "class", "billing_mode", "quantity", "currency", "payable", "arrears", "estimate", "index"}}
	for _, d := range page.Report.Days {
		for _, l := range d.Lines {
			rows = append(rows, []string{
				d.Day.String(), d.Number, l.Item, l.Class, l.Mode, l.Quantity.Plain(), string(page.Report.Currency),
				l.Payable.String(), l.Arrears.String(), map[bool]string{true: "yes", false: "no"}[d.Estimated], export.Inert(l.Index),
			})
		}
	}
	name := "analysis-" + filter.span.First.String() + "-" + filter.span.Last.String() + ".csv"
	return web.CSV(w, name, rows)
}
