package billingcenter

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"tollgate.dev/internal/arrears"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/wallet"
)

func TestAnAccountInArrearsIsToldOnEveryPageAndPaysItsWayOut(t *testing.T) {
	t.Parallel()
	h := open(t)
	a, other := h.payer("acme", money.CNY), h.payer("other", money.CNY)
	shop := h.paidFor(a, "shop", "cn1")
	h.write(func(ctx context.Context, tx *store.Tx) error {
		if _, err := wallet.OpenDebt(ctx, tx, a, money.MustParse("15", money.CNY), noon.AddDate(0, 0, -14)); err != nil {
			return err
		}
		return arrears.Advance(ctx, tx, arrears.Debt, a.ID, noon)
	})
	v := h.signedIn(a)
	for _, path := range []string{"/", "/bills", "/workspaces", "/account"} {
		page := v.get(http.StatusOK, path)
		page.says("Locked since")
		page.says("Recharge 15.00 CNY")
	}
	page := v.get(http.StatusOK, "/workspaces/"+shop.ID+"/standing")
	for _, text := range []string{"The Billing Center account owes money", "15.00 CNY", "Data is deleted on", "consents by a mailed code"} {
		page.says(text)
	}
	refused := v.post(http.StatusConflict, "/workspaces/"+shop.ID+"/unlock")
	refused.says("Recharge at least the amount that is owed")
	if to, _ := page.Find(`a[href*="recharge"]`).Last().Attr("href"); !strings.HasSuffix(to, "/recharge?amount=15.00") {
		t.Errorf("the recharge leads to %s", to)
	}
	if amount, _ := v.get(http.StatusOK, "/recharge?amount=15.00").Find("#amount").Attr("value"); amount != "15.00" {
		t.Errorf("the recharge page begins with %q", amount)
	}
	h.recharged(a, "15.00", noon)
	v.get(http.StatusOK, "/workspaces/"+shop.ID+"/standing").says("Nothing stops this workspace")
	v.post(http.StatusConflict, "/workspaces/"+shop.ID+"/unlock").says("there is nothing to unlock")
	if text := v.get(http.StatusOK, "/").Text(); strings.Contains(text, "Locked since") {
		t.Error("the banner stays")
	}
	h.signedIn(other).get(http.StatusNotFound, "/workspaces/"+shop.ID+"/standing")
	h.signedIn(other).post(http.StatusNotFound, "/workspaces/"+shop.ID+"/unlock")
}
