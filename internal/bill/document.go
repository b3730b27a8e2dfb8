package bill

import (
	"bytes"
	"fmt"
	"slices"

	"tollgate.dev/internal/wallet"
)

// Form is how a document is written. A bill keeps the one that it was issued
// in for ever: its hash is that of the document.
type Form int

// The forms.
const (
	Text Form = iota // a line of words for the bill, and one for each charge
	JSON             // until bills were texts
)

// Document is the bill as it is stored and hashed.
func (b Bill) Document() []byte {
	if b.Form == JSON {
		return b.writeJSON()
	}
	return b.write(make([]byte, 0, 256+96*len(b.Lines)))
}

// Read is the bill of a document. A document that does not sum is refused.
func Read(text []byte) (Bill, error) {
	read := readText
	if bytes.HasPrefix(text, []byte("{")) {
		read = readJSON
	}
	b, err := read(text)
	if err != nil {
		return Bill{}, fmt.Errorf("read a bill: %w", err)
	}
	b.ID, b.Hash, b.Paid = IDOf(b.WorkspaceID, b.Day), Sum(text), nothing(b.Market.Currency)
	for i := range b.Lines {
		if err := b.Paid.plus(&b.Lines[i].Paid); err != nil {
			return Bill{}, err
		}
	}
	return b, b.Sums()
}

// parts are what paid a line: vouchers and cards by their names, in the order
// in which they paid, and then the kinds of payment that have none.
func (l *Line) parts(yield func(SourcePart) bool) {
	for _, s := range l.Sources {
		if !yield(s) {
			return
		}
	}
	for _, part := range [...]SourcePart{
		{Payment: wallet.ByVoucher, Amount: l.Paid.Voucher}, {Payment: wallet.ByFullReduction, Amount: l.Paid.FullReduction},
		{Payment: wallet.ByCard, Amount: l.Paid.Card}, {Payment: wallet.ByCash, Amount: l.Paid.Cash},
		{Payment: wallet.ByCloud, Amount: l.Paid.Cloud}, {Payment: wallet.Owed, Amount: l.Paid.Owed},
	} {
		if part.Amount.IsZero() || len(l.Sources) > 0 && slices.Contains(fromSources, part.Payment) {
			continue // of a line that names its vouchers and cards, they paid all of these kinds
		}
		if !yield(part) {
			return
		}
	}
}
