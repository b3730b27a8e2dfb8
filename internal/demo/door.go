package demo

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"

	"tollgate.dev/internal/job"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/web"
)

// Config is what the start page needs.
type Config struct {
	BaseURL    string
	GatewayURL string
	Markets    string // address of the simulated cloud marketplaces
	Sessions   scs.Store
	Now        func() time.Time
	Advance    func(ctx context.Context, by time.Duration) (time.Time, error)
	Log        *slog.Logger
}

// Door is the start page and the time machine.
type Door struct {
	*web.Console
	config Config
	zone   *time.Location
}

// New makes the door; mount it at / and at /demo.
func New(c Config) (*Door, error) {
	s, err := site.Find(Site)
	if err != nil {
		return nil, err
	}
	d := &Door{config: c, zone: s.Zone}
	d.Console = web.NewConsole(web.Options{
		Name: "demo", Prefix: "/demo", SignIn: "/demo", Cookie: "tollgate_demo", BaseURL: c.BaseURL,
		Sessions: c.Sessions, Log: c.Log, Now: c.Now,
		Guard: func(r *http.Request, _ web.Need) (*http.Request, error) { return r, nil },
		Frame: d.frame,
	})
	d.Serve(
		web.Route{Method: http.MethodGet, Pattern: "/demo", Needs: web.Public, Handler: d.start},
		web.Route{Method: http.MethodGet, Pattern: "/{$}", Needs: web.Public, Handler: d.start},
		web.Route{Method: http.MethodPost, Pattern: "/demo/clock", Needs: web.Public, Handler: d.advance},
	)
	return d, nil
}

func (d *Door) frame(r *http.Request) web.Frame {
	ctx := r.Context()
	return web.Frame{Title: web.T(ctx, "demo.title"), Console: web.T(ctx, "demo.console"), Home: "/demo", Focused: true, Notices: d.Said(ctx)}
}

// startView is what the start page shows.
type startView struct {
	Frame web.Frame
	Now   time.Time
	Zone  *time.Location
	Doors []web.Pair
}

func (d *Door) start(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	return web.Render(w, r, http.StatusOK, startPage(startView{
		Frame: d.frame(r), Now: d.config.Now(), Zone: d.zone,
		Doors: []web.Pair{
			{Term: web.T(ctx, "demo.doors.gateway"), Text: d.config.GatewayURL, Mono: true},
			{Term: web.T(ctx, "demo.doors.mailbox"), Part: place(d.config.BaseURL+"/mailbox", "/mailbox")},
			{Term: web.T(ctx, "cloud.demo.markets"), Part: place(d.config.Markets+"/", d.config.Markets+"/")},
			{Term: web.T(ctx, "demo.doors.api"), Part: place(d.config.BaseURL+"/api/v1/openapi.json", "/api/v1/openapi.json")},
		},
	}))
}

// longestMove bounds a move of the clock from a page.
const longestMove = 5 * time.Minute

func (d *Door) advance(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	by, err := job.ParseStep(form.Text("step"), d.config.Now())
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), longestMove)
	defer cancel()
	now, err := d.config.Advance(ctx, by)
	if err != nil {
		return err
	}
	d.Say(r.Context(), web.Good, web.T(r.Context(), "demo.clock.moved", "now", web.Instant(now, d.zone)))
	return web.SeeOther(w, r, "/demo")
}

// tourSteps are where the eight steps of the tour begin.
var tourSteps = [...]string{
	"/studio/sign-in?site=cn1", "/studio", "/studio", "/billing-center/register", "/mailbox", "/studio", "/demo", "/billing-center",
}

// person is one of the three to sign in as.
type person struct {
	Who, Login, Place, Does, Href string
}

func cast(ctx context.Context) []person {
	return []person{
		{web.T(ctx, "demo.owner"), OwnerEmail, web.Name(ctx, "site", string(Site)), web.T(ctx, "demo.owner.does"), "/studio/sign-in?site=cn1"},
		{web.T(ctx, "demo.payer"), PayerName, PayerEmail, web.T(ctx, "demo.payer.does"), "/billing-center/sign-in"},
		{web.T(ctx, "demo.operator"), OperatorEmail, "", web.T(ctx, "demo.operator.does"), "/operator/sign-in"},
	}
}

// Instant is the time of the sandbox as its site's clocks show it.
func Instant(at time.Time) string {
	s, err := site.Find(Site)
	if err != nil {
		return at.Format(time.DateTime)
	}
	return web.Instant(at, s.Zone) + " " + web.Zone(at, s.Zone)
}
