package api

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"

	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/id"
)

// Faults of requests as such, whatever they ask for.
var (
	ErrMalformed    = fault.New(fault.Invalid, "request_malformed", "The request cannot be read.")
	ErrJSON         = fault.New(fault.Invalid, "json_malformed", "The body is not one JSON object.")
	ErrBodyMissing  = fault.New(fault.Invalid, "body_missing", "This call needs a JSON body.")
	ErrBodyLarge    = fault.New(fault.TooLarge, "body_too_large", "The body is larger than 64 KiB.")
	ErrContentType  = fault.New(fault.Unsupported, "content_type_unsupported", "Send application/json, not compressed.")
	ErrRoute        = fault.New(fault.NotFound, "route_unknown", "There is no such call. The calls are listed in /api/v1/openapi.json.")
	ErrMethod       = fault.New(fault.Invalid, "method_not_allowed", "This path does not take this method.")
	ErrFields       = fault.New(fault.Invalid, "fields_invalid", "Several fields are wrong; errors names each.")
	ErrFieldMissing = fault.New(fault.Invalid, "field_missing", "This field is required.")
	ErrFieldUnknown = fault.New(fault.Invalid, "field_unknown", "There is no such field here.")
	ErrFieldInvalid = fault.New(fault.Invalid, "field_invalid", "This value does not fit the field.")
	ErrCursor       = fault.New(fault.Invalid, "cursor_invalid", "This cursor is not one that this list gave.")
)

// Problem is what every refusal looks like: RFC 9457, with a code that stays
// the same for ever, and the figures that its sentence names.
type Problem struct {
	Type      string         `json:"type" doc:"urn:tollgate:problem: and the code." example:"urn:tollgate:problem:code_wrong"`
	Title     string         `json:"title" doc:"The HTTP status in words."`
	Status    int            `json:"status" doc:"The HTTP status."`
	Detail    string         `json:"detail" doc:"A sentence for a person."`
	Code      string         `json:"code" doc:"Stable; test for this one." example:"code_wrong"`
	Field     string         `json:"field,omitempty" doc:"The field of the request that it is about."`
	Figures   map[string]any `json:"figures,omitempty" doc:"The figures that the sentence rests on."`
	Reference string         `json:"reference,omitempty" doc:"Of a mistake on our side: name it to the operator, who finds it in the log."`
	Errors    []FieldProblem `json:"errors,omitempty" doc:"Each field that is wrong."`

	retryAfter string
}

// FieldProblem is what is wrong with one field.
type FieldProblem struct {
	Field   string         `json:"field"`
	Code    string         `json:"code"`
	Detail  string         `json:"detail"`
	Figures map[string]any `json:"figures,omitempty"`
}

// Error is the sentence.
func (p *Problem) Error() string { return p.Code + ": " + p.Detail }

// GetStatus is what huma asks for.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType is RFC 9457's.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// GetHeaders are those that the status calls for.
func (p *Problem) GetHeaders() http.Header {
	h := http.Header{}
	if p.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="tollgate"`)
	}
	if p.retryAfter != "" {
		h.Set("Retry-After", p.retryAfter)
	}
	return h
}

// retryKey is the figure of a fault that says after how many seconds another
// attempt makes sense.
const retryKey = "retry_after"

// problem turns what went wrong into what the caller sees. An unknown cause
// goes to the log under a reference, and only the reference to the caller.
func (s *server) problem(err error, r *http.Request) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	var list fault.Fields
	if errors.As(err, &list) && len(list) > 1 {
		return several(list)
	}
	f := fault.From(err)
	p = single(f, f.Kind.Status())
	if f.Kind == fault.Internal {
		p.Detail = fault.ErrInternal.Message
		p.Reference = id.Short()
		p.Figures = nil
		s.Log.ErrorContext(r.Context(), "a call failed", "reference", p.Reference, "method", r.Method, "path", r.URL.Path, "err", err)
	}
	return p
}

func single(f *fault.Error, status int) *Problem {
	p := &Problem{
		Type: "urn:tollgate:problem:" + f.Code, Title: http.StatusText(status), Status: status,
		Detail: f.Message, Code: f.Code, Field: f.Field, Figures: figures(f.Args),
	}
	if f.Field != "" {
		p.Errors = []FieldProblem{fieldProblem(f)}
	}
	if seconds, ok := f.Args[retryKey]; ok {
		p.retryAfter = fmt.Sprint(seconds)
	}
	return p
}

func several(list fault.Fields) *Problem {
	p := single(ErrFields, ErrFields.Kind.Status())
	for _, f := range list {
		p.Errors = append(p.Errors, fieldProblem(f))
	}
	return p
}

func fieldProblem(f *fault.Error) FieldProblem {
	return FieldProblem{Field: f.Field, Code: f.Code, Detail: f.Message, Figures: figures(f.Args)}
}

// figures are numbers, truths and texts; anything else is shown as its text.
func figures(args map[string]any) map[string]any {
	if len(args) == 0 {
		return nil
	}
	shown := make(map[string]any, len(args))
	for key, value := range args {
		switch v := value.(type) {
		case string, bool, int, int64:
			shown[key] = v
		default:
			shown[key] = fmt.Sprint(v)
		}
	}
	return shown
}

// write sends the problem where huma is not at hand.
func (p *Problem) write(w http.ResponseWriter) {
	for name, values := range p.GetHeaders() {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Type", p.ContentType(""))
	w.WriteHeader(p.Status)
	_ = marshalJSON(w, p) // the caller has gone away if this fails
}

// Huma tells its own refusals through package variables. They are set here,
// once, to the shape of all the others; nothing else in Tollgate uses huma.
func init() {
	huma.ValidateStrictCasing = true
	huma.NewError = refusal
	huma.NewErrorWithContext = func(_ huma.Context, status int, message string, errs ...error) huma.StatusError {
		return refusal(status, message, errs...)
	}
}

// refusal gives huma's own findings about the form of a request stable codes.
func refusal(status int, message string, errs ...error) huma.StatusError {
	if status >= http.StatusInternalServerError {
		return single(fault.ErrInternal, http.StatusInternalServerError)
	}
	var list fault.Fields
	for _, err := range errs {
		var d huma.ErrorDetailer
		if !errors.As(err, &d) {
			continue
		}
		detail := d.ErrorDetail()
		if detail.Location == "body" && status != http.StatusUnprocessableEntity {
			return unreadable(status)
		}
		list = append(list, finding(detail))
	}
	switch {
	case len(list) > 1:
		return several(list)
	case len(list) == 1:
		return single(list[0], list[0].Kind.Status())
	case status == http.StatusBadRequest && strings.Contains(message, "body is required"):
		return single(ErrBodyMissing, status)
	}
	return single(ErrMalformed, status)
}

func unreadable(status int) *Problem {
	if status == http.StatusUnsupportedMediaType {
		return single(ErrContentType, status)
	}
	return single(ErrJSON, http.StatusBadRequest)
}

// finding says which rule of the schema a value breaks.
func finding(d *huma.ErrorDetail) *fault.Error {
	place, field, _ := strings.Cut(d.Location, ".")
	missing := ErrFieldMissing
	if place == "header" && field == keyHeader {
		missing = ErrKeyRequired
	}
	if name, ok := quoted(d.Message, validation.MsgExpectedRequiredProperty); ok {
		if field != "" {
			name = field + "." + name
		}
		return missing.On(name)
	}
	switch {
	case strings.HasPrefix(d.Message, "required ") && strings.HasSuffix(d.Message, "is missing"):
		return missing.On(field)
	case d.Message == validation.MsgUnexpectedProperty, d.Message == "unknown query parameter":
		return ErrFieldUnknown.On(field)
	case place == "header" && field == keyHeader:
		return ErrKeyForm.On(field)
	}
	return ErrFieldInvalid.On(field).Says("This value does not fit the field: %s.", d.Message)
}

// quoted finds the word that stands for %s in a message of the form.
func quoted(message, form string) (string, bool) {
	before, after, _ := strings.Cut(form, "%s")
	rest, ok := strings.CutPrefix(message, before)
	if !ok {
		return "", false
	}
	word, ok := strings.CutSuffix(rest, after)
	return word, ok
}
