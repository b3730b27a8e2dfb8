package gateway

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	_ "modernc.org/sqlite" // the spool's file

	"tollgate.dev/internal/failpoint"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/sink"
	"tollgate.dev/internal/usage"
)

// spool is a SQLite file that holds, durably, the usage that the store does
// not have yet, and the keys of the reports that were acknowledged. One
// goroutine writes; concurrent commits share a transaction.
type spool struct {
	gateway string
	db      *sql.DB // writes
	reader  *sql.DB
	queue   chan *commit
	closed  chan struct{}
	done    chan struct{}

	// As stored in the one row of spool_mark; only Start and Flush touch them.
	epoch   int64
	seq     int64
	through time.Time
}

// spoolSchema: spool_usage holds a row per report that counted something,
// until it becomes part of a batch; spool_batch the batches until the store has
// taken them; spool_ack the keys of acknowledged reports for ackWindow.
const spoolSchema = `
CREATE TABLE IF NOT EXISTS spool_mark (
	id BIGINT PRIMARY KEY CHECK (id = 1),
	gateway TEXT NOT NULL,
	epoch BIGINT NOT NULL,
	seq BIGINT NOT NULL,
	through BIGINT NOT NULL
);
CREATE TABLE IF NOT EXISTS spool_usage (
	id INTEGER PRIMARY KEY,
	usage TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS spool_batch (
	seq BIGINT PRIMARY KEY,
	batch TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS spool_ack (
	report_key BLOB PRIMARY KEY,
	received BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS spool_ack_received ON spool_ack (received);
`

// ackWindow is how long a report that comes again is known: DataKit resends
// for 12 hours.
const ackWindow = 13 * time.Hour

// The bounds of a group commit, and of what becomes one batch.
const (
	maxGroup        = 256
	maxBatchRows    = 10_000
	maxBatchMembers = 500_000
)

func openSpool(ctx context.Context, path, gateway string) (*spool, error) {
	base := "file:" + (&url.URL{Path: path}).EscapedPath() +
		"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)"
	db, err := sql.Open("sqlite", base+"&_txlock=immediate")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	s := &spool{gateway: gateway, db: db, queue: make(chan *commit), closed: make(chan struct{}), done: make(chan struct{})}
	if err := s.load(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if s.reader, err = sql.Open("sqlite", base+"&_pragma=query_only(1)"); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	s.reader.SetMaxOpenConns(4)
	go s.write()
	return s, nil
}

// load reads the mark, or makes the one of a new spool: epoch 0, to be named.
func (s *spool) load(ctx context.Context) error {
	if _, err := s.db.ExecContext(ctx, spoolSchema); err != nil {
		return err
	}
	_, err := s.db.ExecContext(ctx, `
		INSERT INTO spool_mark (id, gateway, epoch, seq, through)
		VALUES (1, $1, 0, 0, 0)
		ON CONFLICT DO NOTHING`, s.gateway)
	if err != nil {
		return err
	}
	var owner string
	var through int64
	err = s.db.QueryRowContext(ctx, `SELECT gateway, epoch, seq, through FROM spool_mark`).Scan(&owner, &s.epoch, &s.seq, &through)
	if err != nil {
		return err
	}
	if owner != s.gateway {
		return fmt.Errorf("the spool belongs to gateway %q", owner)
	}
	s.through = period.FromMicros(through)
	return nil
}

func (s *spool) begin(ctx context.Context, epoch int64) error {
	err := s.transact(ctx, "begin", func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE spool_mark SET epoch = $1, seq = 0`, epoch)
		return err
	})
	if err == nil {
		s.epoch, s.seq = epoch, 0
	}
	return err
}

// close commits what was handed over and closes the file.
func (s *spool) close() error {
	close(s.closed)
	<-s.done
	return errors.Join(s.reader.Close(), s.db.Close())
}

// commit is one acknowledgement on its way to the disk.
type commit struct {
	key      sink.Key
	received time.Time
	counted  *counted // nil when the report counts as nothing
	err      chan error
}

// counted is what one report counts: deltas of sums and members of sets.
type counted struct {
	Deltas    []usage.Delta    `json:",omitempty"`
	Distincts []usage.Distinct `json:",omitempty"`
}

var errSpoolClosed = errors.New("the spool is closed")

// acknowledge makes a report's usage and its key durable.
func (s *spool) acknowledge(c *commit) error {
	c.err = make(chan error, 1)
	select {
	case s.queue <- c:
		return <-c.err
	case <-s.closed:
		return errSpoolClosed
	}
}

func (s *spool) write() {
	defer close(s.done)
	for {
		var group []*commit
		select {
		case c := <-s.queue:
			group = append(group, c)
		case <-s.closed:
			return
		}
		for waiting := true; waiting && len(group) < maxGroup; {
			select {
			case c := <-s.queue:
				group = append(group, c)
			default:
				waiting = false
			}
		}
		err := s.transact(context.Background(), "acknowledge", func(ctx context.Context, tx *sql.Tx) error {
			for _, c := range group {
				if err := c.insert(ctx, tx); err != nil {
					return err
				}
			}
			return nil
		})
		for _, c := range group {
			c.err <- err
		}
	}
}

func (c *commit) insert(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO spool_ack (report_key, received)
		VALUES ($1, $2)
		ON CONFLICT (report_key) DO UPDATE SET received = excluded.received`, c.key[:], period.Micros(c.received))
	if err != nil || c.counted == nil {
		return err
	}
	text, err := json.Marshal(c.counted)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO spool_usage (usage) VALUES ($1)`, string(text))
	return err
}

// transact is one commit of the spool, with a failpoint before and after it.
func (s *spool) transact(ctx context.Context, name string, f func(context.Context, *sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("write the spool: %w", err)
	}
	if err := f(ctx, tx); err != nil {
		return errors.Join(fmt.Errorf("write the spool: %w", err), tx.Rollback())
	}
	if err := failpoint.Around("spool."+name, tx.Commit); err != nil {
		return fmt.Errorf("write the spool: %w", err)
	}
	return nil
}

// acknowledged reports whether the report was acknowledged since then.
func (s *spool) acknowledged(ctx context.Context, key sink.Key, since time.Time) (bool, error) {
	var n int64
	err := s.reader.QueryRowContext(ctx, `
		SELECT COUNT(*)
		FROM spool_ack
		WHERE report_key = $1
			AND received >= $2`, key[:], period.Micros(since)).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("look for an acknowledged report: %w", err)
	}
	return n > 0, nil
}

// waiting is how many reports and batches the store does not have yet.
func (s *spool) waiting(ctx context.Context) (n int64, err error) {
	err = s.reader.QueryRowContext(ctx, `
		SELECT (SELECT COUNT(*) FROM spool_usage) + (SELECT COUNT(*) FROM spool_batch)`).Scan(&n)
	return n, err
}

// forget removes the keys of before, a bounded number at a time.
func (s *spool) forget(ctx context.Context, before time.Time) error {
	_, err := s.db.ExecContext(ctx, `
		DELETE FROM spool_ack
		WHERE report_key IN (SELECT report_key FROM spool_ack WHERE received < $1 LIMIT 10000)`, period.Micros(before))
	if err != nil {
		return fmt.Errorf("forget acknowledged reports: %w", err)
	}
	return nil
}
