package studio

import (
	"errors"
	"net/http"
	"strings"

	"github.com/a-h/templ"

	"tollgate.dev/internal/arrears"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/workspace"
)

func (c *Console) standingRoutes() []web.Route {
	return []web.Route{
		of("GET", "/unlock", workspace.UnlockWorkspace, c.showUnlock),
		of("POST", "/unlock", workspace.UnlockWorkspace, c.unlock),
		of("GET", "/dissolve", workspace.DissolveWorkspace, c.showDissolve),
		of("POST", "/dissolve", workspace.DissolveWorkspace, c.dissolve),
	}
}

// unlockPage says what stops a workspace.
type unlockPage struct {
	Frame web.Frame
	Place place
}

// dissolvePage asks for the name of the workspace that is to end.
type dissolvePage struct {
	Frame web.Frame
	Place place
	Form  *web.Form
	Back  string
}

// admits says why a workspace has no pages any more, if it has none. A locked
// one still lets its Owner unlock and dissolve it.
func admits(p place, needs web.Need) error {
	locked := p.Workspace.State == workspace.Locked
	if locked && (needs == web.Need(workspace.UnlockWorkspace) || needs == web.Need(workspace.DissolveWorkspace)) {
		return nil
	}
	return p.Standing.WhyLocked()
}

// lockPage stands for every page of a locked workspace: why, until when,
// unlock or dissolve, or another workspace; nothing else.
func (c *Console) lockPage(r *http.Request, f *fault.Error) templ.Component {
	v := visitOf(r)
	if v == nil || v.place.Workspace.State != workspace.Locked || !errors.Is(f, workspace.ErrLocked) {
		return nil
	}
	ctx := r.Context()
	page := lockPage{Frame: c.frame(r, web.Name(ctx, "state", workspace.Locked), ""), Place: v.place}
	page.Frame.Notices = append(page.Frame.Notices, web.Stopped(ctx, v.place.Standing, c.now(), v.place.Site.Zone, false))
	for _, m := range v.list {
		if s := m.Workspace.State; s == workspace.Normal || s == workspace.Grace {
			page.Others = append(page.Others, web.Action{Label: m.Workspace.Name, Href: Prefix + "/workspaces/" + m.Workspace.ID})
		}
	}
	return lockView(page)
}

// lockPage is what is left of a locked workspace.
type lockPage struct {
	Frame  web.Frame
	Place  place
	Others []web.Action
}

func (c *Console) showUnlock(w http.ResponseWriter, r *http.Request) error {
	ctx, p := r.Context(), visitOf(r).place
	return web.Render(w, r, http.StatusOK, unlockView(unlockPage{c.frame(r, web.T(ctx, "standing.unlock_title"), "billing"), p}))
}

// unlock leads the Owner to the Billing Center's page of this workspace,
// signed in, where what is missing can be paid or chosen.
func (c *Console) unlock(w http.ResponseWriter, r *http.Request) error {
	v := visitOf(r)
	if v.place.Workspace.Payer == "" {
		return arrears.ErrNotCaused
	}
	return c.enterBillingCenter(w, r, strings.TrimSuffix(billingCenter, "/")+"/workspaces/"+v.place.Workspace.ID+"/standing")
}

func (c *Console) showDissolve(w http.ResponseWriter, r *http.Request) error {
	return c.dissolvePage(w, r, web.Blank())
}

func (c *Console) dissolvePage(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	ctx, p := r.Context(), visitOf(r).place
	page := dissolvePage{Frame: c.frame(r, web.T(ctx, "standing.dissolve_title"), "settings"), Place: p, Form: form, Back: p.path("settings")}
	if p.Workspace.State == workspace.Locked {
		page.Back = p.path("unlock")
	}
	return web.Render(w, r, form.Status(), dissolveView(page))
}

func (c *Console) dissolve(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	ctx, v := r.Context(), visitOf(r)
	err = c.store.Write(ctx, func(tx *store.Tx) error {
		_, err := arrears.DissolveBy(ctx, tx, v.place.Workspace.ID, form.Text("workspace_name"), v.actor(r), c.now())
		return err
	})
	if form.Refused(err) {
		return c.dissolvePage(w, r, form)
	}
	if err != nil {
		return err
	}
	c.Say(ctx, web.Good, web.T(ctx, "standing.dissolved_said", "workspace", v.place.Workspace.Name))
	return web.SeeOther(w, r, Prefix+"/")
}
