package studio

import (
	"context"
	"net/http"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/quantity"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/workspace"
)

// How many bills Billing shows, and a page of the list.
const (
	latestBills  = 7
	billsPerPage = 31
)

// commercial is Billing of a Commercial workspace: who pays, the month so far,
// today, and the latest bills. Balances are the Owner's to see alone.
func (c *Console) commercial(w http.ResponseWriter, r *http.Request) error {
	ctx, p, now := r.Context(), visitOf(r).place, c.now()
	page := commercialPage{Frame: c.frame(r, web.T(ctx, "studio.billing.title"), "billing"), Place: p}
	today := period.DayOf(now, p.Site.Zone)
	err := c.store.Read(ctx, func(tx *store.Tx) error {
		payer, err := tx.BillingByID(ctx, p.Workspace.Payer)
		if err != nil {
			return err
		}
		page.Payer = payer.UserName
		if page.AsOf, err = asOf(ctx, tx, now); err != nil {
			return err
		}
		running, err := bill.MonthToDate(ctx, tx, c.options.Catalog, p.Workspace, now)
		if err != nil {
			return err
		}
		page.month(running)
		if page.Package, err = c.packaged(ctx, tx, p, payer.Currency, today); err != nil {
			return err
		}
		list, err := tx.BillsOf(ctx, p.Workspace.ID, period.DayOf(p.Workspace.UpgradedAt, p.Site.Zone), today, latestBills)
		if err != nil {
			return err
		}
		page.Bills = heads(list)
		page.Balances, err = seen(ctx, tx, p, payer)
		return err
	})
	if err != nil {
		return err
	}
	if len(page.Bills) > 0 {
		page.Latest = &page.Bills[0]
	}
	return web.Render(w, r, http.StatusOK, commercialView(page))
}

// month fills in the month to date and the estimate of today.
func (p *commercialPage) month(r bill.Running) {
	p.Month, p.MonthSum, p.TodaySum = r.Month.String(), r.Billed, r.Today.Total
	for _, l := range r.Today.Lines {
		p.Today = append(p.Today, usageLine{Item: l.Item, Class: l.Class, Index: l.Index, Quantity: l.Quantity, Amount: l.Amount})
	}
}

// seen are the payer's balances, for whoever may see them.
func seen(ctx context.Context, tx *store.Tx, p place, payer account.Billing) (*balances, error) {
	if !p.Role.May(workspace.PayBilling) {
		return nil, nil
	}
	b, err := wallet.BalancesOf(ctx, tx, payer.ID, payer.Currency)
	if err != nil {
		return nil, err
	}
	return &balances{Cash: b.Cash, Arrears: b.Owed}, nil
}

func heads(list []bill.Bill) []billHead {
	out := make([]billHead, len(list))
	for i, b := range list {
		out[i] = head(b)
	}
	return out
}

func head(b bill.Bill) billHead {
	return billHead{Day: b.Day.String(), Number: b.Number, Total: b.Total, Paid: parts(b.Paid)}
}

// parts are what an amount was paid from, without what paid nothing.
func parts(p bill.Paid) []paid {
	var list []paid
	for _, kind := range wallet.Payments() {
		if amount := p.By(kind); !amount.IsZero() {
			list = append(list, paid{Source: string(kind), Amount: amount})
		}
	}
	return list
}

// bills lists the daily bills, a page after the other by day.
func (c *Console) bills(w http.ResponseWriter, r *http.Request) error {
	ctx, p := r.Context(), visitOf(r).place
	page := billsPage{Frame: c.frame(r, web.T(ctx, "studio.billing.daily_bills"), "billing"), Place: p}
	last := period.DayOf(c.now(), p.Site.Zone)
	if before := r.FormValue("before"); before != "" {
		day, err := period.ParseDay(before)
		if err != nil {
			return err
		}
		last, page.Newer = day.Add(-1), p.path("billing/bills")
	}
	var list []bill.Bill
	err := c.store.Read(ctx, func(tx *store.Tx) (err error) {
		list, err = tx.BillsOf(ctx, p.Workspace.ID, period.DayOf(p.Workspace.CreatedAt, p.Site.Zone), last, billsPerPage+1)
		return err
	})
	if err != nil {
		return err
	}
	if len(list) > billsPerPage {
		list = list[:billsPerPage]
		page.Older = p.path("billing/bills?before=" + list[billsPerPage-1].Day.String())
	}
	page.Bills = heads(list)
	return web.Render(w, r, http.StatusOK, billsView(page))
}

// bill shows one bill, line by line.
func (c *Console) bill(w http.ResponseWriter, r *http.Request) error {
	ctx, p := r.Context(), visitOf(r).place
	day, err := period.ParseDay(r.PathValue("day"))
	if err != nil {
		return bill.ErrUnknown
	}
	var b bill.Bill
	err = c.store.Read(ctx, func(tx *store.Tx) (err error) {
		b, err = tx.BillOfDay(ctx, p.Workspace.ID, day)
		return err
	})
	if err != nil {
		return err
	}
	page := billPage{Frame: c.frame(r, web.T(ctx, "studio.bill.title", "day", b.Day.String()), "billing"), Place: p, Head: head(b), ClosedAt: b.IssuedAt, Catalog: b.Catalog}
	if err := c.lines(&page, b); err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, billView(page))
}

// lines fills in the lines and shows the rounding in a row of its own.
func (c *Console) lines(page *billPage, b bill.Bill) error {
	v, err := c.options.Catalog.Find(b.Catalog)
	if err != nil {
		return err
	}
	rounded := quantity.Zero
	for _, l := range b.Lines {
		item, err := v.Item(l.Item)
		if err != nil {
			return err
		}
		page.Lines = append(page.Lines, billLine{
			Item: l.Item, Class: l.Class, Index: l.Index, Quantity: l.Quantity, Units: l.Units, UnitSize: item.Unit.Size,
			Price: l.UnitPrice, Exact: l.Exact, Amount: l.Amount, Paid: parts(l.Paid),
		})
		if page.Exact, err = page.Exact.Add(l.Exact); err != nil {
			return err
		}
		if rounded, err = rounded.Add(quantity.Scaled(l.Amount.Minor(), 2)); err != nil {
			return err
		}
	}
	page.Rounding, err = rounded.Sub(page.Exact)
	return err
}
