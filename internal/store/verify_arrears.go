package store

import (
	"context"
	"time"

	"tollgate.dev/internal/arrears"
	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/catalog"
)

// finder is a query whose every row is a finding.
type finder struct {
	sql  string
	args []any
}

// delay is how late the calendar's work may be before somebody must look.
const delay = time.Hour

// Overdue looks for what the calendar should have done and did not: clocks
// that did not move, workspaces that were not told, deletions that are neither
// done nor known to have failed. What time it is, the audit log says by its
// last instant, so that an installation that was switched off is not late.
func (tx *Tx) Overdue(ctx context.Context) ([]audit.Finding, error) {
	late := []any{delay.Microseconds()}
	return tx.find(ctx, []finder{
		{sql: `
		SELECT subject, 'its clock did not move when it was due'
		FROM arrears_clock
		WHERE next_at > 0
			AND next_at < (SELECT MAX(at) FROM audit) - $1`, args: late},
		{sql: `
		SELECT subject, 'its workspaces were not told of the beginning or the end'
		FROM arrears_clock
		WHERE pending = 1
			AND began_at < (SELECT MAX(at) FROM audit) - $1
			AND ended_at < (SELECT MAX(at) FROM audit) - $1`, args: late},
		{sql: `
		SELECT c.workspace_id, 'its data should have been deleted'
		FROM clearing c
		WHERE c.done_at = 0
			AND c.next_at < (SELECT MAX(at) FROM audit) - $1`, args: late},
	})
}

func (tx *Tx) find(ctx context.Context, finders []finder) ([]audit.Finding, error) {
	var all []audit.Finding
	for _, q := range finders {
		found, err := tx.strays(ctx, "I13", q.sql, q.args...)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

// verifyArrears looks for clocks that do not agree with the ledger, for
// workspaces that do not agree with their clocks, and for data that was deleted
// too early or without a word (I13).
func (tx *Tx) verifyArrears(ctx context.Context, _ *catalog.Catalog) ([]audit.Finding, error) {
	return tx.find(ctx, standing)
}

// standing is what verifyArrears asks.
var standing = []finder{
	{sql: `
		SELECT b.payer, 'it owes, and no clock runs'
		FROM ledger_balance b
		LEFT JOIN arrears_clock c ON c.cause = 'arrears' AND c.subject = b.payer AND c.ended_at = 0
		WHERE b.account = 'arrears:' || b.payer
			AND b.minor < 0
			AND c.subject IS NULL`},
	{sql: `
		SELECT c.subject, 'a clock runs, and nothing is owed'
		FROM arrears_clock c
		WHERE c.cause = 'arrears'
			AND c.ended_at = 0
			AND NOT EXISTS (
				SELECT 1
				FROM ledger_balance b
				WHERE b.payer = c.subject
					AND b.account = 'arrears:' || c.subject
					AND b.minor < 0
			)`},
	{sql: `
		SELECT c.subject, 'its clock did not begin with its debt'
		FROM arrears_clock c
		WHERE c.cause = 'arrears'
			AND c.ended_at = 0
			AND NOT EXISTS (
				SELECT 1
				FROM ledger_entry e
				JOIN ledger_posting p ON p.payer = e.payer AND p.number = e.number AND p.account = 'arrears:' || e.payer
				WHERE e.payer = c.subject
					AND e.at = c.began_at
					AND p.minor < 0
			)`},
	{sql: `
		SELECT subject, 'it is not locked fourteen days after it began, and the operator granted nothing'
		FROM arrears_clock
		WHERE extended_at = 0
			AND lock_at <> began_at + $1`, args: []any{arrears.Grace.Microseconds()}},
	{sql: standingSQL},
	{sql: `
		SELECT w.id, 'it is locked, and nothing says when its data goes'
		FROM workspace w
		LEFT JOIN clearing c ON c.workspace_id = w.id AND c.reason = 'locked' AND c.done_at = 0
		WHERE w.state = 'locked'
			AND c.workspace_id IS NULL`},
	{sql: `
		SELECT w.id, 'it is cleared or dissolved, and nothing says that its data goes'
		FROM workspace w
		LEFT JOIN clearing c ON c.workspace_id = w.id
		WHERE w.state IN ('cleared', 'dissolved')
			AND c.workspace_id IS NULL`},
	{sql: `
		SELECT c.workspace_id, 'its data is to go, and it works'
		FROM clearing c
		JOIN workspace w ON w.id = c.workspace_id
		WHERE w.state IN ('normal', 'grace')`},
	{sql: `
		SELECT c.workspace_id, 'it does not exist, and its data is to go'
		FROM clearing c
		LEFT JOIN workspace w ON w.id = c.workspace_id
		WHERE w.id IS NULL`},
	{sql: `
		SELECT c.workspace_id, 'its data goes for another reason than its state says'
		FROM clearing c
		JOIN workspace w ON w.id = c.workspace_id
		WHERE w.state IN ('locked', 'cleared', 'dissolved')
			AND c.reason <> CASE WHEN w.state = 'dissolved' THEN c.reason ELSE 'locked' END
			OR c.reason NOT IN ('locked', 'dissolved')
			OR w.state = 'dissolved' AND c.reason <> 'dissolved'`},
	{sql: `
		SELECT c.workspace_id, 'its data does not go when the hold is over'
		FROM clearing c
		WHERE c.due_at <> c.since_at + $1
			OR c.next_at < c.due_at
			OR (c.tries = 0 AND c.next_at <> c.due_at)
			OR c.tries < 0
			OR (c.done_at > 0 AND (c.deleted_at = 0 OR c.done_at < c.deleted_at))`, args: []any{arrears.Hold.Microseconds()}},
	{sql: `
		SELECT c.workspace_id, 'its data was deleted before the hold was over'
		FROM clearing c
		WHERE c.deleted_at > 0
			AND c.deleted_at < c.since_at + $1`, args: []any{arrears.Hold.Microseconds()}},
	{sql: `
		SELECT c.workspace_id, 'its data was deleted, and the audit log does not say so'
		FROM clearing c
		WHERE c.deleted_at > 0
			AND NOT EXISTS (
				SELECT 1
				FROM audit a
				WHERE a.subject = c.workspace_id
					AND a.action = $1
			)`, args: []any{arrears.Deleted}},
}

// standingSQL finds workspaces whose state is not what their clocks make of
// it: the payer's where the Billing Center settles, and their own. Those of a
// clock that was just turned are told in a moment.
const standingSQL = `
		SELECT id, 'it is ' || state || ', and its clocks say ' || says
		FROM (
			SELECT w.id, w.state,
				CASE
					WHEN d.stage = 'run_out' OR c.stage = 'run_out' THEN 'locked'
					WHEN d.stage IS NOT NULL OR c.stage IS NOT NULL THEN 'grace'
					ELSE 'normal'
				END AS says,
				COALESCE(d.pending, 0) + COALESCE(e.pending, 0) + COALESCE(c.pending, 0) AS pending
			FROM workspace w
			LEFT JOIN arrears_clock d ON d.cause = 'arrears' AND d.subject = w.payer AND d.ended_at = 0 AND w.settlement = 'billing_center'
			LEFT JOIN arrears_clock e ON e.cause = 'arrears' AND e.subject = w.payer AND e.ended_at > 0 AND w.settlement = 'billing_center'
			LEFT JOIN arrears_clock c ON c.cause = 'cloud_subscription' AND c.subject = w.id AND c.ended_at = 0
			WHERE w.state NOT IN ('cleared', 'dissolved')
		) s
		WHERE s.state <> s.says
			AND s.pending = 0`
