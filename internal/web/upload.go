package web

import (
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"tollgate.dev/internal/attachment"
)

// Bounds of a form with a file. A file that is too large is read on for a
// while, so that the browser comes to read the answer; what it holds is
// dropped.
const (
	maxUpload = 4 * attachment.MaxBytes
	maxParts  = 64
)

// ParseUpload reads a form that may hold a file under the given name. A form
// without one gives attachment.Sent{}. Whether the file may be taken is for
// Sent.Take to say.
func ParseUpload(w http.ResponseWriter, r *http.Request, file string) (*Form, attachment.Sent, error) {
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "multipart/form-data" {
		form, err := Parse(w, r)
		return form, attachment.Sent{}, err
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxUpload+maxForm)
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, attachment.Sent{}, ErrForm.Because(err)
	}
	form, sent, room := &Form{Values: url.Values{}}, attachment.Sent{}, maxForm
	for range maxParts {
		part, err := parts.NextPart()
		if err == io.EOF { // as it is: wrapped, the form broke off
			return form, sent, nil
		}
		if err != nil {
			return nil, sent, ErrForm.Because(err)
		}
		if part.FormName() == file && part.FileName() != "" {
			if sent, err = sentFile(part); err != nil {
				return nil, sent, ErrForm.Because(err)
			}
			continue
		}
		text, err := io.ReadAll(io.LimitReader(part, int64(room)+1))
		if room -= len(text); err != nil || room < 0 || !utf8.Valid(text) || strings.ContainsRune(string(text), 0) {
			return nil, sent, ErrForm.Because(err)
		}
		if part.FileName() == "" {
			form.Values.Add(part.FormName(), string(text))
		}
	}
	return nil, sent, ErrForm
}

// sentFile reads a file, and of one that is too large no more than shows it.
func sentFile(part *multipart.Part) (attachment.Sent, error) {
	content, err := io.ReadAll(io.LimitReader(part, attachment.MaxBytes+1))
	if err == nil {
		_, err = io.Copy(io.Discard, part)
	}
	return attachment.Sent{Name: part.FileName(), Content: content}, err
}

// SendFile answers with a file that somebody sent here. It is for keeping, not
// for showing: no browser runs what may be in it.
func SendFile(w http.ResponseWriter, f attachment.File) error {
	h := w.Header()
	h.Set("Content-Type", string(f.Type))
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": f.Name}))
	h.Set("Content-Length", strconv.Itoa(len(f.Content)))
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Cache-Control", "private, no-store")
	_, _ = w.Write(f.Content) // whoever hung up reads nothing more
	return nil
}

// accepted is what a browser's file chooser offers.
func accepted() string {
	var types []string
	for _, t := range attachment.Types() {
		types = append(types, string(t))
	}
	return strings.Join(types, ",")
}
