package billingcenter

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/id"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/workspace"
)

// What a registration keeps in the session until it is done.
const (
	keyRegistration = "registration"
	keyReturn       = "return"
)

// Register is each page of the registration.
type Register struct {
	Frame  web.Frame
	Form   *web.Form
	Email  string // where the code was sent
	Return string // the upgrade that waits for the account; may be empty
}

// Registered is the last page: the account exists.
type Registered struct {
	Frame    web.Frame
	UserName string
	Email    string
	Currency money.Currency
	Return   string
}

func (b *Console) registerPage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	back := web.Within("/studio", r.URL.Query().Get("return"), "")
	b.web.Keep(ctx, keyReturn, back)
	currency, err := b.currencyOf(r, back)
	if err != nil {
		return err
	}
	form := web.Blank("currency", string(currency))
	for _, field := range []string{"user_name", "email"} {
		if text := r.URL.Query().Get(field); text != "" && len(text) <= 256 {
			form.Values.Set(field, text)
		}
	}
	return b.renderRegister(w, r, form)
}

// currencyOf preselects the currency: that of the workspace whose upgrade
// waits, else that of the address, else the domestic one.
func (b *Console) currencyOf(r *http.Request, back string) (money.Currency, error) {
	ctx := r.Context()
	for part := range strings.SplitSeq(back, "/") {
		if !id.Valid(id.Workspace, part) {
			continue
		}
		var ws workspace.Workspace
		err := b.Store.Read(ctx, func(tx *store.Tx) (err error) {
			ws, err = tx.Workspace(ctx, part)
			return err
		})
		if errors.Is(err, workspace.ErrUnknown) {
			break
		}
		if err != nil {
			return "", err
		}
		s, err := site.Find(ws.Site)
		return s.Currency, err
	}
	if c, err := money.ParseCurrency(r.URL.Query().Get("currency")); err == nil {
		return c, nil
	}
	return money.CNY, nil
}

func (b *Console) registration(r *http.Request, form *web.Form) Register {
	ctx := r.Context()
	f := b.frame(r, web.T(ctx, "bc.title.register"), "")
	f.Focused, f.Nav, f.Person = true, nil, nil
	return Register{Frame: f, Form: form, Return: b.web.Kept(ctx, keyReturn)}
}

func (b *Console) renderRegister(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	return web.Render(w, r, form.Status(), registerPage(b.registration(r, form)))
}

func (b *Console) register(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	basics := account.Basics{
		Currency: money.Currency(form.Text("currency")), UserName: form.Text("user_name"), Email: form.Text("email"),
		Phone: form.Text("phone"), Password: form.Text("password"), Repeat: form.Text("password_repeat"), Language: web.Language(ctx),
	}
	var began account.Registration
	err = b.Store.Write(ctx, func(tx *store.Tx) (err error) {
		began, err = account.Begin(ctx, tx, account.BillingSystem, basics, b.Now())
		return err
	})
	if form.Refused(err) {
		return b.renderRegister(w, r, form)
	}
	if err != nil {
		return err
	}
	b.web.Keep(ctx, keyRegistration, began.ID)
	return web.SeeOther(w, r, Prefix+"/register/verify")
}

// began is the registration that this browser is in the middle of.
func (b *Console) began(r *http.Request) (account.Registration, error) {
	ctx := r.Context()
	var began account.Registration
	id := b.web.Kept(ctx, keyRegistration)
	if id == "" {
		return began, account.ErrRegistrationUnknown
	}
	err := b.Store.Read(ctx, func(tx *store.Tx) (err error) {
		began, err = tx.Registration(ctx, id)
		return err
	})
	return began, err
}

func (b *Console) verifyPage(w http.ResponseWriter, r *http.Request) error {
	began, err := b.began(r)
	if err != nil {
		return err
	}
	if !began.VerifiedAt.IsZero() {
		return web.SeeOther(w, r, Prefix+"/register/company")
	}
	return b.renderVerify(w, r, began, web.Blank())
}

func (b *Console) renderVerify(w http.ResponseWriter, r *http.Request, began account.Registration, form *web.Form) error {
	page := b.registration(r, form)
	page.Email = began.Email
	return web.Render(w, r, form.Status(), verifyPage(page))
}

func (b *Console) verify(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	began, err := b.began(r)
	if err != nil {
		return err
	}
	err = b.Store.Write(ctx, func(tx *store.Tx) error {
		_, err := account.Verify(ctx, tx, began.ID, form.Text("code"), b.Now())
		return store.Keep(err)
	})
	if form.Refused(err) {
		return b.renderVerify(w, r, began, form)
	}
	if err != nil {
		return err
	}
	return web.SeeOther(w, r, Prefix+"/register/company")
}

func (b *Console) resend(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	began, err := b.began(r)
	if err != nil {
		return err
	}
	form := web.Blank()
	err = b.Store.Write(ctx, func(tx *store.Tx) error { return account.Resend(ctx, tx, began.ID, b.Now()) })
	if form.Refused(err) {
		return b.renderVerify(w, r, began, form)
	}
	if err != nil {
		return err
	}
	b.say(ctx, "bc.said.code_sent", "email", began.Email)
	return web.SeeOther(w, r, Prefix+"/register/verify")
}

func (b *Console) companyPage(w http.ResponseWriter, r *http.Request) error {
	began, err := b.began(r)
	if err != nil {
		return err
	}
	if began.VerifiedAt.IsZero() {
		return web.SeeOther(w, r, Prefix+"/register/verify")
	}
	return web.Render(w, r, http.StatusOK, companyPage(b.registration(r, web.Blank())))
}

func profileOf(form *web.Form) account.Profile {
	return account.Profile{
		Company: strings.TrimSpace(form.Text("company")), Industry: strings.TrimSpace(form.Text("industry")), Region: strings.TrimSpace(form.Text("region")),
		Introduction: strings.TrimSpace(form.Text("introduction")), Contact: strings.TrimSpace(form.Text("contact")),
	}
}

// company takes the last step: from here on the account exists and is signed in.
func (b *Console) company(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	began, err := b.began(r)
	if err != nil {
		return err
	}
	var a account.Billing
	err = b.Store.Write(ctx, func(tx *store.Tx) (err error) {
		a, err = account.FinishBilling(ctx, tx, began.ID, profileOf(form), form.Ticked("agreed"), web.Address(r), b.Now())
		return err
	})
	if form.Refused(err) {
		return web.Render(w, r, form.Status(), companyPage(b.registration(r, form)))
	}
	if err != nil {
		return err
	}
	if err := b.desk.Enter(r, a.ID, a.Password, ""); err != nil {
		return err
	}
	b.web.Forget(ctx, keyRegistration)
	if b.awaited(ctx) { // a purchase of a cloud brought the buyer here
		return web.SeeOther(w, r, arrivalPath)
	}
	return web.SeeOther(w, r, Prefix+"/register/done")
}

func (b *Console) registeredPage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	a := payer(ctx)
	f := b.frame(r, web.T(ctx, "bc.title.registered"), "")
	f.Focused, f.Nav, f.Person = true, nil, nil
	page := Registered{Frame: f, UserName: a.UserName, Email: a.Email, Currency: a.Currency}
	if back := b.web.Kept(ctx, keyReturn); back != "" {
		page.Return = withUserName(back, a.UserName)
	}
	return web.Render(w, r, http.StatusOK, registeredPage(page))
}

// withUserName leads back to the upgrade with the user name filled in.
func withUserName(back, userName string) string {
	u, err := url.Parse(back)
	if err != nil {
		return back
	}
	q := u.Query()
	q.Set("user_name", userName)
	u.RawQuery = q.Encode()
	return u.String()
}
