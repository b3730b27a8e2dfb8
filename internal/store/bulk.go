package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// copier is the way of an engine to take many rows at once.
type copier interface {
	CopyFrom(ctx context.Context, table string, columns []string, rows int, row func(i int) []any) (int64, error)
}

// rowsAtOnce bounds the rows of one INSERT on SQLite.
const rowsAtOnce = 64

// insertMany inserts rows: by COPY on PostgreSQL, by INSERT of up to 64 rows on
// SQLite. row gives the ith row; it is used up before the next one is asked for.
func (tx *Tx) insertMany(ctx context.Context, table string, columns []string, rows int, row func(i int) []any) error {
	if c, ok := tx.conn.(copier); ok {
		n, err := c.CopyFrom(ctx, table, columns, rows, row)
		if err == nil && n != int64(rows) {
			err = errors.New("rows were lost")
		}
		if err != nil {
			return fmt.Errorf("copy %d rows into %s: %w", rows, table, err)
		}
		return nil
	}
	for i := 0; i < rows; {
		n := rowsAtOnce
		for n > rows-i { // halves, so that few statements are known
			n /= 2
		}
		args := make([]any, 0, n*len(columns))
		for range n {
			args = append(args, row(i)...)
			i++
		}
		if _, err := tx.Exec(ctx, insertOf(table, columns, n), args...); err != nil {
			return fmt.Errorf("insert %d rows into %s: %w", n, table, err)
		}
	}
	return nil
}

// insertOf is the statement that inserts n rows.
func insertOf(table string, columns []string, n int) string {
	var sql strings.Builder
	fmt.Fprintf(&sql, "INSERT INTO %s (%s)\nVALUES ", table, strings.Join(columns, ", "))
	for i := range n {
		for j := range columns {
			sep := ", "
			switch {
			case j == 0 && i == 0:
				sep = "("
			case j == 0:
				sep = "), ("
			}
			fmt.Fprintf(&sql, "%s$%d", sep, i*len(columns)+j+1)
		}
	}
	sql.WriteByte(')')
	return sql.String()
}

// among is a condition on a column that holds one of a list, given as the
// parameter with the number: an array on PostgreSQL, JSON on SQLite.
func (tx *Tx) among(column string, parameter int) string {
	if tx.dialect == Postgres {
		return fmt.Sprintf("%s = ANY($%d)", column, parameter)
	}
	return fmt.Sprintf("%s IN (SELECT value FROM JSON_EACH($%d))", column, parameter)
}

// list is the parameter of among.
func (tx *Tx) list(values []string) any {
	if tx.dialect == Postgres {
		return values
	}
	text, err := json.Marshal(values)
	if err != nil {
		panic("store: a list of texts must encode: " + err.Error())
	}
	return string(text)
}
