package billingcenter

import (
	"context"
	"net/url"

	"github.com/a-h/templ"

	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/prepaid"
	"tollgate.dev/internal/quantity"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/web"
)

func starter() (*catalog.Version, prepaid.Package) {
	v, err := catalog.Default().At(period.MustParseDay("2026-03-12"))
	if err != nil {
		panic(err)
	}
	size, _ := v.AnnualPackages.Package("starter")
	p := prepaid.Package{
		ID: "pkge_5f2m8c1q7x4v0b9n6z3k2a7s4d1g8h0j", Payer: acme.ID, Site: "cn1", Catalog: v.ID, First: period.MustParseDay("2026-03-01"), Last: period.MustParseDay("2027-02-28"),
		BoughtAt: noon.AddDate(0, 0, -11),
	}
	p.Terms = []prepaid.Term{{First: p.First, Last: p.Last, Size: size.ID, Price: size.Price, Quotas: size.Quotas, Workspaces: []string{shop.ID, payments2.ID}}}
	traffic, err := prepaid.PriceTraffic(v, "logs", 30_000_000, quantity.MustParse("0.8"))
	if err != nil {
		panic(err)
	}
	traffic.ID, traffic.First = "trfp_1", p.First.Add(3)
	p.Traffic = []prepaid.Traffic{traffic}
	return v, p
}

func useOf(item string, quota, first, second int64) bill.PackageUse {
	of := quantity.Of
	u := bill.PackageUse{Item: item, Quota: of(quota), Converted: of(first + second), Covered: of(min(quota, first+second))}
	u.Left, u.Excess = of(quota-min(quota, first+second)), of(max(0, first+second-quota))
	u.Parts = []bill.PackagePart{
		{WorkspaceID: shop.ID, Converted: of(first), Covered: of(min(quota, first)), Excess: of(max(0, first-quota))},
		{WorkspaceID: payments2.ID, Converted: of(second), Covered: of(min(quota-min(quota, first), second)), Excess: of(second - min(quota-min(quota, first), second))},
	}
	return u
}

func packageView(ctx context.Context, form *web.Form) PackageView {
	v, p := starter()
	today := period.MustParseDay("2026-03-12")
	other := payments2
	other.Site = "cn1"
	of := quantity.Of
	view := PackageView{
		Frame: frame(ctx, "Start-up acceleration", "packages"), Form: form, Package: PackageRow{p, today}, Names: map[string]string{shop.ID: shop.Name, other.ID: other.Name},
		Use:   []bill.PackageUse{useOf("logs", 70_000_000, 31_400_000, 12_000_000), useOf("apm_trace", 5_000_000, 4_700_000, 900_000), useOf("task_call", 190_000, 0, 0)},
		Seats: []Seat{{Workspace: shop, Place: "1"}, {Workspace: other, Place: "2"}}, Steps: p.Steps(v, today), Discount: map[string]quantity.Decimal{"logs": quantity.MustParse("0.8")},
		Order: "trfp_2", Sold: v.TrafficPackages.Packages[:2],
	}
	for i := range 5 {
		view.Lately = append(view.Lately, PackageDay{Day: today.Add(-1 - i), Billed: 2, Items: map[string]Covered{
			"logs": {of(43_000_000), of(0), of(70_000_000)}, "apm_trace": {of(5_000_000), of(int64(i) * 120_000), of(5_000_000)},
		}})
	}
	paid := func(kind wallet.Payment, amount string) wallet.Part {
		return wallet.Part{Payment: kind, Amount: cny(amount)}
	}
	t := p.Traffic[0]
	view.Charges = []prepaid.Charge{
		{Kind: prepaid.Daily, Day: today.Add(-1), Total: cny("36"), Lines: []prepaid.ChargeLine{{
			Item: "logs", Traffic: t.ID, Capacity: t.Capacity, Units: t.Units, UnitPrice: t.UnitPrice, Discount: t.Discount, Exact: t.Exact, Amount: t.Price, Paid: []wallet.Part{paid(wallet.ByCash, "36")},
		}}},
		{Kind: prepaid.Bought, Day: p.First, Total: cny("42000"), Lines: []prepaid.ChargeLine{{Item: "starter", Amount: cny("42000"), Paid: []wallet.Part{paid(wallet.ByVoucher, "1500"), paid(wallet.ByCash, "40500")}}}},
	}
	return view
}

func packages1() map[string]page {
	usable := wallet.Mix{wallet.ByCash: cny("40500"), wallet.ByCard: cny("10000"), wallet.ByVoucher: cny("1500"), wallet.ByFullReduction: cny("0")}
	buy := func(ctx context.Context, form *web.Form) BuyPackage {
		v, _ := starter()
		size, _ := v.AnnualPackages.Package("starter")
		other := payments2
		other.ID = "wksp_other"
		return BuyPackage{Frame: frame(ctx, "Buy", "packages"), Form: form, Order: "pkge_1", Size: size, Items: packageItems(v), Years: 1, Usable: usable,
			Workspaces: []Seat{{Workspace: shop, Place: form.Text(placeField(shop.ID))}, {Workspace: payments2}, {Workspace: other, Off: "taken"}}}
	}
	list := func(ctx context.Context) Packages {
		v, _ := starter()
		return Packages{Frame: frame(ctx, "Packages", "packages"), Currency: money.CNY, Sold: true, Sizes: v.AnnualPackages.Packages, Items: packageItems(v), Days: 372}
	}
	return map[string]page{
		"packages/none": func(ctx context.Context) templ.Component { return packagesPage(list(ctx)) },
		"packages/some": func(ctx context.Context) templ.Component {
			p := list(ctx)
			_, of := starter()
			ended := of
			ended.ID = "pkge_0"
			p.Rows = []PackageRow{{of, period.MustParseDay("2026-03-12")}, {ended, period.MustParseDay("2027-03-12")}}
			return packagesPage(p)
		},
		"packages/dollars": func(ctx context.Context) templ.Component {
			return packagesPage(Packages{Frame: frame(ctx, "Packages", "packages"), Currency: money.USD})
		},
		"packages/buy": func(ctx context.Context) templ.Component {
			return buyPackagePage(buy(ctx, web.Blank(placeField(shop.ID), "1", payField(wallet.ByCash), "40500.00", payField(wallet.ByVoucher), "1500.00")))
		},
		"packages/buy-refused": func(ctx context.Context) templ.Component {
			form := &web.Form{Values: url.Values{}}
			form.Values.Set(payField(wallet.ByCash), "41000")
			form.Values.Set(placeField(payments2.ID), "first")
			return buyPackagePage(buy(ctx, refused(form, ErrPlace.On(placeField(payments2.ID)), prepaid.ErrNoWorkspaces.On("workspaces"),
				wallet.ErrMixShort.On(payField(wallet.ByCash)), wallet.ErrMixSum.On("pay"))))
		},
		"packages/one": func(ctx context.Context) templ.Component { return packagePage(packageView(ctx, web.Blank())) },
		"packages/one-refused": func(ctx context.Context) templ.Component {
			return packagePage(packageView(ctx, refused(web.Blank("item", "logs", "capacity", "1500000"), prepaid.ErrCapacity.On("capacity"))))
		},
		"packages/upgrade": func(ctx context.Context) templ.Component {
			view := packageView(ctx, web.Blank())
			v, _ := starter()
			return upgradePackagePage(UpgradePackage{Frame: frame(ctx, "Upgrade", "packages"), Form: web.Blank(payField(wallet.ByCash), "40500.00"), Package: view.Package, Step: view.Steps[0], Items: packageItems(v), Usable: usable})
		},
	}
}
