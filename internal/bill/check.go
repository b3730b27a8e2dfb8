package bill

import (
	"fmt"
	"maps"
	"slices"

	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/prepaid"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/usage"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/workspace"
)

// Stored is a bill as it lies in the store: the document, and the figures kept
// beside it for lists and sums.
type Stored struct {
	Document []byte
	Bill     Bill // from the columns: everything but the lines
}

// Check reads bills and finds where they do not hold: I4 one charge per bill,
// I5 hours = day = lines, I6 the chains of hashes, I10 nothing billed before
// the upgrade, I11 numbers without gaps. Feed it every bill, workspace by
// workspace, with what belongs to it.
type Check struct {
	catalog  *catalog.Catalog
	findings []audit.Finding
	chain    chain             // of the workspace that is being read
	heads    map[string]string // where the chains of the others end
	days     map[site.ID]SiteDay
}

// NewCheck starts without bills.
func NewCheck(c *catalog.Catalog) *Check {
	return &Check{catalog: c, heads: map[string]string{}, days: map[site.ID]SiteDay{}}
}

func (c *Check) find(invariant, subject, format string, args ...any) {
	c.findings = append(c.findings, audit.Finding{Invariant: invariant, Subject: subject, Detail: fmt.Sprintf(format, args...)})
}

// Bill takes the next bill of a workspace and gives what its document says;
// ok is false when it cannot be read.
func (c *Check) Bill(s Stored) (b Bill, ok bool) {
	b, err := Read(s.Document)
	if err != nil {
		c.find("I5", s.Bill.ID, "the document cannot be read: %v", err)
		return b, false
	}
	c.link(s.Bill.WorkspaceID, link{s.Bill.ID, b.Previous, s.Bill.Hash})
	if b.Hash != s.Bill.Hash {
		c.find("I6", s.Bill.ID, "the document was changed")
	}
	beside := s.Bill
	beside.Lines, beside.IssuedAt, beside.Previous, beside.Hash = b.Lines, b.IssuedAt, b.Previous, b.Hash
	if fmt.Sprint(beside) != fmt.Sprint(b) {
		c.find("I5", s.Bill.ID, "what is kept beside the document differs from it")
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
	if w.Plan != workspace.Commercial || b.Generation != w.Generation || usage.Of(b.Day, s.Zone).Since(w.UpgradedAt).Empty() {
		c.find("I10", b.ID, "it bills generation %d of %s, which was upgraded %s to generation %d", b.Generation, w.ID, w.UpgradedAt, w.Generation)
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

// Charge compares a bill with its entry in the ledger; found is false when
// there is none.
func (c *Check) Charge(b Bill, e wallet.Entry, found bool) {
	if b.Total.IsZero() {
		if found {
			c.find("I4", b.ID, "nothing was to be paid, and entry %s paid it", e.ID)
		}
		return
	}
	if !found {
		c.find("I4", b.ID, "nothing in the ledger paid it")
		return
	}
	taken, earned := map[wallet.Payment]int64{}, int64(0)
	for _, p := range e.Postings {
		if p.Account == wallet.Revenue(b.Market.Currency) {
			earned += p.Amount.Minor()
		} else {
			taken[p.Account.Payment()] -= p.Amount.Minor()
		}
	}
	if earned != b.Total.Minor() || e.Cause != b.ID {
		c.find("I5", b.ID, "it comes to %s, entry %s earned %s for %s", b.Total, e.ID, money.Of(earned, b.Market.Currency), e.Cause)
	}
	for _, kind := range wallet.Payments() {
		if want := b.Paid.By(kind); taken[kind] != want.Minor() {
			c.find("I5", b.ID, "it says %s for %s, entry %s says %s", want, kind, e.ID, money.Of(taken[kind], b.Market.Currency))
		}
	}
	c.paidBy(b, e)
}

// Head takes the stored end of a workspace's chain of bills.
func (c *Check) Head(workspaceID, hash string) {
	c.settle()
	if c.heads[workspaceID] != hash {
		c.find("I6", workspaceID, "the chain of its bills does not end where the store says")
	}
	delete(c.heads, workspaceID)
}

// Numbers takes the figures of a series: how many bills have a number of it,
// the smallest and the largest, and the last one that was taken.
func (c *Check) Numbers(series string, bills, smallest, largest, taken int64) {
	if bills != largest || largest != taken || bills > 0 && smallest != 1 {
		c.find("I11", series, "%d bills have numbers from %d to %d, and %d were taken", bills, smallest, largest, taken)
	}
}

// Day takes the next closed day of a site, with the digest of its bills.
func (c *Check) Day(d SiteDay, bills int64, digest string) {
	before := c.days[d.Site]
	name := string(d.Site) + " " + d.Day.String()
	switch {
	case before.Begun() && before.Day.Add(1) != d.Day:
		c.find("I6", name, "it follows %s", before.Day)
	case d.Previous != before.Hash:
		c.find("I6", name, "it does not hold the hash of the day before")
	}
	c.days[d.Site] = d
	if !d.Closed() {
		return
	}
	if d.Hash != d.Sum() {
		c.find("I6", name, "the record of its close was changed")
	}
	if d.Bills != bills || d.Digest != digest {
		c.find("I6", name, "it was closed with %d bills, there are %d, or they are others", d.Bills, bills)
	}
}

// LastDay takes the stored end of a site's chain of closed days.
func (c *Check) LastDay(s site.ID, hash string) {
	last := c.days[s]
	if last.Begun() && !last.Closed() {
		last.Hash = last.Previous
	}
	if last.Hash != hash {
		c.find("I6", string(s), "the chain of its days does not end where the store says")
	}
}

// Findings gives all that is wrong, once everything was fed.
func (c *Check) Findings() []audit.Finding {
	c.settle()
	for _, workspaceID := range slices.Sorted(maps.Keys(c.heads)) {
		c.find("I6", workspaceID, "the chain of its bills has no stored end")
	}
	return c.findings
}
