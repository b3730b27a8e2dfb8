package bill

import (
	"context"
	"time"

	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/rate"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/workspace"
)

// MonthTx is what the month to date needs of a transaction.
type MonthTx interface {
	Reading
	// BilledBetween sums a workspace's bills of the days from first to last.
	BilledBetween(ctx context.Context, workspaceID string, c money.Currency, first, last period.Day) (money.Amount, error)
	LastSiteDay(ctx context.Context, s site.ID) (SiteDay, error)
}

// Running is what a workspace's month comes to so far.
type Running struct {
	Month    period.Month
	Currency money.Currency
	Billed   money.Amount // by bills
	Open     money.Amount // estimated: the days that have no bill yet
	Total    money.Amount
	Today    rate.Rated // the estimate of today, line by line
}

// MonthToDate sums the bills of the month and estimates the days that are not
// closed yet, today among them, with the formula of the bill.
func MonthToDate(ctx context.Context, tx MonthTx, c *catalog.Catalog, w workspace.Workspace, at time.Time) (Running, error) {
	s, err := site.Find(w.Site)
	if err != nil {
		return Running{}, err
	}
	today := period.DayOf(at, s.Zone)
	r := Running{Month: today.Month()}
	if w.Plan != workspace.Commercial {
		return r, nil
	}
	payer, err := tx.BillingByID(ctx, w.Payer)
	if err != nil {
		return r, err
	}
	r.Currency = payer.Currency
	if r.Billed, err = tx.BilledBetween(ctx, w.ID, r.Currency, r.Month.First(), today); err != nil {
		return r, err
	}
	last, err := tx.LastSiteDay(ctx, s.ID)
	if err != nil {
		return r, err
	}
	r.Open = money.Of(0, r.Currency)
	for day := firstOpen(r.Month, s, w, last); !day.After(today); day = day.Add(1) {
		if r.Today, err = Calculate(ctx, tx, c, w, day); err != nil {
			return r, err
		}
		if r.Open, err = r.Open.Add(r.Today.Total); err != nil {
			return r, err
		}
	}
	r.Total, err = r.Billed.Add(r.Open)
	return r, err
}

// firstOpen is the first day of the month that may have usage without a bill.
func firstOpen(m period.Month, s site.Site, w workspace.Workspace, last SiteDay) period.Day {
	first := m.First()
	if upgraded := period.DayOf(w.UpgradedAt, s.Zone); first.Before(upgraded) {
		first = upgraded
	}
	if last.Begun() && !last.Day.Before(first) {
		first = last.Day.Add(1)
	}
	return first
}
