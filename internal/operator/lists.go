package operator

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/arrears"
	"tollgate.dev/internal/export"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/workspace"
)

// ErrTooManyRows is a table that is too long to be handed out.
var ErrTooManyRows = fault.New(fault.Invalid, "table_too_long", "This is more than one table takes, 10,000 rows. Narrow the list with its filters.")

// Accounts is the list of Billing Center accounts.
type Accounts struct {
	Frame web.Frame
	List  web.Listing
	Rows  []AccountRow
	Count int64
	Pager web.Pager
}

// AccountRow is an account with what it has and how it stands.
type AccountRow struct {
	account.Billing
	Standing arrears.Standing
	Cash     money.Amount
	Owed     money.Amount
}

// Workspaces is the list of workspaces.
type Workspaces struct {
	Frame web.Frame
	List  web.Listing
	Rows  []WorkspaceRow
	Count int64
	Pager web.Pager
}

// WorkspaceRow is a workspace with its payer's name and how it stands.
type WorkspaceRow struct {
	workspace.Workspace
	PayerName string
	Standing  arrears.Standing
}

func accountListing(r *http.Request) web.Listing {
	return web.NewListing(Prefix+"/accounts", r.URL.Query(), store.AccountOrders(), "text", "currency", "site", "state", "certification")
}

func accountQuery(l web.Listing) store.AccountQuery {
	return store.AccountQuery{
		Text: l.Text("text"), Currency: money.Currency(l.Text("currency")), Site: site.ID(l.Text("site")), State: store.AccountState(l.Text("state")),
		Certification: account.CertificationState(l.Text("certification")), Order: l.Order(),
	}
}

func (o *Console) accountsPage(w http.ResponseWriter, r *http.Request) error {
	ctx, list, after := r.Context(), accountListing(r), r.URL.Query().Get("after")
	page := Accounts{Frame: o.frame(r, web.T(ctx, "op.nav.accounts"), "accounts"), List: list}
	err := o.Store.Read(ctx, func(tx *store.Tx) (err error) {
		if page.Count, err = tx.CountAccounts(ctx, accountQuery(list)); err != nil {
			return err
		}
		found, err := tx.AccountsIn(ctx, accountQuery(list), after, pageSize)
		if err != nil {
			return err
		}
		if n := len(found); n > 0 {
			page.Pager = list.Pages(after, found[n-1].ID, n == pageSize)
		}
		page.Rows, err = accountRows(ctx, tx, found)
		return err
	})
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, accountsPage(page))
}

func accountRows(ctx context.Context, tx *store.Tx, list []account.Billing) ([]AccountRow, error) {
	rows := make([]AccountRow, len(list))
	for i, a := range list {
		has, err := wallet.BalancesOf(ctx, tx, a.ID, a.Currency)
		if err != nil {
			return nil, err
		}
		rows[i] = AccountRow{Billing: a, Cash: has.Cash, Owed: has.Owed}
		if rows[i].Standing, err = arrears.LookPayer(ctx, tx, a); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// accountsCSV is the whole list that the filters name.
func (o *Console) accountsCSV(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	var found []AccountRow
	err := o.Store.Read(ctx, func(tx *store.Tx) error {
		all, err := tx.AccountsIn(ctx, accountQuery(accountListing(r)), "", mostExported+1)
		if err != nil {
			return err
		}
		if len(all) > mostExported {
			return ErrTooManyRows
		}
		found, err = accountRows(ctx, tx, all)
		return err
	})
	if err != nil {
		return err
	}
	rows := [][]string{{"account_id", "user_name", "company", "email", "currency", "state", "locks_at", "disabled", "arbitrary_settlement", "certified_company", "taxpayer_id", "cash", "owed", "registered_at"}}
	for _, a := range found {
		rows = append(rows, []string{
			a.ID, export.Inert(a.UserName), export.Inert(a.Profile.Company), export.Inert(a.Email), string(a.Currency), string(a.Standing.State), lockOf(a.Standing),
			strconv.FormatBool(a.Disabled), strconv.FormatBool(a.ArbitrarySettlement), export.Inert(a.Enterprise.Company), export.Inert(a.Enterprise.TaxpayerID),
			a.Cash.String(), a.Owed.String(), web.Machine(a.CreatedAt),
		})
	}
	return web.CSV(w, "accounts.csv", rows)
}

// lockOf is when something is locked, or was; empty when nothing stops it.
func lockOf(s arrears.Standing) string {
	if at := s.LockAt(); !at.IsZero() {
		return web.Machine(at)
	}
	return ""
}

func workspaceListing(r *http.Request) web.Listing {
	return web.NewListing(Prefix+"/workspaces", r.URL.Query(), store.WorkspaceOrders(), "text", "payer", "site", "plan", "state", "settlement")
}

// workspaceQuery reads the filters. A payer is named by user name or ID; one
// that there is not pays for nothing.
func workspaceQuery(ctx context.Context, tx *store.Tx, l web.Listing) (store.WorkspaceQuery, error) {
	q := store.WorkspaceQuery{
		Text: l.Text("text"), Payer: l.Text("payer"), Site: site.ID(l.Text("site")), Plan: workspace.Plan(l.Text("plan")),
		State: workspace.State(l.Text("state")), Settlement: site.Method(l.Text("settlement")), Order: l.Order(),
	}
	var err error
	q.Payer, err = payerNamed(ctx, tx, q.Payer)
	return q, err
}

// payerNamed is the ID of the payer of a user name. Anything else, which may
// be an ID, stays as it is.
func payerNamed(ctx context.Context, tx *store.Tx, name string) (string, error) {
	if name == "" {
		return "", nil
	}
	a, err := tx.BillingByName(ctx, name)
	if errors.Is(err, account.ErrUnknown) {
		return name, nil
	}
	return a.ID, err
}

func (o *Console) workspacesPage(w http.ResponseWriter, r *http.Request) error {
	ctx, list, after := r.Context(), workspaceListing(r), r.URL.Query().Get("after")
	page := Workspaces{Frame: o.frame(r, web.T(ctx, "op.nav.workspaces"), "workspaces"), List: list}
	err := o.Store.Read(ctx, func(tx *store.Tx) error {
		q, err := workspaceQuery(ctx, tx, list)
		if err != nil {
			return err
		}
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
		page.Rows, err = workspaceRows(ctx, tx, found)
		return err
	})
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, workspacesPage(page))
}

func workspaceRows(ctx context.Context, tx *store.Tx, list []workspace.Workspace) ([]WorkspaceRow, error) {
	payers, rows := map[string]string{"": ""}, make([]WorkspaceRow, len(list))
	for i, ws := range list {
		if _, known := payers[ws.Payer]; !known {
			a, err := tx.BillingByID(ctx, ws.Payer)
			if err != nil {
				return nil, err
			}
			payers[ws.Payer] = a.UserName
		}
		stands, err := arrears.Look(ctx, tx, ws)
		if err != nil {
			return nil, err
		}
		rows[i] = WorkspaceRow{ws, payers[ws.Payer], stands}
	}
	return rows, nil
}

// workspacesCSV is the whole list that the filters name.
func (o *Console) workspacesCSV(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	var found []WorkspaceRow
	err := o.Store.Read(ctx, func(tx *store.Tx) error {
		q, err := workspaceQuery(ctx, tx, workspaceListing(r))
		if err != nil {
			return err
		}
		all, err := tx.WorkspacesIn(ctx, q, "", mostExported+1)
		if err != nil {
			return err
		}
		if len(all) > mostExported {
			return ErrTooManyRows
		}
		found, err = workspaceRows(ctx, tx, all)
		return err
	})
	if err != nil {
		return err
	}
	rows := [][]string{{"workspace_id", "workspace", "site", "plan", "state", "locks_at", "payer_id", "payer", "settlement", "created_at", "upgraded_at"}}
	for _, ws := range found {
		opened := ""
		if !ws.UpgradedAt.IsZero() {
			opened = web.Machine(ws.UpgradedAt)
		}
		rows = append(rows, []string{
			ws.ID, export.Inert(ws.Name), string(ws.Site), string(ws.Plan), string(ws.State), lockOf(ws.Standing), ws.Payer, export.Inert(ws.PayerName), string(ws.Settlement),
			web.Machine(ws.CreatedAt), opened,
		})
	}
	return web.CSV(w, "workspaces.csv", rows)
}
