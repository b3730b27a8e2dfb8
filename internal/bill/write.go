package bill

import (
	"encoding/json"

	"tollgate.dev/internal/money"
	"tollgate.dev/internal/quantity"
	"tollgate.dev/internal/wallet"
)

// Document is the bill as it is stored and hashed: what encoding/json would
// make of the type document, byte for byte. It is written by hand because a
// close writes millions of lines.
func (b Bill) Document() []byte { return b.write(make([]byte, 0, 512+256*len(b.Lines))) }

// write appends the document.
func (b *Bill) write(to []byte) []byte {
	w := writer{text: to}
	w.field(`{"number":`, b.Number)
	w.field(`,"workspace":`, b.WorkspaceID)
	w.field(`,"site":`, string(b.Site))
	w.field(`,"day":`, b.Day.String())
	w.decimal(`,"generation":`, quantity.Of(int64(b.Generation)), false)
	w.field(`,"payer":`, b.Payer)
	w.field(`,"settlement":`, string(b.Settlement))
	w.field(`,"currency":`, string(b.Market.Currency))
	w.field(`,"group":`, string(b.Market.Group))
	w.field(`,"catalog":`, b.Catalog)
	w.raw(`,"lines":[`)
	for i := range b.Lines {
		if i > 0 {
			w.raw(`,`)
		}
		w.line(&b.Lines[i])
	}
	w.amount(`],"total":`, b.Total)
	w.raw(`}`)
	return w.text
}

// writer appends JSON.
type writer struct{ text []byte }

func (w *writer) raw(text string) { w.text = append(w.text, text...) }

// field appends a name as it is, and a text in quotes.
func (w *writer) field(name, text string) {
	w.raw(name)
	for i := range len(text) {
		if c := text[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			quoted, err := json.Marshal(text)
			if err != nil {
				panic("bill: a text must encode: " + err.Error())
			}
			w.text = append(w.text, quoted...)
			return
		}
	}
	w.text = append(w.text, '"')
	w.raw(text)
	w.text = append(w.text, '"')
}

func (w *writer) decimal(name string, d quantity.Decimal, quoted bool) {
	w.raw(name)
	if quoted {
		w.text = append(w.text, '"')
	}
	w.text = d.Append(w.text)
	if quoted {
		w.text = append(w.text, '"')
	}
}

func (w *writer) amount(name string, a money.Amount) {
	w.decimal(name, quantity.Scaled(a.Minor(), money.Decimals), true)
}

func (w *writer) line(l *Line) {
	w.field(`{"item":`, l.Item)
	w.field(`,"class":`, l.Class)
	w.decimal(`,"quantity":`, l.Quantity.Trimmed(), true)
	w.decimal(`,"units":`, l.Units, true)
	w.decimal(`,"unit_price":`, l.UnitPrice, true)
	if l.Override != "" {
		w.field(`,"override":`, l.Override)
	}
	if c := l.Package; c != nil {
		w.field(`,"package":{"id":`, c.Package)
		w.decimal(`,"factor":`, c.Factor, true)
		w.decimal(`,"converted":`, c.Converted, true)
		w.decimal(`,"covered":`, c.Covered, true)
		w.decimal(`,"excess":`, c.Excess, true)
		w.raw(`}`)
	}
	w.decimal(`,"exact":`, l.Exact, true)
	w.amount(`,"amount":`, l.Amount)
	w.raw(`,"paid":{`)
	comma := ""
	for _, part := range [...]struct {
		kind wallet.Payment
		paid money.Amount
	}{
		{wallet.ByVoucher, l.Paid.Voucher}, {wallet.ByFullReduction, l.Paid.FullReduction}, {wallet.ByCard, l.Paid.Card},
		{wallet.ByCash, l.Paid.Cash}, {wallet.ByCloud, l.Paid.Cloud}, {wallet.Owed, l.Paid.Owed},
	} {
		if part.paid.IsZero() {
			continue
		}
		w.raw(comma)
		w.text = append(w.text, '"')
		w.raw(string(part.kind))
		w.amount(`":`, part.paid)
		comma = ","
	}
	w.raw(`}`)
	for i, s := range l.Sources {
		w.raw([...]string{`,"sources":[`, `,`}[min(i, 1)])
		w.field(`{"payment":`, string(s.Payment))
		w.field(`,"id":`, s.ID)
		w.amount(`,"amount":`, s.Amount)
		w.raw(`}`)
	}
	if len(l.Sources) > 0 {
		w.raw(`]`)
	}
	w.raw(`}`)
}
