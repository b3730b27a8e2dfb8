package store

import (
	"database/sql"
	"fmt"
	"slices"
	"testing"
)

// beforePurses is the last version without purses.
const beforePurses = 309

// TestChainsAndCashBecomePurses has the migration move what payers have: one
// with cash, one who owes and never had any, one whose chain is not used, and
// one who has a voucher beside his cash.
func TestChainsAndCashBecomePurses(t *testing.T) {
	t.Parallel()
	eachDatabase(t, chainsBecomePurses)
}

func chainsBecomePurses(t *testing.T, db *sql.DB, dialect Dialect) {
	steps, err := migrationsOf(db, dialect)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := steps.UpTo(t.Context(), beforePurses); err != nil {
		t.Fatal(err)
	}
	for _, sql := range []string{
		`INSERT INTO chain (name, n, hash) VALUES ('audit', 7, 'a'), ('ledger:rich', 3, 'r'), ('ledger:poor', 1, 'p'), ('ledger:new', 0, ''), ('ledger:both', 2, 'b'), ('statement:rich', 1, 's')`,
		`INSERT INTO ledger_balance (payer, account, currency, minor) VALUES
			('rich', 'cash:rich', 'CNY', 1250), ('poor', 'arrears:poor', 'CNY', -3), ('both', 'cash:both', 'USD', 0), ('both', 'voucher:both:v', 'USD', 5)`,
	} {
		if _, err := db.ExecContext(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	if err := Migrate(t.Context(), db, dialect); err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string][]string{
		`SELECT payer || ' ' || n || ' ' || hash || ' ' || currency || ' ' || cash FROM purse`: {"both 2 b USD 0", "new 0   0", "poor 1 p  0", "rich 3 r CNY 1250"},
		`SELECT name || ' ' || n || ' ' || hash FROM chain`:                                    {"audit 7 a", "statement:rich 1 s"},
		`SELECT account || ' ' || currency || ' ' || minor FROM ledger_balance`:                {"arrears:poor CNY -3", "voucher:both:v USD 5"},
	} {
		got, err := texts(t, db, query)
		slices.Sort(got)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v; want %q", query, got, err, want)
		}
	}
}

func texts(t *testing.T, db *sql.DB, query string) (all []string, err error) {
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", query, err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		all = append(all, text)
	}
	return all, rows.Err()
}
