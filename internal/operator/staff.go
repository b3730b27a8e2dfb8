package operator

import (
	"errors"
	"net/http"
	"net/url"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
)

const (
	operatorsPath = Prefix + "/operators"
	ownPath       = Prefix + "/account"
)

// Staff is the operators and the form that makes another one.
type Staff struct {
	Frame web.Frame
	Form  *web.Form
	Rows  []account.Operator
}

// StaffView is one operator.
type StaffView struct {
	Frame    web.Frame
	Form     *web.Form
	Operator account.Operator
	Own      bool
	Log      []store.AuditLine
}

// Handed is a password that was made by this very request. It is nowhere else.
type Handed struct {
	Frame    web.Frame
	Operator account.Operator
	Password string
	Address  string // where to sign in
}

// Own is the operator's own page.
type Own struct {
	Frame    web.Frame
	Form     *web.Form
	Operator account.Operator
}

// staff are the routes of operators' accounts.
func (o *Console) staff() []web.Route {
	const one = operatorsPath + "/{operator}"
	keep := needs(account.KeepOperators)
	return []web.Route{
		{Method: http.MethodGet, Pattern: operatorsPath, Needs: needs(account.Look), Handler: o.staffPage},
		{Method: http.MethodPost, Pattern: operatorsPath, Needs: keep, Handler: o.addOperator},
		{Method: http.MethodGet, Pattern: one, Needs: needs(account.Look), Handler: o.operatorPage},
		{Method: http.MethodPost, Pattern: one + "/role", Needs: keep, Handler: o.giveRole},
		{Method: http.MethodPost, Pattern: one + "/password", Needs: keep, Handler: o.resetPassword},
		{Method: http.MethodPost, Pattern: one + "/disable", Needs: keep, Handler: o.disableOperator},
		{Method: http.MethodPost, Pattern: one + "/enable", Needs: keep, Handler: o.enableOperator},
		{Method: http.MethodGet, Pattern: ownPath, Needs: needs(account.Look), Handler: o.ownPage},
		{Method: http.MethodPost, Pattern: ownPath + "/password", Needs: needs(account.Look), Handler: o.changePassword},
	}
}

func (o *Console) by(r *http.Request) account.By {
	return account.By{ID: operator(r.Context()).ID, Address: web.Address(r)}
}

func operatorPath(id string) string { return operatorsPath + "/" + url.PathEscape(id) }

func (o *Console) staffPage(w http.ResponseWriter, r *http.Request) error {
	return o.showStaff(w, r, web.Blank())
}

func (o *Console) showStaff(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	ctx := r.Context()
	page := Staff{Frame: o.frame(r, web.T(ctx, "op.nav.operators"), "operators"), Form: form}
	err := o.Store.Read(ctx, func(tx *store.Tx) (err error) {
		page.Rows, err = tx.Operators(ctx)
		return err
	})
	if err != nil {
		return err
	}
	return web.Render(w, r, form.Status(), staffPage(page))
}

func (o *Console) addOperator(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	first, err := account.NewFirstPassword()
	if err != nil {
		return err
	}
	var made account.Operator
	err = o.Store.Write(ctx, func(tx *store.Tx) (err error) {
		made, err = account.AddOperator(ctx, tx, account.OperatorDraft{
			Email: form.Text("email"), Name: form.Text("name"), Role: account.OperatorRole(form.Text("role")), Language: web.Language(ctx),
		}, first.Hash, o.by(r), o.Clock.Now())
		return err
	})
	if form.Refused(err) {
		return o.showStaff(w, r, form)
	}
	if err != nil {
		return err
	}
	return o.handOver(w, r, made, first.Text)
}

// handOver shows a fresh password, this once.
func (o *Console) handOver(w http.ResponseWriter, r *http.Request, to account.Operator, password string) error {
	frame := o.frame(r, web.T(r.Context(), "op.operators.handed", "name", to.Name), "operators")
	return web.Render(w, r, http.StatusOK, handedPage(Handed{Frame: frame, Operator: to, Password: password, Address: o.BaseURL + signInPath}))
}

func (o *Console) operatorPage(w http.ResponseWriter, r *http.Request) error {
	return o.showOperator(w, r, web.Blank())
}

func (o *Console) showOperator(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	ctx := r.Context()
	page := StaffView{Form: form}
	err := o.Store.Read(ctx, func(tx *store.Tx) (err error) {
		if page.Operator, err = tx.OperatorByID(ctx, r.PathValue("operator")); err != nil {
			return err
		}
		page.Log, err = tx.AuditLog(ctx, page.Operator.ID, 0, logLines)
		return err
	})
	if err != nil {
		return err
	}
	page.Own = page.Operator.ID == operator(ctx).ID
	page.Frame = o.frame(r, page.Operator.Name, "operators")
	return web.Render(w, r, form.Status(), staffView(page))
}

// changed makes a change of an operator and shows him again.
func (o *Console) changed(w http.ResponseWriter, r *http.Request, said string, change func(tx *store.Tx, id string, form *web.Form) error) error {
	ctx := r.Context()
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	id := r.PathValue("operator")
	err = o.Store.Write(ctx, func(tx *store.Tx) error { return change(tx, id, form) })
	if err == nil {
		o.say(ctx, web.Good, said)
		return web.SeeOther(w, r, operatorPath(id))
	}
	if errors.Is(err, account.ErrUnknown) || !form.Refused(err) {
		return err
	}
	return o.showOperator(w, r, form)
}

func (o *Console) giveRole(w http.ResponseWriter, r *http.Request) error {
	return o.changed(w, r, "op.said.role", func(tx *store.Tx, id string, form *web.Form) error {
		return account.GiveRole(r.Context(), tx, id, account.OperatorRole(form.Text("role")), o.by(r), o.Clock.Now())
	})
}

func (o *Console) disableOperator(w http.ResponseWriter, r *http.Request) error {
	return o.changed(w, r, "op.said.disabled", func(tx *store.Tx, id string, _ *web.Form) error {
		return account.DisableOperator(r.Context(), tx, id, o.by(r), o.Clock.Now())
	})
}

func (o *Console) enableOperator(w http.ResponseWriter, r *http.Request) error {
	return o.freshPassword(w, r, func(tx *store.Tx, id, hash string) (bool, error) {
		return account.EnableOperator(r.Context(), tx, id, hash, o.by(r), o.Clock.Now())
	})
}

func (o *Console) resetPassword(w http.ResponseWriter, r *http.Request) error {
	return o.freshPassword(w, r, func(tx *store.Tx, id, hash string) (bool, error) {
		return true, account.ResetOperatorPassword(r.Context(), tx, id, hash, o.by(r), o.Clock.Now())
	})
}

// freshPassword gives an operator a password that the house made; set says
// whether it was needed.
func (o *Console) freshPassword(w http.ResponseWriter, r *http.Request, set func(tx *store.Tx, id, hash string) (bool, error)) error {
	ctx := r.Context()
	first, err := account.NewFirstPassword()
	if err != nil {
		return err
	}
	var to account.Operator
	needed, id := false, r.PathValue("operator")
	err = o.Store.Write(ctx, func(tx *store.Tx) (err error) {
		if needed, err = set(tx, id, first.Hash); err != nil {
			return err
		}
		to, err = tx.OperatorByID(ctx, id)
		return err
	})
	form := web.Blank()
	switch {
	case errors.Is(err, account.ErrUnknown):
		return err
	case form.Refused(err):
		return o.showOperator(w, r, form)
	case err != nil:
		return err
	case !needed:
		return web.SeeOther(w, r, operatorPath(id))
	}
	return o.handOver(w, r, to, first.Text)
}

func (o *Console) ownPage(w http.ResponseWriter, r *http.Request) error {
	return o.showOwn(w, r, web.Blank())
}

func (o *Console) showOwn(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	ctx := r.Context()
	return web.Render(w, r, form.Status(), ownPage(Own{Frame: o.frame(r, web.T(ctx, "op.own.title"), "account"), Form: form, Operator: operator(ctx)}))
}

// changePassword replaces the operator's own password. This session goes on,
// every other one ends.
func (o *Console) changePassword(w http.ResponseWriter, r *http.Request) error {
	ctx, me := r.Context(), operator(r.Context())
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	if !o.byLogin.Allows(me.Email) {
		return account.ErrTooManyLogins
	}
	hash, err := account.NewPassword(form.Text("password"), form.Text("password_repeat"))
	if err == nil && !account.PasswordMatches(me.Password, form.Text("password_present")) {
		o.byLogin.Failed(me.Email)
		err = account.ErrPasswordPresent.On("password_present")
	}
	if err == nil {
		err = o.Store.Write(ctx, func(tx *store.Tx) error {
			return account.ChangeOperatorPassword(ctx, tx, me, hash, web.Address(r), o.Clock.Now())
		})
	}
	if form.Refused(err) {
		return o.showOwn(w, r, form)
	}
	if err != nil {
		return err
	}
	if err := o.web.EnterWith(ctx, me.ID, hash); err != nil {
		return err
	}
	o.say(ctx, web.Good, "op.said.password")
	return web.SeeOther(w, r, ownPath)
}
