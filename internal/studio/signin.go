package studio

import (
	"errors"
	"net/http"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
)

// keptWorkspace is the workspace that was visited last in this session.
const keptWorkspace = "workspace"

// home leads to the workspace visited last, to the first, or to the page that
// creates one: where a cut-off registration goes on (domain section 4).
func (c *Console) home(w http.ResponseWriter, r *http.Request) error {
	v := visitOf(r)
	if len(v.list) == 0 {
		return web.SeeOther(w, r, Prefix+"/workspaces/new")
	}
	target := v.list[0].Workspace.ID
	for _, m := range v.list {
		if m.Workspace.ID == c.Kept(r.Context(), keptWorkspace) {
			target = m.Workspace.ID
		}
	}
	return web.SeeOther(w, r, Prefix+"/workspaces/"+target)
}

// enter opens a workspace and remembers it.
func (c *Console) enter(w http.ResponseWriter, r *http.Request) error {
	p := visitOf(r).place
	c.Keep(r.Context(), keptWorkspace, p.Workspace.ID)
	return web.SeeOther(w, r, p.path("start"))
}

func (c *Console) showSignIn(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	if c.Account(r.Context()) != "" && visitOf(r) != nil {
		return web.SeeOther(w, r, web.LocalPath(form.Text("return"), Prefix+"/"))
	}
	return c.signInPage(w, r, form)
}

func (c *Console) signInPage(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	page := signInPage{Frame: c.frame(r, web.T(r.Context(), "studio.signin.title"), ""), Form: form, Return: web.LocalPath(form.Text("return"), "")}
	return web.Render(w, r, form.Status(), signInView(page))
}

func (c *Console) signIn(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	a, err := c.authenticate(r, form)
	if form.Refused(err) {
		return c.signInPage(w, r, form)
	}
	if err != nil {
		return err
	}
	if err := c.desk.Enter(r, a.ID, a.Password, ""); err != nil {
		return err
	}
	return web.SeeOther(w, r, web.LocalPath(form.Text("return"), Prefix+"/"))
}

// authenticate finds the account and checks its password. Unknown accounts
// take the same time and get the same answer as wrong passwords.
func (c *Console) authenticate(r *http.Request, form *web.Form) (account.Studio, error) {
	email, err := account.NormalEmail(form.Text("email"))
	if err != nil {
		email = ""
	}
	where := site.ID(form.Text("site"))
	keys := []string{"address " + web.Address(r), "account " + string(where) + " " + email}
	if !c.logins.Allows(keys...) {
		return account.Studio{}, account.ErrTooManyLogins
	}
	var a account.Studio
	err = c.store.Read(r.Context(), func(tx *store.Tx) (err error) {
		a, err = tx.StudioByEmail(r.Context(), where, email)
		return err
	})
	if err != nil && !errors.Is(err, account.ErrUnknown) {
		return a, err
	}
	if !account.PasswordMatches(a.Password, form.Text("password")) {
		c.logins.Failed(keys...)
		return account.Studio{}, account.ErrLogin.On("password")
	}
	c.logins.Succeeded(keys[1])
	return a, nil
}

func (c *Console) signOut(w http.ResponseWriter, r *http.Request) error {
	if err := c.desk.Leave(r); err != nil {
		return err
	}
	return web.SeeOther(w, r, Prefix+"/sign-in")
}
