package studio_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"tollgate.dev/internal/store"
)

// step1 is what a newcomer types.
func step1(change ...string) []string {
	return append([]string{
		"site", "cn1", "user_name", "olivia", "email", "olivia@example.com", "phone", "+86 139 0000 0000",
		"password", password, "password_repeat", password,
	}, change...)
}

func TestNewcomerRegistersToTheFirstToken(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	v := h.visitor()
	v.open("/studio/sign-up")
	v.send("/studio/sign-up", step1()...)
	v.at(t, "/studio/sign-up/verify")
	v.send("/studio/sign-up/verify", "code", "000000x")
	v.says(t, http.StatusUnprocessableEntity, "code_wrong")
	v.send("/studio/sign-up/verify", "code", h.code("olivia@example.com"))
	v.at(t, "/studio/sign-up/company")
	v.send("/studio/sign-up/company", "company", "ACME")
	v.says(t, http.StatusUnprocessableEntity, "agreement_required")
	v.send("/studio/sign-up/company", "company", "ACME", "agreed", "yes")
	v.at(t, "/studio/workspaces/new")
	v.send("/studio/workspaces", "name", "shop", "language", "zh", "beside", "yes", "billing_user_name", "olivia-pay")
	if !strings.HasSuffix(v.path, "/start?new=yes") {
		t.Fatalf("at %s: %s", v.path, v.codes())
	}
	if token := v.page.Find("#token").Text(); !strings.HasPrefix(token, "tkn_") {
		t.Errorf("token %q", token)
	}
	h.write(func(ctx context.Context, tx *store.Tx) error {
		b, err := tx.BillingByName(ctx, "olivia-pay")
		if err == nil && (b.Email != "olivia@example.com" || b.Currency != "CNY") {
			t.Errorf("Billing Center account %+v", b)
		}
		return err
	})
}

func TestCutOffRegistrationGoesOnAtNextSignIn(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	a := h.person("us1", "olivia") // step 2 is done; no workspace
	v := h.signedIn(a)
	v.at(t, "/studio/workspaces/new")
	v.shows(t, "Also create a Billing Center account")
}

func TestWrongBasicsAreShownBesideTheirFieldsAndKept(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	v := h.visitor()
	v.send("/studio/sign-up", "site", "mars", "user_name", "o", "email", "olivia", "password", "short", "password_repeat", "other")
	v.says(t, http.StatusUnprocessableEntity, "unknown_site user_name_form email_form password_form password_repeat")
	if kept, _ := v.page.Find("#email").Attr("value"); kept != "olivia" {
		t.Errorf("the e-mail was lost: %q", kept)
	}
	if kept, _ := v.page.Find("#password").Attr("value"); kept != "" {
		t.Error("the password is shown again")
	}
}

func TestTakenEmailIsRefusedAtTheSameSiteAlone(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.person("cn1", "olivia")
	v := h.visitor()
	v.send("/studio/sign-up", step1()...)
	v.says(t, http.StatusConflict, "email_taken")
	v.send("/studio/sign-up", step1("site", "us1")...)
	v.at(t, "/studio/sign-up/verify")
}

func TestTakenBillingUserNameLeavesNothingHalfDone(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.payer("olivia", "CNY")
	a := h.person("cn1", "olivia")
	v := h.signedIn(a)
	v.send("/studio/workspaces", "name", "shop", "language", "en", "beside", "yes")
	v.says(t, http.StatusConflict, "user_name_taken")
	h.write(func(ctx context.Context, tx *store.Tx) error {
		list, err := tx.WorkspacesOf(ctx, a.ID)
		if len(list) != 0 {
			t.Errorf("%d workspaces", len(list))
		}
		return err
	})
	v.send("/studio/workspaces", "name", "shop", "language", "en", "beside", "yes", "billing_user_name", "olivia-2")
	if !strings.Contains(v.path, "/start") {
		t.Errorf("at %s: %s", v.path, v.codes())
	}
}

func TestSecondClickCreatesNoSecondWorkspace(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	a := h.person("cn1", "olivia")
	v := h.signedIn(a)
	for range 2 {
		v.send("/studio/workspaces", "name", "shop", "language", "en")
	}
	h.write(func(ctx context.Context, tx *store.Tx) error {
		list, err := tx.WorkspacesOf(ctx, a.ID)
		if len(list) != 1 {
			t.Errorf("%d workspaces, want 1", len(list))
		}
		return err
	})
}

func TestWrongPasswordAndUnknownAccountGetTheSameAnswer(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.person("cn1", "olivia")
	v := h.visitor()
	for _, email := range []string{"olivia@example.com", "nobody@example.com", "not an address"} {
		v.send("/studio/sign-in", "site", "cn1", "email", email, "password", "wrong-horse-7")
		v.says(t, http.StatusUnauthorized, "login_failed")
	}
	v.send("/studio/sign-in", "site", "us1", "email", "olivia@example.com", "password", password)
	v.says(t, http.StatusUnauthorized, "login_failed")
}

func TestTooManyWrongPasswordsAreHeldUp(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.person("cn1", "olivia")
	v := h.visitor()
	for range 10 {
		v.send("/studio/sign-in", "site", "cn1", "email", "olivia@example.com", "password", "x")
	}
	v.send("/studio/sign-in", "site", "cn1", "email", "olivia@example.com", "password", password)
	v.says(t, http.StatusTooManyRequests, "too_many_logins")
}

func TestSignInLeadsBackButNeverAway(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	a := h.person("cn1", "olivia")
	w := h.shop(a)
	v := h.visitor()
	v.open("/studio/workspaces/" + w.ID + "/settings")
	v.at(t, "/studio/sign-in")
	back, _ := v.page.Find("input[name=return]").Attr("value")
	v.send("/studio/sign-in", "site", "cn1", "email", a.Email, "password", password, "return", back)
	v.at(t, "/studio/workspaces/"+w.ID+"/settings")
	v = h.visitor()
	v.send("/studio/sign-in", "site", "cn1", "email", a.Email, "password", password, "return", "//elsewhere.example.com/")
	v.at(t, "/studio/workspaces/"+w.ID+"/start")
}
