// Package storetest is the contract of the store: every test here runs on
// SQLite and on PostgreSQL, each with a database of its own.
package storetest

import (
	"path/filepath"
	"testing"

	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/postgres"
	"tollgate.dev/internal/store/sqlite"
	"tollgate.dev/internal/testkit"
)

// SQLite opens a fresh store in a file of the test's own folder.
func SQLite(t testing.TB) *store.Store {
	t.Helper()
	e, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "tollgate.db"))
	if err != nil {
		t.Fatal(err)
	}
	return opened(t, e)
}

// Postgres opens a fresh store on the test process's private PostgreSQL.
func Postgres(t testing.TB) *store.Store {
	t.Helper()
	e, err := postgres.Open(t.Context(), testkit.Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	return opened(t, e)
}

func opened(t testing.TB, e store.Engine) *store.Store {
	s := store.New(e)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close the store: %v", err)
		}
	})
	return s
}

// Each runs the test on both engines, side by side.
func Each(t *testing.T, test func(t *testing.T, s *store.Store)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, SQLite(t))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, Postgres(t))
	})
}
