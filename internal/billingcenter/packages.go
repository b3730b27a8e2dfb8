package billingcenter

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/prepaid"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/workspace"
)

// ErrPlace is a place in the order of workspaces that is no number.
var ErrPlace = fault.New(fault.Invalid, "package_place", "The place of a workspace is a number from 1 to 100, or empty.")

// packagesShown bounds the list of packages.
const packagesShown = 200

const (
	packagesPath = Prefix + "/packages"
	buyPath      = Prefix + "/buy-package/"
)

// packageRoutes are the pages of annual packages.
func (b *Console) packageRoutes() []web.Route {
	get := func(path string, h web.Handler) web.Route {
		return web.Route{Method: http.MethodGet, Pattern: path, Needs: web.SignedIn, Handler: h}
	}
	post := func(path string, h web.Handler) web.Route {
		return web.Route{Method: http.MethodPost, Pattern: path, Needs: web.SignedIn, Handler: h}
	}
	return []web.Route{
		get(packagesPath, b.packagesPage),
		get(buyPath+"{size}", b.buyPackagePage),
		post(buyPath+"{size}", b.buyPackage),
		get(packagesPath+"/{package}", b.packagePage),
		post(packagesPath+"/{package}/workspaces", b.arrangePackage),
		post(packagesPath+"/{package}/traffic", b.addTraffic),
		get(packagesPath+"/{package}/upgrade/{size}", b.upgradePackagePage),
		post(packagesPath+"/{package}/upgrade/{size}", b.upgradePackage),
	}
}

// Packages is the list of annual packages, and what is sold.
type Packages struct {
	Frame    web.Frame
	Currency money.Currency
	Sold     bool // in the account's currency
	Rows     []PackageRow
	Sizes    []catalog.AnnualPackage
	Items    []string // that a package has a quota for, in catalogue order
	Days     int64    // of the list price
}

// PackageRow is a package on the day that it is at its site.
type PackageRow struct {
	prepaid.Package
	Today period.Day
}

// State is where the package is in its time.
func (p PackageRow) State() prepaid.State { return p.StateOn(p.Today) }

// DaysLeft counts them, today included.
func (p PackageRow) DaysLeft() int { return max(0, p.Last.Sub(p.Today)+1) }

func (b *Console) packagesPage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	a := payer(ctx)
	page := Packages{Currency: a.Currency}
	v, err := b.versionToday(a.Currency)
	if err != nil {
		return err
	}
	if page.Sold = v.AnnualPackages.Sells(a.Currency); page.Sold {
		page.Sizes, page.Items, page.Days = v.AnnualPackages.Packages, packageItems(v), v.AnnualPackages.ListPriceDays
	}
	err = b.Store.Read(ctx, func(tx *store.Tx) error {
		list, err := tx.PackagesOf(ctx, a.ID, packagesShown)
		for _, p := range list {
			row, err := b.packageRow(p)
			if err != nil {
				return err
			}
			page.Rows = append(page.Rows, row)
		}
		return err
	})
	if err != nil {
		return err
	}
	page.Frame = b.frame(r, web.T(ctx, "bc.nav.packages"), "packages")
	return web.Render(w, r, http.StatusOK, packagesPage(page))
}

func (b *Console) packageRow(p prepaid.Package) (PackageRow, error) {
	s, err := site.Find(p.Site)
	return PackageRow{p, period.DayOf(b.Now(), s.Zone)}, err
}

// versionToday is the catalogue as it holds today in the account's zone.
func (b *Console) versionToday(c money.Currency) (*catalog.Version, error) {
	return b.Catalog.At(period.DayOf(b.Now(), zoneOf(c)))
}

// packageItems are those that packages have quotas for, in catalogue order.
func packageItems(v *catalog.Version) []string {
	var items []string
	for _, item := range v.Items {
		if slices.ContainsFunc(v.AnnualPackages.Packages, func(p catalog.AnnualPackage) bool { return p.Quotas[item.ID] > 0 }) {
			items = append(items, item.ID)
		}
	}
	return items
}

// BuyPackage is the purchase of one size.
type BuyPackage struct {
	Frame      web.Frame
	Form       *web.Form
	Order      string // the ID: a form that is sent twice buys once
	Size       catalog.AnnualPackage
	Items      []string
	Years      int
	Workspaces []Seat
	Usable     wallet.Mix
}

// Seat is a workspace that may share a package.
type Seat struct {
	Workspace workspace.Workspace
	Place     string // as typed or as it is; empty: not in the package
	Off       string // why it cannot be chosen; empty: it can
}

// payField is the input of a kind of source.
func payField(kind wallet.Payment) string { return wallet.MixField(kind) }

func placeField(workspaceID string) string { return "place_" + workspaceID }

func (b *Console) buyPackagePage(w http.ResponseWriter, r *http.Request) error {
	return b.renderBuyPackage(w, r, web.Blank(), prepaid.NewOrderID())
}

func (b *Console) renderBuyPackage(w http.ResponseWriter, r *http.Request, form *web.Form, order string) error {
	ctx := r.Context()
	a := payer(ctx)
	v, err := b.versionToday(a.Currency)
	if err != nil {
		return err
	}
	size, ok := v.AnnualPackages.Package(r.PathValue("size"))
	switch {
	case !ok:
		return prepaid.ErrUnknown
	case !v.AnnualPackages.Sells(a.Currency):
		return prepaid.ErrCurrency
	}
	page := BuyPackage{Form: form, Order: order, Size: size, Items: packageItems(v), Years: v.AnnualPackages.ValidYears}
	err = b.Store.Read(ctx, func(tx *store.Tx) (err error) {
		if page.Usable, err = wallet.Spendable(ctx, tx, a.ID, a.Currency, b.Now()); err != nil {
			return err
		}
		page.Workspaces, err = b.seats(ctx, tx, a, form, "", "")
		return err
	})
	if err != nil {
		return err
	}
	if !form.Values.Has(payField(wallet.ByCash)) {
		prefill(form, size.Price, page.Usable)
	}
	page.Frame = b.frame(r, web.T(ctx, "package.buy.title", "name", sizeName(ctx, size.ID)), "packages")
	return web.Render(w, r, form.Status(), buyPackagePage(page))
}

// prefill proposes cash, as far as it goes.
func prefill(form *web.Form, price money.Amount, usable wallet.Mix) {
	form.Values.Set(payField(wallet.ByCash), money.Of(min(price.Minor(), max(0, usable[wallet.ByCash].Minor())), price.Currency()).String())
}

// seats lists the workspaces of the account that may share a package, and says
// why others may not. packageID is the one that they may be in already.
func (b *Console) seats(ctx context.Context, tx *store.Tx, a account.Billing, form *web.Form, at site.ID, packageID string) ([]Seat, error) {
	list, err := tx.WorkspacesPaidBy(ctx, a.ID)
	if err != nil {
		return nil, err
	}
	var seats []Seat
	for _, w := range list {
		if at != "" && w.Site != at {
			continue
		}
		seat := Seat{Workspace: w, Place: strings.TrimSpace(form.Text(placeField(w.ID)))}
		s, err := site.Find(w.Site)
		if err != nil {
			return nil, err
		}
		today := period.DayOf(b.Now(), s.Zone)
		others, err := tx.SeatsOf(ctx, w.ID, today.Add(1))
		if err != nil {
			return nil, err
		}
		switch {
		case w.Settlement != site.BillingCenter:
			seat.Off = "settlement"
		case slices.ContainsFunc(others, func(id string) bool { return id != packageID }):
			seat.Off = "taken"
		}
		seats = append(seats, seat)
	}
	return seats, nil
}

// order reads the places that were typed: the workspaces in their order.
func placed(form *web.Form) ([]string, error) {
	type place struct {
		id string
		n  int
	}
	var places []place
	for field, values := range form.Values {
		id, ok := strings.CutPrefix(field, "place_")
		text := strings.TrimSpace(strings.Join(values, ""))
		if !ok || text == "" {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > prepaid.MostWorkspaces {
			return nil, ErrPlace.On(field)
		}
		places = append(places, place{id, n})
	}
	slices.SortFunc(places, func(a, b place) int { return cmp.Or(cmp.Compare(a.n, b.n), cmp.Compare(a.id, b.id)) })
	ids := make([]string, len(places))
	for i, p := range places {
		ids[i] = p.id
	}
	return ids, nil
}

// mixOf reads how the price is paid. An empty field pays nothing.
func mixOf(form *web.Form, c money.Currency) (wallet.Mix, error) {
	mix := wallet.Mix{}
	var wrong fault.Fields
	for _, kind := range wallet.Choosable() {
		text := strings.TrimSpace(form.Text(payField(kind)))
		if text == "" {
			continue
		}
		amount, err := money.Parse(text, c)
		if err != nil {
			wrong = append(wrong, fault.From(err).On(payField(kind)))
			continue
		}
		mix[kind] = amount
	}
	return mix, wrong.OrNil()
}

func (b *Console) buyPackage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	a := payer(ctx)
	o := prepaid.Order{ID: form.Text("order"), Payer: a.ID, Size: r.PathValue("size")}
	err = b.readOrder(form, a, &o)
	if err == nil {
		err = b.Store.Write(ctx, func(tx *store.Tx) error {
			_, _, err := prepaid.Buy(ctx, tx, b.Catalog, o, actorOf(r), b.Now())
			return err
		})
	}
	if form.Refused(err) {
		return b.renderBuyPackage(w, r, form, o.ID)
	}
	if err != nil {
		return err
	}
	b.say(ctx, "package.bought")
	return web.SeeOther(w, r, packagesPath+"/"+url.PathEscape(o.ID))
}

// readOrder reads workspaces, first day and payment; everything that is wrong
// is named at once.
func (b *Console) readOrder(form *web.Form, a account.Billing, o *prepaid.Order) error {
	var wrong fault.Fields
	keep := func(err error) error {
		var list fault.Fields
		var one *fault.Error
		switch {
		case errors.As(err, &list):
			wrong = append(wrong, list...)
		case errors.As(err, &one):
			wrong = append(wrong, one)
		default:
			return err
		}
		return nil
	}
	var err error
	if o.Workspaces, err = placed(form); err != nil {
		if err := keep(err); err != nil {
			return err
		}
	}
	if text := strings.TrimSpace(form.Text("starts")); text != "" {
		if o.Starts, err = period.ParseDay(text); err != nil {
			wrong = append(wrong, fault.From(err).On("starts"))
		}
	}
	if o.Mix, err = mixOf(form, a.Currency); err != nil {
		if err := keep(err); err != nil {
			return err
		}
	}
	return wrong.OrNil()
}

func actorOf(r *http.Request) prepaid.Actor {
	return prepaid.Actor{AccountID: payer(r.Context()).ID, Address: web.Address(r)}
}
