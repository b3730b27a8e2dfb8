package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Explanation is how a bill came about: each line from its hours to what paid
// it.
type Explanation struct {
	ID          string          `json:"id"`
	Number      string          `json:"number"`
	WorkspaceID string          `json:"workspace_id"`
	Site        string          `json:"site"`
	Zone        string          `json:"zone"`
	Day         string          `json:"day"`
	Hours       int             `json:"hours"`
	Market      string          `json:"market"`
	Catalog     CatalogVersion  `json:"catalog"`
	Total       Amount          `json:"total"`
	Entry       *PaidBy         `json:"entry"`
	Lines       []ExplainedLine `json:"lines"`
	Adjustments []Correction    `json:"adjustments"` // that corrected it since
}

// CatalogVersion is a version of the prices. Units are cut to UnitDecimals;
// they stay exact where it is nil.
type CatalogVersion struct {
	ID           string `json:"id"`
	From         string `json:"from"`
	Until        string `json:"until"`
	UnitDecimals *int   `json:"unit_decimals"`
}

// PaidBy is an entry of the ledger.
type PaidBy struct {
	ID     string    `json:"id"`
	Number int64     `json:"number"`
	At     time.Time `json:"at"`
}

// ExplainedLine is a line and what it was calculated from.
type ExplainedLine struct {
	Line int `json:"line"`
	BillLine
	Counters []ExplainedCounter `json:"counters"`
	Rule     string             `json:"rule"`
	Divisor  string             `json:"divisor"`
	UnitSize string             `json:"unit_size"`
	UnitName string             `json:"unit_name"`
	Rounding string             `json:"rounding"`
	Payments []Payment          `json:"payments"`
	Agrees   bool               `json:"agrees"`
	Hours    []ExplainedHour    `json:"hours"`
}

// ExplainedCounter is a count behind an item, by the day rule.
type ExplainedCounter struct {
	Name string `json:"name"`
	Day  string `json:"day"`
}

// ExplainedHour is an hour of the day, with a sample per counter: nil where
// nothing was reported.
type ExplainedHour struct {
	Start   time.Time `json:"start"`
	Billed  bool      `json:"billed"`
	Samples []*string `json:"samples"`
}

// Payment is a part of an amount, what paid it, and the number of the entry in
// the ledger.
type Payment struct {
	Source string `json:"source"`
	Amount string `json:"amount"`
	Entry  int64  `json:"entry"`
}

func onlyLine(line int) url.Values {
	q := url.Values{}
	if line != 0 {
		q.Set("line", strconv.Itoa(line))
	}
	return q
}

// ExplainBill shows how a bill came about: all its lines, or the one of that
// number, from 1.
func (s *Studio) ExplainBill(ctx context.Context, workspace, bill string, line int) (Explanation, error) {
	return ask[Explanation](ctx, s.door, request{method: http.MethodGet, path: in(workspace, "bills", bill, "explain"), query: onlyLine(line)})
}

// ExplainBill shows how a bill came about: all its lines, or the one of that
// number, from 1.
func (b *BillingCenter) ExplainBill(ctx context.Context, bill string, line int) (Explanation, error) {
	return ask[Explanation](ctx, b.door, request{method: http.MethodGet, path: path("billing-center", "bills", bill, "explain"), query: onlyLine(line)})
}
