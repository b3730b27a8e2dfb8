package billingcenter

import (
	"context"
	"net/http"
	"strings"

	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/rate"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/web"
)

func writeCSV(w http.ResponseWriter, name string, rows [][]string) error {
	return web.CSV(w, name, rows)
}

func inert(text string) string { return web.Inert(text) }

// export reads all bills of a filter. A table is whole or it is refused.
func export(ctx context.Context, tx *store.Tx, q store.BillQuery) ([]bill.Bill, error) {
	bills, err := tx.BillsPage(ctx, q, "", exported+1)
	if len(bills) > exported {
		return nil, ErrExport.With("most", exported).On("from")
	}
	return bills, err
}

func (b *Console) billsCSV(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	a, form := payer(ctx), &web.Form{Values: r.URL.Query()}
	first, last, err := b.days(form)
	if err != nil {
		return err
	}
	head := []string{"bill", "day", "workspace_id", "workspace", "site", "settlement", "currency", "amount"}
	for _, kind := range wallet.Payments() {
		head = append(head, string(kind))
	}
	rows := [][]string{head}
	err = b.Store.Read(ctx, func(tx *store.Tx) error {
		workspaces, err := tx.WorkspacesPaidBy(ctx, a.ID)
		if err != nil {
			return err
		}
		q := store.BillQuery{Payer: a.ID, WorkspaceID: form.Text("workspace"), First: first, Last: last, Entry: entryOf(form)}
		bills, err := export(ctx, tx, q)
		if err != nil {
			return err
		}
		for i, row := range billRows(bills, workspaces) {
			d := bills[i]
			line := []string{d.Number, d.Day.String(), d.WorkspaceID, inert(row.WorkspaceName), string(d.Site), string(d.Settlement), string(d.Market.Currency), d.Total.String()}
			for _, kind := range wallet.Payments() {
				line = append(line, d.Paid.By(kind).String())
			}
			rows = append(rows, line)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return writeCSV(w, "bills.csv", rows)
}

func (b *Console) billCSV(w http.ResponseWriter, r *http.Request) error {
	d, row, err := b.paid(r)
	if err != nil {
		return err
	}
	head := []string{"bill", "day", "workspace_id", "workspace", "item", "class", "quantity", "units", "unit_price", "exact", "currency", "amount"}
	for _, kind := range wallet.Payments() {
		head = append(head, string(kind))
	}
	rows := [][]string{append(head, packageHead...)}
	for _, l := range d.Lines {
		line := []string{
			d.Number, d.Day.String(), d.WorkspaceID, inert(row.WorkspaceName), l.Item, l.Class, l.Quantity.Plain(), l.Units.String(),
			l.UnitPrice.String(), l.Exact.String(), string(d.Market.Currency), l.Amount.String(),
		}
		for _, kind := range wallet.Payments() {
			line = append(line, l.Paid.By(kind).String())
		}
		rows = append(rows, append(line, covered(l.Package)...))
	}
	return writeCSV(w, d.Number+".csv", rows)
}

// packageHead names what a package did for a line; the columns come last, since
// tables only grow.
var packageHead = []string{"package", "factor", "converted", "covered", "excess"}

func covered(c *rate.Cover) []string {
	if c == nil {
		return make([]string, len(packageHead))
	}
	return []string{c.Package, c.Factor.Plain(), c.Converted.Plain(), c.Covered.Plain(), c.Excess.Plain()}
}

func (b *Console) movementsCSV(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	a, form := payer(ctx), &web.Form{Values: r.URL.Query()}
	within, err := b.movementRange(form, a.Currency)
	if err != nil {
		return err
	}
	rows := [][]string{{"entry", "at", "kind", "cause", "currency", "amount", "cash_after", "owed_after", "sources"}}
	err = b.Store.Read(ctx, func(tx *store.Tx) error {
		list, err := movements(ctx, tx, a, within, 0, exported+1)
		if len(list) > exported {
			return ErrExport.With("most", exported).On("from")
		}
		for _, m := range list {
			rows = append(rows, []string{m.ID, web.Machine(m.At), string(m.Kind), m.Cause, string(a.Currency), m.Amount.String(), m.Cash.String(), m.Owed.String(), sourcesText(m.Parts)})
		}
		return err
	})
	if err != nil {
		return err
	}
	return writeCSV(w, "income-and-expense.csv", rows)
}

// sourcesText says for programs what took part: "voucher vchr_1 -3.20; cash -1.10".
func sourcesText(parts []PaidPart) string {
	texts := make([]string, len(parts))
	for i, p := range parts {
		texts[i] = strings.Join(strings.Fields(string(p.Payment)+" "+p.Source+" "+p.Amount.String()), " ")
	}
	return strings.Join(texts, "; ")
}
