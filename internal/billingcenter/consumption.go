package billingcenter

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/export"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/workspace"
)

// Consumption is the list of bill lines, per day.
type Consumption struct {
	Frame      web.Frame
	Form       *web.Form
	Filter     BillFilter
	Item       string
	Items      []string
	Currency   money.Currency
	Workspaces []workspace.Workspace
	Rows       []ConsumptionRow
	Total      *money.Amount // of the range; nil where one item is picked
	Searched   int           // bills that were looked through until the page gave up; else 0
	Pager      web.Pager
}

// ConsumptionRow is a line of a bill.
type ConsumptionRow struct {
	Bill  BillRow
	Index int // on the bill, from 0
	Line  bill.Line
}

// consumptionSearch bounds the bills that are read for one page.
const consumptionSearch = 2_000

// consumptionPage lists what was used: this month, unless other days are named.
func (b *Console) consumptionPage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	a, form := payer(ctx), &web.Form{Values: r.URL.Query()}
	b.thisMonth(form, a.Currency)
	page := Consumption{
		Form: form, Currency: a.Currency, Item: form.Text("item"), Items: b.items(),
		Filter: BillFilter{WorkspaceID: form.Text("workspace"), From: form.Text("from"), To: form.Text("to")},
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
		q := store.BillQuery{Payer: a.ID, WorkspaceID: page.Filter.WorkspaceID, First: first, Last: last}
		if page.Item == "" {
			_, total, err := tx.BilledTo(ctx, q, a.Currency)
			if err != nil {
				return err
			}
			page.Total = &total
		}
		return page.read(ctx, tx, q, form.Text("after"))
	})
	if err != nil {
		return err
	}
	page.Frame = b.frame(r, web.T(ctx, "bc.nav.consumption"), "consumption")
	return web.Render(w, r, form.Status(), consumptionPage(page))
}

// thisMonth fills in the range where none is named.
func (b *Console) thisMonth(form *web.Form, c money.Currency) {
	if form.Text("from") != "" || form.Text("to") != "" {
		return
	}
	today := period.DayOf(b.Now(), zoneOf(c))
	form.Values.Set("from", today.Month().First().String())
	form.Values.Set("to", today.Month().Last().String())
}

// items lists what the catalogue sells by use.
func (b *Console) items() []string {
	versions := b.Catalog.Versions()
	var list []string
	for _, item := range versions[len(versions)-1].Items {
		if item.PayAsYouGo {
			list = append(list, item.ID)
		}
	}
	return list
}

// read fills a page with lines. The place in the list is a bill and the number
// of its lines that were shown already.
func (p *Consumption) read(ctx context.Context, tx *store.Tx, q store.BillQuery, after string) error {
	place, shown := after, 0
	if after != "" {
		p.Pager.Newer = Prefix + "/consumption?" + p.query()
	}
	if id, lines, ok := strings.Cut(after, ":"); ok {
		n, err := strconv.Atoi(lines)
		d, found := tx.Bill(ctx, id)
		if err == nil && found == nil && d.Payer == q.Payer && n > 0 {
			place, shown = id, n
			if p.take(d, shown, pageSize) {
				p.more()
				return nil
			}
		}
	}
	for searched := 0; searched < consumptionSearch; {
		bills, err := tx.BillsPage(ctx, q, place, pageSize)
		if err != nil {
			return err
		}
		for _, d := range bills {
			if p.take(d, 0, pageSize-len(p.Rows)) {
				p.more()
				return nil
			}
			place = d.ID
		}
		if searched += len(bills); len(bills) < pageSize {
			return nil
		}
	}
	p.Searched = consumptionSearch
	p.Pager.Older = p.address("after", place)
	return nil
}

// take adds the lines of a bill from the given one on, and reports whether it
// had to stop before the end.
func (p *Consumption) take(d bill.Bill, from, room int) (stopped bool) {
	row := billRows([]bill.Bill{d}, p.Workspaces)[0]
	for i := from; i < len(d.Lines); i++ {
		if p.Item != "" && d.Lines[i].Item != p.Item {
			continue
		}
		if room == 0 {
			return true
		}
		p.Rows, room = append(p.Rows, ConsumptionRow{row, i, d.Lines[i]}), room-1
	}
	return false
}

// more says where the next page begins: behind the last line of this one.
func (p *Consumption) more() {
	last := p.Rows[len(p.Rows)-1]
	p.Pager.Older = p.address("after", last.Bill.ID+":"+strconv.Itoa(last.Index+1))
}

// consumptionCSV is everything that the filter names.
func (b *Console) consumptionCSV(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	a, form := payer(ctx), &web.Form{Values: r.URL.Query()}
	b.thisMonth(form, a.Currency)
	first, last, err := b.days(form)
	if err != nil {
		return err
	}
	rows, item := [][]string{export.ConsumptionHead()}, form.Text("item")
	err = b.Store.Read(ctx, func(tx *store.Tx) error {
		workspaces, err := tx.WorkspacesPaidBy(ctx, a.ID)
		if err != nil {
			return err
		}
		bills, err := exportedBills(ctx, tx, store.BillQuery{Payer: a.ID, WorkspaceID: form.Text("workspace"), First: first, Last: last})
		for i, row := range billRows(bills, workspaces) {
			rows = append(rows, export.ConsumptionRows(bills[i], row.WorkspaceName, item)...)
		}
		return err
	})
	if err != nil {
		return err
	}
	return web.CSV(w, "consumption.csv", rows)
}
