// Package store keeps everything that must not be lost: all SQL of Tollgate,
// written once for SQLite and PostgreSQL. It owns tables and queries; it does
// not own rules, which live in the nouns, nor the choice of an engine, which
// lives in app.
//
// Always true: one call of Write is one transaction holding the change, its
// ledger entries, its jobs, its mails and its audit entry, or none of them.
//
// Locks have one order, so that writers on PostgreSQL wait for each other and
// do not stand in each other's way: the thing that a call is about (a transfer,
// a voucher, a key of idempotency), the chain of the payer whose money moves,
// its workspaces in the order of their IDs with their clocks, and last the audit
// log. Several payers are locked together, in the order of their chains' names.
// Whoever needs a workspace gets its payer's chain first (WorkspaceForUpdate).
package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"tollgate.dev/internal/failpoint"
)

// Dialect tells the few places that differ which engine they speak to.
type Dialect int

// The engines.
const (
	SQLite Dialect = iota
	Postgres
)

// ErrNoRows is what Row.Scan returns when there is no row, on both engines.
var ErrNoRows = errors.New("no rows")

// Rows walks over a result. Close it; Err says why Next stopped.
type Rows interface {
	Next() bool
	Scan(dest ...any) error
	Err() error
	Close() error
}

// Row is a result of at most one row.
type Row interface {
	Scan(dest ...any) error
}

// Conn is one open transaction of an engine.
type Conn interface {
	Exec(ctx context.Context, sql string, args ...any) (int64, error)
	Query(ctx context.Context, sql string, args ...any) (Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) Row
	Enqueue(ctx context.Context, job river.JobArgs, opts *river.InsertOpts) error
}

// Worker runs queued jobs until it is stopped.
type Worker interface {
	Start(ctx context.Context) error
	Stop(ctx context.Context) error
}

// Engine is a database that Tollgate can live on: store/sqlite, store/postgres.
type Engine interface {
	Dialect() Dialect
	Write(ctx context.Context, f func(Conn) error) error
	Read(ctx context.Context, f func(Conn) error) error
	Ping(ctx context.Context) error
	Worker(config *river.Config) (Worker, error)
	Close() error
}

// Store is the open store. It is safe for concurrent use.
type Store struct {
	engine  Engine
	changed func(workspaceID string)
	base    string // the address of the consoles, for links in mails
}

// New wraps an open and migrated engine.
func New(e Engine) *Store { return &Store{engine: e, changed: func(string) {}} }

// OnChange says whom to tell, after the commit, that a workspace's plan,
// state, team or tokens changed: the gateway, which remembers them. It is set
// before the store is used.
func (s *Store) OnChange(f func(workspaceID string)) { s.changed = f }

// LinkTo gives the address at which people reach the consoles: the links in
// mails begin with it. It is set before the store is used; until then mails
// have no links.
func (s *Store) LinkTo(base string) { s.base = base }

// Tx is one transaction. Its methods are the tables' only readers and writers.
type Tx struct {
	conn     Conn
	dialect  Dialect
	readOnly bool
	changed  map[string]bool // workspaces to tell of after the commit
	base     string          // of the links in mails
}

// kept carries an error out of a transaction that is committed all the same.
type kept struct{ err error }

func (k kept) Error() string { return k.err.Error() }
func (k kept) Unwrap() error { return k.err }

// Keep marks an error that must not undo the transaction: a wrong code counts
// its try. Write commits and then returns err itself.
func Keep(err error) error {
	if err == nil {
		return nil
	}
	return kept{err}
}

// Kept reports whether an error leaves its transaction as it is.
func Kept(err error) bool {
	var k kept
	return errors.As(err, &k)
}

// Write runs f in one transaction that is committed when f returns nil or a
// kept error, and undone otherwise. f may run again when the engine asks for
// it, so that it must not change anything but the transaction.
func (s *Store) Write(ctx context.Context, f func(*Tx) error) error {
	var keep error
	var tx *Tx
	var point string
	if failpoint.On() {
		point = "commit." + failpoint.Caller("store")
	}
	err := s.engine.Write(ctx, func(c Conn) error {
		keep = nil
		tx = &Tx{conn: c, dialect: s.engine.Dialect(), changed: map[string]bool{}, base: s.base}
		err := f(tx)
		var k kept
		if errors.As(err, &k) {
			keep, err = k.err, nil
		}
		if err == nil && point != "" {
			failpoint.Here(point + ".before")
		}
		return err
	})
	if err != nil {
		return err
	}
	if point != "" {
		failpoint.Here(point + ".after")
	}
	for id := range tx.changed {
		s.changed(id)
	}
	return keep
}

// Read runs f on one consistent view that cannot write.
func (s *Store) Read(ctx context.Context, f func(*Tx) error) error {
	return s.engine.Read(ctx, func(c Conn) error {
		return f(&Tx{conn: c, dialect: s.engine.Dialect(), readOnly: true})
	})
}

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error { return s.engine.Ping(ctx) }

// Worker makes the runner of queued jobs.
func (s *Store) Worker(config *river.Config) (Worker, error) { return s.engine.Worker(config) }

// OneWriter reports whether write transactions exclude each other, so that one
// must not wait for another.
func (s *Store) OneWriter() bool { return s.engine.Dialect() == SQLite }

// Close releases the connections; what was committed stays.
func (s *Store) Close() error { return s.engine.Close() }

// Dialect is the engine's.
func (tx *Tx) Dialect() Dialect { return tx.dialect }

// Exec runs a statement and gives the number of rows it touched.
func (tx *Tx) Exec(ctx context.Context, sql string, args ...any) (int64, error) {
	return tx.conn.Exec(ctx, sql, args...)
}

// Query runs a query.
func (tx *Tx) Query(ctx context.Context, sql string, args ...any) (Rows, error) {
	return tx.conn.Query(ctx, sql, args...)
}

// QueryRow runs a query for one row.
func (tx *Tx) QueryRow(ctx context.Context, sql string, args ...any) Row {
	return tx.conn.QueryRow(ctx, sql, args...)
}

// Enqueue inserts a job that runs after, and only if, the transaction commits.
// A job with a method UniqueByArgs() is not inserted while an equal one waits
// or runs. Once that has ended it is: whoever queues it again found that there
// is something to do, and a job that ended without doing it must not stand in
// the way.
func (tx *Tx) Enqueue(ctx context.Context, job river.JobArgs) error {
	var opts *river.InsertOpts
	if u, ok := job.(interface{ UniqueByArgs() bool }); ok && u.UniqueByArgs() {
		opts = &river.InsertOpts{UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: goingOn}}
	}
	if err := tx.conn.Enqueue(ctx, job, opts); err != nil {
		return fmt.Errorf("enqueue %s: %w", job.Kind(), err)
	}
	return nil
}

// goingOn are the states of a job that has not ended.
var goingOn = []rivertype.JobState{
	rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRunning, rivertype.JobStateRetryable, rivertype.JobStateScheduled,
}

// lockWrites is what a SELECT ends with to keep its rows until a write
// transaction ends. SQLite's exclude each other from their first statement.
func (tx *Tx) lockWrites() string {
	if tx.dialect == Postgres && !tx.readOnly {
		return "\nFOR UPDATE"
	}
	return ""
}

// collect reads all rows with scan and closes them.
func collect[T any](rows Rows, err error, scan func(Row) (T, error)) ([]T, error) {
	var all []T
	if err := stream(rows, err, scan, func(v T) error {
		all = append(all, v)
		return nil
	}); err != nil {
		return nil, err
	}
	return all, nil
}

// stream reads rows with scan, hands them over one by one, and closes them.
func stream[T any](rows Rows, err error, scan func(Row) (T, error), yield func(T) error) error {
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return err
		}
		if err := yield(v); err != nil {
			return err
		}
	}
	return rows.Err()
}

// exactlyOne turns the touched rows of a guarded update into missed when the
// guard did not hold.
func exactlyOne(n int64, err error, missed error) error {
	if err != nil {
		return err
	}
	if n != 1 {
		return missed
	}
	return nil
}

// flag is how a boolean is stored.
func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
