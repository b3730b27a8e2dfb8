package wallet

import (
	"context"
	"fmt"
	"slices"
	"time"

	"tollgate.dev/internal/money"
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
// The money moves when KeepEntries says so; what Pay gives is what it would
// give if each bill were paid by itself.
type Purse struct {
	payer    string
	currency money.Currency
	head     Head
	sources  []Source
	owed     money.Amount
	entries  []Entry
}

// OpenPurses reads what payers of one currency have. Until the transaction
// ends nobody else moves their money.
func OpenPurses(ctx context.Context, tx PurseTx, payers []string, c money.Currency) (map[string]*Purse, error) {
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
		p := &Purse{payer: payer, currency: c, head: heads[payer], owed: before.Owed}
		if !before.Voucher.IsZero() || !before.FullReduction.IsZero() || !before.Card.IsZero() {
			if p.sources, err = tx.Sources(ctx, payer, c); err != nil {
				return nil, fmt.Errorf("vouchers and cards of %s: %w", payer, err)
			}
		}
		p.sources = append(p.sources, Source{Payment: ByCash, Account: Cash(payer), Balance: before.Cash})
		purses[payer] = p
	}
	return purses, nil
}

// Pay takes the lines of a bill, as the function Pay does. A bill that cannot
// be paid changes nothing.
func (p *Purse) Pay(c Charging, at time.Time) (Paid, error) {
	parts, err := Deduct(Deduction{Settlement: c.Settlement, Payer: p.payer, Currency: p.currency, At: at, Sources: p.sources}, c.Lines)
	if err != nil {
		return Paid{}, err
	}
	postings, err := Postings(parts, p.currency)
	if err != nil {
		return Paid{}, err
	}
	paid := Paid{Parts: parts, Owed: p.owed}
	if len(postings) == 0 {
		return paid, nil
	}
	m := Movement{Key: c.Key, Kind: Charge, Cause: c.Cause, Payer: p.payer, Postings: postings}
	if err := m.Balanced(); err != nil {
		return Paid{}, err
	}
	sources, owed, err := p.after(postings)
	if err != nil {
		return Paid{}, err
	}
	paid.Entry, paid.Owed = m.follow(p.head, at), owed
	p.head = Head{Number: paid.Entry.Number, Hash: paid.Entry.Hash}
	p.sources, p.owed = sources, owed
	p.entries = append(p.entries, paid.Entry)
	return paid, nil
}

// after is what is left and owed when the postings have been made.
func (p *Purse) after(postings []Posting) ([]Source, money.Amount, error) {
	sources, owed := slices.Clone(p.sources), p.owed
	for _, posting := range postings {
		var err error
		if posting.Account == Arrears(p.payer) {
			if owed, err = owed.Sub(posting.Amount); err != nil {
				return nil, owed, err
			}
			continue
		}
		for i := range sources {
			if s := &sources[i]; s.Account == posting.Account {
				if s.Balance, err = s.Balance.Add(posting.Amount); err != nil {
					return nil, owed, err
				}
			}
		}
	}
	return sources, owed, nil
}

// KeepEntries makes the movements of purses happen.
func KeepEntries(ctx context.Context, tx PurseTx, purses []*Purse) error {
	var entries []Entry
	for _, p := range purses {
		entries = append(entries, p.entries...)
	}
	if len(entries) == 0 {
		return nil
	}
	return tx.AppendEntries(ctx, entries)
}
