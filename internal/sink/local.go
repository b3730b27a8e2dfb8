package sink

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"modernc.org/sqlite"

	"tollgate.dev/internal/period"
)

// Local keeps records in SQLite files, one per UTC day of receipt: for
// evaluation and small sites. One goroutine writes; concurrent Writes share a
// commit, so that each is durable at a fraction of a disk flush. A file goes
// when everything in it has expired.
type Local struct {
	dir    string
	log    *slog.Logger
	queue  chan *batch
	closed chan struct{} // closed by Close: no more Writes
	done   chan struct{} // closed when the last group is committed

	mu    sync.Mutex
	files map[period.Day]*dayFile
}

// OpenLocal opens the folder, making it if it is not there.
func OpenLocal(dir string, log *slog.Logger) (*Local, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the sink's folder: %w", err)
	}
	names, err := filepath.Glob(filepath.Join(dir, "*"+suffix))
	if err != nil {
		return nil, fmt.Errorf("list the sink's files: %w", err)
	}
	l := &Local{dir: dir, log: log, queue: make(chan *batch), closed: make(chan struct{}), done: make(chan struct{}), files: map[period.Day]*dayFile{}}
	for _, name := range names {
		if day, err := period.ParseDay(strings.TrimSuffix(filepath.Base(name), suffix)); err == nil {
			l.files[day] = &dayFile{day: day, path: name}
		}
	}
	go l.write()
	return l, nil
}

// suffix ends the name of a day's file: 2026-03-01.records.
const suffix = ".records"

// Close commits what was handed over and closes the files.
func (l *Local) Close() error {
	l.mu.Lock()
	select {
	case <-l.closed:
		l.mu.Unlock()
		return nil
	default:
	}
	close(l.closed)
	l.mu.Unlock()
	<-l.done
	var errs []error
	for _, f := range l.newest() {
		errs = append(errs, f.close())
	}
	return errors.Join(errs...)
}

// file is the file of the day; create says whether it may be new.
func (l *Local) file(day period.Day, create bool) *dayFile {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.files[day]
	if f == nil && create {
		f = &dayFile{day: day, path: filepath.Join(l.dir, day.String()+suffix)}
		l.files[day] = f
	}
	return f
}

// newest lists the files, the newest first.
func (l *Local) newest() []*dayFile {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := make([]*dayFile, 0, len(l.files))
	for _, f := range l.files {
		list = append(list, f)
	}
	slices.SortFunc(list, func(a, b *dayFile) int { return b.day.Sub(a.day) })
	return list
}

// Expire removes the classes of each file that have run out, and the files
// that have none left. Queries pass over what has expired before that.
func (l *Local) Expire(ctx context.Context, at time.Time) error {
	var errs []error
	for _, f := range l.newest() {
		empty, err := f.expire(ctx, at)
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("expire the records of %v: %w", f.day, err))
		case empty:
			errs = append(errs, l.remove(f))
		}
	}
	return errors.Join(errs...)
}

func (l *Local) remove(f *dayFile) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.files, f.day)
	err := f.close()
	for _, tail := range []string{"", "-wal", "-shm"} {
		if e := os.Remove(f.path + tail); e != nil && !errors.Is(e, os.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	l.log.Info("removed a day of records that have all expired", "day", f.day.String())
	return err
}

// dayFile is one SQLite file, opened when it is first needed.
type dayFile struct {
	day  period.Day
	path string

	mu     sync.Mutex
	writer *sql.DB
	reader *sql.DB
	gone   bool
}

// end is the first instant at which no record of the file can have been
// received any more.
func (f *dayFile) end() time.Time { return f.day.End(time.UTC) }

// schema of a day's file. Instants of receipt and expiry are microseconds,
// those of the records nanoseconds, as clients send them.
const schema = `
CREATE TABLE IF NOT EXISTS report (
	workspace_id TEXT NOT NULL,
	generation BIGINT NOT NULL,
	report_key BLOB NOT NULL,
	PRIMARY KEY (workspace_id, generation, report_key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS record (
	id INTEGER PRIMARY KEY,
	workspace_id TEXT NOT NULL,
	generation BIGINT NOT NULL,
	type TEXT NOT NULL,
	name TEXT NOT NULL,
	occurred BIGINT NOT NULL,
	received BIGINT NOT NULL,
	class TEXT NOT NULL,
	expires_at BIGINT NOT NULL,
	tags TEXT NOT NULL,
	fields TEXT NOT NULL,
	log_index TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS record_newest ON record (workspace_id, generation, type, occurred, id);
CREATE TABLE IF NOT EXISTS class (
	class TEXT PRIMARY KEY
) WITHOUT ROWID;
`

var errGone = errors.New("the file has expired")

// open gives the connection that writes and the ones that read.
func (f *dayFile) open(ctx context.Context) (writer, reader *sql.DB, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.gone {
		return nil, nil, errGone
	}
	if f.writer != nil {
		return f.writer, f.reader, nil
	}
	writer, err = sql.Open("sqlite", dsn(f.path)+"&_txlock=immediate")
	if err != nil {
		return nil, nil, fmt.Errorf("open the records of %v: %w", f.day, err)
	}
	writer.SetMaxOpenConns(1)
	if err := prepare(ctx, writer); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("open the records of %v: %w", f.day, err), writer.Close())
	}
	reader, err = sql.Open("sqlite", dsn(f.path)+"&_pragma=query_only(1)")
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("open the records of %v: %w", f.day, err), writer.Close())
	}
	reader.SetMaxOpenConns(4)
	f.writer, f.reader = writer, reader
	return writer, reader, nil
}

// prepare makes the tables. A file of before there were log indexes gets their
// column.
func prepare(ctx context.Context, writer *sql.DB) error {
	if _, err := writer.ExecContext(ctx, schema); err != nil {
		return err
	}
	columns, err := texts(ctx, writer, `SELECT name FROM pragma_table_info('record') WHERE name = 'log_index'`)
	if err != nil || len(columns) > 0 {
		return err
	}
	_, err = writer.ExecContext(ctx, `ALTER TABLE record ADD COLUMN log_index TEXT NOT NULL DEFAULT ''`)
	return err
}

// dsn holds the pragmas of every connection: a pragma run once would reach one.
func dsn(path string) string {
	return "file:" + (&url.URL{Path: path}).EscapedPath() +
		"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)"
}

func (f *dayFile) close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.gone = true
	if f.writer == nil {
		return nil
	}
	return errors.Join(f.reader.Close(), f.writer.Close())
}

// expire removes the classes that every record of the day has outlived; it
// reports whether none is left.
func (f *dayFile) expire(ctx context.Context, at time.Time) (empty bool, err error) {
	shortest := f.end().Add(24 * time.Hour)
	if at.Before(shortest) {
		return false, nil
	}
	writer, _, err := f.open(ctx)
	if err != nil {
		return false, err
	}
	classes, err := texts(ctx, writer, `SELECT class FROM class`)
	if err != nil {
		return false, err
	}
	left := len(classes)
	for _, class := range classes {
		keep, err := lifetime(class)
		if err != nil {
			return false, err
		}
		if at.Before(f.end().Add(keep)) {
			continue
		}
		left--
		if err := f.removeClass(ctx, writer, class, left == 0); err != nil {
			return false, err
		}
	}
	return left == 0, nil
}

// removeClass deletes the records of a class, unless the file goes anyway.
func (f *dayFile) removeClass(ctx context.Context, writer *sql.DB, class string, last bool) error {
	if last {
		return nil
	}
	if _, err := writer.ExecContext(ctx, `DELETE FROM record WHERE class = $1`, class); err != nil {
		return err
	}
	_, err := writer.ExecContext(ctx, `DELETE FROM class WHERE class = $1`, class)
	return err
}

func texts(ctx context.Context, db *sql.DB, query string) ([]string, error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, rows.Err()
}

// SQLite folds the case of ASCII alone; people search in other letters too.
func init() {
	sqlite.MustRegisterDeterministicScalarFunction("tollgate_fold", 1, func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
		text, _ := args[0].(string)
		return fold(text), nil
	})
}

func fold(s string) string { return strings.ToLower(s) }
