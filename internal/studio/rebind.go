package studio

import (
	"errors"
	"net/http"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/rebind"
	"tollgate.dev/internal/settle"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/workspace"
)

// rebindPage is each step of moving the workspace to another account.
type rebindPage struct {
	Frame web.Frame
	Place place
	Form  *web.Form
	Payer account.Billing // that pays now
	Draft rebind.Draft    // zero while no account is named
}

func (c *Console) rebindRoutes() []web.Route {
	return []web.Route{
		of("GET", "/rebind", workspace.PayBilling, c.showRebind),
		of("POST", "/rebind", workspace.PayBilling, c.nameRebind),
		of("POST", "/rebind/confirm", workspace.PayBilling, c.confirmRebind),
	}
}

func (c *Console) showRebind(w http.ResponseWriter, r *http.Request) error {
	return c.renderRebind(w, r, web.Blank(), r.URL.Query().Get("again") != "")
}

// renderRebind shows the step that the re-binding is at; first shows the
// first one again.
func (c *Console) renderRebind(w http.ResponseWriter, r *http.Request, form *web.Form, first bool) error {
	ctx, v := r.Context(), visitOf(r)
	if v.place.Workspace.Plan != workspace.Commercial {
		return settle.ErrNotCommercial
	}
	page := rebindPage{Frame: c.frame(r, web.T(ctx, "studio.rebind.title"), "billing"), Place: v.place, Form: form}
	err := c.store.Read(ctx, func(tx *store.Tx) (err error) {
		if page.Payer, err = tx.BillingByID(ctx, v.place.Workspace.Payer); err != nil || first {
			return err
		}
		d, err := tx.RebindDraft(ctx, v.place.Workspace.ID, v.account.ID)
		if errors.Is(err, rebind.ErrNotNamed) {
			return nil
		}
		if c.now().Before(d.NamedAt.Add(rebind.DraftLife)) {
			page.Draft = d
		}
		return err
	})
	if err != nil {
		return err
	}
	return web.Render(w, r, form.Status(), rebindView(page))
}

func (c *Console) nameRebind(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	ctx, v := r.Context(), visitOf(r)
	err = c.store.Write(ctx, func(tx *store.Tx) error {
		_, err := rebind.Name(ctx, tx, v.place.Workspace.ID, form.Text("user_name"), form.Text("email"), v.actor(r), c.now())
		return err
	})
	if form.Refused(err) {
		return c.renderRebind(w, r, form, true)
	}
	if err != nil {
		return err
	}
	return web.SeeOther(w, r, v.place.path("rebind"))
}

func (c *Console) confirmRebind(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	ctx, v := r.Context(), visitOf(r)
	err = c.store.Write(ctx, func(tx *store.Tx) error {
		_, err := rebind.Confirm(ctx, tx, v.place.Workspace.ID, form.Text("code"), form.Text("workspace_name"), v.actor(r), c.now())
		return store.Keep(err)
	})
	if form.Refused(err) {
		return c.renderRebind(w, r, form, false)
	}
	if err != nil {
		return err
	}
	c.Say(ctx, web.Good, web.T(ctx, "studio.rebind.done"))
	return web.SeeOther(w, r, v.place.path("billing"))
}
