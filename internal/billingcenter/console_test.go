package billingcenter

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/upgrade"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/workspace"
)

func TestRegistrationLeadsBackToTheUpgrade(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.payer("taken", money.CNY)
	shop := h.workspace("shop", "us1")
	v := h.visitor()
	back := "/studio/w/" + shop.ID + "/upgrade/bind"
	page := v.get(http.StatusOK, "/register?return="+back)
	if on, _ := page.Find("input[name=currency]:checked").Attr("value"); on != "USD" {
		t.Errorf("currency %q is preselected for a workspace in Oregon", on)
	}
	basics := func(pairs ...string) []string {
		return append([]string{"currency", "USD", "user_name", "acme", "email", "finance@acme.example", "password", password, "password_repeat", password}, pairs...)
	}
	page = v.post(http.StatusUnprocessableEntity, "/register", basics("user_name", "Taken", "email", "nobody")...)
	page.refused("user_name_taken", "user_name")
	page.refused("email_form", "email")
	if typed, _ := page.Find("#email").Attr("value"); typed != "nobody" {
		t.Errorf("what was typed is lost: %q", typed)
	}
	v.post(http.StatusOK, "/register", basics()...).at("/register/verify")
	v.post(http.StatusUnprocessableEntity, "/register/verify", "code", "000000").refused("code_wrong", "code")
	v.post(http.StatusTooManyRequests, "/register/resend").refused("code_too_often", "")
	v.post(http.StatusOK, "/register/verify", "code", h.code("finance@acme.example")).at("/register/company")
	page = v.post(http.StatusUnprocessableEntity, "/register/company", "company", "")
	page.refused("company_required", "company")
	page.refused("agreement_required", "agreed")
	page = v.post(http.StatusOK, "/register/company", "company", "Acme", "agreed", "yes").at("/register/done")
	if href, _ := page.Find("a.primary").Attr("href"); href != back+"?user_name=acme" {
		t.Errorf("the way back is %q", href)
	}
	v.get(http.StatusOK, "/").says("No workspace yet")
	v.post(http.StatusGone, "/register/verify", "code", "000000").refused("registration_unknown", "")
}

func TestTheWayBackNeverLeavesStudio(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"https://evil.example/studio/x", "//evil.example/studio/", "/operator/", "/studio/../operator/", "/billing-center/", "studio/x", "/studio"} {
		if got := web.Within("/studio", path, ""); got != "" {
			t.Errorf("%q leads back to %q", path, got)
		}
	}
	if got := web.Within("/studio", "/studio/wksp_1/upgrade/bind?x=1", ""); got != "/studio/wksp_1/upgrade/bind?x=1" {
		t.Errorf("got %q", got)
	}
}

func TestSignInTakesNameMailOrPhone(t *testing.T) {
	t.Parallel()
	h := open(t)
	a := account.Billing{ID: "bcac_1", UserName: "acme", Email: "pay@acme.example", Phone: "+8613800000000", Password: passwordHash, Currency: money.CNY, Language: "zh", CreatedAt: noon}
	h.write(func(ctx context.Context, tx *store.Tx) error { return tx.InsertBilling(ctx, a) })
	for _, login := range []string{"acme", " ACME ", "pay@acme.example", "+8613800000000", "+86 138 0000 0000"} {
		v := h.visitor()
		v.post(http.StatusOK, "/sign-in", "login", login, "password", password).at("/")
	}
	v := h.visitor()
	v.post(http.StatusUnauthorized, "/sign-in", "login", "acme", "password", "wrong-horse-1").refused("login_failed", "login")
	v.post(http.StatusUnauthorized, "/sign-in", "login", "nobody", "password", password).refused("login_failed", "login")
	v.get(http.StatusOK, "/bills?from=2026-03-01").at("/sign-in")
	v.post(http.StatusOK, "/sign-in", "login", "acme", "password", password, "return", Prefix+"/bills?from=2026-03-01").at("/bills")
	v.post(http.StatusOK, "/sign-out").at("/sign-in")
	v.get(http.StatusOK, "/").at("/sign-in")
}

func TestGuessingIsStopped(t *testing.T) {
	t.Parallel()
	h := open(t)
	a := h.payer("acme", money.CNY)
	v := h.visitor()
	for range triesPerLogin {
		v.post(http.StatusUnauthorized, "/sign-in", "login", a.UserName, "password", "wrong")
	}
	v.post(http.StatusTooManyRequests, "/sign-in", "login", a.UserName, "password", password).refused("too_many_logins", "")
	h.clock.Advance(triesWindow)
	v.post(http.StatusOK, "/sign-in", "login", a.UserName, "password", password).at("/")
}

func TestNobodySignedInIsLedToSignIn(t *testing.T) {
	t.Parallel()
	h := open(t)
	v := h.visitor()
	for _, route := range h.console.Routes() {
		if route.Needs == web.Public {
			continue
		}
		path := strings.TrimPrefix(route.Pattern, Prefix)
		path = strings.NewReplacer("{$}", "", "{workspace}", "wksp_1", "{bill}", "bill_1", "{transfer}", "trsf_1", "{slip}", "attc_1", "{source}", "vchr_1", "{key}", "akey_1", "{package}", "pkge_1", "{size}", "starter", "{session}", "sess_1", "{message}", "mssg_1").Replace(path)
		if route.Method == http.MethodGet {
			v.get(http.StatusOK, path).at("/sign-in")
		} else {
			v.post(http.StatusOK, path).at("/sign-in")
		}
	}
}

func TestATicketSignsInOnce(t *testing.T) {
	t.Parallel()
	h := open(t)
	a := h.payer("acme", money.CNY)
	ticket := account.NewTicket(a.ID, "acnt_1", Prefix+"/recharge", noon)
	late := account.NewTicket(a.ID, "acnt_1", Prefix+"/", noon)
	away := account.NewTicket(a.ID, "acnt_1", "https://evil.example/", noon)
	h.write(func(ctx context.Context, tx *store.Tx) error {
		for _, x := range []account.Ticket{ticket, late, away} {
			if err := tx.InsertTicket(ctx, x); err != nil {
				return err
			}
		}
		return nil
	})
	v := h.visitor()
	ahead, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.url+Prefix+"/enter?ticket="+ticket.ID, nil)
	if err != nil {
		t.Fatal(err)
	}
	ahead.Header.Set("Sec-Purpose", "prefetch")
	v.do(http.StatusNoContent, ahead)
	v.get(http.StatusOK, "/enter?ticket="+ticket.ID).at("/recharge")
	h.visitor().get(http.StatusGone, "/enter?ticket="+ticket.ID).refused("ticket_invalid", "")
	h.visitor().get(http.StatusGone, "/enter?ticket=nonsense").refused("ticket_invalid", "")
	h.visitor().get(http.StatusOK, "/enter?ticket="+away.ID).at("/")
	h.clock.Advance(account.TicketLife)
	h.visitor().get(http.StatusGone, "/enter?ticket="+late.ID).refused("ticket_invalid", "")
}

func TestADisabledAccountIsShutOut(t *testing.T) {
	t.Parallel()
	h := open(t)
	a := h.payer("acme", money.CNY)
	v := h.signedIn(a)
	h.write(func(ctx context.Context, tx *store.Tx) error { return tx.SetBillingSwitches(ctx, a.ID, true, false) })
	v.get(http.StatusForbidden, "/").refused("account_disabled", "")
	v.post(http.StatusForbidden, "/recharge", "amount", "5").refused("account_disabled", "")
	h.visitor().post(http.StatusForbidden, "/sign-in", "login", "acme", "password", password).refused("account_disabled", "login")
}

func TestANewPasswordEndsOtherSessions(t *testing.T) {
	t.Parallel()
	h := open(t)
	a := h.payer("acme", money.CNY)
	here, there := h.signedIn(a), h.signedIn(a)
	here.post(http.StatusUnprocessableEntity, "/account/password", "present_password", "no", "password", "better-horse-2", "password_repeat", "better-horse-2").
		refused("password_present", "present_password")
	here.post(http.StatusUnprocessableEntity, "/account/password", "present_password", password, "password", "short", "password_repeat", "other").
		refused("password_repeat", "password_repeat")
	here.post(http.StatusOK, "/account/password", "present_password", password, "password", "better-horse-2", "password_repeat", "better-horse-2").at("/account")
	there.get(http.StatusOK, "/account").at("/sign-in")
	h.visitor().post(http.StatusOK, "/sign-in", "login", "acme", "password", "better-horse-2").at("/")
}

func TestTheUserNameCannotBeChanged(t *testing.T) {
	t.Parallel()
	h := open(t)
	a := h.payer("acme", money.CNY)
	v := h.signedIn(a)
	v.get(http.StatusOK, "/account").says("The user name cannot be changed.")
	v.post(http.StatusOK, "/account/profile", "company", "Acme Two", "user_name", "other", "currency", "USD").says("The profile was saved.")
	v.post(http.StatusUnprocessableEntity, "/account/profile", "company", " ").refused("company_required", "company")
	v.post(http.StatusOK, "/account/language", "language", "zh").says("语言已保存。")
	v.post(http.StatusUnprocessableEntity, "/account/language", "language", "fr").refused("account_language_unknown", "language")
	h.write(func(ctx context.Context, tx *store.Tx) error {
		now, err := tx.BillingByID(ctx, a.ID)
		if err != nil || now.UserName != "acme" || now.Currency != money.CNY || now.Profile.Company != "Acme Two" || now.Language != "zh" {
			t.Errorf("the account is now %+v, %v", now, err)
		}
		return nil
	})
}

// TestBindingUpgradesTheWorkspace walks entry B of the upgrade.
func TestBindingUpgradesTheWorkspace(t *testing.T) {
	t.Parallel()
	h := open(t)
	a, shop := h.payer("acme", money.CNY), h.workspace("shop", "cn1")
	overseas := h.workspace("trial", "us1")
	v := h.signedIn(a)
	v.post(http.StatusNotFound, "/workspaces/bind", "workspace_id", "wksp_nothing").refused("workspace_unknown", "workspace_id")
	v.post(http.StatusConflict, "/workspaces/bind", "workspace_id", overseas.ID).refused("billing_currency_differs", "workspace_id")
	page := v.post(http.StatusOK, "/workspaces/bind", "workspace_id", " "+shop.ID+" ").at("/workspaces/" + shop.ID + "/bind")
	page.says("s***@shop.example")
	if strings.Contains(page.body, "shop@shop.example") {
		t.Error("the Owner's address is shown")
	}
	bind, confirm := "/workspaces/"+shop.ID+"/bind", "/workspaces/"+shop.ID+"/confirm"
	v.get(http.StatusOK, confirm).at(bind)
	v.post(http.StatusOK, "/workspaces/"+shop.ID+"/agreement", "version", upgrade.AgreementVersion, "agreed", "yes").at(bind)
	v.post(http.StatusTooManyRequests, bind+"/resend").refused("code_too_often", "code")
	v.post(http.StatusUnprocessableEntity, bind, "code", "000000").refused("code_wrong", "code")
	v.post(http.StatusOK, bind, "code", h.code("shop@shop.example")).at("/workspaces/" + shop.ID + "/agreement")
	v.post(http.StatusUnprocessableEntity, "/workspaces/"+shop.ID+"/agreement", "version", upgrade.AgreementVersion).refused("agreement_not_agreed", "agreed")
	v.post(http.StatusConflict, "/workspaces/"+shop.ID+"/agreement", "version", "2001-01-01", "agreed", "yes").refused("agreement_changed", "")
	v.post(http.StatusOK, "/workspaces/"+shop.ID+"/agreement", "version", upgrade.AgreementVersion, "agreed", "yes").at(confirm).says("Upgrade shop, this cannot be undone")
	h.clock.Advance(time.Minute)
	v.post(http.StatusOK, confirm).at("/workspaces/" + shop.ID + "/opened").says("shop is on the Commercial plan")
	v.post(http.StatusOK, confirm).at("/workspaces/" + shop.ID + "/opened") // a double click
	h.write(func(ctx context.Context, tx *store.Tx) error {
		w, err := tx.Workspace(ctx, shop.ID)
		if err != nil || w.Plan != workspace.Commercial || w.Generation != 2 || w.Payer != a.ID {
			t.Errorf("the workspace is now %+v, %v", w, err)
		}
		return nil
	})
	v.get(http.StatusOK, "/workspaces").says("China 1 (Hangzhou)")
	v.post(http.StatusConflict, "/workspaces/bind", "workspace_id", shop.ID).refused("rebind_same_account", "workspace_id")
}

func TestAStepOfAnotherAccountsBindingIsUnknown(t *testing.T) {
	t.Parallel()
	h := open(t)
	a, b, shop := h.payer("acme", money.CNY), h.payer("other", money.CNY), h.workspace("shop", "cn1")
	h.signedIn(a).post(http.StatusOK, "/workspaces/bind", "workspace_id", shop.ID)
	v := h.signedIn(b)
	for _, step := range []string{"/bind", "/agreement", "/confirm"} {
		v.get(http.StatusConflict, "/workspaces/"+shop.ID+step).refused("upgrade_not_begun", "")
	}
	v.post(http.StatusConflict, "/workspaces/"+shop.ID+"/confirm").refused("upgrade_not_begun", "")
	v.post(http.StatusConflict, "/workspaces/"+shop.ID+"/bind", "code", h.code("shop@shop.example")).refused("upgrade_not_begun", "")
}
