package store

import (
	"context"
	"fmt"

	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
)

// BillQuery names the bills of a payer that a list is about: of one workspace
// or, where that is empty, of all, and of the days from First to Last.
type BillQuery struct {
	Payer       string
	WorkspaceID string
	First       period.Day
	Last        period.Day
}

// BillsPage lists a payer's bills, the newest day first and by number within a
// day, after the bill of the given ID (empty for the first page). A bill that
// is not the payer's leads nowhere.
func (tx *Tx) BillsPage(ctx context.Context, q BillQuery, after string, limit int) ([]bill.Bill, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+billColumns+`
		FROM bill b
		LEFT JOIN bill a ON a.id = $5 AND a.payer = $1
		WHERE b.payer = $1
			AND ($2 = '' OR b.workspace_id = $2)
			AND b.day BETWEEN $3 AND $4
			AND ($5 = ''
				OR b.day < a.day
				OR b.day = a.day AND (b.series > a.series OR b.series = a.series AND b.seq > a.seq))
		ORDER BY b.day DESC, b.series, b.seq
		LIMIT $6`, q.Payer, q.WorkspaceID, q.First.String(), q.Last.String(), after, int64(limit))
	return collect(rows, err, scanBill)
}

// BilledTo counts and sums a payer's bills.
func (tx *Tx) BilledTo(ctx context.Context, q BillQuery, c money.Currency) (bills int64, total money.Amount, err error) {
	var minor int64
	err = tx.QueryRow(ctx, `
		SELECT COUNT(*), CAST(COALESCE(SUM(total), 0) AS BIGINT)
		FROM bill
		WHERE payer = $1
			AND ($2 = '' OR workspace_id = $2)
			AND day BETWEEN $3 AND $4
			AND currency = $5`, q.Payer, q.WorkspaceID, q.First.String(), q.Last.String(), string(c)).Scan(&bills, &minor)
	return bills, money.Of(minor, c), err
}

// Spent is what a workspace cost a payer on a day.
type Spent struct {
	WorkspaceID string
	Day         period.Day
	Total       money.Amount
}

// SpentByDay lists the totals of a payer's bills in the order of days.
func (tx *Tx) SpentByDay(ctx context.Context, q BillQuery, c money.Currency) ([]Spent, error) {
	rows, err := tx.Query(ctx, `
		SELECT workspace_id, day, total
		FROM bill
		WHERE payer = $1
			AND ($2 = '' OR workspace_id = $2)
			AND day BETWEEN $3 AND $4
			AND currency = $5
		ORDER BY day, workspace_id`, q.Payer, q.WorkspaceID, q.First.String(), q.Last.String(), string(c))
	return collect(rows, err, func(r Row) (Spent, error) {
		var s Spent
		var day string
		var minor int64
		if err := r.Scan(&s.WorkspaceID, &day, &minor); err != nil {
			return s, fmt.Errorf("read what was spent: %w", err)
		}
		s.Total = money.Of(minor, c)
		return s, s.Day.UnmarshalText([]byte(day))
	})
}

// SiteDays lists the latest day of each site that was begun.
func (tx *Tx) SiteDays(ctx context.Context) ([]bill.SiteDay, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+siteDayColumns+`
		FROM site_day d
		WHERE d.day = (
			SELECT MAX(o.day)
			FROM site_day o
			WHERE o.site = d.site
		)
		ORDER BY d.site`)
	return collect(rows, err, scanSiteDay)
}
