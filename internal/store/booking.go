package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"tollgate.dev/internal/period"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/usage"
	"tollgate.dev/internal/workspace"
)

// booking gathers what is done to the records of days. Each record is read and
// written once, however much of it is booked.
type booking struct {
	tx      *Tx
	zones   map[string]*site.Site // by workspace; none for one that does not exist
	closed  map[site.ID]period.Day
	changes map[recordKey][]usage.Change
}

// recordKey is what a record is stored under.
type recordKey struct {
	day         string
	workspaceID string
	generation  workspace.Generation
}

func (k recordKey) compare(o recordKey) int {
	return cmp.Or(strings.Compare(k.day, o.day), strings.Compare(k.workspaceID, o.workspaceID), cmp.Compare(k.generation, o.generation))
}

// recordsAtOnce bounds the records of one statement on PostgreSQL.
const recordsAtOnce = 1000

// openBooking finds the sites of workspaces.
func (tx *Tx) openBooking(ctx context.Context, workspaceIDs map[string]bool) (*booking, error) {
	booked := &booking{tx: tx, zones: make(map[string]*site.Site, len(workspaceIDs)), closed: map[site.ID]period.Day{}, changes: map[recordKey][]usage.Change{}}
	for ids := range slices.Chunk(slices.Sorted(maps.Keys(workspaceIDs)), recordsAtOnce) {
		rows, err := tx.Query(ctx, `
			SELECT id, site
			FROM workspace
			WHERE `+tx.among("id", 1), tx.list(ids))
		if _, err := collect(rows, err, func(r Row) (struct{}, error) {
			var id string
			var at site.ID
			if err := r.Scan(&id, &at); err != nil {
				return struct{}{}, err
			}
			s, err := site.Find(at)
			booked.zones[id] = &s
			return struct{}{}, err
		}); err != nil {
			return nil, fmt.Errorf("sites of workspaces: %w", err)
		}
	}
	return booked, nil
}

// booked is the hour and day under which usage is kept.
type booked struct {
	hour time.Time
	day  period.Day
	zone *time.Location
}

// at is where usage of an hour is kept: its own hour, or the first of the next
// day when its day is being closed or is closed already.
func (b *booking) at(ctx context.Context, workspaceID string, hour time.Time) (booked, error) {
	s := b.zones[workspaceID]
	if s == nil { // usage of nobody is kept and billed to nobody
		return booked{hour, period.DayOf(hour, time.UTC), time.UTC}, nil
	}
	closed, known := b.closed[s.ID]
	if !known {
		last, err := b.tx.LastSiteDayKept(ctx, s.ID)
		if err != nil {
			return booked{}, fmt.Errorf("last closed day of %s: %w", s.ID, err)
		}
		closed, b.closed[s.ID] = last.Day, last.Day
	}
	hour = usage.BookingHour(hour, s.Zone, closed)
	return booked{hour, period.DayOf(hour, s.Zone), s.Zone}, nil
}

// add notes a change to the record of the day that the hour is booked in.
func (b *booking) add(ctx context.Context, k usage.Key, hour time.Time, n int64, raise bool) error {
	at, err := b.at(ctx, k.WorkspaceID, hour)
	if err != nil {
		return err
	}
	in := recordKey{at.day.String(), k.WorkspaceID, k.Generation}
	b.changes[in] = append(b.changes[in], usage.Change{Item: k.Item, Counter: k.Counter, Class: k.Class, Index: k.Index, Hour: at.hour, Quantity: n, Raise: raise})
	return nil
}

// empty is the record that a key begins with.
func (b *booking) empty(k recordKey) (usage.Record, error) {
	day, err := period.ParseDay(k.day)
	if s := b.zones[k.workspaceID]; s != nil {
		return usage.NewRecord(day, s.Zone), err
	}
	return usage.NewRecord(day, time.UTC), err
}

// with is a record with what was booked in it.
func (b *booking) with(k recordKey, before usage.Record) (usage.Record, error) {
	after, err := before.With(b.changes[k])
	if err != nil {
		return nil, fmt.Errorf("add usage of %s: %w", k.workspaceID, err)
	}
	return after, nil
}

// keepBooked writes the records anew, always in one order, against deadlocks.
func (tx *Tx) keepBooked(ctx context.Context, b *booking) error {
	keys := slices.SortedFunc(maps.Keys(b.changes), recordKey.compare)
	if tx.dialect != Postgres {
		for _, k := range keys {
			if err := tx.keepRecord(ctx, b, k); err != nil {
				return err
			}
		}
		return nil
	}
	for chunk := range slices.Chunk(keys, recordsAtOnce) {
		for len(chunk) > 0 {
			missed, err := tx.keepRecords(ctx, b, chunk)
			if err != nil {
				return err
			}
			chunk = missed
		}
	}
	return nil
}

// keepRecord writes one record: SQLite's writers exclude each other.
func (tx *Tx) keepRecord(ctx context.Context, b *booking, k recordKey) error {
	var before []byte
	err := tx.QueryRow(ctx, `
		SELECT record
		FROM usage_day
		WHERE day = $1
			AND workspace_id = $2
			AND generation = $3`, k.day, k.workspaceID, int64(k.generation)).Scan(&before)
	if errors.Is(err, ErrNoRows) {
		before, err = b.empty(k)
	}
	if err != nil {
		return fmt.Errorf("usage of %s: %w", k.workspaceID, err)
	}
	after, err := b.with(k, before)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO usage_day (day, workspace_id, generation, record)
		VALUES ($1, $2, $3, $4)
		ON CONFLICT (day, workspace_id, generation) DO UPDATE SET record = excluded.record`,
		k.day, k.workspaceID, int64(k.generation), []byte(after))
	return err
}

// columns are keys and records as arrays of PostgreSQL.
type columns struct {
	days, workspaces []string
	generations      []int64
	records          [][]byte
}

func (c *columns) add(k recordKey, record usage.Record) {
	c.days, c.workspaces = append(c.days, k.day), append(c.workspaces, k.workspaceID)
	c.generations, c.records = append(c.generations, int64(k.generation)), append(c.records, record)
}

// keepRecords changes the records that are there and makes those that are not.
// It gives those that somebody else made meanwhile: they are there by now.
func (tx *Tx) keepRecords(ctx context.Context, b *booking, keys []recordKey) (missed []recordKey, err error) {
	there, err := tx.recordsKept(ctx, keys)
	if err != nil {
		return nil, fmt.Errorf("read usage: %w", err)
	}
	var changed, made columns
	for _, k := range keys {
		before, known := there[k]
		to := &changed
		if !known {
			if before, err = b.empty(k); err != nil {
				return nil, err
			}
			to = &made
		}
		after, err := b.with(k, before)
		if err != nil {
			return nil, err
		}
		to.add(k, after)
	}
	if len(changed.days) > 0 {
		if _, err := tx.Exec(ctx, `
			UPDATE usage_day u
			SET record = k.record
			FROM UNNEST($1::TEXT[], $2::TEXT[], $3::BIGINT[], $4::BYTEA[]) AS k (day, workspace_id, generation, record)
			WHERE u.day = k.day
				AND u.workspace_id = k.workspace_id
				AND u.generation = k.generation`, changed.days, changed.workspaces, changed.generations, changed.records); err != nil {
			return nil, fmt.Errorf("change usage: %w", err)
		}
	}
	if len(made.days) == 0 {
		return nil, nil
	}
	rows, err := tx.Query(ctx, `
		INSERT INTO usage_day (day, workspace_id, generation, record)
		SELECT day, workspace_id, generation, record
		FROM UNNEST($1::TEXT[], $2::TEXT[], $3::BIGINT[], $4::BYTEA[]) AS k (day, workspace_id, generation, record)
		ON CONFLICT (day, workspace_id, generation) DO NOTHING
		RETURNING day, workspace_id, generation`, made.days, made.workspaces, made.generations, made.records)
	inserted := map[recordKey]bool{}
	if _, err := collect(rows, err, func(r Row) (struct{}, error) {
		var k recordKey
		err := r.Scan(&k.day, &k.workspaceID, &k.generation)
		inserted[k] = true
		return struct{}{}, err
	}); err != nil {
		return nil, fmt.Errorf("add usage: %w", err)
	}
	return slices.DeleteFunc(slices.Clone(keys), func(k recordKey) bool { return there[k] != nil || inserted[k] }), nil
}

// recordsKept reads records and keeps them from other writers.
func (tx *Tx) recordsKept(ctx context.Context, keys []recordKey) (map[recordKey]usage.Record, error) {
	var c columns
	for _, k := range keys {
		c.add(k, nil)
	}
	rows, err := tx.Query(ctx, `
		SELECT u.day, u.workspace_id, u.generation, u.record
		FROM UNNEST($1::TEXT[], $2::TEXT[], $3::BIGINT[]) AS k (day, workspace_id, generation)
		JOIN usage_day u ON u.day = k.day AND u.workspace_id = k.workspace_id AND u.generation = k.generation
		ORDER BY u.day, u.workspace_id, u.generation
		FOR UPDATE OF u`, c.days, c.workspaces, c.generations)
	there := map[recordKey]usage.Record{}
	_, err = collect(rows, err, func(r Row) (struct{}, error) {
		var k recordKey
		var record []byte
		err := r.Scan(&k.day, &k.workspaceID, &k.generation, &record)
		there[k] = record
		return struct{}{}, err
	})
	return there, err
}
