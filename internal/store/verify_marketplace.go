package store

import (
	"context"
	"fmt"

	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/catalog"
)

// verifyMarketplaces holds what clouds are told against what bills leave to
// them (I9): each bill's cloud part is its charge and its advances; the charges
// of a subscription are its records and what is carried; a record is the shares
// of its workspaces; a subscription stands as its events say.
func (tx *Tx) verifyMarketplaces(ctx context.Context, _ *catalog.Catalog) ([]audit.Finding, error) {
	var all []audit.Finding
	for _, sql := range marketplaceStrays {
		found, err := tx.strays(ctx, "I9", sql)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	found, err := tx.verifyFolds(ctx)
	return append(all, found...), err
}

// marketplaceStrays are the rows that break I9.
var marketplaceStrays = []string{`
		SELECT b.workspace_id || ' ' || b.day, 'what clouds collect of the bill is not what they were charged of it'
		FROM bill b
		LEFT JOIN (
			SELECT workspace_id, day, SUM(CASE WHEN kind = 'bill' THEN minor ELSE taken END) AS minor
			FROM marketplace_charge
			WHERE bill_id <> ''
			GROUP BY workspace_id, day
		) c ON c.workspace_id = b.workspace_id AND c.day = b.day
		WHERE b.paid_cloud <> COALESCE(c.minor, 0)`, `
		SELECT c.id, 'the charge has no bill'
		FROM marketplace_charge c
		LEFT JOIN bill b ON b.workspace_id = c.workspace_id AND b.day = c.day
		WHERE c.bill_id <> ''
			AND b.workspace_id IS NULL`, `
		SELECT c.id, 'more of the advance was taken than it is'
		FROM marketplace_charge c
		WHERE c.taken < 0
			OR c.taken > c.minor
			OR c.minor <= 0`, `
		SELECT c.id, 'the charge is sealed in a record that is not there, or of another subscription'
		FROM marketplace_charge c
		LEFT JOIN marketplace_record r ON r.id = c.record_id
		WHERE c.record_id NOT IN ('', 'carried')
			AND (r.id IS NULL OR r.subscription_id <> c.subscription_id OR r.currency <> c.currency)`, `
		SELECT s.subscription_id, 'its charges are not what its records say and what is carried'
		FROM (
			SELECT subscription_id, currency, SUM(minor) AS minor
			FROM (
				SELECT subscription_id, currency, minor
				FROM marketplace_charge
				WHERE record_id <> ''
				UNION ALL
				SELECT subscription_id, currency, returned - minor
				FROM marketplace_record
				UNION ALL
				SELECT subscription_id, currency, -minor
				FROM marketplace_carried
			) moved
			GROUP BY subscription_id, currency
		) s
		WHERE s.minor <> 0`, `
		SELECT r.id, 'the shares of its workspaces are not the charges that are sealed in it'
		FROM marketplace_record r
		LEFT JOIN (
			SELECT record_id, SUM(minor) AS minor
			FROM marketplace_share
			GROUP BY record_id
		) s ON s.record_id = r.id
		LEFT JOIN (
			SELECT record_id, SUM(minor) AS minor
			FROM marketplace_charge
			GROUP BY record_id
		) c ON c.record_id = r.id
		WHERE COALESCE(s.minor, 0) <> COALESCE(c.minor, 0)`, `
		SELECT r.id, 'what the cloud is told of its workspaces is not what it says'
		FROM marketplace_record r
		LEFT JOIN (
			SELECT record_id, SUM(told) AS told
			FROM marketplace_share
			GROUP BY record_id
		) s ON s.record_id = r.id
		WHERE COALESCE(s.told, 0) <> r.minor`, `
		SELECT r.id, 'what the cloud has of it does not follow from its state'
		FROM marketplace_record r
		WHERE r.taken < 0
			OR r.returned < 0
			OR r.taken + r.returned > r.minor
			OR r.state IN ('accepted', 'duplicate_same') AND r.taken <> r.minor
			OR r.state NOT IN ('accepted', 'duplicate_same', 'reissued') AND r.taken <> 0
			OR r.state <> 'reissued' AND r.returned <> 0
			OR r.state = 'reissued' AND r.taken + r.returned <> r.minor`, `
		SELECT m.workspace_id, 'another payer or another method than its subscription''s settles it'
		FROM marketplace_settling m
		JOIN marketplace_subscription s ON s.id = m.subscription_id
		JOIN workspace w ON w.id = m.workspace_id
		WHERE m.until = 0
			AND w.state NOT IN ('cleared', 'dissolved')
			AND (w.settlement <> s.cloud OR w.payer <> s.payer)`,
}

// verifyFolds folds the events of each subscription again.
func (tx *Tx) verifyFolds(ctx context.Context) ([]audit.Finding, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+subscriptionColumns+`
		FROM marketplace_subscription s
		ORDER BY s.id`)
	all, err := collect(rows, err, scanSubscription)
	if err != nil {
		return nil, err
	}
	var found []audit.Finding
	for _, s := range all {
		events, err := tx.EventsOf(ctx, s.Cloud, s.Instance)
		if err != nil {
			return nil, err
		}
		if again := s.Fold(events); again != s {
			detail := fmt.Sprintf("it is %s for %q, and its events make it %s for %q", s.State, s.Why, again.State, again.Why)
			found = append(found, audit.Finding{Invariant: "I9", Subject: s.ID, Detail: detail})
		}
	}
	return found, nil
}
