package wallet

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"time"

	"tollgate.dev/internal/id"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
)

// Posting adds an amount to an account; a negative one takes it away.
type Posting struct {
	Account Account
	Amount  money.Amount
}

// Movement is what is to happen: an entry before it has its place.
type Movement struct {
	Key      string // idempotency: one movement per key, for ever
	Kind     Kind
	Cause    string // the ID of what caused it: a bill, a transfer
	Payer    string // the Billing Center account in whose chain it is kept
	Postings []Posting
	Terms    string // of the voucher or card that it issues; empty for any other movement
}

// On is what the movement does to one account.
func (m Movement) On(of Account) (money.Amount, error) {
	sum := money.Amount{}
	for _, p := range m.Postings {
		if p.Account != of {
			continue
		}
		var err error
		if sum, err = sum.Add(p.Amount); err != nil {
			return sum, err
		}
	}
	return sum, nil
}

// Entry is a movement that happened.
type Entry struct {
	ID string
	Movement
	At       time.Time
	Number   int64  // its place in the payer's chain, from 1
	Previous string // the hash of the entry before; empty for the first
	Hash     string
}

// Head is where a payer's chain ends: the number and hash of the last entry.
type Head struct {
	Number int64
	Hash   string
}

// Balanced checks that nothing is created or lost: at least two postings, none
// of zero, the sum of each currency zero, and no other payer's account.
func (m Movement) Balanced() error {
	if len(m.Postings) < 2 || m.Key == "" || m.Payer == "" {
		return ErrUnbalanced.With("key", m.Key)
	}
	sums := make([]money.Amount, 0, 2) // of each currency
	for _, p := range m.Postings {
		if owner := p.Account.Payer(); p.Amount.IsZero() || p.Amount.Currency() == "" || owner != "" && owner != m.Payer {
			return ErrUnbalanced.With("key", m.Key).With("account", string(p.Account))
		}
		at := slices.IndexFunc(sums, func(sum money.Amount) bool { return sum.Currency() == p.Amount.Currency() })
		if at < 0 {
			sums = append(sums, p.Amount)
			continue
		}
		var err error
		if sums[at], err = sums[at].Add(p.Amount); err != nil {
			return ErrUnbalanced.With("key", m.Key).Because(err)
		}
	}
	for _, sum := range sums {
		if !sum.IsZero() {
			return ErrUnbalanced.With("key", m.Key).With("currency", string(sum.Currency()))
		}
	}
	return nil
}

// InCash is the amount of a deduction that the payer's cash paid alone. Its
// postings follow from it: they are PaidInCash.
func (m Movement) InCash() (amount money.Amount, ok bool) {
	if m.Kind != Deducted || len(m.Postings) != 2 {
		return amount, false
	}
	amount = m.Postings[1].Amount
	return amount, amount.Sign() > 0 && m.Postings[0] == Posting{Cash(m.Payer), amount.Neg()} && m.Postings[1].Account == Revenue(amount.Currency())
}

// PaidInCash are the postings by which cash becomes revenue.
func PaidInCash(payer string, amount money.Amount) []Posting {
	return []Posting{{Cash(payer), amount.Neg()}, {Revenue(amount.Currency()), amount}}
}

// Same reports whether two movements say the same.
func (m Movement) Same(o Movement) bool {
	return m.Key == o.Key && m.Kind == o.Kind && m.Cause == o.Cause && m.Payer == o.Payer && m.Terms == o.Terms && slices.Equal(m.Postings, o.Postings)
}

// follow gives the movement its place behind the head of its chain.
func (m Movement) follow(head Head, at time.Time) Entry {
	e := Entry{
		ID: id.New(id.LedgerEntry), Movement: m, At: period.FromMicros(period.Micros(at)),
		Number: head.Number + 1, Previous: head.Hash,
	}
	e.Hash = e.Sum()
	return e
}

// Sum is the hash of the entry: SHA-256 over the hash before it and every
// field, each with its length, so that no two entries read alike.
func (e Entry) Sum() string {
	text := make([]byte, 0, 1024)
	write := func(texts ...string) {
		for _, t := range texts {
			text = strconv.AppendInt(text, int64(len(t)), 10)
			text = append(append(text, ':'), t...)
		}
	}
	write(e.Previous, e.ID, e.Key, string(e.Kind), e.Cause, e.Payer,
		strconv.FormatInt(period.Micros(e.At), 10), strconv.FormatInt(e.Number, 10))
	for _, p := range e.Postings {
		write(string(p.Account), string(p.Amount.Currency()), strconv.FormatInt(p.Amount.Minor(), 10))
	}
	if e.Terms != "" { // entries from before there were any keep their hash
		write("terms", e.Terms)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// Tx is what the ledger needs of a transaction.
type Tx interface {
	// LedgerHead is the end of the payer's chain, kept from other writers.
	LedgerHead(ctx context.Context, payer string) (Head, error)
	// LedgerEntry finds the entry of an idempotency key.
	LedgerEntry(ctx context.Context, key string) (e Entry, found bool, err error)
	// AppendEntry keeps the entry, moves the stored balances within their
	// bounds (else ErrFloor) and the head of the chain.
	AppendEntry(ctx context.Context, e Entry) error
	// StoredBalances gives the balances of a payer's accounts in a currency.
	StoredBalances(ctx context.Context, payer string, c money.Currency) (map[Account]money.Amount, error)
	// Sources lists the payer's vouchers and cards in a currency that have something left.
	Sources(ctx context.Context, payer string, c money.Currency) ([]Source, error)
}

// Post makes a movement happen, once per key: posted again, the entry that is
// there is given back and nothing moves.
func Post(ctx context.Context, tx Tx, m Movement, at time.Time) (Entry, error) {
	if err := m.Balanced(); err != nil {
		return Entry{}, err
	}
	head, err := tx.LedgerHead(ctx, m.Payer) // first, so that two posts of one key come after each other
	if err != nil {
		return Entry{}, fmt.Errorf("chain of %s: %w", m.Payer, err)
	}
	before, found, err := tx.LedgerEntry(ctx, m.Key)
	switch {
	case err != nil:
		return Entry{}, fmt.Errorf("entry of %s: %w", m.Key, err)
	case found && !before.Same(m):
		return Entry{}, ErrKeyReused.With("key", m.Key)
	case found:
		return before, nil
	}
	e := m.follow(head, at)
	return e, tx.AppendEntry(ctx, e)
}

// BalancesOf reads what a payer has.
func BalancesOf(ctx context.Context, tx Tx, payer string, c money.Currency) (Balances, error) {
	stored, err := tx.StoredBalances(ctx, payer, c)
	if err != nil {
		return Balances{}, fmt.Errorf("balances of %s: %w", payer, err)
	}
	return NewBalances(c, stored)
}
