package billingcenter

import (
	"context"
	"net/http"
	"strings"

	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/export"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
)

// exportedBills reads all bills of a filter. A table is whole or it is refused.
func exportedBills(ctx context.Context, tx *store.Tx, q store.BillQuery) ([]bill.Bill, error) {
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
	rows := [][]string{export.BillHead()}
	err = b.Store.Read(ctx, func(tx *store.Tx) error {
		workspaces, err := tx.WorkspacesPaidBy(ctx, a.ID)
		if err != nil {
			return err
		}
		q := store.BillQuery{Payer: a.ID, WorkspaceID: form.Text("workspace"), First: first, Last: last, Entry: entryOf(form)}
		bills, err := exportedBills(ctx, tx, q)
		if err != nil {
			return err
		}
		for i, row := range billRows(bills, workspaces) {
			rows = append(rows, export.BillRow(bills[i], row.WorkspaceName))
		}
		return nil
	})
	if err != nil {
		return err
	}
	return web.CSV(w, "bills.csv", rows)
}

func (b *Console) billCSV(w http.ResponseWriter, r *http.Request) error {
	d, row, err := b.paid(r)
	if err != nil {
		return err
	}
	return web.CSV(w, d.Number+".csv", export.BillTable(d, row.WorkspaceName))
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
	return web.CSV(w, "income-and-expense.csv", rows)
}

// sourcesText says for programs what took part: "voucher vchr_1 -3.20; cash -1.10".
func sourcesText(parts []PaidPart) string {
	texts := make([]string, len(parts))
	for i, p := range parts {
		texts[i] = strings.Join(strings.Fields(string(p.Payment)+" "+p.Source+" "+p.Amount.String()), " ")
	}
	return strings.Join(texts, "; ")
}
