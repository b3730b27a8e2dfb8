package billingcenter

import (
	"net/http"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/arrears"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/workspace"
)

// Dissolution is the page on which the payer ends a workspace, with a code
// that its Owner was mailed.
type Dissolution struct {
	Frame      web.Frame
	Form       *web.Form
	Workspace  workspace.Workspace
	OwnerEmail string // masked
}

func (b *Console) dissolutions() []web.Route {
	route := func(method, path string, h web.Handler) web.Route {
		return web.Route{Method: method, Pattern: Prefix + "/workspaces/{workspace}/dissolve" + path, Needs: web.SignedIn, Handler: h}
	}
	return []web.Route{
		route(http.MethodGet, "", b.dissolvePage),
		route(http.MethodPost, "", b.dissolve),
		route(http.MethodPost, "/code", b.askDissolve),
	}
}

func (b *Console) dissolvePage(w http.ResponseWriter, r *http.Request) error {
	return b.renderDissolve(w, r, web.Blank())
}

func (b *Console) renderDissolve(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	ctx := r.Context()
	ws, err := b.owned(r)
	if err != nil {
		return err
	}
	if ws.State == workspace.Cleared || ws.State == workspace.Dissolved {
		if len(form.Faults) > 0 {
			return form.Faults[0] // ended meanwhile, in another tab
		}
		return web.SeeOther(w, r, standingPath(ws.ID))
	}
	page := Dissolution{Frame: b.frame(r, web.T(ctx, "standing.dissolve_title"), "workspaces"), Form: form, Workspace: ws}
	err = b.Store.Read(ctx, func(tx *store.Tx) error {
		owner, err := tx.StudioByID(ctx, ws.OwnerID)
		page.OwnerEmail = account.MaskEmail(owner.Email)
		return err
	})
	if err != nil {
		return err
	}
	return web.Render(w, r, form.Status(), dissolvePage(page))
}

func (b *Console) askDissolve(w http.ResponseWriter, r *http.Request) error {
	ctx, form := r.Context(), web.Blank()
	ws, err := b.owned(r)
	if err != nil {
		return err
	}
	err = b.Store.Write(ctx, func(tx *store.Tx) error { return arrears.AskConsent(ctx, tx, ws.ID, actor(r), b.Now()) })
	if form.Refused(err) {
		for i, f := range form.Faults { // the code is what was asked for
			form.Faults[i] = f.On("code")
		}
		return b.renderDissolve(w, r, form)
	}
	if err != nil {
		return err
	}
	b.say(ctx, "bc.said.code_sent_owner")
	return web.SeeOther(w, r, bindPath(ws.ID, "/dissolve"))
}

func (b *Console) dissolve(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	ctx := r.Context()
	ws, err := b.owned(r)
	if err != nil {
		return err
	}
	err = b.Store.Write(ctx, func(tx *store.Tx) error {
		_, err := arrears.DissolvePaid(ctx, tx, ws.ID, form.Text("workspace_name"), form.Text("code"), actor(r), b.Now())
		return store.Keep(err)
	})
	if form.Refused(err) {
		return b.renderDissolve(w, r, form)
	}
	if err != nil {
		return err
	}
	b.say(ctx, "standing.dissolved_said", "workspace", ws.Name)
	return web.SeeOther(w, r, Prefix+"/workspaces")
}
