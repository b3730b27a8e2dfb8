// Package fault is the whole error story of Tollgate on one page.
//
// A fault is an error that a person or a program outside may see: it has a
// kind (what sort of refusal), a stable code (what a program tests for), a
// sentence (what a person reads) and, for the log only, a cause. Everything
// else is an ordinary error wrapped with what was being done; at the door it
// becomes Internal, shown with a reference number and never with its text.
package fault

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
)

// Kind says what sort of refusal a fault is; each kind has one HTTP status.
type Kind int

// The kinds, from the caller's mistakes to ours.
const (
	Internal        Kind = iota // our mistake; the zero value, so that nothing unknown looks harmless
	Invalid                     // the input breaks a rule of form
	Unauthenticated             // nobody is signed in
	Forbidden                   // somebody is, but may not
	NotFound                    // no such thing, or not visible to the caller
	Conflict                    // the thing is in another state than the call needs
	Gone                        // it was there once: an expired code, a dissolved workspace
	TooLarge                    // more bytes than the door takes
	Unsupported                 // a media type or encoding that the door does not speak
	TooMany                     // a limit of tries or of rate
	Unavailable                 // try again later; nothing was changed
)

// statuses is the one table from kinds to HTTP statuses.
var statuses = map[Kind]int{
	Internal:        http.StatusInternalServerError,
	Invalid:         http.StatusUnprocessableEntity,
	Unauthenticated: http.StatusUnauthorized,
	Forbidden:       http.StatusForbidden,
	NotFound:        http.StatusNotFound,
	Conflict:        http.StatusConflict,
	Gone:            http.StatusGone,
	TooLarge:        http.StatusRequestEntityTooLarge,
	Unsupported:     http.StatusUnsupportedMediaType,
	TooMany:         http.StatusTooManyRequests,
	Unavailable:     http.StatusServiceUnavailable,
}

// Status is the HTTP status of the kind.
func (k Kind) Status() int { return statuses[k] }

// Error is a fault. Compare with errors.Is against the package variable that
// declares it: two faults are the same when their codes are.
type Error struct {
	Kind    Kind
	Code    string         // stable, snake_case; also the key of its translation
	Message string         // the sentence, in English, shown where no translation applies
	Field   string         // the input field it stands beside, if any
	Args    map[string]any // figures that the sentence names, for translations
	cause   error          // for the log only
}

// New declares a fault; keep it in a package variable named Err….
func New(kind Kind, code, message string) *Error {
	return &Error{Kind: kind, Code: code, Message: message}
}

// Error gives the code and the sentence, and the cause, for the log.
func (e *Error) Error() string {
	if e.cause != nil {
		return fmt.Sprintf("%s: %s (%v)", e.Code, e.Message, e.cause)
	}
	return e.Code + ": " + e.Message
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.cause }

// Is reports whether target is a fault of the same code.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

// On returns a copy that stands beside the named input field.
func (e *Error) On(field string) *Error {
	c := *e
	c.Field = field
	return &c
}

// With returns a copy that carries a figure for the sentence.
func (e *Error) With(key string, value any) *Error {
	c := *e
	c.Args = maps.Clone(e.Args)
	if c.Args == nil {
		c.Args = map[string]any{}
	}
	c.Args[key] = value
	return &c
}

// Says returns a copy with another English sentence, for figures that belong in it.
func (e *Error) Says(format string, args ...any) *Error {
	c := *e
	c.Message = fmt.Sprintf(format, args...)
	return &c
}

// Because returns a copy that remembers its cause for the log.
func (e *Error) Because(cause error) *Error {
	c := *e
	c.cause = cause
	return &c
}

// ErrInternal is what the outside sees of any error that is not a fault.
var ErrInternal = New(Internal, "internal", "Something went wrong on our side. Nothing was changed.")

// From finds the fault in err. Any other error becomes Internal with err as
// its cause. From(nil) is nil.
func From(err error) *Error {
	if err == nil {
		return nil
	}
	var f *Error
	if errors.As(err, &f) {
		return f
	}
	var list Fields
	if errors.As(err, &list) && len(list) > 0 {
		return list[0]
	}
	return ErrInternal.Because(err)
}

// Fields is several faults of one form, each beside its field.
type Fields []*Error

// Error names the first and says how many there are.
func (f Fields) Error() string {
	if len(f) == 0 {
		return "no fault"
	}
	return fmt.Sprintf("%v (%d in all)", f[0], len(f))
}

// Unwrap lets errors.Is find each of them.
func (f Fields) Unwrap() []error {
	errs := make([]error, len(f))
	for i, e := range f {
		errs[i] = e
	}
	return errs
}

// OrNil returns nil when no fault was collected, so that a nil Fields never
// becomes a non-nil error.
func (f Fields) OrNil() error {
	if len(f) == 0 {
		return nil
	}
	return f
}
