package studio

import (
	"net/http"

	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/preview"
	"tollgate.dev/internal/quantity"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
)

// previewCell is what one item would have cost in one span.
type previewCell struct {
	Quantity quantity.Decimal
	Amount   money.Amount
}

// previewRow is one item with its choices.
type previewRow struct {
	Item    string
	Classes []string // that may be chosen; empty where the price does not depend on it
	Class   string
	Growth  string
	Cells   []previewCell // one of each span
}

// previewTable is the cost preview of the Package Upgrade page.
type previewTable struct {
	Form   *web.Form
	Spans  []int // in days, as the columns
	Rows   []previewRow
	Totals []money.Amount
}

// preview reads the choices of the address and rates the days behind. Choices
// that cannot be read stand in the form with their fault, and their items at
// the defaults.
func (c *Console) preview(w http.ResponseWriter, r *http.Request, p place, v *catalog.Version) (previewTable, error) {
	form, err := web.Parse(w, r)
	if err != nil {
		return previewTable{}, err
	}
	t := previewTable{Form: form, Spans: preview.Spans()}
	choices, err := preview.Parse(v, form.Values)
	if err != nil && !form.Refused(err) {
		return t, err
	}
	ctx := r.Context()
	var previews []preview.Preview
	err = c.store.Read(ctx, func(tx *store.Tx) error {
		previews = previews[:0]
		for _, days := range t.Spans {
			one, err := preview.Last(ctx, tx, c.options.Catalog, p.Workspace, days, choices, c.now())
			if err != nil {
				return err
			}
			previews = append(previews, one)
		}
		return nil
	})
	if err != nil {
		return t, err
	}
	t.fill(v, previews)
	return t, nil
}

// fill makes a row of each item of the longest span.
func (t *previewTable) fill(v *catalog.Version, previews []preview.Preview) {
	for _, p := range previews {
		t.Totals = append(t.Totals, p.Total)
	}
	for _, line := range previews[len(previews)-1].Lines {
		item, err := v.Item(line.Item)
		if err != nil {
			continue
		}
		row := previewRow{Item: line.Item, Classes: preview.Classes(v, item), Class: line.Class, Growth: line.Growth.Plain()}
		for _, p := range previews {
			row.Cells = append(row.Cells, cellOf(p, line.Item))
		}
		t.Rows = append(t.Rows, row)
	}
}

func cellOf(p preview.Preview, item string) previewCell {
	for _, l := range p.Lines {
		if l.Item == item {
			return previewCell{l.Quantity, l.Amount}
		}
	}
	return previewCell{Amount: money.Of(0, p.Market.Currency)}
}

// shown is what an input holds: what was typed, if it was wrong, else what holds.
func (t previewTable) shown(field, holds string) string {
	for _, f := range t.Form.Faults {
		if f.Field == field {
			return t.Form.Text(field)
		}
	}
	return holds
}
