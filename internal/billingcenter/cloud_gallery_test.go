package billingcenter

import (
	"context"
	"testing"

	"github.com/a-h/templ"

	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/settle"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/web/gallery"
	"tollgate.dev/internal/workspace"
)

// Subscriptions of the gallery, as they may stand.
func gallerySubscriptions() (live, frozen, pending, aws marketplace.Subscription) {
	live = marketplace.Subscription{
		ID: "subs_1", Cloud: site.Alibaba, Account: "1234567890123456", Instance: "205060317920890", Product: "cmapi00012345", Order: "205060317920891",
		Plan: marketplace.Hourly, State: marketplace.Active, Why: marketplace.Purchased, Payer: acme.ID, BoundAt: noon.AddDate(0, 0, -3), ExpiresAt: noon.AddDate(1, 0, 0),
	}
	frozen, pending = live, live
	frozen.State, frozen.Why = marketplace.Frozen, marketplace.Expired
	pending.Cloud, pending.State, pending.Why, pending.Instance, pending.Account = site.AWS, marketplace.Pending, "", "l-0123456789abcdef", "123456789012"
	aws = pending
	aws.State, aws.Why = marketplace.Active, marketplace.Purchased
	return live, frozen, pending, aws
}

func TestCloudGallery(t *testing.T) {
	t.Parallel()
	live, frozen, pending, aws := gallerySubscriptions()
	offers := []CloudOffer{
		{site.Alibaba, marketplace.ByInstance, "https://market.example/1", true}, {site.AWS, marketplace.ByToken, "https://market.example/2", true},
		{site.Huawei, marketplace.ByInstance, "https://market.example/3", true},
	}
	offered := []Settleable{{Workspace: shop}, {payments2, settle.ErrNotAllowed}}
	list := func(p CloudAccounts) page {
		return func(ctx context.Context) templ.Component {
			p.Frame, p.Zone = frame(ctx, "Cloud accounts", "clouds"), hangzhou
			return cloudsView(p)
		}
	}
	one := func(form *web.Form, row CloudRow) page {
		return func(ctx context.Context) templ.Component {
			return cloudView(CloudAccount{Frame: frame(ctx, "Cloud account", "clouds"), Form: form, Zone: hangzhou, Row: row, Offered: offered})
		}
	}
	add := func(form *web.Form, o CloudOffer, ws *workspace.Workspace, registered ...marketplace.Subscription) page {
		return func(ctx context.Context) templ.Component {
			return addCloudView(AddCloud{Frame: frame(ctx, "Settle by a cloud", "workspaces"), Form: form, Offer: o, Workspace: ws, Registered: registered})
		}
	}
	card := marketplace.Card{Cloud: site.Huawei, Order: "CS2603120001", Face: cny("1000.00"), RedeemedAt: noon}
	back := card
	back.ReleasedAt = noon
	var states []gallery.State
	for name, p := range map[string]page{
		"clouds-off":     list(CloudAccounts{}),
		"clouds-none":    list(CloudAccounts{Offers: offers, CardStore: "https://market.example/4"}),
		"clouds":         list(CloudAccounts{Offers: offers, Rows: []CloudRow{{live, []workspace.Workspace{shop, payments2}}, {frozen, nil}, {pending, nil}}, Simulated: true}),
		"cloud":          one(web.Blank(), CloudRow{live, []workspace.Workspace{shop}}),
		"cloud-frozen":   one(web.Blank(), CloudRow{frozen, nil}),
		"cloud-pending":  one(web.Blank(), CloudRow{pending, nil}),
		"cloud-wrong":    one(refused(web.Blank(), ErrNothingTicked.On("workspaces")), CloudRow{live, nil}),
		"bind-alibaba":   add(web.Blank(), offers[0], &shop),
		"bind-wrong":     add(refused(web.Blank("account", "1", "instance", "2", "opened", "yes"), marketplace.ErrClaim.On("instance")), offers[0], &shop),
		"bind-again":     add(web.Blank(), offers[0], &shop, live),
		"bind-aws":       add(web.Blank(), offers[1], &shop),
		"bind-huawei":    add(web.Blank(), offers[2], nil),
		"arrival":        arrival(Arrival{Subscription: aws}),
		"arrival-choose": arrival(Arrival{Subscription: aws, SignedIn: true, Offered: offered}),
		"arrival-waits":  arrival(Arrival{Subscription: pending, SignedIn: true, Offered: offered}),
		"arrival-taken":  arrival(Arrival{Subscription: aws, SignedIn: true, Form: refused(web.Blank(), marketplace.ErrClaimed.On("workspaces"))}),
		"redeem":         redeem(web.Blank()),
		"redeem-done":    redeem(web.Blank(), card, back),
		"redeem-used":    redeem(refused(web.Blank("account", "c1", "order", "CS1"), marketplace.ErrOrderUsed.On("order")), card),
	} {
		states = append(states, gallery.State{Name: "billing-center/cloud-" + name, Page: p})
	}
	gallery.Check(t, states)
}

func arrival(p Arrival) page {
	return func(ctx context.Context) templ.Component {
		p.Frame, p.Zone = focused(ctx, "A purchase"), hangzhou
		if p.SignedIn {
			p.Frame, p.UserName = frame(ctx, "A purchase", "clouds"), acme.UserName
		}
		if p.Form == nil {
			p.Form = web.Blank()
		}
		return arrivalView(p)
	}
}

func redeem(form *web.Form, cards ...marketplace.Card) page {
	return func(ctx context.Context) templ.Component {
		return redeemView(RedeemCards{Frame: frame(ctx, "Card", "wallet"), Form: form, Store: "https://market.example/4", Simulated: true, Zone: hangzhou, Redeemed: cards, Currency: money.CNY})
	}
}
