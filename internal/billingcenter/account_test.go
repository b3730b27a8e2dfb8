package billingcenter

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/store"
)

// mailResets does the queued work of forgotten passwords.
func (h *house) mailResets() (n int) {
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
				n++
			}
			if err := tx.EndJob(ctx, j.ID); err != nil {
				return err
			}
		}
	})
	return n
}

func TestAForgottenPasswordIsResetByACode(t *testing.T) {
	t.Parallel()
	h := open(t)
	a := h.payer("acme", money.CNY)
	elsewhere, v := h.signedIn(a), h.visitor()
	v.get(http.StatusOK, "/forgot/code").at("/forgot")
	v.post(http.StatusUnprocessableEntity, "/forgot", "email", "acme").refused("email_form", "email")
	v.post(http.StatusOK, "/forgot", "email", a.Email).at("/forgot/code").says("If acme@pay.example has an account here")
	const better = "better-horse-2"
	v.post(http.StatusNotFound, "/forgot/code", "code", "000000", "password", better, "password_repeat", better).refused("code_not_sent", "code")
	if n := h.mailResets(); n != 1 {
		t.Fatalf("%d resets were queued", n)
	}
	v.post(http.StatusTooManyRequests, "/forgot/resend").refused("code_too_often", "")
	v.post(http.StatusUnprocessableEntity, "/forgot/code", "code", "000000", "password", "short", "password_repeat", "x").refused("password_form", "password")
	v.post(http.StatusUnprocessableEntity, "/forgot/code", "code", "000000", "password", better, "password_repeat", better).refused("code_wrong", "code")
	v.post(http.StatusOK, "/forgot/code", "code", h.code(a.Email), "password", better, "password_repeat", better).at("/sign-in").says("Sign in with the new one")
	elsewhere.get(http.StatusOK, "/").at("/sign-in")
	v.post(http.StatusUnauthorized, "/sign-in", "login", "acme", "password", password).refused("login_failed", "login")
	v.post(http.StatusOK, "/sign-in", "login", "acme", "password", better).at("/")
	v.get(http.StatusOK, "/forgot/code").at("/forgot") // it is over
}

func TestAnAddressWithoutAnAccountGetsTheSamePages(t *testing.T) {
	t.Parallel()
	h := open(t)
	v := h.visitor()
	v.post(http.StatusOK, "/forgot", "email", "nobody@pay.example").at("/forgot/code").says("If nobody@pay.example has an account here")
	h.mailResets()
	const better = "better-horse-2"
	for range account.CodeTries - 1 {
		v.post(http.StatusUnprocessableEntity, "/forgot/code", "code", "none", "password", better, "password_repeat", better).refused("code_wrong", "code")
	}
	v.post(http.StatusTooManyRequests, "/forgot/code", "code", "none", "password", better, "password_repeat", better).refused("code_too_many_tries", "code")
	var mails int64
	h.write(func(ctx context.Context, tx *store.Tx) error {
		return tx.QueryRow(ctx, `SELECT COUNT(*) FROM mail`).Scan(&mails)
	})
	if mails != 0 {
		t.Errorf("%d mails went to nobody", mails)
	}
}

func TestTheAddressIsChangedByTwoCodes(t *testing.T) {
	t.Parallel()
	h := open(t)
	a := h.payer("acme", money.CNY)
	h.payer("other", money.CNY)
	v := h.signedIn(a)
	v.post(http.StatusUnprocessableEntity, "/account/email", "email", a.Email).refused("contact_unchanged", "email")
	v.post(http.StatusConflict, "/account/email/new", "code", "000000").refused("contact_change_not_begun", "")
	v.post(http.StatusOK, "/account/email", "email", "other@pay.example").at("/account/email").says("It was mailed to acme@pay.example")
	v.post(http.StatusConflict, "/account/email/new", "code", "000000").refused("contact_old_code_first", "code")
	v.post(http.StatusOK, "/account/email/present", "code", h.code(a.Email)).says("It was mailed to other@pay.example")
	v.post(http.StatusConflict, "/account/email/new", "code", h.code("other@pay.example")).refused("email_taken", "code")

	h.clock.Advance(time.Minute)
	v.post(http.StatusOK, "/account/email", "email", "new@pay.example")
	v.post(http.StatusTooManyRequests, "/account/email/resend").refused("code_too_often", "")
	h.clock.Advance(time.Minute)
	v.post(http.StatusOK, "/account/email/resend").says("Another code was mailed.")
	v.post(http.StatusOK, "/account/email/present", "code", h.code(a.Email))
	v.post(http.StatusOK, "/account/email/new", "code", h.code("new@pay.example")).at("/account").says("new@pay.example")
	h.visitor().post(http.StatusUnauthorized, "/sign-in", "login", a.Email, "password", password)
	h.visitor().post(http.StatusOK, "/sign-in", "login", "new@pay.example", "password", password).at("/")

	v.post(http.StatusOK, "/account/phone", "phone", "+86 138 0000 0000").at("/account/phone")
	v.post(http.StatusOK, "/account/phone/present", "code", h.code("new@pay.example")).at("/account").says("+8613800000000")
}

func TestSessionsAreListedAndEnded(t *testing.T) {
	t.Parallel()
	h := open(t)
	a := h.payer("acme", money.CNY)
	here, there, third := h.signedIn(a), h.signedIn(a), h.signedIn(a)
	stranger := h.signedIn(h.payer("other", money.CNY))
	page := here.get(http.StatusOK, "/account/sessions")
	if n := page.Find("[data-session]").Length(); n != 3 {
		t.Fatalf("%d sessions are listed", n)
	}
	var others []string
	for i := range 3 {
		row := page.Find("[data-session]").Eq(i)
		if row.Find(".badge").Length() == 0 {
			session, _ := row.Attr("data-session")
			others = append(others, session)
		}
	}
	if len(others) != 2 {
		t.Fatalf("this one is not marked: %v", others)
	}
	stranger.post(http.StatusNotFound, "/account/sessions/"+others[0]+"/end").refused("session_unknown", "")
	here.post(http.StatusOK, "/account/sessions/"+others[0]+"/end").says("The session was ended.")
	here.post(http.StatusNotFound, "/account/sessions/"+others[0]+"/end").refused("session_unknown", "")
	here.post(http.StatusOK, "/account/sessions/end-others").says("All other sessions were ended.")
	here.get(http.StatusOK, "/account/sessions").at("/account/sessions")
	there.get(http.StatusOK, "/account/sessions").at("/sign-in")
	third.get(http.StatusOK, "/account/sessions").at("/sign-in")
	stranger.get(http.StatusOK, "/account/sessions").at("/account/sessions")
	here.post(http.StatusOK, "/sign-out").at("/sign-in")
	again := h.signedIn(a)
	if n := again.get(http.StatusOK, "/account/sessions").Find("[data-session]").Length(); n != 1 {
		t.Errorf("%d sessions after signing out and in", n)
	}
}
