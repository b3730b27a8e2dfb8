package store

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"tollgate.dev/internal/period"
)

// EngineSetting is a setting of the database without which a commit can be
// lost, or half of a page.
type EngineSetting struct {
	Name string
	Is   string
	Want []string // any of these keeps what was committed
}

// Keeps reports whether the setting is as it should be.
func (e EngineSetting) Keeps() bool {
	for _, w := range e.Want {
		if e.Is == w {
			return true
		}
	}
	return false
}

// durable are the settings of each engine (SQLite, PRAGMA synchronous: 2 is
// FULL, 3 EXTRA; PostgreSQL, "Write Ahead Log": of synchronous_commit, local is
// as good as on without a standby).
var durable = map[Dialect][]EngineSetting{
	SQLite: {
		{Name: "journal_mode", Want: []string{"wal"}},
		{Name: "synchronous", Want: []string{"2", "3"}},
	},
	Postgres: {
		{Name: "fsync", Want: []string{"on"}},
		{Name: "full_page_writes", Want: []string{"on"}},
		{Name: "synchronous_commit", Want: []string{"on", "local", "remote_write", "remote_apply"}},
	},
}

// EngineSettings reads what the durability of a commit rests on.
func (tx *Tx) EngineSettings(ctx context.Context) ([]EngineSetting, error) {
	ask := "SHOW "
	if tx.dialect == SQLite {
		ask = "PRAGMA "
	}
	var all []EngineSetting
	for _, s := range durable[tx.dialect] {
		if err := tx.QueryRow(ctx, ask+s.Name).Scan(&s.Is); err != nil {
			return nil, fmt.Errorf("read the setting %s: %w", s.Name, err)
		}
		all = append(all, s)
	}
	return all, nil
}

// EngineNow is the time of the database's machine; ok is false for one that is
// a file.
func (tx *Tx) EngineNow(ctx context.Context) (now time.Time, ok bool, err error) {
	if tx.dialect == SQLite {
		return now, false, nil
	}
	var us string
	err = tx.QueryRow(ctx, `SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::BIGINT::TEXT`).Scan(&us)
	if err != nil {
		return now, false, err
	}
	n, err := strconv.ParseInt(us, 10, 64)
	return period.FromMicros(n), err == nil, err
}

// LateGateways lists the gateways that the store has not heard of since then,
// though they reported within a day before.
func (tx *Tx) LateGateways(ctx context.Context, since time.Time) ([]string, error) {
	rows, err := tx.Query(ctx, `
		SELECT gateway
		FROM usage_gateway
		WHERE through < $1
			AND through >= $2
		ORDER BY gateway`, period.Micros(since), period.Micros(since.Add(-24*time.Hour)))
	return collect(rows, err, func(r Row) (name string, err error) {
		err = r.Scan(&name)
		return name, err
	})
}
