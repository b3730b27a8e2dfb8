package api

import (
	"strconv"
	"time"

	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/wallet"
)

// Explanation is how a bill came about: each line from its hours to what paid
// it. The command line prints it, too.
type Explanation struct {
	ID          string          `json:"id"`
	Number      string          `json:"number" example:"cn1-2026-000123"`
	WorkspaceID string          `json:"workspace_id"`
	Site        string          `json:"site"`
	Zone        string          `json:"zone" doc:"The zone of the site, in which the day is counted." example:"Asia/Shanghai"`
	Day         string          `json:"day" format:"date"`
	Hours       int             `json:"hours" doc:"Of the day: 23, 24 or 25."`
	Market      string          `json:"market" doc:"Currency and price group of the site." example:"CNY/china"`
	Catalog     CatalogVersion  `json:"catalog"`
	Total       Amount          `json:"total"`
	Entry       *PaidBy         `json:"entry,omitempty" doc:"The entry of the ledger that paid the bill; missing where there was nothing to pay."`
	Lines       []ExplainedLine `json:"lines" nullable:"false"`
	Adjustments []Correction    `json:"adjustments,omitempty" doc:"What corrected the bill since, by lines of their own: the bill stays as it is."`
}

// CatalogVersion is a version of the prices.
type CatalogVersion struct {
	ID           string `json:"id" example:"2024-11-06"`
	From         string `json:"from" format:"date" doc:"The first day on which it holds."`
	Until        string `json:"until,omitempty" format:"date" doc:"The first day on which it no longer holds; missing while no end is known."`
	UnitDecimals *int   `json:"unit_decimals,omitempty" doc:"Units are cut to so many decimals, never rounded up; missing where they stay exact."`
}

// PaidBy is an entry of the ledger.
type PaidBy struct {
	ID     string    `json:"id"`
	Number int64     `json:"number" doc:"Its place in the payer's chain of entries."`
	At     time.Time `json:"at"`
}

// ExplainedLine is a line and what it was calculated from.
type ExplainedLine struct {
	Line int `json:"line" doc:"Its number on the bill, from 1."`
	BillLine
	Counters []ExplainedCounter `json:"counters" nullable:"false"`
	Rule     string             `json:"rule" doc:"How the hours make the day: sum24, max24, or max_of_two sums of which the second is divided." example:"sum24"`
	Divisor  string             `json:"divisor,omitempty" doc:"Of the second counter."`
	UnitSize string             `json:"unit_size" doc:"So many make a unit." example:"1000000"`
	UnitName string             `json:"unit_name" doc:"What is counted." example:"records"`
	Rounding string             `json:"rounding" doc:"What rounding half up to the minor unit changed." example:"-0.004"`
	Payments []Payment          `json:"payments" nullable:"false" doc:"What paid the line, in the order of deduction."`
	Agrees   bool               `json:"agrees" doc:"The line, calculated again from these hours, is the one on the bill."`
	HourBy   []ExplainedHour    `json:"hours" nullable:"false"`
}

// ExplainedCounter is a count behind an item, by the day rule.
type ExplainedCounter struct {
	Name string `json:"name" example:"spans"`
	Day  string `json:"day" doc:"The sum or the largest of the hours."`
}

// ExplainedHour is an hour of the day.
type ExplainedHour struct {
	Start   time.Time `json:"start" doc:"In the zone of the site."`
	Billed  bool      `json:"billed" doc:"false for the hours before the upgrade."`
	Samples []*string `json:"samples" nullable:"false" doc:"One per counter; null where nothing was reported."`
}

// Payment is a part of an amount and what paid it.
type Payment struct {
	Source string `json:"source" example:"cash"`
	Amount string `json:"amount"`
	Entry  int64  `json:"entry" doc:"The number of the entry in the ledger."`
}

// ExplanationOf shows an explanation; a line number other than 0 leaves out
// all other lines.
func ExplanationOf(e bill.Explanation, line int) (*Explanation, error) {
	b := e.Bill
	shown := &Explanation{
		ID: b.ID, Number: b.Number, WorkspaceID: b.WorkspaceID, Site: string(b.Site), Zone: e.Zone.String(), Day: b.Day.String(),
		Hours: len(b.Day.Hours(e.Zone)), Market: b.Market.String(), Catalog: versionOf(e.Version), Total: amountOf(b.Total), Lines: []ExplainedLine{}, Adjustments: correctionsOf(e.Adjustments),
	}
	if e.Entry.Number > 0 {
		shown.Entry = &PaidBy{e.Entry.ID, e.Entry.Number, local(e.Entry.At, b.Site)}
	}
	lines := e.Lines
	if line != 0 {
		one, err := e.Line(line)
		if err != nil {
			return nil, err
		}
		lines = []bill.ExplainedLine{one}
	}
	for _, l := range lines {
		x, err := explainedLine(e, l)
		if err != nil {
			return nil, err
		}
		shown.Lines = append(shown.Lines, x)
	}
	return shown, nil
}

func versionOf(v *catalog.Version) CatalogVersion {
	shown := CatalogVersion{ID: v.ID, From: v.From.String(), Until: v.Until.String()}
	if v.Rounding.TruncateUnits {
		shown.UnitDecimals = &v.Rounding.UnitDecimals
	}
	return shown
}

func explainedLine(e bill.Explanation, l bill.ExplainedLine) (ExplainedLine, error) {
	rounding, err := l.Rounding()
	if err != nil {
		return ExplainedLine{}, err
	}
	x := ExplainedLine{
		Line: l.Number, BillLine: billLineOf(l.Item.Name.En, l.Line), Rule: string(l.Item.Rule), UnitSize: l.UnitSize(e.Version).Plain(), UnitName: l.Item.Unit.Name.En,
		Rounding: rounding.Plain(), Agrees: l.Agrees(), Counters: []ExplainedCounter{}, Payments: []Payment{}, HourBy: make([]ExplainedHour, 0, len(l.Hours)),
	}
	if l.Item.Rule == catalog.MaxOfTwo {
		x.Divisor = l.Item.Alternative.Divisor.Plain()
	}
	for _, c := range l.Counters {
		x.Counters = append(x.Counters, ExplainedCounter{c.Name, decimal(c.Day)})
	}
	for _, kind := range wallet.Payments() {
		if a := l.Paid.By(kind); !a.IsZero() {
			x.Payments = append(x.Payments, Payment{string(kind), a.String(), e.Entry.Number})
		}
	}
	for _, h := range l.Hours {
		hour := ExplainedHour{Start: h.Start.In(e.Zone), Billed: h.Billed, Samples: make([]*string, len(h.Samples))}
		for i, s := range h.Samples {
			if s.Stored {
				text := decimal(s.Quantity)
				hour.Samples[i] = &text
			}
		}
		x.HourBy = append(x.HourBy, hour)
	}
	return x, nil
}

// explaining names a bill of a workspace, and a line of it or none.
type explaining struct {
	Inside
	BillID string `path:"bill_id" maxLength:"64"`
	Line   int    `query:"line" minimum:"1" maximum:"10000" doc:"Only this line."`
}

func (s *server) explainBill(c *call, in *explaining) (*Explanation, error) {
	b, err := c.tx.Bill(c, in.BillID)
	if err == nil && b.WorkspaceID != in.WorkspaceID {
		err = bill.ErrUnknown
	}
	return s.explain(c, b, in.Line, err)
}

// explainingPaid names a bill that the account pays, and a line of it or none.
type explainingPaid struct {
	BillID string `path:"bill_id" maxLength:"64"`
	Line   int    `query:"line" minimum:"1" maximum:"10000" doc:"Only this line."`
}

func (s *server) explainPaidBill(c *call, in *explainingPaid) (*Explanation, error) {
	b, err := c.tx.Bill(c, in.BillID)
	if err == nil && b.Payer != c.AccountID {
		err = bill.ErrUnknown
	}
	return s.explain(c, b, in.Line, err)
}

func (s *server) explain(c *call, b bill.Bill, line int, err error) (*Explanation, error) {
	if err != nil {
		return nil, err
	}
	e, err := bill.Explain(c, c.tx, s.Catalog, b)
	if err != nil {
		return nil, err
	}
	shown, err := ExplanationOf(e, line)
	if err != nil {
		return nil, fault.From(err).On("line")
	}
	return shown, nil
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }
