// Package sqlite opens the embedded store: one file, one writer, several
// readers, every commit on disk before it returns (WAL, synchronous=FULL).
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"sync"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	_ "modernc.org/sqlite" // the driver

	"tollgate.dev/internal/store"
)

// readers bounds the connections of the read-only pool.
const readers = 4

// Engine is an open SQLite file.
type Engine struct {
	writer *sql.DB // one connection: SQLite has one writer, and so have we
	reader *sql.DB
	jobs   *river.Client[*sql.Tx]
}

// Open opens the file, makes it if need be, and migrates it.
func Open(ctx context.Context, path string) (*Engine, error) { return open(ctx, path, "FULL") }

// OpenScratch is Open for a store that is thrown away: no commit waits for the
// disk, and a crash of the machine may ruin it.
func OpenScratch(ctx context.Context, path string) (*Engine, error) { return open(ctx, path, "OFF") }

func open(ctx context.Context, path, synchronous string) (*Engine, error) {
	writer, err := sql.Open("sqlite", dsn(path, synchronous, "_txlock=immediate"))
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	writer.SetMaxOpenConns(1)
	e := &Engine{writer: writer}
	if err := e.prepare(ctx); err != nil {
		return nil, errors.Join(err, writer.Close())
	}
	if e.reader, err = sql.Open("sqlite", dsn(path, synchronous, "_pragma=query_only(1)")); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s for reading: %w", path, err), writer.Close())
	}
	e.reader.SetMaxOpenConns(readers)
	return e, nil
}

// dsn carries the pragmas, so that every connection of a pool gets them.
func dsn(path, synchronous, more string) string {
	return (&url.URL{Scheme: "file", Opaque: url.PathEscape(path)}).String() +
		"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(" + synchronous + ")&_pragma=foreign_keys(1)&" + more
}

func (e *Engine) prepare(ctx context.Context) error {
	if err := store.Migrate(ctx, e.writer, store.SQLite); err != nil {
		return err
	}
	jobs, err := store.PrepareJobs(ctx, riversqlite.New(e.writer))
	e.jobs = jobs
	return err
}

// Dialect is SQLite.
func (e *Engine) Dialect() store.Dialect { return store.SQLite }

// Write runs f in an immediate transaction.
func (e *Engine) Write(ctx context.Context, f func(store.Conn) error) error {
	return e.transact(ctx, e.writer, nil, f)
}

// Read runs f on a consistent view.
func (e *Engine) Read(ctx context.Context, f func(store.Conn) error) error {
	return e.transact(ctx, e.reader, &sql.TxOptions{ReadOnly: true}, f)
}

func (e *Engine) transact(ctx context.Context, db *sql.DB, opts *sql.TxOptions, f func(store.Conn) error) (err error) {
	tx, err := db.BeginTx(ctx, opts)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	done := false
	defer func() {
		if !done {
			_ = tx.Rollback() // f failed or panicked; the first error matters
		}
	}()
	if err := f(conn{tx, e.jobs}); err != nil {
		return err
	}
	done = true
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// Ping reads one value.
func (e *Engine) Ping(ctx context.Context) error { return e.reader.PingContext(ctx) }

// Worker makes the runner of queued jobs on the one writing connection.
func (e *Engine) Worker(config *river.Config) (store.Worker, error) {
	return river.NewClient(riversqlite.New(e.writer), config)
}

// Close closes both pools.
func (e *Engine) Close() error { return errors.Join(e.reader.Close(), e.writer.Close()) }

// DB is the writing pool, for migrations of tests and for doctor.
func (e *Engine) DB() *sql.DB { return e.writer }

type conn struct {
	tx   *sql.Tx
	jobs *river.Client[*sql.Tx]
}

func (c conn) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	result, err := c.tx.ExecContext(ctx, numbered(query), args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (c conn) Query(ctx context.Context, query string, args ...any) (store.Rows, error) {
	rows, err := c.tx.QueryContext(ctx, numbered(query), args...)
	if err != nil {
		return nil, err
	}
	return rows, nil
}

func (c conn) QueryRow(ctx context.Context, query string, args ...any) store.Row {
	return row{c.tx.QueryRowContext(ctx, numbered(query), args...)}
}

func (c conn) Enqueue(ctx context.Context, job river.JobArgs, opts *river.InsertOpts) error {
	_, err := c.jobs.InsertTx(ctx, c.tx, job, opts)
	return err
}

type row struct{ row *sql.Row }

func (r row) Scan(dest ...any) error {
	err := r.row.Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return store.ErrNoRows
	}
	return err
}

var (
	dollars = regexp.MustCompile(`\$(\d+)`)
	cache   sync.Map // query -> query; queries are literals of this program, so it stays small
)

// numbered turns $1 into SQLite's ?1.
func numbered(query string) string {
	if q, ok := cache.Load(query); ok {
		return q.(string)
	}
	q := dollars.ReplaceAllString(query, "?$1")
	cache.Store(query, q)
	return q
}
