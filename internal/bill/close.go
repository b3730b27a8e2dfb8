package bill

import (
	"context"
	"fmt"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/prepaid"
	"tollgate.dev/internal/rate"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/usage"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/workspace"
)

// MostADay bounds a daily bill: ten million in whole units. A larger one is
// not charged; its workspace is parked and a person told (promise P11).
const MostADay = wallet.MostAmount

// Tx is what bills need of a transaction.
type Tx interface {
	wallet.PurseTx
	LotTx
	PackageTx
	CloudTx
	WorkspaceForUpdate(ctx context.Context, id string) (workspace.Workspace, error)
	Workspace(ctx context.Context, id string) (workspace.Workspace, error)
	BillingByID(ctx context.Context, id string) (account.Billing, error)
	UsageBetween(ctx context.Context, workspaceID string, g workspace.Generation, from, to time.Time) ([]usage.Sample, error)
	// OverridesOf lists the prices agreed with a payer.
	OverridesOf(ctx context.Context, payer string) ([]catalog.Override, error)
	Audit(ctx context.Context, e audit.Entry) error

	// BillOfDay finds a workspace's bill, or ErrUnknown.
	BillOfDay(ctx context.Context, workspaceID string, day period.Day) (Bill, error)
	// SeriesEnd is where the chain of a series stands, kept from other writers.
	SeriesEnd(ctx context.Context, series string) (Link, error)
	// SeriesEnds are those of all series of a site, in their order.
	SeriesEnds(ctx context.Context, s site.ID) ([]End, error)

	// Park keeps the reason why a workspace's day could not be billed.
	Park(ctx context.Context, p Parked) error
	// Unpark forgets it.
	Unpark(ctx context.Context, workspaceID string, day period.Day) error

	// SiteDay finds the close of a site's day; a day that was not begun has no state.
	SiteDay(ctx context.Context, s site.ID, day period.Day) (SiteDay, error)
	// LastSiteDay finds the latest day of a site that was begun; zero when none was.
	LastSiteDay(ctx context.Context, s site.ID) (SiteDay, error)
	// LastSiteDayKept is LastSiteDay, and no close of the site begins until the
	// transaction ends.
	LastSiteDayKept(ctx context.Context, s site.ID) (SiteDay, error)
	// BeginSiteDay keeps that the close of a day has begun.
	BeginSiteDay(ctx context.Context, d SiteDay) error
	// FinishSiteDay keeps that a day is closed.
	FinishSiteDay(ctx context.Context, d SiteDay) error
	// CountParked counts the workspaces that are parked for a site's day.
	CountParked(ctx context.Context, s site.ID, day period.Day) (int64, error)
	// FlushedThrough is the earliest instant that a gateway heard of since then has reached.
	FlushedThrough(ctx context.Context, heardSince time.Time) (through time.Time, ok bool, err error)
}

// Parked is a workspace whose day could not be billed. It waits for a person.
type Parked struct {
	WorkspaceID string
	Site        site.ID
	Day         period.Day
	At          time.Time
	fault.Kept
}

// Close bills one workspace's day, once: closed again, the bill that is there
// is given back. A workspace that used nothing billable gets no bill; its ID
// is then empty.
func Close(ctx context.Context, tx Tx, c *catalog.Catalog, day period.Day, workspaceID string, at time.Time) (Bill, error) {
	w, err := tx.WorkspaceForUpdate(ctx, workspaceID)
	if err != nil {
		return Bill{}, err
	}
	before, err := tx.BillOfDay(ctx, w.ID, day)
	if err == nil || !isUnknown(err) {
		return before, err
	}
	r, err := Calculate(ctx, tx, c, w, day)
	if err != nil || len(r.Lines) == 0 {
		return Bill{}, err
	}
	if r.Total.Minor() > MostADay {
		return Bill{}, ErrBound.With("total", r.Total.String())
	}
	b, err := issue(ctx, tx, c, w, day, r, at)
	if err != nil {
		return Bill{}, err
	}
	return b, tx.Unpark(ctx, w.ID, day)
}

// issue pays for what was rated and keeps the bill.
func issue(ctx context.Context, tx Tx, c *catalog.Catalog, w workspace.Workspace, day period.Day, r rate.Rated, at time.Time) (Bill, error) {
	v, err := c.At(day)
	if err != nil {
		return Bill{}, err
	}
	due, _, err := rater{version: v}.due(nil, r)
	if err != nil {
		return Bill{}, err
	}
	if _, err := tx.LedgerHead(ctx, w.Payer); err != nil { // no cloud is charged in advance any more
		return Bill{}, fmt.Errorf("chain of %s: %w", w.Payer, err)
	}
	advances, err := tx.AdvancesOf(ctx, w.Site, day)
	if err != nil {
		return Bill{}, fmt.Errorf("advances of %s: %w", day, err)
	}
	if err := ahead(due, advances[w.ID]); err != nil {
		return Bill{}, err
	}
	billID := IDOf(w.ID, day)
	paid, err := wallet.Pay(ctx, tx, wallet.Charging{
		Key: "bill:" + billID, Cause: billID, Payer: w.Payer,
		Currency: r.Market.Currency, Settlement: w.Settlement, Lines: due,
	}, at)
	if err != nil {
		return Bill{}, err
	}
	return number(ctx, tx, Draft{Workspace: w, Day: day, Rated: r, Parts: paid.Parts, Entry: paid.Entry, IssuedAt: at})
}

// number gives a bill the next number of its series and keeps it.
func number(ctx context.Context, tx Tx, d Draft) (Bill, error) {
	series := Series(d.Workspace.Site, d.Day)
	last, err := tx.SeriesEnd(ctx, series)
	if err != nil {
		return Bill{}, fmt.Errorf("number of a bill: %w", err)
	}
	d.Number = last.Number + 1
	b, document, err := compose(d)
	if err != nil {
		return Bill{}, err
	}
	if err := tx.InsertBills(ctx, []Issued{{b, document}}); err != nil {
		return Bill{}, fmt.Errorf("keep bill %s: %w", b.Number, err)
	}
	if err := tx.ChargeClouds(ctx, []Issued{{b, document}}); err != nil {
		return Bill{}, fmt.Errorf("charge for bill %s: %w", b.Number, err)
	}
	return b, tx.ExtendSeries(ctx, series, last, last.Next(b.Hash))
}

// Calculate rates what a workspace used on a day so far: usage of its present
// generation from the hour of its upgrade on. It moves and keeps nothing, so
// it serves the estimate of today as well as the bill.
func Calculate(ctx context.Context, tx Reading, c *catalog.Catalog, w workspace.Workspace, day period.Day) (rate.Rated, error) {
	if w.Plan != workspace.Commercial {
		return rate.Rated{}, nil
	}
	s, err := site.Find(w.Site)
	if err != nil {
		return rate.Rated{}, err
	}
	v, err := c.At(day)
	if err != nil {
		return rate.Rated{}, err
	}
	payer, err := tx.BillingByID(ctx, w.Payer)
	if err != nil {
		return rate.Rated{}, fmt.Errorf("payer of %s: %w", w.ID, err)
	}
	market := catalog.Market{Currency: payer.Currency, Group: s.Group}
	window := usage.Of(day, s.Zone).Since(w.UpgradedAt)
	if window.Empty() {
		return rate.NewTariff(v, market).Rate(nil)
	}
	samples, err := tx.UsageBetween(ctx, w.ID, w.Generation, window.From, window.To)
	if err != nil {
		return rate.Rated{}, fmt.Errorf("usage of %s on %s: %w", w.ID, day, err)
	}
	agreed, err := tx.OverridesOf(ctx, payer.ID)
	if err != nil {
		return rate.Rated{}, fmt.Errorf("prices agreed with %s: %w", payer.ID, err)
	}
	share, err := ShareOf(ctx, tx, v, market, s, w.ID, day)
	if err != nil {
		return rate.Rated{}, err
	}
	return RateShared(v, market, share, samples, catalog.InForce(agreed, day)...)
}

// Reading is what an estimate needs of a transaction.
type Reading interface {
	BillingByID(ctx context.Context, id string) (account.Billing, error)
	OverridesOf(ctx context.Context, payer string) ([]catalog.Override, error)
	ShareTx
}

// UsageReading gives the samples of one workspace.
type UsageReading interface {
	UsageBetween(ctx context.Context, workspaceID string, g workspace.Generation, from, to time.Time) ([]usage.Sample, error)
}

// Rate turns the samples of a day into lines. Items that are sold within
// packages only, or that the operator has to switch on, make none. Prices
// agreed with the payer that hold on the day stand in for the version's.
func Rate(v *catalog.Version, m catalog.Market, samples []usage.Sample, agreed ...catalog.Override) (rate.Rated, error) {
	return newRater(v, m, agreed...).rate(samples, nil)
}

// RateShared is Rate for a workspace that shares a package; nil is none.
func RateShared(v *catalog.Version, m catalog.Market, share *prepaid.Share, samples []usage.Sample, agreed ...catalog.Override) (rate.Rated, error) {
	return newRater(v, m, agreed...).rate(samples, share)
}
