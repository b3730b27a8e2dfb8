package billingcenter

import (
	"net/http"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/rebind"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/workspace"
)

// TakeOver is each page of a re-binding that this account began: the Owner's
// code, and then a last look.
type TakeOver struct {
	Frame       web.Frame
	Form        *web.Form
	WorkspaceID string
	OwnerEmail  string              // masked; the code went there
	Workspace   workspace.Workspace // zero until the code was right
	Present     account.Billing     // who pays now; zero until the code was right
	Account     account.Billing
}

func (b *Console) takeOvers() []web.Route {
	route := func(method, path string, h web.Handler) web.Route {
		return web.Route{Method: method, Pattern: Prefix + "/workspaces/{workspace}/take-over" + path, Needs: web.SignedIn, Handler: h}
	}
	return []web.Route{
		route(http.MethodGet, "", b.takeOverPage),
		route(http.MethodPost, "", b.proveTakeOver),
		route(http.MethodPost, "/resend", b.resendTakeOver),
		route(http.MethodPost, "/confirm", b.confirmTakeOver),
	}
}

func (b *Console) claim(r *http.Request, id string) error {
	ctx := r.Context()
	return b.Store.Write(ctx, func(tx *store.Tx) error {
		_, err := rebind.Claim(ctx, tx, id, actor(r), b.Now())
		return err
	})
}

func (b *Console) takeOverPage(w http.ResponseWriter, r *http.Request) error {
	return b.renderTakeOver(w, r, web.Blank())
}

func (b *Console) renderTakeOver(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	ctx, a := r.Context(), payer(r.Context())
	page := TakeOver{Form: form, WorkspaceID: r.PathValue("workspace"), Account: a}
	err := b.Store.Read(ctx, func(tx *store.Tx) error {
		d, err := tx.RebindDraft(ctx, page.WorkspaceID, a.ID)
		if err != nil {
			return err
		}
		if !b.Now().Before(d.NamedAt.Add(rebind.DraftLife)) {
			return rebind.ErrNotNamed
		}
		page.OwnerEmail = account.MaskEmail(d.Email)
		if d.ProvedAt.IsZero() {
			return nil
		}
		if page.Workspace, err = tx.Workspace(ctx, d.WorkspaceID); err != nil {
			return err
		}
		page.Present, err = tx.BillingByID(ctx, page.Workspace.Payer)
		return err
	})
	if err != nil {
		return err
	}
	page.Frame = b.frame(r, web.T(ctx, "desk.take.title"), "workspaces")
	if page.Workspace.ID == "" {
		return web.Render(w, r, form.Status(), takeOverCodePage(page))
	}
	return web.Render(w, r, form.Status(), takeOverConfirmPage(page))
}

func (b *Console) proveTakeOver(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	ctx, id := r.Context(), r.PathValue("workspace")
	err = b.Store.Write(ctx, func(tx *store.Tx) error {
		_, err := rebind.Prove(ctx, tx, id, form.Text("code"), actor(r), b.Now())
		return store.Keep(err)
	})
	return b.tookStep(w, r, form, err, bindPath(id, "/take-over"))
}

// tookStep leads to the next page, or shows this one with what is wrong.
func (b *Console) tookStep(w http.ResponseWriter, r *http.Request, form *web.Form, err error, next string) error {
	if form.Refused(err) {
		return b.renderTakeOver(w, r, form)
	}
	if err != nil {
		return err
	}
	return web.SeeOther(w, r, next)
}

func (b *Console) resendTakeOver(w http.ResponseWriter, r *http.Request) error {
	form, id := web.Blank(), r.PathValue("workspace")
	err := b.claim(r, id)
	if form.Refused(err) {
		for i, f := range form.Faults { // the code field is the one on this page
			form.Faults[i] = f.On("code")
		}
		return b.renderTakeOver(w, r, form)
	}
	if err != nil {
		return err
	}
	b.say(r.Context(), "bc.said.code_sent_owner")
	return web.SeeOther(w, r, bindPath(id, "/take-over"))
}

func (b *Console) confirmTakeOver(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	ctx, id := r.Context(), r.PathValue("workspace")
	var taken workspace.Workspace
	err = b.Store.Write(ctx, func(tx *store.Tx) (err error) {
		taken, err = rebind.TakeOver(ctx, tx, id, actor(r), b.Now())
		return err
	})
	if err == nil {
		b.say(ctx, "desk.take.done", "workspace", taken.Name)
	}
	return b.tookStep(w, r, form, err, Prefix+"/workspaces")
}
