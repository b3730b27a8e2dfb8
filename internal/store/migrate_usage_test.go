package store

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"tollgate.dev/internal/period"
	"tollgate.dev/internal/testkit"
	"tollgate.dev/internal/usage"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// TestHoursBecomeDays puts the samples of before migration 171 beside the newest
// tables, has it run, and reads them again: each is there, in the record of its
// site's day.
func TestHoursBecomeDays(t *testing.T) {
	t.Parallel()
	eachDatabase(t, hoursBecomeDays)
}

// eachDatabase tests with an empty database of each engine.
func eachDatabase(t *testing.T, test func(t *testing.T, db *sql.DB, dialect Dialect)) {
	t.Helper()
	for name, open := range map[string]func() (*sql.DB, Dialect, error){
		"sqlite": func() (*sql.DB, Dialect, error) {
			db, err := sql.Open("sqlite", filepath.Join(t.TempDir(), "tollgate.db"))
			return db, SQLite, err
		},
		"postgres": func() (*sql.DB, Dialect, error) {
			db, err := sql.Open("pgx", testkit.Postgres(t))
			return db, Postgres, err
		},
	} {
		db, dialect, err := open()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		t.Run(name, func(t *testing.T) { test(t, db, dialect) })
	}
}

func hoursBecomeDays(t *testing.T, db *sql.DB, dialect Dialect) {
	if err := Migrate(t.Context(), db, dialect); err != nil {
		t.Fatal(err)
	}
	do := func(sql string, args ...any) {
		t.Helper()
		if _, err := db.ExecContext(t.Context(), sql, args...); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	do(`CREATE TABLE usage_sample (workspace_id TEXT, generation BIGINT, hour BIGINT, item TEXT, counter TEXT, class TEXT, quantity BIGINT)`)
	for id, site := range map[string]string{"wksp_cn": "cn1", "wksp_us": "us1"} {
		do(`INSERT INTO workspace (id, site, name, language, owner_id, plan, generation, state, payer, settlement, created_at, upgraded_at, revision)
			VALUES ($1, $2, 'shop', 'en', 'acnt_1', 'commercial', 2, 'normal', '', '', 0, 0, 1)`, id, site)
	}
	var before []string
	first := time.Date(2026, 3, 7, 0, 0, 0, 0, time.UTC)
	for _, id := range []string{"wksp_cn", "wksp_us", "wksp_gone"} {
		for h := range 60 { // over the change of the clock in the USA
			hour := first.Add(time.Duration(h) * time.Hour)
			do(`INSERT INTO usage_sample VALUES ($1, $2, $3, 'logs', '', '14d', $4), ($1, $2, $3, 'apm_trace', 'spans', '7d', $4 + 1)`, id, 1+h%2, period.Micros(hour), 1000*h)
			before = append(before, fmt.Sprint(id, 1+h%2, "logs", "", "14d", hour, 1000*h), fmt.Sprint(id, 1+h%2, "apm_trace", "spans", "7d", hour, 1000*h+1))
		}
	}
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := hoursToDays(t.Context(), tx); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	after, days := recorded(t, db)
	slices.Sort(before)
	slices.Sort(after)
	if !slices.Equal(before, after) {
		t.Errorf("%d samples became %d", len(before), len(after))
	}
	// 60 hours from 08:00 in China, from 16:00 of the day before in Oregon, from midnight in UTC.
	if days["wksp_cn"] != 3 || days["wksp_us"] != 4 || days["wksp_gone"] != 3 {
		t.Errorf("days are %v", days)
	}
	if _, err := db.ExecContext(context.WithoutCancel(t.Context()), `SELECT 1 FROM usage_sample`); err == nil {
		t.Error("the samples are still there")
	}
}

// recorded is what records hold, and in how many days of each workspace.
func recorded(t *testing.T, db *sql.DB) (samples []string, days map[string]int) {
	rows, err := db.QueryContext(t.Context(), `SELECT day, workspace_id, generation, record FROM usage_day ORDER BY day, generation`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	days = map[string]int{}
	seen := map[string]bool{}
	for rows.Next() {
		var day string
		var k usage.Key
		var record []byte
		if err := rows.Scan(&day, &k.WorkspaceID, &k.Generation, &record); err != nil {
			t.Fatal(err)
		}
		if !seen[day+k.WorkspaceID] {
			seen[day+k.WorkspaceID] = true
			days[k.WorkspaceID]++
		}
		list, err := usage.Record(record).Samples(nil, k, usage.Window{To: time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range list {
			samples = append(samples, fmt.Sprint(s.WorkspaceID, s.Generation, s.Item, s.Counter, s.Class, s.Hour, s.Quantity))
		}
	}
	return samples, days
}
