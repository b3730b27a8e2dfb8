package studio

import (
	"context"
	"errors"
	"slices"

	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/prepaid"
	"tollgate.dev/internal/quantity"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
)

// packageToday is the annual package that covers a workspace today.
type packageToday struct {
	Size  string
	Last  period.Day
	Place int // in the order of the workspaces that share it, from 1
	Of    int
	Items []packageItem
}

// packageItem is the quota of one item: what of it covered this workspace and
// what is left for all who share it.
type packageItem struct {
	Item  string
	Quota quantity.Decimal
	Here  quantity.Decimal
	Left  quantity.Decimal
}

// packaged reads the package of a workspace; nil when it is in none, or when
// its usage cannot be counted yet.
func (c *Console) packaged(ctx context.Context, tx *store.Tx, p place, currency money.Currency, today period.Day) (*packageToday, error) {
	cover, found, err := tx.CoverOf(ctx, p.Workspace.ID, today)
	if err != nil || !found {
		return nil, err
	}
	of, err := tx.Package(ctx, cover.Package)
	if err != nil {
		return nil, err
	}
	v, err := c.options.Catalog.At(today)
	if err != nil {
		return nil, err
	}
	uses, err := bill.UseOf(ctx, tx, v, catalog.Market{Currency: currency, Group: p.Site.Group}, p.Site, cover, today)
	if errors.Is(err, prepaid.ErrUncounted) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	term, _ := of.On(today)
	shown := &packageToday{Size: term.Size, Last: of.Last, Place: slices.Index(cover.Workspaces, p.Workspace.ID) + 1, Of: len(cover.Workspaces)}
	for _, u := range uses {
		item := packageItem{Item: u.Item, Quota: u.Quota, Left: u.Left}
		for _, part := range u.Parts {
			if part.WorkspaceID == p.Workspace.ID {
				item.Here = part.Covered
			}
		}
		shown.Items = append(shown.Items, item)
	}
	return shown, nil
}

// gauge is how much of the quota is gone, whoever used it.
func (i packageItem) gauge(label string) web.Gauge {
	quota, _ := i.Quota.Truncate(0).Int()
	left, _ := i.Left.Truncate(0).Int()
	return web.Gauge{Label: label, Used: quota - left, Quota: quota}
}
