// Package web is what the three consoles share: the frame in which handlers
// run (sessions, rights, errors, headers, logs), the page components and the
// one stylesheet, and the languages. It knows no business rule.
//
// Always true: every page works without script; nothing inline is executed or
// styled, so that the content security policy can forbid it; a route without
// a stated need does not start; whoever is shown a sentence is shown it in
// their own language.
package web

import (
	"context"
	"net/http"

	"github.com/a-h/templ"
)

// Need is what a route asks of whoever calls it. A console reads anything
// besides the two below as an action of its own matrix of rights.
type Need string

// The needs that every console knows.
const (
	Public   Need = "public"    // nobody needs to be signed in
	SignedIn Need = "signed_in" // an account of this console, whatever its rights
)

// Handler serves one route; an error that it returns becomes a page.
type Handler func(w http.ResponseWriter, r *http.Request) error

// Route is a line of a console's route table.
type Route struct {
	Method  string
	Pattern string // as net/http.ServeMux takes it, without the method
	Needs   Need
	Handler Handler
}

// preferences is what a visitor chose, kept in the context of the request.
type preferences struct {
	Language  string
	Theme     string // light, dark, or empty for the system's
	Chosen    bool   // the language came from the visitor's own choice
	Path      string // where the visitor is, for the way back
	Reference string // names the request in the log
}

type contextKey struct{}

func prefer(ctx context.Context) preferences {
	p, ok := ctx.Value(contextKey{}).(preferences)
	if !ok {
		return preferences{Language: "en"}
	}
	return p
}

// WithLanguage fixes the language, and the theme if not empty.
func WithLanguage(ctx context.Context, language, theme string) context.Context {
	p := prefer(ctx)
	p.Language, p.Theme, p.Chosen = supported(language), theme, true
	return context.WithValue(ctx, contextKey{}, p)
}

// Prefer sets the language of an account, unless the visitor chose another
// one in the header of a page.
func Prefer(r *http.Request, language string) *http.Request {
	p := prefer(r.Context())
	if p.Chosen || language == "" {
		return r
	}
	p.Language = supported(language)
	return r.WithContext(context.WithValue(r.Context(), contextKey{}, p))
}

// Language is the language of the page: "en" or "zh".
func Language(ctx context.Context) string { return prefer(ctx).Language }

// Reference names the request, for the person to quote and the log to find.
func Reference(ctx context.Context) string { return prefer(ctx).Reference }

// Render writes a page. It renders before it writes, so that a page that
// cannot be rendered becomes an error page and not half a page.
func Render(w http.ResponseWriter, r *http.Request, status int, page templ.Component) error {
	buffer := templ.GetBuffer()
	defer templ.ReleaseBuffer(buffer)
	if err := page.Render(r.Context(), buffer); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-store") // pages hold one person's figures
	}
	w.WriteHeader(status)
	_, _ = w.Write(buffer.Bytes()) // whoever hung up reads no error page either
	return nil
}

// SeeOther redirects after a POST; htmx is told to follow with a whole page.
func SeeOther(w http.ResponseWriter, r *http.Request, path string) error {
	if Fragment(r) {
		w.Header().Set("HX-Redirect", path)
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	http.Redirect(w, r, path, http.StatusSeeOther)
	return nil
}

// Fragment reports whether htmx asks for a part of a page.
func Fragment(r *http.Request) bool { return r.Header.Get("HX-Request") == "true" }
