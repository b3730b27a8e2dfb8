package marketplace

import (
	"context"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/workspace"
)

// ErrOrderReturned is an order of cards that its buyer gave back.
var ErrOrderReturned = fault.New(fault.Conflict, "order_returned", "This order was given back on the marketplace. It can no longer be redeemed.")

// Card is a line of an order of stored-value cards, as a marketplace sells
// them. It is redeemed once, by one payer.
type Card struct {
	Cloud      site.Method
	Order      string
	Line       string
	Instance   string // as the marketplace knows the line
	Account    string // the buyer's at the cloud
	SKU        string
	Face       money.Amount
	Payer      string // who redeemed it; empty until then
	SourceID   string // the card in the wallet
	RedeemedAt time.Time
	ReleasedAt time.Time // when the marketplace said that it was given back
}

// CardTx is what cards of marketplaces need of a transaction.
type CardTx interface {
	wallet.SourceTx
	// OpenCard keeps a line that is new, or gives the one that is known, kept
	// from other writers.
	OpenCard(ctx context.Context, c Card) (Card, error)
	// CardByInstance finds a line, kept from other writers.
	CardByInstance(ctx context.Context, cloud site.Method, instance string) (c Card, found bool, err error)
	// SaveCard keeps a line that was redeemed or given back.
	SaveCard(ctx context.Context, c Card) error
	Audit(ctx context.Context, e audit.Entry) error
}

// Redeem loads the lines of an order into the payer's wallet, each as a card:
// all of them, or none. The marketplace has confirmed the order.
func Redeem(ctx context.Context, tx CardTx, payer account.Billing, lines []Card, expires func(Card) time.Time, by workspace.Actor, at time.Time) ([]wallet.Source, error) {
	var loaded []wallet.Source
	for _, line := range lines {
		c, err := tx.OpenCard(ctx, line)
		switch {
		case err != nil:
			return nil, err
		case c.Payer != "":
			return nil, ErrOrderUsed.On("order")
		case !c.ReleasedAt.IsZero():
			return nil, ErrOrderReturned.On("order")
		case line.Face.Currency() != payer.Currency:
			return nil, ErrCurrency.With("currency", string(payer.Currency))
		}
		s, err := wallet.LoadCard(ctx, tx, payer, c.Cloud, line.Face, expires(line), c.Order+" "+c.Line, at)
		if err != nil {
			return nil, err
		}
		c.Account, c.SKU, c.Face = line.Account, line.SKU, line.Face
		c.Payer, c.SourceID, c.RedeemedAt = payer.ID, s.ID, at
		if err := tx.SaveCard(ctx, c); err != nil {
			return nil, err
		}
		err = tx.Audit(ctx, audit.Entry{
			At: at, Actor: by.AccountID, Address: by.Address, Action: "marketplace_card.redeemed", Subject: s.ID,
			Detail: map[string]string{"cloud": string(c.Cloud), "order": c.Order, "line": c.Line, "account": c.Account, "face": c.Face.String(), "payer": payer.ID},
		})
		if err != nil {
			return nil, err
		}
		loaded = append(loaded, s)
	}
	return loaded, nil
}

// Return takes back a line that was given back on the marketplace: what is left
// on its card, or the right to redeem it. found is false for an instance that
// is no card.
func Return(ctx context.Context, tx CardTx, cloud site.Method, instance string, at time.Time) (found bool, err error) {
	c, found, err := tx.CardByInstance(ctx, cloud, instance)
	if err != nil || !found || !c.ReleasedAt.IsZero() {
		return found, err
	}
	detail := map[string]string{"cloud": string(c.Cloud), "order": c.Order, "line": c.Line}
	if c.SourceID != "" {
		left, err := wallet.UnloadCard(ctx, tx, c.SourceID, cloud, at)
		if err != nil {
			return true, err
		}
		detail["left"], detail["currency"], detail["payer"] = left.String(), string(left.Currency()), c.Payer
	}
	c.ReleasedAt = at
	if err := tx.SaveCard(ctx, c); err != nil {
		return true, err
	}
	return true, tx.Audit(ctx, audit.Entry{At: at, Actor: "system", Action: "marketplace_card.returned", Subject: c.Order, Detail: detail})
}
