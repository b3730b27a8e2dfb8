package billingcenter

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/settle"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/workspace"
)

const cloudsPath = Prefix + "/clouds"

// CloudAccounts is the list of registered cloud accounts.
type CloudAccounts struct {
	Frame     web.Frame
	Zone      *time.Location
	Rows      []CloudRow
	Offers    []CloudOffer
	CardStore string // where stored-value cards are bought; empty: none are
	Simulated bool   // at least one marketplace is a stand-in
}

// CloudRow is one of them.
type CloudRow struct {
	Subscription marketplace.Subscription
	Workspaces   []workspace.Workspace // that it settles
}

// CloudOffer is a marketplace on which a further account can subscribe.
type CloudOffer struct {
	Method    site.Method
	Way       marketplace.Way
	Store     string
	Simulated bool
}

// CloudAccount is the page of one of them.
type CloudAccount struct {
	Frame   web.Frame
	Form    *web.Form
	Zone    *time.Location
	Row     CloudRow
	Offered []Settleable
}

// Settleable is a workspace that a cloud account may settle, or why it may not.
type Settleable struct {
	Workspace workspace.Workspace
	Why       error // why not; nil: it may
}

// cloudRoutes are the routes of cloud accounts.
func (b *Console) cloudRoutes() []web.Route {
	const one, settling = cloudsPath + "/accounts/{subscription}", Prefix + "/workspaces/{workspace}/settlement/{method}"
	get := func(path string, needs web.Need, h web.Handler) web.Route {
		return web.Route{Method: http.MethodGet, Pattern: path, Needs: needs, Handler: h}
	}
	post := func(path string, h web.Handler) web.Route {
		return web.Route{Method: http.MethodPost, Pattern: path, Needs: web.SignedIn, Handler: h}
	}
	return []web.Route{
		get(cloudsPath, web.SignedIn, b.cloudsPage),
		get(one, web.SignedIn, b.cloudPage),
		post(one+"/workspaces", b.settleMore),
		get(cloudsPath+"/add/{method}", web.SignedIn, b.addCloudPage),
		post(cloudsPath+"/add/{method}", b.addCloud),
		get(settling, web.SignedIn, b.addCloudPage),
		post(settling, b.addCloud),
		post(settling+"/registered", b.settleByRegistered),
		get(ArrivePath, web.Public, b.arrive),
		get(arrivalPath, web.Public, b.arrivalPage),
		post(arrivalPath, b.bindArrival),
		get(openPath, web.SignedIn, b.openPage),
		post(openPath, b.open),
		get(openCodePath, web.SignedIn, b.openCodePage),
		post(openCodePath, b.openNow),
		post(openCodePath+"/again", b.resendOpening),
		get(RefusedPath, web.Public, b.refusedPage),
		get(redeemPath, web.SignedIn, b.redeemPage),
		post(redeemPath, b.redeem),
	}
}

func cloudPath(s marketplace.Subscription) string {
	return cloudsPath + "/accounts/" + url.PathEscape(s.ID)
}

// offers are the marketplaces that are connected.
func (b *Console) cloudOffers() []CloudOffer {
	var list []CloudOffer
	if b.Clouds != nil {
		for _, c := range b.Clouds.Clouds {
			list = append(list, offerOf(c))
		}
	}
	return list
}

func offerOf(c marketplace.Cloud) CloudOffer {
	s, ok := c.(marketplace.Simulated)
	return CloudOffer{c.Method(), c.Way(), c.Storefront(), ok && s.Simulated()}
}

func (b *Console) cloudsPage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	a := payer(ctx)
	page := CloudAccounts{Zone: zoneOf(a.Currency), Offers: b.cloudOffers()}
	if b.Cards != nil {
		page.CardStore = b.Cards.CardListing()
	}
	page.Simulated = slices.ContainsFunc(page.Offers, func(o CloudOffer) bool { return o.Simulated })
	err := b.Store.Read(ctx, func(tx *store.Tx) error {
		list, err := tx.SubscriptionsOf(ctx, a.ID)
		if err != nil {
			return err
		}
		for _, s := range list {
			row, err := b.cloudRow(ctx, tx, s)
			if err != nil {
				return err
			}
			page.Rows = append(page.Rows, row)
		}
		return nil
	})
	if err != nil {
		return err
	}
	page.Frame = b.frame(r, web.T(ctx, "cloud.title"), "clouds")
	return web.Render(w, r, http.StatusOK, cloudsView(page))
}

func (b *Console) cloudRow(ctx context.Context, tx *store.Tx, s marketplace.Subscription) (CloudRow, error) {
	row := CloudRow{Subscription: s.At(b.Now())}
	ids, err := tx.SettledBy(ctx, s.ID)
	if err != nil {
		return row, err
	}
	for _, id := range ids {
		ws, err := tx.Workspace(ctx, id)
		if err != nil {
			return row, err
		}
		if ws.Payer == s.Payer {
			row.Workspaces = append(row.Workspaces, ws)
		}
	}
	return row, nil
}

// registered is the cloud account of the address, if it is this payer's.
func (b *Console) registered(ctx context.Context, tx *store.Tx, id string) (marketplace.Subscription, error) {
	s, err := tx.Subscription(ctx, id)
	if err == nil && s.Payer != payer(ctx).ID {
		return marketplace.Subscription{}, marketplace.ErrUnknown
	}
	return s, err
}

func (b *Console) cloudPage(w http.ResponseWriter, r *http.Request) error {
	return b.renderCloud(w, r, web.Blank())
}

func (b *Console) renderCloud(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	ctx := r.Context()
	page := CloudAccount{Form: form, Zone: zoneOf(payer(ctx).Currency)}
	err := b.Store.Read(ctx, func(tx *store.Tx) error {
		s, err := b.registered(ctx, tx, r.PathValue("subscription"))
		if err != nil {
			return err
		}
		if page.Row, err = b.cloudRow(ctx, tx, s); err != nil {
			return err
		}
		page.Offered, err = b.settleable(ctx, tx, s)
		return err
	})
	if err != nil {
		return err
	}
	page.Frame = b.frame(r, web.T(ctx, "cloud.one"), "clouds")
	return web.Render(w, r, form.Status(), cloudView(page))
}

// settleable lists the payer's workspaces that the subscription does not settle
// yet, with what stands in the way of each.
func (b *Console) settleable(ctx context.Context, tx *store.Tx, s marketplace.Subscription) ([]Settleable, error) {
	list, err := tx.WorkspacesPaidBy(ctx, payer(ctx).ID)
	if err != nil {
		return nil, err
	}
	settled, err := tx.SettledBy(ctx, s.ID)
	if err != nil {
		return nil, err
	}
	var out []Settleable
	for _, ws := range list {
		if slices.Contains(settled, ws.ID) && ws.Settlement == s.Cloud {
			continue
		}
		stands, err := settle.Look(ctx, tx, ws, b.Now())
		if err != nil {
			return nil, err
		}
		_, why := b.rules().Change(stands, s.Cloud, b.Now())
		out = append(out, Settleable{ws, why})
	}
	return out, nil
}

// tickOf is the name of a workspace's box.
func tickOf(workspaceID string) string { return "w_" + workspaceID }

// ErrNothingTicked is a form sent with no workspace chosen.
var ErrNothingTicked = fault.New(fault.Invalid, "workspace_not_ticked", "Choose at least one workspace.")

// chosen are the workspaces that were ticked.
func chosen(form *web.Form) []string {
	var ids []string
	for name := range form.Values {
		if id, ok := strings.CutPrefix(name, "w_"); ok && form.Ticked(name) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// settleAll lets a subscription settle workspaces: all of them, or none.
func (b *Console) settleAll(ctx context.Context, s marketplace.Subscription, ids []string, by workspace.Actor) error {
	return b.Store.Write(ctx, func(tx *store.Tx) error {
		for _, id := range ids {
			if err := b.changeSettlement(ctx, tx, id, settle.Choice{Method: s.Cloud, Subscription: s.ID}, by); err != nil {
				return beside(err, tickOf(id))
			}
		}
		return nil
	})
}

// beside puts a fault beside a field of the form; any other error stays.
func beside(err error, field string) error {
	var f *fault.Error
	if errors.As(err, &f) {
		return f.On(field)
	}
	return err
}

func (b *Console) settleMore(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	var s marketplace.Subscription
	err = b.Store.Read(ctx, func(tx *store.Tx) (err error) {
		s, err = b.registered(ctx, tx, r.PathValue("subscription"))
		return err
	})
	if err != nil {
		return err
	}
	ids := chosen(form)
	if len(ids) == 0 {
		err = ErrNothingTicked.On("workspaces")
	} else {
		err = b.settleAll(ctx, s, ids, actor(r))
	}
	if form.Refused(err) {
		return b.renderCloud(w, r, form)
	}
	if err != nil {
		return err
	}
	b.say(ctx, "cloud.said.settled", "count", len(ids))
	return web.SeeOther(w, r, cloudPath(s))
}

// cloudTone colours how a subscription stands.
func cloudTone(s marketplace.State) web.Tone {
	switch s {
	case marketplace.Active:
		return web.Good
	case marketplace.Pending:
		return web.Accent
	case marketplace.Frozen, marketplace.Ending:
		return web.Warn
	case marketplace.Ended:
		return web.Bad
	}
	return web.Plain
}
