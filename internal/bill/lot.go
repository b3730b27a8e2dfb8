package bill

import (
	"context"
	"fmt"
	"slices"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/prepaid"
	"tollgate.dev/internal/rate"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/usage"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/workspace"
)

// Place is how far the close of a day has come: workspaces are billed in the
// order of their payers and, within one payer, of their IDs.
type Place struct {
	Payer       string
	WorkspaceID string
}

// Issued is a bill with its document; the lines are in the document only.
type Issued struct {
	Bill
	Document []byte
}

// LotTx is what billing many workspaces in one transaction needs of it.
type LotTx interface {
	// CommercialAfter lists the Commercial workspaces of a site behind a place,
	// with what a bill needs of them.
	CommercialAfter(ctx context.Context, s site.ID, after Place, limit int) ([]workspace.Workspace, error)
	// CountCommercial counts them.
	CountCommercial(ctx context.Context, s site.ID) (int64, error)
	// CurrenciesOf tells in which currency each payer pays.
	CurrenciesOf(ctx context.Context, payers []string) (map[string]money.Currency, error)
	// UsageOf gives the samples of workspaces' generation whose hours lie in
	// [from, to), in no order.
	UsageOf(ctx context.Context, workspaceIDs []string, g workspace.Generation, from, to time.Time) (map[string][]usage.Sample, error)
	// Billed tells which of the workspaces have a bill of the day.
	Billed(ctx context.Context, workspaceIDs []string, day period.Day) (map[string]bool, error)
	// InsertBills keeps bills of one series for ever.
	InsertBills(ctx context.Context, bills []Issued) error
	// UnparkAll forgets why a site's day of workspaces could not be billed.
	UnparkAll(ctx context.Context, s site.ID, workspaceIDs []string, day period.Day) error
	// OverridesOn gives the agreed prices that hold on a day, by payer.
	OverridesOn(ctx context.Context, day period.Day) (map[string][]catalog.Override, error)
	// ExtendSeries moves the chain of a series on, or fails with ErrMoved when it
	// does not stand where it should.
	ExtendSeries(ctx context.Context, series string, from, to Link) error
	// AdvanceSiteDay keeps how far the close of a day has come.
	AdvanceSiteDay(ctx context.Context, s site.ID, day period.Day, done int64, to Place) error
}

// lot is the workspaces that are billed in one transaction.
type lot struct {
	site       site.Site
	day        period.Day
	version    *catalog.Version
	raters     map[money.Currency]rater // of the site's group
	agreed     map[string][]catalog.Override
	covers     map[string]*prepaid.Cover // by workspace: its package on the day
	at         time.Time
	workspaces []workspace.Workspace
	turn       *turn // its place among the lots
	together   bool  // its first payer is also in the lot before
	first      bool  // of a run: an earlier one may have died within it, after some bills
}

// last is the place behind the lot.
func (l *lot) last() Place {
	w := l.workspaces[len(l.workspaces)-1]
	return Place{w.Payer, w.ID}
}

// charge is a workspace's rated day on its way to a bill.
type charge struct {
	workspace workspace.Workspace
	rated     rate.Rated
	due       []wallet.Due
	paid      wallet.Paid
}

// rate reads what the workspaces used and rates it. It moves and keeps
// nothing, so that lots are rated side by side.
func (l *lot) rate(ctx context.Context, tx Tx) (charges []charge, parked []Parked, err error) {
	var billed map[string]bool
	if l.first {
		if billed, err = tx.Billed(ctx, l.ids(), l.day); err != nil {
			return nil, nil, fmt.Errorf("bills of %s: %w", l.day, err)
		}
	}
	currencies, err := tx.CurrenciesOf(ctx, l.payers())
	if err != nil {
		return nil, nil, fmt.Errorf("payers of %s: %w", l.site.ID, err)
	}
	samples, err := l.usageOf(ctx, tx, l.workspaces)
	if err != nil {
		return nil, nil, err
	}
	shares, err := l.shares(ctx, tx, samples)
	if err != nil {
		return nil, nil, err
	}
	charges = make([]charge, 0, len(l.workspaces))
	for _, w := range l.workspaces {
		used := since(samples[w.ID], usage.Of(l.day, l.site.Zone).Since(w.UpgradedAt))
		if billed[w.ID] || len(used) == 0 {
			continue
		}
		c, err := charge{}, shares.wrong[w.ID]
		if err == nil {
			c, err = l.charge(w, currencies[w.Payer], used, shares.share[w.ID])
		}
		if err != nil {
			parked = append(parked, l.park(w, err))
		} else if len(c.rated.Lines) > 0 {
			charges = append(charges, c)
		}
	}
	return charges, parked, nil
}

// charge rates one workspace's day.
func (l *lot) charge(w workspace.Workspace, currency money.Currency, samples []usage.Sample, share *prepaid.Share) (charge, error) {
	rater, ok := l.rater(currency, w.Payer)
	switch {
	case currency == "":
		return charge{}, fmt.Errorf("payer of %s: %w", w.ID, account.ErrUnknown)
	case !ok:
		return charge{}, money.ErrCurrency.With("currency", string(currency))
	}
	c := charge{workspace: w}
	var err error
	if c.rated, err = rater.rate(samples, share); err != nil {
		return c, err
	}
	if c.rated.Total.Minor() > MostADay {
		return c, ErrBound.With("total", c.rated.Total.String())
	}
	c.due, err = rater.due(c.rated)
	return c, err
}

// usageOf reads the samples of the day, by workspace.
func (l *lot) usageOf(ctx context.Context, tx Tx, workspaces []workspace.Workspace) (map[string][]usage.Sample, error) {
	window := usage.Of(l.day, l.site.Zone)
	generations := map[workspace.Generation][]string{}
	for _, w := range workspaces {
		generations[w.Generation] = append(generations[w.Generation], w.ID)
	}
	all := map[string][]usage.Sample{}
	for g, ids := range generations {
		samples, err := tx.UsageOf(ctx, ids, g, window.From, window.To)
		if err != nil {
			return nil, fmt.Errorf("usage of %s: %w", l.day, err)
		}
		if len(generations) == 1 {
			return samples, nil
		}
		for id, list := range samples {
			all[id] = list
		}
	}
	return all, nil
}

// since leaves out the samples outside the window.
func since(samples []usage.Sample, w usage.Window) []usage.Sample {
	return slices.DeleteFunc(samples, func(s usage.Sample) bool { return s.Hour.Before(w.From) || !s.Hour.Before(w.To) })
}

func (l *lot) park(w workspace.Workspace, err error) Parked {
	return Parked{WorkspaceID: w.ID, Site: l.site.ID, Day: l.day, Code: fault.From(err).Code, Reason: err.Error(), At: l.at}
}

func (l *lot) ids() []string {
	ids := make([]string, len(l.workspaces))
	for i, w := range l.workspaces {
		ids[i] = w.ID
	}
	return ids
}

// payers are in the order of the workspaces, each once.
func (l *lot) payers() []string {
	var payers []string
	for _, w := range l.workspaces {
		if len(payers) == 0 || payers[len(payers)-1] != w.Payer {
			payers = append(payers, w.Payer)
		}
	}
	return payers
}
