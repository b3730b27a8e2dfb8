package holder

import (
	"net/http"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
)

// ForgotPage asks which account's password is forgotten.
type ForgotPage struct {
	Frame  web.Frame
	Prefix string
	SignIn string
	System account.System
	Form   *web.Form
}

// ResetPage takes the mailed code and the new password.
type ResetPage struct {
	Frame  web.Frame
	Prefix string
	Form   *web.Form
	Email  string
}

// What a session remembers between the two pages.
const (
	keptResetEmail = "reset_email"
	keptResetSite  = "reset_site"
)

func (d *Desk) forgotPage(w http.ResponseWriter, r *http.Request) error {
	return d.renderForgot(w, r, web.Blank("email", r.URL.Query().Get("email"), "site", r.URL.Query().Get("site")))
}

func (d *Desk) renderForgot(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	f := d.Frame(r, web.T(r.Context(), "holder.forgot.title"), "")
	return web.Render(w, r, form.Status(), ForgotView(ForgotPage{Frame: f, Prefix: d.Prefix, SignIn: d.SignIn, System: d.System, Form: form}))
}

// forgot begins the way back. It says the same whether or not there is such an
// account, and leaves the looking to a job, so that it takes the same time.
func (d *Desk) forgot(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	asked, err := d.askReset(r, account.ResetWanted{System: d.System, Site: site.ID(form.Text("site")), Email: form.Text("email")})
	if form.Refused(err) {
		return d.renderForgot(w, r, form)
	}
	if err != nil {
		return err
	}
	d.Console.Keep(r.Context(), keptResetEmail, asked.Email)
	d.Console.Keep(r.Context(), keptResetSite, string(asked.Site))
	return web.SeeOther(w, r, d.Prefix+"/forgot/code")
}

func (d *Desk) askReset(r *http.Request, typed account.ResetWanted) (asked account.ResetWanted, err error) {
	ctx, place := r.Context(), web.Address(r)
	if !d.resets.Allows(place) {
		return typed, account.ErrTooManyLogins.On("email")
	}
	d.resets.Failed(place) // each request counts: nobody forgets thirty passwords
	err = d.Store.Write(ctx, func(tx *store.Tx) (err error) {
		if asked, err = account.AskReset(ctx, tx, typed, d.Now()); err != nil {
			return err
		}
		return tx.Enqueue(ctx, asked)
	})
	return asked, err
}

// wanted is the reset that this session began.
func (d *Desk) wanted(r *http.Request) account.ResetWanted {
	ctx := r.Context()
	return account.ResetWanted{System: d.System, Site: site.ID(d.Console.Kept(ctx, keptResetSite)), Email: d.Console.Kept(ctx, keptResetEmail)}
}

func (d *Desk) resetPage(w http.ResponseWriter, r *http.Request) error {
	return d.renderReset(w, r, web.Blank())
}

func (d *Desk) renderReset(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	email := d.wanted(r).Email
	if email == "" {
		return web.SeeOther(w, r, d.Prefix+"/forgot")
	}
	f := d.Frame(r, web.T(r.Context(), "holder.reset.title"), "")
	return web.Render(w, r, form.Status(), ResetView(ResetPage{Frame: f, Prefix: d.Prefix, Form: form, Email: email}))
}

func (d *Desk) resendReset(w http.ResponseWriter, r *http.Request) error {
	wanted, form := d.wanted(r), web.Blank()
	if wanted.Email == "" {
		return web.SeeOther(w, r, d.Prefix+"/forgot")
	}
	_, err := d.askReset(r, wanted)
	if form.Refused(err) {
		return d.renderReset(w, r, form)
	}
	if err != nil {
		return err
	}
	d.say(r.Context(), "holder.said.reset_code")
	return web.SeeOther(w, r, d.Prefix+"/forgot/code")
}

// reset takes the code. The new password is hashed before, so that a wrong
// code takes as long as a right one.
func (d *Desk) reset(w http.ResponseWriter, r *http.Request) error {
	ctx, place := r.Context(), web.Address(r)
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	wanted := d.wanted(r)
	if wanted.Email == "" {
		return web.SeeOther(w, r, d.Prefix+"/forgot")
	}
	var hash string
	if !d.resets.Allows("code " + place) {
		err = account.ErrTooManyLogins.On("code")
	} else if hash, err = account.NewPassword(form.Text("password"), form.Text("password_repeat")); err == nil {
		err = d.Store.Write(ctx, func(tx *store.Tx) error {
			return store.Keep(account.Reset(ctx, tx, wanted, form.Text("code"), hash, place, d.Now()))
		})
		if err != nil {
			d.resets.Failed("code " + place)
		}
	}
	if form.Refused(err) {
		return d.renderReset(w, r, form)
	}
	if err != nil {
		return err
	}
	d.Console.Forget(ctx, keptResetEmail)
	d.Console.Forget(ctx, keptResetSite)
	d.say(ctx, "holder.said.reset")
	return web.SeeOther(w, r, d.SignIn)
}
