package client

import (
	"context"
	"net/http"
	"net/url"
)

// Package is an annual package that was bought.
type Package struct {
	ID         string           `json:"id"`
	Size       string           `json:"size"`
	Site       string           `json:"site"`
	First      string           `json:"first"`
	Last       string           `json:"last"`
	Price      Amount           `json:"price"`
	From       string           `json:"from"` // since when, or from when on, workspaces and quotas hold as they stand here
	Workspaces []string         `json:"workspaces"`
	Quotas     map[string]int64 `json:"quotas"` // a day, by item, without traffic packages
	Traffic    []TrafficPackage `json:"traffic"`
}

// TrafficPackage is daily capacity that was added to a package.
type TrafficPackage struct {
	ID       string `json:"id"`
	Item     string `json:"item"`
	Capacity int64  `json:"capacity"`
	Discount string `json:"discount"`
	DayPrice Amount `json:"day_price"`
	First    string `json:"first"`
}

// Mix is how a price is paid: decimals that sum to it. What is empty pays
// nothing.
type Mix struct {
	Voucher       string `json:"voucher,omitempty"`
	FullReduction string `json:"full_reduction,omitempty"`
	Card          string `json:"card,omitempty"`
	Cash          string `json:"cash,omitempty"`
}

// PackageOrder is a package to be bought, for workspaces in the order in which
// they share it. It begins today, or on the day of Starts.
type PackageOrder struct {
	Size       string   `json:"size"`
	Workspaces []string `json:"workspaces"`
	Starts     string   `json:"starts,omitempty"`
	PaidBy     Mix      `json:"paid_by"`
}

// TrafficOrder is daily capacity to be added to a package.
type TrafficOrder struct {
	Item     string `json:"item"`
	Capacity int64  `json:"capacity"`
}

// PackageUpgrade is the larger size of a package.
type PackageUpgrade struct {
	Size   string `json:"size"`
	PaidBy Mix    `json:"paid_by"`
}

// PackageUse is what a package has covered today so far.
type PackageUse struct {
	Day   string            `json:"day"`
	Items []PackageItemsUse `json:"items"`
}

// PackageItemsUse is the part of one item: decimals.
type PackageItemsUse struct {
	Item      string `json:"item"`
	Quota     string `json:"quota"`
	Converted string `json:"converted"`
	Covered   string `json:"covered"`
	Left      string `json:"left"`
	Excess    string `json:"excess"`
}

// TrafficDiscount is the factor on the price of traffic packages of an item.
type TrafficDiscount struct {
	Item     string `json:"item"`
	Discount string `json:"discount"`
}

func inPackage(id string, more string) string {
	return "/billing-center/packages/" + url.PathEscape(id) + more
}

// Packages lists the account's annual packages, the newest first.
func (b *BillingCenter) Packages(ctx context.Context, p Page) (List[Package], error) {
	return ask[List[Package]](ctx, b.door, request{method: http.MethodGet, path: "/billing-center/packages", query: p.query()})
}

// Package shows one.
func (b *BillingCenter) Package(ctx context.Context, id string) (Package, error) {
	return ask[Package](ctx, b.door, request{method: http.MethodGet, path: inPackage(id, "")})
}

// BuyPackage buys one.
func (b *BillingCenter) BuyPackage(ctx context.Context, k Key, o PackageOrder) (Package, error) {
	return ask[Package](ctx, b.door, request{method: http.MethodPost, path: "/billing-center/packages", key: k, body: o})
}

// PackageUse shows what a package has covered today.
func (b *BillingCenter) PackageUse(ctx context.Context, id string) (PackageUse, error) {
	return ask[PackageUse](ctx, b.door, request{method: http.MethodGet, path: inPackage(id, "/use")})
}

// ArrangePackage says which workspaces share a package from the next day of
// its site on, and in which order.
func (b *BillingCenter) ArrangePackage(ctx context.Context, id string, workspaces []string) (Package, error) {
	body := map[string][]string{"workspaces": append([]string{}, workspaces...)}
	return ask[Package](ctx, b.door, request{method: http.MethodPut, path: inPackage(id, "/workspaces"), body: body})
}

// AddTraffic adds daily capacity to a package.
func (b *BillingCenter) AddTraffic(ctx context.Context, k Key, id string, o TrafficOrder) (TrafficPackage, error) {
	return ask[TrafficPackage](ctx, b.door, request{method: http.MethodPost, path: inPackage(id, "/traffic"), key: k, body: o})
}

// UpgradePackage makes a package a larger one from the next day on.
func (b *BillingCenter) UpgradePackage(ctx context.Context, k Key, id string, u PackageUpgrade) (Package, error) {
	return ask[Package](ctx, b.door, request{method: http.MethodPost, path: inPackage(id, "/upgrade"), key: k, body: u})
}

// GrantTrafficDiscount grants an account a discount on traffic packages of an
// item; those that were bought keep their price.
func (o *Operator) GrantTrafficDiscount(ctx context.Context, account, item, factor string) (TrafficDiscount, error) {
	path := "/operator/accounts/" + url.PathEscape(account) + "/traffic-discounts/" + url.PathEscape(item)
	return ask[TrafficDiscount](ctx, o.door, request{method: http.MethodPut, path: path, body: map[string]string{"discount": factor}})
}
