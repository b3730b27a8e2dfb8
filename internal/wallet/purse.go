package wallet

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"tollgate.dev/internal/money"
	"tollgate.dev/internal/site"
)

// PurseTx is what paying many bills in one transaction needs of it.
type PurseTx interface {
	Tx
	// LedgerHeads are the ends of the payers' chains, kept from other writers.
	LedgerHeads(ctx context.Context, payers []string) (map[string]Head, error)
	// StoredBalancesOf gives the balances of the payers' accounts in a currency.
	StoredBalancesOf(ctx context.Context, payers []string, c money.Currency) (map[string]map[Account]money.Amount, error)
	// AppendEntries keeps entries, each payer's one behind the other, moves the
	// stored balances within their bounds (else ErrFloor) and the heads.
	AppendEntries(ctx context.Context, entries []Entry) error
}

// Purse is what one payer has while several bills are paid in one transaction.
// What Pay gives is what it would give if each bill were paid by itself; the
// money of all of them moves by one entry, when KeepEntries says so.
type Purse struct {
	payer    string
	currency money.Currency
	head     Head
	sources  []Source // those that have not expired, in the order of their use
	owed     money.Amount
	taken    []Posting // so far, an account once
	spare    []Source  // as many as sources
	room     *Room
}

// OpenPurses reads what payers of one currency have at an instant. Until the
// transaction ends nobody else moves their money. What bills are paid by is
// made in the room.
func OpenPurses(ctx context.Context, tx PurseTx, room *Room, payers []string, c money.Currency, at time.Time) (map[string]*Purse, error) {
	heads, err := tx.LedgerHeads(ctx, payers)
	if err != nil {
		return nil, fmt.Errorf("chains of %d payers: %w", len(payers), err)
	}
	stored, err := tx.StoredBalancesOf(ctx, payers, c)
	if err != nil {
		return nil, fmt.Errorf("balances of %d payers: %w", len(payers), err)
	}
	purses := make(map[string]*Purse, len(payers))
	for _, payer := range payers {
		before, err := NewBalances(c, stored[payer])
		if err != nil {
			return nil, err
		}
		var sources []Source
		if !before.Voucher.IsZero() || !before.FullReduction.IsZero() || !before.Card.IsZero() {
			if sources, err = tx.Sources(ctx, payer, c); err != nil {
				return nil, fmt.Errorf("vouchers and cards of %s: %w", payer, err)
			}
		}
		sources = append(sources, Source{Payment: ByCash, Account: Cash(payer), Balance: before.Cash})
		purses[payer] = &Purse{payer: payer, currency: c, head: heads[payer], sources: usable(sources, at), owed: before.Owed, room: room}
	}
	return purses, nil
}

// Pay takes the lines of a bill, as the function Pay does. A bill that cannot
// be paid changes nothing.
func (p *Purse) Pay(m site.Method, lines []Due) (Paid, error) {
	sources := append(p.spare[:0], p.sources...)
	parts, err := Deduction{Settlement: m, Payer: p.payer, Currency: p.currency}.from(p.room, sources, lines)
	if err != nil {
		return Paid{}, err
	}
	taken, owed := slices.Clone(p.taken), p.owed
	some := false
	for _, line := range parts {
		for _, part := range line {
			some = true
			if taken, err = addTo(taken, part); err != nil {
				return Paid{}, err
			}
			if part.Payment == Owed {
				if owed, err = owed.Add(part.Amount); err != nil {
					return Paid{}, err
				}
			}
		}
	}
	paid := Paid{Parts: parts, Owed: owed}
	if some {
		paid.Entry = p.head.Number + 1
	}
	p.sources, p.spare, p.taken, p.owed = sources, p.sources, taken, owed
	return paid, nil
}

// addTo adds what a part takes from its account.
func addTo(taken []Posting, part Part) ([]Posting, error) {
	for i := range taken {
		if t := &taken[i]; t.Account == part.Account {
			var err error
			t.Amount, err = t.Amount.Sub(part.Amount)
			return taken, err
		}
	}
	return append(taken, Posting{part.Account, part.Amount.Neg()}), nil
}

// movement is that of all bills which the purse paid; ok is false when nothing
// was to be paid.
func (p *Purse) movement(key, cause string) (m Movement, ok bool, err error) {
	if len(p.taken) == 0 {
		return m, false, nil
	}
	postings := slices.Clone(p.taken)
	slices.SortFunc(postings, func(a, b Posting) int { return strings.Compare(string(a.Account), string(b.Account)) })
	earned := money.Of(0, p.currency)
	for _, posting := range postings {
		if earned, err = earned.Sub(posting.Amount); err != nil {
			return m, false, err
		}
	}
	m = Movement{Key: key, Kind: Charge, Cause: cause, Payer: p.payer, Postings: append(postings, Posting{Revenue(p.currency), earned})}
	return m, true, m.Balanced()
}

// KeepEntries moves the money of purses, by one entry each. key gives the
// idempotency key of a payer's entry.
func KeepEntries(ctx context.Context, tx PurseTx, purses []*Purse, cause string, key func(payer string) string, at time.Time) error {
	entries := make([]Entry, 0, len(purses))
	for _, p := range purses {
		m, ok, err := p.movement(key(p.payer), cause)
		if err != nil {
			return err
		}
		if ok {
			entries = append(entries, m.follow(p.head, at))
		}
	}
	if len(entries) == 0 {
		return nil
	}
	return tx.AppendEntries(ctx, entries)
}
