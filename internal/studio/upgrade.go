package studio

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/upgrade"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/workspace"
)

// draft is the upgrade under way, or an empty one.
func (c *Console) draft(r *http.Request) (upgrade.Draft, error) {
	ctx, v := r.Context(), visitOf(r)
	var d upgrade.Draft
	err := c.store.Read(ctx, func(tx *store.Tx) (err error) {
		d, err = tx.UpgradeDraft(ctx, v.place.Workspace.ID, v.account.ID)
		return err
	})
	if errors.Is(err, upgrade.ErrNotBegun) || err == nil && !c.now().Before(d.NamedAt.Add(upgrade.DraftLife)) {
		return upgrade.Draft{}, nil
	}
	return d, err
}

// step runs one step of the upgrade in a transaction that keeps a wrong try.
func (c *Console) step(r *http.Request, f func(tx *store.Tx, workspaceID string, actor workspace.Actor) error) error {
	v := visitOf(r)
	return c.store.Write(r.Context(), func(tx *store.Tx) error {
		return store.Keep(f(tx, v.place.Workspace.ID, v.actor(r)))
	})
}

func (c *Console) showBind(w http.ResponseWriter, r *http.Request) error {
	if err := visitOf(r).place.Workspace.Upgradable(); err != nil {
		return err
	}
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	return c.bindPage(w, r, form)
}

func (c *Console) bindPage(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	d, err := c.draft(r)
	if err != nil {
		return err
	}
	if form.Ticked("again") || form.Values.Has("user_name") {
		d = upgrade.Draft{}
	}
	p := visitOf(r).place
	page := bindPage{
		Frame: c.frame(r, web.T(r.Context(), "studio.bind.title"), "upgrade"), Place: p, Form: form, Draft: d,
		Register: "/billing-center/register?return=" + url.QueryEscape(p.path("upgrade/bind")),
	}
	return web.Render(w, r, form.Status(), bindView(page))
}

// name takes the user name, which is verified (the upgrade page, "Bind").
func (c *Console) name(w http.ResponseWriter, r *http.Request) error {
	return c.bindStep(w, r, func(form *web.Form, tx *store.Tx, id string, actor workspace.Actor) error {
		_, err := upgrade.Name(r.Context(), tx, id, form.Text("user_name"), actor, c.now())
		return err
	})
}

// mail takes the address bound to the account and mails a code there.
func (c *Console) mail(w http.ResponseWriter, r *http.Request) error {
	return c.bindStep(w, r, func(form *web.Form, tx *store.Tx, id string, actor workspace.Actor) error {
		_, err := upgrade.Mail(r.Context(), tx, id, form.Text("email"), actor, c.now())
		return err
	})
}

// prove takes the code and goes on to the agreement.
func (c *Console) prove(w http.ResponseWriter, r *http.Request) error {
	return c.bindStep(w, r, func(form *web.Form, tx *store.Tx, id string, actor workspace.Actor) error {
		_, err := upgrade.Prove(r.Context(), tx, id, form.Text("code"), actor, c.now())
		return err
	})
}

type bindFunc func(form *web.Form, tx *store.Tx, workspaceID string, actor workspace.Actor) error

// bindStep takes one form of the bind page and shows the page again, with what
// is wrong or with the next form; a proven account leads to the agreement.
func (c *Console) bindStep(w http.ResponseWriter, r *http.Request, f bindFunc) error {
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	err = c.step(r, func(tx *store.Tx, id string, actor workspace.Actor) error { return f(form, tx, id, actor) })
	if errors.Is(err, workspace.ErrAlready) || errors.Is(err, workspace.ErrLocked) || errors.Is(err, workspace.ErrDissolved) {
		return err
	}
	if form.Refused(err) {
		return c.bindPage(w, r, form)
	}
	if err != nil {
		return err
	}
	d, err := c.draft(r)
	if err != nil {
		return err
	}
	tail := "upgrade/bind"
	if !d.VerifiedAt.IsZero() {
		tail = "upgrade/agreement"
	}
	return web.SeeOther(w, r, visitOf(r).place.path(tail))
}

// proven gives the draft if the account is proven; otherwise it leads back to
// the step that is missing.
func (c *Console) proven(w http.ResponseWriter, r *http.Request) (d upgrade.Draft, ok bool, err error) {
	p := visitOf(r).place
	if err := p.Workspace.Upgradable(); err != nil {
		return d, false, err
	}
	d, err = c.draft(r)
	if err != nil {
		return d, false, err
	}
	if d.VerifiedAt.IsZero() {
		return d, false, web.SeeOther(w, r, p.path("upgrade/bind"))
	}
	return d, true, nil
}

func (c *Console) showAgreement(w http.ResponseWriter, r *http.Request) error {
	if _, ok, err := c.proven(w, r); !ok {
		return err
	}
	return c.agreementPage(w, r, web.Blank())
}

func (c *Console) agreementPage(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	title, rest, _ := strings.Cut(upgrade.AgreementText(web.Language(r.Context())), "\n\n")
	page := agreementPage{
		Frame: c.frame(r, web.T(r.Context(), "studio.upgrade.step2"), "upgrade"), Place: visitOf(r).place, Form: form,
		Title: title, Paragraphs: strings.Split(rest, "\n\n"),
	}
	return web.Render(w, r, form.Status(), agreementView(page))
}

func (c *Console) agree(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	err = c.step(r, func(tx *store.Tx, id string, actor workspace.Actor) error {
		_, err := upgrade.Agree(r.Context(), tx, id, form.Text("version"), form.Text("language"), form.Ticked("agreed"), actor, c.now())
		return err
	})
	switch {
	case errors.Is(err, upgrade.ErrNotVerified), errors.Is(err, upgrade.ErrNotBegun):
		return web.SeeOther(w, r, visitOf(r).place.path("upgrade/bind"))
	case form.Refused(err):
		return c.agreementPage(w, r, form)
	case err != nil:
		return err
	}
	return web.SeeOther(w, r, visitOf(r).place.path("upgrade/confirm"))
}

func (c *Console) showConfirm(w http.ResponseWriter, r *http.Request) error {
	d, ok, err := c.proven(w, r)
	if !ok {
		return err
	}
	if d.AgreedAt.IsZero() {
		return web.SeeOther(w, r, visitOf(r).place.path("upgrade/agreement"))
	}
	return c.confirmPage(w, r, web.Blank(), d)
}

func (c *Console) confirmPage(w http.ResponseWriter, r *http.Request, form *web.Form, d upgrade.Draft) error {
	page := confirmPage{Frame: c.frame(r, web.T(r.Context(), "studio.upgrade.step3"), "upgrade"), Place: visitOf(r).place, Form: form, Draft: d}
	return web.Render(w, r, form.Status(), confirmView(page))
}

// confirm makes the workspace Commercial. A second click gets the same page.
func (c *Console) confirm(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	ctx, p := r.Context(), visitOf(r).place
	var result upgrade.Result
	err = c.store.Write(ctx, func(tx *store.Tx) (err error) {
		result, err = upgrade.Confirm(ctx, tx, p.Workspace.ID, form.Text("workspace_name"), visitOf(r).actor(r), c.now())
		return err
	})
	switch {
	case errors.Is(err, workspace.ErrAlready), errors.Is(err, workspace.ErrLocked), errors.Is(err, workspace.ErrDissolved):
		return err
	case errors.Is(err, upgrade.ErrNotBegun), errors.Is(err, upgrade.ErrNotVerified):
		return web.SeeOther(w, r, p.path("upgrade/bind"))
	case form.Refused(err):
		d, err := c.draft(r)
		if err != nil {
			return err
		}
		return c.confirmPage(w, r, form, d)
	case err != nil:
		return err
	}
	if result.Repeated {
		c.Say(ctx, web.Plain, web.T(ctx, "studio.done.repeated"))
	}
	return web.SeeOther(w, r, p.path("upgrade/done"))
}

// done shows what changed. Where nothing but the Billing Center may settle, it
// leads straight back to Billing (the upgrade page's note on cn4).
func (c *Console) done(w http.ResponseWriter, r *http.Request) error {
	ctx, p := r.Context(), visitOf(r).place
	if p.Workspace.Plan != workspace.Commercial {
		return web.SeeOther(w, r, p.path("upgrade"))
	}
	payer, err := c.payer(r)
	if err != nil {
		return err
	}
	_, offered := p.Site.Preselected(c.options.Profile, payer.ArbitrarySettlement)
	if !offered {
		c.Say(ctx, web.Good, web.T(ctx, "studio.done.flash", "workspace", p.Workspace.Name, "payer", payer.UserName))
		return web.SeeOther(w, r, p.path("billing"))
	}
	page := donePage{Frame: c.frame(r, web.T(ctx, "studio.upgrade.step4"), "billing"), Place: p, Payer: payer, Offered: offered}
	return web.Render(w, r, http.StatusOK, doneView(page))
}

// payer is the Billing Center account of the workspace.
func (c *Console) payer(r *http.Request) (account.Billing, error) {
	ctx := r.Context()
	var b account.Billing
	err := c.store.Read(ctx, func(tx *store.Tx) (err error) {
		b, err = tx.BillingByID(ctx, visitOf(r).place.Workspace.Payer)
		return err
	})
	return b, err
}
