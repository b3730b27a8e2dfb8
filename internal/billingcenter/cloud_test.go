package billingcenter

import (
	"context"
	"net/http"
	"testing"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/workspace"
)

// stall is a marketplace that confirms what the test says.
type stall struct {
	marketplace.Cloud // what no page asks for
	method            site.Method
	way               marketplace.Way
	currency          money.Currency
	sold              map[marketplace.Claim]marketplace.Purchase
}

func (s *stall) Method() site.Method  { return s.method }
func (s *stall) Way() marketplace.Way { return s.way }
func (s *stall) Storefront() string   { return "https://market.example/" + string(s.method) }
func (s *stall) Simulated() bool      { return true }

func (s *stall) Unit(_ string, c money.Currency) (marketplace.Unit, error) {
	if c != s.currency {
		return marketplace.Unit{}, marketplace.ErrCurrency
	}
	return marketplace.Unit{Dimension: "cents", Price: money.Of(1, c)}, nil
}

func (s *stall) Verify(_ context.Context, c marketplace.Claim) (marketplace.Purchase, error) {
	p, ok := s.sold[c]
	if !ok {
		return p, marketplace.ErrClaim
	}
	if p.Product != "ours" {
		return p, marketplace.ErrOtherProduct
	}
	return p, nil
}

// fair is a console to which Alibaba and AWS are connected, AWS as it is given
// or else in CNY.
func fair(t *testing.T, aws ...*stall) (*house, *stall) {
	t.Helper()
	bought := func(instance, product string) marketplace.Purchase {
		return marketplace.Purchase{Account: "1001", Instance: instance, Product: product, Plan: marketplace.Hourly, Active: true, BoughtAt: noon.Add(-time.Hour)}
	}
	ali := &stall{method: site.Alibaba, way: marketplace.ByInstance, currency: money.CNY, sold: map[marketplace.Claim]marketplace.Purchase{
		{Account: "1001", Instance: "i-1"}: bought("i-1", "ours"),
		{Account: "1001", Instance: "i-2"}: bought("i-2", "theirs"),
	}}
	if len(aws) == 0 {
		aws = append(aws, &stall{method: site.AWS, way: marketplace.ByToken, currency: money.CNY})
	}
	var h *house
	h = openWith(t, func(c *Config) {
		c.Clouds = &marketplace.Desk{
			Clouds: []marketplace.Cloud{ali, aws[0]},
			Write: func(ctx context.Context, f func(marketplace.Tx) error) error {
				return h.store.Write(ctx, func(tx *store.Tx) error { return f(tx) })
			},
			Read: func(ctx context.Context, f func(marketplace.Tx) error) error {
				return h.store.Read(ctx, func(tx *store.Tx) error { return f(tx) })
			},
		}
	})
	return h, ali
}

func (h *house) isSettledBy(w workspace.Workspace, want site.Method) {
	h.t.Helper()
	err := h.store.Read(h.t.Context(), func(tx *store.Tx) (err error) {
		w, err = tx.Workspace(h.t.Context(), w.ID)
		return err
	})
	if err != nil || w.Settlement != want {
		h.t.Errorf("%s is settled by %s, %v; want %s", w.Name, w.Settlement, err, want)
	}
}

func TestAnAlibabaAccountIsBoundFromTheDialogAndUsedAgain(t *testing.T) {
	t.Parallel()
	h, _ := fair(t)
	a := h.payer("acme", money.CNY)
	shop, store2 := h.paidFor(a, "shop", "cn1"), h.paidFor(a, "store", "cn1")
	ningxia := h.paidFor(a, "ningxia", "cn2")
	v := h.signedIn(a)
	settling := "/workspaces/" + shop.ID + "/settlement"
	dialog := v.post(http.StatusOK, settling, "method", "alibaba").at(settling + "/alibaba")
	dialog.says("This marketplace is a simulator")
	if href, _ := dialog.Find("a[target=_blank]").Attr("href"); href != "https://market.example/alibaba" {
		t.Errorf("it opens %s", href)
	}
	pair := func(account, instance string) []string {
		return []string{"opened", "yes", "account", account, "instance", instance}
	}
	v.post(http.StatusUnprocessableEntity, settling+"/alibaba", "account", "1001", "instance", "i-1").refused("subscription_not_confirmed", "opened")
	v.post(http.StatusUnprocessableEntity, settling+"/alibaba", pair("1002", "i-1")...).refused("purchase_unknown", "instance")
	v.post(http.StatusUnprocessableEntity, settling+"/alibaba", pair("1001", "i-2")...).refused("purchase_of_other_product", "instance")
	h.isSettledBy(shop, site.BillingCenter)
	v.post(http.StatusOK, settling+"/alibaba", pair(" 1001 ", "i-1")...).at("/workspaces").says("Alibaba Cloud account")
	h.isSettledBy(shop, site.Alibaba)

	list := v.get(http.StatusOK, "/clouds")
	list.says("1001")
	list.says("shop")
	href, _ := list.Find("tbody a").First().Attr("href")
	one := href[len(Prefix):]
	v.get(http.StatusOK, one).says("This site does not offer this settlement method.") // of ningxia
	v.post(http.StatusUnprocessableEntity, one+"/workspaces").refused("workspace_not_ticked", "")
	v.post(http.StatusUnprocessableEntity, one+"/workspaces", tickOf(ningxia.ID), "yes", tickOf(store2.ID), "yes").refused("settlement_not_allowed", "")
	h.isSettledBy(store2, site.BillingCenter) // all of them, or none
	v.post(http.StatusOK, one+"/workspaces", tickOf(store2.ID), "yes").at(one)
	h.isSettledBy(store2, site.Alibaba)
	v.post(http.StatusConflict, settling, "method", "billing_center").refused("settlement_cloud_locked", "")

	rival := h.payer("rival", money.CNY)
	other := h.signedIn(rival)
	w := h.paidFor(rival, "corner", "cn1")
	other.get(http.StatusNotFound, one)
	other.post(http.StatusNotFound, one+"/workspaces", tickOf(w.ID), "yes")
	other.post(http.StatusConflict, "/workspaces/"+w.ID+"/settlement/alibaba", pair("1001", "i-1")...).refused("purchase_bound_elsewhere", "instance")
	h.isSettledBy(w, site.BillingCenter)
}

func TestGuessingPurchasesEnds(t *testing.T) {
	t.Parallel()
	h, _ := fair(t)
	v := h.signedIn(h.payer("acme", money.CNY))
	for range marketplace.MostClaims {
		v.post(http.StatusUnprocessableEntity, "/clouds/add/alibaba", "opened", "yes", "account", "1001", "instance", "guess").refused("purchase_unknown", "instance")
		h.clock.Advance(time.Second)
	}
	v.post(http.StatusTooManyRequests, "/clouds/add/alibaba", "opened", "yes", "account", "1001", "instance", "i-1").refused("claims_many", "")
}

func TestACurrencyThatAMarketplaceDoesNotSettleIsRefused(t *testing.T) {
	t.Parallel()
	h, _ := fair(t)
	v := h.signedIn(h.payer("acme", money.USD))
	v.post(http.StatusConflict, "/clouds/add/alibaba", "opened", "yes", "account", "1001", "instance", "i-1").refused("purchase_currency", "")
}

// landed is a ticket of a buyer who comes from AWS.
func (h *house) landed(m site.Method, instance string, signsIn, live bool, payer string) (ticket string) {
	h.t.Helper()
	h.write(func(ctx context.Context, tx *store.Tx) error {
		s, err := tx.OpenSubscription(ctx, marketplace.New(m, "123456789012", instance, "ours", marketplace.Hourly, noon))
		if err != nil {
			return err
		}
		if live {
			e := marketplace.Event{ID: "e-" + instance, Cloud: m, Kind: marketplace.Purchased, Instance: instance, Account: "123456789012", Product: "ours", At: noon}
			if s, err = marketplace.Take(ctx, tx, e, noon); err != nil {
				return err
			}
		}
		if payer != "" {
			if s, err = marketplace.Bind(ctx, tx, m, s.Bought(), payer, workspace.Actor{AccountID: payer}, noon); err != nil {
				return err
			}
		}
		var a marketplace.Arrival
		a, ticket = marketplace.Arrive(s.ID, signsIn, noon)
		return tx.InsertArrival(ctx, a)
	})
	return ticket
}

func TestABuyerFromAWSSignsInAndChoosesWorkspaces(t *testing.T) {
	t.Parallel()
	h, _ := fair(t)
	a := h.payer("acme", money.CNY)
	ningxia := h.paidFor(a, "ningxia", "cn2")
	v := h.visitor()
	ticket := h.landed(site.AWS, "l-1", false, true, "")
	landed := v.get(http.StatusOK, "/clouds/enter?ticket="+ticket).at("/clouds/arrival")
	landed.says("123456789012")
	landed.says("Sign in and bind")
	h.visitor().get(http.StatusGone, "/clouds/enter?ticket="+ticket) // it counts once
	h.visitor().get(http.StatusGone, "/clouds/arrival")              // and is this browser's
	v.post(http.StatusOK, "/sign-in", "login", "acme", "password", password, "return", arrivalPath).at("/clouds/arrival").says("ningxia")
	v.post(http.StatusOK, "/clouds/arrival", tickOf(ningxia.ID), "yes").says("The cloud account is registered.")
	h.isSettledBy(ningxia, site.AWS)
	v.get(http.StatusGone, "/clouds/arrival")
}

func TestABuyerBindsBeforeTheCloudHasConfirmed(t *testing.T) {
	t.Parallel()
	h, _ := fair(t)
	a := h.payer("acme", money.CNY)
	w := h.paidFor(a, "ningxia", "cn2")
	v := h.signedIn(a)
	v.get(http.StatusOK, "/clouds/enter?ticket="+h.landed(site.AWS, "l-1", false, false, "")).says("still confirming")
	v.post(http.StatusConflict, "/clouds/arrival", tickOf(w.ID), "yes").refused("purchase_inactive", "") // bound, and not yet settling
	h.isSettledBy(w, site.BillingCenter)
	v.post(http.StatusOK, "/clouds/arrival").says("being confirmed")
	h.landed(site.AWS, "l-1", false, true, "")
	v.get(http.StatusOK, "/clouds").says("active")
}

func TestABuyerWithoutAnAccountRegistersAndBinds(t *testing.T) {
	t.Parallel()
	h, _ := fair(t)
	v := h.visitor()
	v.get(http.StatusOK, "/clouds/enter?ticket="+h.landed(site.AWS, "l-1", false, true, ""))
	v.post(http.StatusOK, "/register", "currency", "CNY", "user_name", "newcomer", "email", "new@pay.example", "password", password, "password_repeat", password).at("/register/verify")
	v.post(http.StatusOK, "/register/verify", "code", h.code("new@pay.example")).at("/register/company")
	v.post(http.StatusOK, "/register/company", "company", "New Ltd", "agreed", "yes").at("/clouds/arrival").says("This account pays for no workspace yet.")
	v.post(http.StatusOK, "/clouds/arrival").says("active")
}

func TestAMarketplaceSignsInThePayerOfAPurchase(t *testing.T) {
	t.Parallel()
	h, _ := fair(t)
	a := h.payer("acme", money.CNY)
	v := h.visitor()
	v.get(http.StatusOK, "/clouds/enter?ticket="+h.landed(site.Alibaba, "i-9", true, true, a.ID)).says("i-9")
	v.get(http.StatusOK, "/clouds").says("i-9")

	stranger := h.visitor() // AWS vouches for the purchase, not for the person
	stranger.get(http.StatusOK, "/clouds/enter?ticket="+h.landed(site.AWS, "l-9", false, true, a.ID)).says("Sign in and bind")
	stranger.get(http.StatusOK, "/clouds").at("/sign-in")

	h.write(func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE billing_account SET disabled = 1 WHERE id = $1`, a.ID)
		return err
	})
	h.visitor().get(account.ErrDisabled.Kind.Status(), "/clouds/enter?ticket="+h.landed(site.Alibaba, "i-9", true, true, ""))
}

func TestAnotherPayersPurchaseIsNotBound(t *testing.T) {
	t.Parallel()
	h, _ := fair(t)
	owner := h.payer("acme", money.CNY)
	ticket := h.landed(site.AWS, "l-1", false, true, owner.ID)
	v := h.signedIn(h.payer("rival", money.CNY))
	v.get(http.StatusOK, "/clouds/enter?ticket="+ticket)
	v.post(http.StatusConflict, "/clouds/arrival").refused("purchase_bound_elsewhere", "")
}
