// Package postgres opens the store on PostgreSQL, through pgx's own
// connections and transactions.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"tollgate.dev/internal/store"
)

// connections bounds what is open at the same time, where the URL says nothing
// else (pool_max_conns): the queue's listener, its eight jobs, of which a close
// works on several lots, and as much again for the doors. A server takes 100
// unless it is told otherwise.
var connections = int32(max(32, 16+2*runtime.NumCPU()))

// attempts bounds how often a transaction that lost a deadlock runs again.
const attempts = 20

// Engine is an open PostgreSQL database.
type Engine struct {
	pool *pgxpool.Pool
	jobs *river.Client[pgx.Tx]
}

// Open connects to a postgres:// URL and migrates the database.
func Open(ctx context.Context, url string) (*Engine, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("open PostgreSQL: %w", err)
	}
	if !strings.Contains(url, "pool_max_conns") {
		config.MaxConns = connections
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open PostgreSQL: %w", err)
	}
	e := &Engine{pool: pool}
	if err := e.prepare(ctx); err != nil {
		pool.Close()
		return nil, err
	}
	return e, nil
}

func (e *Engine) prepare(ctx context.Context) error {
	db := stdlib.OpenDBFromPool(e.pool)
	defer func() { _ = db.Close() }() // the pool stays open
	if err := store.Migrate(ctx, db, store.Postgres); err != nil {
		return err
	}
	if err := e.squeeze(ctx); err != nil {
		return err
	}
	jobs, err := store.PrepareJobs(ctx, riverpgxv5.New(e.pool))
	e.jobs = jobs
	return err
}

// squeeze lets the server compress bills by LZ4, which costs a third of its
// own method, where it was built with it.
func (e *Engine) squeeze(ctx context.Context) error {
	var method string
	if err := e.pool.QueryRow(ctx, `
		SELECT attcompression::TEXT
		FROM pg_attribute
		WHERE attrelid = 'bill'::REGCLASS
			AND attname = 'document'`).Scan(&method); err != nil {
		return fmt.Errorf("compression of bills: %w", err)
	}
	if method == "l" {
		return nil
	}
	_, err := e.pool.Exec(ctx, `ALTER TABLE bill ALTER COLUMN document SET COMPRESSION lz4`)
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == "0A000" {
		return nil // built without it
	}
	return err
}

// Dialect is Postgres.
func (e *Engine) Dialect() store.Dialect { return store.Postgres }

// Write runs f in a read-committed transaction; rows that a decision rests on
// are locked or guarded by their revision. A deadlock's loser runs again, and
// so does whoever came second to a unique value: it then sees who has it. It
// keeps its connection meanwhile: others may hold all the rest and wait for it.
func (e *Engine) Write(ctx context.Context, f func(store.Conn) error) error {
	c, err := e.pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer c.Release()
	for range attempts {
		err = e.transact(ctx, c, pgx.TxOptions{}, f)
		var pg *pgconn.PgError
		if !errors.As(err, &pg) || pg.Code != "40P01" && pg.Code != "40001" && pg.Code != "23505" {
			return err
		}
	}
	return err
}

// Read runs f on one consistent view.
func (e *Engine) Read(ctx context.Context, f func(store.Conn) error) error {
	return e.transact(ctx, e.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, f)
}

// beginner is the pool, or one of its connections.
type beginner interface {
	BeginTx(ctx context.Context, opts pgx.TxOptions) (pgx.Tx, error)
}

func (e *Engine) transact(ctx context.Context, on beginner, opts pgx.TxOptions, f func(store.Conn) error) error {
	tx, err := on.BeginTx(ctx, opts)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	done := false
	defer func() {
		if !done {
			_ = tx.Rollback(context.WithoutCancel(ctx)) // f failed or panicked; the first error matters
		}
	}()
	if err := f(conn{tx, e.jobs}); err != nil {
		return err
	}
	done = true
	if err := tx.Commit(ctx); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// Ping asks the server.
func (e *Engine) Ping(ctx context.Context) error { return e.pool.Ping(ctx) }

// Worker makes the runner of queued jobs.
func (e *Engine) Worker(config *river.Config) (store.Worker, error) {
	return river.NewClient(riverpgxv5.New(e.pool), config)
}

// Close closes the pool.
func (e *Engine) Close() error {
	e.pool.Close()
	return nil
}

type conn struct {
	tx   pgx.Tx
	jobs *river.Client[pgx.Tx]
}

func (c conn) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	tag, err := c.tx.Exec(ctx, query, args...)
	return tag.RowsAffected(), err
}

func (c conn) Query(ctx context.Context, query string, args ...any) (store.Rows, error) {
	r, err := c.tx.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return rows{r}, nil
}

func (c conn) QueryRow(ctx context.Context, query string, args ...any) store.Row {
	return row{c.tx.QueryRow(ctx, query, args...)}
}

func (c conn) Enqueue(ctx context.Context, job river.JobArgs, opts *river.InsertOpts) error {
	_, err := c.jobs.InsertTx(ctx, c.tx, job, opts)
	return err
}

// Together sends statements in one go and reads their answers in their order.
func (c conn) Together(ctx context.Context, statements []*store.Statement) (err error) {
	batch := &pgx.Batch{}
	for _, s := range statements {
		batch.Queue(s.SQL, s.Args...)
	}
	results := c.tx.SendBatch(ctx, batch)
	defer func() { err = errors.Join(err, results.Close()) }()
	for _, s := range statements {
		if s.Read == nil {
			tag, err := results.Exec()
			if err != nil {
				return err
			}
			s.Rows = tag.RowsAffected()
			continue
		}
		answer, err := results.Query()
		if err == nil {
			err = s.Read(rows{answer})
			answer.Close()
		}
		if err = errors.Join(err, answer.Err()); err != nil {
			return err
		}
	}
	return nil
}

type rows struct{ pgx.Rows }

// Binary is the columns as the server sent them, if all are in binary form. A
// text has only one form, whatever it is called.
func (r rows) Binary() ([][]byte, bool) {
	for _, f := range r.FieldDescriptions() {
		if f.Format != pgx.BinaryFormatCode && f.DataTypeOID != pgtype.TextOID {
			return nil, false
		}
	}
	return r.RawValues(), true
}

func (r rows) Close() error {
	r.Rows.Close()
	return r.Err()
}

type row struct{ row pgx.Row }

func (r row) Scan(dest ...any) error {
	err := r.row.Scan(dest...)
	if errors.Is(err, pgx.ErrNoRows) {
		return store.ErrNoRows
	}
	return err
}
