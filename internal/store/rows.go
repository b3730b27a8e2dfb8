package store

import (
	"fmt"
	"strings"
)

// column is one of the rows that a statement takes.
type column struct {
	name   string
	number bool // BIGINT; otherwise TEXT
}

// columnsOf reads names of columns; those with a # behind them are numbers.
func columnsOf(text string) []column {
	var all []column
	for _, name := range strings.Fields(text) {
		plain, number := strings.CutSuffix(name, "#")
		all = append(all, column{plain, number})
	}
	return all
}

// names lists columns.
func names(of []column) string {
	list := make([]string, len(of))
	for i, c := range of {
		list[i] = c.name
	}
	return strings.Join(list, ", ")
}

// forRows makes statements that read given rows like a table: one with an
// array for each column on PostgreSQL, on SQLite as many as 64 rows each need.
// row fills in the ith row; sql is the statement around the table's text.
func (tx *Tx) forRows(of []column, rows int, row func(i int, to []any), sql func(from string) string) []*Statement {
	if rows == 0 {
		return nil
	}
	if tx.dialect == Postgres {
		return []*Statement{{SQL: sql(unnested(of)), Args: arrays(of, rows, row)}}
	}
	var all []*Statement
	for i := 0; i < rows; {
		n := rowsAtOnce
		for n > rows-i { // halves, so that few statements are known
			n /= 2
		}
		args := make([]any, n*len(of))
		for k := range n {
			row(i, args[k*len(of):(k+1)*len(of)])
			i++
		}
		all = append(all, &Statement{SQL: sql(valued(of, n)), Args: args})
	}
	return all
}

// insertRows makes statements that insert rows.
func (tx *Tx) insertRows(table string, of []column, rows int, row func(i int, to []any), tail string) []*Statement {
	return tx.forRows(of, rows, row, func(from string) string {
		return fmt.Sprintf("INSERT INTO %s (%s)\nSELECT %s\nFROM %s AS m\nWHERE TRUE%s", table, names(of), names(of), from, tail)
	})
}

// arrays are the rows, column by column.
func arrays(of []column, rows int, row func(i int, to []any)) []any {
	texts, numbers := make([][]string, len(of)), make([][]int64, len(of))
	for k, c := range of {
		if c.number {
			numbers[k] = make([]int64, rows)
		} else {
			texts[k] = make([]string, rows)
		}
	}
	one := make([]any, len(of))
	for i := range rows {
		row(i, one)
		for k, c := range of {
			if c.number {
				numbers[k][i] = one[k].(int64)
			} else {
				texts[k][i] = one[k].(string)
			}
		}
	}
	args := make([]any, len(of))
	for k, c := range of {
		if args[k] = texts[k]; c.number {
			args[k] = numbers[k]
		}
	}
	return args
}

// unnested is the rows as PostgreSQL reads them from arrays.
func unnested(of []column) string {
	var sql strings.Builder
	sql.WriteString("(SELECT * FROM UNNEST(")
	for k, c := range of {
		kind := "TEXT"
		if c.number {
			kind = "BIGINT"
		}
		if k > 0 {
			sql.WriteString(", ")
		}
		fmt.Fprintf(&sql, "$%d::%s[]", k+1, kind)
	}
	fmt.Fprintf(&sql, ") AS r (%s))", names(of))
	return sql.String()
}

// valued is n rows as SQLite reads them from parameters.
func valued(of []column, n int) string {
	var sql strings.Builder
	sql.WriteString("(SELECT ")
	for k, c := range of {
		if k > 0 {
			sql.WriteString(", ")
		}
		fmt.Fprintf(&sql, "column%d AS %s", k+1, c.name)
	}
	sql.WriteString(" FROM (VALUES ")
	for i := range n {
		for k := range of {
			sep := ", "
			switch {
			case k == 0 && i == 0:
				sep = "("
			case k == 0:
				sep = "), ("
			}
			fmt.Fprintf(&sql, "%s$%d", sep, i*len(of)+k+1)
		}
	}
	sql.WriteString(")))")
	return sql.String()
}
