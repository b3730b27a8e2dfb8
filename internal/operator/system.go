package operator

import (
	"context"
	"net/http"
	"time"

	"tollgate.dev/internal/job"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
)

// System is the installation itself.
type System struct {
	Frame   web.Frame
	Form    *web.Form
	Now     time.Time
	Sandbox bool
	Engine  string
	Answers bool // the store does
	Queued  int64
	Version string
	Profile string
	BaseURL string
}

func (o *Console) system(r *http.Request, form *web.Form) (System, error) {
	ctx := r.Context()
	page := System{
		Frame: o.frame(r, web.T(ctx, "op.nav.system"), "system"), Form: form, Now: o.Clock.Now(), Sandbox: o.Clock.Sandbox,
		Version: o.Version, Profile: string(o.Profile), BaseURL: o.BaseURL, Answers: o.Store.Ping(ctx) == nil,
	}
	err := o.Store.Read(ctx, func(tx *store.Tx) (err error) {
		page.Engine = "SQLite"
		if tx.Dialect() == store.Postgres {
			page.Engine = "PostgreSQL"
		}
		page.Queued, err = tx.QueuedJobs(ctx)
		return err
	})
	return page, err
}

func (o *Console) systemPage(w http.ResponseWriter, r *http.Request) error {
	page, err := o.system(r, web.Blank())
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, systemPage(page))
}

// longestMove bounds how long a page waits for the work that falls due.
const longestMove = 5 * time.Minute

// advance is the time machine: the clock moves, and every job that falls due
// on the way runs in order.
func (o *Console) advance(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	now, err := o.move(ctx, form.Text("step"))
	if form.Refused(err) {
		page, bad := o.system(r, form)
		if bad != nil {
			return bad
		}
		return web.Render(w, r, form.Status(), systemPage(page))
	}
	if err != nil {
		return err
	}
	o.say(ctx, web.Good, "op.said.clock", "now", web.Instant(now, zone)+" "+web.Zone(now, zone))
	return web.SeeOther(w, r, Prefix+"/system")
}

func (o *Console) move(ctx context.Context, step string) (time.Time, error) {
	if !o.Clock.Sandbox || o.Clock.Advance == nil {
		return time.Time{}, job.ErrNotSandbox
	}
	by, err := job.ParseStep(step, o.Clock.Now())
	if err != nil {
		return time.Time{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, longestMove)
	defer cancel()
	return o.Clock.Advance(ctx, by)
}
