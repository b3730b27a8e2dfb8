package bill

import (
	"fmt"
	"maps"
	"slices"

	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/prepaid"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/usage"
	"tollgate.dev/internal/workspace"
)

// Stored is a bill as it lies in the store: the document, and the figures kept
// beside it for lists and sums.
type Stored struct {
	Document []byte
	Series   string
	Seq      int64
	Bill     Bill // from the columns: its day, workspace, payer, currency and sums
}

// Check reads bills and finds where they do not hold: I4 one charge per bill, I5 hours = day = lines, I6 the chains of hashes, I10 nothing billed before the
// upgrade, I11 numbers without gaps. Feed it every closed day, then every bill, series by series in
// the order of their numbers, then the ends of the chains.
type Check struct {
	catalog  *catalog.Catalog
	findings []audit.Finding
	chains   chains
	charged  Charged // the bills of one entry, as they come
	days     map[site.ID]SiteDay
}

// NewCheck starts without bills.
func NewCheck(c *catalog.Catalog) *Check {
	return &Check{catalog: c, chains: newChains(), days: map[site.ID]SiteDay{}}
}

func (c *Check) find(invariant, subject, format string, args ...any) {
	c.findings = append(c.findings, audit.Finding{Invariant: invariant, Subject: subject, Detail: fmt.Sprintf(format, args...)})
}

// Bill takes the next bill of a series and gives what its document says; ok is
// false when it cannot be read.
func (c *Check) Bill(s Stored) (b Bill, ok bool) {
	kept := s.Bill
	c.link(s.Series, s.Seq, kept.Hash)
	b, err := Read(s.Document)
	if err != nil {
		c.find("I5", kept.ID, "the document cannot be read: %v", err)
		return b, false
	}
	if b.Hash != kept.Hash {
		c.find("I6", kept.ID, "the document was changed")
	}
	if b.ID != kept.ID || b.Number != Number(s.Series, s.Seq) || s.Series != Series(b.Site, b.Day) || b.Payer != kept.Payer ||
		b.Market.Currency != kept.Market.Currency || b.Total != kept.Total || b.Paid != kept.Paid {
		c.find("I5", kept.ID, "what is kept beside the document differs from it")
	}
	return b, true
}

// Usage compares a bill with the hours that it is made of. The samples are
// those of the bill's generation in the window of Window, the prices those that
// are agreed with its payer, and share is what its package had left for it.
func (c *Check) Usage(b Bill, w workspace.Workspace, samples []usage.Sample, share *prepaid.Share, agreed []catalog.Override) {
	s, err := site.Find(b.Site)
	if err != nil {
		c.find("I5", b.ID, "its site %s is unknown", b.Site)
		return
	}
	if w.Plan != workspace.Commercial || w.Site != b.Site || b.Generation != w.Generation || usage.Of(b.Day, s.Zone).Since(w.UpgradedAt).Empty() {
		c.find("I10", b.ID, "it bills generation %d of %s on %s, which was upgraded %s to generation %d on %s", b.Generation, w.ID, b.Site, w.UpgradedAt, w.Generation, w.Site)
		return
	}
	v, err := c.catalog.Find(b.Catalog)
	if err != nil {
		c.find("I5", b.ID, "its catalogue version %s is gone", b.Catalog)
		return
	}
	r, err := RateShared(v, b.Market, share, samples, catalog.InForce(agreed, b.Day)...)
	if err != nil {
		c.find("I5", b.ID, "its usage cannot be rated: %v", err)
		return
	}
	if len(r.Lines) != len(b.Lines) {
		c.find("I5", b.ID, "its hours make %d lines, it has %d", len(r.Lines), len(b.Lines))
		return
	}
	for i, l := range r.Lines {
		if fmt.Sprint(l) != fmt.Sprint(b.Lines[i].Line) {
			c.find("I5", b.ID, "its hours make the line %v, it has %v", l, b.Lines[i].Line)
		}
	}
}

// Orphan takes a bill whose workspace does not exist.
func (c *Check) Orphan(b Bill) {
	c.find("I10", b.ID, "it bills %s, which does not exist", b.WorkspaceID)
}

// Findings gives all that is wrong, once everything was fed.
func (c *Check) Findings() []audit.Finding {
	for _, series := range slices.Sorted(maps.Keys(c.chains.marks)) {
		for _, m := range c.chains.marks[series] {
			c.find("I6", m.day, "it was closed with number %d of %s, which is gone", m.Number, series)
		}
	}
	for _, series := range slices.Sorted(maps.Keys(c.chains.at)) {
		c.find("I6", series, "the chain of its bills has no stored end")
	}
	return c.findings
}
