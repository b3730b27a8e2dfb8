package web

import (
	"bytes"
	"encoding/csv"
	"net/http"
	"strings"
)

// CSVType is the media type of a table.
const CSVType = "text/csv; charset=utf-8"

// CSVBytes writes a table. Its heads are the same in every language, so that a
// program can read them; the mark in front tells spreadsheets that the text is
// UTF-8.
func CSVBytes(rows [][]string) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("\ufeff")
	err := csv.NewWriter(&b).WriteAll(rows)
	return b.Bytes(), err
}

// CSV sends a table.
func CSV(w http.ResponseWriter, name string, rows [][]string) error {
	text, err := CSVBytes(rows)
	if err == nil {
		Download(w, name, CSVType, text)
	}
	return err
}

// Download sends a file.
func Download(w http.ResponseWriter, name, mediaType string, file []byte) {
	h := w.Header()
	h.Set("Content-Type", mediaType)
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	h.Set("Cache-Control", "no-store")
	_, _ = w.Write(file) // whoever hung up reads nothing more
}

// Inert keeps a spreadsheet from running text that somebody typed.
func Inert(text string) string {
	if strings.ContainsAny(text[:min(len(text), 1)], "=+-@\t\r") {
		return "'" + text
	}
	return text
}
