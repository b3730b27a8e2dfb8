package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/quantity"
	"tollgate.dev/internal/site"
)

// nonceLife is how long the name of a call is remembered: far longer than its
// signature is taken for.
const nonceLife = time.Hour

// UseNonce remembers the name of a signed call, or answers
// marketplace.ErrReplayed when it came before.
func (tx *Tx) UseNonce(ctx context.Context, cloud site.Method, nonce string, at time.Time) error {
	if _, err := tx.Exec(ctx, `
		DELETE FROM marketplace_nonce
		WHERE seen_at < $1`, period.Micros(at.Add(-nonceLife))); err != nil {
		return fmt.Errorf("forget old calls: %w", err)
	}
	n, err := tx.Exec(ctx, `
		INSERT INTO marketplace_nonce (cloud, nonce, seen_at)
		VALUES ($1, $2, $3)
		ON CONFLICT (cloud, nonce) DO NOTHING`, string(cloud), marketplace.TicketHash(nonce), period.Micros(at))
	return exactlyOne(n, err, marketplace.ErrReplayed)
}

// InsertArrival keeps a buyer who was sent here, and forgets those who never
// came.
func (tx *Tx) InsertArrival(ctx context.Context, a marketplace.Arrival) error {
	if _, err := tx.Exec(ctx, `
		DELETE FROM marketplace_arrival
		WHERE expires_at < $1`, period.Micros(a.ExpiresAt.Add(-24*time.Hour))); err != nil {
		return fmt.Errorf("forget old arrivals: %w", err)
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO marketplace_arrival (ticket, subscription_id, signs_in, expires_at, used_at)
		VALUES ($1, $2, $3, $4, 0)`, a.Ticket, a.SubscriptionID, flag(a.SignsIn), period.Micros(a.ExpiresAt))
	return err
}

// UseArrival spends a ticket, once, or answers marketplace.ErrArrival.
func (tx *Tx) UseArrival(ctx context.Context, ticket string, at time.Time) (marketplace.Arrival, error) {
	a := marketplace.Arrival{Ticket: marketplace.TicketHash(ticket)}
	n, err := tx.Exec(ctx, `
		UPDATE marketplace_arrival
		SET used_at = $2
		WHERE ticket = $1
			AND used_at = 0
			AND expires_at > $2`, a.Ticket, period.Micros(at))
	if err := exactlyOne(n, err, marketplace.ErrArrival); err != nil {
		return a, err
	}
	var signsIn, expires int64
	err = tx.QueryRow(ctx, `
		SELECT subscription_id, signs_in, expires_at
		FROM marketplace_arrival
		WHERE ticket = $1`, a.Ticket).Scan(&a.SubscriptionID, &signsIn, &expires)
	a.SignsIn, a.ExpiresAt = signsIn == 1, period.FromMicros(expires)
	return a, err
}

const cardColumns = `cloud, purchase_order, line, instance, account, sku, currency, face_minor, payer, source_id, redeemed_at, released_at`

func scanCard(r Row) (marketplace.Card, error) {
	var c marketplace.Card
	var currency money.Currency
	var face, redeemed, released int64
	err := r.Scan(&c.Cloud, &c.Order, &c.Line, &c.Instance, &c.Account, &c.SKU, &currency, &face, &c.Payer, &c.SourceID, &redeemed, &released)
	c.Face = money.Of(face, currency)
	c.RedeemedAt, c.ReleasedAt = period.FromMicros(redeemed), period.FromMicros(released)
	return c, err
}

// OpenCard keeps a line of an order of cards that is new, or gives the one that
// is known, kept from other writers.
func (tx *Tx) OpenCard(ctx context.Context, c marketplace.Card) (marketplace.Card, error) {
	_, err := tx.Exec(ctx, `
		INSERT INTO marketplace_card (`+cardColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '', '', 0, 0)
		ON CONFLICT (cloud, purchase_order, line) DO NOTHING`,
		string(c.Cloud), c.Order, c.Line, c.Instance, c.Account, c.SKU, string(c.Face.Currency()), c.Face.Minor())
	if err != nil {
		return c, fmt.Errorf("keep a card of a marketplace: %w", err)
	}
	return scanCard(tx.QueryRow(ctx, `
		SELECT `+cardColumns+`
		FROM marketplace_card
		WHERE cloud = $1
			AND purchase_order = $2
			AND line = $3`+tx.lockWrites(), string(c.Cloud), c.Order, c.Line))
}

// CardByInstance finds a line of an order of cards, kept from other writers.
func (tx *Tx) CardByInstance(ctx context.Context, cloud site.Method, instance string) (c marketplace.Card, found bool, err error) {
	c, err = scanCard(tx.QueryRow(ctx, `
		SELECT `+cardColumns+`
		FROM marketplace_card
		WHERE cloud = $1
			AND instance = $2`+tx.lockWrites(), string(cloud), instance))
	if errors.Is(err, ErrNoRows) {
		return c, false, nil
	}
	return c, err == nil, err
}

// SaveCard keeps a line that was redeemed or given back. One that was redeemed
// stays with its payer.
func (tx *Tx) SaveCard(ctx context.Context, c marketplace.Card) error {
	n, err := tx.Exec(ctx, `
		UPDATE marketplace_card
		SET account = $4, sku = $5, currency = $6, face_minor = $7, payer = $8, source_id = $9, redeemed_at = $10, released_at = $11
		WHERE cloud = $1
			AND purchase_order = $2
			AND line = $3
			AND source_id IN ('', $9)`,
		string(c.Cloud), c.Order, c.Line, c.Account, c.SKU, string(c.Face.Currency()), c.Face.Minor(), c.Payer, c.SourceID,
		period.Micros(c.RedeemedAt), period.Micros(c.ReleasedAt))
	return exactlyOne(n, err, marketplace.ErrOrderUsed)
}

// CardsRedeemed lists the lines that a payer redeemed, the newest first.
func (tx *Tx) CardsRedeemed(ctx context.Context, payer string) ([]marketplace.Card, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+cardColumns+`
		FROM marketplace_card
		WHERE payer = $1
			AND payer <> ''
		ORDER BY redeemed_at DESC, purchase_order, line`, payer)
	return collect(rows, err, scanCard)
}

// UsedInAll is the quantity that the records of an instance come to, whatever
// became of them besides being given up or sealed again, and when the last one
// was sealed.
func (tx *Tx) UsedInAll(ctx context.Context, cloud site.Method, instance string) (used quantity.Decimal, at time.Time, err error) {
	rows, err := tx.Query(ctx, `
		SELECT quantity, sealed_at
		FROM marketplace_record
		WHERE cloud = $1
			AND instance = $2
			AND state NOT IN ('reissued', 'written_off')
		ORDER BY sealed_at`, string(cloud), instance)
	if err != nil {
		return used, at, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var text string
		var sealed int64
		if err := rows.Scan(&text, &sealed); err != nil {
			return used, at, err
		}
		q, err := quantity.Parse(text)
		if err == nil {
			used, err = used.Add(q)
		}
		if err != nil {
			return used, at, fmt.Errorf("usage of %s: %w", instance, err)
		}
		at = period.FromMicros(sealed)
	}
	return used, at, rows.Err()
}
