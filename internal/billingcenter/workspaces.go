package billingcenter

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/arrears"
	"tollgate.dev/internal/export"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/settle"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/workspace"
)

// workspaceListing is the list of an account's workspaces as its address says.
func workspaceListing(r *http.Request) web.Listing {
	return web.NewListing(Prefix+"/workspaces", r.URL.Query(), []string{"name", "-name", "-opened", "opened"}, "text", "site", "state", "settlement")
}

func workspaceQuery(l web.Listing, payer string) store.WorkspaceQuery {
	return store.WorkspaceQuery{
		Text: l.Text("text"), Payer: payer, Site: site.ID(l.Text("site")), State: workspace.State(l.Text("state")),
		Settlement: site.Method(l.Text("settlement")), Order: l.Order(),
	}
}

func (b *Console) workspacesPage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	a, list, after := payer(ctx), workspaceListing(r), r.URL.Query().Get("after")
	page := Workspaces{Currency: a.Currency, Month: period.DayOf(b.Now(), zoneOf(a.Currency)).Month(), List: list, CSV: list.Of(Prefix + "/workspaces.csv")}
	err := b.Store.Read(ctx, func(tx *store.Tx) (err error) {
		q := workspaceQuery(list, a.ID)
		if page.Count, err = tx.CountWorkspaces(ctx, q); err != nil {
			return err
		}
		found, err := tx.WorkspacesIn(ctx, q, after, pageSize)
		if err != nil {
			return err
		}
		if n := len(found); n > 0 {
			page.Pager = list.Pages(after, found[n-1].ID, n == pageSize)
		}
		page.Rows, err = b.workspaceRows(ctx, tx, a, found)
		return err
	})
	if err != nil {
		return err
	}
	page.Frame = b.frame(r, web.T(ctx, "bc.nav.workspaces"), "workspaces")
	return web.Render(w, r, http.StatusOK, workspacesPage(page))
}

// workspaceRows say of each workspace how it stands and what it cost this month.
func (b *Console) workspaceRows(ctx context.Context, tx *store.Tx, a account.Billing, list []workspace.Workspace) ([]WorkspaceRow, error) {
	month := period.DayOf(b.Now(), zoneOf(a.Currency)).Month()
	days, err := tx.SpentByDay(ctx, store.BillQuery{Payer: a.ID, First: month.First(), Last: month.Last()}, a.Currency)
	if err != nil {
		return nil, err
	}
	spent := map[string]money.Amount{}
	for _, day := range days {
		sum, known := spent[day.WorkspaceID]
		if !known {
			sum = money.Of(0, a.Currency)
		}
		if spent[day.WorkspaceID], err = sum.Add(day.Total); err != nil {
			return nil, err
		}
	}
	rows := make([]WorkspaceRow, len(list))
	for i, ws := range list {
		s, err := site.Find(ws.Site)
		if err != nil {
			return nil, err
		}
		rows[i] = WorkspaceRow{Workspace: ws, Zone: s.Zone, Spent: spent[ws.ID], Changeable: len(s.Allowed(b.Profile, a.ArbitrarySettlement)) > 1}
		if rows[i].Standing, err = arrears.Look(ctx, tx, ws); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// workspacesCSV is the whole list that the filters name.
func (b *Console) workspacesCSV(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	a, list := payer(ctx), workspaceListing(r)
	var found []WorkspaceRow
	err := b.Store.Read(ctx, func(tx *store.Tx) error {
		all, err := tx.WorkspacesIn(ctx, workspaceQuery(list, a.ID), "", exported+1)
		if err != nil {
			return err
		}
		if len(all) > exported {
			return ErrExport
		}
		found, err = b.workspaceRows(ctx, tx, a, all)
		return err
	})
	if err != nil {
		return err
	}
	rows := [][]string{{"workspace_id", "workspace", "site", "plan", "state", "locks_at", "settlement", "opened_at", "month", "currency", "spent"}}
	month := period.DayOf(b.Now(), zoneOf(a.Currency)).Month()
	for _, row := range found {
		locks := ""
		if at := row.Standing.LockAt(); !at.IsZero() {
			locks = web.Machine(at)
		}
		ws := row.Workspace
		rows = append(rows, []string{
			ws.ID, export.Inert(ws.Name), string(ws.Site), string(ws.Plan), string(ws.State), locks, string(ws.Settlement), web.Machine(ws.UpgradedAt),
			month.String(), string(a.Currency), row.Spent.String(),
		})
	}
	return web.CSV(w, "workspaces.csv", rows)
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
	to := site.Method(form.Text("method"))
	err = b.Store.Write(ctx, func(tx *store.Tx) error {
		return b.changeSettlement(ctx, tx, r.PathValue("workspace"), settle.Choice{Method: to}, actor(r))
	})
	if errors.Is(err, settle.ErrNoSubscription) { // all else is right: which account of the cloud is the next question
		return web.SeeOther(w, r, bindPath(r.PathValue("workspace"), "/settlement/"+string(to)))
	}
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

func (b *Console) changeSettlement(ctx context.Context, tx *store.Tx, workspaceID string, to settle.Choice, by workspace.Actor) error {
	ws, err := tx.WorkspaceForUpdate(ctx, workspaceID)
	if err != nil {
		return err
	}
	if ws.Payer != by.AccountID {
		return ErrNotPaid
	}
	_, err = b.rules().Choose(ctx, tx, workspaceID, to, by, b.Now())
	return err
}
