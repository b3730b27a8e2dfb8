package bill

import (
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/rate"
	"tollgate.dev/internal/usage"
	"tollgate.dev/internal/wallet"
)

// desk is the memory in which lots are rated and kept, one after the other: a
// close makes millions of lines. What is on it holds until its next lot.
type desk struct {
	press   press
	records usage.Room
	counter *usage.Counter
	lines   []rate.Line
	due     []wallet.Due
	room    wallet.Room
	charges []charge
	paid    []charge
	bills   []Issued
	hashes  []string
}

func newDesk(v *catalog.Version) *desk { return &desk{counter: usage.NewCounter(v)} }

// press makes bills one after the other in the same memory. What it made holds
// until its text is cut.
type press struct {
	lines []Line
	text  []byte
}

// compose makes a bill and its document. The bill's lines are those of the
// press, and hold until it makes the next one.
func (p *press) compose(d Draft) (Bill, []byte, error) {
	zero := nothing(d.Rated.Market.Currency)
	b := Bill{
		ID: IDOf(d.Workspace.ID, d.Day), Number: Number(Series(d.Workspace.Site, d.Day), d.Number),
		WorkspaceID: d.Workspace.ID, Site: d.Workspace.Site, Day: d.Day, Generation: d.Workspace.Generation,
		Payer: d.Workspace.Payer, Settlement: d.Workspace.Settlement,
		Market: d.Rated.Market, Catalog: d.Rated.Version,
		Total: d.Rated.Total, Paid: zero,
		Entry: d.Entry, IssuedAt: d.IssuedAt,
	}
	if len(d.Parts) != len(d.Rated.Lines) {
		return Bill{}, nil, ErrUnsummed.With("bill", b.ID)
	}
	if cap(p.lines) < len(d.Rated.Lines) {
		p.lines = make([]Line, len(d.Rated.Lines))
	}
	b.Lines = p.lines[:len(d.Rated.Lines)]
	for i := range b.Lines {
		line := &b.Lines[i]
		*line = Line{Line: d.Rated.Lines[i], Paid: zero}
		for _, part := range d.Parts[i] {
			if err := line.Paid.add(part.Payment, part.Amount); err != nil {
				return Bill{}, nil, err
			}
			if source := part.Account.Source(); source != "" {
				line.Sources = append(line.Sources, SourcePart{part.Payment, source, part.Amount})
			}
		}
		if err := b.Paid.plus(&line.Paid); err != nil {
			return Bill{}, nil, err
		}
	}
	if err := b.Sums(); err != nil {
		return Bill{}, nil, err
	}
	start := len(p.text)
	p.text = b.write(p.text)
	document := p.text[start:len(p.text):len(p.text)]
	b.Hash = Sum(document)
	return b, document, nil
}
