package wallet

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/site"
)

// Faults of debits.
var (
	ErrDebitKey      = fault.New(fault.Invalid, "deduction_key_form", "A key has 1 to 128 printable ASCII characters.")
	ErrDebitReused   = fault.New(fault.Conflict, "deduction_key_reused", "This key came with another deduction before. Use a new key for a new intention.")
	ErrDebitCause    = fault.New(fault.Invalid, "deduction_cause", "Say what the deduction is for, in at most 256 characters; the payer reads it.")
	ErrDebitShort    = fault.New(fault.Conflict, "deduction_not_covered", "What this account has does not cover the deduction. Nothing was moved.")
	ErrDebitCurrency = fault.New(fault.Conflict, "deduction_currency", "This account pays in another currency.")
)

// Deducted is the kind of an entry by which a service of the platform took an
// amount.
const Deducted Kind = "deduction"

// Bounds of a debit's texts.
const (
	MostDebitKey   = 128
	MostDebitCause = 256
)

// Debit is an amount that a service of the platform takes from what a payer
// has, apart from any bill. It is taken in the order of deduction for the
// usual items that the Billing Center settles (domain section 10.2).
type Debit struct {
	Service string // whose intention it is; its keys are its own
	Key     string // idempotency, within the service
	Payer   string
	Amount  money.Amount
	Cause   string // the payer reads it
	Covered bool   // refused where something would have to be owed
	By      string // the API key that asked
	Address string // and from where
}

// key is the one of its entry.
func (d Debit) key() string { return debitKey(d.Service) + d.Key }

func debitKey(service string) string { return "deduction:" + service + ":" }

// ServiceOf is the service that took an entry's amount; empty where none did.
func (e Entry) ServiceOf() string {
	rest, ok := strings.CutPrefix(e.Key, "deduction:")
	if !ok {
		return ""
	}
	service, _, _ := strings.Cut(rest, ":")
	return service
}

// Check refuses what is wrong with a debit before anybody's money is looked
// at. The amount and the currency are the caller's to read.
func (d Debit) Check() error {
	var list fault.Fields
	if n := len(d.Key); n == 0 || n > MostDebitKey || strings.ContainsFunc(d.Key, func(r rune) bool { return r < '!' || r > '~' }) {
		list = append(list, ErrDebitKey.On("key"))
	}
	switch {
	case d.Amount.Sign() <= 0:
		list = append(list, ErrNotPositive.On("amount"))
	case d.Amount.Minor() > MostAmount:
		list = append(list, ErrAbsurd.On("amount"))
	}
	if n := utf8.RuneCountInString(d.Cause); n == 0 || n > MostDebitCause || !utf8.ValidString(d.Cause) ||
		strings.TrimSpace(d.Cause) != d.Cause || strings.ContainsFunc(d.Cause, unicode.IsControl) {
		list = append(list, ErrDebitCause.On("cause"))
	}
	return list.OrNil()
}

// Taken is what came of one debit: its entry, or why there is none.
type Taken struct {
	Entry  Entry
	Before bool  // the key had its entry already; nothing was moved now
	Err    error // nothing was moved
}

// Ground is what debits rest upon.
type Ground struct {
	Callers map[string]bool                     // the API keys that work
	Payers  map[string]Standing                 // those that exist
	Posted  map[string]*Entry                   // by key
	Stored  map[string]map[Account]money.Amount // by payer, in the payer's currency
}

// Standing is a payer as debits find it.
type Standing struct {
	Currency money.Currency
	Head     Head
}

// GroundOf says which ground is asked for.
type GroundOf struct {
	Callers []string
	Payers  []string
	Keys    []string
}

// DebitTx is what posting debits needs of a transaction.
type DebitTx interface {
	Tx
	// Ground reads it, and keeps the payers' chains from other writers.
	Ground(ctx context.Context, of GroundOf) (Ground, error)
	// AppendNoted keeps entries, each payer's one behind the other, moves the
	// stored balances within their bounds (else ErrFloor) and the heads, and
	// appends notes to the audit log.
	AppendNoted(ctx context.Context, entries []Entry, notes []audit.Entry) error
}

// TakeDebits posts debits that came together, each by an entry of its own and as if
// the others did not exist: one that is refused changes nothing for them. They
// take effect in their order, in one transaction. The audit log gets one entry
// for each API key.
func TakeDebits(ctx context.Context, tx DebitTx, debits []Debit, at time.Time) ([]Taken, error) {
	ground, err := tx.Ground(ctx, groundOf(debits))
	if err != nil {
		return nil, err
	}
	g := group{tx: tx, at: at, ground: ground, purses: map[string]*debtor{}}
	taken := make([]Taken, len(debits))
	for i, d := range debits {
		if taken[i], err = g.take(ctx, d); err != nil {
			return nil, err
		}
	}
	if len(g.entries) == 0 {
		return taken, nil
	}
	slices.SortStableFunc(g.entries, func(a, b *Entry) int { return strings.Compare(a.Payer, b.Payer) })
	entries := make([]Entry, len(g.entries))
	for i, e := range g.entries {
		entries[i] = *e
	}
	return taken, tx.AppendNoted(ctx, entries, noted(debits, taken, at))
}

func groundOf(debits []Debit) GroundOf {
	callers, payers := map[string]bool{}, make(map[string]bool, len(debits))
	of := GroundOf{Keys: make([]string, len(debits))}
	for i, d := range debits {
		callers[d.By], payers[d.Payer], of.Keys[i] = true, true, d.key()
	}
	of.Callers, of.Payers = slices.Sorted(maps.Keys(callers)), slices.Sorted(maps.Keys(payers))
	return of
}

// group is debits on their way.
type group struct {
	tx      DebitTx
	at      time.Time
	ground  Ground
	purses  map[string]*debtor
	entries []*Entry // that are made, in the order of the debits
	room    Room
}

// debtor is a payer while the debits of a group are taken.
type debtor struct {
	Standing
	sources []Source // those that have not expired, in the order of their use
	spare   []Source // as many
}

// take decides one debit. An error is one of the whole group.
func (g *group) take(ctx context.Context, d Debit) (Taken, error) {
	standing, known := g.ground.Payers[d.Payer]
	before, posted := g.ground.Posted[d.key()]
	switch {
	case !g.ground.Callers[d.By]:
		return Taken{Err: account.ErrKeyInvalid}, nil
	case posted && !d.same(before):
		return Taken{Err: ErrDebitReused.On("key")}, nil
	case posted:
		return Taken{Entry: *before, Before: true}, nil
	case !known:
		return Taken{Err: account.ErrUnknown.On("account_id")}, nil
	case standing.Currency != d.Amount.Currency():
		return Taken{Err: ErrDebitCurrency.On("currency").With("currency", string(standing.Currency))}, nil
	}
	p, err := g.debtor(ctx, d.Payer, standing)
	if err != nil {
		return Taken{}, err
	}
	e, err := p.pay(&g.room, &d, g.at)
	if err != nil {
		return Taken{Err: err}, nil
	}
	g.entries = append(g.entries, e)
	g.ground.Posted[e.Key] = e
	return Taken{Entry: *e}, nil
}

// same reports whether an entry is the debit's.
func (d Debit) same(e *Entry) bool {
	if e.Kind != Deducted || e.Payer != d.Payer || e.Cause != d.Cause {
		return false
	}
	return slices.Contains(e.Postings, Posting{Revenue(d.Amount.Currency()), d.Amount})
}

// debtor opens a payer.
func (g *group) debtor(ctx context.Context, payer string, standing Standing) (*debtor, error) {
	if p, ok := g.purses[payer]; ok {
		return p, nil
	}
	before, err := NewBalances(standing.Currency, g.ground.Stored[payer])
	if err != nil {
		return nil, err
	}
	var sources []Source
	if !before.Voucher.IsZero() || !before.FullReduction.IsZero() || !before.Card.IsZero() {
		if sources, err = g.tx.Sources(ctx, payer, standing.Currency); err != nil {
			return nil, err
		}
	}
	sources = append(sources, Source{Payment: ByCash, Account: Cash(payer), Balance: before.Cash})
	p := &debtor{Standing: standing, sources: usable(sources, g.at)}
	g.purses[payer] = p
	return p, nil
}

// pay takes the amount, and gives the entry. What is refused changes nothing.
func (p *debtor) pay(room *Room, d *Debit, at time.Time) (*Entry, error) {
	room.Empty()
	sources := append(p.spare[:0], p.sources...)
	parts, err := Deduction{Settlement: site.BillingCenter, Payer: d.Payer, Currency: p.Currency}.from(room, sources, []Due{{Amount: d.Amount, VoucherPayable: true}})
	if err != nil {
		return nil, err
	}
	if d.Covered && slices.ContainsFunc(parts[0], func(part Part) bool { return part.Payment == Owed }) {
		return nil, ErrDebitShort.On("amount")
	}
	postings, err := p.postings(parts)
	if err != nil {
		return nil, err
	}
	m := Movement{Key: d.key(), Kind: Deducted, Cause: d.Cause, Payer: d.Payer, Postings: postings}
	if err := m.Balanced(); err != nil {
		return nil, err
	}
	e := m.follow(p.Head, at)
	p.sources, p.spare, p.Head = sources, p.sources, Head{e.Number, e.Hash}
	return &e, nil
}

// postings is Postings, and short where cash pays alone, as it mostly does.
func (p *debtor) postings(parts [][]Part) ([]Posting, error) {
	if line := parts[0]; len(line) == 1 && line[0].Payment == ByCash {
		return PaidInCash(line[0].Account.Payer(), line[0].Amount), nil
	}
	return Postings(parts, p.Currency)
}

// DebitsNoted is what the audit log calls debits that were posted together.
const DebitsNoted = "deductions.posted"

// Details of such an entry of the audit log; beside them stands, by currency,
// what was taken.
const (
	DebitsCount   = "deductions"
	DebitsEntries = "entries" // SHA-256 over the hashes of the entries, in their order
)

// noted is what the audit log keeps of a group: for each API key how many
// debits were posted, what they come to, and a hash of their entries.
func noted(debits []Debit, taken []Taken, at time.Time) []audit.Entry {
	type note struct {
		first  Debit
		count  int64
		sums   map[money.Currency]int64
		hashes []string
	}
	var order []string
	notes := map[string]*note{}
	for i, d := range debits {
		if taken[i].Err != nil || taken[i].Before {
			continue
		}
		n := notes[d.By]
		if n == nil {
			n = &note{first: d, sums: map[money.Currency]int64{}}
			notes[d.By], order = n, append(order, d.By)
		}
		n.count++
		n.sums[d.Amount.Currency()] += d.Amount.Minor()
		n.hashes = append(n.hashes, taken[i].Entry.Hash)
	}
	entries := make([]audit.Entry, 0, len(order))
	for _, by := range order {
		n := notes[by]
		digest := sha256.Sum256([]byte(strings.Join(n.hashes, "\n")))
		detail := map[string]string{DebitsCount: strconv.FormatInt(n.count, 10), DebitsEntries: hex.EncodeToString(digest[:])}
		for currency, minor := range n.sums {
			detail[string(currency)] = money.Of(minor, currency).String()
		}
		entries = append(entries, audit.Entry{At: at, Actor: by, Address: n.first.Address, Action: DebitsNoted, Subject: n.first.Service, Detail: detail})
	}
	return entries
}
