package billingcenter

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/marketplace/huawei"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/web"
)

const redeemPath = cloudsPath + "/cards/huawei"

// RedeemCards is the page on which cards that were bought on Huawei Cloud's
// marketplace are loaded into the wallet.
type RedeemCards struct {
	Frame     web.Frame
	Form      *web.Form
	Store     string
	Simulated bool
	Zone      *time.Location
	Redeemed  []marketplace.Card
	Currency  money.Currency
}

func (b *Console) redeemPage(w http.ResponseWriter, r *http.Request) error {
	return b.renderRedeem(w, r, web.Blank())
}

func (b *Console) renderRedeem(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	ctx := r.Context()
	a := payer(ctx)
	if b.Cards == nil || b.Cards.CardListing() == "" {
		return wallet.ErrCardsNotSold
	}
	page := RedeemCards{Form: form, Store: b.Cards.CardListing(), Simulated: b.Cards.Simulated(), Zone: zoneOf(a.Currency), Currency: a.Currency}
	err := b.Store.Read(ctx, func(tx *store.Tx) (err error) {
		page.Redeemed, err = tx.CardsRedeemed(ctx, a.ID)
		return err
	})
	if err != nil {
		return err
	}
	page.Frame = b.frame(r, web.T(ctx, "cloud.card.title"), "wallet")
	return web.Render(w, r, form.Status(), redeemView(page))
}

// redeem asks Huawei Cloud for the order, and loads what it is of, once.
func (b *Console) redeem(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	if b.Cards == nil {
		return wallet.ErrCardsNotSold
	}
	loaded, err := b.redeemOrder(ctx, strings.TrimSpace(form.Text("account")), strings.TrimSpace(form.Text("order")), r)
	if form.Refused(besideIfNone(err, "order")) {
		return b.renderRedeem(w, r, form)
	}
	if err != nil {
		return err
	}
	sum := money.Of(0, payer(ctx).Currency)
	for _, s := range loaded {
		if sum, err = sum.Add(s.Face); err != nil {
			return err
		}
	}
	b.say(ctx, "cloud.said.redeemed", "amount", web.Money(sum)+" "+string(sum.Currency()))
	return web.SeeOther(w, r, redeemPath)
}

func (b *Console) redeemOrder(ctx context.Context, cloudAccount, order string, r *http.Request) (loaded []wallet.Source, err error) {
	a, at := payer(ctx), b.Now()
	err = b.Store.Read(ctx, func(tx *store.Tx) error {
		n, err := tx.WrongClaims(ctx, a.ID, at.Add(-marketplace.ClaimsWithin))
		if err == nil && n >= marketplace.MostClaims {
			err = marketplace.ErrMany.On("order")
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	bought, err := b.Cards.Cards(ctx, cloudAccount, order)
	if errors.Is(err, marketplace.ErrOrder) || errors.Is(err, marketplace.ErrOtherProduct) {
		if kept := b.Store.Write(ctx, func(tx *store.Tx) error { return tx.WrongClaim(ctx, a.ID, at) }); kept != nil {
			return nil, errors.Join(err, kept)
		}
	}
	if err != nil {
		return nil, err
	}
	months := map[string]int{}
	var lines []marketplace.Card
	for _, c := range bought {
		months[c.Card.SKU] = c.Card.Valid
		lines = append(lines, marketplace.Card{
			Cloud: site.Huawei, Order: order, Line: c.Line, Instance: huawei.InstanceOf(order, c.Line), Account: cloudAccount, SKU: c.Card.SKU, Face: c.Worth,
		})
	}
	expires := func(c marketplace.Card) time.Time { return wallet.MonthsOn(at, months[c.SKU], a.Currency) }
	err = b.Store.Write(ctx, func(tx *store.Tx) error {
		loaded, err = marketplace.Redeem(ctx, tx, a, lines, expires, actor(r), at)
		return err
	})
	return loaded, err
}
