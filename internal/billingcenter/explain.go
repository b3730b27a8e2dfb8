package billingcenter

import (
	"net/http"
	"strconv"

	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
)

// Explain is the page of one line of a bill: how its amount came about.
type Explain struct {
	Frame web.Frame
	Bill  bill.Explanation
	Line  bill.ExplainedLine
	Row   BillRow
}

// explainPage shows a line of a bill that this account pays.
func (b *Console) explainPage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	d, row, err := b.paid(r)
	if err != nil {
		return err
	}
	number, err := strconv.Atoi(r.PathValue("line"))
	if err != nil {
		return bill.ErrLineUnknown
	}
	page := Explain{Row: row}
	err = b.Store.Read(ctx, func(tx *store.Tx) error {
		if page.Bill, err = bill.Explain(ctx, tx, b.Catalog, d); err != nil {
			return err
		}
		page.Line, err = page.Bill.Line(number)
		return err
	})
	if err != nil {
		return err
	}
	page.Frame = b.frame(r, page.title(ctx), "bills")
	return web.Render(w, r, http.StatusOK, explainPage(page))
}

// entryPath leads to an entry of income and expense: the list from it back.
func entryPath(number int64) string {
	return Prefix + "/movements?before=" + strconv.FormatInt(number+1, 10)
}

// linePath leads to the explanation of a line, which is counted from 0.
func linePath(billID string, index int) string {
	return Prefix + "/bills/" + billID + "/lines/" + strconv.Itoa(index+1)
}
