package studio

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/a-h/templ"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/arrears"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/workspace"
)

// visit is who calls, and the workspace that is called for.
type visit struct {
	account account.Studio
	list    []store.Membership
	place   place // zero outside of a workspace
	unread  int   // in-app notices of the workspace that this member has not read

	joinedAt time.Time // as a member of the workspace
}

// mostUnread is the most that the navigation counts.
const mostUnread = 99

type visitKey struct{}

// visitOf is the visit of a request, or nil where nobody is signed in.
func visitOf(r *http.Request) *visit {
	v, _ := r.Context().Value(visitKey{}).(*visit)
	return v
}

func (v *visit) actor(r *http.Request) workspace.Actor {
	return workspace.Actor{AccountID: v.account.ID, Address: web.Address(r)}
}

// guard finds out who calls and whether the role allows it.
func (c *Console) guard(r *http.Request, needs web.Need) (*http.Request, error) {
	v, err := c.visit(r)
	if v != nil {
		r = web.Prefer(r, v.account.Language)
		r = r.WithContext(context.WithValue(r.Context(), visitKey{}, v))
	}
	if needs == web.Public && (err == nil || fault.From(err).Kind != fault.Internal) {
		return r, nil
	}
	if err != nil || needs == web.SignedIn {
		return r, err
	}
	if err := admits(v.place, needs); err != nil {
		return r, err
	}
	return r, v.place.Role.Require(workspace.Action(needs))
}

// visit reads the account, its workspaces, and the one of the path. Somebody
// who is signed in but not a member of it gets the visit without the place.
func (c *Console) visit(r *http.Request) (*visit, error) {
	ctx := r.Context()
	accountID := c.Account(ctx)
	if accountID == "" {
		return nil, account.ErrSignedOut
	}
	v := &visit{}
	var here account.SignIn
	err := c.store.Read(ctx, func(tx *store.Tx) (err error) {
		a, err := tx.StudioByID(ctx, accountID)
		if err != nil {
			return err
		}
		if here, err = c.desk.Present(ctx, tx, a.ID, a.Password); err != nil {
			return err
		}
		v.account = a
		if v.list, err = tx.WorkspacesOf(ctx, accountID); err != nil {
			return err
		}
		wanted := r.PathValue("workspace")
		if wanted == "" {
			return nil
		}
		if err := v.enter(ctx, tx, wanted); err != nil {
			return err
		}
		m, err := tx.Member(ctx, wanted, accountID)
		if err != nil {
			return err
		}
		v.joinedAt = m.JoinedAt
		v.unread, err = tx.UnreadNotices(ctx, wanted, accountID, c.since(v), mostUnread)
		return err
	})
	switch {
	case errors.Is(err, account.ErrUnknown):
		return nil, account.ErrSignedOut // the account of an old session is gone
	case v.account.ID == "":
		return nil, err
	}
	if seen := c.desk.Saw(r, here); seen != nil {
		return nil, seen
	}
	return v, err
}

func (v *visit) enter(ctx context.Context, tx *store.Tx, wanted string) error {
	for _, m := range v.list {
		if m.Workspace.ID != wanted {
			continue
		}
		s, err := site.Find(m.Workspace.Site)
		if err != nil {
			return err
		}
		owner, err := tx.StudioByID(ctx, m.Workspace.OwnerID)
		if err != nil {
			return err
		}
		v.place = place{Workspace: m.Workspace, Site: s, Role: m.Role, Owner: person{owner.UserName, owner.Email}}
		v.place.Standing, err = arrears.Look(ctx, tx, m.Workspace)
		return err
	}
	return workspace.ErrUnknown
}

// frame is the frame of a page of this visit; section is the current part of
// the navigation.
func (c *Console) frame(r *http.Request, title, section string) web.Frame {
	ctx := r.Context()
	f := web.Frame{
		Title: title, Console: web.Name(ctx, "console", "studio"), Home: Prefix + "/",
		Notices: c.Said(ctx), Note: c.options.Note,
	}
	v := visitOf(r)
	if v == nil {
		f.Focused = true
		return f
	}
	f.Person = &web.Person{
		Name: v.account.UserName, Detail: v.account.Email, SignOut: Prefix + "/sign-out",
		Links: []web.NavItem{{Label: web.T(ctx, "holder.title"), Href: Prefix + "/account", Icon: "user"}},
	}
	if v.place.Workspace.ID == "" {
		f.Focused = true
		return f
	}
	f.Person.Detail = web.Name(ctx, "role", v.place.Role)
	f.Switcher = switcher(ctx, v)
	if v.place.Standing.WhyLocked() != nil {
		return f // the lock page leads to other workspaces only
	}
	f.Nav = navigation(ctx, v, section)
	if v.place.Workspace.State == workspace.Grace {
		owner := v.place.Role.May(workspace.UnlockWorkspace)
		n := web.Stopped(ctx, v.place.Standing, c.now(), v.place.Site.Zone, owner)
		if owner {
			n.Action = &web.Action{Label: web.T(ctx, "standing.unlock"), Href: v.place.path("unlock")}
		}
		f.Notices = append(f.Notices, n)
	}
	return f
}

func switcher(ctx context.Context, v *visit) *web.Switcher {
	s := &web.Switcher{
		Name: v.place.Workspace.Name, NewHref: Prefix + "/workspaces/new",
		Note: web.Name(ctx, "plan", v.place.Workspace.Plan) + " · " + string(v.place.Site.ID),
	}
	for _, m := range v.list {
		s.Items = append(s.Items, web.NavItem{
			Label: m.Workspace.Name, Href: Prefix + "/workspaces/" + m.Workspace.ID,
			Badge: web.Name(ctx, "plan", m.Workspace.Plan), Current: m.Workspace.ID == v.place.Workspace.ID,
		})
	}
	return s
}

func navigation(ctx context.Context, v *visit, section string) []web.NavItem {
	p := v.place
	item := func(name, tail, icon string) web.NavItem {
		return web.NavItem{Label: web.T(ctx, "studio.nav."+name), Href: p.path(tail), Icon: icon, Current: name == section}
	}
	nav := []web.NavItem{item("start", "start", "rocket"), item("explorer", "explorer", "search")}
	if p.Role.May(workspace.ViewBilling) {
		nav = append(nav, item("billing", "billing", "receipt"))
	}
	if p.Role.May(workspace.ViewBilling) && p.Workspace.Plan == workspace.Commercial {
		nav = append(nav, item("analysis", "analysis", "activity"), item("alerts", "alerts", "alert"))
	}
	if p.Role.May(workspace.UpgradePlan) && p.Workspace.Plan == workspace.Experience {
		nav = append(nav, item("upgrade", "upgrade", "arrow-up"))
	}
	told := item("notices", "notices", "bell")
	if v.unread > 0 {
		told.Badge, told.Tone = strconv.Itoa(v.unread), web.Accent
	}
	return append(nav, told, item("settings", "settings", "settings"))
}

// problemFrame is the frame of an error page.
func (c *Console) problemFrame(r *http.Request) web.Frame { return c.frame(r, "", "") }

// aside tells whoever may not do something who can.
func (c *Console) aside(r *http.Request, f *fault.Error) templ.Component {
	v := visitOf(r)
	if v == nil || v.place.Workspace.ID == "" {
		return nil
	}
	switch {
	case errors.Is(f, workspace.ErrOwnerOnly):
		return ownerAside(v.place)
	case errors.Is(f, workspace.ErrNotPermitted):
		return managersAside(v.place)
	case errors.Is(f, workspace.ErrDissolved), errors.Is(f, workspace.ErrCleared):
		return closedAside(v.place)
	}
	return nil
}
