package operator

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/prepaid"
	"tollgate.dev/internal/quantity"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
)

// Discounts is the discounts that an account has on traffic packages.
type Discounts struct {
	Frame   web.Frame
	Form    *web.Form
	Account account.Billing
	Rows    []DiscountRow
	Version *catalog.Version // that sells the packages
}

// DiscountRow is a discount beside the catalogue's price.
type DiscountRow struct {
	prepaid.Discount
	By    string
	State string // holds, ended, unsold
	Sold  catalog.TrafficPackage
}

// Sells reports whether the account can buy traffic packages at all.
func (p Discounts) Sells() bool { return p.Version.TrafficPackages.Currency == p.Account.Currency }

func discountsPath(accountID string) string {
	return Prefix + "/accounts/" + url.PathEscape(accountID) + "/discounts"
}

func (o *Console) discountsPage(w http.ResponseWriter, r *http.Request) error {
	return o.renderDiscounts(w, r, web.Blank())
}

func (o *Console) renderDiscounts(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	ctx := r.Context()
	page := Discounts{Form: form}
	var err error
	if page.Version, err = o.Catalog.At(catalog.Today(o.Clock.Now(), site.All())); err != nil {
		return err
	}
	err = o.Store.Read(ctx, func(tx *store.Tx) error {
		if page.Account, err = tx.BillingByID(ctx, r.PathValue("account")); err != nil {
			return err
		}
		granted, err := tx.TrafficDiscounts(ctx, page.Account.ID)
		if err != nil {
			return err
		}
		names, err := operatorNames(ctx, tx)
		for _, d := range granted {
			page.Rows = append(page.Rows, discountRow(page.Version, d, names[d.GrantedBy]))
		}
		return err
	})
	if err != nil {
		return err
	}
	page.Frame = o.frame(r, web.T(ctx, "discount.title", "account", page.Account.UserName), "accounts")
	return web.Render(w, r, form.Status(), discountsPage(page))
}

func discountRow(v *catalog.Version, d prepaid.Discount, by string) DiscountRow {
	row := DiscountRow{Discount: d, By: by, State: "holds"}
	var sold bool
	if row.Sold, sold = v.TrafficPackages.Of(d.Item); !sold {
		row.State = "unsold"
	}
	if d.Ended() {
		row.State = "ended"
	}
	return row
}

// operatorNames are the names of all operators, by ID.
func operatorNames(ctx context.Context, tx *store.Tx) (map[string]string, error) {
	operators, err := tx.Operators(ctx)
	names := map[string]string{}
	for _, op := range operators {
		names[op.ID] = op.Name
	}
	return names, err
}

func (o *Console) grantDiscount(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	factor, err := prepaid.ParseDiscount(form.Text("factor"))
	if err != nil {
		err = prepaid.ErrDiscount.On("factor")
	} else {
		err = o.discounted(r, form.Text("item"), factor)
	}
	if errors.Is(err, account.ErrUnknown) {
		return err
	}
	if form.Refused(err) {
		return o.renderDiscounts(w, r, form)
	}
	if err != nil {
		return err
	}
	o.say(ctx, web.Good, "discount.said", "factor", factor.Plain(), "item", o.itemToday(ctx, form.Text("item")))
	return web.SeeOther(w, r, discountsPath(r.PathValue("account")))
}

func (o *Console) endDiscount(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	if err := o.discounted(r, r.PathValue("item"), prepaid.NoDiscount); err != nil {
		return err
	}
	o.say(ctx, web.Good, "discount.said_ended", "item", o.itemToday(ctx, r.PathValue("item")))
	return web.SeeOther(w, r, discountsPath(r.PathValue("account")))
}

// discounted grants the factor.
func (o *Console) discounted(r *http.Request, item string, factor quantity.Decimal) error {
	ctx := r.Context()
	by := prepaid.Actor{AccountID: operator(ctx).ID, Address: web.Address(r)}
	return o.Store.Write(ctx, func(tx *store.Tx) error {
		return prepaid.Grant(ctx, tx, o.Catalog, r.PathValue("account"), item, factor, by, o.Clock.Now())
	})
}

// itemToday is the name of an item in the catalogue that holds now.
func (o *Console) itemToday(ctx context.Context, item string) string {
	v, err := o.Catalog.At(catalog.Today(o.Clock.Now(), site.All()))
	if err != nil {
		return item
	}
	return itemName(ctx, v, item)
}

// price is the list price with the discount; empty where nothing is sold.
func (d DiscountRow) price() string {
	price, err := d.Sold.Price.Mul(d.Factor)
	if d.State == "unsold" || err != nil {
		return "–"
	}
	return web.Exact(price.Trimmed())
}

// items are those that traffic packages are sold of.
func (p Discounts) items(ctx context.Context) []web.Option {
	var list []web.Option
	for _, t := range p.Version.TrafficPackages.Packages {
		if !t.Discontinued {
			list = append(list, web.Option{Value: t.Item, Label: itemName(ctx, p.Version, t.Item)})
		}
	}
	return list
}

func discountTone(state string) web.Tone {
	if state == "holds" {
		return web.Good
	}
	return web.Plain
}
