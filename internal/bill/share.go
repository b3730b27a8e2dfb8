package bill

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/prepaid"
	"tollgate.dev/internal/quantity"
	"tollgate.dev/internal/rate"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/usage"
	"tollgate.dev/internal/workspace"
)

// ShareTx is what a workspace's share of an annual package needs of a
// transaction.
type ShareTx interface {
	// CoverOf is the package that a workspace is in on a day, if any.
	CoverOf(ctx context.Context, workspaceID string, day period.Day) (prepaid.Cover, bool, error)
	Workspace(ctx context.Context, id string) (workspace.Workspace, error)
	UsageReading
}

// ShareOf is what is left of a package for a workspace on a day, once those
// before it in the order have taken what they used; nil when it is in none. It
// depends on the usage of the day alone, so that workspaces are billed in any
// order, and again, to the same bytes.
func ShareOf(ctx context.Context, tx ShareTx, v *catalog.Version, m catalog.Market, s site.Site, workspaceID string, day period.Day) (*prepaid.Share, error) {
	cover, found, err := tx.CoverOf(ctx, workspaceID, day)
	if err != nil || !found {
		return nil, err
	}
	share := cover.Begin(v, m)
	for _, id := range cover.Before(workspaceID) {
		used, err := dayOf(ctx, tx, v, s, id, day)
		if err == nil {
			err = share.Pass(used)
		}
		if err != nil {
			return nil, uncounted(id, err)
		}
	}
	return share, nil
}

// uncounted is why the workspaces behind one cannot be billed either: nobody
// knows what it takes.
func uncounted(workspaceID string, err error) error {
	var refused *fault.Error
	if !errors.As(err, &refused) {
		return fmt.Errorf("usage of %s in a package: %w", workspaceID, err)
	}
	return prepaid.ErrUncounted.With("workspace", workspaceID).Because(err)
}

// dayOf is what a workspace used on a day, as its bill counts it.
func dayOf(ctx context.Context, tx ShareTx, v *catalog.Version, s site.Site, workspaceID string, day period.Day) ([]usage.Quantity, error) {
	w, err := tx.Workspace(ctx, workspaceID)
	if err != nil || w.Plan != workspace.Commercial {
		return nil, err
	}
	window := usage.Of(day, s.Zone).Since(w.UpgradedAt)
	if window.Empty() {
		return nil, nil
	}
	samples, err := tx.UsageBetween(ctx, w.ID, w.Generation, window.From, window.To)
	if err != nil {
		return nil, err
	}
	return usage.Quantities(v, samples)
}

// PackageUse is what became of a package's quota of one item on a day.
type PackageUse struct {
	Item      string
	Quota     quantity.Decimal // traffic packages included
	Converted quantity.Decimal // what all workspaces used, each class times its factor
	Covered   quantity.Decimal
	Excess    quantity.Decimal
	Left      quantity.Decimal
	Parts     []PackagePart // in the order of the workspaces
}

// PackagePart is the part of one workspace.
type PackagePart struct {
	WorkspaceID string
	Converted   quantity.Decimal
	Covered     quantity.Decimal
	Excess      quantity.Decimal
}

// UseOf is what a package has covered on a day so far, item by item in
// catalogue order, by the rule of the bills.
func UseOf(ctx context.Context, tx ShareTx, v *catalog.Version, m catalog.Market, s site.Site, cover prepaid.Cover, day period.Day) ([]PackageUse, error) {
	share := cover.Begin(v, m)
	var uses []PackageUse
	for _, item := range v.Items {
		if quota, has := cover.Quotas[item.ID]; has {
			uses = append(uses, PackageUse{Item: item.ID, Quota: quota, Left: quota})
		}
	}
	for _, id := range cover.Workspaces {
		used, err := dayOf(ctx, tx, v, s, id, day)
		if err != nil {
			return nil, uncounted(id, err)
		}
		for i := range uses {
			uses[i].Parts = append(uses[i].Parts, PackagePart{WorkspaceID: id})
		}
		for _, q := range used {
			i := slices.IndexFunc(uses, func(u PackageUse) bool { return u.Item == q.Item })
			if i < 0 {
				continue
			}
			took, err := share.Take(q)
			if err == nil {
				err = uses[i].add(took)
			}
			if err != nil {
				return nil, uncounted(id, err)
			}
		}
	}
	left := share.Left()
	for i := range uses {
		uses[i].Left = left[uses[i].Item].Trimmed()
	}
	return uses, nil
}

// add adds what the last of the workspaces took.
func (u *PackageUse) add(c rate.Cover) error {
	part := &u.Parts[len(u.Parts)-1]
	for _, sum := range []struct {
		to  *quantity.Decimal
		add quantity.Decimal
	}{
		{&u.Converted, c.Converted}, {&u.Covered, c.Covered}, {&u.Excess, c.Excess},
		{&part.Converted, c.Converted}, {&part.Covered, c.Covered}, {&part.Excess, c.Excess},
	} {
		var err error
		if *sum.to, err = sum.to.Add(sum.add); err != nil {
			return err
		}
	}
	return nil
}

// lotShares is what is left of their packages for the workspaces of a lot, or
// why that cannot be said.
type lotShares struct {
	share map[string]*prepaid.Share
	wrong map[string]error
}

// shares computes them from the records of the lot. Workspaces of other lots
// that come earlier in a package are read besides.
func (l *lot) shares(ctx context.Context, tx Tx, records map[string]usage.Record) (lotShares, error) {
	var none lotShares
	covers, mine := l.packages()
	if len(covers) == 0 {
		return none, nil
	}
	others, err := l.others(ctx, tx, covers, mine)
	if err != nil {
		return none, err
	}
	found := lotShares{share: map[string]*prepaid.Share{}, wrong: map[string]error{}}
	for _, cover := range covers {
		share := cover.Begin(l.version, catalog.Market{Currency: l.version.AnnualPackages.Currency, Group: l.site.Group})
		var broken error
		for _, id := range cover.Workspaces {
			w, here := mine[id]
			used := records[id]
			if here {
				found.share[id], found.wrong[id] = share.Clone(), broken
			} else {
				w, used = others.workspaces[id], others.records[id]
			}
			if broken == nil && w.Plan == workspace.Commercial {
				broken = l.pass(share, w, used)
			}
		}
	}
	return found, nil
}

// pass lets a workspace take its part of a package.
func (l *lot) pass(share *prepaid.Share, w workspace.Workspace, record usage.Record) error {
	used, err := usage.NewCounter(l.version).Quantities(record, usage.Of(l.day, l.site.Zone).Since(w.UpgradedAt))
	if err == nil {
		err = share.Pass(used)
	}
	if err != nil {
		return uncounted(w.ID, err)
	}
	return nil
}

// packages lists those that workspaces of the lot are in, and the workspaces.
func (l *lot) packages() ([]*prepaid.Cover, map[string]workspace.Workspace) {
	if len(l.covers) == 0 {
		return nil, nil
	}
	var covers []*prepaid.Cover
	for _, w := range l.workspaces {
		if c := l.covers[w.ID]; c != nil && !slices.Contains(covers, c) {
			covers = append(covers, c)
		}
	}
	if len(covers) == 0 {
		return nil, nil
	}
	mine := make(map[string]workspace.Workspace, len(l.workspaces))
	for _, w := range l.workspaces {
		mine[w.ID] = w
	}
	return covers, mine
}

// outside is workspaces of other lots that share a package with this one's.
type outside struct {
	workspaces map[string]workspace.Workspace
	records    map[string]usage.Record
}

func (l *lot) others(ctx context.Context, tx Tx, covers []*prepaid.Cover, mine map[string]workspace.Workspace) (outside, error) {
	var ids []string
	for _, c := range covers {
		for _, id := range c.Workspaces {
			if _, here := mine[id]; !here {
				ids = append(ids, id)
			}
		}
	}
	o := outside{workspaces: map[string]workspace.Workspace{}, records: map[string]usage.Record{}}
	for chunk := range slices.Chunk(ids, LotOf) {
		list, err := tx.WorkspacesByID(ctx, chunk)
		if err != nil {
			return o, fmt.Errorf("workspaces of packages: %w", err)
		}
		records, err := l.usageOf(ctx, tx, list)
		if err != nil {
			return o, err
		}
		for _, w := range list {
			o.workspaces[w.ID], o.records[w.ID] = w, records[w.ID]
		}
	}
	return o, nil
}
