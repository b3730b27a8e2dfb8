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
)

//go:embed migrations/*.sql
var migrations embed.FS

// words are what the migrations' {{…}} become on each engine.
var words = map[Dialect]*strings.Replacer{
	SQLite:   strings.NewReplacer("{{blob}}", "BLOB", "{{without_rowid}}", "WITHOUT ROWID"),
	Postgres: strings.NewReplacer("{{blob}}", "BYTEA", "{{without_rowid}}", ""),
}

// Migrate brings the tables of an open database to the newest version. Each
// migration is one transaction; they only run forward.
func Migrate(ctx context.Context, db *sql.DB, d Dialect) error {
	files := fstest.MapFS{}
	entries, err := fs.ReadDir(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("list migrations: %w", err)
	}
	for _, e := range entries {
		text, err := fs.ReadFile(migrations, "migrations/"+e.Name())
		if err != nil {
			return fmt.Errorf("read migration: %w", err)
		}
		files[e.Name()] = &fstest.MapFile{Data: []byte(words[d].Replace(string(text)))}
	}
	dialect := goose.DialectSQLite3
	if d == Postgres {
		dialect = goose.DialectPostgres
	}
	provider, err := goose.NewProvider(dialect, db, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("prepare migrations: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}
