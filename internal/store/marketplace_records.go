package store

import (
	"context"

	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/site"
)

// UsageFilter narrows a list of records of usage. What is empty narrows nothing.
type UsageFilter struct {
	Cloud        site.Method
	State        marketplace.RecordState
	Subscription string
	Lost         bool // those with which money may be lost, and nobody decided
}

// UsageRecords lists records of usage, the newest first, from behind the one of
// the given ID on.
func (tx *Tx) UsageRecords(ctx context.Context, f UsageFilter, after string, limit int) ([]marketplace.Record, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+recordColumns+`
		FROM marketplace_record r
		WHERE ($1 = '' OR r.cloud = $1)
			AND ($2 = '' OR r.state = $2)
			AND ($3 = '' OR r.subscription_id = $3)
			AND ($4 = 0 OR r.state IN ('duplicate_diff', 'rejected', 'ambiguous', 'expired'))
			AND ($5 = '' OR EXISTS (
				SELECT 1
				FROM marketplace_record l
				WHERE l.id = $5
					AND (r.sealed_at < l.sealed_at OR r.sealed_at = l.sealed_at AND r.id > l.id)
			))
		ORDER BY r.sealed_at DESC, r.id
		LIMIT $6`, string(f.Cloud), string(f.State), f.Subscription, flag(f.Lost), after, int64(limit))
	records, err := collect(rows, err, scanRecord)
	if err != nil {
		return nil, err
	}
	return records, tx.withShares(ctx, records)
}

// StrandedCharges lists what clouds have to collect while no subscription lives
// that could, the oldest first.
func (tx *Tx) StrandedCharges(ctx context.Context, limit int) ([]marketplace.Charge, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+cloudChargeColumns+`
		FROM marketplace_charge c
		WHERE c.subscription_id = ''
			AND c.record_id = ''
		ORDER BY c.at, c.id
		LIMIT $1`, int64(limit))
	return collect(rows, err, scanCloudCharge)
}

// UsageRecordKept finds a record of usage, kept from other writers, or
// marketplace.ErrRecord.
func (tx *Tx) UsageRecordKept(ctx context.Context, id string) (marketplace.Record, error) {
	return scanRecord(tx.QueryRow(ctx, `
		SELECT `+recordColumns+`
		FROM marketplace_record r
		WHERE r.id = $1`+tx.lockWrites(), id))
}

// UsageRecord finds a record of usage with its shares, or marketplace.ErrRecord.
func (tx *Tx) UsageRecord(ctx context.Context, id string) (marketplace.Record, error) {
	r, err := scanRecord(tx.QueryRow(ctx, `
		SELECT `+recordColumns+`
		FROM marketplace_record r
		WHERE r.id = $1`, id))
	if err != nil {
		return r, err
	}
	list := []marketplace.Record{r}
	err = tx.withShares(ctx, list)
	return list[0], err
}

// SaveVerdict keeps what was decided of a record that was in the state.
func (tx *Tx) SaveVerdict(ctx context.Context, r marketplace.Record, before marketplace.RecordState) error {
	n, err := tx.Exec(ctx, `
		UPDATE marketplace_record
		SET state = $3, next_at = $4, decided_at = $5, decided_by = $6, taken = $7, returned = $8, reason = $9
		WHERE id = $1
			AND state = $2`,
		r.ID, string(before), string(r.State), period.Micros(r.NextAt), period.Micros(r.DecidedAt), r.DecidedBy, r.Taken.Minor(), r.Returned.Minor(), r.Reason)
	return exactlyOne(n, err, marketplace.ErrDecided)
}

// LostUsage counts the records with which money may be lost and that wait for a
// person.
func (tx *Tx) LostUsage(ctx context.Context) (int64, error) {
	var n int64
	err := tx.QueryRow(ctx, `
		SELECT COUNT(*)
		FROM marketplace_record
		WHERE state IN ('duplicate_diff', 'rejected', 'ambiguous', 'expired')`).Scan(&n)
	return n, err
}

// latestInRecords are the records of a cloud in which a month has the latest
// charge of a workspace.
const latestInRecords = `
				SELECT record_id, workspace_id
				FROM marketplace_charge
				WHERE cloud = $1
					AND day >= $2
					AND record_id NOT IN ('', 'carried')
				GROUP BY record_id, workspace_id
				HAVING MAX(day) <= $3`

// Reconciliation compares what was billed, sent and accepted of a cloud's month.
// A record says what its charges come to, less what it leaves for the next one
// and with what was left to it: both are told of the day of the latest charge
// that the workspace has in it.
func (tx *Tx) Reconciliation(ctx context.Context, cloud site.Method, month period.Month) (marketplace.Reconciliation, error) {
	rows, err := tx.Query(ctx, `
		SELECT q.workspace_id, COALESCE(w.name, ''), q.dimension, q.state, q.attempted, q.currency, CAST(SUM(q.minor) AS BIGINT)
		FROM (
			SELECT c.workspace_id, COALESCE(r.dimension, '') AS dimension, c.currency, c.minor,
				CASE
					WHEN c.record_id = 'carried' THEN 'carried'
					WHEN c.record_id = '' AND c.subscription_id = '' THEN 'stranded'
					WHEN c.record_id = '' THEN 'open'
					ELSE r.state
				END AS state,
				CASE WHEN COALESCE(r.attempts, 0) > 0 THEN 1 ELSE 0 END AS attempted
			FROM marketplace_charge c
			LEFT JOIN marketplace_record r ON r.id = c.record_id
			WHERE c.cloud = $1
				AND c.day >= $2
				AND c.day <= $3
			UNION ALL
			SELECT s.workspace_id, r.dimension, r.currency, s.told - s.minor, r.state, CASE WHEN r.attempts > 0 THEN 1 ELSE 0 END
			FROM (`+latestInRecords+`) l
			JOIN marketplace_share s ON s.record_id = l.record_id AND s.workspace_id = l.workspace_id AND s.told <> s.minor
			JOIN marketplace_record r ON r.id = l.record_id
			UNION ALL
			SELECT s.workspace_id, r.dimension, r.currency, s.minor - s.told, 'carried', 0
			FROM (`+latestInRecords+`) l
			JOIN marketplace_share s ON s.record_id = l.record_id AND s.workspace_id = l.workspace_id AND s.told <> s.minor
			JOIN marketplace_record r ON r.id = l.record_id
		) q
		LEFT JOIN workspace w ON w.id = q.workspace_id
		GROUP BY q.workspace_id, w.name, q.dimension, q.currency, q.state, q.attempted
		ORDER BY q.workspace_id, q.dimension, q.currency, q.state, q.attempted`,
		string(cloud), month.First().String(), month.Last().String())
	standings, err := collect(rows, err, func(r Row) (s marketplace.Standing, err error) {
		var attempted, minor int64
		var currency string
		err = r.Scan(&s.WorkspaceID, &s.Workspace, &s.Dimension, &s.State, &attempted, &currency, &minor)
		s.Attempted, s.Amount = attempted == 1, money.Of(minor, money.Currency(currency))
		return s, err
	})
	if err != nil {
		return marketplace.Reconciliation{}, err
	}
	return marketplace.Reconcile(cloud, month, standings)
}
