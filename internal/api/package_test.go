package api_test

import (
	"errors"
	"testing"

	"tollgate.dev/client"
	"tollgate.dev/internal/account"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
)

// TestAPackageIsBoughtOverTheAPI buys, adds traffic, looks at the use and reads
// the bill line, with the public client.
func TestAPackageIsBoughtOverTheAPI(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx, x := t.Context(), newTeam(t, s)
		operator := x.asOperator(x.operator())
		x.upgraded()
		declared, err := x.center.DeclareTransfer(ctx, client.NewKey(), client.Declaration{Amount: "42010.00"})
		must(t, declared, err)
		credited, err := operator.CreditTransfer(ctx, client.NewKey(), declared.ID, client.Received{})
		must(t, credited, err)
		order := client.PackageOrder{Size: "starter", Workspaces: []string{x.shop.ID}, PaidBy: client.Mix{Cash: "42000.01"}}
		_, err = x.center.BuyPackage(ctx, client.NewKey(), order)
		var problem *client.Problem
		if !errors.As(err, &problem) || problem.Code != "payment_does_not_sum" {
			t.Errorf("another sum: %v", err)
		}
		order.PaidBy.Cash = "42000"
		key := client.NewKey()
		var bought client.Package
		for range 2 { // the same key buys once
			bought, err = x.center.BuyPackage(ctx, key, order)
			if must(t, bought, err).Size != "starter" || bought.Quotas["logs"] != 40_000_000 || len(bought.Workspaces) != 1 {
				t.Errorf("bought %+v", bought)
			}
		}
		granted, err := operator.GrantTrafficDiscount(ctx, x.payer.ID, "logs", "0.8")
		if must(t, granted, err).Discount != "0.8" {
			t.Errorf("granted %+v", granted)
		}
		traffic, err := x.center.AddTraffic(ctx, client.NewKey(), bought.ID, client.TrafficOrder{Item: "logs", Capacity: 30_000_000})
		if must(t, traffic, err).DayPrice.String() != "36.00 CNY" {
			t.Errorf("traffic %+v", traffic)
		}
		x.used(1, 71_000_000)
		use, err := x.center.PackageUse(ctx, bought.ID)
		must(t, use, err)
		for _, u := range use.Items {
			if u.Item == "logs" && (u.Quota != "70000000" || u.Covered != "70000000" || u.Left != "0" || u.Excess != "1000000") {
				t.Errorf("use of logs %+v", u)
			}
		}
		x.closes()
		bills, err := x.center.Bills(ctx, client.Days{}, client.Page{})
		if len(must(t, bills, err).Items) != 1 || bills.Items[0].Total.String() != "1.50 CNY" {
			t.Fatalf("bills %+v", bills)
		}
		one, err := x.center.Bill(ctx, bills.Items[0].ID)
		if l := must(t, one, err).Lines[0]; l.Package == nil || l.Package.ID != bought.ID || l.Package.Covered != "70000000" || l.Units != "1.00" {
			t.Errorf("line %+v", l)
		}
		x.readsCharges(bought)
		has, err := x.center.Balance(ctx)
		if must(t, has, err).Owed.String() != "27.50 CNY" { // 10.00 less 1.50 and 36.00
			t.Errorf("balance %+v", has)
		}
		list, err := x.center.Packages(ctx, client.Page{})
		if len(must(t, list, err).Items) != 1 {
			t.Errorf("packages %+v", list)
		}
		arranged, err := x.center.ArrangePackage(ctx, bought.ID, nil)
		if len(must(t, arranged, err).Workspaces) != 0 {
			t.Errorf("arranged %+v", arranged)
		}
	})
}

// readsCharges reads what the package cost with keys of both kinds.
func (x *team) readsCharges(bought client.Package) {
	x.t.Helper()
	ctx := x.t.Context()
	key := x.client.Reader(x.key(account.KeyHolder{Scope: account.AccountKeys, ID: x.payer.ID}, x.payer.ID).Token)
	days := client.Days{From: "2026-01-01", To: "2026-12-31"}
	all, err := key.PackageCharges(ctx, days, client.Page{})
	if len(must(x.t, all, err).Items) != 2 {
		x.t.Fatalf("charges %+v", all)
	}
	traffic, purchase := all.Items[0], all.Items[1]
	if traffic.Kind == "package" {
		traffic, purchase = purchase, traffic
	}
	if purchase.PackageID != bought.ID || purchase.BillingCycle != "year" || purchase.Category != "package" || purchase.Payable != "42000.00" || purchase.Paid.Cash != "42000.00" || len(purchase.Lines) != 1 || purchase.Lines[0].Item != "starter" {
		x.t.Errorf("the purchase is %+v", purchase)
	}
	if l := traffic.Lines[0]; traffic.Kind != "traffic_package" || traffic.BillingCycle != "day" || traffic.Payable != "36.00" || l.Item != "logs" || l.Capacity != 30_000_000 ||
		l.Units != "30" || l.UnitPrice != "1.5" || l.Discount != "0.8" || l.Original != "45.00" || l.Payable != "36.00" || l.Paid != traffic.Paid {
		x.t.Errorf("the traffic package's day is %+v", traffic)
	}
	first, err := key.PackageCharges(ctx, days, client.Page{Limit: 1})
	if len(must(x.t, first, err).Items) != 1 || first.NextCursor == "" {
		x.t.Fatalf("the first page is %+v", first)
	}
	rest, err := key.PackageCharges(ctx, days, client.Page{Limit: 1, Cursor: first.NextCursor})
	if len(must(x.t, rest, err).Items) != 1 || rest.NextCursor != "" || rest.Items[0].ID != all.Items[1].ID {
		x.t.Errorf("the rest is %+v", rest)
	}
	_, err = key.PackageCharges(ctx, client.Days{From: "2026-03-02", To: "2026-03-01"}, client.Page{})
	refused(x.t, err, "range_reversed")
	rival := x.billing("rival", money.CNY)
	other := x.client.Reader(x.key(account.KeyHolder{Scope: account.AccountKeys, ID: rival.ID}, rival.ID).Token)
	none, err := other.PackageCharges(ctx, days, client.Page{})
	if len(must(x.t, none, err).Items) != 0 {
		x.t.Errorf("another account reads %+v", none)
	}
	_, err = other.PackageCharges(ctx, days, client.Page{Limit: 1, Cursor: first.NextCursor})
	refused(x.t, err, "cursor_invalid")
}
