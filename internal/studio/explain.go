package studio

import (
	"net/http"
	"strconv"

	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
)

// explainPage is one line of a bill: how its amount came about.
type explainPage struct {
	Frame web.Frame
	Place place
	Bill  bill.Explanation
	Line  bill.ExplainedLine
}

// explain shows a line of one of the workspace's bills. Where its money went
// in the payer's books is for the payer to see.
func (c *Console) explain(w http.ResponseWriter, r *http.Request) error {
	ctx, p := r.Context(), visitOf(r).place
	day, err := period.ParseDay(r.PathValue("day"))
	if err != nil {
		return bill.ErrUnknown
	}
	number, err := strconv.Atoi(r.PathValue("line"))
	if err != nil {
		return bill.ErrLineUnknown
	}
	page := explainPage{Place: p}
	err = c.store.Read(ctx, func(tx *store.Tx) error {
		b, err := tx.BillOfDay(ctx, p.Workspace.ID, day)
		if err != nil {
			return err
		}
		if page.Bill, err = bill.Explain(ctx, tx, c.options.Catalog, b); err != nil {
			return err
		}
		page.Line, err = page.Bill.Line(number)
		return err
	})
	if err != nil {
		return err
	}
	page.Frame = c.frame(r, page.title(ctx), "billing")
	return web.Render(w, r, http.StatusOK, explainView(page))
}

// linePath is the explanation of a line, which is counted from 0.
func linePath(day string, index int) string {
	return "billing/bills/" + day + "/lines/" + strconv.Itoa(index+1)
}
