package web_test

import (
	"bytes"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"tollgate.dev/internal/attachment"
	"tollgate.dev/internal/web"
)

// upload is a request with a form of the given pairs and a file.
func upload(t *testing.T, file string, content []byte, pairs ...string) *http.Request {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for i := 0; i+1 < len(pairs); i += 2 {
		if err := form.WriteField(pairs[i], pairs[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	part, err := form.CreateFormFile("scan", file)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = part.Write(content)
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "/x", &body)
	r.Header.Set("Content-Type", form.FormDataContentType())
	return r
}

func TestAFormWithAFileIsRead(t *testing.T) {
	t.Parallel()
	form, sent, err := web.ParseUpload(httptest.NewRecorder(), upload(t, "a.pdf", []byte("%PDF-1\x00\xff"), "company", "Acme 企业", "company", "second"), "scan")
	if err != nil || form.Text("company") != "Acme 企业" || sent.Name != "a.pdf" || string(sent.Content) != "%PDF-1\x00\xff" {
		t.Errorf("%v, %q of %q, %v", form, sent.Content, sent.Name, err)
	}
	form, sent, err = web.ParseUpload(httptest.NewRecorder(), upload(t, "", nil, "company", "Acme"), "scan")
	if err != nil || form.Text("company") != "Acme" || !sent.None() {
		t.Errorf("a chooser left alone: %v, %+v, %v", form, sent, err)
	}
	plain := httptest.NewRequest(http.MethodPost, "/x", strings.NewReader("company=Acme"))
	plain.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if form, sent, err = web.ParseUpload(httptest.NewRecorder(), plain, "scan"); err != nil || form.Text("company") != "Acme" || !sent.None() {
		t.Errorf("a form without files: %v, %+v, %v", form, sent, err)
	}
}

func TestAFormWithAFileIsBounded(t *testing.T) {
	t.Parallel()
	large := append([]byte("%PDF-"), make([]byte, attachment.MaxBytes)...)
	form, sent, err := web.ParseUpload(httptest.NewRecorder(), upload(t, "a.pdf", large, "company", "Acme"), "scan")
	if err != nil || form.Text("company") != "Acme" || len(sent.Content) != attachment.MaxBytes+1 {
		t.Fatalf("%d bytes were kept, %v", len(sent.Content), err)
	}
	for name, r := range map[string]*http.Request{
		"far too large":   upload(t, "a.pdf", make([]byte, 5*attachment.MaxBytes)),
		"too much text":   upload(t, "a.pdf", nil, "company", strings.Repeat("x", 65<<10)),
		"text of bytes":   upload(t, "a.pdf", nil, "company", "\xff"),
		"text with NUL":   upload(t, "a.pdf", nil, "company", "a\x00b"),
		"too many fields": upload(t, "a.pdf", nil, strings.Split(strings.Repeat("a,b,", 80), ",")...),
	} {
		if _, _, err := web.ParseUpload(httptest.NewRecorder(), r, "scan"); !errors.Is(err, web.ErrForm) {
			t.Errorf("%s: %v", name, err)
		}
	}
	broken := upload(t, "a.pdf", []byte("%PDF-"))
	broken.Body = io.NopCloser(io.MultiReader(io.LimitReader(broken.Body, 100), iotest.ErrReader(io.ErrUnexpectedEOF)))
	if _, _, err := web.ParseUpload(httptest.NewRecorder(), broken, "scan"); !errors.Is(err, web.ErrForm) {
		t.Errorf("a form that breaks off: %v", err)
	}
}

func TestAFileIsServedForKeepingOnly(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	if err := web.SendFile(w, attachment.File{Name: "营业执照.pdf", Type: attachment.PDF, Content: []byte("%PDF-1")}); err != nil {
		t.Fatal(err)
	}
	h := w.Header()
	if h.Get("Content-Type") != "application/pdf" || !strings.HasPrefix(h.Get("Content-Disposition"), "attachment;") || h.Get("Content-Security-Policy") != "default-src 'none'; sandbox" || w.Body.String() != "%PDF-1" {
		t.Errorf("served with %v", h)
	}
}
