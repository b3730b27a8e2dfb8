package client

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// UsageStatistics is what was used of each item, until now and until yesterday.
type UsageStatistics struct {
	Day    string            `json:"day"`
	Month  string            `json:"month"`
	AsOf   time.Time         `json:"as_of"`
	Market string            `json:"market"`
	Items  []ItemsStatistics `json:"items"`
}

// ItemsStatistics is what was used of one item, all classes together: decimals.
type ItemsStatistics struct {
	Item           string `json:"item"`
	Name           string `json:"name"`
	Today          string `json:"today"`
	Yesterday      string `json:"yesterday"`
	Month          string `json:"month"`
	MonthYesterday string `json:"month_until_yesterday"`
}

// Forecast is what the month is expected to come to.
type Forecast struct {
	Expected   Amount `json:"expected"`
	Low        Amount `json:"low"`
	High       Amount `json:"high"`
	ClosedDays int    `json:"closed_days"`
	OpenDays   int    `json:"open_days"`
}

// Analysis is what each item and each day of a range cost.
type Analysis struct {
	Range    string         `json:"range,omitempty"`
	From     string         `json:"from"`
	To       string         `json:"to"`
	Currency string         `json:"currency"`
	Payable  string         `json:"payable"`
	Arrears  string         `json:"arrears"`
	Items    []AnalysedItem `json:"items"`
	Days     []AnalysedDay  `json:"days"`
}

// AnalysedItem is the part of one item, all classes together.
type AnalysedItem struct {
	Item     string `json:"item"`
	Name     string `json:"name"`
	Category string `json:"category"`
	Quantity string `json:"quantity"`
	Payable  string `json:"payable"`
	Arrears  string `json:"arrears"`
}

// AnalysedDay is the part of one day.
type AnalysedDay struct {
	Day        string         `json:"day"`
	BillNumber string         `json:"bill_number,omitempty"`
	Estimated  bool           `json:"estimated"`
	Payable    string         `json:"payable"`
	Arrears    string         `json:"arrears"`
	Lines      []AnalysedLine `json:"lines"`
}

// AnalysedLine is one item in one class on one day.
type AnalysedLine struct {
	Item     string `json:"item"`
	Class    string `json:"class"`
	Index    string `json:"index,omitempty"`
	Category string `json:"category"`
	Quantity string `json:"quantity"`
	Payable  string `json:"payable"`
	Arrears  string `json:"arrears"`
}

// Range is a span of days for an analysis: by name, such as last_week, or by
// its days. The zero value is this month.
type Range struct {
	Name string // today, yesterday, this_week, last_week, this_month, last_month or this_year
	Days
	Item string // this billing item alone
}

// UsageStatistics shows what a Commercial workspace used of each item.
func (s *Studio) UsageStatistics(ctx context.Context, workspace string) (UsageStatistics, error) {
	return ask[UsageStatistics](ctx, s.door, request{method: http.MethodGet, path: in(workspace, "usage-statistics")})
}

// Analysis shows what each item and each day of a range cost.
func (s *Studio) Analysis(ctx context.Context, workspace string, r Range) (Analysis, error) {
	q := url.Values{}
	for name, value := range map[string]string{"range": r.Name, "from": r.From, "to": r.To, "item": r.Item} {
		set(q, name, value)
	}
	return ask[Analysis](ctx, s.door, request{method: http.MethodGet, path: in(workspace, "analysis"), query: q})
}
