package client

import (
	"context"
	"net/http"
	"strconv"
)

// CostPreview is what the last days would have cost on the Commercial plan.
type CostPreview struct {
	Days    int           `json:"days"`
	From    string        `json:"from"`
	To      string        `json:"to"`
	Catalog string        `json:"catalog"`
	Items   []PreviewItem `json:"items"`
	Total   Amount        `json:"total"`
}

// PreviewItem is what one billing item would have cost.
type PreviewItem struct {
	Item     string   `json:"item"`
	Name     string   `json:"name"`
	Class    string   `json:"class"`
	Classes  []string `json:"classes"`
	Growth   string   `json:"growth"`
	Measured string   `json:"measured"`
	Quantity string   `json:"quantity"`
	Amount   Amount   `json:"amount"`
}

// PreviewChoices is what to try, by billing item; the zero value is the last
// 7 days at the defaults.
type PreviewChoices struct {
	Days   int               // 7 or 30
	Class  map[string]string // retention classes, such as 30d
	Growth map[string]string // factors, such as 1.5
}

// CostPreview reckons what the last days of an Experience workspace would have
// cost, for its Owner.
func (s *Studio) CostPreview(ctx context.Context, workspace string, c PreviewChoices) (CostPreview, error) {
	q := map[string][]string{}
	if c.Days != 0 {
		q["days"] = []string{strconv.Itoa(c.Days)}
	}
	for item, class := range c.Class {
		q["class."+item] = []string{class}
	}
	for item, factor := range c.Growth {
		q["growth."+item] = []string{factor}
	}
	return ask[CostPreview](ctx, s.door, request{method: http.MethodGet, path: in(workspace, "cost-preview"), query: q})
}
