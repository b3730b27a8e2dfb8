package billingcenter

import (
	"errors"
	"net/http"
	"strings"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
)

// SignIn is the page on which an account signs in.
type SignIn struct {
	Frame  web.Frame
	Form   *web.Form
	Return string
}

func (b *Console) signInPage(w http.ResponseWriter, r *http.Request) error {
	if payer(r.Context()).ID != "" {
		return web.SeeOther(w, r, Prefix+"/")
	}
	return b.renderSignIn(w, r, &web.Form{Values: r.URL.Query()})
}

func (b *Console) renderSignIn(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	f := b.frame(r, web.T(r.Context(), "bc.title.sign_in"), "")
	return web.Render(w, r, form.Status(), signInPage(SignIn{Frame: f, Form: form, Return: web.Within(Prefix, form.Text("return"), "")}))
}

func (b *Console) signIn(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	login := strings.ToLower(strings.TrimSpace(form.Text("login")))
	a, err := b.authenticate(r, login, form.Text("password"))
	if form.Refused(err) {
		return b.renderSignIn(w, r, form)
	}
	if err != nil {
		return err
	}
	if err := b.desk.Enter(r, a.ID, a.Password, ""); err != nil {
		return err
	}
	return web.SeeOther(w, r, web.Within(Prefix, form.Text("return"), Prefix+"/"))
}

// authenticate finds the account by user name, e-mail address or phone. An
// unknown account and a wrong password are one refusal and take the same time.
func (b *Console) authenticate(r *http.Request, login, password string) (account.Billing, error) {
	ctx := r.Context()
	place := web.Address(r)
	if !b.byLogin.Allows(login) || !b.byPlace.Allows(place) {
		return account.Billing{}, account.ErrTooManyLogins
	}
	var a account.Billing
	err := b.Store.Read(ctx, func(tx *store.Tx) (err error) {
		a, err = tx.BillingByLogin(ctx, login)
		if errors.Is(err, account.ErrUnknown) {
			if phone, bad := account.NormalPhone(login); bad == nil && phone != "" {
				a, err = tx.BillingByLogin(ctx, phone)
			}
		}
		return err
	})
	if err != nil && !errors.Is(err, account.ErrUnknown) {
		return a, err
	}
	if !account.PasswordMatches(a.Password, password) {
		b.byLogin.Failed(login)
		b.byPlace.Failed(place)
		return a, account.ErrLogin.On("login")
	}
	if a.Disabled {
		return a, account.ErrDisabled.On("login")
	}
	b.byLogin.Succeeded(login)
	return a, b.Store.Write(ctx, func(tx *store.Tx) error {
		return tx.Audit(ctx, audit.Entry{At: b.Now(), Actor: a.ID, Address: place, Action: "billing_account.signed_in", Subject: a.ID})
	})
}

func (b *Console) signOut(w http.ResponseWriter, r *http.Request) error {
	if err := b.desk.Leave(r); err != nil {
		return err
	}
	return web.SeeOther(w, r, signInPath)
}

// enterByTicket signs in whoever comes from Studio with a ticket. The ticket
// is spent by the page that is shown, not by a browser that looks ahead.
func (b *Console) enterByTicket(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	if r.Method == http.MethodHead || strings.Contains(r.Header.Get("Sec-Purpose"), "prefetch") || r.Header.Get("Purpose") == "prefetch" {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	var a account.Billing
	var t account.Ticket
	err := b.Store.Write(ctx, func(tx *store.Tx) (err error) {
		at := b.Now()
		if t, err = tx.UseTicket(ctx, r.URL.Query().Get("ticket"), at); err != nil {
			return err
		}
		if a, err = tx.BillingByID(ctx, t.BillingID); err != nil {
			return err
		}
		if a.Disabled {
			return account.ErrDisabled
		}
		return tx.Audit(ctx, audit.Entry{
			At: at, Actor: t.StudioID, Address: web.Address(r), Action: "billing_account.entered_from_studio", Subject: a.ID,
		})
	})
	if err != nil {
		return err
	}
	if err := b.desk.Enter(r, a.ID, a.Password, t.StudioID); err != nil {
		return err
	}
	return web.SeeOther(w, r, web.Within(Prefix, t.Target, Prefix+"/"))
}
