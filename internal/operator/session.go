package operator

import (
	"errors"
	"net/http"
	"strings"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
)

// SignIn is the page on which an operator signs in.
type SignIn struct {
	Frame  web.Frame
	Form   *web.Form
	Return string
}

func (o *Console) signInPage(w http.ResponseWriter, r *http.Request) error {
	if operator(r.Context()).ID != "" {
		return web.SeeOther(w, r, Prefix+"/")
	}
	return o.renderSignIn(w, r, &web.Form{Values: r.URL.Query()})
}

func (o *Console) renderSignIn(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	f := o.frame(r, web.T(r.Context(), "op.title.sign_in"), "")
	return web.Render(w, r, form.Status(), signInPage(SignIn{Frame: f, Form: form, Return: web.Within(Prefix, form.Text("return"), Prefix+"/")}))
}

func (o *Console) signIn(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	a, err := o.authenticate(r, strings.ToLower(strings.TrimSpace(form.Text("email"))), form.Text("password"))
	if form.Refused(err) {
		return o.renderSignIn(w, r, form)
	}
	if err != nil {
		return err
	}
	if err := o.web.EnterWith(ctx, a.ID, a.Password); err != nil {
		return err
	}
	return web.SeeOther(w, r, web.Within(Prefix, form.Text("return"), Prefix+"/"))
}

func (o *Console) authenticate(r *http.Request, email, password string) (account.Operator, error) {
	ctx, place := r.Context(), web.Address(r)
	if !o.byLogin.Allows(email) || !o.byPlace.Allows(place) {
		return account.Operator{}, account.ErrTooManyLogins
	}
	var a account.Operator
	err := o.Store.Read(ctx, func(tx *store.Tx) (err error) {
		a, err = tx.OperatorByEmail(ctx, email)
		return err
	})
	if err != nil && !errors.Is(err, account.ErrUnknown) {
		return a, err
	}
	matches := account.PasswordMatches(a.Password, password)
	entry := audit.Entry{At: o.Clock.Now(), Actor: a.ID, Address: place, Action: "operator.signed_in", Subject: a.ID}
	if !matches {
		o.byLogin.Failed(email)
		o.byPlace.Failed(place)
		if a.ID == "" {
			return a, account.ErrLogin.On("email")
		}
		entry.Action = "operator.sign_in_refused"
	} else {
		o.byLogin.Succeeded(email)
	}
	if a.Disabled() {
		entry.Action = "operator.sign_in_refused"
	}
	if err := o.Store.Write(ctx, func(tx *store.Tx) error { return tx.Audit(ctx, entry) }); err != nil {
		return a, err
	}
	switch {
	case !matches:
		return a, account.ErrLogin.On("email")
	case a.Disabled():
		return a, account.ErrDisabled.On("email")
	}
	return a, nil
}

func (o *Console) signOut(w http.ResponseWriter, r *http.Request) error {
	if err := o.web.Leave(r.Context()); err != nil {
		return err
	}
	return web.SeeOther(w, r, signInPath)
}
