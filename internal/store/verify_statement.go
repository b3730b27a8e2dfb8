package store

import (
	"context"

	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/statement"
)

// verifyStatements sums the bills of every statement anew.
func (tx *Tx) verifyStatements(ctx context.Context, c *catalog.Catalog) ([]audit.Finding, error) {
	check := statement.NewCheck(c)
	var payer, month string
	for {
		page, err := tx.storedStatements(ctx, payer, month)
		if err != nil {
			return nil, err
		}
		for _, row := range page {
			payer, month = row.payer, row.month
			s, ok := check.Statement([]byte(row.document), row.id, row.payer, bill.Number(row.series, row.seq), row.hash)
			if !ok {
				continue
			}
			check.Beside(s, row.month, row.currency, row.bills, row.total, period.FromMicros(row.issued))
			charges, err := tx.ChargesOn(ctx, s.ID)
			if err != nil {
				return nil, err
			}
			corrected, err := tx.AdjustmentsOn(ctx, s.ID)
			if err != nil {
				return nil, err
			}
			err = check.Bills(s, func(yield func(bill.Bill) error) error { return tx.eachBillOn(ctx, s, yield) }, charges, corrected)
			if err != nil {
				return nil, err
			}
		}
		if len(page) < pageOfBills {
			break
		}
	}
	if err := tx.eachChain(ctx, "statement:", func(payer string, head link) { check.Head(payer, head.n, head.hash) }); err != nil {
		return nil, err
	}
	found, err := tx.strayStatements(ctx)
	return append(check.Findings(), found...), err
}

type storedStatement struct {
	payer, month, id, series, currency, document, hash string
	seq, bills, total, issued                          int64
}

func (tx *Tx) storedStatements(ctx context.Context, payer, month string) ([]storedStatement, error) {
	rows, err := tx.Query(ctx, `
		SELECT payer, month, id, series, seq, currency, bills, total, issued_at, document, hash
		FROM statement
		WHERE payer > $1
			OR payer = $1 AND month > $2
		ORDER BY payer, month
		LIMIT $3`, payer, month, int64(pageOfBills))
	return collect(rows, err, func(r Row) (s storedStatement, err error) {
		err = r.Scan(&s.payer, &s.month, &s.id, &s.series, &s.seq, &s.currency, &s.bills, &s.total, &s.issued, &s.document, &s.hash)
		return s, err
	})
}

// eachBillOn reads the bills of a statement as they lie there. A bill that
// cannot be read is the finding of the bills' own check; here it is missing.
func (tx *Tx) eachBillOn(ctx context.Context, s statement.Statement, yield func(bill.Bill) error) error {
	rows, err := tx.Query(ctx, `
		SELECT b.document
		FROM statement_bill t
		JOIN bill b ON b.workspace_id = t.workspace_id AND b.day = t.day
		WHERE t.statement_id = $1
		ORDER BY t.day, t.workspace_id`, s.ID)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var document string
		if err := rows.Scan(&document); err != nil {
			return err
		}
		b, err := bill.Read([]byte(document))
		if err != nil {
			continue
		}
		if err := yield(b); err != nil {
			return err
		}
	}
	return rows.Err()
}

// strayStatements looks for bills on a statement that is not theirs, for bills
// that should be on one and are not, and for numbers left out. A bill that was
// being made within a day of the statement goes on the next one, rightly.
func (tx *Tx) strayStatements(ctx context.Context) ([]audit.Finding, error) {
	var all []audit.Finding
	for _, query := range []struct{ invariant, sql string }{{"I5", `
		SELECT t.statement_id, 'it names a bill that is not the account''s, or of a later month'
		FROM statement_bill t
		LEFT JOIN bill b ON b.workspace_id = t.workspace_id AND b.day = t.day AND b.payer = t.payer
		LEFT JOIN statement s ON s.id = t.statement_id AND s.payer = t.payer AND s.currency = b.currency
		WHERE s.id IS NULL
			OR SUBSTR(t.day, 1, 7) > s.month`}, {"I5", `
		SELECT b.series || '-' || b.seq, 'it was made before the statement of its month and is on none'
		FROM bill b
		JOIN statement s ON s.payer = b.payer AND s.month = SUBSTR(b.day, 1, 7) AND s.currency = b.currency
		LEFT JOIN statement_bill t ON t.payer = b.payer AND t.day = b.day AND t.workspace_id = b.workspace_id
		WHERE t.statement_id IS NULL
			AND b.issued_at < s.issued_at - 86400000000`}, {"I5", `
		SELECT c.id, 'it is on a statement that is not the account''s'
		FROM package_charge c
		LEFT JOIN statement s ON s.id = c.statement_id AND s.payer = c.payer
		WHERE c.statement_id <> ''
			AND s.id IS NULL`}, {"I5", `
		SELECT c.id, 'it was made before the statement of its month and is on none'
		FROM package_charge c
		JOIN statement s ON s.payer = c.payer AND s.month = SUBSTR(c.day, 1, 7) AND s.currency = c.currency
		WHERE c.statement_id = ''
			AND c.at < s.issued_at - 86400000000`}, {"I5", `
		SELECT a.id, 'it is on a statement that is not the account''s, or was not booked'
		FROM adjustment a
		LEFT JOIN statement s ON s.id = a.statement_id AND s.payer = a.account_id AND s.currency = a.currency
		WHERE a.statement_id <> ''
			AND (s.id IS NULL OR a.state <> 'approved')`}, {"I5", `
		SELECT DISTINCT a.id, 'it was booked two months before a statement and is on none'
		FROM adjustment a
		JOIN statement s ON s.payer = a.account_id AND s.currency = a.currency
		WHERE a.state = 'approved'
			AND a.statement_id = ''
			AND a.decided_at < s.issued_at - 6048000000000`}, {"I11", `
		SELECT n.series, 'statements have numbers that were not taken, or lack some that were'
		FROM document_number n
		LEFT JOIN statement s ON s.series = n.series
		WHERE SUBSTR(n.series, 1, 3) = 'ST-'
		GROUP BY n.series, n.last
		HAVING COUNT(s.id) <> n.last OR MAX(s.seq) <> n.last OR COUNT(s.id) = 0`},
	} {
		found, err := tx.strays(ctx, query.invariant, query.sql)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}
