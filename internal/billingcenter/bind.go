package billingcenter

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/arrears"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/upgrade"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/workspace"
)

// Bind is each page of entry B of the upgrade: this account names a
// workspace, its Owner's code proves it, the agreement is accepted, and the
// workspace becomes Commercial (domain section 5).
type Bind struct {
	Frame       web.Frame
	Form        *web.Form
	WorkspaceID string
	OwnerEmail  string // masked; the code went there
	SentAt      time.Time
	Zone        *time.Location
	Version     string   // of the agreement
	Title       string   // of the agreement
	Paragraphs  []string // of the agreement
	Workspace   workspace.Workspace
	Account     account.Billing
	AgreedAt    time.Time
}

// Opened is the page after it.
type Opened struct {
	Frame      web.Frame
	Workspace  workspace.Workspace
	UserName   string
	Email      string
	At         time.Time
	Zone       *time.Location
	Selectable bool // the site offers more than the Billing Center
}

func (b *Console) bindState(r *http.Request, form *web.Form) Bind {
	ctx := r.Context()
	a := payer(ctx)
	f := b.frame(r, web.T(ctx, "bc.title.bind"), "workspaces")
	return Bind{Frame: f, Form: form, Account: a, Zone: zoneOf(a.Currency), WorkspaceID: r.PathValue("workspace")}
}

func bindPath(workspaceID, step string) string {
	return Prefix + "/workspaces/" + url.PathEscape(workspaceID) + step
}

func (b *Console) bindPage(w http.ResponseWriter, r *http.Request) error {
	return web.Render(w, r, http.StatusOK, bindPage(b.bindState(r, &web.Form{Values: r.URL.Query()})))
}

func (b *Console) bind(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	id, next := strings.TrimSpace(form.Text("workspace_id")), ""
	a := payer(r.Context())
	if !b.byLogin.Allows("bind:" + a.ID) {
		err = account.ErrTooManyLogins.On("workspace_id")
	} else {
		next, err = b.beginBinding(r, id)
	}
	if form.Refused(err) {
		if fault.From(err).Kind == fault.NotFound {
			b.byLogin.Failed("bind:" + a.ID)
		}
		return web.Render(w, r, form.Status(), bindPage(b.bindState(r, form)))
	}
	if err != nil {
		return err
	}
	return web.SeeOther(w, r, bindPath(id, next))
}

// beginBinding begins what the workspace allows: its upgrade, or its re-binding
// where another account pays for it.
func (b *Console) beginBinding(r *http.Request, id string) (next string, err error) {
	if err = b.startBinding(r, id); !errors.Is(err, upgrade.ErrBoundElsewhere) {
		return "/bind", err
	}
	return "/take-over", b.claim(r, id)
}

func (b *Console) startBinding(r *http.Request, id string) error {
	ctx := r.Context()
	return b.Store.Write(ctx, func(tx *store.Tx) error {
		_, err := upgrade.Bind(ctx, tx, id, actor(r), b.Now())
		return err
	})
}

// drafted reads this account's upgrade of the workspace. Only after the
// Owner's code was right does the page show what the workspace is called.
func (b *Console) drafted(r *http.Request) (upgrade.Draft, workspace.Workspace, error) {
	ctx := r.Context()
	var d upgrade.Draft
	var ws workspace.Workspace
	err := b.Store.Read(ctx, func(tx *store.Tx) (err error) {
		if d, err = tx.UpgradeDraft(ctx, r.PathValue("workspace"), payer(ctx).ID); err != nil {
			return err
		}
		if !d.DoneAt.IsZero() || b.Now().Before(d.NamedAt.Add(upgrade.DraftLife)) {
			ws, err = tx.Workspace(ctx, d.WorkspaceID)
			return err
		}
		return upgrade.ErrNotBegun
	})
	return d, ws, err
}

// step leads whoever is on the wrong page of the sequence to the right one.
func step(d upgrade.Draft) string {
	switch {
	case !d.DoneAt.IsZero():
		return "/opened"
	case d.VerifiedAt.IsZero():
		return "/bind"
	case d.AgreedAt.IsZero():
		return "/agreement"
	}
	return "/confirm"
}

func (b *Console) bindCodePage(w http.ResponseWriter, r *http.Request) error {
	return b.renderBindCode(w, r, web.Blank())
}

func (b *Console) renderBindCode(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	d, _, err := b.drafted(r)
	if err != nil {
		return err
	}
	if !d.VerifiedAt.IsZero() {
		return web.SeeOther(w, r, bindPath(d.WorkspaceID, step(d)))
	}
	page := b.bindState(r, form)
	page.OwnerEmail, page.SentAt = account.MaskEmail(d.Email), d.SentAt
	return web.Render(w, r, form.Status(), bindCodePage(page))
}

func (b *Console) bindCode(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	id := r.PathValue("workspace")
	err = b.Store.Write(ctx, func(tx *store.Tx) error {
		_, err := upgrade.Prove(ctx, tx, id, form.Text("code"), actor(r), b.Now())
		return store.Keep(err)
	})
	if form.Refused(err) {
		return b.renderBindCode(w, r, form)
	}
	if err != nil {
		return err
	}
	return web.SeeOther(w, r, bindPath(id, "/agreement"))
}

func (b *Console) bindResend(w http.ResponseWriter, r *http.Request) error {
	form := web.Blank()
	err := b.startBinding(r, r.PathValue("workspace"))
	if form.Refused(err) {
		for i, f := range form.Faults { // the code field is the one on this page
			form.Faults[i] = f.On("code")
		}
		return b.renderBindCode(w, r, form)
	}
	if err != nil {
		return err
	}
	b.say(r.Context(), "bc.said.code_sent_owner")
	return web.SeeOther(w, r, bindPath(r.PathValue("workspace"), "/bind"))
}

func (b *Console) bindAgreementPage(w http.ResponseWriter, r *http.Request) error {
	return b.renderAgreement(w, r, web.Blank())
}

func (b *Console) renderAgreement(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	d, ws, err := b.drafted(r)
	if err != nil {
		return err
	}
	if d.VerifiedAt.IsZero() || !d.DoneAt.IsZero() {
		return web.SeeOther(w, r, bindPath(d.WorkspaceID, step(d)))
	}
	page := b.bindState(r, form)
	page.Workspace = ws
	page.Version = upgrade.AgreementVersion
	page.Title, page.Paragraphs = paragraphs(upgrade.AgreementText(web.Language(r.Context())))
	return web.Render(w, r, form.Status(), bindAgreementPage(page))
}

// paragraphs parts a text into its title line and what follows.
func paragraphs(text string) (string, []string) {
	parts := strings.Split(text, "\n\n")
	return strings.TrimSpace(parts[0]), parts[1:]
}

func (b *Console) bindAgreement(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	id := r.PathValue("workspace")
	err = b.Store.Write(ctx, func(tx *store.Tx) error {
		_, err := upgrade.Agree(ctx, tx, id, form.Text("version"), web.Language(ctx), form.Ticked("agreed"), actor(r), b.Now())
		return err
	})
	if form.Refused(err) {
		return b.renderAgreement(w, r, form)
	}
	if err != nil {
		return err
	}
	return web.SeeOther(w, r, bindPath(id, "/confirm"))
}

func (b *Console) bindConfirmPage(w http.ResponseWriter, r *http.Request) error {
	return b.renderConfirm(w, r, web.Blank())
}

func (b *Console) renderConfirm(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	d, ws, err := b.drafted(r)
	if err != nil {
		return err
	}
	if s := step(d); s != "/confirm" {
		return web.SeeOther(w, r, bindPath(d.WorkspaceID, s))
	}
	page := b.bindState(r, form)
	page.Workspace, page.AgreedAt, page.Version = ws, d.AgreedAt, d.Agreement
	return web.Render(w, r, form.Status(), bindConfirmPage(page))
}

func (b *Console) bindConfirm(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	id := r.PathValue("workspace")
	err = b.Store.Write(ctx, func(tx *store.Tx) error {
		_, err := upgrade.ConfirmBinding(ctx, tx, id, actor(r), b.Now())
		return err
	})
	if form.Refused(err) {
		return b.renderConfirm(w, r, form)
	}
	if err != nil {
		return err
	}
	return web.SeeOther(w, r, bindPath(id, "/opened"))
}

func (b *Console) openedPage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	ws, err := b.owned(r)
	if err != nil {
		return err
	}
	s, err := site.Find(ws.Site)
	if err != nil {
		return err
	}
	a := payer(ctx)
	return web.Render(w, r, http.StatusOK, openedPage(Opened{
		Frame: b.frame(r, web.T(ctx, "bc.title.opened"), "workspaces"), Workspace: ws, UserName: a.UserName, Email: a.Email,
		At: ws.UpgradedAt, Zone: s.Zone, Selectable: len(s.Allowed(b.Profile, a.ArbitrarySettlement)) > 1,
	}))
}

// owned is the workspace of the address, if this account pays for it.
func (b *Console) owned(r *http.Request) (workspace.Workspace, error) {
	ctx := r.Context()
	var ws workspace.Workspace
	err := b.Store.Read(ctx, func(tx *store.Tx) (err error) {
		ws, err = tx.Workspace(ctx, r.PathValue("workspace"))
		return err
	})
	if err == nil && ws.Payer != payer(ctx).ID {
		return workspace.Workspace{}, ErrNotPaid
	}
	if fault.From(err) != nil && fault.From(err).Code == workspace.ErrUnknown.Code {
		return ws, ErrNotPaid
	}
	return ws, err
}

// ErrNotPaid is a workspace that this account does not pay for, whether or not
// there is one of that ID.
var ErrNotPaid = arrears.ErrNotPaid
