package billingcenter

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/prepaid"
	"tollgate.dev/internal/quantity"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/wallet"
)

// cash credits a payer.
func (h *house) cash(payer, amount string) {
	h.t.Helper()
	h.write(func(ctx context.Context, tx *store.Tx) error {
		in := wallet.Incoming{Key: "test:" + payer + amount, Cause: "test:" + payer + amount, Payer: payer, From: wallet.Bank(money.CNY), Amount: cny(amount)}
		_, err := wallet.Take(ctx, tx, in, h.clock.Now())
		return err
	})
}

// TestAPackageIsBoughtSharedAndEnlarged walks the pages, without script.
func TestAPackageIsBoughtSharedAndEnlarged(t *testing.T) {
	t.Parallel()
	h := open(t)
	a := h.payer("acme", money.CNY)
	shop, other := h.paidFor(a, "shop", "cn1"), h.paidFor(a, "other", "cn1")
	away := h.paidFor(a, "away", "cn4")
	h.cash(a.ID, "45000")
	v := h.signedIn(a)
	v.get(http.StatusOK, "/packages").says("No package yet")
	page := v.get(http.StatusOK, "/buy-package/starter")
	order, _ := page.Find("input[name=order]").Attr("value")
	if filled, _ := page.Find("input[name='pay_cash']").Attr("value"); filled != "42000.00" {
		t.Errorf("%q of cash is proposed", filled)
	}
	v.get(http.StatusNotFound, "/buy-package/unlimited")

	v.post(http.StatusUnprocessableEntity, "/buy-package/starter", "order", order, "pay_cash", "42000").refused("package_workspaces_missing", "workspaces")
	v.post(http.StatusUnprocessableEntity, "/buy-package/starter", "order", order, "place_"+shop.ID, "x", "pay_cash", "42000").refused("package_place", "place_"+shop.ID)
	v.post(http.StatusUnprocessableEntity, "/buy-package/starter", "order", order, "place_"+shop.ID, "1", "pay_cash", "41999.99").refused("payment_does_not_sum", "pay")
	v.post(http.StatusConflict, "/buy-package/starter", "order", order, "place_"+shop.ID, "1", "pay_cash", "32000", "pay_card", "10000").refused("payment_short", "pay_card")
	v.post(http.StatusUnprocessableEntity, "/buy-package/starter", "order", order, "place_"+shop.ID, "1", "pay_cash", "42000", "starts", "tomorrow").refused("malformed_date", "starts")
	v.post(http.StatusConflict, "/buy-package/starter", "order", order, "place_"+shop.ID, "1", "place_"+away.ID, "2", "pay_cash", "42000").refused("package_other_site", "workspaces")

	one := "/packages/" + order
	for range 2 { // a double click
		v.post(http.StatusOK, "/buy-package/starter", "order", order, "place_"+shop.ID, "2", "place_"+other.ID, "1", "pay_cash", "42000").at(one).says("Start-up acceleration")
	}
	moved := v.get(http.StatusOK, "/movements")
	moved.says("42,000.00")
	moved.says("Package Start-up acceleration")
	h.write(func(ctx context.Context, tx *store.Tx) error {
		p, err := tx.Package(ctx, order)
		if got := strings.Join(p.Newest().Workspaces, " "); err != nil || got != other.ID+" "+shop.ID {
			t.Errorf("the order is %s, %v", got, err)
		}
		has, err := wallet.BalancesOf(ctx, tx, a.ID, money.CNY)
		if has.Cash != cny("3000") {
			t.Errorf("%s are left", has.Cash)
		}
		return err
	})

	v.post(http.StatusOK, one+"/workspaces", "place_"+shop.ID, "1").at(one).says("As it holds from")
	v.post(http.StatusConflict, one+"/workspaces", "place_"+shop.ID, "1", "place_"+away.ID, "2").refused("package_other_site", "workspaces")
	traffic, _ := v.get(http.StatusOK, one).Find("form[action$='/traffic'] input[name=order]").Attr("value")
	v.post(http.StatusUnprocessableEntity, one+"/traffic", "order", traffic, "item", "logs", "capacity", "1500000").refused("traffic_capacity", "capacity")
	h.write(func(ctx context.Context, tx *store.Tx) error {
		return prepaid.Grant(ctx, tx, catalog.Default(), a.ID, "logs", quantity.MustParse("0.8"), prepaid.Actor{AccountID: "oper_1"}, h.clock.Now())
	})
	for range 2 {
		v.post(http.StatusOK, one+"/traffic", "order", traffic, "item", "logs", "capacity", "30,000,000").at(one).says("36.00")
	}
	if n := v.get(http.StatusOK, one).Find("td:contains('36.00')").Length(); n != 1 {
		t.Errorf("there are %d traffic packages", n)
	}

	v.post(http.StatusUnprocessableEntity, one+"/upgrade/growth", "pay_cash", "1").refused("payment_does_not_sum", "pay")
	v.get(http.StatusConflict, one+"/upgrade/starter").refused("package_upgrade_impossible", "")
	h.cash(a.ID, "240000")
	price, _ := v.get(http.StatusOK, one+"/upgrade/growth").Find("[data-price]").Attr("data-price")
	v.post(http.StatusOK, one+"/upgrade/growth", "pay_cash", price).at(one).says("Business development")

	stranger := h.signedIn(h.payer("stranger", money.CNY))
	stranger.get(http.StatusNotFound, one)
	stranger.post(http.StatusNotFound, one+"/workspaces", "place_"+shop.ID, "1").refused("package_unknown", "")
	stranger.post(http.StatusNotFound, one+"/traffic", "order", prepaid.NewTrafficID(), "item", "logs", "capacity", "1000000")
	stranger.post(http.StatusNotFound, one+"/upgrade/enterprise", "pay_cash", "1")
	h.signedIn(h.payer("dollars", money.USD)).get(http.StatusOK, "/packages").says("Packages are sold in CNY only")
}

// TestAPackagePageSaysWhatIsLeft holds the page of today's use against the bill.
func TestAPackagePageSaysWhatIsLeft(t *testing.T) {
	t.Parallel()
	h := open(t)
	a := h.payer("acme", money.CNY)
	shop := h.paidFor(a, "shop", "cn1")
	h.cash(a.ID, "42000")
	order := prepaid.NewOrderID()
	h.write(func(ctx context.Context, tx *store.Tx) error {
		o := prepaid.Order{ID: order, Payer: a.ID, Size: "starter", Workspaces: []string{shop.ID}, Mix: wallet.Mix{wallet.ByCash: cny("42000")}}
		_, _, err := prepaid.Buy(ctx, tx, catalog.Default(), o, prepaid.Actor{AccountID: a.ID}, h.clock.Now())
		return err
	})
	made := h.spent(shop, "2026-03-12", 43_000_000)
	if made.Total != cny("4.50") {
		t.Errorf("the bill comes to %s", made.Total)
	}
	v := h.signedIn(a)
	today, line := v.get(http.StatusOK, "/packages/"+order), v.get(http.StatusOK, "/bills/"+made.ID+"/lines/1")
	for _, text := range []string{"40,000,000", "3,000,000", "100 %"} {
		today.says(text)
	}
	for _, text := range []string{"Covered by the package", "Beyond the quota", "3,000,000"} {
		line.says(text)
	}
	h.clock.Advance(24 * time.Hour)
	v.get(http.StatusOK, "/packages/"+order).says("3,000,000 beyond")
}
