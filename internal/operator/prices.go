package operator

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
)

// Prices is the prices that are agreed with an account.
type Prices struct {
	Frame   web.Frame
	Form    *web.Form
	Account account.Billing
	Rows    []PriceRow
	Version *catalog.Version // that sells the items
	Today   period.Day
}

// PriceRow is an agreed price beside the catalogue's.
type PriceRow struct {
	catalog.Override
	List  string // the catalogue's price on the first day; empty: none
	State string // coming, now, ended or withdrawn
}

// Ends reports whether it can still be ended.
func (p PriceRow) Ends() bool { return p.State == "coming" || p.State == "now" && p.Last.IsZero() }

func pricesPath(accountID string) string {
	return Prefix + "/accounts/" + url.PathEscape(accountID) + "/prices"
}

func (o *Console) pricesPage(w http.ResponseWriter, r *http.Request) error {
	return o.renderPrices(w, r, web.Blank())
}

func (o *Console) renderPrices(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	ctx := r.Context()
	page := Prices{Form: form, Today: catalog.Today(o.Clock.Now(), site.All())}
	var err error
	if page.Version, err = o.Catalog.At(page.Today); err != nil {
		return err
	}
	err = o.Store.Read(ctx, func(tx *store.Tx) error {
		if page.Account, err = tx.BillingByID(ctx, r.PathValue("account")); err != nil {
			return err
		}
		agreed, err := tx.OverridesOf(ctx, page.Account.ID)
		for _, a := range agreed {
			page.Rows = append(page.Rows, priceRow(o.Catalog, a, page.Today))
		}
		return err
	})
	if err != nil {
		return err
	}
	page.Frame = o.frame(r, web.T(ctx, "prices.title", "account", page.Account.UserName), "accounts")
	return web.Render(w, r, form.Status(), pricesPage(page))
}

func priceRow(c *catalog.Catalog, a catalog.Override, today period.Day) PriceRow {
	row := PriceRow{Override: a, State: a.State(today)}
	if v, err := c.At(a.From); err == nil {
		if item, err := v.Item(a.Item); err == nil {
			if price, err := item.Price(a.Market.Currency, a.Market.Group, a.Class); err == nil {
				row.List = web.Exact(price)
			}
		}
	}
	return row
}

func (o *Console) agreePrice(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	id, by := r.PathValue("account"), catalog.Actor{ID: operator(ctx).ID, Address: web.Address(r)}
	typed := catalog.Agreement{
		Item: form.Text("item"), Group: site.Group(form.Text("group")), Class: form.Text("class"), Price: form.Text("price"),
		From: form.Text("from"), Last: form.Text("last"), Reason: form.Text("reason"),
	}
	err = o.Store.Write(ctx, func(tx *store.Tx) error {
		_, err := o.Catalog.Agree(ctx, tx, id, typed, by, o.Clock.Now())
		return err
	})
	if err == nil {
		o.say(ctx, web.Good, "prices.said.agreed", "day", typed.From)
		return web.SeeOther(w, r, pricesPath(id))
	}
	if errors.Is(err, account.ErrUnknown) || !form.Refused(err) {
		return err
	}
	return o.renderPrices(w, r, form)
}

func (o *Console) endPrice(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	id, by := r.PathValue("account"), catalog.Actor{ID: operator(ctx).ID, Address: web.Address(r)}
	var ended catalog.Override
	err := o.Store.Write(ctx, func(tx *store.Tx) (err error) {
		ended, err = o.Catalog.End(ctx, tx, id, r.PathValue("price"), by, o.Clock.Now())
		return err
	})
	if err != nil {
		return err
	}
	if ended.Withdrawn() {
		o.say(ctx, web.Good, "prices.said.withdrawn")
	} else {
		o.say(ctx, web.Good, "prices.said.ended", "day", ended.Last.String())
	}
	return web.SeeOther(w, r, pricesPath(id))
}

// itemOptions are the items that a price can be agreed for.
func itemOptions(ctx context.Context, v *catalog.Version) []web.Option {
	var list []web.Option
	for _, item := range v.Items {
		if item.PayAsYouGo {
			list = append(list, web.Option{Value: item.ID, Label: itemName(ctx, v, item.ID)})
		}
	}
	return list
}

// classOptions are all classes that some item has.
func classOptions(ctx context.Context, v *catalog.Version) []web.Option {
	var list []web.Option
	seen := map[string]bool{}
	for _, item := range v.Items {
		for _, class := range item.Classes {
			if !seen[class] {
				seen[class] = true
				list = append(list, web.Option{Value: class, Label: className(ctx, class)})
			}
		}
	}
	return list
}

func groupOptions(ctx context.Context) []web.Option {
	return []web.Option{
		{Value: string(site.China), Label: web.Name(ctx, "group", site.China)},
		{Value: string(site.International), Label: web.Name(ctx, "group", site.International)},
	}
}

// priceTone is the colour of a state of a price or a version.
func priceTone(state string) web.Tone {
	switch state {
	case "now":
		return web.Good
	case "coming":
		return web.Accent
	}
	return web.Plain
}

// lastDay is the last day of an agreed price that holds at all.
func lastDay(o catalog.Override) string {
	if o.Last.IsZero() || o.Withdrawn() {
		return "…"
	}
	return o.Last.String()
}
