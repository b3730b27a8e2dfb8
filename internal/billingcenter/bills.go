package billingcenter

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/quantity"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/web"
)

// Faults of lists.
var (
	ErrExport      = fault.New(fault.Invalid, "export_too_large", "This is more than one table takes. Choose fewer days or one workspace.")
	ErrBillNotPaid = fault.New(fault.NotFound, "bill_not_yours", "This account has no such bill.")
)

// pageSize bounds a page of a list, exported an export of it.
const (
	pageSize = 50
	exported = 20_000
)

// mostDays bounds a range: a year and its leap day.
const mostDays = 366

// days reads the range of a filter; what is not given is open, and where only
// the beginning is given it ends today.
func (b *Console) days(form *web.Form) (first, last period.Day, err error) {
	var list fault.Fields
	first, last = earliest, utmost
	for field, day := range map[string]*period.Day{"from": &first, "to": &last} {
		text := strings.TrimSpace(form.Text(field))
		if text == "" {
			continue
		}
		d, err := period.ParseDay(text)
		if err != nil {
			list = append(list, fault.From(err).On(field))
			continue
		}
		*day = d
	}
	end := last
	if end == utmost {
		end = period.DayOf(b.Now(), zoneOf(money.CNY)).Add(1) // of the zone where days begin first
	}
	switch wrong := period.Range(first, end, mostDays); {
	case len(list) > 0:
	case last.Before(first):
		list = append(list, period.ErrReversed.On("to"))
	case first != earliest && wrong != nil && errors.Is(wrong, period.ErrTooLong):
		list = append(list, wrong)
	}
	return first, last, list.OrNil()
}

// entryOf is the entry whose bills are asked for; what is no number is none.
func entryOf(form *web.Form) int64 {
	n, err := strconv.ParseInt(form.Text("entry"), 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

func (b *Console) billsPage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	a, form := payer(ctx), &web.Form{Values: r.URL.Query()}
	page := Bills{
		Form: form, Currency: a.Currency, Total: money.Of(0, a.Currency),
		Filter: BillFilter{WorkspaceID: form.Text("workspace"), From: strings.TrimSpace(form.Text("from")), To: strings.TrimSpace(form.Text("to")), Entry: entryOf(form)},
	}
	first, last, err := b.days(form)
	wrong := form.Refused(err)
	if err != nil && !wrong {
		return err
	}
	err = b.Store.Read(ctx, func(tx *store.Tx) (err error) {
		if page.Workspaces, err = tx.WorkspacesPaidBy(ctx, a.ID); err != nil || wrong {
			return err
		}
		return page.read(ctx, tx, store.BillQuery{Payer: a.ID, WorkspaceID: page.Filter.WorkspaceID, First: first, Last: last, Entry: page.Filter.Entry}, form.Text("after"))
	})
	if err != nil {
		return err
	}
	page.Frame = b.frame(r, web.T(ctx, "bc.nav.bills"), "bills")
	return web.Render(w, r, form.Status(), billsPage(page))
}

func (p *Bills) read(ctx context.Context, tx *store.Tx, q store.BillQuery, after string) error {
	bills, err := tx.BillsPage(ctx, q, after, pageSize)
	if err != nil {
		return err
	}
	p.Rows = billRows(bills, p.Workspaces)
	if p.Count, p.Total, err = tx.BilledTo(ctx, q, p.Currency); err != nil {
		return err
	}
	if after != "" {
		p.Pager.Newer = Prefix + "/bills?" + p.Filter.query()
	}
	if n := len(bills); n == pageSize {
		p.Pager.Older = Prefix + "/bills?" + p.Filter.query() + "&after=" + url.QueryEscape(bills[n-1].ID)
	}
	return nil
}

// paid is the bill of the address, if this account pays it.
func (b *Console) paid(r *http.Request) (bill.Bill, BillRow, error) {
	ctx := r.Context()
	var d bill.Bill
	var row BillRow
	err := b.Store.Read(ctx, func(tx *store.Tx) (err error) {
		d, err = tx.Bill(ctx, r.PathValue("bill"))
		if err == nil && d.Payer != payer(ctx).ID {
			return ErrBillNotPaid
		}
		if err != nil {
			return err
		}
		workspaces, err := tx.WorkspacesPaidBy(ctx, d.Payer)
		row = billRows([]bill.Bill{d}, workspaces)[0]
		return err
	})
	if f := fault.From(err); f != nil && f.Code == bill.ErrUnknown.Code {
		return d, row, ErrBillNotPaid
	}
	return d, row, err
}

func (b *Console) billPage(w http.ResponseWriter, r *http.Request) error {
	d, row, err := b.paid(r)
	if err != nil {
		return err
	}
	s, err := site.Find(d.Site)
	if err != nil {
		return err
	}
	page := BillView{Row: row, Zone: s.Zone, BilledAt: d.IssuedAt, Catalog: d.Catalog, Market: d.Market.String(), Hash: d.Hash, Paid: parts(d.Paid)}
	if page.Exact, page.Rounding, err = rounding(d); err != nil {
		return err
	}
	bySource, err := d.BySource()
	if err != nil {
		return err
	}
	page.Sources = partsBy(d.Paid, bySource)
	for _, l := range d.Lines {
		page.Lines = append(page.Lines, BillLine{
			Item: l.Item, Class: l.Class, Index: l.Index, Quantity: web.Exact(l.Quantity), Units: l.Units.Fixed(money.Decimals), UnitPrice: web.Exact(l.UnitPrice),
			Exact: web.Exact(l.Exact), Amount: l.Amount, Paid: partsBy(l.Paid, l.Sources),
		})
	}
	ctx := r.Context()
	err = b.Store.Read(ctx, func(tx *store.Tx) error {
		page.Adjustments, err = tx.AdjustmentsOfBill(ctx, d.ID)
		return err
	})
	if err != nil {
		return err
	}
	page.Frame = b.frame(r, row.WorkspaceName+", "+row.Day.String(), "bills")
	return web.Render(w, r, http.StatusOK, billPage(page))
}

// parts lists the kinds of what paid, without what paid nothing.
func parts(p bill.Paid) []PaidPart { return partsBy(p, nil) }

// partsBy lists what paid, each voucher and card by itself and the rest by kind.
func partsBy(p bill.Paid, sources []bill.SourcePart) []PaidPart {
	var list []PaidPart
	for _, kind := range wallet.Payments() {
		named := false
		for _, s := range sources {
			if s.Payment == kind {
				list, named = append(list, PaidPart{kind, s.Amount, s.ID}), true
			}
		}
		if a := p.By(kind); !named && !a.IsZero() {
			list = append(list, PaidPart{kind, a, ""})
		}
	}
	return list
}

// rounding sums the lines before rounding and says what rounding changed.
func rounding(d bill.Bill) (exact, changed string, err error) {
	sum := quantity.Zero
	for _, l := range d.Lines {
		if sum, err = sum.Add(l.Exact); err != nil {
			return "", "", err
		}
	}
	total := quantity.Scaled(d.Total.Minor(), money.Decimals)
	difference, err := total.Sub(sum)
	if err != nil {
		return "", "", err
	}
	sign := ""
	if difference.Sign() > 0 {
		sign = "+"
	}
	return web.Exact(sum), sign + web.Exact(difference), nil
}
