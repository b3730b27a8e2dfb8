package studio

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/workspace"
)

func (c *Console) settings(w http.ResponseWriter, r *http.Request) error {
	return c.settingsPage(w, r, nil, nil)
}

// settingsPage shows the settings, with the form that is wrong, if one is.
func (c *Console) settingsPage(w http.ResponseWriter, r *http.Request, form, invite *web.Form) error {
	ctx, v := r.Context(), visitOf(r)
	page := settingsPage{Frame: c.frame(r, web.T(ctx, "studio.nav.settings"), "settings"), Place: v.place, Form: form, Invite: invite}
	err := c.store.Read(ctx, func(tx *store.Tx) error {
		list, err := tx.Members(ctx, v.place.Workspace.ID)
		for _, m := range list {
			page.Members = append(page.Members, member{
				AccountID: m.AccountID, Name: m.UserName, Email: m.Email, Role: m.Role, JoinedAt: m.JoinedAt, Self: m.AccountID == v.account.ID,
			})
		}
		return err
	})
	if err != nil {
		return err
	}
	if page.Token, page.Ends, err = c.token(ctx, v.place); err != nil {
		return err
	}
	status := form.Status()
	if invite != nil {
		status = invite.Status()
	}
	return web.Render(w, r, status, settingsView(page))
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
		return c.settingsPage(w, r, form, nil)
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

// join adds somebody who has an account on the site.
func (c *Console) join(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	ctx, v := r.Context(), visitOf(r)
	var guest account.Studio
	err = c.store.Write(ctx, func(tx *store.Tx) error {
		email, err := account.NormalEmail(form.Text("email"))
		if err != nil {
			return account.ErrEmailForm.On("email")
		}
		guest, err = tx.StudioByEmail(ctx, v.place.Workspace.Site, email)
		if errors.Is(err, account.ErrUnknown) {
			return workspace.ErrMemberUnknown.On("email")
		}
		if err != nil {
			return err
		}
		return workspace.Join(ctx, tx, v.place.Workspace.ID, guest.ID, workspace.Role(form.Text("role")), v.actor(r), c.now())
	})
	if form.Refused(err) {
		return c.settingsPage(w, r, nil, form)
	}
	if err != nil {
		return err
	}
	return c.saved(w, r, web.T(ctx, "studio.settings.added", "name", guest.UserName))
}

func (c *Console) changeRole(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	ctx, v := r.Context(), visitOf(r)
	err = c.store.Write(ctx, func(tx *store.Tx) error {
		return workspace.ChangeRole(ctx, tx, v.place.Workspace.ID, r.PathValue("account"), workspace.Role(form.Text("role")), v.actor(r), c.now())
	})
	if err != nil {
		return err
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
	ctx, p := r.Context(), visitOf(r).place
	page := noticesPage{Frame: c.frame(r, web.T(ctx, "studio.nav.notices"), "notices"), Place: p}
	err := c.store.Read(ctx, func(tx *store.Tx) error {
		list, err := tx.Notices(ctx, p.Workspace.ID, c.now().AddDate(0, 0, -noticeDays), maxNotices)
		for _, n := range list {
			page.List = append(page.List, told(ctx, p, n))
		}
		return err
	})
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, noticesView(page))
}

// told is a notice in the reader's language.
func told(ctx context.Context, p place, n workspace.Notice) notice {
	switch n.Kind {
	case "token_changed":
		at, _ := time.Parse(time.RFC3339, n.Args["ends"])
		return notice{n.CreatedAt, web.Accent, web.T(ctx, "studio.notices.token_changed", "suffix", n.Args["suffix"], "at", web.Instant(at, p.Site.Zone)+" "+web.Zone(at, p.Site.Zone))}
	case "quota_warning":
		return notice{n.CreatedAt, web.Warn, web.T(ctx, "studio.notices.quota_warning", quotaArgs(ctx, n)...)}
	case "quota_exhausted":
		return notice{n.CreatedAt, web.Bad, web.T(ctx, "studio.notices.quota_exhausted", quotaArgs(ctx, n)...)}
	}
	return notice{n.CreatedAt, web.Plain, n.Kind}
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
