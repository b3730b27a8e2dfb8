package store

import (
	"context"

	"tollgate.dev/internal/arrears"
	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/prepaid"
)

// beside are queries over what no chain or document covers: rows that belong
// to nobody, and figures that another table holds as well.
var beside = []struct {
	invariant string
	finder
}{
	{"I2", finder{sql: `
		SELECT b.account, 'it is stored for ' || b.payer || ' with another balance than its postings make, or has none'
		FROM ledger_balance b
		LEFT JOIN (
			SELECT payer, account, currency, SUM(minor) AS minor
			FROM ledger_posting
			GROUP BY payer, account, currency
		) p ON p.payer = b.payer AND p.account = b.account AND p.currency = b.currency
		WHERE p.minor IS NULL
			OR p.minor <> b.minor`}},
	{"I2", finder{sql: `
		SELECT DISTINCT p.account, 'it has postings, and no balance is stored'
		FROM ledger_posting p
		LEFT JOIN ledger_balance b ON b.payer = p.payer AND b.account = p.account AND b.currency = p.currency
		WHERE b.payer IS NULL
			AND (p.account = 'arrears:' || p.payer OR SUBSTR(p.account, 1, 5) = 'card:'
				OR SUBSTR(p.account, 1, 8) = 'voucher:' OR SUBSTR(p.account, 1, 15) = 'full_reduction:')`}},
	{"I2", finder{sql: `
		SELECT DISTINCT u.payer, 'its cash is stored in another currency than it moved in'
		FROM purse u
		JOIN (
			SELECT payer, currency
			FROM ledger_posting
			WHERE account = 'cash:' || payer
			UNION ALL
			SELECT payer, currency
			FROM ledger_entry
			WHERE cash <> 0
		) p ON p.payer = u.payer
		WHERE p.currency <> u.currency`}},
	{"I4", finder{sql: `
		SELECT t.id, 'the transfer was credited at another instant than the ledger says'
		FROM transfer t
		JOIN ledger_entry e ON e.key = 'transfer:' || t.id
		WHERE t.state = 'credited'
			AND e.at <> t.decided_at`}},
	{"I4", finder{sql: `
		SELECT a.id, 'the adjustment was approved at another instant than the ledger says'
		FROM adjustment a
		JOIN ledger_entry e ON e.key = 'adjustment:' || a.id
		WHERE a.state = 'approved'
			AND e.at <> a.decided_at`}},
	{"I4", finder{sql: `
		SELECT c.id, 'the package was charged at another instant than the ledger says'
		FROM package_charge c
		JOIN ledger_entry e ON e.cause = c.id
		WHERE e.at <> c.at`}},
	{"I4", finder{sql: `
		SELECT d.reference, 'the dispute is of another payment, channel or currency'
		FROM payment_dispute d
		LEFT JOIN payment p ON p.id = d.payment_id AND p.channel = d.channel AND p.currency = d.currency
		WHERE p.id IS NULL`}},
	{"I4", finder{sql: `
		SELECT r.id, 'the refund has no payment of its currency, or no known state'
		FROM payment_refund r
		LEFT JOIN payment p ON p.id = r.payment_id AND p.currency = r.currency
		WHERE p.id IS NULL
			OR r.minor <= 0
			OR r.state NOT IN ('asked', 'done', 'refused', 'unclear')`}},
	{"I4", finder{sql: `
		SELECT p.id, 'more refunds were done than went back'
		FROM payment p
		JOIN payment_refund r ON r.payment_id = p.id AND r.state = 'done'
		GROUP BY p.id, p.refunded
		HAVING SUM(r.minor) > p.refunded`}},
	{"I4", finder{sql: `
		SELECT id, 'it is in no known state'
		FROM invoice_request
		WHERE state NOT IN ('requested', 'issued', 'sent', 'rejected', 'withdrawn', 'reversed')`}},
	{"I5", finder{sql: `
		SELECT item_id, 'it is nothing that an invoice is made for'
		FROM invoice_line
		WHERE kind NOT IN ('statement', 'card', 'package')`}},
	{"I5", finder{sql: `
		SELECT o.id, 'the price was agreed with an account that does not exist'
		FROM price_override o
		LEFT JOIN billing_account a ON a.id = o.payer
		WHERE a.id IS NULL`}},
	{"I5", finder{sql: `
		SELECT s.package_id, 'a seat has no package or no workspace'
		FROM package_seat s
		LEFT JOIN package p ON p.id = s.package_id
		LEFT JOIN workspace w ON w.id = s.workspace_id
		WHERE p.id IS NULL
			OR w.id IS NULL`}},
	{"I5", finder{sql: `
		SELECT t.package_id, 'a term has no package'
		FROM package_term t
		LEFT JOIN package p ON p.id = t.package_id
		WHERE p.id IS NULL`}},
	{"I6", finder{sql: `
		SELECT name, 'it is the end of no chain that there is'
		FROM chain
		WHERE name <> $1
			AND SUBSTR(name, 1, 10) <> 'statement:'
			AND SUBSTR(name, 1, 4) <> 'day:'`, args: []any{auditChain}}},
	{"I6", finder{sql: `
		SELECT c.name, 'it ends the closed days of a site that has none'
		FROM chain c
		LEFT JOIN site_day d ON 'day:' || d.site = c.name
		WHERE SUBSTR(c.name, 1, 4) = 'day:'
			AND c.n > 0
			AND d.site IS NULL`}},
	{"I6", finder{sql: `
		SELECT d.site, 'the chain of its closed days does not end where the store says'
		FROM (
			SELECT site, COUNT(*) AS n, MAX(day) AS last
			FROM site_day
			WHERE closed_at > 0
			GROUP BY site
		) d
		JOIN site_day s ON s.site = d.site AND s.day = d.last
		LEFT JOIN chain c ON c.name = 'day:' || d.site
		WHERE c.n IS NULL
			OR c.n <> d.n
			OR c.hash <> s.hash`}},
	{"I8", finder{sql: `
		SELECT s.id, 'the entry of its issue says another face, currency or instant, or its account is that of another'
		FROM wallet_source s
		JOIN ledger_entry e ON e.key = 'source:' || s.id
		LEFT JOIN ledger_posting p ON p.payer = e.payer AND p.number = e.number AND p.currency = s.currency AND p.account IN (s.account, 'arrears:' || s.payer)
		GROUP BY s.id, s.payer, s.face, s.account, s.payment, s.issued_at, e.at
		HAVING COALESCE(SUM(p.minor), 0) <> s.face
			OR s.account <> s.payment || ':' || s.payer || ':' || s.id
			OR s.issued_at <> e.at`}},
	{"I8", finder{sql: `
		SELECT c.batch_id, 'code ' || c.number || ' is of no batch'
		FROM activation_code c
		LEFT JOIN code_batch b ON b.id = c.batch_id
		WHERE b.id IS NULL`}},
	{"I11", finder{sql: `
		SELECT s.id, 'the series of its number does not exist'
		FROM statement s
		LEFT JOIN document_number n ON n.series = s.series
		WHERE n.series IS NULL`}},
	{"I11", finder{sql: `
		SELECT r.id, 'the series of its number does not exist'
		FROM invoice_request r
		LEFT JOIN document_number n ON n.series = r.series
		WHERE n.series IS NULL`}},
	{"I13", finder{sql: `
		SELECT c.subject, 'its clock is of nobody'
		FROM arrears_clock c
		LEFT JOIN billing_account a ON a.id = c.subject AND c.cause = 'arrears'
		LEFT JOIN workspace w ON w.id = c.subject AND c.cause = 'cloud_subscription'
		WHERE a.id IS NULL
			AND w.id IS NULL`}},
	{"I13", finder{sql: `
		SELECT subject, 'its clock does not come to its next stage when it should'
		FROM arrears_clock
		WHERE next_at <> CASE
				WHEN ended_at > 0 OR stage = $1 THEN 0
				WHEN stage = $2 THEN lock_at - 3 * CAST($5 AS BIGINT)
				WHEN stage = $3 THEN lock_at - CAST($5 AS BIGINT)
				WHEN stage = $4 THEN lock_at
				ELSE -1
			END`, args: []any{string(arrears.RunOut), string(arrears.Running), string(arrears.ThreeDays), string(arrears.OneDay), int64(86_400_000_000)}}},
}

// verifyBeside asks them, and compares the columns of package charges with
// their documents.
func (tx *Tx) verifyBeside(ctx context.Context, c *catalog.Catalog) ([]audit.Finding, error) {
	var all []audit.Finding
	for _, q := range beside {
		found, err := tx.strays(ctx, q.invariant, q.sql, q.args...)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	known, err := tx.verifyVersions(ctx, c)
	if err != nil {
		return nil, err
	}
	charges, err := tx.verifyChargeColumns(ctx)
	return append(append(all, known...), charges...), err
}

// verifyVersions looks for packages that were bought by a catalogue which is
// not there.
func (tx *Tx) verifyVersions(ctx context.Context, c *catalog.Catalog) ([]audit.Finding, error) {
	rows, err := tx.Query(ctx, `
		SELECT id, catalog
		FROM package
		ORDER BY id`)
	bought, err := collect(rows, err, func(r Row) (b [2]string, err error) {
		err = r.Scan(&b[0], &b[1])
		return b, err
	})
	var all []audit.Finding
	for _, b := range bought {
		if _, err := c.Find(b[1]); err != nil {
			all = append(all, audit.Finding{Invariant: "I5", Subject: b[0], Detail: "its catalogue version " + b[1] + " is gone"})
		}
	}
	return all, err
}

// verifyChargeColumns compares what sums are made of with what was charged.
func (tx *Tx) verifyChargeColumns(ctx context.Context) ([]audit.Finding, error) {
	rows, err := tx.Query(ctx, `
		SELECT id, payer, kind, day, currency, total, document
		FROM package_charge
		ORDER BY id`)
	found, err := collect(rows, err, func(r Row) (audit.Finding, error) {
		var id, payer, kind, day, currency, document string
		var total int64
		if err := r.Scan(&id, &payer, &kind, &day, &currency, &total, &document); err != nil {
			return audit.Finding{}, err
		}
		c, err := prepaid.ReadCharge([]byte(document))
		if err == nil && c.ID == id && c.Payer == payer && string(c.Kind) == kind && c.Day.String() == day &&
			string(c.Total.Currency()) == currency && c.Total.Minor() == total {
			return audit.Finding{}, nil
		}
		return audit.Finding{Invariant: "I5", Subject: id, Detail: "what is kept beside the document differs from it"}, nil
	})
	var all []audit.Finding
	for _, f := range found {
		if f.Subject != "" {
			all = append(all, f)
		}
	}
	return all, err
}
