package billingcenter

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/a-h/templ"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/id"
	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/settle"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/upgrade"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/web/gallery"
	"tollgate.dev/internal/workspace"
)

// studioOf is a Studio account that exists.
func (h *house) studioOf(s site.ID, email string) account.Studio {
	h.t.Helper()
	a := account.Studio{ID: id.New(id.StudioAccount), Site: s, UserName: "mei", Email: email, Language: "en", CreatedAt: noon}
	h.write(func(ctx context.Context, tx *store.Tx) error { return tx.InsertStudio(ctx, a) })
	return a
}

// opened lists the workspaces that a payer pays for, and whose purchase it is.
func (h *house) opened(payer string, m site.Method, instance string) (list []workspace.Workspace, s marketplace.Subscription) {
	h.t.Helper()
	h.write(func(ctx context.Context, tx *store.Tx) (err error) {
		if list, err = tx.WorkspacesPaidBy(ctx, payer); err == nil {
			s, err = tx.SubscriptionByInstance(ctx, m, instance)
		}
		return err
	})
	return list, s
}

func asks(owner, email string, more ...string) []string {
	return append([]string{"site", "cn2", "name", "orders", "language", "zh", "owner", owner, "email", email, "agreed", "yes"}, more...)
}

// holds fails the test when the books do not.
func (h *house) holds() {
	h.t.Helper()
	h.write(func(ctx context.Context, tx *store.Tx) error {
		findings, err := tx.Verify(ctx, catalog.Default())
		for _, f := range findings {
			h.t.Errorf("%+v", f)
		}
		return err
	})
}

func TestABuyerOpensAWorkspaceForAStudioAccountThatExists(t *testing.T) {
	t.Parallel()
	h, _ := fair(t)
	a := h.payer("acme", money.CNY)
	mei := h.studioOf("cn2", "mei@shop.example")
	v := h.signedIn(a)
	v.get(http.StatusOK, "/clouds/enter?ticket="+h.landed(site.AWS, "l-1", false, true, "")).says("Open a new workspace")
	page := v.get(http.StatusOK, "/clouds/arrival/workspace")
	if n := page.Find("select[name=site] option[value=cn1]").Length(); n != 0 || page.Find("select[name=site] option[value=cn2]").Length() != 1 {
		t.Error("the sites offered are not those that AWS settles")
	}
	v.post(http.StatusOK, "/clouds/arrival/workspace", asks(ownerExists, " Mei@shop.example ")...).at("/clouds/arrival/workspace/code").says("mei@shop.example")
	if list, s := h.opened(a.ID, site.AWS, "l-1"); len(list) != 0 || s.Payer != "" {
		t.Fatalf("something is bound before the code: %+v, %+v", list, s)
	}
	v.post(http.StatusUnprocessableEntity, "/clouds/arrival/workspace/code", "code", "000000").refused("code_wrong", "code")
	v.post(http.StatusOK, "/clouds/arrival/workspace/code", "code", h.code("mei@shop.example")).says("orders is on the Commercial plan")
	list, s := h.opened(a.ID, site.AWS, "l-1")
	if len(list) != 1 || list[0].OwnerID != mei.ID || list[0].Site != "cn2" || list[0].Name != "orders" || list[0].Language != "zh" ||
		list[0].Plan != workspace.Commercial || list[0].Settlement != site.AWS || s.Payer != a.ID {
		t.Fatalf("%+v, %+v", list, s)
	}
	v.post(http.StatusGone, "/clouds/arrival/workspace/code", "code", "000000") // it is done
	h.holds()
	h.isOnlySettledBy(t, list[0], s, a)
}

// isOnlySettledBy cancels the purchase: the workspace waits in its grace, and no
// other method may settle it.
func (h *house) isOnlySettledBy(t *testing.T, w workspace.Workspace, s marketplace.Subscription, a account.Billing) {
	t.Helper()
	h.write(func(ctx context.Context, tx *store.Tx) error {
		e := marketplace.Event{ID: "end", Cloud: s.Cloud, Kind: marketplace.Cancelled, Instance: s.Instance, Account: s.Account, Product: s.Product, At: noon.Add(time.Hour)}
		_, err := marketplace.Take(ctx, tx, e, noon.Add(time.Hour))
		return err
	})
	err := h.store.Write(t.Context(), func(tx *store.Tx) error {
		now, err := tx.Workspace(t.Context(), w.ID)
		if err != nil {
			return err
		}
		if now.State != workspace.Grace || now.Settlement != s.Cloud {
			t.Errorf("it is %s, and %s settles it", now.State, now.Settlement)
		}
		rules := settle.Rules{Profile: site.Seed, Enabled: site.Methods()}
		_, err = rules.Choose(t.Context(), tx, w.ID, settle.Choice{Method: site.BillingCenter}, workspace.Actor{AccountID: a.ID}, noon.Add(2*time.Hour))
		return err
	})
	if !errors.Is(err, settle.ErrOnlyCloud) {
		t.Errorf("the Billing Center may settle it: %v", err)
	}
}

func TestAWorkspaceOfAlibabaIsNotLeftToTheBillingCenterWhenItIsCancelled(t *testing.T) {
	t.Parallel()
	h, _ := fair(t)
	a := h.payer("acme", money.CNY)
	h.studioOf("cn1", "mei@shop.example")
	v := h.signedIn(a)
	v.get(http.StatusOK, "/clouds/enter?ticket="+h.landed(site.Alibaba, "i-9", true, true, ""))
	v.post(http.StatusOK, "/clouds/arrival/workspace", append(asks(ownerExists, "mei@shop.example"), "site", "cn1")...).at("/clouds/arrival/workspace/code")
	v.post(http.StatusOK, "/clouds/arrival/workspace/code", "code", h.code("mei@shop.example"))
	list, s := h.opened(a.ID, site.Alibaba, "i-9")
	if len(list) != 1 {
		t.Fatalf("%+v", list)
	}
	h.isOnlySettledBy(t, list[0], s, a)
}

func TestABuyerOpensAWorkspaceForANewStudioAccount(t *testing.T) {
	t.Parallel()
	h, _ := fair(t)
	v := h.visitor() // who has no Billing Center account either
	v.get(http.StatusOK, "/clouds/enter?ticket="+h.landed(site.AWS, "l-1", false, true, ""))
	v.post(http.StatusOK, "/register", "currency", "CNY", "user_name", "newcomer", "email", "new@pay.example", "password", password, "password_repeat", password).at("/register/verify")
	v.post(http.StatusOK, "/register/verify", "code", h.code("new@pay.example")).at("/register/company")
	v.post(http.StatusOK, "/register/company", "company", "New Ltd", "agreed", "yes").at("/clouds/arrival")
	wrong := v.post(http.StatusUnprocessableEntity, "/clouds/arrival/workspace", asks(ownerNew, "dev@new.example", "user_name", "dev", "password", "short", "password_repeat", "other")...)
	wrong.refused("password_repeat", "password_repeat")
	v.post(http.StatusOK, "/clouds/arrival/workspace", asks(ownerNew, "dev@new.example", "user_name", "dev", "password", password, "password_repeat", password)...).at("/clouds/arrival/workspace/code")
	v.post(http.StatusOK, "/clouds/arrival/workspace/code", "code", h.code("dev@new.example")).says("orders is on the Commercial plan")
	h.write(func(ctx context.Context, tx *store.Tx) error {
		dev, err := tx.StudioByEmail(ctx, "cn2", "dev@new.example")
		if err != nil || dev.Profile.Company != "New Ltd" || !account.PasswordMatches(dev.Password, password) {
			t.Errorf("%+v, %v", dev, err)
		}
		s, err := tx.SubscriptionByInstance(ctx, site.AWS, "l-1")
		if err == nil {
			var list []workspace.Workspace
			if list, err = tx.WorkspacesPaidBy(ctx, s.Payer); len(list) != 1 || list[0].OwnerID != dev.ID || list[0].Settlement != site.AWS {
				t.Errorf("%+v", list)
			}
		}
		return err
	})
	h.holds()
}

func TestEachPathThatFailsHasItsCodeAndBindsNothing(t *testing.T) {
	t.Parallel()
	const open = "/clouds/arrival/workspace"
	for name, c := range map[string]struct {
		currency money.Currency
		cloud    site.Method
		live     bool
		owner    string // of the purchase
		form     []string
		status   int
		code     string
		field    string
	}{
		"nothing agreed":        {money.CNY, site.AWS, true, "", []string{"site", "cn2", "name", "x", "language", "en", "owner", ownerExists, "email", "mei@shop.example"}, 422, "agreement_not_agreed", "agreed"},
		"unknown address":       {money.CNY, site.AWS, true, "", asks(ownerExists, "nobody@shop.example"), 422, "studio_account_unknown", "email"},
		"no address":            {money.CNY, site.AWS, true, "", asks(ownerExists, "nobody"), 422, "email_form", "email"},
		"no name":               {money.CNY, site.AWS, true, "", append(asks(ownerExists, "mei@shop.example"), "name", " "), 422, "workspace_name", "name"},
		"a site of another":     {money.CNY, site.AWS, true, "", append(asks(ownerExists, "mei@shop.example"), "site", "cn1"), 422, "settlement_not_allowed", "site"},
		"no site":               {money.CNY, site.AWS, true, "", append(asks(ownerExists, "mei@shop.example"), "site", "mars"), 422, "unknown_site", "site"},
		"another currency":      {money.USD, site.AWS, true, "", asks(ownerExists, "mei@shop.example"), 409, "billing_currency_differs", ""},
		"not confirmed yet":     {money.CNY, site.AWS, false, "", asks(ownerExists, "mei@shop.example"), 409, "purchase_inactive", ""},
		"the address is taken":  {money.CNY, site.AWS, true, "", asks(ownerNew, "mei@shop.example", "user_name", "mei", "password", password, "password_repeat", password), 409, "email_taken", "email"},
		"a purchase of another": {money.CNY, site.AWS, true, "rival", asks(ownerExists, "mei@shop.example"), 409, "purchase_bound_elsewhere", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, _ := fair(t)
			a := h.payer("acme", c.currency)
			h.studioOf("cn2", "mei@shop.example")
			rival := ""
			if c.owner != "" {
				rival = h.payer(c.owner, money.CNY).ID
			}
			v := h.signedIn(a)
			v.get(http.StatusOK, "/clouds/enter?ticket="+h.landed(c.cloud, "l-1", false, c.live, rival))
			v.post(c.status, open, c.form...).refused(c.code, c.field)
			v.post(http.StatusGone, open+"/code", "code", "123456") // nothing waits for one
			if list, s := h.opened(a.ID, c.cloud, "l-1"); len(list) != 0 || s.Payer != rival {
				t.Errorf("%+v, %+v", list, s)
			}
		})
	}
}

func TestAnEndBetweenTheCodeAndTheOpeningBindsNothing(t *testing.T) {
	t.Parallel()
	h, _ := fair(t)
	a := h.payer("acme", money.CNY)
	h.studioOf("cn2", "mei@shop.example")
	v := h.signedIn(a)
	v.get(http.StatusOK, "/clouds/enter?ticket="+h.landed(site.AWS, "l-1", false, true, ""))
	v.post(http.StatusOK, "/clouds/arrival/workspace", asks(ownerExists, "mei@shop.example")...)
	h.write(func(ctx context.Context, tx *store.Tx) error {
		e := marketplace.Event{ID: "end", Cloud: site.AWS, Kind: marketplace.Released, Instance: "l-1", Account: "123456789012", Product: "ours", At: noon.Add(time.Second)}
		_, err := marketplace.Take(ctx, tx, e, noon.Add(time.Second))
		return err
	})
	v.post(http.StatusConflict, "/clouds/arrival/workspace/code", "code", h.code("mei@shop.example")).refused("purchase_inactive", "code")
	if list, s := h.opened(a.ID, site.AWS, "l-1"); len(list) != 0 || s.Payer != "" {
		t.Errorf("%+v, %+v", list, s)
	}
}

func TestCloudOpenGallery(t *testing.T) {
	t.Parallel()
	live, _, _, aws := gallerySubscriptions()
	cn2, err := site.Find("cn2")
	if err != nil {
		t.Fatal(err)
	}
	one := func(code bool, p OpenWorkspace) page {
		return func(ctx context.Context) templ.Component {
			p.Frame = frame(ctx, "Open a workspace", "clouds")
			p.Title, p.Paragraphs = paragraphs(upgrade.AgreementText(web.Language(ctx)))
			if code {
				return openCodeView(p)
			}
			return openView(p)
		}
	}
	var states []gallery.State
	for name, p := range map[string]page{
		"open":         one(false, OpenWorkspace{Form: web.Blank(), Subscription: aws, Sites: []site.Site{cn2}}),
		"open-wrong":   one(false, OpenWorkspace{Form: refused(web.Blank("email", "x@y.example"), marketplace.ErrNoStudio.On("email")), Subscription: aws, Sites: []site.Site{cn2}}),
		"open-nowhere": one(false, OpenWorkspace{Form: web.Blank(), Subscription: live}),
		"open-code":    one(true, OpenWorkspace{Form: web.Blank(), Subscription: aws, Email: "mei@shop.example"}),
	} {
		states = append(states, gallery.State{Name: "billing-center/cloud-" + name, Page: p})
	}
	gallery.Check(t, states)
}
