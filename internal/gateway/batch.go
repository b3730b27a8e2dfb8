package gateway

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"tollgate.dev/internal/period"
	"tollgate.dev/internal/usage"
)

// seal makes the next batch of what is in the spool, and keeps it there until
// sent: should the gateway die before it knows that the store has it, the very
// same batch goes out again. Everything received before through is in the
// spool; more says that it did not all fit into this batch, which then promises
// no more than the one before. An empty spool is sealed only when even is true.
func (s *spool) seal(ctx context.Context, through time.Time, even bool) (more, sealed bool, err error) {
	b := usage.Batch{Gateway: s.gateway, Epoch: s.epoch, Seq: s.seq + 1}
	err = s.transact(ctx, "seal", func(ctx context.Context, tx *sql.Tx) error {
		upTo, full, err := gather(ctx, tx, &b)
		if err != nil {
			return err
		}
		more, sealed = full, upTo > 0 || even
		if !sealed {
			return nil
		}
		if b.Through = through; more || through.Before(s.through) {
			b.Through = s.through
		}
		return s.keep(ctx, tx, b, upTo)
	})
	if err != nil || !sealed {
		return false, false, err
	}
	s.seq, s.through = b.Seq, b.Through
	return more, true, nil
}

func (s *spool) keep(ctx context.Context, tx *sql.Tx, b usage.Batch, upTo int64) error {
	text, err := json.Marshal(b)
	if err != nil {
		return err
	}
	_, err1 := tx.ExecContext(ctx, `INSERT INTO spool_batch (seq, batch) VALUES ($1, $2)`, b.Seq, string(text))
	_, err2 := tx.ExecContext(ctx, `DELETE FROM spool_usage WHERE id <= $1`, upTo)
	_, err3 := tx.ExecContext(ctx, `UPDATE spool_mark SET seq = $1, through = $2`, b.Seq, period.Micros(b.Through))
	return errors.Join(err1, err2, err3)
}

// gather adds up the rows of the spool, as many as a batch may have; upTo is
// the last row that is in it.
func gather(ctx context.Context, tx *sql.Tx, b *usage.Batch) (upTo int64, full bool, err error) {
	rows, err := tx.QueryContext(ctx, `
		SELECT id, usage
		FROM spool_usage
		ORDER BY id
		LIMIT $1`, maxBatchRows)
	if err != nil {
		return 0, false, err
	}
	defer rows.Close()
	sum := newAdder(b)
	for n := 1; rows.Next(); n++ {
		var text string
		if err := rows.Scan(&upTo, &text); err != nil {
			return 0, false, err
		}
		var c counted
		if err := json.Unmarshal([]byte(text), &c); err != nil {
			return 0, false, fmt.Errorf("read row %d: %w", upTo, err)
		}
		sum.add(c)
		if n == maxBatchRows || sum.members > maxBatchMembers {
			return upTo, true, nil
		}
	}
	return upTo, false, rows.Err()
}

// adder merges what is counted under the same key and hour.
type adder struct {
	batch     *usage.Batch
	deltas    map[usage.Delta]int
	distincts map[distinctKey]int
	members   int
}

type distinctKey struct {
	usage.Key
	day  period.Day
	hour time.Time
}

func newAdder(b *usage.Batch) *adder {
	return &adder{batch: b, deltas: map[usage.Delta]int{}, distincts: map[distinctKey]int{}}
}

func (a *adder) add(c counted) {
	for _, d := range c.Deltas {
		key := usage.Delta{Key: d.Key, Hour: d.Hour}
		i, ok := a.deltas[key]
		if !ok {
			i = len(a.batch.Deltas)
			a.deltas[key] = i
			a.batch.Deltas = append(a.batch.Deltas, key)
		}
		a.batch.Deltas[i].Add += d.Add
	}
	for _, d := range c.Distincts {
		key := distinctKey{d.Key, d.Day, d.Hour}
		i, ok := a.distincts[key]
		if !ok {
			i = len(a.batch.Distincts)
			a.distincts[key] = i
			a.batch.Distincts = append(a.batch.Distincts, usage.Distinct{Key: d.Key, Sampling: d.Sampling, Day: d.Day, Hour: d.Hour})
		}
		a.batch.Distincts[i].Members = append(a.batch.Distincts[i].Members, d.Members...)
		a.members += len(d.Members)
	}
}

// unsent gives the oldest batch that the store may not have.
func (s *spool) unsent(ctx context.Context) (b usage.Batch, ok bool, err error) {
	var text string
	err = s.reader.QueryRowContext(ctx, `
		SELECT batch
		FROM spool_batch
		ORDER BY seq
		LIMIT 1`).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return b, false, nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(text), &b)
	}
	if err != nil {
		return b, false, fmt.Errorf("read a batch of the spool: %w", err)
	}
	return b, true, nil
}

// sent forgets a batch that the store has.
func (s *spool) sent(ctx context.Context, seq int64) error {
	return s.transact(ctx, "sent", func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM spool_batch WHERE seq = $1`, seq)
		return err
	})
}
