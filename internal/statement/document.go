package statement

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/prepaid"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/wallet"
)

// document is the stored form of a statement: JSON with its fields in this
// order and every figure a decimal text. It is public and only grows.
type document struct {
	Number     string              `json:"number"`
	Payer      string              `json:"payer"`
	UserName   string              `json:"user_name"`
	Company    string              `json:"company"`
	Month      string              `json:"month"`
	Currency   money.Currency      `json:"currency"`
	IssuedAt   time.Time           `json:"issued_at"`
	Bills      int64               `json:"bills"`
	LateBills  int64               `json:"late_bills"`
	Late       string              `json:"late"`
	Total      string              `json:"total"`
	Paid       documentPaid        `json:"paid"`
	Workspaces []documentWorkspace `json:"workspaces"`
	Items      []documentItem      `json:"items"`
	Packages   []documentPackage   `json:"packages,omitempty"`
	Adjusted   []documentAdjusted  `json:"adjustments,omitempty"`
	Owed       string              `json:"owed"`
	DueBy      string              `json:"due_by"`
	Previous   string              `json:"previous"`
}

type documentWorkspace struct {
	ID    string         `json:"id"`
	Name  string         `json:"name"`
	Site  site.ID        `json:"site"`
	Bills int64          `json:"bills"`
	Total string         `json:"total"`
	Paid  documentPaid   `json:"paid"`
	Items []documentItem `json:"items"`
}

type documentItem struct {
	ID    string       `json:"id"`
	Lines int64        `json:"lines"`
	Total string       `json:"total"`
	Paid  documentPaid `json:"paid"`
}

type documentPackage struct {
	ID      string             `json:"id"`
	Kind    prepaid.ChargeKind `json:"kind"`
	What    string             `json:"what"`
	Charges int64              `json:"charges"`
	Total   string             `json:"total"`
	Paid    documentPaid       `json:"paid"`
}

type documentAdjusted struct {
	ID       string    `json:"id"`
	Reason   string    `json:"reason"`
	Bill     string    `json:"bill,omitempty"`
	BookedAt time.Time `json:"booked_at"`
	Amount   string    `json:"amount"`
}

// documentPaid leaves out what paid nothing. JSON orders a map by its keys.
type documentPaid map[wallet.Payment]string

func paidOf(p bill.Paid) documentPaid {
	d := documentPaid{}
	for _, kind := range wallet.Payments() {
		if a := p.By(kind); !a.IsZero() {
			d[kind] = a.String()
		}
	}
	return d
}

func itemsOf(items []Item) []documentItem {
	list := make([]documentItem, len(items))
	for i, it := range items {
		list[i] = documentItem{it.ID, it.Lines, it.Total.String(), paidOf(it.Paid)}
	}
	return list
}

// Document is the statement as it is stored and hashed.
func (s Statement) Document() []byte {
	d := document{
		Number: s.Number, Payer: s.Payer, UserName: s.UserName, Company: s.Company, Month: s.Month.String(), Currency: s.Currency,
		IssuedAt: s.IssuedAt.UTC(), Bills: s.Bills, LateBills: s.Late.Bills, Late: s.Late.Total.String(), Total: s.Total.String(), Paid: paidOf(s.Paid),
		Items: itemsOf(s.Items), Owed: s.Owed.String(), DueBy: s.DueBy.String(), Previous: s.Previous,
	}
	for _, w := range s.Workspaces {
		d.Workspaces = append(d.Workspaces, documentWorkspace{w.ID, w.Name, w.Site, w.Bills, w.Total.String(), paidOf(w.Paid), itemsOf(w.Items)})
	}
	for _, p := range s.Packages {
		d.Packages = append(d.Packages, documentPackage{p.ID, p.Kind, p.What, p.Charges, p.Total.String(), paidOf(p.Paid)})
	}
	for _, a := range s.Adjustments {
		d.Adjusted = append(d.Adjusted, documentAdjusted{a.ID, a.Reason, a.Bill, a.BookedAt.UTC(), a.Amount.String()})
	}
	text, err := json.Marshal(d)
	if err != nil {
		panic("statement: a document of texts must encode: " + err.Error())
	}
	return text
}

// Sum is the hash of a document.
func Sum(document []byte) string {
	sum := sha256.Sum256(document)
	return hex.EncodeToString(sum[:])
}

// reading turns texts back and keeps the first that cannot be.
type reading struct {
	currency money.Currency
	err      error
}

func (r *reading) amount(text string) money.Amount {
	a, err := money.Parse(text, r.currency)
	if err != nil && r.err == nil {
		r.err = err
	}
	return a
}

func (r *reading) paid(d documentPaid) bill.Paid {
	p := bill.NoPaid(r.currency)
	for kind, text := range d {
		if err := p.Add(kind, r.amount(text)); err != nil && r.err == nil {
			r.err = err
		}
	}
	return p
}

func (r *reading) items(list []documentItem) []Item {
	items := make([]Item, len(list))
	for i, it := range list {
		items[i] = Item{it.ID, it.Lines, r.amount(it.Total), r.paid(it.Paid)}
	}
	return items
}

// Read is the statement of a document. One that does not sum is refused.
func Read(text []byte) (Statement, error) {
	var d document
	if err := json.Unmarshal(text, &d); err != nil {
		return Statement{}, fmt.Errorf("read a statement: %w", err)
	}
	month, err := period.ParseMonth(d.Month)
	if err != nil {
		return Statement{}, fmt.Errorf("month of statement %s: %w", d.Number, err)
	}
	r := reading{currency: d.Currency}
	s := Statement{
		ID: IDOf(d.Payer, month), Number: d.Number, Payer: d.Payer, UserName: d.UserName, Company: d.Company, Month: month, Currency: d.Currency,
		Bills: d.Bills, Late: Late{d.LateBills, r.amount(d.Late)}, Total: r.amount(d.Total), Paid: r.paid(d.Paid), Items: r.items(d.Items),
		Owed: r.amount(d.Owed), IssuedAt: d.IssuedAt, Previous: d.Previous, Hash: Sum(text),
	}
	for _, w := range d.Workspaces {
		s.Workspaces = append(s.Workspaces, Workspace{w.ID, w.Name, w.Site, w.Bills, r.amount(w.Total), r.paid(w.Paid), r.items(w.Items)})
	}
	for _, p := range d.Packages {
		s.Packages = append(s.Packages, Package{p.ID, p.Kind, p.What, p.Charges, r.amount(p.Total), r.paid(p.Paid)})
	}
	for _, a := range d.Adjusted {
		s.Adjustments = append(s.Adjustments, Adjustment{a.ID, a.Reason, a.Bill, a.BookedAt, r.amount(a.Amount)})
	}
	if d.DueBy != "" && r.err == nil {
		r.err = s.DueBy.UnmarshalText([]byte(d.DueBy))
	}
	if r.err != nil {
		return Statement{}, fmt.Errorf("figures of statement %s: %w", d.Number, r.err)
	}
	return s, s.Sums()
}
