package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"tollgate.dev/internal/alert"
	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/site"
)

// alerted is how the recipients of a rule are stored.
type alerted struct {
	Members   []string `json:"members"`
	Addresses []string `json:"addresses"`
}

// AlertRules lists the rules of a workspace, by item.
func (tx *Tx) AlertRules(ctx context.Context, workspaceID string) ([]alert.Rule, error) {
	rows, err := tx.Query(ctx, `
		SELECT item, threshold, currency, administrators, recipients
		FROM alert_rule
		WHERE workspace_id = $1
		ORDER BY item`, workspaceID)
	return collect(rows, err, func(row Row) (alert.Rule, error) {
		var r alert.Rule
		var minor, administrators int64
		var currency, recipients string
		if err := row.Scan(&r.Item, &minor, &currency, &administrators, &recipients); err != nil {
			return r, err
		}
		var to alerted
		if err := json.Unmarshal([]byte(recipients), &to); err != nil {
			return r, fmt.Errorf("recipients of the alert of %s: %w", r.Item, err)
		}
		r.Threshold = money.Of(minor, money.Currency(currency))
		r.Administrators, r.Members, r.Addresses = administrators != 0, to.Members, to.Addresses
		return r, nil
	})
}

// SaveAlertRule keeps the rule of its item.
func (tx *Tx) SaveAlertRule(ctx context.Context, workspaceID string, r alert.Rule, at time.Time) error {
	recipients, err := json.Marshal(alerted{r.Members, r.Addresses})
	if err != nil {
		return fmt.Errorf("encode the recipients of an alert: %w", err)
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO alert_rule (workspace_id, item, threshold, currency, administrators, recipients, set_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (workspace_id, item) DO UPDATE SET
			threshold = excluded.threshold,
			currency = excluded.currency,
			administrators = excluded.administrators,
			recipients = excluded.recipients,
			set_at = excluded.set_at`,
		workspaceID, r.Item, r.Threshold.Minor(), string(r.Threshold.Currency()), flag(r.Administrators), string(recipients), period.Micros(at))
	return err
}

// DeleteAlertRule forgets the rule of an item and reports whether there was one.
func (tx *Tx) DeleteAlertRule(ctx context.Context, workspaceID, item string) (bool, error) {
	n, err := tx.Exec(ctx, `
		DELETE FROM alert_rule
		WHERE workspace_id = $1
			AND item = $2`, workspaceID, item)
	return n == 1, err
}

// AlertTeam lists the members of a workspace in the order of their joining.
func (tx *Tx) AlertTeam(ctx context.Context, workspaceID string) ([]alert.Member, error) {
	rows, err := tx.Query(ctx, `
		SELECT m.account_id, m.role, a.user_name, a.email, a.language
		FROM member m
		JOIN studio_account a ON a.id = m.account_id
		WHERE m.workspace_id = $1
		ORDER BY m.joined_at, m.account_id`, workspaceID)
	return collect(rows, err, func(row Row) (alert.Member, error) {
		var m alert.Member
		err := row.Scan(&m.AccountID, &m.Role, &m.UserName, &m.Email, &m.Language)
		return m, err
	})
}

// MarkAlerted reports whether this is the first time for the workspace, item
// and day, and remembers it.
func (tx *Tx) MarkAlerted(ctx context.Context, workspaceID, item string, day period.Day, at time.Time) (bool, error) {
	n, err := tx.Exec(ctx, `
		INSERT INTO alert_sent (workspace_id, item, day, at)
		VALUES ($1, $2, $3, $4)
		ON CONFLICT DO NOTHING`, workspaceID, item, day.String(), period.Micros(at))
	return n == 1, err
}

// WorkspacesWatched lists the workspaces, by ID after the given one, that have
// a bill of the site's day and at least one alert.
func (tx *Tx) WorkspacesWatched(ctx context.Context, s site.ID, day period.Day, after string, limit int) ([]string, error) {
	rows, err := tx.Query(ctx, `
		SELECT DISTINCT r.workspace_id
		FROM alert_rule r
		JOIN bill b ON b.workspace_id = r.workspace_id AND b.day = $2
		WHERE b.series = $1
			AND r.workspace_id > $3
		ORDER BY r.workspace_id
		LIMIT $4`, bill.Series(s, day), day.String(), after, int64(limit))
	return collect(rows, err, func(row Row) (id string, err error) {
		err = row.Scan(&id)
		return id, err
	})
}
