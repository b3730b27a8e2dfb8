// Package export makes the tables that payers take away: of bills, of their
// lines, of what was consumed, and of a statement. It owns their columns, what
// stands in them and the form in which they are written, and the check that
// they sum to what they are about. It does not own which rows somebody may
// have, nor how a table is sent.
//
// Always true: heads are the same in every language and only grow; what a
// table is sent with and what the check reads are made by the same code.
package export

import (
	"bytes"
	"encoding/csv"
	"strings"

	"tollgate.dev/internal/wallet"
)

// Type is the media type of a table.
const Type = "text/csv; charset=utf-8"

// mark in front tells spreadsheets that the text is UTF-8.
const mark = "\ufeff"

// CSV writes a table, its head first.
func CSV(rows [][]string) ([]byte, error) {
	var b bytes.Buffer
	err := write(&b, rows)
	return b.Bytes(), err
}

func write(b *bytes.Buffer, rows [][]string) error {
	b.WriteString(mark)
	return csv.NewWriter(b).WriteAll(rows)
}

// Inert keeps a spreadsheet from running text that somebody typed.
func Inert(text string) string {
	if strings.ContainsAny(text[:min(len(text), 1)], "=+-@\t\r") {
		return "'" + text
	}
	return text
}

// withPayments is a head that goes on with a column per kind of payment.
func withPayments(columns ...string) []string {
	for _, kind := range wallet.Payments() {
		columns = append(columns, string(kind))
	}
	return columns
}
