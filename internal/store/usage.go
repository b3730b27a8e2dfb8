package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tollgate.dev/internal/meter"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/usage"
	"tollgate.dev/internal/workspace"
)

// NextEpoch starts a new epoch of a gateway, for one that begins with an
// empty spool: batches of the epoch before can no longer arrive.
func (tx *Tx) NextEpoch(ctx context.Context, gateway string, at time.Time) (int64, error) {
	var epoch int64
	err := tx.QueryRow(ctx, `
		INSERT INTO usage_gateway (gateway, epoch, seq, through)
		VALUES ($1, 1, 0, $2)
		ON CONFLICT (gateway) DO UPDATE SET epoch = usage_gateway.epoch + 1, seq = 0
		RETURNING epoch`, gateway, period.Micros(at)).Scan(&epoch)
	return epoch, err
}

// AddUsage adds a batch, once: a batch at or below its gateway's mark adds
// nothing and is no error (promise P2). The mark moves in the same transaction.
func (tx *Tx) AddUsage(ctx context.Context, b usage.Batch) error {
	applied, err := tx.moveMark(ctx, b)
	if err != nil || !applied {
		return err
	}
	books := booking{tx: tx, sites: map[string]site.ID{}, closed: map[site.ID]period.Day{}}
	for _, d := range b.Deltas {
		hour, _, err := books.hour(ctx, d.WorkspaceID, d.Hour)
		if err != nil {
			return err
		}
		if err := tx.addSample(ctx, d.Key, hour, d.Add); err != nil {
			return err
		}
	}
	for _, d := range b.Distincts {
		hour, zone, err := books.hour(ctx, d.WorkspaceID, d.Hour)
		if err != nil {
			return err
		}
		if !hour.Equal(d.Hour) {
			d.Hour, d.Day = hour, period.DayOf(hour, zone)
		}
		if err := tx.addDistinct(ctx, d); err != nil {
			return err
		}
	}
	return nil
}

// Book adds usage that no gateway counted. The close of a day and a booking
// that adds to it exclude each other, as FlushedThrough says.
func (tx *Tx) Book(ctx context.Context, entries []usage.Entry) error {
	if tx.dialect == Postgres && len(entries) > 0 {
		if _, err := tx.Exec(ctx, `LOCK TABLE usage_gateway IN ROW EXCLUSIVE MODE`); err != nil {
			return fmt.Errorf("keep the close of a day out: %w", err)
		}
	}
	books := booking{tx: tx, sites: map[string]site.ID{}, closed: map[site.ID]period.Day{}}
	for _, e := range entries {
		hour, _, err := books.hour(ctx, e.WorkspaceID, e.Hour)
		if err != nil {
			return err
		}
		add := tx.addSample
		if e.Volume {
			add = tx.raiseSample
		}
		if err := add(ctx, e.Key, hour, e.Quantity); err != nil {
			return err
		}
	}
	return nil
}

// booking finds the hour under which usage is kept: its own, or the first of
// the next day when its day is being closed or is closed already.
type booking struct {
	tx     *Tx
	sites  map[string]site.ID
	closed map[site.ID]period.Day
}

func (b booking) hour(ctx context.Context, workspaceID string, hour time.Time) (time.Time, *time.Location, error) {
	id, known := b.sites[workspaceID]
	if !known {
		err := b.tx.QueryRow(ctx, `
			SELECT site
			FROM workspace
			WHERE id = $1`, workspaceID).Scan(&id)
		if errors.Is(err, ErrNoRows) {
			return hour, time.UTC, nil // usage of nobody is kept and billed to nobody
		}
		if err != nil {
			return hour, nil, fmt.Errorf("site of %s: %w", workspaceID, err)
		}
		b.sites[workspaceID] = id
	}
	s, err := site.Find(id)
	if err != nil {
		return hour, nil, err
	}
	closed, known := b.closed[id]
	if !known {
		last, err := b.tx.LastSiteDayKept(ctx, id)
		if err != nil {
			return hour, nil, fmt.Errorf("last closed day of %s: %w", id, err)
		}
		closed, b.closed[id] = last.Day, last.Day
	}
	return usage.BookingHour(hour, s.Zone, closed), s.Zone, nil
}

// moveMark reports whether the batch is new, and if so remembers it.
func (tx *Tx) moveMark(ctx context.Context, b usage.Batch) (bool, error) {
	n, err := tx.Exec(ctx, `
		INSERT INTO usage_gateway (gateway, epoch, seq, through)
		VALUES ($1, $2, $3, $4)
		ON CONFLICT (gateway) DO UPDATE SET
			epoch = excluded.epoch,
			seq = excluded.seq,
			through = CASE WHEN excluded.through > usage_gateway.through THEN excluded.through ELSE usage_gateway.through END
		WHERE excluded.epoch > usage_gateway.epoch
			OR (excluded.epoch = usage_gateway.epoch AND excluded.seq > usage_gateway.seq)`,
		b.Gateway, b.Epoch, b.Seq, period.Micros(b.Through))
	if err != nil {
		return false, fmt.Errorf("move the mark of gateway %s: %w", b.Gateway, err)
	}
	return n == 1, nil
}

func (tx *Tx) addSample(ctx context.Context, k usage.Key, hour time.Time, add int64) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO usage_sample (workspace_id, generation, hour, item, counter, class, quantity)
		VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (workspace_id, generation, hour, item, counter, class) DO UPDATE SET
			quantity = usage_sample.quantity + excluded.quantity`,
		k.WorkspaceID, int64(k.Generation), period.Micros(hour), k.Item, k.Counter, k.Class, add)
	if err != nil {
		return fmt.Errorf("add usage of %s: %w", k.WorkspaceID, err)
	}
	return nil
}

// addDistinct adds members to the set of a day and samples it in the hour.
func (tx *Tx) addDistinct(ctx context.Context, d usage.Distinct) error {
	added, err := tx.addMembers(ctx, d)
	if err != nil {
		return fmt.Errorf("add members of %s: %w", d.WorkspaceID, err)
	}
	switch d.Sampling {
	case meter.NewOfDay, meter.NewOfHour:
		if added == 0 {
			return nil
		}
		return tx.addSample(ctx, d.Key, d.Hour, added)
	case meter.AliveHours:
		alive, err := tx.alive(ctx, d)
		if err != nil || alive == 0 {
			return err
		}
		return tx.raiseSample(ctx, d.Key, d.Hour, alive)
	}
	var total int64
	err = tx.QueryRow(ctx, `
		INSERT INTO usage_distinct (workspace_id, generation, day, item, counter, class, quantity)
		VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (workspace_id, generation, day, item, counter, class) DO UPDATE SET
			quantity = usage_distinct.quantity + excluded.quantity
		RETURNING quantity`,
		d.WorkspaceID, int64(d.Generation), d.Day.String(), d.Item, d.Counter, d.Class, added).Scan(&total)
	if err != nil {
		return fmt.Errorf("count members of %s: %w", d.WorkspaceID, err)
	}
	return tx.raiseSample(ctx, d.Key, d.Hour, total)
}

// alive counts the members of the day's set that were there in enough hours.
func (tx *Tx) alive(ctx context.Context, d usage.Distinct) (int64, error) {
	sets, err := tx.MembersOf(ctx, d.WorkspaceID, d.Generation, d.Day)
	if err != nil {
		return 0, fmt.Errorf("members of %s: %w", d.WorkspaceID, err)
	}
	return meter.Alive(sets[d.Key]), nil
}

// raiseSample keeps the size of a set in the hour; it never falls.
func (tx *Tx) raiseSample(ctx context.Context, k usage.Key, hour time.Time, size int64) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO usage_sample (workspace_id, generation, hour, item, counter, class, quantity)
		VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (workspace_id, generation, hour, item, counter, class) DO UPDATE SET
			quantity = CASE WHEN excluded.quantity > usage_sample.quantity THEN excluded.quantity ELSE usage_sample.quantity END`,
		k.WorkspaceID, int64(k.Generation), period.Micros(hour), k.Item, k.Counter, k.Class, size)
	if err != nil {
		return fmt.Errorf("add usage of %s: %w", k.WorkspaceID, err)
	}
	return nil
}

// addMembers gives the number of members that were new to the day: one that is
// there in another class stays there. A hash is stored as the signed integer of
// the same bits.
func (tx *Tx) addMembers(ctx context.Context, d usage.Distinct) (int64, error) {
	const columns = `INSERT INTO usage_member (workspace_id, generation, day, item, counter, class, member)`
	args := []any{d.WorkspaceID, int64(d.Generation), d.Day.String(), d.Item, d.Counter, d.Class}
	if tx.dialect == Postgres {
		members := make([]int64, len(d.Members))
		for i, m := range d.Members {
			members[i] = int64(m)
		}
		return tx.Exec(ctx, columns+`
			SELECT $1, $2, $3, $4, $5, $6, UNNEST($7::BIGINT[])
			ON CONFLICT DO NOTHING`, append(args, members)...)
	}
	var added int64
	for _, m := range d.Members {
		n, err := tx.Exec(ctx, columns+`
			VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT DO NOTHING`, append(args[:6:6], int64(m))...)
		if err != nil {
			return 0, err
		}
		added += n
	}
	return added, nil
}

// UsageBetween lists the samples of a workspace's generation
// whose hours lie in [from, to), in order of hour, item, counter and class.
func (tx *Tx) UsageBetween(ctx context.Context, workspaceID string, g workspace.Generation, from, to time.Time) ([]usage.Sample, error) {
	rows, err := tx.Query(ctx, `
		SELECT hour, item, counter, class, quantity
		FROM usage_sample
		WHERE workspace_id = $1
			AND generation = $2
			AND hour >= $3
			AND hour < $4
		ORDER BY hour, item, counter, class`, workspaceID, int64(g), period.Micros(from), period.Micros(to))
	return collect(rows, err, func(r Row) (usage.Sample, error) {
		s := usage.Sample{Key: usage.Key{WorkspaceID: workspaceID, Generation: g}}
		var hour int64
		err := r.Scan(&hour, &s.Item, &s.Counter, &s.Class, &s.Quantity)
		s.Hour = period.FromMicros(hour)
		return s, err
	})
}

// MembersOf lists the members of each set of a workspace's day, so that a
// gateway that starts goes on counting exactly.
func (tx *Tx) MembersOf(ctx context.Context, workspaceID string, g workspace.Generation, day period.Day) (map[usage.Key][]uint64, error) {
	rows, err := tx.Query(ctx, `
		SELECT item, counter, class, member
		FROM usage_member
		WHERE workspace_id = $1
			AND generation = $2
			AND day = $3`, workspaceID, int64(g), day.String())
	sets := map[usage.Key][]uint64{}
	_, err = collect(rows, err, func(r Row) (struct{}, error) {
		k := usage.Key{WorkspaceID: workspaceID, Generation: g}
		var member int64
		err := r.Scan(&k.Item, &k.Counter, &k.Class, &member)
		sets[k] = append(sets[k], uint64(member))
		return struct{}{}, err
	})
	return sets, err
}

// SweepMembers removes the sets of days before the given one: only their
// counts are still needed.
func (tx *Tx) SweepMembers(ctx context.Context, before period.Day) error {
	for _, table := range []string{"usage_member", "usage_distinct"} {
		if _, err := tx.Exec(ctx, `DELETE FROM `+table+` WHERE day < $1`, before.String()); err != nil {
			return fmt.Errorf("sweep %s: %w", table, err)
		}
	}
	return nil
}

// FlushedThrough gives the earliest instant through which every gateway that
// was heard of since then has handed over its usage; ok is false when there is
// no such gateway.
//
// In a write transaction it also keeps batches out until the end, so that the
// close of a day that begins here and a batch that adds to it exclude each
// other. On SQLite they do so anyway.
func (tx *Tx) FlushedThrough(ctx context.Context, heardSince time.Time) (through time.Time, ok bool, err error) {
	if tx.dialect == Postgres && !tx.readOnly {
		if _, err := tx.Exec(ctx, `LOCK TABLE usage_gateway IN SHARE ROW EXCLUSIVE MODE`); err != nil {
			return through, false, fmt.Errorf("keep batches out: %w", err)
		}
	}
	var us int64
	err = tx.QueryRow(ctx, `
		SELECT through
		FROM usage_gateway
		WHERE through >= $1
		ORDER BY through
		LIMIT 1`, period.Micros(heardSince)).Scan(&us)
	if errors.Is(err, ErrNoRows) {
		return time.Time{}, false, nil
	}
	return period.FromMicros(us), err == nil, err
}
