package operator

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/a-h/templ"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/prepaid"
	"tollgate.dev/internal/quantity"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/web/gallery"
)

func TestDiscountsGallery(t *testing.T) {
	t.Parallel()
	v, err := catalog.Default().Shipped().At(period.MustParseDay("2026-03-12"))
	if err != nil {
		t.Fatal(err)
	}
	view := func(a account.Billing, form *web.Form, list ...prepaid.Discount) page {
		return func(ctx context.Context) templ.Component {
			p := Discounts{Frame: frame(ctx, web.T(ctx, "discount.title", "account", a.UserName), "accounts"), Form: form, Account: a, Version: v}
			for _, d := range list {
				p.Rows = append(p.Rows, discountRow(v, d, "Olga Operator"))
			}
			return discountsPage(p)
		}
	}
	granted := []prepaid.Discount{
		{Item: "apm_trace", Factor: prepaid.NoDiscount, GrantedAt: noon}, {Item: "backup_logs", Factor: quantity.MustParse("0.5"), GrantedAt: noon}, {Item: "logs", Factor: quantity.MustParse("0.85"), GrantedAt: noon},
	}
	dollars := acme
	dollars.Currency = money.USD
	var states []gallery.State
	for name, p := range map[string]page{
		"discounts-empty": view(acme, web.Blank()), "discounts": view(acme, web.Blank(), granted...), "discounts-currency": view(dollars, web.Blank()),
		"discounts-wrong": view(acme, refused(web.Blank("item", "logs", "factor", "8"), prepaid.ErrDiscount.On("factor")), granted...),
	} {
		states = append(states, gallery.State{Name: "operator/" + name, Page: seenBy(account.Admin, p)})
	}
	gallery.Check(t, states)
}

func TestADiscountOnTrafficPackagesIsGrantedAndEnded(t *testing.T) {
	t.Parallel()
	h := open(t, false)
	h.signIn()
	path := "/accounts/" + h.payer.ID + "/discounts"
	h.get(http.StatusOK, path).says("No discount")
	for _, factor := range []string{"", "0", "-0.5", "1.1", "0.12345", "8e-1", "a fifth", "0,8", strings.Repeat("9", 40)} {
		page := h.post(http.StatusUnprocessableEntity, path, "item", "logs", "factor", factor)
		if page.Find("#factor-error").Text() == "" {
			t.Errorf("%q has no sentence beside it", factor)
		}
	}
	if page := h.post(http.StatusUnprocessableEntity, path, "item", "backup_logs", "factor", "0.8"); page.Find("#item-error").Text() == "" {
		t.Error("an item without traffic packages has no sentence beside it")
	}
	h.post(http.StatusNotFound, "/accounts/bcac_none/discounts", "item", "logs", "factor", "0.8").refused("account_unknown")
	if got := h.log(h.payer.ID); len(got) != 0 {
		t.Errorf("refused ones are in the log: %v", got)
	}
	page := h.post(http.StatusOK, path, "item", "logs", "factor", "0.80")
	page.says("0.8 on Logs")
	if row := squeezed(page.Find("tr[data-item=logs]").Text()); !strings.Contains(row, "holds0.8") || !strings.Contains(row, "1.2ops") {
		t.Errorf("the row says %s", row)
	}
	if got := h.factor("logs"); got.Cmp(quantity.MustParse("0.8")) != 0 {
		t.Errorf("the factor is %s", got)
	}
	h.post(http.StatusOK, path+"/logs/end").says("has ended")
	if got := h.factor("logs"); got.Cmp(prepaid.NoDiscount) != 0 {
		t.Errorf("the factor is still %s", got)
	}
	h.post(http.StatusUnprocessableEntity, path+"/nonsense/end").refused("traffic_package_unknown")
	if got := h.log(h.payer.ID); len(got) != 2 || got[0] != "package.discount_granted" {
		t.Errorf("the log says %v", got)
	}
}

// factor is the discount that the payer would have now.
func (h *house) factor(item string) (d quantity.Decimal) {
	h.t.Helper()
	h.write(func(ctx context.Context, tx *store.Tx) (err error) {
		d, err = tx.TrafficDiscount(ctx, h.payer.ID, item)
		return err
	})
	return d
}
