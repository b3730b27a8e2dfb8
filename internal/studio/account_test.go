package studio_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
)

// mailResets does the queued work of forgotten passwords.
func (h house) mailResets() {
	h.t.Helper()
	h.write(func(ctx context.Context, tx *store.Tx) error {
		for {
			j, waits, err := tx.NextJob(ctx)
			if err != nil || !waits {
				return err
			}
			if j.Kind == (account.ResetWanted{}).Kind() {
				var r account.ResetWanted
				if err := json.Unmarshal(j.Args, &r); err != nil {
					return err
				}
				if err := account.MailReset(ctx, tx, r, h.clock.Now()); err != nil {
					return err
				}
			}
			if err := tx.EndJob(ctx, j.ID); err != nil {
				return err
			}
		}
	})
}

func TestAResetHoldsForOneSite(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	here, there := h.person("cn1", "olivia"), h.person("us1", "olivia")
	elsewhere, v := h.signedIn(here), h.visitor()
	v.send("/studio/forgot", "site", "cn1", "email", here.Email)
	v.at(t, "/studio/forgot/code")
	h.mailResets()
	v.send("/studio/forgot/code", "code", h.code(here.Email), "password", "better-horse-2", "password_repeat", "better-horse-2")
	v.at(t, "/studio/sign-in")
	elsewhere.open("/studio/account")
	elsewhere.at(t, "/studio/sign-in")
	v.send("/studio/sign-in", "site", "cn1", "email", here.Email, "password", "better-horse-2")
	v.at(t, "/studio/workspaces/new")
	h.signedIn(there) // with the old one
}

func TestTheStudioAccountIsLookedAfter(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	a := h.person("cn1", "olivia")
	h.shop(a)
	v, other := h.signedIn(a), h.signedIn(a)
	v.open("/studio/account")
	v.shows(t, "olivia@example.com")
	v.send("/studio/account/profile", "company", "Acme")
	v.shows(t, "The profile was saved.")
	v.send("/studio/account/password", "present_password", "wrong", "password", "better-horse-2", "password_repeat", "better-horse-2")
	v.says(t, http.StatusUnprocessableEntity, "password_present")
	v.send("/studio/account/password", "present_password", password, "password", "better-horse-2", "password_repeat", "better-horse-2")
	v.at(t, "/studio/account")
	v.shows(t, "The password was changed.")
	other.open("/studio/account")
	other.at(t, "/studio/sign-in")
	v.send("/studio/account/email", "email", "new@example.com")
	v.send("/studio/account/email/present", "code", h.code(a.Email))
	v.send("/studio/account/email/new", "code", h.code("new@example.com"))
	v.at(t, "/studio/account")
	v.shows(t, "new@example.com")
	v.open("/studio/account/sessions")
	if n := v.page.Find("[data-session]").Length(); n != 1 {
		t.Errorf("%d sessions", n)
	}
	v.send("/studio/account/language", "language", "zh")
	v.shows(t, "语言已保存。")
}

// TestNobodyReachesTheAccountsPages calls each page of the account without a
// sign-in.
func TestNobodyReachesTheAccountsPages(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	w, nobody := h.shop(h.person("cn1", "olivia")), h.visitor()
	for _, route := range h.console.Routes() {
		if route.Needs != web.SignedIn {
			continue
		}
		answer := nobody.ask(route.Method, pathOf(route, w, account.Studio{ID: "acnt_none"}))
		if to := answer.Header.Get("Location"); answer.StatusCode != http.StatusSeeOther || !strings.HasPrefix(to, "/studio/sign-in") {
			t.Errorf("%s %s as nobody: %d to %s", route.Method, route.Pattern, answer.StatusCode, to)
		}
	}
}
