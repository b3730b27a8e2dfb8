package store

import (
	"context"

	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/catalog"
)

// verifyTopups holds the payments against the books: what the ledger moved for
// each is what it brought in less what went back, each channel is the sum of
// its payments, and what went back is what refunds and disputes say (I4).
func (tx *Tx) verifyTopups(ctx context.Context, _ *catalog.Catalog) ([]audit.Finding, error) {
	var all []audit.Finding
	for _, sql := range []string{`
		SELECT p.id, 'the payment was credited, and the ledger has no such deposit'
		FROM payment p
		LEFT JOIN ledger_entry e ON e.key = 'topup:' || p.id AND e.payer = p.account_id AND e.kind = 'deposit' AND e.cause = p.id
		WHERE p.credited_at > 0
			AND (e.id IS NULL OR e.at <> p.credited_at)`, `
		SELECT p.id, 'the books do not hold what the payment brought in less what went back'
		FROM payment p
		LEFT JOIN (
			SELECT e.cause, o.account, o.currency, SUM(o.minor) AS minor
			FROM ledger_entry e
			JOIN ledger_posting o ON o.payer = e.payer AND o.number = e.number
			WHERE SUBSTR(o.account, 1, 8) = 'channel:'
			GROUP BY e.cause, o.account, o.currency
		) m ON m.cause = p.id AND m.account = 'channel:' || p.channel || ':' || p.currency AND m.currency = p.currency
		WHERE CASE WHEN p.credited_at > 0 THEN p.minor - p.refunded - p.withheld ELSE 0 END <> -COALESCE(m.minor, 0)`, `
		SELECT b.account, 'the channel is not the sum of its payments'
		FROM (
			SELECT account, -SUM(minor) AS minor
			FROM ledger_posting
			WHERE SUBSTR(account, 1, 8) = 'channel:'
				AND SUBSTR(account, 1, 13) <> 'channel:bank:'
			GROUP BY account
		) b
		LEFT JOIN (
			SELECT 'channel:' || channel || ':' || currency AS account, SUM(minor - refunded - withheld) AS minor
			FROM payment
			WHERE credited_at > 0
			GROUP BY channel, currency
		) s ON s.account = b.account
		WHERE b.minor <> COALESCE(s.minor, 0)`, `
		SELECT p.id, 'what disputes took is not what the payment says'
		FROM payment p
		LEFT JOIN (
			SELECT payment_id, SUM(minor) AS minor
			FROM payment_dispute
			WHERE state IN ('open', 'lost')
			GROUP BY payment_id
		) d ON d.payment_id = p.id
		WHERE p.withheld <> COALESCE(d.minor, 0)`, `
		SELECT p.id, 'the state does not follow from what was credited and went back'
		FROM payment p
		WHERE (p.credited_at > 0) <> (p.state IN ('credited', 'refunded', 'disputed', 'dispute_won', 'dispute_lost'))
			OR p.refunded < 0
			OR p.withheld < 0
			OR p.refunded + p.withheld > p.minor
			OR (p.state = 'refunded') <> (p.credited_at > 0 AND p.refunded = p.minor)`, `
		SELECT e.id, 'the entry has no payment'
		FROM ledger_entry e
		LEFT JOIN payment p ON p.id = e.cause AND p.account_id = e.payer
		WHERE (e.kind IN ('refund', 'chargeback', 'dispute_returned') OR SUBSTR(e.key, 1, 6) = 'topup:')
			AND p.id IS NULL`,
	} {
		found, err := tx.strays(ctx, "I4", sql)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}
