package bill

import (
	"context"
	"fmt"
	"maps"
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
	// UsageOf gives the records of workspaces' generation for a service day, which
	// it keeps in the room; those of workspaces that used nothing are missing.
	UsageOf(ctx context.Context, room *usage.Room, workspaceIDs []string, g workspace.Generation, day period.Day) (map[string]usage.Record, error)
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
	desk       *desk
	turn       *turn // its place among the lots
	unpark     bool  // some of the day may be parked already
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
	l.desk.records.Empty()
	records, err := l.usageOf(ctx, tx, l.workspaces)
	if err != nil {
		return nil, nil, err
	}
	shares, err := l.shares(ctx, tx, records)
	if err != nil {
		return nil, nil, err
	}
	d, whole := l.desk, usage.Of(l.day, l.site.Zone)
	charges, d.lines, d.due = d.charges[:0], d.lines[:0], d.due[:0]
	for _, w := range l.workspaces {
		record, window := records[w.ID], whole.Since(w.UpgradedAt)
		used, err := record.Any(window)
		if billed[w.ID] || !used && err == nil {
			continue
		}
		if err == nil {
			err = shares.wrong[w.ID]
		}
		var c charge
		if err == nil {
			c, err = l.charge(w, currencies[w.Payer], record, window, shares.share[w.ID])
		}
		if err != nil {
			parked = append(parked, l.park(w, err))
		} else if len(c.rated.Lines) > 0 {
			charges = append(charges, c)
		}
	}
	d.charges = charges
	return charges, parked, nil
}

// charge rates one workspace's day.
func (l *lot) charge(w workspace.Workspace, currency money.Currency, record usage.Record, window usage.Window, share *prepaid.Share) (charge, error) {
	rater, ok := l.rater(currency, w.Payer)
	switch {
	case currency == "":
		return charge{}, fmt.Errorf("payer of %s: %w", w.ID, account.ErrUnknown)
	case !ok:
		return charge{}, money.ErrCurrency.With("currency", string(currency))
	}
	c := charge{workspace: w}
	used, err := l.desk.counter.Quantities(record, window)
	if err != nil {
		return c, err
	}
	if c.rated, l.desk.lines, err = rater.rateDay(l.desk.lines, used, share); err != nil {
		return c, err
	}
	if c.rated.Total.Minor() > MostADay {
		return c, ErrBound.With("total", c.rated.Total.String())
	}
	c.due, l.desk.due, err = rater.due(l.desk.due, c.rated)
	return c, err
}

// usageOf reads the records of the day, by workspace.
func (l *lot) usageOf(ctx context.Context, tx Tx, workspaces []workspace.Workspace) (map[string]usage.Record, error) {
	generations := map[workspace.Generation][]string{}
	for _, w := range workspaces {
		generations[w.Generation] = append(generations[w.Generation], w.ID)
	}
	all := map[string]usage.Record{}
	for g, ids := range generations {
		records, err := tx.UsageOf(ctx, &l.desk.records, ids, g, l.day)
		if err != nil {
			return nil, fmt.Errorf("usage of %s: %w", l.day, err)
		}
		if len(generations) == 1 {
			return records, nil
		}
		maps.Copy(all, records)
	}
	return all, nil
}

func (l *lot) park(w workspace.Workspace, err error) Parked {
	return Parked{WorkspaceID: w.ID, Site: l.site.ID, Day: l.day, At: l.at, Kept: fault.Keep(err)}
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
