package web

import (
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/a-h/templ"
	"github.com/alexedwards/scs/v2"

	"tollgate.dev/internal/fault"
)

// Options make a console.
type Options struct {
	Name     string // studio, billing_center, operator: names the cookie and the title
	Prefix   string // where its pages live: /studio
	SignIn   string // the path of its sign-in page
	Cookie   string // its session cookie
	BaseURL  string // the installation's own address; https makes cookies Secure
	Sessions scs.Store
	Log      *slog.Logger
	Now      func() time.Time

	// Guard finds out who calls and says why the need is not met, if it is
	// not. The request that it returns carries what it found; beside an error
	// it may be nil.
	Guard func(r *http.Request, needs Need) (*http.Request, error)
	// Frame is the frame of an error page; it must make do with a request
	// that Guard refused.
	Frame func(r *http.Request) Frame
	// Aside adds to an error page what the console knows about the fault,
	// such as whom to ask. It may be nil, and may return nil.
	Aside func(r *http.Request, f *fault.Error) templ.Component
	// Page is the page of a fault that has one of its own, such as that of a
	// locked workspace; may be nil, and may give nil.
	Page func(r *http.Request, f *fault.Error) templ.Component
}

// Console serves the routes of one console.
type Console struct {
	Options
	sessions *scs.SessionManager
	csrf     *http.CrossOriginProtection
	mux      *http.ServeMux
	routes   []Route
}

// SessionLife is how long somebody stays signed in.
const SessionLife = 24 * time.Hour

// NewConsole makes a console of its routes. A route that states no need is a
// programmer's mistake: nothing is served that nobody thought about.
func NewConsole(o Options) *Console {
	c := &Console{Options: o, sessions: scs.New(), csrf: http.NewCrossOriginProtection(), mux: http.NewServeMux()}
	c.sessions.Store = o.Sessions
	c.sessions.Lifetime = SessionLife
	c.sessions.HashTokenInStore = true
	c.sessions.Cookie.Name = o.Cookie
	c.sessions.Cookie.Path = "/"
	c.sessions.Cookie.HttpOnly = true
	c.sessions.Cookie.SameSite = http.SameSiteLaxMode
	c.sessions.Cookie.Secure = strings.HasPrefix(o.BaseURL, "https://")
	c.sessions.ErrorFunc = func(w http.ResponseWriter, r *http.Request, err error) { c.Fail(w, r, err) }
	if o.BaseURL != "" {
		if err := c.csrf.AddTrustedOrigin(o.BaseURL); err != nil {
			panic("web: the base URL " + o.BaseURL + ": " + err.Error())
		}
	}
	c.csrf.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { c.Fail(w, r, ErrCrossOrigin) }))
	c.route(Route{Pattern: o.Prefix + "/", Needs: Public, Handler: func(http.ResponseWriter, *http.Request) error { return ErrPageUnknown }})
	return c
}

// Serve adds routes.
func (c *Console) Serve(routes ...Route) {
	for _, route := range routes {
		if route.Needs == "" {
			panic("web: nobody said who may call " + route.Method + " " + route.Pattern)
		}
		c.routes = append(c.routes, route)
		c.route(route)
	}
}

func (c *Console) route(route Route) {
	pattern := strings.TrimSpace(route.Method + " " + route.Pattern)
	c.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		known, err := c.Guard(r, route.Needs)
		if known == nil {
			known = r
		}
		if err == nil {
			err = route.Handler(w, known)
		}
		if err != nil {
			c.Fail(w, known, err)
		}
	})
}

// Routes lists the route table, for tests of who may call what.
func (c *Console) Routes() []Route { return c.routes }

// Handler is the console with everything around it.
func (c *Console) Handler() http.Handler {
	inner := c.recovering(c.csrf.Handler(c.mux))
	return c.logging(guarding(preferring(c.sessions.LoadAndSave(begun(inner)))))
}
