package billingcenter

import (
	"net/http"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
)

// Account is the page of the account itself. Each of its forms may be shown
// again with what was wrong.
type Account struct {
	Frame    web.Frame
	Account  account.Billing
	Zone     *time.Location
	Profile  *web.Form
	Language *web.Form
	Password *web.Form
}

func (b *Console) accountState(r *http.Request) Account {
	ctx := r.Context()
	a := payer(ctx)
	return Account{
		Frame: b.frame(r, web.T(ctx, "bc.title.account"), "account"), Account: a, Zone: zoneOf(a.Currency),
		Profile: web.Blank("company", a.Profile.Company, "industry", a.Profile.Industry, "region", a.Profile.Region,
			"introduction", a.Profile.Introduction, "contact", a.Profile.Contact),
		Language: web.Blank("language", a.Language), Password: web.Blank(),
	}
}

func (b *Console) accountPage(w http.ResponseWriter, r *http.Request) error {
	return web.Render(w, r, http.StatusOK, accountPage(b.accountState(r)))
}

func (b *Console) changeProfile(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	err = b.Store.Write(ctx, func(tx *store.Tx) error {
		return account.ChangeProfile(ctx, tx, payer(ctx).ID, profileOf(form), web.Address(r), b.Now())
	})
	if form.Refused(err) {
		page := b.accountState(r)
		page.Profile = form
		return web.Render(w, r, form.Status(), accountPage(page))
	}
	if err != nil {
		return err
	}
	b.say(ctx, "bc.said.profile")
	return web.SeeOther(w, r, Prefix+"/account")
}

func (b *Console) changeLanguage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	err = b.Store.Write(ctx, func(tx *store.Tx) error {
		return account.ChangeLanguage(ctx, tx, payer(ctx).ID, form.Text("language"), web.Address(r), b.Now())
	})
	if form.Refused(err) {
		page := b.accountState(r)
		page.Language = form
		return web.Render(w, r, form.Status(), accountPage(page))
	}
	if err != nil {
		return err
	}
	b.say(web.Prefer(r, form.Text("language")).Context(), "bc.said.language")
	return web.SeeOther(w, r, Prefix+"/account")
}

// changePassword ends every other session of the account; this one goes on
// under a fresh name.
func (b *Console) changePassword(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	a := payer(ctx)
	if !b.byLogin.Allows(a.ID) {
		err = account.ErrTooManyLogins.On("present_password")
	} else {
		a, err = b.newPassword(r, a, form)
	}
	if form.Refused(err) {
		page := b.accountState(r)
		page.Password = form
		return web.Render(w, r, form.Status(), accountPage(page))
	}
	if err != nil {
		return err
	}
	if err := b.enter(ctx, a); err != nil {
		return err
	}
	b.say(ctx, "bc.said.password")
	return web.SeeOther(w, r, Prefix+"/account")
}

func (b *Console) newPassword(r *http.Request, a account.Billing, form *web.Form) (account.Billing, error) {
	ctx := r.Context()
	if !account.PasswordMatches(a.Password, form.Text("present_password")) {
		b.byLogin.Failed(a.ID)
		return a, account.ErrPasswordPresent.On("present_password")
	}
	hash, err := account.NewPassword(form.Text("password"), form.Text("password_repeat"))
	if err != nil {
		return a, err
	}
	err = b.Store.Write(ctx, func(tx *store.Tx) error {
		return account.ChangePassword(ctx, tx, a.ID, hash, web.Address(r), b.Now())
	})
	a.Password = hash
	return a, err
}
