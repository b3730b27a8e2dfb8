package wallet

import (
	"context"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/site"
)

// Redeemed is the origin of a card that was bought on the marketplace of a
// cloud.
const Redeemed Origin = "redeemed"

// MarketCards is what the marketplace of a cloud collected for cards.
func MarketCards(m site.Method, c money.Currency) Account {
	return Account("market_cards:" + string(m) + ":" + string(c))
}

// LoadCard issues a card that was paid for on a cloud's marketplace. from is
// the order and its line.
func LoadCard(ctx context.Context, tx SourceTx, payer account.Billing, m site.Method, face money.Amount, expires time.Time, from string, at time.Time) (Source, error) {
	g := Grant{Payment: ByCard, Face: face, ExpiresAt: expires, Origin: Redeemed, From: from}
	s, err := issue(ctx, tx, payer, g, MarketCards(m, face.Currency()), at)
	if err != nil {
		return s, err
	}
	return s, tx.Announce(ctx, SourceIssued{Reader: readerOf(payer), Source: s, IssuedAt: at})
}

// UnloadCard takes back what is left on a card that was given back on the
// marketplace, once. What was paid with it stays paid.
func UnloadCard(ctx context.Context, tx SourceTx, sourceID string, m site.Method, at time.Time) (left money.Amount, err error) {
	s, found, err := tx.SourceForUpdate(ctx, sourceID)
	switch {
	case err != nil:
		return left, err
	case !found || s.Origin != Redeemed:
		return left, ErrSourceUnknown
	case !s.EndedAt.IsZero():
		return money.Of(0, s.Face.Currency()), nil // it expired, or was taken back already
	}
	if s, err = held(ctx, tx, s); err != nil {
		return left, err
	}
	return s.Balance, s.writeOff(ctx, tx, Withdrawal, MarketCards(m, s.Face.Currency()), at)
}

// MonthsOn is the end of the day so many months on, in the zone of the
// currency's Billing Center.
func MonthsOn(at time.Time, n int, c money.Currency) time.Time {
	zone := Zone(c)
	return period.DayOf(at.In(zone).AddDate(0, n, 0), zone).End(zone)
}
