package billingcenter

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/arrears"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/workspace"
)

// StandingView is how a workspace stands, and the way out.
type StandingView struct {
	Frame     web.Frame
	Form      *web.Form
	Workspace workspace.Workspace
	Standing  arrears.Standing
	Zone      *time.Location
	Owner     account.Studio
}

// standingPath is the page of a workspace's standing.
func standingPath(workspaceID string) string { return bindPath(workspaceID, "/standing") }

func (b *Console) standingPage(w http.ResponseWriter, r *http.Request) error {
	return b.renderStanding(w, r, web.Blank())
}

func (b *Console) renderStanding(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	ctx := r.Context()
	ws, err := b.owned(r)
	if err != nil {
		return err
	}
	s, err := site.Find(ws.Site)
	if err != nil {
		return err
	}
	page := StandingView{
		Frame: b.frame(r, web.T(ctx, "standing.unlock_title"), "workspaces"), Form: form, Workspace: ws, Zone: s.Zone,
	}
	err = b.Store.Read(ctx, func(tx *store.Tx) (err error) {
		if page.Standing, err = arrears.Look(ctx, tx, ws); err != nil {
			return err
		}
		page.Owner, err = tx.StudioByID(ctx, ws.OwnerID)
		return err
	})
	if err != nil {
		return err
	}
	return web.Render(w, r, form.Status(), standingPage(page))
}

// unlock says what is missing, or unlocks what was paid this very moment.
func (b *Console) unlock(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	ctx := r.Context()
	ws, err := b.owned(r)
	if err != nil {
		return err
	}
	err = b.Store.Write(ctx, func(tx *store.Tx) error { return arrears.Unlock(ctx, tx, ws.ID, b.Now()) })
	if form.Refused(err) {
		return b.renderStanding(w, r, form)
	}
	if err != nil {
		return err
	}
	b.say(ctx, "standing.unlocked_said", "workspace", ws.Name)
	return web.SeeOther(w, r, standingPath(ws.ID))
}

// missing is the recharge page with the amount that is owed.
func missing(owed money.Amount) string {
	return Prefix + "/recharge?" + url.Values{"amount": {owed.String()}}.Encode()
}

// stopped is the banner of an account in arrears, on every page of it.
func (b *Console) stopped(ctx context.Context, a account.Billing) []web.Notice {
	s, known := ctx.Value(standingKey{}).(arrears.Standing)
	if !known || len(s.Clocks) == 0 {
		return nil
	}
	n := web.Stopped(ctx, s, b.Now(), zoneOf(a.Currency), true)
	n.Action = &web.Action{Label: web.T(ctx, "standing.recharge", "amount", web.Money(s.Owed), "currency", string(s.Owed.Currency())), Href: missing(s.Owed)}
	return []web.Notice{n}
}

type standingKey struct{}
