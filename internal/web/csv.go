package web

import (
	"encoding/csv"
	"net/http"
	"strings"
)

// CSV sends a table. Its heads are the same in every language, so that a
// program can read them; the mark in front tells spreadsheets that the text is
// UTF-8.
func CSV(w http.ResponseWriter, name string, rows [][]string) error {
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	h.Set("Cache-Control", "no-store")
	if _, err := w.Write([]byte("\ufeff")); err != nil {
		return nil // whoever hung up reads nothing more
	}
	_ = csv.NewWriter(w).WriteAll(rows) // the same
	return nil
}

// Inert keeps a spreadsheet from running text that somebody typed.
func Inert(text string) string {
	if strings.ContainsAny(text[:min(len(text), 1)], "=+-@\t\r") {
		return "'" + text
	}
	return text
}
