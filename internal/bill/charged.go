package bill

import (
	"maps"
	"slices"

	"tollgate.dev/internal/money"
	"tollgate.dev/internal/wallet"
)

// Charged are bills that one entry of a payer's ledger paid, summed.
type Charged struct {
	Payer string
	Entry int64 // its number

	first   Bill
	bills   int
	total   int64
	paid    map[wallet.Payment]int64
	sources map[string]int64 // by voucher or card
}

// Charge takes the next bill as the store has it, with the number of the entry
// that paid it. Bills of one entry follow each other: when another one comes,
// the sums of those before are given, to be compared by Paid.
func (c *Check) Charge(b Bill, entry int64) (before Charged, ok bool) {
	switch {
	case b.Total.IsZero() && entry != 0:
		c.find("I4", b.ID, "nothing was to be paid, and entry %d of %s paid it", entry, b.Payer)
	case !b.Total.IsZero() && entry == 0:
		c.find("I4", b.ID, "no entry of the ledger paid it")
	}
	if b.Total.IsZero() || entry == 0 {
		return before, false
	}
	if c.charged.Payer != b.Payer || c.charged.Entry != entry {
		before, ok = c.Charged()
		c.charged = Charged{Payer: b.Payer, Entry: entry, first: b, paid: map[wallet.Payment]int64{}, sources: map[string]int64{}}
	}
	g := &c.charged
	if CauseOf(b.Site, b.Day) != CauseOf(g.first.Site, g.first.Day) || b.Market.Currency != g.first.Market.Currency {
		c.find("I4", b.ID, "entry %d of %s paid it, and %s of another day or currency", entry, b.Payer, g.first.ID)
	}
	g.bills++
	g.total += b.Total.Minor()
	for _, kind := range wallet.Payments() {
		g.paid[kind] += b.Paid.By(kind).Minor()
	}
	sources, err := b.BySource()
	if err != nil {
		c.find("I5", b.ID, "its vouchers and cards cannot be summed: %v", err)
	}
	for _, s := range sources {
		g.sources[s.ID] += s.Amount.Minor()
	}
	return before, ok
}

// Charged gives the sums of the last bills; ok is false when there is none.
func (c *Check) Charged() (Charged, bool) {
	g := c.charged
	c.charged = Charged{}
	return g, g.bills > 0
}

// Paid compares bills with the entry that is said to have paid them; found is
// false when there is none.
func (c *Check) Paid(g Charged, e wallet.Entry, found bool) {
	if !found || e.Kind != wallet.Charge {
		c.find("I4", g.first.ID, "nothing in the ledger paid it: entry %d of %s is no charge", g.Entry, g.Payer)
		return
	}
	if e.Cause != CauseOf(g.first.Site, g.first.Day) && (e.Cause != g.first.ID || g.bills > 1) {
		c.find("I4", g.first.ID, "entry %s paid it, for %s", e.ID, e.Cause)
	}
	c.took(g, e)
}

// took compares what bills say with what an entry took, by kind of payment and
// by voucher and card.
func (c *Check) took(g Charged, e wallet.Entry) {
	currency := g.first.Market.Currency
	taken, sources, earned := map[wallet.Payment]int64{}, map[string]int64{}, int64(0)
	for _, p := range e.Postings {
		if p.Account == wallet.Revenue(currency) {
			earned += p.Amount.Minor()
			continue
		}
		taken[p.Account.Payment()] -= p.Amount.Minor()
		if source := p.Account.Source(); source != "" {
			sources[source] -= p.Amount.Minor()
		}
	}
	if earned != g.total {
		c.find("I5", e.ID, "it earned %s, its bills from %s on come to %s", money.Of(earned, currency), g.first.Number, money.Of(g.total, currency))
	}
	for _, kind := range wallet.Payments() {
		if g.paid[kind] != taken[kind] {
			c.find("I5", e.ID, "it took %s for %s, its bills from %s on say %s", money.Of(taken[kind], currency), kind, g.first.Number, money.Of(g.paid[kind], currency))
		}
	}
	all := maps.Clone(g.sources)
	maps.Copy(all, sources)
	for _, source := range slices.Sorted(maps.Keys(all)) {
		if g.sources[source] != sources[source] {
			c.find("I5", e.ID, "it took %s from %s, its bills from %s on say %s",
				money.Of(sources[source], currency), source, g.first.Number, money.Of(g.sources[source], currency))
		}
	}
}
