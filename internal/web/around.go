package web

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"

	"golang.org/x/text/language"

	"tollgate.dev/internal/id"
)

// The cookies of a visitor's choices. They hold no secret.
const (
	languageCookie = "tollgate_lang"
	themeCookie    = "tollgate_theme"
	choiceSeconds  = 365 * 24 * 3600
)

// policy forbids everything that does not come from this installation.
const policy = "default-src 'self'; img-src 'self' data:; object-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"

// guarding sets the headers that every answer has.
func guarding(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}

var matcher = language.NewMatcher([]language.Tag{language.English, language.Chinese})

// preferring finds out language and theme: the visitor's choice, else what
// the browser asks for. Guard puts an account's language between the two.
func preferring(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := prefer(r.Context())
		p.Path = r.URL.RequestURI()
		if r.Method != http.MethodGet {
			p.Path = ""
		}
		if cookie, err := r.Cookie(languageCookie); err == nil && supported(cookie.Value) == cookie.Value {
			p.Language, p.Chosen = cookie.Value, true
		} else {
			_, index := language.MatchStrings(matcher, r.Header.Get("Accept-Language"))
			p.Language = Languages()[index]
		}
		if cookie, err := r.Cookie(themeCookie); err == nil && (cookie.Value == "light" || cookie.Value == "dark") {
			p.Theme = cookie.Value
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), contextKey{}, p)))
	})
}

// Choose keeps a language or theme that a visitor chose in the header of any
// page, and goes back to that page. It is served at /preferences.
func Choose(secure bool) http.Handler {
	return guarding(http.NewCrossOriginProtection().Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
			return
		}
		form, err := Parse(w, r)
		if err != nil {
			http.Error(w, ErrForm.Message, ErrForm.Kind.Status())
			return
		}
		set := func(name, value string, known bool) {
			if !known {
				return
			}
			cookie := &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: choiceSeconds, HttpOnly: true, Secure: secure, SameSite: http.SameSiteLaxMode}
			http.SetCookie(w, cookie)
		}
		chosen, theme := form.Text("language"), form.Text("theme")
		set(languageCookie, chosen, chosen != "" && supported(chosen) == chosen)
		set(themeCookie, theme, theme == "light" || theme == "dark" || theme == "system")
		http.Redirect(w, r, LocalPath(form.Text("return"), "/"), http.StatusSeeOther)
	})))
}

// recording remembers what was answered, for the log.
type recording struct {
	http.ResponseWriter
	status int
	bytes  int
}

func (w *recording) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recording) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(b)
	w.bytes += n
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (w *recording) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// logging names the request and writes one line when it is answered.
func (c *Console) logging(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := prefer(r.Context())
		p.Reference = id.Short()
		r = r.WithContext(context.WithValue(r.Context(), contextKey{}, p))
		w.Header().Set("X-Request-Id", p.Reference)
		answer := &recording{ResponseWriter: w}
		began := c.Now()
		next.ServeHTTP(answer, r)
		c.Log.LogAttrs(r.Context(), slog.LevelInfo, "page",
			slog.String("console", c.Name), slog.String("reference", p.Reference),
			slog.String("method", r.Method), slog.String("path", r.URL.Path),
			slog.Int("status", answer.status), slog.Int("bytes", answer.bytes),
			slog.Duration("took", c.Now().Sub(began)), slog.String("address", Address(r)))
	})
}

// recovering turns a panic into an error page, unless half a page is out.
func (c *Console) recovering(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			cause := recover()
			if cause == nil {
				return
			}
			if cause == http.ErrAbortHandler {
				panic(cause)
			}
			c.Log.Error("panic", "reference", Reference(r.Context()), "cause", fmt.Sprint(cause), "stack", string(debug.Stack()))
			if answered(w) {
				return
			}
			c.Fail(w, r, fmt.Errorf("panic: %v", cause))
		}()
		next.ServeHTTP(w, r)
	})
}

// answered reports whether a part of the answer has gone out.
func answered(w http.ResponseWriter) bool {
	for range 8 { // as many layers as anybody wraps around a writer
		if answer, ok := w.(*recording); ok {
			return answer.status != 0
		}
		inner, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return false
		}
		w = inner.Unwrap()
	}
	return false
}

// Address is the IP address of the caller. A proxy's headers are not believed
// here: whoever runs one rewrites the address before Tollgate sees it.
func Address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
