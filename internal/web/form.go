package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"path"
	"strings"
	"unicode/utf8"

	"tollgate.dev/internal/fault"
)

// maxForm bounds the body of a form; the longest is a registration.
const maxForm = 64 << 10

// Faults of the frame itself.
var (
	ErrForm        = fault.New(fault.Invalid, "form_unreadable", "This form could not be read. Reload the page and send it again.")
	ErrPageUnknown = fault.New(fault.NotFound, "page_unknown", "There is no such page.")
	ErrCrossOrigin = fault.New(fault.Forbidden, "cross_origin", "This request came from another site and was refused. Open the page here and try again.")
)

// Form is what was typed and what is wrong with it, so that a page can be
// shown again without losing either.
type Form struct {
	Values url.Values
	Faults fault.Fields
}

// Secret fields are never shown again.
var secret = map[string]bool{"password": true, "password_repeat": true, "present_password": true, "code": true}

// Parse reads the form of a POST, or the query of a GET.
func Parse(w http.ResponseWriter, r *http.Request) (*Form, error) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return nil, ErrForm.Because(err)
		}
		return nil, ErrForm.Because(err)
	}
	for _, values := range r.Form {
		for i := range values {
			if !utf8.ValidString(values[i]) || strings.ContainsRune(values[i], 0) {
				return nil, ErrForm
			}
		}
	}
	return &Form{Values: r.Form}, nil
}

// Blank is a form with nothing typed but the given pairs of field and value.
func Blank(pairs ...string) *Form {
	f := &Form{Values: url.Values{}}
	for i := 0; i+1 < len(pairs); i += 2 {
		f.Values.Set(pairs[i], pairs[i+1])
	}
	return f
}

// Text is what was typed into the field, as typed.
func (f *Form) Text(field string) string {
	if f == nil {
		return ""
	}
	return f.Values.Get(field)
}

// Shown is what the field shows again.
func (f *Form) Shown(field string) string {
	if secret[field] {
		return ""
	}
	return f.Text(field)
}

// Ticked reports whether the box was ticked.
func (f *Form) Ticked(field string) bool { return f.Text(field) != "" }

// Refused keeps the faults of err beside their fields and reports whether the
// page is to be shown again. What is not a refusal of the input (an internal
// error, somebody signed out) is not, and goes to the frame.
func (f *Form) Refused(err error) bool {
	var list fault.Fields
	var one *fault.Error
	switch {
	case err == nil:
		return false
	case errors.As(err, &list):
		f.Faults = append(f.Faults, list...)
	case errors.As(err, &one) && one.Kind != fault.Internal:
		f.Faults = append(f.Faults, one)
	default:
		return false
	}
	return true
}

// Status is the HTTP status of the form shown again.
func (f *Form) Status() int {
	if f == nil || len(f.Faults) == 0 {
		return http.StatusOK
	}
	return f.Faults[0].Kind.Status()
}

// Wrong is the sentence that stands beside the field, if anything is wrong with it.
func (f *Form) Wrong(ctx context.Context, field string) string {
	if f == nil {
		return ""
	}
	for _, e := range f.Faults {
		if e.Field == field {
			return Sentence(ctx, e)
		}
	}
	return ""
}

// LocalPath gives the path if it leads to this installation, else the other
// one: a way back must never leave the site.
func LocalPath(path, otherwise string) string {
	u, err := url.Parse(path)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || !strings.HasPrefix(u.Path, "/") ||
		strings.HasPrefix(path, "//") || strings.ContainsAny(path, "\\\r\n\t") {
		return otherwise
	}
	return u.RequestURI()
}

// Within gives the path if it stays below the prefix, else the other one: a
// way back must not lead from one console into another either.
func Within(prefix, target, otherwise string) string {
	local := LocalPath(target, "")
	bare, _, _ := strings.Cut(local, "?")
	if bare != path.Clean(bare) && bare != path.Clean(bare)+"/" || !strings.HasPrefix(bare, prefix+"/") {
		return otherwise
	}
	return local
}
