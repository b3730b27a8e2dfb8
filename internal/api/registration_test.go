package api_test

import (
	"testing"
	"time"

	"tollgate.dev/client"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
)

var (
	lin  = client.StudioBasics{Site: "us1", UserName: "lin", Email: "Lin@Team.example", Phone: "+1 555 0100", Password: password, Language: "en"}
	acme = client.BillingBasics{Currency: "USD", UserName: "Acme", Email: "pay@acme.example", Password: password, Language: "zh"}
)

func TestATeamRegistersAndStartsAWorkspaceWithAPayer(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx, h := t.Context(), open(t, s)
		r, err := h.client.BeginStudio(ctx, lin)
		must(t, r, err)
		_, err = h.client.Verify(ctx, client.StudioSystem, r.ID, wrong(h.code("lin@team.example")))
		refused(t, err, "code_wrong")
		if r, err = h.client.Verify(ctx, client.StudioSystem, r.ID, h.code("lin@team.example")); !must(t, r, err).Verified {
			t.Errorf("registration %+v", r)
		}
		_, err = h.client.FinishStudio(ctx, r.ID, client.Profile{}, false)
		refused(t, err, "fields_invalid")
		a, err := h.client.FinishStudio(ctx, r.ID, client.Profile{Company: "Shop"}, true)
		if must(t, a, err).Email != "lin@team.example" || a.Site != "us1" || a.Profile.Company != "Shop" {
			t.Errorf("account %+v", a)
		}
		_, err = h.client.FinishStudio(ctx, r.ID, client.Profile{Company: "Shop"}, true)
		refused(t, err, "registration_unknown")
		studio, err := h.client.SignInStudio(ctx, "us1", "lin@team.example", password)
		must(t, studio, err)
		none, err := studio.Workspaces(ctx, client.Page{})
		if len(must(t, none, err).Items) != 0 {
			t.Errorf("workspaces before the first: %+v", none)
		}
		w, err := studio.CreateWorkspace(ctx, client.NewWorkspace{Name: "shop", Language: "en", BillingUserName: "lin-pays"})
		if must(t, w, err).BillingAccount == nil || w.BillingAccount.Currency != "USD" || w.Plan != "experience" || w.Role != "owner" {
			t.Errorf("workspace %+v", w)
		}
		_, err = h.client.SignInBillingCenter(ctx, "lin-pays", password)
		must(t, 0, err)
	})
}

func TestABillingCenterAccountIsRegisteredByItself(t *testing.T) {
	t.Parallel()
	ctx, h := t.Context(), open(t, storetest.SQLite(t))
	r, err := h.client.BeginBilling(ctx, acme)
	must(t, r, err)
	_, err = h.client.ResendCode(ctx, client.BillingSystem, r.ID)
	refused(t, err, "code_too_often")
	h.clock.Advance(time.Minute)
	_, err = h.client.ResendCode(ctx, client.BillingSystem, r.ID)
	must(t, 0, err)
	_, err = h.client.FinishBilling(ctx, r.ID, client.Profile{Company: "Acme"}, true)
	refused(t, err, "email_not_verified")
	_, err = h.client.Verify(ctx, client.BillingSystem, r.ID, h.code("pay@acme.example"))
	must(t, 0, err)
	a, err := h.client.FinishBilling(ctx, r.ID, client.Profile{Company: "Acme"}, true)
	if must(t, a, err).UserName != "acme" || a.Currency != "USD" {
		t.Errorf("account %+v", a)
	}
}

func TestARegistrationOfOneSystemIsUnknownToTheOther(t *testing.T) {
	t.Parallel()
	ctx, h := t.Context(), open(t, storetest.SQLite(t))
	r, err := h.client.BeginBilling(ctx, acme)
	must(t, r, err)
	code := h.code("pay@acme.example")
	_, err = h.client.Verify(ctx, client.StudioSystem, r.ID, code)
	refused(t, err, "registration_unknown")
	_, err = h.client.ResendCode(ctx, client.StudioSystem, r.ID)
	refused(t, err, "registration_unknown")
	_, err = h.client.Verify(ctx, client.BillingSystem, r.ID, code)
	must(t, 0, err)
	_, err = h.client.FinishStudio(ctx, r.ID, client.Profile{Company: "x"}, true)
	refused(t, err, "registration_unknown")
}

func TestAnUnfinishedRegistrationEndsAfterADay(t *testing.T) {
	t.Parallel()
	ctx, h := t.Context(), open(t, storetest.SQLite(t))
	r, err := h.client.BeginStudio(ctx, lin)
	must(t, r, err)
	h.clock.Advance(24 * time.Hour)
	_, err = h.client.ResendCode(ctx, client.StudioSystem, r.ID)
	refused(t, err, "registration_unknown")
}

func TestAWorkspaceThatCannotHaveItsPayerIsNotMade(t *testing.T) {
	t.Parallel()
	ctx, h := t.Context(), open(t, storetest.SQLite(t))
	studio := h.asStudio(h.studio("lin"))
	_, err := studio.CreateWorkspace(ctx, client.NewWorkspace{Name: "shop", Language: "en", BillingUserName: "no spaces please"})
	refused(t, err, "user_name_form")
	none, err := studio.Workspaces(ctx, client.Page{})
	if len(must(t, none, err).Items) != 0 {
		t.Errorf("half a call left %+v", none.Items)
	}
}

func TestTheClosedSiteIsNotOffered(t *testing.T) {
	t.Parallel()
	h := open(t, storetest.SQLite(t))
	sites, err := h.client.Sites(t.Context())
	for _, s := range must(t, sites, err).Items {
		if s.ID == "cn3" {
			t.Error("cn3 takes no teams")
		}
	}
	if len(sites.Items) != 10 || sites.Items[0].Zone != "Asia/Shanghai" {
		t.Errorf("sites %+v", sites.Items)
	}
}
