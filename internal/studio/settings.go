package studio

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/workspace"
)

func (c *Console) settings(w http.ResponseWriter, r *http.Request) error {
	return c.renderSettings(w, r, settingsForms{})
}

// settingsForms are the forms of the page; the one that is wrong is there.
type settingsForms struct {
	name     *web.Form
	invite   *web.Form
	handover *web.Form
}

func (f settingsForms) status() int {
	for _, form := range []*web.Form{f.invite, f.handover} {
		if form != nil {
			return form.Status()
		}
	}
	return f.name.Status()
}

// renderSettings shows the settings, with the form that is wrong, if one is.
func (c *Console) renderSettings(w http.ResponseWriter, r *http.Request, forms settingsForms) error {
	ctx, v := r.Context(), visitOf(r)
	page := settingsPage{
		Frame: c.frame(r, web.T(ctx, "studio.nav.settings"), "settings"), Place: v.place, Form: forms.name, Invite: forms.invite, Self: v.account.ID,
	}
	err := c.store.Read(ctx, func(tx *store.Tx) error {
		list, err := tx.Members(ctx, v.place.Workspace.ID)
		if err != nil {
			return err
		}
		for _, m := range list {
			page.Members = append(page.Members, member{
				AccountID: m.AccountID, Name: m.UserName, Email: m.Email, Role: m.Role, JoinedAt: m.JoinedAt, Self: m.AccountID == v.account.ID,
			})
		}
		page.Team, err = c.underWay(ctx, tx, v)
		return err
	})
	if err != nil {
		return err
	}
	page.Team.Handover = forms.handover
	if page.Token, page.Ends, err = c.token(ctx, v.place); err != nil {
		return err
	}
	return web.Render(w, r, forms.status(), settingsView(page))
}

func (c *Console) rename(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	ctx, v := r.Context(), visitOf(r)
	err = c.store.Write(ctx, func(tx *store.Tx) error {
		return workspace.Rename(ctx, tx, v.place.Workspace.ID, form.Text("name"), form.Text("language"), v.actor(r), c.now())
	})
	if form.Refused(err) {
		return c.renderSettings(w, r, settingsForms{name: form})
	}
	if err != nil {
		return err
	}
	return c.saved(w, r, web.T(ctx, "studio.settings.saved"))
}

func (c *Console) saved(w http.ResponseWriter, r *http.Request, text string) error {
	c.Say(r.Context(), web.Good, text)
	return web.SeeOther(w, r, visitOf(r).place.path("settings"))
}

// join adds somebody who has an account on the site, and invites by mail
// somebody who has none.
func (c *Console) join(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	ctx, v := r.Context(), visitOf(r)
	var came workspace.Arrival
	err = c.store.Write(ctx, func(tx *store.Tx) (err error) {
		came, err = workspace.Invite(ctx, tx, v.place.Workspace.ID, form.Text("email"), workspace.Role(form.Text("role")), v.actor(r), c.now())
		return err
	})
	if form.Refused(err) {
		return c.renderSettings(w, r, settingsForms{invite: form})
	}
	if err != nil {
		return err
	}
	switch {
	case came.Invitation.ID != "":
		return c.saved(w, r, web.T(ctx, "studio.team.invited", "email", came.Invitation.Email))
	case came.Promotion.ID != "":
		return c.saved(w, r, web.T(ctx, "studio.team.added_waits", "name", came.UserName))
	}
	return c.saved(w, r, web.T(ctx, "studio.settings.added", "name", came.UserName))
}

func (c *Console) changeRole(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	ctx, v := r.Context(), visitOf(r)
	var waits workspace.Promotion
	err = c.store.Write(ctx, func(tx *store.Tx) (err error) {
		waits, err = workspace.ChangeRole(ctx, tx, v.place.Workspace.ID, r.PathValue("account"), workspace.Role(form.Text("role")), v.actor(r), c.now())
		return err
	})
	if err != nil {
		return err
	}
	if waits.ID != "" {
		return c.saved(w, r, web.T(ctx, "studio.team.asked_billing_center"))
	}
	return c.saved(w, r, web.T(ctx, "studio.settings.changed"))
}

func (c *Console) remove(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), visitOf(r)
	err := c.store.Write(ctx, func(tx *store.Tx) error {
		return workspace.Leave(ctx, tx, v.place.Workspace.ID, r.PathValue("account"), v.actor(r), c.now())
	})
	if err != nil {
		return err
	}
	return c.saved(w, r, web.T(ctx, "studio.settings.removed"))
}

func (c *Console) leave(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), visitOf(r)
	err := c.store.Write(ctx, func(tx *store.Tx) error {
		return workspace.Leave(ctx, tx, v.place.Workspace.ID, v.account.ID, v.actor(r), c.now())
	})
	if err != nil {
		return err
	}
	c.Say(ctx, web.Good, web.T(ctx, "studio.settings.left", "workspace", v.place.Workspace.Name))
	return web.SeeOther(w, r, Prefix+"/")
}

// How far back, and how many, in-app notices are shown.
const (
	noticeDays = 30
	maxNotices = 100
)

func (c *Console) notices(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), visitOf(r)
	p := v.place
	page := noticesPage{Frame: c.frame(r, web.T(ctx, "studio.nav.notices"), "notices"), Place: p}
	err := c.store.Read(ctx, func(tx *store.Tx) error {
		read, err := tx.NoticesReadThrough(ctx, p.Workspace.ID, v.account.ID)
		if err != nil {
			return err
		}
		list, err := tx.Notices(ctx, p.Workspace.ID, c.since(v), maxNotices)
		for _, n := range list {
			shown := told(ctx, p, n)
			if shown.New = n.CreatedAt.After(read); shown.New {
				page.Unread++
			}
			page.List = append(page.List, shown)
		}
		return err
	})
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, noticesView(page))
}

// since is from when on notices are shown: some weeks back, and not before the
// member joined.
func (c *Console) since(v *visit) time.Time {
	since := c.now().AddDate(0, 0, -noticeDays)
	if v.joinedAt.After(since) {
		return v.joinedAt
	}
	return since
}

// told is a notice in the reader's language.
func told(ctx context.Context, p place, n workspace.Notice) notice {
	switch n.Kind {
	case "token_changed":
		at, _ := time.Parse(time.RFC3339, n.Args["ends"])
		return notice{At: n.CreatedAt, Tone: web.Accent, Text: web.T(ctx, "studio.notices.token_changed", "suffix", n.Args["suffix"], "at", web.Instant(at, p.Site.Zone)+" "+web.Zone(at, p.Site.Zone))}
	case "quota_warning":
		return notice{At: n.CreatedAt, Tone: web.Warn, Text: web.T(ctx, "studio.notices.quota_warning", quotaArgs(ctx, n)...)}
	case "quota_exhausted":
		return notice{At: n.CreatedAt, Tone: web.Bad, Text: web.T(ctx, "studio.notices.quota_exhausted", quotaArgs(ctx, n)...)}
	}
	return teamNotice(ctx, n)
}

// teamNotice is a notice of what happened in the team.
func teamNotice(ctx context.Context, n workspace.Notice) notice {
	tone := web.Accent
	switch n.Kind {
	case "promotion_accepted":
		tone = web.Good
	case "promotion_rejected", "promotion_expired":
		tone = web.Warn
	case "owner_changed":
	default:
		return notice{At: n.CreatedAt, Tone: web.Plain, Text: n.Kind}
	}
	text := web.T(ctx, "studio.told."+n.Kind, "member", n.Args["member"], "before", n.Args["before"], "now", n.Args["now"])
	return notice{At: n.CreatedAt, Tone: tone, Text: text}
}

func quotaArgs(ctx context.Context, n workspace.Notice) []any {
	figure := func(key string) string {
		v, err := strconv.ParseInt(n.Args[key], 10, 64)
		if err != nil {
			return n.Args[key]
		}
		return web.Count(v)
	}
	return []any{"item", web.Name(ctx, "item", n.Args["item"]), "used", figure("used"), "quota", figure("limit")}
}
