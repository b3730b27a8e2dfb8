package bill

import (
	"encoding/json"
	"fmt"

	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/quantity"
	"tollgate.dev/internal/rate"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/workspace"
)

// document is the form that bills were issued in before they were texts: JSON
// with its fields in this order and every figure a decimal text. Such a bill
// keeps it, since its hash is that of these bytes. Nothing is added to it.
type document struct {
	Number     string               `json:"number"`
	Workspace  string               `json:"workspace"`
	Site       site.ID              `json:"site"`
	Day        period.Day           `json:"day"`
	Generation workspace.Generation `json:"generation"`
	Payer      string               `json:"payer"`
	Settlement site.Method          `json:"settlement"`
	Currency   money.Currency       `json:"currency"`
	Group      site.Group           `json:"group"`
	Catalog    string               `json:"catalog"`
	Lines      []documentLine       `json:"lines"`
	Total      string               `json:"total"`
}

type documentLine struct {
	Item      string           `json:"item"`
	Class     string           `json:"class"`
	Quantity  string           `json:"quantity"`
	Units     string           `json:"units"`
	UnitPrice string           `json:"unit_price"`
	Override  string           `json:"override,omitempty"` // the agreed price that stood in for the catalogue's
	Package   *documentCover   `json:"package,omitempty"`
	Exact     string           `json:"exact"`
	Amount    string           `json:"amount"`
	Paid      documentPaid     `json:"paid"`
	Sources   []documentSource `json:"sources,omitempty"` // the vouchers and cards behind it
}

// documentCover is what an annual package did for a line.
type documentCover struct {
	ID        string `json:"id"`
	Factor    string `json:"factor"`
	Converted string `json:"converted"`
	Covered   string `json:"covered"`
	Excess    string `json:"excess"`
}

type documentSource struct {
	Payment wallet.Payment `json:"payment"`
	ID      string         `json:"id"`
	Amount  string         `json:"amount"`
}

// documentPaid leaves out what paid nothing.
type documentPaid struct {
	Voucher       string `json:"voucher,omitempty"`
	FullReduction string `json:"full_reduction,omitempty"`
	Card          string `json:"card,omitempty"`
	Cash          string `json:"cash,omitempty"`
	Cloud         string `json:"cloud,omitempty"`
	Owed          string `json:"owed,omitempty"`
}

func (p *documentPaid) of(kind wallet.Payment) *string {
	return place(kind, &p.Voucher, &p.FullReduction, &p.Card, &p.Cash, &p.Cloud, &p.Owed)
}

// readJSON is the bill of such a document.
func readJSON(text []byte) (Bill, error) {
	var d document
	if err := json.Unmarshal(text, &d); err != nil {
		return Bill{}, err
	}
	b := Bill{
		Form: JSON, Number: d.Number, WorkspaceID: d.Workspace, Site: d.Site, Day: d.Day,
		Generation: d.Generation, Payer: d.Payer, Settlement: d.Settlement,
		Market: catalog.Market{Currency: d.Currency, Group: d.Group}, Catalog: d.Catalog,
	}
	var err error
	if b.Total, err = money.Parse(d.Total, d.Currency); err != nil {
		return Bill{}, fmt.Errorf("total of bill %s: %w", d.Number, err)
	}
	for _, l := range d.Lines {
		line, err := l.line(d.Currency)
		if err != nil {
			return Bill{}, fmt.Errorf("line %s of bill %s: %w", l.Item, d.Number, err)
		}
		b.Lines = append(b.Lines, line)
	}
	return b, nil
}

// writeJSON is such a document of the bill.
func (b *Bill) writeJSON() []byte {
	d := document{
		Number: b.Number, Workspace: b.WorkspaceID, Site: b.Site, Day: b.Day, Generation: b.Generation, Payer: b.Payer, Settlement: b.Settlement,
		Currency: b.Market.Currency, Group: b.Market.Group, Catalog: b.Catalog, Lines: make([]documentLine, len(b.Lines)), Total: b.Total.String(),
	}
	for i := range b.Lines {
		d.Lines[i] = documentLineOf(&b.Lines[i])
	}
	text, err := json.Marshal(d)
	if err != nil {
		panic("bill: a document must encode: " + err.Error())
	}
	return text
}

func documentLineOf(l *Line) documentLine {
	d := documentLine{
		Item: l.Item, Class: l.Class, Quantity: l.Quantity.Plain(), Units: l.Units.String(), UnitPrice: l.UnitPrice.String(),
		Override: l.Override, Exact: l.Exact.String(), Amount: l.Amount.String(),
	}
	if c := l.Package; c != nil {
		d.Package = &documentCover{c.Package, c.Factor.String(), c.Converted.String(), c.Covered.String(), c.Excess.String()}
	}
	for _, kind := range wallet.Payments() {
		if paid := l.Paid.By(kind); !paid.IsZero() {
			*d.Paid.of(kind) = paid.String()
		}
	}
	for _, s := range l.Sources {
		d.Sources = append(d.Sources, documentSource{s.Payment, s.ID, s.Amount.String()})
	}
	return d
}

func (l documentLine) line(c money.Currency) (Line, error) {
	line := Line{Line: rate.Line{Item: l.Item, Class: l.Class, Override: l.Override}, Paid: nothing(c)}
	for _, figure := range []struct {
		text string
		to   *quantity.Decimal
	}{{l.Quantity, &line.Quantity}, {l.Units, &line.Units}, {l.UnitPrice, &line.UnitPrice}, {l.Exact, &line.Exact}} {
		var err error
		if *figure.to, err = quantity.Parse(figure.text); err != nil {
			return Line{}, err
		}
	}
	var err error
	if line.Package, err = l.Package.cover(); err != nil {
		return Line{}, err
	}
	if line.Amount, err = money.Parse(l.Amount, c); err != nil {
		return Line{}, err
	}
	for _, kind := range wallet.Payments() {
		text := *l.Paid.of(kind)
		if text == "" {
			continue
		}
		if *line.Paid.of(kind), err = money.Parse(text, c); err != nil {
			return Line{}, err
		}
	}
	for _, s := range l.Sources {
		amount, err := money.Parse(s.Amount, c)
		if err != nil {
			return Line{}, err
		}
		line.Sources = append(line.Sources, SourcePart{s.Payment, s.ID, amount})
	}
	return line, nil
}

// cover turns the texts back; nil stays nil.
func (d *documentCover) cover() (*rate.Cover, error) {
	if d == nil {
		return nil, nil
	}
	c := &rate.Cover{Package: d.ID}
	for _, figure := range []struct {
		text string
		to   *quantity.Decimal
	}{{d.Factor, &c.Factor}, {d.Converted, &c.Converted}, {d.Covered, &c.Covered}, {d.Excess, &c.Excess}} {
		var err error
		if *figure.to, err = quantity.Parse(figure.text); err != nil {
			return nil, err
		}
	}
	return c, nil
}
