package operator

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"tollgate.dev/internal/bill"
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

// Bounds of a page that tries a version.
const (
	whatIfSummed   = 2000 // workspaces in the sums
	whatIfStep     = 100  // of them in one transaction
	whatIfAccounts = 20   // those that change most
)

func (o *Console) whatIfPage(w http.ResponseWriter, r *http.Request) error {
	ctx, q := r.Context(), r.URL.Query()
	whole, rows, err := o.versions(ctx)
	if err != nil {
		return err
	}
	v, err := whole.Find(r.PathValue("version"))
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
	for of.Workspaces < whatIfSummed {
		err := o.Store.Read(ctx, func(tx *store.Tx) error {
			_, err := of.Walk(ctx, tx, of.Next, whatIfStep)
			return err
		})
		if err != nil || of.Next == "" {
			return err
		}
	}
	return nil
}

// named gives the rows, and the accounts that change most, their names.
func (p *WhatIf) named(ctx context.Context, tx *store.Tx, rows []bill.WhatIfRow) error {
	names := map[string]string{}
	account := func(id string) (string, error) {
		if _, known := names[id]; !known {
			a, err := tx.BillingByID(ctx, id)
			if err != nil {
				return "", err
			}
			names[id] = a.UserName
		}
		return names[id], nil
	}
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
	for _, id := range mostChanged(p.Of.Accounts) {
		name, err := account(id)
		if err != nil {
			return err
		}
		p.Accounts = append(p.Accounts, WhatIfAccount{id, name, *p.Of.Accounts[id]})
	}
	return nil
}

// mostChanged are the accounts whose bills would differ most.
func mostChanged(accounts map[string]*bill.Change) []string {
	ids := slices.Sorted(maps.Keys(accounts))
	by := func(id string) int64 {
		n := accounts[id].After.Minor() - accounts[id].Before.Minor()
		return max(n, -n)
	}
	slices.SortStableFunc(ids, func(a, b string) int { return cmp.Compare(by(b), by(a)) })
	return ids[:min(len(ids), whatIfAccounts)]
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
