package billingcenter

import (
	"context"
	"net/http"
	"slices"

	"tollgate.dev/internal/arrears"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/settle"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/workspace"
)

func (b *Console) workspacesPage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	a := payer(ctx)
	page := Workspaces{Currency: a.Currency, Month: period.DayOf(b.Now(), zoneOf(a.Currency)).Month()}
	var list []workspace.Workspace
	spent, standings := map[string]money.Amount{}, map[string]arrears.Standing{}
	err := b.Store.Read(ctx, func(tx *store.Tx) (err error) {
		if list, err = tx.WorkspacesPaidBy(ctx, a.ID); err != nil {
			return err
		}
		for _, ws := range list {
			if standings[ws.ID], err = arrears.Look(ctx, tx, ws); err != nil {
				return err
			}
		}
		days, err := tx.SpentByDay(ctx, store.BillQuery{Payer: a.ID, First: page.Month.First(), Last: page.Month.Last()}, a.Currency)
		if err != nil {
			return err
		}
		for _, day := range days {
			if spent[day.WorkspaceID], err = spent[day.WorkspaceID].Add(day.Total); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, ws := range list {
		s, err := site.Find(ws.Site)
		if err != nil {
			return err
		}
		page.Rows = append(page.Rows, WorkspaceRow{
			Workspace: ws, Zone: s.Zone, Spent: spent[ws.ID], Standing: standings[ws.ID], Changeable: len(s.Allowed(b.Profile, a.ArbitrarySettlement)) > 1,
		})
	}
	page.Frame = b.frame(r, web.T(ctx, "bc.nav.workspaces"), "workspaces")
	return web.Render(w, r, http.StatusOK, workspacesPage(page))
}

// rules are what this installation allows.
func (b *Console) rules() settle.Rules {
	return settle.Rules{Profile: b.Profile, Enabled: b.Clouds.Methods()}
}

func (b *Console) settlementPage(w http.ResponseWriter, r *http.Request) error {
	return b.renderSettlement(w, r, web.Blank())
}

func (b *Console) renderSettlement(w http.ResponseWriter, r *http.Request, form *web.Form) error {
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
	page := Settlement{
		Frame: b.frame(r, web.T(ctx, "bc.settlement.title"), "workspaces"), Form: form, Workspace: ws,
		Methods: s.Allowed(b.Profile, a.ArbitrarySettlement), Arbitrary: a.ArbitrarySettlement, Rules: b.rules(),
	}
	err = b.Store.Read(ctx, func(tx *store.Tx) error {
		stands, err := settle.Look(ctx, tx, ws, b.Now())
		page.Held = b.rules().Held(stands, b.Now())
		return err
	})
	if err != nil {
		return err
	}
	page.Selected, _ = s.Preselected(b.Profile, a.ArbitrarySettlement)
	if page.Held != nil || ws.Settlement != site.BillingCenter || !b.rules().Enables(page.Selected) || !slices.Contains(page.Methods, page.Selected) {
		page.Selected = ws.Settlement
	}
	return web.Render(w, r, form.Status(), settlementPage(page))
}

func (b *Console) settlement(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	if _, err := b.owned(r); err != nil {
		return err
	}
	err = b.Store.Write(ctx, func(tx *store.Tx) error {
		return b.changeSettlement(ctx, tx, r.PathValue("workspace"), site.Method(form.Text("method")), actor(r))
	})
	if form.Refused(err) {
		for i, f := range form.Faults {
			form.Faults[i] = f.On("method")
		}
		return b.renderSettlement(w, r, form)
	}
	if err != nil {
		return err
	}
	b.say(ctx, "bc.said.settlement")
	return web.SeeOther(w, r, Prefix+"/workspaces")
}

func (b *Console) changeSettlement(ctx context.Context, tx *store.Tx, workspaceID string, to site.Method, by workspace.Actor) error {
	ws, err := tx.WorkspaceForUpdate(ctx, workspaceID)
	if err != nil {
		return err
	}
	if ws.Payer != by.AccountID {
		return ErrNotPaid
	}
	_, err = b.rules().Choose(ctx, tx, workspaceID, settle.Choice{Method: to}, by, b.Now())
	return err
}
