package api

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/preview"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
)

// CostPreview is what the last days would have cost on the Commercial plan.
type CostPreview struct {
	Days    int           `json:"days"`
	From    string        `json:"from" format:"date"`
	To      string        `json:"to" format:"date" doc:"Today, so far."`
	Catalog string        `json:"catalog" doc:"The version of the prices."`
	Items   []PreviewItem `json:"items" nullable:"false" doc:"What was used, in the order of a bill."`
	Total   Amount        `json:"total"`
}

// PreviewItem is what one billing item would have cost.
type PreviewItem struct {
	Item     string   `json:"item" example:"logs"`
	Name     string   `json:"name"`
	Class    string   `json:"class" doc:"The chosen retention class, or none." example:"14d"`
	Classes  []string `json:"classes" nullable:"false" doc:"Those that may be chosen."`
	Growth   string   `json:"growth" doc:"A decimal." example:"1.5"`
	Measured string   `json:"measured" doc:"A decimal: the day quantities, summed."`
	Quantity string   `json:"quantity" doc:"A decimal: the same after growth."`
	Amount   Amount   `json:"amount" doc:"Each day rated and rounded by itself, then summed."`
}

// readsNamed is reads for a call whose query parameters are named after
// billing items: the work reads and refuses them itself.
func readsNamed[I, B any](r Route, described []*huma.Param, work func(c *call, in *I) (*B, error)) route {
	return route{r, func(s *server, door huma.API, r Route) {
		op := r.operation(s, http.StatusOK)
		op.SkipValidateParams, op.Parameters = true, described
		huma.Register(door, op, func(ctx context.Context, in *I) (*reply[B], error) {
			var body *B
			err := s.Store.Read(ctx, func(tx *store.Tx) (err error) {
				body, err = work(s.call(ctx, tx), in)
				return err
			})
			if err != nil {
				return nil, s.problem(err, receivedOf(ctx).Request)
			}
			return &reply[B]{Status: http.StatusOK, Body: *body}, nil
		})
	}}
}

const daysField = "days"

func previewParams() []*huma.Param {
	text := func(name, doc string, example any) *huma.Param {
		return &huma.Param{Name: name, In: "query", Description: doc, Schema: &huma.Schema{Type: huma.TypeString}, Example: example}
	}
	return []*huma.Param{
		text(daysField, "The last 7 or 30 days, today among them; 7 where nothing is said.", "30"),
		text(preview.ClassField+"{item}", "The retention class to try for a billing item; its default where nothing is said.", "30d"),
		text(preview.GrowthField+"{item}", "A factor to multiply each day's quantity by: a decimal above 0 and at most 100.", "1.5"),
	}
}

func (s *server) showPreview(c *call, _ *Inside) (*CostPreview, error) {
	w := c.Workspace
	if err := w.Upgradable(); err != nil {
		return nil, err
	}
	where, err := site.Find(w.Site)
	if err != nil {
		return nil, err
	}
	version, err := s.Catalog.At(period.DayOf(c.at, where.Zone))
	if err != nil {
		return nil, err
	}
	typed := receivedOf(c).URL.Query()
	days, wrong := preview.Spans()[0], fault.Fields(nil)
	for _, field := range slices.Sorted(maps.Keys(typed)) {
		switch {
		case field == daysField:
			if days, err = preview.ParseDays(typed.Get(field)); err != nil {
				wrong = append(wrong, fault.From(err).On(field))
			}
		case !strings.HasPrefix(field, preview.ClassField) && !strings.HasPrefix(field, preview.GrowthField):
			wrong = append(wrong, ErrFieldUnknown.On(field))
		}
	}
	choices, err := preview.Parse(version, typed)
	if list, ok := err.(fault.Fields); ok {
		wrong = append(wrong, list...)
	}
	if len(wrong) > 0 {
		return nil, wrong
	}
	p, err := preview.Last(c, c.tx, s.Catalog, w, days, choices, c.at)
	if err != nil {
		return nil, err
	}
	shown := &CostPreview{
		Days: days, From: p.First.String(), To: p.Last.String(), Catalog: p.Version,
		Items: make([]PreviewItem, 0, len(p.Lines)), Total: amountOf(p.Total),
	}
	for _, l := range p.Lines {
		item, err := version.Item(l.Item)
		if err != nil {
			return nil, err
		}
		shown.Items = append(shown.Items, PreviewItem{
			Item: l.Item, Name: item.Name.En, Class: l.Class, Classes: append([]string{}, preview.Classes(version, item)...),
			Growth: l.Growth.Plain(), Measured: l.Measured.Plain(), Quantity: l.Quantity.Plain(), Amount: amountOf(l.Amount),
		})
	}
	return shown, nil
}
