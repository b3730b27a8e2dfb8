package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tollgate.dev/internal/meter"
	"tollgate.dev/internal/period"
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
	ids := map[string]bool{}
	for _, d := range b.Deltas {
		ids[d.WorkspaceID] = true
	}
	for _, d := range b.Distincts {
		ids[d.WorkspaceID] = true
	}
	booked, err := tx.openBooking(ctx, ids)
	if err != nil {
		return err
	}
	for _, d := range b.Deltas {
		if err := booked.add(ctx, d.Key, d.Hour, d.Add, false); err != nil {
			return err
		}
	}
	for _, d := range b.Distincts {
		at, err := booked.at(ctx, d.WorkspaceID, d.Hour)
		if err != nil {
			return err
		}
		if !at.hour.Equal(d.Hour) {
			d.Hour, d.Day = at.hour, at.day
		}
		if err := tx.addDistinct(ctx, booked, d); err != nil {
			return err
		}
	}
	return tx.keepBooked(ctx, booked)
}

// Book adds usage that no gateway counted. The close of a day and a booking
// that adds to it exclude each other, as FlushedThrough says.
func (tx *Tx) Book(ctx context.Context, entries []usage.Entry) error {
	if len(entries) == 0 {
		return nil
	}
	if tx.dialect == Postgres {
		if _, err := tx.Exec(ctx, `LOCK TABLE usage_gateway IN ROW EXCLUSIVE MODE`); err != nil {
			return fmt.Errorf("keep the close of a day out: %w", err)
		}
	}
	ids := make(map[string]bool, len(entries))
	for _, e := range entries {
		ids[e.WorkspaceID] = true
	}
	booked, err := tx.openBooking(ctx, ids)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := booked.add(ctx, e.Key, e.Hour, e.Quantity, e.Volume); err != nil {
			return err
		}
	}
	return tx.keepBooked(ctx, booked)
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

// addDistinct adds members to the set of a day and samples it in the hour.
func (tx *Tx) addDistinct(ctx context.Context, booked *booking, d usage.Distinct) error {
	added, err := tx.addMembers(ctx, d)
	if err != nil {
		return fmt.Errorf("add members of %s: %w", d.WorkspaceID, err)
	}
	switch d.Sampling {
	case meter.NewOfDay, meter.NewOfHour:
		if added == 0 {
			return nil
		}
		return booked.add(ctx, d.Key, d.Hour, added, false)
	case meter.AliveHours:
		alive, err := tx.alive(ctx, d)
		if err != nil || alive == 0 {
			return err
		}
		return booked.add(ctx, d.Key, d.Hour, alive, true)
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
	return booked.add(ctx, d.Key, d.Hour, total, true) // the size of a set never falls
}

// alive counts the members of the day's set that were there in enough hours.
func (tx *Tx) alive(ctx context.Context, d usage.Distinct) (int64, error) {
	sets, err := tx.MembersOf(ctx, d.WorkspaceID, d.Generation, d.Day)
	if err != nil {
		return 0, fmt.Errorf("members of %s: %w", d.WorkspaceID, err)
	}
	return meter.Alive(sets[d.Key]), nil
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
