package studio

import (
	"cmp"
	"errors"
	"net/http"
	"strings"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/workspace"
)

// keptRegistration is the registration under way in this session.
const keptRegistration = "registration"

func (c *Console) showBasics(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	return c.basicsPage(w, r, form)
}

func (c *Console) basicsPage(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	page := basicsPage{Frame: c.frame(r, web.T(r.Context(), "studio.signup.title"), ""), Form: form}
	return web.Render(w, r, form.Status(), basicsView(page))
}

// begin takes step 1 and mails the code.
func (c *Console) begin(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	ctx, basics := r.Context(), account.Basics{
		Site: site.ID(form.Text("site")), UserName: form.Text("user_name"), Email: form.Text("email"), Phone: form.Text("phone"),
		Password: form.Text("password"), Repeat: form.Text("password_repeat"), Language: web.Language(r.Context()),
	}
	var started account.Registration
	err = c.store.Write(ctx, func(tx *store.Tx) (err error) {
		started, err = account.Begin(ctx, tx, account.StudioSystem, basics, c.now())
		return err
	})
	if form.Refused(err) {
		return c.basicsPage(w, r, form)
	}
	if err != nil {
		return err
	}
	c.Keep(ctx, keptRegistration, started.ID)
	return web.SeeOther(w, r, Prefix+"/sign-up/verify")
}

// registration is the one under way, or ErrRegistrationUnknown.
func (c *Console) registration(r *http.Request) (account.Registration, error) {
	var found account.Registration
	err := c.store.Read(r.Context(), func(tx *store.Tx) (err error) {
		found, err = tx.Registration(r.Context(), c.Kept(r.Context(), keptRegistration))
		return err
	})
	return found, err
}

// again leads to where somebody without a registration belongs: the next step
// if the account exists by now, else the first.
func (c *Console) again(w http.ResponseWriter, r *http.Request, err error) error {
	if !errors.Is(err, account.ErrRegistrationUnknown) {
		return err
	}
	if visitOf(r) != nil {
		return web.SeeOther(w, r, Prefix+"/")
	}
	return err
}

func (c *Console) showVerify(w http.ResponseWriter, r *http.Request) error {
	started, err := c.registration(r)
	if err != nil {
		return c.again(w, r, err)
	}
	if !started.VerifiedAt.IsZero() {
		return web.SeeOther(w, r, Prefix+"/sign-up/company")
	}
	return c.verifyPage(w, r, web.Blank(), started.Email)
}

func (c *Console) verifyPage(w http.ResponseWriter, r *http.Request, form *web.Form, email string) error {
	page := verifyPage{Frame: c.frame(r, web.T(r.Context(), "studio.signup.verify_title"), ""), Form: form, Email: email}
	return web.Render(w, r, form.Status(), verifyView(page))
}

// verify takes the mailed code; a wrong one counts.
func (c *Console) verify(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	started, err := c.registration(r)
	if err != nil {
		return c.again(w, r, err)
	}
	ctx := r.Context()
	err = c.store.Write(ctx, func(tx *store.Tx) error {
		_, err := account.Verify(ctx, tx, started.ID, form.Text("code"), c.now())
		return store.Keep(err)
	})
	if form.Refused(err) {
		return c.verifyPage(w, r, form, started.Email)
	}
	if err != nil {
		return err
	}
	return web.SeeOther(w, r, Prefix+"/sign-up/company")
}

func (c *Console) resend(w http.ResponseWriter, r *http.Request) error {
	started, err := c.registration(r)
	if err != nil {
		return c.again(w, r, err)
	}
	ctx, form := r.Context(), web.Blank()
	err = c.store.Write(ctx, func(tx *store.Tx) error { return account.Resend(ctx, tx, started.ID, c.now()) })
	if form.Refused(err) {
		return c.verifyPage(w, r, form, started.Email)
	}
	if err != nil {
		return err
	}
	c.Say(ctx, web.Good, web.T(ctx, "studio.signup.resent"))
	return web.SeeOther(w, r, Prefix+"/sign-up/verify")
}

func (c *Console) showCompany(w http.ResponseWriter, r *http.Request) error {
	started, err := c.registration(r)
	if err != nil {
		return c.again(w, r, err)
	}
	if started.VerifiedAt.IsZero() {
		return web.SeeOther(w, r, Prefix+"/sign-up/verify")
	}
	return c.companyPage(w, r, web.Blank())
}

func (c *Console) companyPage(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	page := companyPage{Frame: c.frame(r, web.T(r.Context(), "studio.signup.company_title"), ""), Form: form}
	return web.Render(w, r, form.Status(), companyView(page))
}

// finish takes step 2: the Studio account exists from here on.
func (c *Console) finish(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	ctx, profile := r.Context(), account.Profile{
		Company: form.Text("company"), Industry: form.Text("industry"), Region: form.Text("region"),
		Introduction: form.Text("introduction"), Contact: form.Text("contact"),
	}
	var a account.Studio
	joined := 0
	err = c.store.Write(ctx, func(tx *store.Tx) (err error) {
		a, err = account.FinishStudio(ctx, tx, c.Kept(ctx, keptRegistration), profile, form.Ticked("agreed"), web.Address(r), c.now())
		if err != nil {
			return err
		}
		joined, err = workspace.Welcome(ctx, tx, a, web.Address(r), c.now())
		return err
	})
	if errors.Is(err, account.ErrRegistrationUnknown) {
		return c.again(w, r, err)
	}
	if form.Refused(err) {
		return c.companyPage(w, r, form)
	}
	if err != nil {
		return err
	}
	c.Forget(ctx, keptRegistration)
	if err := c.desk.Enter(r, a.ID, a.Password, ""); err != nil {
		return err
	}
	if joined > 0 { // by invitation; a workspace of one's own can be made at any time
		c.Say(ctx, web.Good, web.T(ctx, "studio.team.welcome", "count", joined))
		return web.SeeOther(w, r, Prefix+"/")
	}
	return web.SeeOther(w, r, Prefix+"/workspaces/new")
}

func (c *Console) showCreate(w http.ResponseWriter, r *http.Request) error {
	return c.createPage(w, r, web.Blank())
}

func (c *Console) createPage(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	v := visitOf(r)
	s, err := site.Find(v.account.Site)
	if err != nil {
		return err
	}
	page := createPage{
		Frame: c.frame(r, web.T(r.Context(), "studio.create.title"), ""), Form: form, Site: s, First: len(v.list) == 0,
		Beside: form.Ticked("beside") || r.Method == http.MethodGet, UserName: v.account.UserName,
	}
	return web.Render(w, r, form.Status(), createView(page))
}

// sameWithin is how soon a second workspace of one name is taken for a second
// click on one button.
const sameWithin = time.Minute

// create takes step 3; the Billing Center account of the ticked box is made in
// the same transaction, so that a taken user name leaves nothing half done.
func (c *Console) create(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	ctx, v := r.Context(), visitOf(r)
	first := len(v.list) == 0
	var made workspace.Workspace
	err = c.store.Write(ctx, func(tx *store.Tx) (err error) {
		if made, err = c.twin(r, tx, form.Text("name")); err != nil || made.ID != "" {
			return err
		}
		if first && form.Ticked("beside") {
			name := cmp.Or(strings.TrimSpace(form.Text("billing_user_name")), v.account.UserName)
			if _, err := account.Beside(ctx, tx, v.account, name, web.Address(r), c.now()); err != nil {
				return err
			}
		}
		made, err = workspace.Create(ctx, tx, v.account.Site, form.Text("name"), form.Text("language"), v.actor(r), c.now())
		return err
	})
	if form.Refused(err) {
		return c.createPage(w, r, form)
	}
	if err != nil {
		return err
	}
	c.Keep(ctx, keptWorkspace, made.ID)
	c.Say(ctx, web.Good, web.T(ctx, "studio.create.created", "workspace", made.Name))
	tail := "start"
	if first {
		tail = "start?new=yes"
	}
	return web.SeeOther(w, r, place{Workspace: made}.path(tail))
}

// twin finds the workspace that the first of two clicks made.
func (c *Console) twin(r *http.Request, tx *store.Tx, name string) (workspace.Workspace, error) {
	ctx, v := r.Context(), visitOf(r)
	list, err := tx.WorkspacesOf(ctx, v.account.ID)
	if err != nil {
		return workspace.Workspace{}, err
	}
	for _, m := range list {
		if m.Role == workspace.Owner && m.Workspace.Name == name && c.now().Sub(m.Workspace.CreatedAt) < sameWithin {
			return m.Workspace, nil
		}
	}
	return workspace.Workspace{}, nil
}
