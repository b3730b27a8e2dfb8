// Package attachment is a file that a person sends along: the scan of a
// licence, an invoice. It owns what such a file may be. It does not own where
// it is kept, nor who may see it: that is for whatever it belongs to.
//
// Always true: a File is a PDF, a PNG or a JPEG by its content, whatever its
// sender called it; it is not empty and has at most MaxBytes; and its name is
// one short line that ends as its type does.
package attachment

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/id"
)

// Faults of files.
var (
	ErrEmpty   = fault.New(fault.Invalid, "file_empty", "Choose a file that is not empty.")
	ErrLarge   = fault.New(fault.Invalid, "file_too_large", "This file is larger than 5 MB. Send a smaller one.")
	ErrType    = fault.New(fault.Invalid, "file_type", "This is not a PDF, PNG or JPEG file. Send one of these.")
	ErrUnknown = fault.New(fault.NotFound, "file_unknown", "There is no such file.")
)

// MaxBytes bounds a file.
const MaxBytes = 5 << 20

// maxName bounds its name, in characters.
const maxName = 100

// Type is what a file is, as HTTP names it.
type Type string

// The types that are taken.
const (
	PDF  Type = "application/pdf"
	PNG  Type = "image/png"
	JPEG Type = "image/jpeg"
)

// Types lists them, for the hint of a browser's file chooser.
func Types() []Type { return []Type{PDF, PNG, JPEG} }

// forms tell the types by how a file begins, and give the ending of its name.
var forms = []struct {
	of     Type
	begins []byte
	ending string
}{
	{PDF, []byte("%PDF-"), ".pdf"},
	{PNG, []byte("\x89PNG\r\n\x1a\n"), ".png"},
	{JPEG, []byte{0xff, 0xd8, 0xff}, ".jpg"},
}

// File is one that was taken.
type File struct {
	ID      string
	Name    string
	Type    Type
	Hash    string // SHA-256 of the content, in hexadecimal
	Content []byte
	SentAt  time.Time
}

// Sent is a file as it comes in: named by its sender, of any content.
type Sent struct {
	Name    string
	Content []byte
}

// None reports whether no file was sent: a browser sends an empty part for a
// chooser that was left alone.
func (s Sent) None() bool { return s.Name == "" && len(s.Content) == 0 }

// Take checks what came in.
func (s Sent) Take(at time.Time) (File, error) {
	switch {
	case len(s.Content) == 0:
		return File{}, ErrEmpty
	case len(s.Content) > MaxBytes:
		return File{}, ErrLarge
	}
	for _, f := range forms {
		if bytes.HasPrefix(s.Content, f.begins) {
			sum := sha256.Sum256(s.Content)
			return File{
				ID: id.New(id.Attachment), Name: plainName(s.Name, f.ending), Type: f.of,
				Hash: hex.EncodeToString(sum[:]), Content: s.Content, SentAt: at,
			}, nil
		}
	}
	return File{}, ErrType
}

// plainName leaves of a name what is safe in a header, a path and a page, and
// ends it as its type does.
func plainName(name, ending string) string {
	name = strings.ToValidUTF8(name, "")
	if i := strings.LastIndexAny(name, `/\`); i >= 0 {
		name = name[i+1:]
	}
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		name = name[:i]
	}
	name = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
			return r
		case unicode.IsSpace(r), r == '.', r == '(', r == ')':
			return '-'
		}
		return -1
	}, name)
	if name = strings.Trim(name, "-"); name == "" {
		name = "file"
	}
	if utf8.RuneCountInString(name) > maxName {
		name = string([]rune(name)[:maxName])
	}
	return name + ending
}
