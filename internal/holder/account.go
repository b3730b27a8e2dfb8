package holder

import (
	"net/http"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
)

// AccountPage is the page of the account itself. Each of its forms may be
// shown again with what was wrong.
type AccountPage struct {
	Frame    web.Frame
	Prefix   string
	System   account.System
	Holder   account.Person
	Identity []web.Pair
	Links    []web.Action
	Zone     *time.Location
	Profile  *web.Form
	Language *web.Form
	Password *web.Form
}

func (d *Desk) accountState(r *http.Request) AccountPage {
	ctx := r.Context()
	p := d.Holder(ctx)
	page := AccountPage{
		Frame: d.Frame(r, web.T(ctx, "holder.title"), "account"), Prefix: d.Prefix, System: d.System, Holder: p,
		Identity: d.Identity(ctx), Zone: d.Zone(ctx),
		Profile: web.Blank("company", p.Profile.Company, "industry", p.Profile.Industry, "region", p.Profile.Region,
			"introduction", p.Profile.Introduction, "contact", p.Profile.Contact),
		Language: web.Blank("language", p.Language), Password: web.Blank(),
	}
	if d.Links != nil {
		page.Links = d.Links(ctx)
	}
	return page
}

func (d *Desk) accountPage(w http.ResponseWriter, r *http.Request) error {
	return web.Render(w, r, http.StatusOK, AccountView(d.accountState(r)))
}

func (d *Desk) changeProfile(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	profile := account.Profile{
		Company: form.Text("company"), Industry: form.Text("industry"), Region: form.Text("region"),
		Introduction: form.Text("introduction"), Contact: form.Text("contact"),
	}
	err = d.Store.Write(ctx, func(tx *store.Tx) error {
		return account.ChangeProfile(ctx, tx, d.who(r), profile, d.Now())
	})
	if form.Refused(err) {
		page := d.accountState(r)
		page.Profile = form
		return web.Render(w, r, form.Status(), AccountView(page))
	}
	if err != nil {
		return err
	}
	d.say(ctx, "holder.said.profile")
	return web.SeeOther(w, r, d.Prefix+"/account")
}

func (d *Desk) changeLanguage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	err = d.Store.Write(ctx, func(tx *store.Tx) error {
		return account.ChangeLanguage(ctx, tx, d.who(r), form.Text("language"), d.Now())
	})
	if form.Refused(err) {
		page := d.accountState(r)
		page.Language = form
		return web.Render(w, r, form.Status(), AccountView(page))
	}
	if err != nil {
		return err
	}
	d.say(web.Prefer(r, form.Text("language")).Context(), "holder.said.language")
	return web.SeeOther(w, r, d.Prefix+"/account")
}

// changePassword ends every other session of the account; this one goes on
// under a fresh name.
func (d *Desk) changePassword(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	p := d.Holder(ctx)
	var hash string
	if !d.guesses.Allows(p.ID) {
		err = account.ErrTooManyLogins.On("present_password")
	} else {
		hash, err = d.newPassword(r, p, form)
	}
	if form.Refused(err) {
		page := d.accountState(r)
		page.Password = form
		return web.Render(w, r, form.Status(), AccountView(page))
	}
	if err != nil {
		return err
	}
	if err := d.enter(ctx, p.ID, hash, d.Console.Kept(ctx, keptSignIn)); err != nil {
		return err
	}
	d.say(ctx, "holder.said.password")
	return web.SeeOther(w, r, d.Prefix+"/account")
}

func (d *Desk) newPassword(r *http.Request, p account.Person, form *web.Form) (string, error) {
	ctx := r.Context()
	if !account.PasswordMatches(p.Password, form.Text("present_password")) {
		d.guesses.Failed(p.ID)
		return "", account.ErrPasswordPresent.On("present_password")
	}
	hash, err := account.NewPassword(form.Text("password"), form.Text("password_repeat"))
	if err != nil {
		return "", err
	}
	return hash, d.Store.Write(ctx, func(tx *store.Tx) error {
		return account.ChangePassword(ctx, tx, d.who(r), hash, d.Console.Kept(ctx, keptSignIn), d.Now())
	})
}
