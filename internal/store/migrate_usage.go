package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/pressly/goose/v3"

	"tollgate.dev/internal/period"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/usage"
)

// usageToDays is migration 171: it makes records of days of the samples that
// were kept hour by hour. A day is that of a site, which only Go knows.
var usageToDays = goose.NewGoMigration(171, &goose.GoFunc{RunTx: hoursToDays}, nil)

func hoursToDays(ctx context.Context, tx *sql.Tx) error {
	for last := ""; ; {
		var next sql.NullString
		if err := tx.QueryRowContext(ctx, `
			SELECT MIN(workspace_id)
			FROM usage_sample
			WHERE workspace_id > $1`, last).Scan(&next); err != nil {
			return fmt.Errorf("next workspace with usage: %w", err)
		}
		if !next.Valid {
			break
		}
		last = next.String
		if err := sampledDays(ctx, tx, last); err != nil {
			return fmt.Errorf("usage of %s: %w", last, err)
		}
	}
	_, err := tx.ExecContext(ctx, `DROP TABLE usage_sample`)
	return err
}

// sampledDays makes the records of one workspace.
func sampledDays(ctx context.Context, tx *sql.Tx, workspaceID string) error {
	zone, err := zoneOf(ctx, tx, workspaceID)
	if err != nil {
		return err
	}
	rows, err := tx.QueryContext(ctx, `
		SELECT generation, hour, item, counter, class, quantity
		FROM usage_sample
		WHERE workspace_id = $1
		ORDER BY generation, hour`, workspaceID)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	changes := map[recordKey][]usage.Change{}
	for rows.Next() {
		k := recordKey{workspaceID: workspaceID}
		var c usage.Change
		var hour int64
		if err := rows.Scan(&k.generation, &hour, &c.Item, &c.Counter, &c.Class, &c.Quantity); err != nil {
			return err
		}
		c.Hour = period.FromMicros(hour)
		k.day = period.DayOf(c.Hour, zone).String()
		changes[k] = append(changes[k], c)
	}
	if err := cmp.Or(rows.Err(), rows.Close()); err != nil {
		return err
	}
	return insertDays(ctx, tx, zone, changes)
}

func insertDays(ctx context.Context, tx *sql.Tx, zone *time.Location, changes map[recordKey][]usage.Change) error {
	keys := make([]recordKey, 0, len(changes))
	for k := range changes {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, recordKey.compare)
	for _, k := range keys {
		day, err := period.ParseDay(k.day)
		if err != nil {
			return err
		}
		record, err := usage.NewRecord(day, zone).With(changes[k])
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `
			INSERT INTO usage_day (day, workspace_id, generation, record)
			VALUES ($1, $2, $3, $4)`, k.day, k.workspaceID, int64(k.generation), []byte(record)); err != nil {
			return err
		}
	}
	return nil
}

// zoneOf is that of the workspace's site, or UTC for one that does not exist.
func zoneOf(ctx context.Context, tx *sql.Tx, workspaceID string) (*time.Location, error) {
	rows, err := tx.QueryContext(ctx, `
		SELECT site
		FROM workspace
		WHERE id = $1`, workspaceID)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	zone := time.UTC
	for rows.Next() {
		var id site.ID
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		s, err := site.Find(id)
		if err != nil {
			return nil, err
		}
		zone = s.Zone
	}
	return zone, rows.Err()
}
