package wallet

import (
	"context"
	"strings"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/id"
	"tollgate.dev/internal/money"
)

// Faults of vouchers and cards.
var (
	ErrExpiryPast   = fault.New(fault.Invalid, "expiry_past", "This would have expired already. Choose a later day.")
	ErrCardFace     = fault.New(fault.Invalid, "card_face", "A card has a face of at least 100, in steps of 100.")
	ErrCardsNotSold = fault.New(fault.Invalid, "cards_not_sold", "Cards are not sold in the currency of this account.")
)

// The kinds of movement by vouchers and cards.
const (
	VoucherIssued Kind = "voucher" // a gift that can be spent until it expires
	CardIssued    Kind = "card"    // a card was bought or given
	Lapse         Kind = "lapse"   // a voucher or a card expired with something left
	Opening       Kind = "opening" // a debt that was there when the books were opened
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
	// SourceForUpdate finds a voucher or card, with its balance, and whether it has ended.
	SourceForUpdate(ctx context.Context, id string) (s Source, ended bool, err error)
	// EndSource keeps that a voucher or card has expired.
	EndSource(ctx context.Context, id string, at time.Time) error
}

// GiveVoucher issues a voucher: ByVoucher for an ordinary one, ByFullReduction
// for the other kind.
func GiveVoucher(ctx context.Context, tx SourceTx, payer account.Billing, kind Payment, face money.Amount, expires, at time.Time) (Source, error) {
	s := Source{ID: id.New(id.Voucher), Payment: kind, Payer: payer.ID, Face: face, ExpiresAt: expires, Since: at}
	s.Account = Voucher(payer.ID, s.ID)
	if kind == ByFullReduction {
		s.Account = FullReduction(payer.ID, s.ID)
	}
	if err := s.valid(payer, at); err != nil {
		return s, err
	}
	return s, s.issue(ctx, tx, VoucherIssued, []Posting{{s.Account, face}, {Grants(face.Currency()), face.Neg()}}, at)
}

// GiveCard issues a card that nobody paid for here.
func GiveCard(ctx context.Context, tx SourceTx, payer account.Billing, face money.Amount, expires, at time.Time) (Source, error) {
	return issueCard(ctx, tx, payer, face, Grants(face.Currency()), expires, at)
}

// voucherYears is how long a voucher holds that was earned by buying a card
// (the sources name no validity; one year is our choice).
const voucherYears = 1

// BuyCard issues a card for cash. A purchase that reaches a tier earns a
// full-reduction voucher of the highest one (domain section 10.1).
func BuyCard(ctx context.Context, tx SourceTx, payer account.Billing, terms catalog.Cards, face money.Amount, expires, at time.Time) (Source, error) {
	switch {
	case terms.Currency != payer.Currency:
		return Source{}, ErrCardsNotSold.With("currency", string(payer.Currency))
	case face.Sign() > 0 && (face.Minor() < terms.FaceMin.Minor() || face.Minor()%terms.FaceStep.Minor() != 0):
		return Source{}, ErrCardFace.On("amount")
	}
	card, err := issueCard(ctx, tx, payer, face, Cash(payer.ID), expires, at)
	if err != nil {
		return card, err
	}
	earned := money.Amount{}
	for _, tier := range terms.VoucherTiers { // ascending
		if face.Minor() >= tier.Card.Minor() {
			earned = tier.Voucher
		}
	}
	if !earned.IsZero() {
		_, err = GiveVoucher(ctx, tx, payer, ByFullReduction, earned, at.AddDate(voucherYears, 0, 0), at)
	}
	return card, err
}

// issueCard moves the face from where it comes to the card. What is owed is
// the card's negative balance, so that it is filled first (domain section 10.2).
func issueCard(ctx context.Context, tx SourceTx, payer account.Billing, face money.Amount, from Account, expires, at time.Time) (Source, error) {
	s := Source{ID: id.New(id.Card), Payment: ByCard, Payer: payer.ID, Face: face, ExpiresAt: expires, Since: at}
	s.Account = Card(payer.ID, s.ID)
	if err := s.valid(payer, at); err != nil {
		return s, err
	}
	if _, err := tx.LedgerHead(ctx, payer.ID); err != nil { // nobody else moves this payer's money until we are done
		return s, err
	}
	before, err := BalancesOf(ctx, tx, payer.ID, payer.Currency)
	if err != nil {
		return s, err
	}
	debt, err := lesser(before.Owed, face)
	if err != nil {
		return s, err
	}
	rest, err := face.Sub(debt)
	if err != nil {
		return s, err
	}
	var postings []Posting
	for _, p := range []Posting{{Arrears(payer.ID), debt}, {s.Account, rest}} {
		if !p.Amount.IsZero() {
			postings = append(postings, p)
		}
	}
	return s, s.issue(ctx, tx, CardIssued, append(postings, Posting{from, face.Neg()}), at)
}

func lesser(a, b money.Amount) (money.Amount, error) {
	order, err := a.Cmp(b)
	if order < 0 {
		return a, err
	}
	return b, err
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

// issue keeps the source and the movement that fills it.
func (s Source) issue(ctx context.Context, tx SourceTx, kind Kind, postings []Posting, at time.Time) error {
	if err := tx.InsertSource(ctx, s); err != nil {
		return err
	}
	_, err := Post(ctx, tx, Movement{Key: "source:" + s.ID, Kind: kind, Cause: s.ID, Payer: s.Payer, Postings: postings}, at)
	return err
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
	s, ended, err := tx.SourceForUpdate(ctx, sourceID)
	if err != nil || ended || s.ExpiresAt.IsZero() || at.Before(s.ExpiresAt) {
		return err
	}
	if _, err := tx.LedgerHead(ctx, s.Payer); err != nil { // nobody else moves this payer's money until we are done
		return err
	}
	if s, _, err = tx.SourceForUpdate(ctx, sourceID); err != nil { // its balance as it is now
		return err
	}
	if !s.Balance.IsZero() {
		left := s.Balance
		m := Movement{
			Key: "lapse:" + s.ID, Kind: Lapse, Cause: "lapse:" + s.ID, Payer: s.Payer,
			Postings: []Posting{{s.Account, left.Neg()}, {Lapsed(left.Currency()), left}},
		}
		if _, err := Post(ctx, tx, m, at); err != nil {
			return err
		}
	}
	return tx.EndSource(ctx, s.ID, at)
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
