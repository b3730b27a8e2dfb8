package api

import (
	"slices"
	"time"

	"tollgate.dev/internal/period"
	"tollgate.dev/internal/quantity"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/usage"
	"tollgate.dev/internal/workspace"
)

// Usage is what a workspace used in the service day so far.
type Usage struct {
	Plan     string      `json:"plan" enum:"experience,commercial"`
	Day      string      `json:"day" format:"date"`
	AsOf     time.Time   `json:"as_of" doc:"Everything received before this instant is counted, and perhaps more."`
	ResetsAt time.Time   `json:"resets_at" doc:"When the next service day of the site begins."`
	Items    []ItemUsage `json:"items" nullable:"false"`
}

// ItemUsage is what was used of one billing item, all classes together.
type ItemUsage struct {
	Item      string  `json:"item" example:"logs"`
	Name      string  `json:"name"`
	Used      string  `json:"used" doc:"A decimal." example:"12345"`
	Quota     *string `json:"quota" doc:"A decimal; null where there is no limit."`
	Supported bool    `json:"supported" doc:"Whether the plan has the item at all."`
}

func (s *server) showUsage(c *call, in *Inside) (*Usage, error) {
	w := c.Workspace
	where, err := site.Find(w.Site)
	if err != nil {
		return nil, err
	}
	day := period.DayOf(c.at, where.Zone)
	version, err := s.Catalog.At(day)
	if err != nil {
		return nil, err
	}
	window := usage.Of(day, where.Zone)
	samples, err := c.tx.UsageBetween(c, w.ID, w.Generation, window.From, window.To)
	if err != nil {
		return nil, err
	}
	quantities, err := usage.Quantities(version, samples)
	if err != nil {
		return nil, err
	}
	used := map[string]quantity.Decimal{}
	for _, q := range quantities {
		if used[q.Item], err = used[q.Item].Add(q.Quantity); err != nil {
			return nil, err
		}
	}
	asOf, err := c.asOf()
	if err != nil {
		return nil, err
	}
	u := &Usage{Plan: string(w.Plan), Day: day.String(), AsOf: local(asOf, w.Site), ResetsAt: local(day.End(where.Zone), w.Site)}
	for _, quota := range version.Quotas.Items {
		item, err := version.Item(quota.Item)
		if err != nil {
			return nil, err
		}
		shown := ItemUsage{Item: item.ID, Name: item.Name.En, Used: used[item.ID].Plain(), Supported: true}
		if w.Plan == workspace.Experience {
			shown.Supported = quota.Supported
			if quota.Limited {
				limit := quantity.Of(quota.Quota).Plain()
				shown.Quota = &limit
			}
		}
		u.Items = append(u.Items, shown)
	}
	u.Items = slices.Clip(u.Items)
	return u, nil
}

// gatewaysSilentFor is after what time a gateway no longer holds usage back.
const gatewaysSilentFor = 10 * time.Minute

// asOf is the instant through which every living gateway has handed over.
func (c *call) asOf() (time.Time, error) {
	through, known, err := c.tx.FlushedThrough(c, c.at.Add(-gatewaysSilentFor))
	if err != nil || !known || through.After(c.at) {
		return c.at, err
	}
	return through, nil
}
