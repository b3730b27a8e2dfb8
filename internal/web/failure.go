package web

import (
	"errors"
	"net/http"

	"github.com/a-h/templ"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/fault"
)

// Problem is what an error page shows.
type Problem struct {
	Status    int
	Code      string
	Sentence  string
	Kind      string // chooses the heading, what is safe and what to do
	Reference string
	Aside     templ.Component
	Back      string // where to go on
}

var kindNames = map[fault.Kind]string{
	fault.Internal: "internal", fault.Invalid: "invalid", fault.Unauthenticated: "signed_out",
	fault.Forbidden: "forbidden", fault.NotFound: "not_found", fault.Conflict: "conflict", fault.Gone: "gone",
	fault.TooLarge: "too_large", fault.Unsupported: "too_large", fault.TooMany: "too_many", fault.Unavailable: "unavailable",
}

// Fail answers with the page of an error. Somebody who is not signed in is
// led to the sign-in page instead.
func (c *Console) Fail(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, account.ErrSignedOut) {
		c.toSignIn(w, r)
		return
	}
	f := fault.From(err)
	if f.Kind == fault.Internal {
		c.Log.Error("page failed", "console", c.Name, "reference", Reference(r.Context()), "path", r.URL.Path, "error", err.Error())
	}
	p := Problem{
		Status: f.Kind.Status(), Code: f.Code, Sentence: Sentence(r.Context(), f),
		Kind: kindNames[f.Kind], Reference: Reference(r.Context()), Back: c.Prefix + "/",
	}
	if c.Page != nil && !Fragment(r) {
		if own := c.Page(r, f); own != nil {
			c.answer(w, r, p, own)
			return
		}
	}
	if c.Aside != nil {
		p.Aside = c.Aside(r, f)
	}
	page := ProblemPart(p)
	if !Fragment(r) {
		frame := c.Frame(r)
		if frame.Title == "" {
			frame.Title = T(r.Context(), "problem.title."+p.Kind)
		}
		page = ProblemPage(frame, p)
	}
	c.answer(w, r, p, page)
}

func (c *Console) answer(w http.ResponseWriter, r *http.Request, p Problem, page templ.Component) {
	if err := Render(w, r, p.Status, page); err != nil {
		c.Log.Error("error page failed", "reference", p.Reference, "error", err.Error())
		http.Error(w, "Something went wrong on our side. Reference: "+p.Reference, http.StatusInternalServerError)
	}
}
