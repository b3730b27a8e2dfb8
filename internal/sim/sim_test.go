package sim_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"tollgate.dev/internal/sim"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/postgres"
	"tollgate.dev/internal/store/sqlite"
	"tollgate.dev/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// folder holds the scenarios that are rules: each file says in its name what
// holds, and in its expect block what comes of it.
const folder = "../../scenarios"

func scenarios(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*", "*.yaml"))
	if err != nil || len(files) < 40 {
		t.Fatalf("%d scenarios, %v", len(files), err)
	}
	return files
}

func claim(file string) string {
	return filepath.Base(filepath.Dir(file)) + "/" + strings.TrimSuffix(filepath.Base(file), ".yaml")
}

// holds plays a scenario and fails the test where its outcome is not, to the
// last entry of each list, what it expects.
func holds(t *testing.T, file string, st *store.Store) {
	t.Helper()
	s, err := sim.ReadFile(file)
	if err != nil {
		t.Fatalf("%s:\n%v", file, err)
	}
	if !s.Expects() {
		t.Fatalf("%s expects nothing", file)
	}
	outcome, err := sim.Play(t.Context(), s, st, testkit.Logger(t))
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	for _, f := range outcome.Verify.Failed {
		t.Errorf("the books are not whole: %s", f)
	}
	differences, err := s.Compare(outcome, true)
	if err != nil {
		t.Fatal(err)
	}
	if len(differences) > 0 {
		var b strings.Builder
		if err := sim.PrintDifferences(&b, file, differences); err != nil {
			t.Fatal(err)
		}
		t.Errorf("\n%s", b.String())
	}
}

// template is a migrated SQLite file, so that each scenario need not migrate
// its own.
var template = sync.OnceValues(func() ([]byte, error) {
	folder, err := os.MkdirTemp("", "tollgate-sim-")
	if err != nil {
		return nil, err
	}
	path := filepath.Join(folder, "template.db")
	e, err := sqlite.OpenScratch(context.Background(), path)
	if err != nil {
		return nil, err
	}
	if err := e.Close(); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(path)
	return text, errors.Join(err, os.RemoveAll(folder))
})

func scratch(t *testing.T) *store.Store {
	t.Helper()
	text, err := template()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "simulation.db")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	e, err := sqlite.OpenScratch(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	s := store.New(e)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close the store: %v", err)
		}
	})
	return s
}

func TestEveryScenarioHolds(t *testing.T) {
	t.Parallel()
	for _, file := range scenarios(t) {
		t.Run(claim(file), func(t *testing.T) {
			t.Parallel()
			holds(t, file, scratch(t))
		})
	}
}

// TestEveryScenarioHoldsOnPostgreSQL plays them one after the other in one
// database that is emptied before each.
func TestEveryScenarioHoldsOnPostgreSQL(t *testing.T) {
	t.Parallel()
	e, err := postgres.Open(t.Context(), testkit.Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	s := store.New(e)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close the store: %v", err)
		}
	})
	for _, file := range scenarios(t) {
		empty(t, s)
		t.Run(claim(file), func(t *testing.T) { holds(t, file, s) })
	}
}

// empty removes every row but those that say which migrations ran.
func empty(t *testing.T, s *store.Store) {
	t.Helper()
	if err := s.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(t.Context(), `
			DO $$
			DECLARE
				name TEXT;
			BEGIN
				FOR name IN
					SELECT tablename
					FROM pg_tables
					WHERE schemaname = 'public'
						AND tablename NOT IN ('goose_db_version', 'river_migration')
				LOOP
					EXECUTE 'DELETE FROM ' || QUOTE_IDENT(name);
				END LOOP;
			END
			$$`)
		return err
	}); err != nil {
		t.Fatal(err)
	}
}
