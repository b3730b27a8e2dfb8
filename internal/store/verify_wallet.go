package store

import (
	"context"

	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/catalog"
)

// verifySources looks for vouchers and cards that pay more than they were
// issued for, for such money that nobody issued, and for codes that were
// activated other than once (I8).
func (tx *Tx) verifySources(ctx context.Context, _ *catalog.Catalog) ([]audit.Finding, error) {
	var all []audit.Finding
	for _, sql := range []string{`
		SELECT s.id, 'the ledger has no entry of its issue'
		FROM wallet_source s
		LEFT JOIN ledger_entry e ON e.key = 'source:' || s.id AND e.payer = s.payer
		WHERE e.id IS NULL`, `
		SELECT s.id, 'it holds until another instant, or came about otherwise, than the entry of its issue says'
		FROM wallet_source s
		JOIN ledger_entry e ON e.key = 'source:' || s.id AND e.payer = s.payer
		WHERE e.terms <> ''
			AND e.terms <> 'until=' || s.expires_at || ' origin=' || s.origin || ' from=' || s.came_from`, `
		SELECT e.id, 'it issues a voucher or card that does not exist'
		FROM ledger_entry e
		LEFT JOIN wallet_source s ON s.id = e.cause
		WHERE e.kind IN ('voucher', 'card')
			AND s.id IS NULL`, `
		SELECT p.account, 'no such voucher or card was issued'
		FROM ledger_posting p
		LEFT JOIN wallet_source s ON s.account = p.account
		WHERE (p.account LIKE 'voucher:%' OR p.account LIKE 'full_reduction:%' OR p.account LIKE 'card:%')
			AND s.id IS NULL`, `
		SELECT s.id, 'it was filled with more than its face'
		FROM wallet_source s
		JOIN ledger_posting p ON p.payer = s.payer AND p.account = s.account AND p.minor > 0
		GROUP BY s.id, s.face
		HAVING SUM(p.minor) > s.face`, `
		SELECT s.id, 'it has ended, and something is left on it'
		FROM wallet_source s
		JOIN ledger_balance b ON b.payer = s.payer AND b.account = s.account
		WHERE s.ended_at > 0
			AND b.minor <> 0`, `
		SELECT c.batch_id, 'code ' || c.number || ' was used, and what it activated does not exist or is another'
		FROM activation_code c
		JOIN code_batch b ON b.id = c.batch_id
		LEFT JOIN wallet_source s ON s.id = c.source_id
		WHERE c.used_at > 0
			AND (s.id IS NULL OR s.payer <> c.payer OR s.origin <> 'activated' OR s.came_from <> c.batch_id
				OR s.payment <> b.payment OR s.face <> b.face OR s.currency <> b.currency)`, `
		SELECT s.id, 'it was activated, and no used code says so'
		FROM wallet_source s
		LEFT JOIN activation_code c ON c.source_id = s.id AND c.used_at > 0
		WHERE s.origin = 'activated'
			AND c.hash IS NULL`, `
		SELECT s.id, 'it was redeemed, and no order of a marketplace says so'
		FROM wallet_source s
		LEFT JOIN marketplace_card c ON c.source_id = s.id
		WHERE s.origin = 'redeemed'
			AND (c.source_id IS NULL OR c.payer <> s.payer OR c.face_minor <> s.face OR c.currency <> s.currency)`, `
		SELECT c.batch_id, 'code ' || c.number || ' is revoked and used, or half of either'
		FROM activation_code c
		WHERE (c.used_at > 0 AND c.revoked_at > 0)
			OR (c.used_at > 0) <> (c.source_id <> '')`, `
		SELECT b.id, 'it has other codes than were made'
		FROM code_batch b
		LEFT JOIN activation_code c ON c.batch_id = b.id
		GROUP BY b.id, b.size, b.exported_at
		HAVING COUNT(c.hash) <> CASE WHEN b.exported_at > 0 THEN b.size ELSE 0 END`,
	} {
		found, err := tx.strays(ctx, "I8", sql)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}
