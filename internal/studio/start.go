package studio

import (
	"context"
	"net/http"
	"slices"
	"time"

	"tollgate.dev/internal/period"
	"tollgate.dev/internal/sink"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/usage"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/workspace"
)

func (c *Console) start(w http.ResponseWriter, r *http.Request) error {
	ctx, p := r.Context(), visitOf(r).place
	page := startPage{
		Frame: c.frame(r, web.T(ctx, "studio.nav.start"), "start"), Place: p, Gateway: c.options.Gateway,
		With: r.FormValue("with"), Fresh: r.FormValue("new") != "",
	}
	if !slices.Contains(collectors, page.With) {
		page.With = collectors[0]
	}
	var err error
	if page.Token, page.Ends, err = c.token(ctx, p); err != nil {
		return err
	}
	if page.Light, err = c.arrivals(ctx, p); err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, startView(page))
}

// token is the current token, for whoever may see it, and when the one before
// it ends.
func (c *Console) token(ctx context.Context, p place) (secret string, ends time.Time, err error) {
	if !p.Role.May(workspace.ViewToken) {
		return "", time.Time{}, nil
	}
	now := c.now()
	err = c.store.Read(ctx, func(tx *store.Tx) error {
		current, err := tx.CurrentToken(ctx, p.Workspace.ID)
		if err != nil {
			return err
		}
		secret = current.Secret
		list, err := tx.Notices(ctx, p.Workspace.ID, now.Add(-workspace.TokenOverlap), maxNotices)
		for _, n := range list {
			if at, parsed := time.Parse(time.RFC3339, n.Args["ends"]); n.Kind == "token_changed" && parsed == nil && at.After(now) && at.After(ends) {
				ends = at
			}
		}
		return err
	})
	return secret, ends, err
}

// arrivals says whether anything has arrived: a record in the sink, or, where
// records are not kept, usage of today.
func (c *Console) arrivals(ctx context.Context, p place) (light, error) {
	now := c.now()
	l := light{Path: p.path("start/light"), Page: p.path("start"), Now: now, Zone: p.Site.Zone}
	found, err := c.options.Records.Query(ctx, sink.Query{WorkspaceID: p.Workspace.ID, Generation: p.Workspace.Generation, At: now, Limit: 1})
	if err != nil {
		return l, err
	}
	if len(found.Records) > 0 {
		l.Arrived, l.At = true, found.Records[0].Received
		return l, nil
	}
	day := usage.Of(period.DayOf(now, p.Site.Zone), p.Site.Zone)
	err = c.store.Read(ctx, func(tx *store.Tx) error {
		samples, err := tx.UsageBetween(ctx, p.Workspace.ID, p.Workspace.Generation, day.From, day.To)
		if len(samples) > 0 {
			l.Arrived, l.At = true, samples[len(samples)-1].Hour
		}
		return err
	})
	return l, err
}

func (c *Console) light(w http.ResponseWriter, r *http.Request) error {
	l, err := c.arrivals(r.Context(), visitOf(r).place)
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, lightView(l))
}

// replaceToken makes a new token; a second click within a moment finds that
// the first one was replaced and makes no third.
func (c *Console) replaceToken(w http.ResponseWriter, r *http.Request) error {
	ctx, v, now := r.Context(), visitOf(r), c.now()
	err := c.store.Write(ctx, func(tx *store.Tx) error {
		current, err := tx.CurrentToken(ctx, v.place.Workspace.ID)
		if err != nil {
			return err
		}
		if age := now.Sub(current.CreatedAt); age < sameWithin && current.CreatedAt.After(v.place.Workspace.CreatedAt) {
			return nil
		}
		_, err = workspace.ReplaceToken(ctx, tx, v.place.Workspace.ID, v.actor(r), now)
		return err
	})
	if err != nil {
		return err
	}
	c.Say(ctx, web.Good, web.T(ctx, "studio.start.rotated"))
	return web.SeeOther(w, r, v.place.path("start"))
}
