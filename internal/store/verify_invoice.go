package store

import (
	"context"

	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/invoice"
	"tollgate.dev/internal/statement"
)

// pageOfInvoices bounds the requests that are held in memory at once.
const pageOfInvoices = 200

// verifyInvoices compares every request with its lines, and these with the
// statements and the ledger.
func (tx *Tx) verifyInvoices(ctx context.Context, _ *catalog.Catalog) ([]audit.Finding, error) {
	var all []audit.Finding
	for after := ""; ; {
		rows, err := tx.Query(ctx, `
			SELECT `+invoiceColumns+`
			FROM invoice_request r
			WHERE r.id > $1
			ORDER BY r.id
			LIMIT $2`, after, int64(pageOfInvoices))
		page, err := collect(rows, err, scanInvoice)
		if err != nil {
			return nil, err
		}
		for _, r := range page {
			if r.Lines, err = tx.invoiceLines(ctx, r); err != nil {
				return nil, err
			}
			all = append(all, r.Check(func(id string) (statement.Statement, error) { return tx.Statement(ctx, r.AccountID, id) })...)
			after = r.ID
		}
		if len(page) < pageOfInvoices {
			break
		}
	}
	found, err := tx.strayInvoices(ctx)
	return append(all, found...), err
}

// strayInvoices looks for items on two requests, lines that are held by a
// request that let go of them, purchases that cost something else, and numbers
// left out.
func (tx *Tx) strayInvoices(ctx context.Context) ([]audit.Finding, error) {
	var all []audit.Finding
	for _, query := range []struct{ invariant, sql string }{{"I4", `
		SELECT l.item_id, 'it is on more than one live invoice request'
		FROM invoice_line l
		JOIN invoice_request r ON r.id = l.request_id
		WHERE r.state NOT IN ('rejected', 'withdrawn', 'reversed')
		GROUP BY l.kind, l.item_id
		HAVING COUNT(*) > 1`}, {"I4", `
		SELECT l.item_id, 'its invoice request holds it and should not, or does not and should'
		FROM invoice_line l
		LEFT JOIN invoice_request r ON r.id = l.request_id AND r.account_id = l.account_id
		WHERE r.id IS NULL
			OR l.live <> CASE WHEN r.state IN ('rejected', 'withdrawn', 'reversed') THEN 0 ELSE 1 END`}, {"I5", `
		SELECT l.item_id, 'its invoice request says another sum than was paid for it in cash'
		FROM invoice_line l
		LEFT JOIN ledger_entry e ON e.cause = l.item_id AND e.payer = l.account_id
		LEFT JOIN ledger_posting p ON p.payer = e.payer AND p.number = e.number AND p.account = 'cash:' || e.payer
		WHERE l.kind IN ('` + string(invoice.Card) + `', '` + string(invoice.Package) + `')
			AND (p.minor IS NULL OR p.minor <> -l.amount)`}, {"I11", `
		SELECT n.series, 'invoice requests have numbers that were not taken, or lack some that were'
		FROM document_number n
		LEFT JOIN invoice_request r ON r.series = n.series
		WHERE SUBSTR(n.series, 1, 3) = '` + invoice.SeriesPrefix + `'
		GROUP BY n.series, n.last
		HAVING COUNT(r.id) <> n.last OR MAX(r.seq) <> n.last OR COUNT(r.id) = 0`}, {"I11", `
		SELECT n.series, 'reversals have numbers that were not taken, or lack some that were'
		FROM document_number n
		LEFT JOIN invoice_request r ON r.red_series = n.series
		WHERE SUBSTR(n.series, 1, 3) = '` + invoice.RedPrefix + `'
		GROUP BY n.series, n.last
		HAVING COUNT(r.id) <> n.last OR MAX(r.red_seq) <> n.last OR COUNT(r.id) = 0`}, {"I4", `
		SELECT r.id, 'it was reversed without a red-letter invoice, or has one and was not'
		FROM invoice_request r
		WHERE (r.state = 'reversed') <> (r.red_series <> '' AND r.red_tax_number <> '' AND r.reason <> '')
			OR (r.red_series <> '') <> (r.red_seq <> 0)
			OR (r.red_series <> '') <> (r.red_tax_number <> '')`},
	} {
		found, err := tx.strays(ctx, query.invariant, query.sql)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}
