package fire_test

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"tollgate.dev/internal/app"
	"tollgate.dev/internal/sink"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/sqlite"
	"tollgate.dev/internal/workspace"
)

// unlike is what two runs of one story rightly differ in: names made of random
// characters, codes and their ends, and digests, which cover such names. That
// the digests are right is what verify proves.
var unlike = []struct {
	what *regexp.Regexp
	by   string
}{
	{regexp.MustCompile(`([a-z]{3,4})_[0-9a-z]{32}`), "${1}_*"},
	{regexp.MustCompile(`\b[0-9a-f]{64}\b`), "#"},
	{regexp.MustCompile(`\b\d{6}\b`), "######"},
	{regexp.MustCompile(`\b[0-9A-Z]{4}(-[0-9A-Z]{4}){3}\b`), "CODE"},
	{regexp.MustCompile(`\bstate=duplicate_same\b`), "state=accepted"}, // the answer was lost, not the record
}

// passing are tables and columns that say how the work was done, and not what
// came of it.
var passing = regexp.MustCompile(`^(river_|goose_|sqlite_|usage_gateway|marketplace_record\.(attempts|answers|next_at|decided_at)=|.*\.(salt|tail|secret)=)`)

// state is everything that a store holds, row by row, but for what is unlike:
// every table, every column, in an order of its own.
func state(t *testing.T, s *store.Store) string {
	t.Helper()
	var rows []string
	err := s.Read(t.Context(), func(tx *store.Tx) error {
		tables, err := tx.Query(t.Context(), `SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name`)
		if err != nil {
			return err
		}
		var names []string
		for tables.Next() {
			var name string
			if err := tables.Scan(&name); err != nil {
				return err
			}
			if !passing.MatchString(name) {
				names = append(names, name)
			}
		}
		if err := tables.Close(); err != nil {
			return err
		}
		for _, name := range names {
			found, err := rowsOf(t, tx, name)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			rows = append(rows, found...)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(rows, "\n")
}

// rowsOf are the rows of a table as JSON, but for what is unlike.
func rowsOf(t *testing.T, tx *store.Tx, table string) (list []string, err error) {
	t.Helper()
	columns, err := tx.Query(t.Context(), `SELECT name, type FROM pragma_table_info('`+table+`') ORDER BY name`)
	if err != nil {
		return nil, err
	}
	var fields []string
	for columns.Next() {
		var name, kind string
		if err := columns.Scan(&name, &kind); err != nil {
			return nil, err
		}
		value := `"` + name + `"`
		if kind == "BLOB" {
			value = `LOWER(HEX(` + value + `))`
		}
		if !passing.MatchString(table + "." + name + "=") {
			fields = append(fields, `'`+name+`=' || COALESCE(CAST(`+value+` AS TEXT), 'NULL')`)
		}
	}
	if err := columns.Close(); err != nil {
		return nil, err
	}
	rows, err := tx.Query(t.Context(), `SELECT `+strings.Join(fields, ` || ' ' || `)+` FROM "`+table+`"`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		if strings.Contains(text, "name=meter.secret ") {
			continue
		}
		for _, u := range unlike {
			text = u.what.ReplaceAllString(text, u.by)
		}
		list = append(list, table+" "+text)
	}
	slices.Sort(list)
	return list, rows.Err()
}

// outcome is the state of a folder whose story has ended. Its books hold, and
// every mail of the outbox has left.
func outcome(t *testing.T, s story, folder string) string {
	t.Helper()
	if s.bare {
		return schemas(t, s, folder)
	}
	e, err := sqlite.OpenScratch(t.Context(), filepath.Join(folder, books))
	if err != nil {
		t.Fatal(err)
	}
	opened := store.New(e)
	defer func() { _ = opened.Close() }()
	report, err := app.Verify(t.Context(), opened)
	if err != nil || !report.OK() {
		t.Errorf("the books of %s: %v\n%s", folder, err, report)
	}
	return state(t, opened) + stored(t, opened, folder) + taken(t, folder)
}

// stored are the records of the sink, each a row.
func stored(t *testing.T, s *store.Store, folder string) string {
	t.Helper()
	local, err := sink.OpenLocal(filepath.Join(folder, "records"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = local.Close() }()
	var ids, rows []string
	if err := s.Read(t.Context(), func(tx *store.Tx) error {
		list, err := tx.WorkspacesIn(t.Context(), store.WorkspaceQuery{}, "", 100)
		for _, w := range list {
			ids = append(ids, w.ID)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		for g := range workspace.Generation(3) {
			page, err := local.Query(t.Context(), sink.Query{WorkspaceID: id, Generation: g, Limit: sink.MaxPage, At: start})
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range page.Records {
				rows = append(rows, fmt.Sprintf("\nsink %s %d %+v", id, g, r))
			}
		}
	}
	slices.Sort(rows)
	return strings.Join(rows, "")
}

// taken is what the marketplace took, once each: a slot that it was told of
// twice with another quantity is there twice.
func taken(t *testing.T, folder string) string {
	t.Helper()
	d, err := openDiary(filepath.Join(folder, "diary"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = d.file.Close() }()
	rows := d.after("took")
	slices.Sort(rows)
	return "\ntook " + strings.Join(rows, "\ntook ")
}

// schemas are the tables of the databases that a story has made.
func schemas(t *testing.T, s story, folder string) string {
	t.Helper()
	var all strings.Builder
	for i := range s.steps {
		e, err := sqlite.OpenScratch(t.Context(), filepath.Join(folder, fmt.Sprintf("made%d.db", i)))
		if err != nil {
			t.Fatal(err)
		}
		made := store.New(e)
		err = made.Read(t.Context(), func(tx *store.Tx) error {
			rows, err := tx.Query(t.Context(), `
				SELECT sql
				FROM sqlite_master
				WHERE sql IS NOT NULL
				ORDER BY type, name`)
			if err != nil {
				return err
			}
			defer func() { _ = rows.Close() }()
			for rows.Next() {
				var sql string
				if err := rows.Scan(&sql); err != nil {
					return err
				}
				fmt.Fprintln(&all, sql)
			}
			return rows.Err()
		})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&all, state(t, made))
		if err := made.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return all.String()
}

// differ says where two states differ first.
func differ(got, want string) string {
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(a), len(b)) {
		x, y := "", ""
		if i < len(a) {
			x = a[i]
		}
		if i < len(b) {
			y = b[i]
		}
		if x != y {
			from := 0
			for from < min(len(x), len(y)) && x[from] == y[from] {
				from++
			}
			table, _, _ := strings.Cut(x+y, " ")
			from = max(0, from-80)
			return fmt.Sprintf("%d rows, undisturbed %d; the first that differs is of %s:\n%.300s\n%.300s", len(a), len(b), table, x[min(from, len(x)):], y[min(from, len(y)):])
		}
	}
	return ""
}
