package studio

import (
	"context"
	"net/http"
	"time"

	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/usage"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/workspace"
)

// billing shows the page of the workspace's plan.
func (c *Console) billing(w http.ResponseWriter, r *http.Request) error {
	if visitOf(r).place.Workspace.Plan == workspace.Commercial {
		return c.commercial(w, r)
	}
	return c.experience(w, r)
}

// prices is the catalogue that holds at a site today.
func (c *Console) prices(p place) (*catalog.Version, error) {
	return c.options.Catalog.At(period.DayOf(c.now(), p.Site.Zone))
}

// asOf is the instant through which the gateways have handed over their usage.
func asOf(ctx context.Context, tx *store.Tx, now time.Time) (time.Time, error) {
	through, ok, err := tx.FlushedThrough(ctx, now.Add(-time.Hour))
	if err != nil || !ok || through.After(now) {
		return now, err
	}
	return through, nil
}

// used reads what the present generation used in the window.
func (c *Console) used(ctx context.Context, p place, window usage.Window) (samples []usage.Sample, at time.Time, err error) {
	err = c.store.Read(ctx, func(tx *store.Tx) (err error) {
		if at, err = asOf(ctx, tx, c.now()); err != nil {
			return err
		}
		samples, err = tx.UsageBetween(ctx, p.Workspace.ID, p.Workspace.Generation, window.From, window.To)
		return err
	})
	return samples, at, err
}

// quotas makes the lines of the free plan, in catalogue order.
func quotas(v *catalog.Version, today []usage.Quantity) []quotaLine {
	used := map[string]int64{}
	for _, q := range today {
		n, _ := q.Quantity.Truncate(0).Int()
		used[q.Item] += n
	}
	var lines []quotaLine
	for _, q := range v.Quotas.Items {
		lines = append(lines, quotaLine{Item: q.Item, Used: used[q.Item], Quota: q.Quota, Limited: q.Limited, Supported: q.Supported})
	}
	return lines
}

func (c *Console) experience(w http.ResponseWriter, r *http.Request) error {
	ctx, p := r.Context(), visitOf(r).place
	page := experiencePage{Frame: c.frame(r, web.T(ctx, "studio.billing.title"), "billing"), Place: p}
	v, err := c.prices(p)
	if err != nil {
		return err
	}
	day := usage.Of(period.DayOf(c.now(), p.Site.Zone), p.Site.Zone)
	samples, at, err := c.used(ctx, p, day)
	if err != nil {
		return err
	}
	today, err := usage.Quantities(v, samples)
	if err != nil {
		return err
	}
	page.Lines, page.AsOf, page.ResetAt = quotas(v, today), at, day.To
	return web.Render(w, r, http.StatusOK, experienceView(page))
}

// plans is the Package Upgrade page.
func (c *Console) plans(w http.ResponseWriter, r *http.Request) error {
	ctx, p := r.Context(), visitOf(r).place
	if err := p.Workspace.Upgradable(); err != nil {
		return err
	}
	v, err := c.prices(p)
	if err != nil {
		return err
	}
	page := plansPage{Frame: c.frame(r, web.T(ctx, "studio.plans.title"), "upgrade"), Place: p}
	page.compare(v)
	if page.Preview, err = c.preview(w, r, p, v); err != nil {
		return err
	}
	return web.Render(w, r, page.Preview.Form.Status(), plansView(page))
}

// compare fills in what each plan allows and for how long it keeps data. What
// the site's market does not sell is left out.
func (p *plansPage) compare(v *catalog.Version) {
	market := catalog.Market{Currency: p.Place.Site.Currency, Group: p.Place.Site.Group}
	offered := map[string]bool{}
	for _, l := range quotas(v, nil) {
		item, err := v.Item(l.Item)
		if err != nil || !item.SoldIn(market) {
			continue
		}
		p.Lines = append(p.Lines, l)
		offered[item.Retention] = offered[item.Retention] || l.Supported
	}
	for _, t := range v.Retention.Types {
		line := storageLine{Type: t.Type, Experience: v.Retention.Experience, Default: t.Default, Allowed: t.Allowed}
		if kept, sold := offered[t.Type]; sold && !kept {
			line.Experience = ""
		}
		p.Storage = append(p.Storage, line)
	}
}
