// Package api is the door for programs: Tollgate's JSON API under /api/v1,
// described by the OpenAPI document that it serves.
//
// It owns the shape of requests and responses, sign-in by bearer token, and
// idempotency keys. It does not own rules: each call authenticates, opens one
// transaction, calls one noun and shows what came of it.
//
// Always true: every call stands in the table of routes.go, which says who may
// make it, and is refused to all others before its body is read; a refusal is
// a problem with a stable code; a call that changes something does so in one
// transaction, together with the answer kept under its idempotency key; bad
// input is never answered with a 500.
package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/invoice"
	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/sink"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/statement"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/till"
	"tollgate.dev/internal/topup"
	"tollgate.dev/internal/wallet"
)

// Prefix is where the API lives.
const Prefix = "/api/v1"

// maxBody bounds what a call may send that takes no file.
const maxBody = 64 << 10

// roomAtOnce bounds the memory that a body gets because it says that it is
// large.
const roomAtOnce = 256 << 10

// Config is what the API needs of the installation.
type Config struct {
	Store   *store.Store
	Now     func() time.Time // the installation's clock, which rules go by
	RealNow func() time.Time // the machine's clock, which sign-ins go by
	Catalog *catalog.Catalog
	Profile site.Profile
	Sink    sink.Sink
	Sandbox bool  // the clock can be moved
	Clock   Clock // moves it
	Log     *slog.Logger
	Topups  *topup.Desk       // payments are begun there
	Clouds  *marketplace.Desk // the marketplaces that settle
	Limits  wallet.Limits     // above which two operators credit a bank transfer
	Till    *till.Till        // deductions are posted there

	// Invoice draws an invoice request as a PDF in a language.
	Invoice func(ctx context.Context, r invoice.Request, language string) (Drawn, error)
	// Statement draws a statement as a file: a PDF in a language, or CSV.
	Statement func(ctx context.Context, s statement.Statement, format, language string) (Drawn, error)
}

// Clock moves the installation's time forward and does what falls due.
type Clock interface {
	Advance(ctx context.Context, by time.Duration) (time.Time, error)
}

// server is the API in operation.
type server struct {
	Config
	mux     *http.ServeMux
	unusual []Route // those whose bodies are
	logins  limiter
	begins  limiter
	seen    sightings
	known   knownKeys
}

// New makes the handler of everything under Prefix.
func New(c Config) http.Handler {
	s := &server{
		Config: c, mux: http.NewServeMux(),
		logins: limiter{most: maxLogins, window: loginWindow, now: c.RealNow},
		begins: limiter{most: maxBegins, window: beginWindow, now: c.RealNow},
	}
	document := s.mount()
	s.mux.HandleFunc("GET "+Prefix+"/openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/openapi+json")
		_, _ = w.Write(document)
	})
	s.mux.HandleFunc(Prefix+"/", s.unknown)
	return s
}

// mount registers every route and gives the OpenAPI document of them.
func (s *server) mount() []byte {
	format := huma.Format{Marshal: marshalJSON, Unmarshal: unmarshalJSON}
	config := huma.Config{
		OpenAPI:                      describe(),
		Formats:                      map[string]huma.Format{"application/json": format, "json": format}, // the second for problem+json
		DefaultFormat:                "application/json",
		RejectUnknownQueryParameters: true,
	}
	door := humago.NewWithPrefix(s.mux, Prefix, config)
	for _, r := range s.routes() {
		if r.Room > 0 {
			s.unusual = append(s.unusual, r.Route)
		}
		r.mount(s, door, r.Route)
	}
	document, err := json.Marshal(door.OpenAPI())
	if err != nil {
		panic("api: the routes cannot be described: " + err.Error())
	}
	return document
}

// describe is the head of the OpenAPI document.
func describe() *huma.OpenAPI {
	scheme := func(what string) *huma.SecurityScheme {
		return &huma.SecurityScheme{Type: "http", Scheme: "bearer", Description: "The token that POST " + what + " gives. It holds for 12 hours."}
	}
	return &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info: &huma.Info{
			Title: "Tollgate", Version: "1",
			Description: "Accounts, workspaces, the upgrade to the Commercial plan, usage, bills and the wallet. " +
				"Refusals are problems of RFC 9457 with a stable code. Amounts and quantities are decimal texts. " +
				"Instants are RFC 3339 with the offset of the site.",
			License: &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"},
		},
		Components: &huma.Components{
			Schemas: huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer),
			SecuritySchemes: map[string]*huma.SecurityScheme{
				string(Studio):        scheme("/studio/sessions"),
				string(BillingCenter): scheme("/billing-center/sessions"),
				string(Operator):      scheme("/operator/sessions"),
				string(Reader):        {Type: "http", Scheme: "bearer", Description: "An API key, made in Studio or in the Billing Center. It reads, and holds until it is revoked."},
				string(AccountReader): {Type: "http", Scheme: "bearer", Description: "An API key, made in the Billing Center. It reads what belongs to its account, and holds until it is revoked."},
				string(Service):       {Type: "http", Scheme: "bearer", Description: "A service's key, made by an operator. It reports usage, and holds until it is revoked."},
				string(Deducting):     {Type: "http", Scheme: "bearer", Description: "A key of a service of the platform, made by an operator. It has amounts deducted, and holds until it is revoked."},
				keyScheme:             {Type: "apiKey", In: "header", Name: KeyHeader, Description: "The same key, in a header of its own."},
			},
		},
	}
}

// ServeHTTP takes in the whole request, so that the calls behind it only see
// text that is whole, bounded and printable.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer s.recovered(w, r)
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	room, media := s.manner(r)
	body, problem := intake(w, r, room, media)
	if problem != nil {
		problem.write(w)
		return
	}
	if s.deductQuickly(w, r, body) {
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	s.mux.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), requestKey{}, received{r, body})))
}

func intake(w http.ResponseWriter, r *http.Request, room int64, media []string) ([]byte, *Problem) {
	if !printable(r.URL.Path) || strings.Contains(r.URL.RawQuery, ";") {
		return nil, single(ErrMalformed, http.StatusBadRequest)
	}
	query, err := queryOf(r)
	if err != nil || !printable(query) {
		return nil, single(ErrMalformed, http.StatusBadRequest)
	}
	if !speaks(r.Header, media) {
		return nil, single(ErrContentType, ErrContentType.Kind.Status())
	}
	body := bytes.NewBuffer(make([]byte, 0, max(0, min(r.ContentLength, roomAtOnce))+bytes.MinRead))
	_, err = body.ReadFrom(http.MaxBytesReader(w, r.Body, room))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, single(ErrBodyLarge.Says("The body is larger than %d KiB.", room>>10), ErrBodyLarge.Kind.Status())
	case err != nil:
		return nil, single(ErrMalformed, http.StatusBadRequest)
	}
	return body.Bytes(), nil
}

// speaks reports whether the body, if there is one, says that it is plain JSON,
// or of one of the media types that the call takes.
func speaks(h http.Header, also []string) bool {
	if encoding := h.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		return false
	}
	declared := h.Get("Content-Type")
	if declared == "" {
		return true
	}
	media, parameters, err := mime.ParseMediaType(declared)
	charset := strings.ToLower(parameters["charset"])
	return err == nil && (media == plainJSON || slices.Contains(also, media)) && (charset == "" || charset == "utf-8")
}

// queryOf is the decoded query as one text.
func queryOf(r *http.Request) (string, error) {
	var b strings.Builder
	values, err := parseQuery(r.URL.RawQuery)
	for key, list := range values {
		b.WriteString(key)
		for _, v := range list {
			b.WriteString(v)
		}
	}
	return b.String(), err
}

// printable is false for what no database takes as text: bytes that are not
// UTF-8, and the character NUL.
func printable(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

// recovered turns a panic, which is our mistake, into a problem.
func (s *server) recovered(w http.ResponseWriter, r *http.Request) {
	cause := recover()
	if cause == nil {
		return
	}
	if cause == http.ErrAbortHandler {
		panic(cause)
	}
	s.problem(fmt.Errorf("panic: %v\n%s", cause, debug.Stack()), r).write(w)
}

// unknown answers for paths without a call, and for calls with another method.
func (s *server) unknown(w http.ResponseWriter, r *http.Request) {
	var allow []string
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		other := r.Clone(r.Context())
		other.Method = method
		if _, pattern := s.mux.Handler(other); pattern != Prefix+"/" {
			allow = append(allow, method)
		}
	}
	if len(allow) == 0 {
		single(ErrRoute, http.StatusNotFound).write(w)
		return
	}
	w.Header().Set("Allow", strings.Join(allow, ", "))
	single(ErrMethod, http.StatusMethodNotAllowed).write(w)
}

func marshalJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// unmarshalJSON refuses texts that no database takes. Huma calls it twice: for
// the values that it validates, then for the struct.
func unmarshalJSON(data []byte, v any) error {
	if !utf8.Valid(data) {
		return ErrJSON
	}
	if err := json.Unmarshal(data, v); err != nil {
		return ErrJSON
	}
	if free, ok := v.(*any); ok && !printableAll(*free) {
		return ErrJSON
	}
	return nil
}

func printableAll(v any) bool {
	switch v := v.(type) {
	case string:
		return printable(v)
	case []any:
		for _, e := range v {
			if !printableAll(e) {
				return false
			}
		}
	case map[string]any:
		for k, e := range v {
			if !printable(k) || !printableAll(e) {
				return false
			}
		}
	}
	return true
}
