package wallet

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"tollgate.dev/internal/money"
)

// books are sound entries of two payers, with balances and chain ends.
type books struct {
	entries  []Entry
	balances map[holding]int64
	heads    map[string]Head
}

func sound(t *rapid.T) *books {
	b := &books{balances: map[holding]int64{}, heads: map[string]Head{}}
	for range rapid.IntRange(2, 12).Draw(t, "entries") {
		payer := rapid.SampledFrom([]string{"p", "q"}).Draw(t, "payer")
		amount := money.Of(rapid.Int64Range(1, 1000).Draw(t, "amount"), money.CNY)
		m := Movement{Key: payer, Kind: Deposit, Payer: payer, Postings: []Posting{{Cash(payer), amount}, {Bank(money.CNY), amount.Neg()}}}
		e := m.follow(b.heads[payer], noon.Add(time.Duration(len(b.entries))*time.Second))
		b.entries = append(b.entries, e)
		b.balances[holding{Cash(payer), money.CNY}] += amount.Minor()
		b.heads[payer] = Head{e.Number, e.Hash}
	}
	return b
}

func (b *books) check() map[string]bool {
	c := NewCheck()
	for _, e := range b.entries {
		c.Entry(e)
	}
	for h, minor := range b.balances {
		c.Stored(h.account, money.Of(minor, h.currency))
	}
	for payer, head := range b.heads {
		c.Chain(payer, head)
	}
	found := map[string]bool{}
	for _, f := range c.Findings() {
		found[f.Invariant] = true
	}
	return found
}

func TestSoundBooksHaveNoFinding(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		if found := sound(t).check(); len(found) != 0 {
			t.Fatalf("found %v", found)
		}
	})
}

func TestEveryCorruptionIsFound(t *testing.T) {
	t.Parallel()
	corruptions := map[string]struct {
		invariant string
		do        func(b *books, i int)
	}{
		"amount of a posting":   {"I1", func(b *books, i int) { b.entries[i].Postings[0].Amount = money.Of(7777, money.CNY) }},
		"both sides of a entry": {"I6", func(b *books, i int) { swap(b.entries[i].Postings) }},
		"stored balance":        {"I2", func(b *books, i int) { b.balances[holding{Cash(b.entries[i].Payer), money.CNY}]++ }},
		"balance lost":          {"I2", func(b *books, i int) { delete(b.balances, holding{Cash(b.entries[i].Payer), money.CNY}) }},
		"cash below zero":       {"I3", func(b *books, i int) { negate(b.entries[i].Postings, 1<<40) }},
		"time of an entry":      {"I6", func(b *books, i int) { b.entries[i].At = b.entries[i].At.Add(time.Second) }},
		"cause of an entry":     {"I6", func(b *books, i int) { b.entries[i].Cause = "another" }},
		"entry lost":            {"I6", func(b *books, i int) { b.entries = append(b.entries[:i:i], b.entries[i+1:]...) }},
		"end of the chain":      {"I6", func(b *books, i int) { b.heads[b.entries[i].Payer] = Head{1, "x"} }},
		"end lost":              {"I6", func(b *books, i int) { delete(b.heads, b.entries[i].Payer) }},
		"entry rewritten with its hash": {"I6", func(b *books, i int) {
			b.entries[i].Cause = "another"
			b.entries[i].Hash = b.entries[i].Sum()
		}},
	}
	for name, c := range corruptions {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				b := sound(t)
				c.do(b, rapid.IntRange(0, len(b.entries)-1).Draw(t, "place"))
				if found := b.check(); !found[c.invariant] {
					t.Fatalf("%s is not found, only %v", c.invariant, found)
				}
			})
		})
	}
}

func swap(p []Posting) { p[0], p[1] = p[1], p[0] }

func negate(p []Posting, minor int64) {
	p[0].Amount, p[1].Amount = money.Of(-minor, money.CNY), money.Of(minor, money.CNY)
}
