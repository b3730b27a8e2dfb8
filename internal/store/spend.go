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
	Entry       int64 // of the ledger, which paid them; 0 for any
}

// BillsPage lists a payer's bills, the newest day first and by number within a
// day, after the bill of the given ID (empty for the first page). A bill that
// is not the payer's leads nowhere.
func (tx *Tx) BillsPage(ctx context.Context, q BillQuery, after string, limit int) ([]bill.Bill, error) {
	var page []bill.Bill
	err := tx.EachBill(ctx, q, after, limit, func(b bill.Bill) error {
		page = append(page, b)
		return nil
	})
	return page, err
}

// EachBill hands over what BillsPage lists, one by one as it is read. yield
// cannot use the transaction.
func (tx *Tx) EachBill(ctx context.Context, q BillQuery, after string, limit int, yield func(bill.Bill) error) error {
	behind, day, _ := bill.SplitID(after)
	rows, err := tx.Query(ctx, `
		SELECT `+billColumns+`
		FROM bill b
		LEFT JOIN bill a ON a.day = $7 AND a.workspace_id = $8 AND a.payer = $1
		WHERE b.payer = $1
			AND ($2 = '' OR b.workspace_id = $2)
			AND b.day BETWEEN $3 AND $4
			AND ($9 = 0 OR b.entry = $9)
			AND ($5 = ''
				OR b.day < a.day
				OR b.day = a.day AND (b.series > a.series OR b.series = a.series AND b.seq > a.seq))
		ORDER BY b.day DESC, b.series, b.seq
		LIMIT $6`, q.Payer, q.WorkspaceID, q.First.String(), q.Last.String(), after, int64(limit), day.String(), behind, q.Entry)
	return stream(rows, err, scanBill, yield)
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
			AND currency = $5
			AND ($6 = 0 OR entry = $6)`, q.Payer, q.WorkspaceID, q.First.String(), q.Last.String(), string(c), q.Entry).Scan(&bills, &minor)
	return bills, money.Of(minor, c), err
}

// Together are the bills that one entry of a payer's ledger paid.
type Together struct {
	Bills int64
	First string // the number of the first
	Last  string
	ID    string // of the first bill by workspace: of the one, where it is one
}

// PaidTogether tells which bills of a day an entry of the payer paid.
func (tx *Tx) PaidTogether(ctx context.Context, payer string, day period.Day, entry int64) (Together, error) {
	var t Together
	var series, workspaceID string
	var first, last int64
	err := tx.QueryRow(ctx, `
		SELECT COUNT(*), COALESCE(MIN(series), ''), COALESCE(MIN(seq), 0), COALESCE(MAX(seq), 0), COALESCE(MIN(workspace_id), '')
		FROM bill
		WHERE payer = $1
			AND day = $2
			AND entry = $3`, payer, day.String(), entry).Scan(&t.Bills, &series, &first, &last, &workspaceID)
	if err != nil || t.Bills == 0 {
		return t, err
	}
	t.First, t.Last, t.ID = bill.Number(series, first), bill.Number(series, last), bill.IDOf(workspaceID, day)
	return t, nil
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
			AND ($6 = 0 OR entry = $6)
		ORDER BY day, workspace_id`, q.Payer, q.WorkspaceID, q.First.String(), q.Last.String(), string(c), q.Entry)
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
