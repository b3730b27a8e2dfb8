package studio

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"tollgate.dev/internal/alert"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/workspace"
)

// alertsPage is the thresholds of a Commercial workspace and who is told.
type alertsPage struct {
	Frame    web.Frame
	Place    place
	Form     *web.Form
	Currency money.Currency
	Rules    []alert.Rule
	Team     []alert.Member
	Items    []string   // for which an alert can be set
	Shown    alert.Rule // in the form
	Changing bool       // it is there already
}

// alerts shows the page; ?item= opens one of its alerts in the form.
func (c *Console) alerts(w http.ResponseWriter, r *http.Request) error {
	return c.alertsPage(w, r, nil)
}

// alertsPage shows the alerts, with the form that is wrong, if it is.
func (c *Console) alertsPage(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	ctx, p := r.Context(), visitOf(r).place
	if p.Workspace.Plan != workspace.Commercial {
		return web.SeeOther(w, r, p.path("billing"))
	}
	v, err := c.prices(p)
	if err != nil {
		return err
	}
	page := alertsPage{Frame: c.frame(r, web.T(ctx, "alert.title"), "alerts"), Place: p, Form: form}
	err = c.store.Read(ctx, func(tx *store.Tx) error {
		payer, err := tx.BillingByID(ctx, p.Workspace.Payer)
		if err != nil {
			return err
		}
		page.Currency = payer.Currency
		if page.Rules, err = tx.AlertRules(ctx, p.Workspace.ID); err != nil {
			return err
		}
		page.Team, err = tx.AlertTeam(ctx, p.Workspace.ID)
		return err
	})
	if err != nil {
		return err
	}
	page.offer(v, r.FormValue("item"))
	if form != nil {
		page.typed(form)
	}
	return web.Render(w, r, form.Status(), alertsView(page))
}

// offer fills in what can be chosen, and the alert that is open.
func (p *alertsPage) offer(v *catalog.Version, open string) {
	p.Items = []string{alert.Total}
	market := catalog.Market{Currency: p.Currency, Group: p.Place.Site.Group}
	for _, item := range v.Items {
		if alert.Offered(v, market, item.ID) {
			p.Items = append(p.Items, item.ID)
		}
	}
	p.Shown = alert.Rule{Item: alert.Total, Administrators: true}
	if i := slices.IndexFunc(p.Rules, func(r alert.Rule) bool { return r.Item == open }); i >= 0 {
		p.Shown, p.Changing = p.Rules[i], true
	} else if slices.Contains(p.Items, open) {
		p.Shown.Item = open
	}
}

// typed keeps the ticks of a form that was refused.
func (p *alertsPage) typed(form *web.Form) {
	p.Shown.Administrators = form.Ticked("administrators")
	p.Shown.Members = form.Values["members"]
}

// threshold is what the form's field holds before anything is typed.
func (p alertsPage) threshold() string {
	if !p.Changing {
		return ""
	}
	return p.Shown.Threshold.String()
}

// itemName is what an alert is for.
func itemName(ctx context.Context, item string) string {
	if item == alert.Total {
		return web.T(ctx, "alert.total")
	}
	return web.Name(ctx, "item", item)
}

func (p alertsPage) options(ctx context.Context) []web.Option {
	var options []web.Option
	for _, item := range p.Items {
		options = append(options, web.Option{Value: item, Label: itemName(ctx, item)})
	}
	return options
}

// others are the members who may be chosen: the Owner receives every alert.
func (p alertsPage) others() []alert.Member {
	return slices.DeleteFunc(slices.Clone(p.Team), func(m alert.Member) bool { return m.Role == workspace.Owner })
}

// receivers are those who get the mail of a rule, in words.
func (p alertsPage) receivers(ctx context.Context, r alert.Rule) []string {
	list := []string{web.T(ctx, "alert.owner", "name", p.Place.Owner.Name)}
	if r.Administrators {
		list = append(list, web.T(ctx, "alert.administrators"))
	}
	for _, m := range p.others() {
		if slices.Contains(r.Members, m.AccountID) {
			list = append(list, m.UserName)
		}
	}
	return append(list, r.Addresses...)
}

// lines are the addresses that were typed, by line or comma.
func lines(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune("\r\n,; ，；", r) })
}

func (c *Console) setAlert(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	ctx, v := r.Context(), visitOf(r)
	typed := alert.Typed{
		Item: form.Text("item"), Threshold: strings.TrimSpace(form.Text("threshold")), Administrators: form.Ticked("administrators"),
		Members: form.Values["members"], Addresses: lines(form.Text("addresses")),
	}
	err = c.store.Write(ctx, func(tx *store.Tx) error {
		_, err := alert.Set(ctx, tx, c.options.Catalog, v.place.Workspace.ID, typed, v.actor(r), c.now())
		return err
	})
	if form.Refused(err) {
		return c.alertsPage(w, r, form)
	}
	if err != nil {
		return err
	}
	c.Say(ctx, web.Good, web.T(ctx, "alert.saved", "item", itemName(ctx, typed.Item)))
	return web.SeeOther(w, r, v.place.path("alerts"))
}

func (c *Console) removeAlert(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), visitOf(r)
	item := r.PathValue("item")
	err := c.store.Write(ctx, func(tx *store.Tx) error {
		return alert.Remove(ctx, tx, c.options.Catalog, v.place.Workspace.ID, item, v.actor(r), c.now())
	})
	if err != nil {
		return err
	}
	c.Say(ctx, web.Good, web.T(ctx, "alert.removed", "item", itemName(ctx, item)))
	return web.SeeOther(w, r, v.place.path("alerts"))
}

// alertPath opens an alert in the form.
func (p alertsPage) alertPath(item string) string {
	return p.Place.path("alerts?" + url.Values{"item": {item}}.Encode() + "#alert")
}
