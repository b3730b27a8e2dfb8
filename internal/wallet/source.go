package wallet

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/id"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
)

// Faults of vouchers and cards.
var (
	ErrExpiryPast    = fault.New(fault.Invalid, "expiry_past", "This would have expired already. Choose a later day.")
	ErrCardFace      = fault.New(fault.Invalid, "card_face", "A card has a face of at least 100, in steps of 100.")
	ErrSourceUnknown = fault.New(fault.NotFound, "source_unknown", "There is no such voucher or card.")
	ErrSourceBought  = fault.New(fault.Conflict, "source_bought", "This card was bought. It cannot be taken back here.")
	ErrSourceOver    = fault.New(fault.Conflict, "source_over", "This voucher or card has ended already.")
	ErrCashShort     = fault.New(fault.Conflict, "cash_too_low", "There is not enough cash for this card. Recharge first.")
	ErrCardsNotSold  = fault.New(fault.Invalid, "cards_not_sold", "Cards are not sold in the currency of this account.")
)

// The kinds of movement by vouchers and cards.
const (
	VoucherIssued Kind = "voucher"    // a gift that can be spent until it expires
	CardIssued    Kind = "card"       // a card was bought or given
	Lapse         Kind = "lapse"      // a voucher or a card expired with something left
	Withdrawal    Kind = "withdrawal" // the operator took a voucher or a card back
	Opening       Kind = "opening"    // a debt that was there when the books were opened
)

// Grants is what the platform has given away as vouchers and cards.
func Grants(c money.Currency) Account { return Account("grants:" + string(c)) }

// Lapsed is what was left on vouchers and cards when they expired.
func Lapsed(c money.Currency) Account { return Account("lapsed:" + string(c)) }

// Openings is the other side of debts that were there before the books.
func Openings(c money.Currency) Account { return Account("openings:" + string(c)) }

// Payment is the kind of payment that the account takes part in; it is empty
// for an account that no bill is paid from.
func (a Account) Payment() Payment {
	kind, _, _ := strings.Cut(string(a), ":")
	if kind == "arrears" {
		return Owed
	}
	for _, p := range Payments() {
		if p != Owed && kind == string(p) {
			return p
		}
	}
	return ""
}

// Source is the ID of the voucher or card whose account it is; empty for any
// other account.
func (a Account) Source() string {
	kind, rest, _ := strings.Cut(string(a), ":")
	switch kind {
	case "voucher", "full_reduction", "card":
		_, id, _ := strings.Cut(rest, ":")
		return id
	}
	return ""
}

// SourceTx is what vouchers and cards need of a transaction.
type SourceTx interface {
	Tx
	// InsertSource keeps a new voucher or card.
	InsertSource(ctx context.Context, s Source) error
	// SourceForUpdate finds a voucher or card, with its balance, kept from
	// other writers; found is false where there is none.
	SourceForUpdate(ctx context.Context, id string) (s Source, found bool, err error)
	// EndSource keeps that a voucher or card is over.
	EndSource(ctx context.Context, id string, at time.Time) error
	BillingByID(ctx context.Context, id string) (account.Billing, error)
	Announce(ctx context.Context, event any) error
}

// Origin says how a voucher or card came about.
type Origin string

// The origins.
const (
	Given     Origin = "given"     // by the operator, for nothing
	Bought    Origin = "bought"    // a card, for cash
	Earned    Origin = "earned"    // a voucher, by buying a card
	Activated Origin = "activated" // by a code
)

// Grant is what is to be issued.
type Grant struct {
	Payment   Payment // ByVoucher, ByFullReduction or ByCard
	Face      money.Amount
	ExpiresAt time.Time // zero: never
	Origin    Origin
	From      string // the card that earned it, or the batch of its code
	Tail      string // the end of the code
	Reason    string // why the operator gave it
}

// GiveVoucher issues a voucher that the operator gives: ByVoucher for an
// ordinary one, ByFullReduction for the other kind.
func GiveVoucher(ctx context.Context, tx SourceTx, payer account.Billing, kind Payment, face money.Amount, expires, at time.Time) (Source, error) {
	return Give(ctx, tx, payer, Grant{Payment: kind, Face: face, ExpiresAt: expires, Origin: Given}, at)
}

// GiveCard issues a card that nobody paid for here.
func GiveCard(ctx context.Context, tx SourceTx, payer account.Billing, face money.Amount, expires, at time.Time) (Source, error) {
	return Give(ctx, tx, payer, Grant{Payment: ByCard, Face: face, ExpiresAt: expires, Origin: Given}, at)
}

// Give issues what the platform gives away, and tells its payer.
func Give(ctx context.Context, tx SourceTx, payer account.Billing, g Grant, at time.Time) (Source, error) {
	s, err := issue(ctx, tx, payer, g, Grants(g.Face.Currency()), at)
	if err != nil {
		return s, err
	}
	return s, tx.Announce(ctx, SourceIssued{Reader: readerOf(payer), Source: s, IssuedAt: at})
}

// issue keeps a voucher or card and fills it from an account. What is owed is
// the cards' negative balance, so that a card fills it first (domain section 10.2).
func issue(ctx context.Context, tx SourceTx, payer account.Billing, g Grant, from Account, at time.Time) (Source, error) {
	s := Source{
		Payer: payer.ID, Payment: g.Payment, Face: g.Face, ExpiresAt: g.ExpiresAt, Since: at,
		Origin: g.Origin, From: g.From, Tail: g.Tail, Reason: g.Reason,
	}
	kind := VoucherIssued
	switch g.Payment {
	case ByVoucher:
		s.ID = id.New(id.Voucher)
		s.Account = Voucher(payer.ID, s.ID)
	case ByFullReduction:
		s.ID = id.New(id.Voucher)
		s.Account = FullReduction(payer.ID, s.ID)
	case ByCard:
		s.ID, kind = id.New(id.Card), CardIssued
		s.Account = Card(payer.ID, s.ID)
	default:
		return s, ErrBatchKind.On("kind")
	}
	if err := s.valid(payer, at); err != nil {
		return s, err
	}
	if _, err := tx.LedgerHead(ctx, payer.ID); err != nil { // nobody else moves this payer's money until we are done
		return s, err
	}
	filled, err := s.filled(ctx, tx)
	if err != nil {
		return s, err
	}
	if err := tx.InsertSource(ctx, s); err != nil {
		return s, err
	}
	m := Movement{Key: "source:" + s.ID, Kind: kind, Cause: s.ID, Payer: s.Payer, Postings: append(filled, Posting{from, s.Face.Neg()}), Terms: s.terms()}
	if _, err := Post(ctx, tx, m, at); err != nil {
		return s, err
	}
	s.Balance = money.Of(0, s.Face.Currency())
	for _, p := range filled {
		if p.Account == s.Account {
			s.Balance = p.Amount
		}
	}
	return s, nil
}

// terms is what the entry that issues it says besides: until when it holds and
// how it came about. Verify holds the source against it, so that the words are
// those of the store, too.
func (s Source) terms() string {
	return fmt.Sprintf("until=%d origin=%s from=%s", period.Micros(s.ExpiresAt), s.Origin, s.From)
}

// filled is where the face of a new voucher or card goes.
func (s Source) filled(ctx context.Context, tx Tx) ([]Posting, error) {
	if s.Payment != ByCard {
		return []Posting{{s.Account, s.Face}}, nil
	}
	before, err := BalancesOf(ctx, tx, s.Payer, s.Face.Currency())
	if err != nil {
		return nil, err
	}
	debt, rest, err := fill(before.Owed, s.Face)
	if err != nil {
		return nil, err
	}
	var postings []Posting
	for _, p := range []Posting{{Arrears(s.Payer), debt}, {s.Account, rest}} {
		if !p.Amount.IsZero() {
			postings = append(postings, p)
		}
	}
	return postings, nil
}

// fill splits an amount into what fills a debt and the rest.
func fill(owed, amount money.Amount) (debt, rest money.Amount, err error) {
	debt = amount
	order, err := owed.Cmp(amount)
	if err != nil {
		return debt, rest, err
	}
	if order < 0 {
		debt = owed
	}
	rest, err = amount.Sub(debt)
	return debt, rest, err
}

// valid checks what is to be issued.
func (s Source) valid(payer account.Billing, at time.Time) error {
	switch {
	case s.Face.Sign() <= 0:
		return ErrNotPositive.On("amount")
	case s.Face.Minor() > MostAmount:
		return ErrAbsurd.On("amount")
	case s.Face.Currency() != payer.Currency:
		return money.ErrCurrency.On("amount")
	case !s.ExpiresAt.IsZero() && !at.Before(s.ExpiresAt):
		return ErrExpiryPast.On("expires")
	}
	return nil
}

// SourceState is how a voucher or card stands.
type SourceState string

// The states.
const (
	Usable  SourceState = "usable"
	UsedUp  SourceState = "used_up"
	Expired SourceState = "expired" // its time is over; what was left is gone
	Ended   SourceState = "ended"   // the operator took it back
)

// State is how the voucher or card stands at the instant. From the instant of
// its expiry on it pays nothing.
func (s Source) State(at time.Time) SourceState {
	switch over := !s.ExpiresAt.IsZero() && !at.Before(s.ExpiresAt); {
	case !s.EndedAt.IsZero() && (s.ExpiresAt.IsZero() || s.EndedAt.Before(s.ExpiresAt)):
		return Ended
	case over:
		return Expired
	case s.Balance.Sign() <= 0:
		return UsedUp
	}
	return Usable
}

// Expire is the job that ends a voucher or card whose time is over.
type Expire struct {
	SourceID string `json:"source_id"`
}

// Kind names the job for the queue.
func (Expire) Kind() string { return "wallet.expire" }

// UniqueByArgs keeps one job of a source waiting at most.
func (Expire) UniqueByArgs() bool { return true }

// End writes off what is left of an expired voucher or card, once. From the
// instant of its expiry on nothing was paid from it anyway.
func End(ctx context.Context, tx SourceTx, sourceID string, at time.Time) error {
	s, found, err := tx.SourceForUpdate(ctx, sourceID)
	if err != nil || !found || !s.EndedAt.IsZero() || s.ExpiresAt.IsZero() || at.Before(s.ExpiresAt) {
		return err
	}
	if s, err = held(ctx, tx, s); err != nil {
		return err
	}
	if err := s.writeOff(ctx, tx, Lapse, Lapsed(s.Face.Currency()), at); err != nil || s.Balance.IsZero() {
		return err
	}
	payer, err := tx.BillingByID(ctx, s.Payer)
	if err != nil {
		return err
	}
	return tx.Announce(ctx, SourceLapsed{Reader: readerOf(payer), Source: s, Left: s.Balance, LapsedAt: at})
}

// held is a voucher or card with its balance as it is now, once nobody else
// moves its payer's money.
func held(ctx context.Context, tx SourceTx, s Source) (Source, error) {
	if _, err := tx.LedgerHead(ctx, s.Payer); err != nil {
		return s, err
	}
	s, _, err := tx.SourceForUpdate(ctx, s.ID)
	return s, err
}

// writeOff takes what is left of a voucher or card and ends it.
func (s Source) writeOff(ctx context.Context, tx SourceTx, kind Kind, to Account, at time.Time) error {
	if !s.Balance.IsZero() {
		key := string(kind) + ":" + s.ID
		m := Movement{Key: key, Kind: kind, Cause: key, Payer: s.Payer, Postings: []Posting{{s.Account, s.Balance.Neg()}, {to, s.Balance}}}
		if _, err := Post(ctx, tx, m, at); err != nil {
			return err
		}
	}
	return tx.EndSource(ctx, s.ID, at)
}

// TakeBack ends a voucher or card that was given, or activated by a code: what
// is left on it goes back to the platform. One that was bought stays, and so
// does what was paid with it.
func TakeBack(ctx context.Context, tx AssignTx, sourceID, reason string, by By, at time.Time) (Source, error) {
	s, found, err := tx.SourceForUpdate(ctx, sourceID)
	switch reason = strings.TrimSpace(reason); {
	case err != nil:
		return s, err
	case !found:
		return s, ErrSourceUnknown
	case s.Origin == Bought || s.Origin == Redeemed:
		return s, ErrSourceBought
	case !s.EndedAt.IsZero() || s.State(at) == Expired:
		return s, ErrSourceOver
	case reason == "" || utf8.RuneCountInString(reason) > maxReason || !utf8.ValidString(reason):
		return s, ErrReason.On("reason")
	}
	if s, err = held(ctx, tx, s); err != nil {
		return s, err
	}
	if err := s.writeOff(ctx, tx, Withdrawal, Grants(s.Face.Currency()), at); err != nil {
		return s, err
	}
	return s, tx.Audit(ctx, audit.Entry{
		At: at, Actor: by.Operator, Address: by.Address, Action: "source.taken_back", Subject: s.ID,
		Detail: map[string]string{"payer": s.Payer, "left": s.Balance.String(), "currency": string(s.Face.Currency()), "reason": reason},
	})
}

// OpenDebt puts down what a payer owed before the books were opened. No door
// leads here: it is for moving in from elsewhere, and for simulations.
func OpenDebt(ctx context.Context, tx Tx, payer account.Billing, amount money.Amount, at time.Time) (Entry, error) {
	switch {
	case amount.Sign() <= 0:
		return Entry{}, ErrNotPositive.On("amount")
	case amount.Minor() > MostAmount:
		return Entry{}, ErrAbsurd.On("amount")
	case amount.Currency() != payer.Currency:
		return Entry{}, money.ErrCurrency.On("amount")
	}
	cause := id.New(id.Reference)
	return Post(ctx, tx, Movement{
		Key: "opening:" + cause, Kind: Opening, Cause: cause, Payer: payer.ID,
		Postings: []Posting{{Arrears(payer.ID), amount.Neg()}, {Openings(amount.Currency()), amount}},
	}, at)
}
