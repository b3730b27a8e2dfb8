package wallet

import (
	"fmt"
	"maps"
	"slices"

	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/money"
)

// holding is one account in one currency.
type holding struct {
	account  Account
	currency money.Currency
}

// Check reads the books entry by entry and finds where they do not hold: I1
// postings sum to zero, I2 stored balances are the sums, I3 no balance passes
// its bound, I6 the chains of hashes are whole. Feed it every entry, each
// payer's in order, then the stored balances and the ends of the chains.
type Check struct {
	findings []audit.Finding
	sums     map[holding]int64
	heads    map[string]Head
}

// NewCheck starts on empty books.
func NewCheck() *Check {
	return &Check{sums: map[holding]int64{}, heads: map[string]Head{}}
}

func (c *Check) find(invariant, subject, format string, args ...any) {
	c.findings = append(c.findings, audit.Finding{Invariant: invariant, Subject: subject, Detail: fmt.Sprintf(format, args...)})
}

// Entry takes the next entry.
func (c *Check) Entry(e Entry) {
	if err := e.Balanced(); err != nil {
		c.find("I1", e.ID, "the entry of key %s does not balance", e.Key)
	}
	head := c.heads[e.Payer]
	switch {
	case e.Number != head.Number+1:
		c.find("I6", e.ID, "entry %d of %s follows entry %d", e.Number, e.Payer, head.Number)
	case e.Previous != head.Hash:
		c.find("I6", e.ID, "entry %d of %s does not hold the hash of the one before", e.Number, e.Payer)
	case e.Hash != e.Sum():
		c.find("I6", e.ID, "entry %d of %s was changed", e.Number, e.Payer)
	}
	c.heads[e.Payer] = Head{e.Number, e.Hash}
	for _, p := range e.Postings {
		low, high, bounded := p.Account.Bounds()
		if !bounded {
			continue
		}
		h := holding{p.Account, p.Amount.Currency()}
		c.sums[h] += p.Amount.Minor()
		if sum := c.sums[h]; sum < low || sum > high {
			c.find("I3", string(p.Account), "entry %d of %s leaves %s %s", e.Number, e.Payer, money.Of(sum, h.currency), h.currency)
		}
	}
}

// Stored takes a stored balance.
func (c *Check) Stored(a Account, amount money.Amount) {
	h := holding{a, amount.Currency()}
	if sum := c.sums[h]; sum != amount.Minor() {
		c.find("I2", string(a), "stored are %s %s, the postings sum to %s", amount, h.currency, money.Of(sum, h.currency))
	}
	delete(c.sums, h)
}

// Chain takes the stored end of a payer's chain.
func (c *Check) Chain(payer string, stored Head) {
	if head := c.heads[payer]; head != stored {
		c.find("I6", payer, "the chain ends with entry %d, its stored end is %d", head.Number, stored.Number)
	}
	delete(c.heads, payer)
}

// Findings gives all that is wrong, once everything was fed.
func (c *Check) Findings() []audit.Finding {
	for _, h := range slices.SortedFunc(maps.Keys(c.sums), compareHoldings) {
		if c.sums[h] != 0 {
			c.find("I2", string(h.account), "the postings sum to %s %s, and no balance is stored", money.Of(c.sums[h], h.currency), h.currency)
		}
	}
	for _, payer := range slices.Sorted(maps.Keys(c.heads)) {
		c.find("I6", payer, "the chain has no stored end")
	}
	return c.findings
}

func compareHoldings(a, b holding) int {
	return slices.Compare([]string{string(a.account), string(a.currency)}, []string{string(b.account), string(b.currency)})
}
