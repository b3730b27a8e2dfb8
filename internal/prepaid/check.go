package prepaid

import (
	"fmt"
	"slices"

	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/quantity"
	"tollgate.dev/internal/wallet"
)

// Check reads packages and finds where they do not hold: I4 each charge has
// one entry of the ledger, I5 a charge is what the terms and traffic packages
// make it, I6 its document is whole, I8 no more is covered on a day than was
// bought.
type Check struct{ findings []audit.Finding }

func (c *Check) find(invariant, subject, format string, args ...any) {
	c.findings = append(c.findings, audit.Finding{Invariant: invariant, Subject: subject, Detail: fmt.Sprintf(format, args...)})
}

// Findings gives all that is wrong, once everything was fed.
func (c *Check) Findings() []audit.Finding { return c.findings }

// Package takes a package with all its charges. closed is the last day of its
// site whose charges were made.
func (c *Check) Package(p Package, charges []Charge, closed period.Day) {
	for i, t := range p.Terms {
		first := p.First
		if i > 0 {
			first = p.Terms[i-1].Last.Add(1)
		}
		if t.First != first || t.Last.Before(t.First) {
			c.find("I5", p.ID, "its term from %s to %s does not follow from %s", t.First, t.Last, first)
		}
	}
	if last := p.Newest().Last; last != p.Last {
		c.find("I5", p.ID, "its terms end on %s, it on %s", last, p.Last)
	}
	made := map[string]Charge{}
	for _, charge := range charges {
		if charge.Payer != p.Payer {
			c.find("I5", charge.ID, "it was charged to %s, the package is that of %s", charge.Payer, p.Payer)
		}
		made[charge.ID] = charge
	}
	c.bought(p, made)
	for _, t := range p.Traffic {
		c.traffic(p, t)
	}
	for day := p.First; !day.After(p.Last) && !closed.IsZero() && !day.After(closed); day = day.Add(1) {
		c.daily(p, day, made)
	}
	for _, charge := range made {
		c.find("I8", charge.ID, "nothing of package %s makes this charge", p.ID)
	}
}

// bought looks for the purchase and for each upgrade, and takes them out.
func (c *Check) bought(p Package, made map[string]Charge) {
	id := ChargeIDOf(p.ID, Bought, "")
	purchase, ok := made[id]
	if !ok || len(purchase.Lines) != 1 {
		c.find("I8", p.ID, "nobody paid for it")
		return
	}
	delete(made, id)
	size, price := purchase.Lines[0].Item, purchase.Total
	for _, t := range p.Terms {
		for t.Size != size { // two upgrades of one day are one term
			step, ok := upgradeFrom(made, size)
			if !ok {
				c.find("I8", p.ID, "nobody paid for its upgrade from %s to %s", size, t.Size)
				return
			}
			delete(made, step.ID)
			l := step.Lines[0]
			if want := proRata(money.Of(l.After.Minor()-l.Before.Minor(), price.Currency()), l.DaysLeft, l.Days); l.Before != price || step.Total != want {
				c.find("I5", step.ID, "from %s to %s for %d of %d days comes to %s, not %s", l.Before, l.After, l.DaysLeft, l.Days, want, step.Total)
			}
			size, price = l.Item, l.After
		}
		if t.Price != price {
			c.find("I5", p.ID, "its term from %s has the price %s, %s was paid", t.First, t.Price, price)
		}
	}
}

func upgradeFrom(made map[string]Charge, size string) (Charge, bool) {
	for _, charge := range made {
		if charge.Kind == Upgraded && len(charge.Lines) == 1 && charge.Lines[0].From == size {
			return charge, true
		}
	}
	return Charge{}, false
}

// traffic calculates the price of a traffic package anew.
func (c *Check) traffic(p Package, t Traffic) {
	exact, err := t.Units.Mul(t.UnitPrice)
	if err == nil {
		exact, err = exact.Mul(t.Discount)
	}
	if err == nil {
		var price money.Amount
		if price, err = money.RoundHalfUp(exact, t.Price.Currency()); err == nil && (exact.Cmp(t.Exact) != 0 || price != t.Price) {
			c.find("I5", t.ID, "%s units at %s times %s come to %s, not %s", t.Units, t.UnitPrice, t.Discount, price, t.Price)
		}
	}
	if err != nil || t.First.Before(p.First) {
		c.find("I5", t.ID, "it cannot be what was bought")
	}
}

// daily looks for the charge of a day and compares it with its traffic
// packages.
func (c *Check) daily(p Package, day period.Day, made map[string]Charge) {
	id := ChargeIDOf(p.ID, Daily, day.String())
	charge, charged := made[id]
	delete(made, id)
	holding := p.TrafficOn(day)
	switch {
	case charged != (len(holding) > 0):
		c.find("I5", p.ID, "%d traffic packages held on %s, and that they were charged is %v", len(holding), day, charged)
		return
	case charged && len(charge.Lines) != len(holding):
		c.find("I5", charge.ID, "it charges %d traffic packages, %d held", len(charge.Lines), len(holding))
		return
	}
	for i, t := range holding {
		if l := charge.Lines[i]; l.Traffic != t.ID || l.Amount != t.Price || l.Capacity != t.Capacity || l.Item != t.Item {
			c.find("I5", charge.ID, "it charges %s for %s, not %s for %s", l.Amount, l.Traffic, t.Price, t.ID)
		}
	}
}

// Charge compares a charge with its entry in the ledger; found is false when
// there is none.
func (c *Check) Charge(charge Charge, e wallet.Entry, found bool) {
	if charge.Total.IsZero() {
		if found {
			c.find("I4", charge.ID, "nothing was to be paid, and entry %s paid it", e.ID)
		}
		return
	}
	if !found || e.Cause != charge.ID || e.Payer != charge.Payer || e.Kind != charge.Kind.EntryKind() {
		c.find("I4", charge.ID, "nothing in the ledger paid it")
		return
	}
	parts := make([][]wallet.Part, len(charge.Lines))
	for i, l := range charge.Lines {
		parts[i] = l.Paid
	}
	want, err := wallet.Postings(parts, charge.Total.Currency())
	if err != nil || !slices.Equal(want, e.Postings) {
		c.find("I5", charge.ID, "it says %v, entry %s says %v", want, e.ID, e.Postings)
	}
}

// Covered compares what all workspaces of a package had covered of an item on
// a day, as their bills say, with what was bought.
func (c *Check) Covered(p Package, day period.Day, item string, covered quantity.Decimal) {
	cover, ok := p.CoverOn(day)
	if !ok || covered.Cmp(cover.Quotas[item]) > 0 {
		c.find("I8", p.ID, "%s of %s were covered on %s, its quota is %s", covered.Plain(), item, day, cover.Quotas[item].Plain())
	}
}
