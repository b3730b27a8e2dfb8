package api

import (
	"errors"
	"net/http"
	"strings"

	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/prepaid"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/wallet"
)

// packages are the annual packages of a Billing Center account, and the
// discounts that the operator grants.
func (s *server) packages() []route {
	const all, one = "/billing-center/packages", "/billing-center/packages/{package_id}"
	return []route{
		reads(line(get, all, BillingCenter, "", "list-packages", "Annual packages, the newest first"), listPackages),
		once(line(post, all, BillingCenter, "", "buy-package", "Buy a package with any mix of cash, cards and vouchers"), created, s.buyPackage),
		reads(line(get, one, BillingCenter, "", "show-package", "A package"), showPackage),
		reads(line(get, one+"/use", BillingCenter, "", "show-package-use", "What it has covered today, item by item"), s.showPackageUse),
		writes(line(put, one+"/workspaces", BillingCenter, "", "arrange-package", "Say who shares it from the next day on, and in which order"), ok, arrangePackage),
		once(line(post, one+"/traffic", BillingCenter, "", "add-traffic-package", "Add daily capacity"), created, s.addTraffic),
		once(line(post, one+"/upgrade", BillingCenter, "", "upgrade-package", "Make it a larger one from the next day on"), http.StatusOK, s.upgradePackage),
		writes(line(put, "/operator/accounts/{account_id}/traffic-discounts/{item}", Operator, "", "grant-traffic-discount", "Grant an account a discount on traffic packages of an item"), ok, s.grantDiscount),
	}
}

// Package is an annual package that was bought.
type Package struct {
	ID         string           `json:"id"`
	Size       string           `json:"size" doc:"Of the catalogue; with an upgrade that has not begun, the larger one." example:"starter"`
	Site       string           `json:"site"`
	First      string           `json:"first" format:"date" doc:"The first service day."`
	Last       string           `json:"last" format:"date" doc:"The last one."`
	Price      Amount           `json:"price" doc:"Of the size, for the whole time."`
	From       string           `json:"from" format:"date" doc:"Since when, or from when on, workspaces and quotas hold as they stand here."`
	Workspaces []string         `json:"workspaces" nullable:"false" doc:"Their IDs, in the order in which they share."`
	Quotas     map[string]int64 `json:"quotas" doc:"A day, by item, without traffic packages."`
	Traffic    []TrafficPackage `json:"traffic" nullable:"false"`
}

// TrafficPackage is daily capacity that was added to a package.
type TrafficPackage struct {
	ID       string `json:"id"`
	Item     string `json:"item" example:"logs"`
	Capacity int64  `json:"capacity" doc:"A day."`
	Discount string `json:"discount" doc:"A decimal: the factor on the price."`
	DayPrice Amount `json:"day_price"`
	First    string `json:"first" format:"date"`
}

func trafficOf(t prepaid.Traffic) TrafficPackage {
	return TrafficPackage{t.ID, t.Item, t.Capacity, t.Discount.Plain(), amountOf(t.Price), t.First.String()}
}

func packageOf(p prepaid.Package) Package {
	t := p.Newest()
	shown := Package{
		ID: p.ID, Size: t.Size, Site: string(p.Site), First: p.First.String(), Last: p.Last.String(), Price: amountOf(t.Price),
		From: t.First.String(), Workspaces: append([]string{}, t.Workspaces...), Quotas: t.Quotas, Traffic: []TrafficPackage{},
	}
	for _, x := range p.Traffic {
		shown.Traffic = append(shown.Traffic, trafficOf(x))
	}
	return shown
}

// mostPackages bounds the packages of an account that are listed.
const mostPackages = 1000

func listPackages(c *call, in *struct{ Paged }) (*Page[Package], error) {
	list, err := c.tx.PackagesOf(c, c.AccountID, mostPackages)
	if err != nil {
		return nil, err
	}
	return pageOf(in.Paged, "packages", list, func(p prepaid.Package) string { return p.ID }, packageOf)
}

// OfPackage names a package.
type OfPackage struct {
	PackageID string `path:"package_id" maxLength:"64"`
}

// ownPackage finds one of the account; another's is as unknown as none.
func (c *call) ownPackage(id string) (prepaid.Package, error) {
	p, err := c.tx.Package(c, id)
	if err == nil && p.Payer != c.AccountID {
		return prepaid.Package{}, prepaid.ErrUnknown
	}
	return p, err
}

func showPackage(c *call, in *OfPackage) (*Package, error) {
	p, err := c.ownPackage(in.PackageID)
	if err != nil {
		return nil, err
	}
	shown := packageOf(p)
	return &shown, nil
}

// Mix is how a price is paid: decimals that sum to it. What is missing pays nothing.
type Mix struct {
	Voucher       string `json:"voucher,omitempty" maxLength:"32"`
	FullReduction string `json:"full_reduction,omitempty" maxLength:"32"`
	Card          string `json:"card,omitempty" maxLength:"32"`
	Cash          string `json:"cash,omitempty" maxLength:"32"`
}

func (m Mix) read(c money.Currency) (wallet.Mix, error) {
	mix := wallet.Mix{}
	for kind, text := range map[wallet.Payment]string{wallet.ByVoucher: m.Voucher, wallet.ByFullReduction: m.FullReduction, wallet.ByCard: m.Card, wallet.ByCash: m.Cash} {
		if text == "" {
			continue
		}
		amount, err := money.Parse(text, c)
		if err != nil {
			return nil, fault.From(err).On("paid_by." + string(kind))
		}
		mix[kind] = amount
	}
	return mix, nil
}

// paidBy names the fields of a mix as the body has them.
func paidBy(err error) error {
	var list fault.Fields
	var one *fault.Error
	switch {
	case errors.As(err, &list):
	case errors.As(err, &one):
		list = fault.Fields{one}
	default:
		return err
	}
	named := make(fault.Fields, len(list))
	for i, f := range list {
		kind, is := strings.CutPrefix(f.Field, "pay_")
		switch {
		case is:
			f = f.On("paid_by." + kind)
		case f.Field == "pay":
			f = f.On("paid_by")
		}
		named[i] = f
	}
	if len(named) == 1 {
		return named[0]
	}
	return named
}

func (c *call) buyer() prepaid.Actor {
	return prepaid.Actor{AccountID: c.AccountID, Address: c.Address}
}

// packageOrder is a package to be bought.
type packageOrder struct {
	Keyed
	Body struct {
		Size       string   `json:"size" maxLength:"64" example:"starter"`
		Workspaces []string `json:"workspaces" minItems:"1" maxItems:"100" nullable:"false" doc:"In the order in which they share. All are on one site."`
		Starts     string   `json:"starts,omitempty" maxLength:"10" doc:"The first day, at most 60 days ahead; today where nothing is said."`
		PaidBy     Mix      `json:"paid_by"`
	}
}

func (s *server) buyPackage(c *call, in *packageOrder) (*Package, error) {
	o := prepaid.Order{ID: prepaid.NewOrderID(), Payer: c.AccountID, Size: in.Body.Size, Workspaces: in.Body.Workspaces}
	var err error
	if in.Body.Starts != "" {
		if o.Starts, err = period.ParseDay(in.Body.Starts); err != nil {
			return nil, fault.From(err).On("starts")
		}
	}
	if o.Mix, err = in.Body.PaidBy.read(c.Billing.Currency); err != nil {
		return nil, err
	}
	p, _, err := prepaid.Buy(c, c.tx, s.Catalog, o, c.buyer(), c.at)
	if err != nil {
		return nil, paidBy(err)
	}
	shown := packageOf(p)
	return &shown, nil
}

// arrangement is who shares a package.
type arrangement struct {
	OfPackage
	Body struct {
		Workspaces []string `json:"workspaces" maxItems:"100" nullable:"false" doc:"The whole list, in the order in which they share; it may be empty."`
	}
}

func arrangePackage(c *call, in *arrangement) (*Package, error) {
	p, err := prepaid.Arrange(c, c.tx, c.AccountID, in.PackageID, in.Body.Workspaces, c.buyer(), c.at)
	if err != nil {
		return nil, err
	}
	shown := packageOf(p)
	return &shown, nil
}

// trafficOrder is capacity to be added.
type trafficOrder struct {
	Keyed
	OfPackage
	Body struct {
		Item     string `json:"item" maxLength:"64" example:"logs"`
		Capacity int64  `json:"capacity" doc:"A day: a multiple of the base of the item." example:"30000000"`
	}
}

func (s *server) addTraffic(c *call, in *trafficOrder) (*TrafficPackage, error) {
	o := prepaid.TrafficOrder{ID: prepaid.NewTrafficID(), Payer: c.AccountID, Package: in.PackageID, Item: in.Body.Item, Capacity: in.Body.Capacity}
	_, t, err := prepaid.AddTraffic(c, c.tx, s.Catalog, o, c.buyer(), c.at)
	if err != nil {
		return nil, err
	}
	shown := trafficOf(t)
	return &shown, nil
}

// packageUpgrade is a larger size.
type packageUpgrade struct {
	Keyed
	OfPackage
	Body struct {
		Size   string `json:"size" maxLength:"64" example:"growth"`
		PaidBy Mix    `json:"paid_by" doc:"Sums to the difference of the two prices for the days that are left."`
	}
}

func (s *server) upgradePackage(c *call, in *packageUpgrade) (*Package, error) {
	mix, err := in.Body.PaidBy.read(c.Billing.Currency)
	if err != nil {
		return nil, err
	}
	p, _, err := prepaid.Upgrade(c, c.tx, s.Catalog, c.AccountID, in.PackageID, in.Body.Size, mix, c.buyer(), c.at)
	if err != nil {
		return nil, paidBy(err)
	}
	shown := packageOf(p)
	return &shown, nil
}

// PackageUse is what a package has covered today so far, by the rule of the bill.
type PackageUse struct {
	Day   string            `json:"day" format:"date" doc:"Of the site."`
	Items []PackageItemsUse `json:"items" nullable:"false" doc:"Empty on a day on which the package does not hold."`
}

// PackageItemsUse is the part of one item: decimals.
type PackageItemsUse struct {
	Item      string `json:"item" example:"logs"`
	Quota     string `json:"quota" doc:"Traffic packages included."`
	Converted string `json:"converted" doc:"What all workspaces used, each class times its factor."`
	Covered   string `json:"covered"`
	Left      string `json:"left"`
	Excess    string `json:"excess"`
}

func (s *server) showPackageUse(c *call, in *OfPackage) (*PackageUse, error) {
	p, err := c.ownPackage(in.PackageID)
	if err != nil {
		return nil, err
	}
	at, err := site.Find(p.Site)
	if err != nil {
		return nil, err
	}
	today := period.DayOf(c.at, at.Zone)
	shown := &PackageUse{Day: today.String(), Items: []PackageItemsUse{}}
	cover, holds := p.CoverOn(today)
	if !holds {
		return shown, nil
	}
	v, err := s.Catalog.At(today)
	if err != nil {
		return nil, err
	}
	uses, err := bill.UseOf(c, c.tx, v, catalog.Market{Currency: c.Billing.Currency, Group: at.Group}, at, cover, today)
	for _, u := range uses {
		shown.Items = append(shown.Items, PackageItemsUse{u.Item, u.Quota.Plain(), u.Converted.Plain(), u.Covered.Plain(), u.Left.Plain(), u.Excess.Plain()})
	}
	return shown, err
}

// discount is what the operator grants.
type discount struct {
	AccountID string `path:"account_id" maxLength:"64"`
	Item      string `path:"item" maxLength:"64"`
	Body      struct {
		Discount string `json:"discount" maxLength:"16" doc:"A decimal above 0 and at most 1: 0.8 is a fifth off." example:"0.8"`
	}
}

// TrafficDiscount is the factor on the price of traffic packages of an item.
type TrafficDiscount struct {
	Item     string `json:"item"`
	Discount string `json:"discount"`
}

func (s *server) grantDiscount(c *call, in *discount) (*TrafficDiscount, error) {
	d, err := prepaid.ParseDiscount(in.Body.Discount)
	if err != nil {
		return nil, prepaid.ErrDiscount.On("discount")
	}
	if err := prepaid.Grant(c, c.tx, s.Catalog, in.AccountID, in.Item, d, c.buyer(), c.at); err != nil {
		return nil, err
	}
	return &TrafficDiscount{in.Item, d.Plain()}, nil
}
