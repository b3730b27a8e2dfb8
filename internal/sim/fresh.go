package sim

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5"

	"tollgate.dev/internal/app"
	"tollgate.dev/internal/id"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/sqlite"
)

// ErrStoreInUse is a store that holds something already.
var ErrStoreInUse = errors.New("there is something in this store already; a simulation needs a fresh one")

// Fresh opens an empty store for a simulation, and says how to be rid of it:
// without a URL an SQLite file in a temporary folder; for sqlite:PATH a new
// file, which stays; for postgres://… a schema of its own, which goes.
func Fresh(ctx context.Context, at string) (s *store.Store, end func() error, err error) {
	switch {
	case strings.HasPrefix(at, "postgres://"), strings.HasPrefix(at, "postgresql://"):
		return freshSchema(ctx, at)
	case at == "":
		return freshFolder(ctx)
	}
	if path, ok := strings.CutPrefix(at, "sqlite:"); ok {
		if _, err := os.Stat(path); err == nil {
			return nil, nil, fmt.Errorf("%s: %w", path, ErrStoreInUse)
		}
	}
	if s, err = app.OpenStore(ctx, at, ""); err != nil {
		return nil, nil, err
	}
	return s, s.Close, nil
}

func freshFolder(ctx context.Context) (*store.Store, func() error, error) {
	folder, err := os.MkdirTemp("", "tollgate-simulation-")
	if err != nil {
		return nil, nil, fmt.Errorf("make a temporary folder: %w", err)
	}
	e, err := sqlite.OpenScratch(ctx, filepath.Join(folder, "simulation.db"))
	if err != nil {
		return nil, nil, errors.Join(err, os.RemoveAll(folder))
	}
	s := store.New(e)
	return s, func() error { return errors.Join(s.Close(), os.RemoveAll(folder)) }, nil
}

// freshSchema makes a schema beside whatever the database holds, so that no
// installation is touched.
func freshSchema(ctx context.Context, at string) (*store.Store, func() error, error) {
	u, err := url.Parse(at)
	if err != nil {
		return nil, nil, errors.New("the URL of the PostgreSQL database cannot be read") // it may hold a password
	}
	schema := "tollgate_simulation_" + strings.ReplaceAll(id.Short(), "-", "")
	if err := runOutside(ctx, at, "CREATE SCHEMA "+pgx.Identifier{schema}.Sanitize()); err != nil {
		return nil, nil, fmt.Errorf("make a schema for the simulation: %w", err)
	}
	drop := func() error {
		return runOutside(context.WithoutCancel(ctx), at, "DROP SCHEMA "+pgx.Identifier{schema}.Sanitize()+" CASCADE")
	}
	q := u.Query()
	q.Set("search_path", schema)
	u.RawQuery = q.Encode()
	s, err := app.OpenStore(ctx, u.String(), "")
	if err != nil {
		return nil, nil, errors.Join(err, drop())
	}
	return s, func() error { return errors.Join(s.Close(), drop()) }, nil
}

// runOutside carries out one statement outside the simulation's own schema.
func runOutside(ctx context.Context, at, sql string) error {
	c, err := pgx.Connect(ctx, at)
	if err != nil {
		return err
	}
	_, err = c.Exec(ctx, sql)
	return errors.Join(err, c.Close(ctx))
}
