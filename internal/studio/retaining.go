package studio

import (
	"context"
	"errors"
	"net/http"
	"time"

	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/logindex"
	"tollgate.dev/internal/retention"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/workspace"
)

// maxClassChanges is how many changes of class the page lists; historyYears how
// far back they go.
const (
	maxClassChanges = 20
	historyYears    = 1
)

func (c *Console) retentionRoutes() []web.Route {
	return []web.Route{
		of("GET", "/retention", workspace.ViewData, c.retention),
		of("POST", "/retention", workspace.ChangeRetention, c.changeRetention),
		of("POST", "/retention/log-rules", workspace.ChangeRetention, c.changeLogRules),
	}
}

// retentionPage shows for how long each type of data is kept.
type retentionPage struct {
	Frame   web.Frame
	Place   place
	Form    *web.Form // of a new index
	Types   []retentionLine
	Indexes []retentionLine
	Routing logindex.Routing
	Logs    retentionLine // of the default index
	Changes []retention.ClassChange
	Now     time.Time
}

// retentionLine is a type of data or an index.
type retentionLine struct {
	retention.Setting
	Allowed []string
	FreeAt  time.Time // from when on the next change acts at once
}

// confirmRetentionPage asks before metrics are deleted.
type confirmRetentionPage struct {
	Frame  web.Frame
	Place  place
	Form   *web.Form
	Before string
	Class  string
	ActsAt time.Time
	AtOnce bool
}

func (c *Console) retention(w http.ResponseWriter, r *http.Request) error {
	return c.retentionView(w, r, nil)
}

func (c *Console) retentionView(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	ctx, p, now := r.Context(), visitOf(r).place, c.now()
	page := retentionPage{Frame: c.frame(r, web.T(ctx, "studio.retention.title"), "settings"), Place: p, Form: form, Now: now}
	v, err := retention.Version(c.options.Catalog, p.Site.ID, now)
	if err != nil {
		return err
	}
	err = c.store.Read(ctx, func(tx *store.Tx) error {
		chosen, err := tx.RetentionSettings(ctx, p.Workspace.ID)
		if err != nil {
			return err
		}
		page.fill(v, chosen)
		if page.Routing, err = tx.LogRouting(ctx, p.Workspace.ID); err != nil {
			return err
		}
		page.Changes, err = tx.ClassChanges(ctx, p.Workspace.ID, now.AddDate(-historyYears, 0, 0), now, maxClassChanges)
		return err
	})
	if err != nil {
		return err
	}
	return web.Render(w, r, form.Status(), retentionView(page))
}

// fill takes over what holds now.
func (p *retentionPage) fill(v *catalog.Version, chosen []retention.Setting) {
	now := retention.Of(p.Place.Workspace.Plan, v).With(chosen, p.Now)
	line := func(s retention.Setting) retentionLine {
		t, _ := v.Retention.Type(s.Type)
		return retentionLine{s, t.Allowed, s.FreeAt(p.Now, p.Place.Site.Zone)}
	}
	for _, t := range now.Types() {
		if now.Fixed() && !keptFree(v, t) {
			continue
		}
		p.Types = append(p.Types, line(now.Setting(retention.Target{Type: t})))
	}
	p.Logs = line(now.Setting(retention.IndexOf(retention.DefaultIndex)))
	for _, s := range now.Indexes() {
		p.Indexes = append(p.Indexes, line(s))
	}
}

// keptFree reports whether the free plan has a type of data at all: it has not
// when no item of that type is part of it.
func keptFree(v *catalog.Version, dataType string) bool {
	items := 0
	for _, item := range v.Items {
		if item.Retention != dataType {
			continue
		}
		items++
		if v.Quotas.Of(item.ID).Supported {
			return true
		}
	}
	return items == 0
}

// changeRetention changes one class. Metrics take two steps: the first shows
// what will be deleted.
func (c *Console) changeRetention(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	ctx, v := r.Context(), visitOf(r)
	target := retention.Target{Type: form.Text("type"), Index: form.Text("index")}
	if target.Type == retention.Logs {
		target = retention.IndexOf(target.Index)
	}
	wish := retention.Wish{Target: target, Class: form.Text("class"), Confirmed: form.Ticked("confirmed")}
	prices, err := retention.Version(c.options.Catalog, v.place.Site.ID, c.now())
	if err != nil {
		return err
	}
	var made retention.Changed
	err = c.store.Write(ctx, func(tx *store.Tx) error {
		made, err = retention.Change(ctx, tx, prices, v.place.Workspace.ID, wish, v.actor(r), c.now())
		return err
	})
	switch {
	case errors.Is(err, retention.ErrUnconfirmed):
		if form.Text("step") == "confirm" {
			form.Refused(err)
		}
		return c.confirmRetention(w, r, form, wish)
	case form.Refused(err):
		return c.retentionView(w, r, form)
	case err != nil:
		return err
	}
	c.Say(ctx, web.Good, outcomeText(ctx, v.place, made))
	return web.SeeOther(w, r, v.place.path("retention"))
}

func (c *Console) confirmRetention(w http.ResponseWriter, r *http.Request, form *web.Form, wish retention.Wish) error {
	ctx, p, now := r.Context(), visitOf(r).place, c.now()
	v, err := retention.Version(c.options.Catalog, p.Site.ID, now)
	if err != nil {
		return err
	}
	page := confirmRetentionPage{Frame: c.frame(r, web.T(ctx, "studio.retention.confirm_title"), "settings"), Place: p, Form: form, Class: wish.Class}
	err = c.store.Read(ctx, func(tx *store.Tx) error {
		chosen, err := tx.RetentionSettings(ctx, p.Workspace.ID)
		before := retention.Of(p.Workspace.Plan, v).With(chosen, now).Setting(wish.Target)
		page.Before, page.ActsAt = before.Class, before.FreeAt(now, p.Site.Zone)
		page.AtOnce = !page.ActsAt.After(now)
		return err
	})
	if err != nil {
		return err
	}
	return web.Render(w, r, form.Status(), confirmRetentionView(page))
}

// targetName is the name of a type of data or of an index.
func targetName(ctx context.Context, t retention.Target) string {
	if t.Index != "" {
		return web.T(ctx, "studio.retention.index_of", "index", t.Index)
	}
	return web.Name(ctx, "storage", t.Type)
}

// outcomeKeys are the sentences of what became of a wish.
var outcomeKeys = map[retention.Outcome]string{
	retention.AtOnce:    "studio.retention.done_at_once",
	retention.Held:      "studio.retention.done_held",
	retention.Cancelled: "studio.retention.done_cancelled",
	retention.Unchanged: "studio.retention.done_unchanged",
}

func outcomeText(ctx context.Context, p place, made retention.Changed) string {
	return web.T(ctx, outcomeKeys[made.Outcome], "type", targetName(ctx, made.Target),
		"class", web.Name(ctx, "class", outcomeClass(made)), "at", stamped(made.PendingAt, p))
}

// outcomeClass is the class that the outcome is about.
func outcomeClass(made retention.Changed) string {
	if made.Pending != "" {
		return made.Pending
	}
	return made.Class
}

// stamped is an instant with its zone.
func stamped(at time.Time, p place) string {
	return web.Instant(at, p.Site.Zone) + " " + web.Zone(at, p.Site.Zone)
}

// metricsFrom bounds what can be seen of metrics: they do not outlive a change
// of their class.
func (c *Console) metricsFrom(ctx context.Context, p place) (from time.Time, err error) {
	err = c.store.Read(ctx, func(tx *store.Tx) error {
		chosen, err := tx.RetentionSettings(ctx, p.Workspace.ID)
		from = retention.MetricsFrom(chosen, c.now())
		return err
	})
	return from, err
}
