package attachment_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"tollgate.dev/internal/attachment"
)

var noon = time.Date(2026, 3, 1, 4, 0, 0, 0, time.UTC)

func TestAFileIsWhatItsContentSays(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		sent attachment.Sent
		want attachment.Type
		name string
		err  error
	}{
		"pdf":                    {attachment.Sent{Name: "licence.pdf", Content: []byte("%PDF-1.7\n…")}, attachment.PDF, "licence.pdf", nil},
		"png":                    {attachment.Sent{Name: "scan.png", Content: []byte("\x89PNG\r\n\x1a\n1")}, attachment.PNG, "scan.png", nil},
		"jpeg":                   {attachment.Sent{Name: "营业执照.jpeg", Content: []byte("\xff\xd8\xff\xe0")}, attachment.JPEG, "营业执照.jpg", nil},
		"called otherwise":       {attachment.Sent{Name: "licence.html", Content: []byte("%PDF-1.7")}, attachment.PDF, "licence.pdf", nil},
		"a page called an image": {attachment.Sent{Name: "licence.png", Content: []byte("<html><script>alert(1)</script>")}, "", "", attachment.ErrType},
		"a drawing with script":  {attachment.Sent{Name: "a.svg", Content: []byte(`<svg onload="alert(1)"/>`)}, "", "", attachment.ErrType},
		"a pdf further in":       {attachment.Sent{Name: "a.pdf", Content: []byte("<html>%PDF-1.7")}, "", "", attachment.ErrType},
		"half a mark":            {attachment.Sent{Name: "a.png", Content: []byte("\x89PNG")}, "", "", attachment.ErrType},
		"empty":                  {attachment.Sent{Name: "a.pdf"}, "", "", attachment.ErrEmpty},
		"too large":              {attachment.Sent{Name: "a.pdf", Content: append([]byte("%PDF-"), make([]byte, attachment.MaxBytes)...)}, "", "", attachment.ErrLarge},
		"as large as may be":     {attachment.Sent{Name: "a.pdf", Content: append([]byte("%PDF-"), make([]byte, attachment.MaxBytes-5)...)}, attachment.PDF, "a.pdf", nil},
		"a path":                 {attachment.Sent{Name: `..\..\etc/passwd.pdf`, Content: []byte("%PDF-")}, attachment.PDF, "passwd.pdf", nil},
		"a broken header":        {attachment.Sent{Name: "a\"\r\nSet-Cookie: x.pdf", Content: []byte("%PDF-")}, attachment.PDF, "a--Set-Cookie-x.pdf", nil},
		"no name":                {attachment.Sent{Content: []byte("%PDF-")}, attachment.PDF, "file.pdf", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, err := c.sent.Take(noon)
			if !errors.Is(err, c.err) || f.Type != c.want || f.Name != c.name {
				t.Errorf("%q is %q of %q, %v", c.sent.Name, f.Name, f.Type, err)
			}
			if err == nil && (f.ID == "" || len(f.Hash) != 64 || !bytes.Equal(f.Content, c.sent.Content) || f.SentAt != noon) {
				t.Errorf("kept as %s, %s", f.ID, f.Hash)
			}
		})
	}
}

func TestNoNameBreaksOut(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f, err := attachment.Sent{Name: rapid.String().Draw(t, "name"), Content: []byte("%PDF-")}.Take(noon)
		if err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(f.Name, "/\\\"'<>;\r\n\x00 ") || strings.Count(f.Name, ".") != 1 || !strings.HasSuffix(f.Name, ".pdf") ||
			!utf8.ValidString(f.Name) || utf8.RuneCountInString(f.Name) > 104 {
			t.Fatalf("the name is %q", f.Name)
		}
	})
}
