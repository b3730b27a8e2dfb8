package storetest

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"tollgate.dev/internal/store"
)

// Dump is everything that the store keeps, as text: for tests that look for
// what must not be in it.
func Dump(t testing.TB, s *store.Store) string {
	t.Helper()
	var b strings.Builder
	err := s.Read(t.Context(), func(tx *store.Tx) error {
		columns, err := texts(t.Context(), tx, columnsOf[tx.Dialect()])
		for _, c := range columns {
			table, column, _ := strings.Cut(c, ".")
			values, err := texts(t.Context(), tx, fmt.Sprintf(`SELECT CAST("%s" AS TEXT) FROM "%s" WHERE "%s" IS NOT NULL`, column, table, column))
			if err != nil {
				return fmt.Errorf("%s: %w", c, err)
			}
			for _, v := range values {
				fmt.Fprintf(&b, "%s: %s\n", c, v)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// columnsOf lists table.column of an engine.
var columnsOf = map[store.Dialect]string{
	store.SQLite: `
		SELECT m.name || '.' || c.name
		FROM sqlite_master m
		JOIN pragma_table_info(m.name) c
		WHERE m.type = 'table'`,
	store.Postgres: `
		SELECT table_name || '.' || column_name
		FROM information_schema.columns
		WHERE table_schema = current_schema()`,
}

func texts(ctx context.Context, tx *store.Tx, sql string) ([]string, error) {
	rows, err := tx.Query(ctx, sql)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var all []string
	for rows.Next() {
		var v string
		if err := rows.Scan(&v); err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, rows.Err()
}

// Holds reports whether a dump has the text, as it is or in hexadecimal, as
// an engine shows bytes.
func Holds(dump, text string) bool {
	return strings.Contains(dump, text) || strings.Contains(dump, hex.EncodeToString([]byte(text)))
}

// Books is Dump without what any visit leaves behind: sessions, sign-ins and
// counted tries. Where it is the same before and after, nothing was changed.
func Books(t testing.TB, s *store.Store) string {
	t.Helper()
	var kept []string
	for line := range strings.Lines(Dump(t, s)) {
		switch table, _, _ := strings.Cut(line, "."); table {
		case "session", "sign_in", "activation_try":
		default:
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}
