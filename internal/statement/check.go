package statement

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/prepaid"
	"tollgate.dev/internal/wallet"
)

// Check reads statements and finds where they do not hold: I5 a statement is
// the sum of its bills, I6 the chains of hashes. Feed it every statement, each
// payer's in the order of months, each with its bills.
type Check struct {
	catalog  *catalog.Catalog
	findings []audit.Finding
	heads    map[string]string
	counts   map[string]int64
}

// NewCheck starts without statements.
func NewCheck(c *catalog.Catalog) *Check {
	return &Check{catalog: c, heads: map[string]string{}, counts: map[string]int64{}}
}

func (c *Check) find(invariant, subject, format string, args ...any) {
	c.findings = append(c.findings, audit.Finding{Invariant: invariant, Subject: subject, Detail: fmt.Sprintf(format, args...)})
}

// Statement takes the next statement of a payer: its document, the ID, number
// and hash that are kept beside it. ok is false when it cannot be read.
func (c *Check) Statement(document []byte, id, payer, number, hash string) (s Statement, ok bool) {
	previous := c.heads[payer]
	c.heads[payer] = hash
	c.counts[payer]++
	s, err := Read(document)
	if err != nil {
		c.find("I5", id, "the document cannot be read: %v", err)
		return s, false
	}
	if s.Hash != hash {
		c.find("I6", id, "the document was changed")
	}
	if s.Previous != previous {
		c.find("I6", id, "it does not hold the hash of the account's statement before")
	}
	if s.ID != id || s.Payer != payer || s.Number != number {
		c.find("I5", id, "what is kept beside the document differs from it")
	}
	return s, true
}

// Beside compares a statement with the columns that lists and sums are made of.
func (c *Check) Beside(s Statement, month, currency string, bills, total int64, issued time.Time) {
	if !s.IssuedAt.Equal(issued) || s.Month.String() != month || string(s.Currency) != currency || s.Bills != bills || s.Total.Minor() != total {
		c.find("I5", s.ID, "what is kept beside the document differs from it")
	}
}

// Bills compares a statement with the bills, charges and adjustments that are
// on it, summed anew.
func (c *Check) Bills(s Statement, bills func(yield func(bill.Bill) error) error, charges []prepaid.Charge, corrected []wallet.Adjustment) error {
	g := Gather(s.Month, s.Currency)
	if err := bills(g.Bill); err != nil {
		return err
	}
	for _, charge := range charges {
		if err := g.Charge(charge); err != nil {
			return err
		}
	}
	again := s
	names := map[string]string{}
	for _, w := range s.Workspaces {
		names[w.ID] = w.Name
	}
	g.Into(&again, c.catalog, names)
	if again.Adjustments = adjusted(corrected); fmt.Sprint(again.Adjustments) != fmt.Sprint(s.Adjustments) {
		c.find("I5", s.ID, "its adjustments are not those that were booked")
		again.Adjustments = s.Adjustments
	}
	if fmt.Sprint(sorted(again)) != fmt.Sprint(sorted(s)) {
		c.find("I5", s.ID, "it is for %d bills of %s, there are %d of %s, or their parts differ", s.Bills, s.Total, again.Bills, again.Total)
	}
	return nil
}

// sorted orders the parts by ID, whatever order the catalogue gives them.
func sorted(s Statement) Statement {
	byID := func(items []Item) []Item {
		return slices.SortedFunc(slices.Values(items), func(a, b Item) int { return cmp.Compare(a.ID, b.ID) })
	}
	s.Items = byID(s.Items)
	s.Workspaces = slices.SortedFunc(slices.Values(s.Workspaces), func(a, b Workspace) int { return cmp.Compare(a.ID, b.ID) })
	for i := range s.Workspaces {
		s.Workspaces[i].Items = byID(s.Workspaces[i].Items)
	}
	return s
}

// Head takes the stored end of a payer's chain of statements, and how many it
// has.
func (c *Check) Head(payer string, n int64, hash string) {
	if c.heads[payer] != hash || c.counts[payer] != n {
		c.find("I6", payer, "the chain of its statements does not end where the store says")
	}
	delete(c.heads, payer)
}

// Findings gives all that is wrong, once everything was fed.
func (c *Check) Findings() []audit.Finding {
	for _, payer := range slices.Sorted(maps.Keys(c.heads)) {
		c.find("I6", payer, "the chain of its statements has no stored end")
	}
	return c.findings
}
