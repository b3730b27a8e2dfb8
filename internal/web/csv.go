package web

import (
	"net/http"

	"tollgate.dev/internal/export"
)

// CSV sends a table.
func CSV(w http.ResponseWriter, name string, rows [][]string) error {
	text, err := export.CSV(rows)
	if err == nil {
		Download(w, name, export.Type, text)
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
