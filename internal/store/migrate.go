package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"strings"
	"testing/fstest"

	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/rivermigrate"
)

//go:embed migrations/*.sql
var migrations embed.FS

// words are what the migrations' {{…}} become on each engine. {{postgres}} begins
// a line that is for PostgreSQL only.
var words = map[Dialect]*strings.Replacer{
	SQLite:   strings.NewReplacer("{{blob}}", "BLOB", "{{without_rowid}}", "WITHOUT ROWID", "{{postgres}}", "--"),
	Postgres: strings.NewReplacer("{{blob}}", "BYTEA", "{{without_rowid}}", "", "{{postgres}}", ""),
}

// Migrate brings the tables of an open database to the newest version. Each
// migration is one transaction; they only run forward.
func Migrate(ctx context.Context, db *sql.DB, d Dialect) error {
	steps, err := migrationsOf(db, d)
	if err != nil {
		return err
	}
	if _, err := steps.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// migrationsOf are those of an engine.
func migrationsOf(db *sql.DB, d Dialect) (*goose.Provider, error) {
	files := fstest.MapFS{}
	entries, err := fs.ReadDir(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("list migrations: %w", err)
	}
	for _, e := range entries {
		text, err := fs.ReadFile(migrations, "migrations/"+e.Name())
		if err != nil {
			return nil, fmt.Errorf("read migration: %w", err)
		}
		files[e.Name()] = &fstest.MapFile{Data: []byte(words[d].Replace(string(text)))}
	}
	dialect := goose.DialectSQLite3
	if d == Postgres {
		dialect = goose.DialectPostgres
	}
	provider, err := goose.NewProvider(dialect, db, files, goose.WithDisableGlobalRegistry(true), goose.WithGoMigrations(usageToDays))
	if err != nil {
		return nil, fmt.Errorf("prepare migrations: %w", err)
	}
	return provider, nil
}

// PrepareJobs brings the tables of the job queue to the newest version and
// gives a client that inserts jobs.
func PrepareJobs[T any](ctx context.Context, driver riverdriver.Driver[T]) (*river.Client[T], error) {
	migrator, err := rivermigrate.New(driver, nil)
	if err != nil {
		return nil, fmt.Errorf("prepare the job tables: %w", err)
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return nil, fmt.Errorf("migrate the job tables: %w", err)
	}
	return river.NewClient(driver, &river.Config{})
}
