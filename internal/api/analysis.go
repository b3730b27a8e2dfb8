package api

import (
	"time"

	"tollgate.dev/internal/analysis"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/workspace"
)

// analyses is what a Commercial workspace used and cost over a span of days
// (domain section 9, Studio > Billing).
func (s *server) analyses() []route {
	const one = "/workspaces/{workspace_id}"
	return []route{
		reads(line(get, one+"/usage-statistics", Studio, workspace.ViewBilling, "show-usage-statistics", "What was used of each item, until now and until yesterday"), s.showStatistics),
		reads(line(get, one+"/analysis", Studio, workspace.ViewBilling, "analyse-bills", "What each item and each day of a range cost, days without a bill estimated"), s.showAnalysis),
	}
}

// UsageStatistics is what was used of each item, until now and until yesterday.
type UsageStatistics struct {
	Day    string            `json:"day" format:"date" doc:"Today, in the site's zone."`
	Month  string            `json:"month" example:"2026-03"`
	AsOf   time.Time         `json:"as_of" doc:"Everything received before this instant is counted, and perhaps more."`
	Market string            `json:"market" doc:"Where the items are sold: currency and price group of the site." example:"CNY/china"`
	Items  []ItemsStatistics `json:"items" nullable:"false" doc:"All that is sold there, in the order of a bill."`
}

// ItemsStatistics is what was used of one item, all classes together: decimals.
type ItemsStatistics struct {
	Item           string `json:"item" example:"logs"`
	Name           string `json:"name"`
	Today          string `json:"today" doc:"Until now."`
	Yesterday      string `json:"yesterday" doc:"The whole day."`
	Month          string `json:"month" doc:"The day quantities of the month until now, summed."`
	MonthYesterday string `json:"month_until_yesterday"`
}

// studied is a Commercial workspace as it is looked at now.
type studied struct {
	workspace.Workspace
	site    site.Site
	today   period.Day
	version *catalog.Version
}

func (s *server) studied(c *call) (studied, error) {
	w := studied{Workspace: c.Workspace}
	if w.Plan != workspace.Commercial {
		return w, ErrExperience
	}
	var err error
	if w.site, err = site.Find(w.Site); err != nil {
		return w, err
	}
	w.today = period.DayOf(c.at, w.site.Zone)
	w.version, err = s.Catalog.At(w.today)
	return w, err
}

// lately is what statistics and the forecast rest on.
func (s *server) lately(c *call, w studied) (analysis.Report, error) {
	return analysis.Read(c, c.tx, s.Catalog, w.Workspace, analysis.Lately(w.today), c.at)
}

func (s *server) showStatistics(c *call, _ *Inside) (*UsageStatistics, error) {
	w, err := s.studied(c)
	if err != nil {
		return nil, err
	}
	recent, err := s.lately(c, w)
	if err != nil {
		return nil, err
	}
	m := catalog.Market{Currency: recent.Currency, Group: w.site.Group}
	list, err := recent.Usages(w.version, m, w.today)
	if err != nil {
		return nil, err
	}
	asOf, err := c.asOf()
	if err != nil {
		return nil, err
	}
	shown := &UsageStatistics{
		Day: w.today.String(), Month: w.today.Month().String(), AsOf: local(asOf, w.Site), Market: m.String(), Items: make([]ItemsStatistics, 0, len(list)),
	}
	for _, u := range list {
		shown.Items = append(shown.Items, ItemsStatistics{
			Item: u.Item, Name: s.nameOf(w.version.ID, u.Item), Today: u.Today.Plain(), Yesterday: u.Yesterday.Plain(),
			Month: u.MonthNow.Plain(), MonthYesterday: u.MonthYesterday.Plain(),
		})
	}
	return shown, nil
}

// Forecast is what the month is expected to come to.
type Forecast struct {
	Expected   Amount `json:"expected" doc:"The bills, and for each open day the mean of the last seven closed days."`
	Low        Amount `json:"low" doc:"The same with the cheapest of those days."`
	High       Amount `json:"high" doc:"The same with the dearest of them."`
	ClosedDays int    `json:"closed_days" doc:"How many days it rests on, 7 at most."`
	OpenDays   int    `json:"open_days" doc:"Days of the month that are not closed, today among them."`
}

// forecast is nil until a whole day has been closed.
func (s *server) forecast(c *call) (*Forecast, error) {
	w, err := s.studied(c)
	if err != nil {
		return nil, err
	}
	recent, err := s.lately(c, w)
	if err != nil {
		return nil, err
	}
	f, err := recent.Project(period.DayOf(w.UpgradedAt, w.site.Zone), w.today)
	if err != nil || f.Days == 0 {
		return nil, err
	}
	return &Forecast{amountOf(f.Expected), amountOf(f.Low), amountOf(f.High), f.Days, f.Open}, nil
}

// Analysis is what each item and each day of a range cost.
type Analysis struct {
	Range    string         `json:"range,omitempty" doc:"The range by name; missing where days were given."`
	From     string         `json:"from" format:"date"`
	To       string         `json:"to" format:"date"`
	Currency string         `json:"currency" doc:"Of all amounts."`
	Payable  string         `json:"payable" doc:"A decimal: the sum of the days."`
	Arrears  string         `json:"arrears" doc:"A decimal: what of it nothing covered."`
	Items    []AnalysedItem `json:"items" nullable:"false" doc:"In the order of a bill."`
	Days     []AnalysedDay  `json:"days" nullable:"false" doc:"Those with a bill and those that are open, the oldest first."`
}

// AnalysedItem is the part of one item, all classes together.
type AnalysedItem struct {
	Item     string `json:"item" example:"logs"`
	Name     string `json:"name"`
	Category string `json:"category" enum:"pay_as_you_go,package"`
	Quantity string `json:"quantity" doc:"A decimal: the day quantities, summed."`
	Payable  string `json:"payable" doc:"A decimal."`
	Arrears  string `json:"arrears" doc:"A decimal."`
}

// AnalysedDay is the part of one day.
type AnalysedDay struct {
	Day        string         `json:"day" format:"date"`
	BillNumber string         `json:"bill_number,omitempty" example:"cn1-2026-000123"`
	Estimated  bool           `json:"estimated" doc:"Not closed yet: as if it ended now."`
	Payable    string         `json:"payable" doc:"A decimal."`
	Arrears    string         `json:"arrears" doc:"A decimal."`
	Lines      []AnalysedLine `json:"lines" nullable:"false"`
}

// AnalysedLine is one item in one class on one day.
type AnalysedLine struct {
	Item     string `json:"item"`
	Class    string `json:"class"`
	Index    string `json:"index,omitempty" doc:"Of logs: the named index. Absent for the default index."`
	Category string `json:"category" enum:"pay_as_you_go,package"`
	Quantity string `json:"quantity" doc:"A decimal."`
	Payable  string `json:"payable" doc:"A decimal."`
	Arrears  string `json:"arrears" doc:"A decimal."`
}

// analysing asks for a range.
type analysing struct {
	Inside
	Range string `query:"range" maxLength:"16" doc:"today, yesterday, this_week, last_week, this_month, last_month or this_year; this_month where nothing is said." example:"last_week"`
	From  string `query:"from" maxLength:"10" doc:"The first day, in place of a range." example:"2026-03-01"`
	To    string `query:"to" maxLength:"10" doc:"The last day; at most 400 days with it." example:"2026-03-31"`
	Item  string `query:"item" maxLength:"64" doc:"This billing item alone." example:"logs"`
}

func (s *server) showAnalysis(c *call, in *analysing) (*Analysis, error) {
	w, err := s.studied(c)
	if err != nil {
		return nil, err
	}
	name, span, err := analysis.Typed{Range: in.Range, From: in.From, To: in.To}.Parse(w.today)
	if err != nil {
		return nil, err
	}
	if _, err := w.version.Item(in.Item); in.Item != "" && err != nil {
		return nil, catalog.ErrItemUnknown.On("item")
	}
	report, err := analysis.Read(c, c.tx, s.Catalog, w.Workspace, span, c.at)
	if err != nil {
		return nil, err
	}
	if in.Item != "" {
		if report, err = report.Of(in.Item); err != nil {
			return nil, err
		}
	}
	items, err := report.Items(w.version)
	if err != nil {
		return nil, err
	}
	shown := analysisOf(report)
	shown.Range = string(name)
	for _, it := range items {
		shown.Items = append(shown.Items, AnalysedItem{it.Item, s.nameOf(w.version.ID, it.Item), it.Mode, it.Quantity.Plain(), it.Payable.String(), it.Arrears.String()})
	}
	return shown, nil
}

func analysisOf(r analysis.Report) *Analysis {
	text := func(a money.Amount) string { return a.String() }
	shown := &Analysis{
		From: r.Span.First.String(), To: r.Span.Last.String(), Currency: string(r.Currency), Payable: text(r.Payable), Arrears: text(r.Arrears),
		Items: []AnalysedItem{}, Days: make([]AnalysedDay, 0, len(r.Days)),
	}
	for _, d := range r.Days {
		day := AnalysedDay{
			Day: d.Day.String(), BillNumber: d.Number, Estimated: d.Estimated, Payable: text(d.Payable), Arrears: text(d.Arrears), Lines: make([]AnalysedLine, 0, len(d.Lines)),
		}
		for _, l := range d.Lines {
			day.Lines = append(day.Lines, AnalysedLine{l.Item, l.Class, l.Index, l.Mode, l.Quantity.Plain(), text(l.Payable), text(l.Arrears)})
		}
		shown.Days = append(shown.Days, day)
	}
	return shown
}
