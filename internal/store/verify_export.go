package store

import (
	"context"
	"math"

	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/export"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/statement"
)

// verifyExports writes the tables of every month that has a statement, and of
// the statement, as they are sent, and sums what they say (I12). Bills come one
// by one, in the way in which an export reads them.
func (tx *Tx) verifyExports(ctx context.Context, _ *catalog.Catalog) ([]audit.Finding, error) {
	check := &export.Check{}
	var payer, month string
	for {
		page, err := tx.storedStatements(ctx, payer, month)
		if err != nil {
			return nil, err
		}
		for _, row := range page {
			payer, month = row.payer, row.month
			s, err := statement.Read([]byte(row.document))
			if err != nil {
				continue // the statements' own check says so
			}
			if err := tx.verifyMonth(ctx, check, s); err != nil {
				return nil, err
			}
			if err := tx.verifyStatementTable(ctx, check, s, money.Of(row.total, s.Currency)); err != nil {
				return nil, err
			}
		}
		if len(page) < pageOfBills {
			return check.Findings(), nil
		}
	}
}

// verifyMonth compares the tables of a statement's month with the columns
// beside the bills.
func (tx *Tx) verifyMonth(ctx context.Context, check *export.Check, s statement.Statement) error {
	q := BillQuery{Payer: s.Payer, First: s.Month.First(), Last: s.Month.Last()}
	m := check.Month(s.Payer, s.Month, s.Currency)
	if err := tx.EachBill(ctx, q, "", math.MaxInt32, m.Bill); err != nil {
		if !tx.answers(ctx) {
			return err
		}
		m.Unread(err)
		return nil
	}
	bills, kept, err := tx.sumsBeside(ctx, s.Currency, `
		FROM bill b
		WHERE b.payer = $1
			AND b.day BETWEEN $2 AND $3`, q.Payer, q.First.String(), q.Last.String())
	if err == nil {
		m.Sums(bills, kept)
	}
	return err
}

// verifyStatementTable compares a statement's table with the columns beside the
// bills and charges that are on it.
func (tx *Tx) verifyStatementTable(ctx context.Context, check *export.Check, s statement.Statement, total money.Amount) error {
	_, bills, err := tx.sumsBeside(ctx, s.Currency, `
		FROM statement_bill t
		JOIN bill b ON b.workspace_id = t.workspace_id AND b.day = t.day
		WHERE t.statement_id = $1`, s.ID)
	if err != nil {
		return err
	}
	var packages int64
	if err := tx.QueryRow(ctx, `
		SELECT CAST(COALESCE(SUM(total), 0) AS BIGINT)
		FROM package_charge
		WHERE statement_id = $1`, s.ID).Scan(&packages); err != nil {
		return err
	}
	check.Statement(s, total, bills, money.Of(packages, s.Currency))
	return nil
}

// sumsBeside counts bills and sums their columns.
func (tx *Tx) sumsBeside(ctx context.Context, c money.Currency, from string, args ...any) (bills int64, sums export.Sums, err error) {
	var total int64
	var paid [6]int64
	if err := tx.QueryRow(ctx, `
		SELECT COUNT(*), CAST(COALESCE(SUM(b.total), 0) AS BIGINT),
			CAST(COALESCE(SUM(b.paid_voucher), 0) AS BIGINT), CAST(COALESCE(SUM(b.paid_full_reduction), 0) AS BIGINT),
			CAST(COALESCE(SUM(b.paid_card), 0) AS BIGINT), CAST(COALESCE(SUM(b.paid_cash), 0) AS BIGINT),
			CAST(COALESCE(SUM(b.paid_cloud), 0) AS BIGINT), CAST(COALESCE(SUM(b.owed), 0) AS BIGINT)`+from, args...).Scan(
		&bills, &total, &paid[0], &paid[1], &paid[2], &paid[3], &paid[4], &paid[5]); err != nil {
		return 0, sums, err
	}
	sums = export.SumsOf(c)
	sums.Amount = money.Of(total, c)
	for i := range sums.Paid { // in the order of the columns
		sums.Paid[i] = money.Of(paid[i], c)
	}
	return bills, sums, nil
}
