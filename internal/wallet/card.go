package wallet

import (
	"context"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
)

// How long a bought card holds, and a voucher that was earned by buying one:
// through the last day of so many years (the sources name no length; it is our
// choice, and the page says it before anything is paid).
const (
	cardYears    = 3
	voucherYears = 1
)

func years(at time.Time, n int, c money.Currency) time.Time {
	zone := Zone(c)
	return period.DayOf(at.In(zone).AddDate(n, 0, 0), zone).End(zone)
}

// CardEnds is when a card that is bought at the instant is over.
func CardEnds(at time.Time, c money.Currency) time.Time { return years(at, cardYears, c) }

// Quote is what buying a card comes to, before it is bought.
type Quote struct {
	Face          money.Amount
	CashAfter     money.Amount
	FillsDebt     money.Amount // the part of the face that goes into arrears
	Card          money.Amount // what the card then holds
	ExpiresAt     time.Time
	Earned        money.Amount // the full-reduction voucher; zero: none
	EarnedExpires time.Time
}

// QuoteCard says what a card would cost and bring, or why it cannot be bought
// (domain section 10.1).
func QuoteCard(payer account.Billing, terms catalog.Cards, has Balances, face money.Amount, at time.Time) (Quote, error) {
	q := Quote{Face: face, ExpiresAt: CardEnds(at, payer.Currency)}
	var err error
	if q.Earned, err = earned(payer, terms, face); err != nil {
		return q, err
	}
	if !q.Earned.IsZero() {
		q.EarnedExpires = years(at, voucherYears, payer.Currency)
	}
	if face.Minor() > MostAmount {
		return q, ErrAbsurd.On("amount")
	}
	if q.FillsDebt, q.Card, err = fill(has.Owed, face); err != nil {
		return q, err
	}
	if q.CashAfter, err = has.Cash.Sub(face); err != nil {
		return q, err
	}
	if q.CashAfter.Sign() < 0 {
		return q, ErrCashShort.On("amount").With("cash", has.Cash.String())
	}
	return q, nil
}

// earned checks a face and gives the voucher that its purchase earns: that of
// the highest tier it reaches, per purchase.
func earned(payer account.Billing, terms catalog.Cards, face money.Amount) (money.Amount, error) {
	none := money.Of(0, payer.Currency)
	switch {
	case terms.Currency != payer.Currency:
		return none, ErrCardsNotSold.With("currency", string(payer.Currency))
	case face.Sign() <= 0:
		return none, ErrNotPositive.On("amount")
	case face.Minor() < terms.FaceMin.Minor() || face.Minor()%terms.FaceStep.Minor() != 0:
		return none, ErrCardFace.On("amount")
	}
	for _, tier := range terms.VoucherTiers { // ascending
		if face.Minor() >= tier.Card.Minor() {
			none = tier.Voucher
		}
	}
	return none, nil
}

// BuyCard issues a card for cash. A purchase that reaches a tier earns a
// full-reduction voucher of the highest one (domain section 10.1).
func BuyCard(ctx context.Context, tx SourceTx, payer account.Billing, terms catalog.Cards, face money.Amount, expires, at time.Time) (Source, error) {
	reward, err := earned(payer, terms, face)
	if err != nil {
		return Source{}, err
	}
	card, err := issue(ctx, tx, payer, Grant{Payment: ByCard, Face: face, ExpiresAt: expires, Origin: Bought}, Cash(payer.ID), at)
	if err != nil {
		return card, err
	}
	event := SourceIssued{Reader: readerOf(payer), Source: card, IssuedAt: at}
	if !reward.IsZero() {
		g := Grant{Payment: ByFullReduction, Face: reward, ExpiresAt: years(at, voucherYears, payer.Currency), Origin: Earned, From: card.ID}
		if event.Earned, err = issue(ctx, tx, payer, g, Grants(payer.Currency), at); err != nil {
			return card, err
		}
	}
	return card, tx.Announce(ctx, event)
}
