package operator

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/export"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
)

// ErrWhatIfMonth is a month that cannot be read.
var ErrWhatIfMonth = fault.New(fault.Invalid, "what_if_month", "Enter a month such as 2026-03.")

// WhatIf is what a version would have made of a month's bills.
type WhatIf struct {
	Frame    web.Frame
	Form     *web.Form
	Row      VersionRow
	Of       *bill.WhatIf // the sums; nil when the month is wrong
	Accounts []WhatIfAccount
	Rows     []WhatIfRow
	Pager    web.Pager
}

// WhatIfAccount is the change for one payer.
type WhatIfAccount struct {
	ID, Name string
	bill.Change
}

// WhatIfRow is the change for one workspace, with the names of things.
type WhatIfRow struct {
	bill.WhatIfRow
	Workspace, Account string
}

// ErrWhatIfMany is a file that would not be whole.
var ErrWhatIfMany = fault.New(fault.Invalid, "what_if_too_many", "More than 20000 workspaces were billed. Use the command tollgate catalog what-if.").With("most", whatIfInFile)

// Bounds of a page that tries a version.
const (
	whatIfInFile   = 20_000 // workspaces in a file
	whatIfSummed   = 2000   // workspaces in the sums
	whatIfStep     = 100    // of them in one transaction
	whatIfAccounts = 20     // those that change most
)

// tries is the version of the address with the catalogue that it is tried in.
func (o *Console) tries(r *http.Request) (*catalog.Catalog, []VersionRow, *catalog.Version, error) {
	whole, rows, err := o.versions(r.Context())
	if err != nil {
		return nil, nil, nil, err
	}
	v, err := whole.Find(r.PathValue("version"))
	return whole, rows, v, err
}

func (o *Console) whatIfPage(w http.ResponseWriter, r *http.Request) error {
	ctx, q := r.Context(), r.URL.Query()
	whole, rows, v, err := o.tries(r)
	if err != nil {
		return err
	}
	page := WhatIf{Form: &web.Form{Values: q}, Frame: o.frame(r, web.T(ctx, "catalog.what_if.title", "id", v.ID), "catalog")}
	page.Row = rows[slices.IndexFunc(rows, func(row VersionRow) bool { return row.ID == v.ID })]
	month := period.DayOf(o.Clock.Now(), time.UTC).Month().First().Add(-1).Month()
	if text := q.Get("month"); text != "" {
		if month, err = period.ParseMonth(text); err != nil {
			page.Form.Refused(ErrWhatIfMonth.On("month"))
			return web.Render(w, r, page.Form.Status(), whatIfPage(page))
		}
	} else {
		q.Set("month", month.String())
	}
	page.Of = bill.NewWhatIf(whole, v, month)
	if err := o.sumWhatIf(ctx, page.Of); err != nil {
		return err
	}
	some := bill.NewWhatIf(whole, v, month) // the page's own rows
	err = o.Store.Read(ctx, func(tx *store.Tx) error {
		found, err := some.Walk(ctx, tx, q.Get("after"), pageSize)
		if err != nil {
			return err
		}
		return page.named(ctx, tx, found)
	})
	if err != nil {
		return err
	}
	if some.Next != "" {
		page.Pager.Older = versionPath(v.ID) + "/what-if?" + url.Values{"month": {month.String()}, "after": {some.Next}}.Encode()
	}
	return web.Render(w, r, http.StatusOK, whatIfPage(page))
}

// sumWhatIf tries the version on so many workspaces, a few at a time.
func (o *Console) sumWhatIf(ctx context.Context, of *bill.WhatIf) error {
	return o.eachWhatIf(ctx, of, whatIfSummed, func(*store.Tx, []bill.WhatIfRow) error { return nil })
}

// eachWhatIf tries the version on so many workspaces at most and gives their
// rows, a few in one transaction.
func (o *Console) eachWhatIf(ctx context.Context, of *bill.WhatIf, most int, each func(tx *store.Tx, rows []bill.WhatIfRow) error) error {
	for of.Workspaces < most {
		err := o.Store.Read(ctx, func(tx *store.Tx) error {
			rows, err := of.Walk(ctx, tx, of.Next, whatIfStep)
			if err != nil {
				return err
			}
			return each(tx, rows)
		})
		if err != nil || of.Next == "" {
			return err
		}
	}
	return nil
}

// whatIfCSV is all that the page shows a part of: a row per account, or per
// workspace and payer.
func (o *Console) whatIfCSV(w http.ResponseWriter, r *http.Request) error {
	ctx, q := r.Context(), r.URL.Query()
	whole, _, v, err := o.tries(r)
	if err != nil {
		return err
	}
	month, err := period.ParseMonth(q.Get("month"))
	if err != nil {
		return ErrWhatIfMonth.On("month")
	}
	of, names, byWorkspace := bill.NewWhatIf(whole, v, month), map[string]string{}, q.Get("by") == "workspace"
	lines := [][]string{{"version", "month", "account_id", "account", "workspace_id", "workspace", "currency", "bills", "before", "after", "difference"}}
	line := func(payer, workspaceID, workspace, bills string, c bill.Change) error {
		d, err := c.Difference()
		lines = append(lines, []string{v.ID, month.String(), payer, export.Inert(names[payer]), workspaceID, export.Inert(workspace), string(c.Before.Currency()), bills, c.Before.String(), c.After.String(), d.String()})
		return err
	}
	err = o.eachWhatIf(ctx, of, whatIfInFile, func(tx *store.Tx, rows []bill.WhatIfRow) error {
		for _, row := range rows {
			if _, err := accountName(ctx, tx, names, row.Payer); err != nil {
				return err
			}
			if !byWorkspace {
				continue
			}
			ws, err := tx.Workspace(ctx, row.WorkspaceID)
			if err != nil {
				return err
			}
			if err := line(row.Payer, ws.ID, ws.Name, strconv.Itoa(row.Bills), row.Change); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil && of.Next != "" {
		err = ErrWhatIfMany
	}
	if err != nil {
		return err
	}
	file := "what-if-workspaces"
	if !byWorkspace {
		file = "what-if-accounts"
		for _, payer := range mostChanged(of.Accounts) {
			if err := line(payer, "", "", "", *of.Accounts[payer]); err != nil {
				return err
			}
		}
	}
	return web.CSV(w, file+"-"+month.String()+".csv", lines)
}

// accountName finds an account's name, once.
func accountName(ctx context.Context, tx *store.Tx, names map[string]string, id string) (string, error) {
	if _, known := names[id]; !known {
		a, err := tx.BillingByID(ctx, id)
		if err != nil {
			return "", err
		}
		names[id] = a.UserName
	}
	return names[id], nil
}

// named gives the rows, and the accounts that change most, their names.
func (p *WhatIf) named(ctx context.Context, tx *store.Tx, rows []bill.WhatIfRow) error {
	names := map[string]string{}
	account := func(id string) (string, error) { return accountName(ctx, tx, names, id) }
	for _, row := range rows {
		ws, err := tx.Workspace(ctx, row.WorkspaceID)
		if err != nil {
			return err
		}
		name, err := account(row.Payer)
		if err != nil {
			return err
		}
		p.Rows = append(p.Rows, WhatIfRow{row, ws.Name, name})
	}
	most := mostChanged(p.Of.Accounts)
	for _, id := range most[:min(len(most), whatIfAccounts)] {
		name, err := account(id)
		if err != nil {
			return err
		}
		p.Accounts = append(p.Accounts, WhatIfAccount{id, name, *p.Of.Accounts[id]})
	}
	return nil
}

// mostChanged are the accounts, those first whose bills would differ most.
func mostChanged(accounts map[string]*bill.Change) []string {
	ids := slices.Sorted(maps.Keys(accounts))
	by := func(id string) int64 {
		n := accounts[id].After.Minor() - accounts[id].Before.Minor()
		return max(n, -n)
	}
	slices.SortStableFunc(ids, func(a, b string) int { return cmp.Compare(by(b), by(a)) })
	return ids
}

// currencies are those of the sums, in order.
func (p WhatIf) currencies() []money.Currency {
	return slices.Sorted(maps.Keys(p.Of.Totals))
}

// difference is what would have been billed more, with its sign.
func difference(c bill.Change) string {
	d, err := c.Difference()
	switch {
	case err != nil:
		return "–"
	case d.Sign() > 0:
		return "+" + web.Money(d)
	}
	return web.Money(d)
}

// whatIfFile is the address of all accounts, or all workspaces.
func whatIfFile(p WhatIf, by string) string {
	return versionPath(p.Row.ID) + "/what-if.csv?" + url.Values{"month": {p.Of.Month.String()}, "by": {by}}.Encode()
}
