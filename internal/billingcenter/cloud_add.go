package billingcenter

import (
	"net/http"
	"strings"

	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/settle"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/workspace"
)

// AddCloud is the page on which a purchase is claimed, for a workspace or for
// later. Registered accounts of the cloud may be chosen there without a new
// purchase.
type AddCloud struct {
	Frame      web.Frame
	Form       *web.Form
	Offer      CloudOffer
	Workspace  *workspace.Workspace // nil: none is waiting
	Registered []marketplace.Subscription
}

// path is where its forms lead.
func (p AddCloud) path() string {
	if p.Workspace == nil {
		return cloudsPath + "/add/" + string(p.Offer.Method)
	}
	return bindPath(p.Workspace.ID, "/settlement/"+string(p.Offer.Method))
}

// back is where closing it leads.
func (p AddCloud) back() string {
	if p.Workspace == nil {
		return cloudsPath
	}
	return bindPath(p.Workspace.ID, "/settlement")
}

// ErrNotOpened is a claim whose subscription was not confirmed as opened.
var ErrNotOpened = fault.New(fault.Invalid, "subscription_not_confirmed", "Subscribe on the marketplace first, then confirm it here.")

func (b *Console) addCloudPage(w http.ResponseWriter, r *http.Request) error {
	return b.renderAddCloud(w, r, web.Blank())
}

func (b *Console) renderAddCloud(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	page, err := b.addCloudState(r, form)
	if err != nil {
		return err
	}
	return web.Render(w, r, form.Status(), addCloudView(page))
}

func (b *Console) addCloudState(r *http.Request, form *web.Form) (AddCloud, error) {
	ctx := r.Context()
	page := AddCloud{Form: form}
	cloud, err := b.Clouds.Cloud(site.Method(r.PathValue("method")))
	if err != nil {
		return page, err
	}
	page.Offer = offerOf(cloud)
	section := "clouds"
	if r.PathValue("workspace") != "" {
		ws, err := b.owned(r)
		if err != nil {
			return page, err
		}
		page.Workspace, section = &ws, "workspaces"
	}
	err = b.Store.Read(ctx, func(tx *store.Tx) error {
		all, err := tx.SubscriptionsOf(ctx, payer(ctx).ID)
		for _, s := range all {
			if s.Cloud == page.Offer.Method && s.State.Settles() {
				page.Registered = append(page.Registered, s)
			}
		}
		return err
	})
	page.Frame = b.frame(r, web.T(ctx, "cloud.add.title", "method", web.Name(ctx, "method", page.Offer.Method)), section)
	return page, err
}

// addCloud claims the pair of account and instance that was entered; the cloud
// must confirm it. The workspace that waits is settled by it at once.
func (b *Console) addCloud(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	page, err := b.addCloudState(r, form)
	if err != nil {
		return err
	}
	var s marketplace.Subscription
	switch {
	case page.Offer.Way != marketplace.ByInstance:
		err = marketplace.ErrRegistration
	case !form.Ticked("opened"):
		err = ErrNotOpened.On("opened")
	default:
		claim := marketplace.Claim{Account: strings.TrimSpace(form.Text("account")), Instance: strings.TrimSpace(form.Text("instance"))}
		s, err = b.Clouds.Claim(ctx, page.Offer.Method, claim, payer(ctx), actor(r), b.Now())
		err = besideIfNone(err, "instance")
	}
	if form.Refused(err) {
		return web.Render(w, r, form.Status(), addCloudView(page))
	}
	if err != nil {
		return err
	}
	if page.Workspace == nil || !s.State.Settles() {
		b.say(ctx, "cloud.said.added")
		return web.SeeOther(w, r, cloudPath(s))
	}
	return b.settleWaiting(w, r, page, form, s)
}

// besideIfNone puts a fault beside a field unless it has one.
func besideIfNone(err error, field string) error {
	if f := fault.From(err); err != nil && f.Kind != fault.Internal && f.Field == "" {
		return f.On(field)
	}
	return err
}

// settleWaiting lets the subscription settle the workspace that waits for it. A
// rule that stands against it leaves the account registered, and is said.
func (b *Console) settleWaiting(w http.ResponseWriter, r *http.Request, page AddCloud, form *web.Form, s marketplace.Subscription) error {
	ctx := r.Context()
	err := b.Store.Write(ctx, func(tx *store.Tx) error {
		return b.changeSettlement(ctx, tx, page.Workspace.ID, settle.Choice{Method: s.Cloud, Subscription: s.ID}, actor(r))
	})
	if form.Refused(besideIfNone(err, "subscription")) {
		fresh, err := b.addCloudState(r, form)
		if err != nil {
			return err
		}
		return web.Render(w, r, form.Status(), addCloudView(fresh))
	}
	if err != nil {
		return err
	}
	b.say(ctx, "bc.said.settlement")
	return web.SeeOther(w, r, Prefix+"/workspaces")
}

// settleByRegistered lets an account that is registered settle the workspace.
func (b *Console) settleByRegistered(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	page, err := b.addCloudState(r, form)
	if err != nil {
		return err
	}
	var s marketplace.Subscription
	err = b.Store.Read(ctx, func(tx *store.Tx) (err error) {
		s, err = b.registered(ctx, tx, form.Text("subscription"))
		return err
	})
	if form.Refused(besideIfNone(err, "subscription")) {
		return web.Render(w, r, form.Status(), addCloudView(page))
	}
	if err != nil {
		return err
	}
	return b.settleWaiting(w, r, page, form, s)
}
