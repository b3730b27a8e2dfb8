package store

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"tollgate.dev/internal/period"
)

// copier is the way of an engine to take many rows at once.
type copier interface {
	CopyFrom(ctx context.Context, table string, columns []string, rows int, row func(i int, to *Fields)) (int64, error)
}

// Fields takes the columns of rows, in the form of PostgreSQL's binary COPY or
// as arguments. Columns are BIGINT and TEXT.
type Fields struct {
	Binary []byte // null: arguments are wanted
	args   []any
}

// Int is the next column.
func (f *Fields) Int(n int64) {
	if f.Binary == nil {
		f.args = append(f.args, n)
		return
	}
	f.Binary = binary.BigEndian.AppendUint64(append(f.Binary, 0, 0, 0, 8), uint64(n))
}

// Text is the next column.
func (f *Fields) Text(text string) {
	if f.Binary == nil {
		f.args = append(f.args, text)
		return
	}
	f.Binary = append(binary.BigEndian.AppendUint32(f.Binary, uint32(len(text))), text...)
}

// Bytes is a TEXT that is held as bytes.
func (f *Fields) Bytes(text []byte) {
	if f.Binary == nil {
		f.args = append(f.args, string(text))
		return
	}
	f.Binary = append(binary.BigEndian.AppendUint32(f.Binary, uint32(len(text))), text...)
}

// rowsAtOnce bounds the rows of one INSERT on SQLite.
const rowsAtOnce = 64

// insertMany inserts rows: by COPY on PostgreSQL, by INSERT of up to 64 rows on
// SQLite. row gives the columns of the ith row.
func (tx *Tx) insertMany(ctx context.Context, table string, columns []string, rows int, row func(i int, to *Fields)) error {
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
		to := Fields{args: make([]any, 0, n*len(columns))}
		for range n {
			row(i, &to)
			i++
		}
		if _, err := tx.Exec(ctx, insertOf(table, columns, n), to.args...); err != nil {
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

// mostDays bounds the days that daily looks for one by one: ten years.
const mostDays = 3660

// daily is a condition that a column of a table whose key begins with the day
// holds a day of a range. Each day is looked for by itself, since a range of
// them is everything that anybody has. The condition's three parameters, from
// the number on, are what it gives behind it.
func (tx *Tx) daily(ctx context.Context, table, column string, parameter int, first, last period.Day) (condition string, args []any, err error) {
	if last.Sub(first) >= mostDays {
		if first, last, err = tx.daysOf(ctx, table, first, last); err != nil {
			return "", nil, err
		}
	}
	between := fmt.Sprintf("%s BETWEEN $%d AND $%d", column, parameter, parameter+1)
	args = []any{first.String(), last.String()}
	if last.Sub(first) >= mostDays {
		return fmt.Sprintf("%s AND $%d = ''", between, parameter+2), append(args, ""), nil
	}
	days := []string{}
	for day := first; !day.After(last); day = day.Add(1) {
		days = append(days, day.String())
	}
	return between + " AND " + tx.among(column, parameter+2), append(args, tx.list(days)), nil
}

// daysOf narrows a range to the days that a table has at all.
func (tx *Tx) daysOf(ctx context.Context, table string, first, last period.Day) (from, to period.Day, err error) {
	var earliest, latest string
	if err := tx.QueryRow(ctx, `
		SELECT COALESCE(MIN(day), ''), COALESCE(MAX(day), '')
		FROM `+table).Scan(&earliest, &latest); err != nil {
		return first, last, fmt.Errorf("days of %s: %w", table, err)
	}
	if earliest == "" {
		return first, first, nil
	}
	if from, err = period.ParseDay(max(earliest, first.String())); err != nil {
		return from, to, err
	}
	to, err = period.ParseDay(min(latest, last.String()))
	return from, to, err
}
