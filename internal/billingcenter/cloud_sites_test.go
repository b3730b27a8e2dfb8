package billingcenter

import (
	"context"
	"net/http"
	"testing"

	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
)

// TestARegisteredAccountSettlesWorkspacesAcrossSites walks every page from
// which a workspace can be given to an account of a cloud: the arrival from its
// marketplace, the account's own page, and the workspace's dialog (domain
// section 3: one cloud account may settle workspaces of several sites).
func TestARegisteredAccountSettlesWorkspacesAcrossSites(t *testing.T) {
	t.Parallel()
	h, _ := fair(t, &stall{method: site.AWS, way: marketplace.ByToken, currency: money.USD})
	a := h.payer("acme", money.USD)
	oregon, frankfurt := h.paidFor(a, "oregon", "us1"), h.paidFor(a, "frankfurt", "eu1")
	singapore, portland, hongkong := h.paidFor(a, "singapore", "ap1"), h.paidFor(a, "portland", "us1"), h.paidFor(a, "hongkong", "cn6")
	v := h.signedIn(a)

	v.get(http.StatusOK, "/clouds/enter?ticket="+h.landed(site.AWS, "l-1", false, true, "")).at("/clouds/arrival")
	one := v.post(http.StatusOK, "/clouds/arrival", tickOf(oregon.ID), "yes", tickOf(frankfurt.ID), "yes")
	one.says("The cloud account is registered.")
	h.isSettledBy(oregon, site.AWS)
	h.isSettledBy(frankfurt, site.AWS)

	href, _ := v.get(http.StatusOK, "/clouds").Find("tbody a").First().Attr("href")
	path := href[len(Prefix):]
	page := v.get(http.StatusOK, path)
	page.says("singapore")
	page.says("This site does not offer this settlement method.") // of Hong Kong
	v.post(http.StatusUnprocessableEntity, path+"/workspaces", tickOf(hongkong.ID), "yes").refused("settlement_not_allowed", "")
	v.post(http.StatusOK, path+"/workspaces", tickOf(singapore.ID), "yes").at(path)
	h.isSettledBy(singapore, site.AWS)
	h.isSettledBy(hongkong, site.BillingCenter)

	dialog := "/workspaces/" + portland.ID + "/settlement/aws"
	subscription, _ := v.get(http.StatusOK, dialog).Find("input[name=subscription]").Attr("value")
	v.post(http.StatusNotFound, dialog+"/registered", "subscription", "subs_of_nobody").refused("subscription_unknown", "subscription")
	v.post(http.StatusOK, dialog+"/registered", "subscription", subscription).at("/workspaces")
	h.isSettledBy(portland, site.AWS)

	list := v.get(http.StatusOK, "/clouds")
	for _, name := range []string{"oregon", "frankfurt", "singapore", "portland"} {
		list.says(name)
	}
	var settles []string
	h.write(func(ctx context.Context, tx *store.Tx) (err error) {
		settles, err = tx.SettledBy(ctx, subscription)
		return err
	})
	if len(settles) != 4 {
		t.Errorf("the account settles %v", settles)
	}
}
