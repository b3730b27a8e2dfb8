package studio

import (
	"context"
	"errors"
	"net/http"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/workspace"
)

func (c *Console) keyRoutes() []web.Route {
	return []web.Route{
		of("GET", "/keys", workspace.ManageKeys, c.keys),
		of("POST", "/keys", workspace.ManageKeys, c.makeKey),
		of("GET", "/keys/{key}/revoke", workspace.ManageKeys, c.showRevokeKey),
		of("POST", "/keys/{key}/revoke", workspace.ManageKeys, c.revokeKey),
	}
}

// mostKeysShown bounds the list of keys, revoked ones among them.
const mostKeysShown = 100

func (c *Console) keys(w http.ResponseWriter, r *http.Request) error {
	return c.keysPage(w, r, nil, nil)
}

// keysPage shows the keys, with the form that is wrong or the key that was
// made, if either is.
func (c *Console) keysPage(w http.ResponseWriter, r *http.Request, form *web.Form, fresh *web.FreshKey) error {
	ctx, p := r.Context(), visitOf(r).place
	page := web.KeysPage{
		Frame: c.frame(r, web.T(ctx, "keys.title"), "settings"), Form: form, Path: p.path("keys"), Fresh: fresh,
		Lede: web.T(ctx, "keys.workspace_lede", "name", p.Workspace.Name), Note: web.T(ctx, "keys.workspace_note"),
		Address: c.options.BaseURL, Zone: p.Site.Zone, Today: period.DayOf(c.now(), p.Site.Zone),
	}
	err := c.store.Read(ctx, func(tx *store.Tx) error {
		all, err := tx.Keys(ctx, workspace.KeyHolder(p.Workspace.ID), mostKeysShown)
		if err != nil {
			return err
		}
		page.Keys, err = keyRows(ctx, tx, all)
		return err
	})
	if err != nil {
		return err
	}
	status := form.Status()
	if fresh != nil {
		status = http.StatusCreated
	}
	return web.Render(w, r, status, web.KeysView(page))
}

// makeKey shows the new key on the answer itself and redirects nowhere: to
// show it on another page it would have to be kept. Keys have names of their
// own, so that sending the form again makes no second one.
func (c *Console) makeKey(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	ctx, v := r.Context(), visitOf(r)
	var made account.Key
	var secret string
	err = c.store.Write(ctx, func(tx *store.Tx) (err error) {
		made, secret, err = workspace.MakeKey(ctx, tx, v.place.Workspace.ID, form.Text("name"), v.actor(r), c.now())
		return err
	})
	if form.Refused(err) {
		return c.keysPage(w, r, form, nil)
	}
	if err != nil {
		return err
	}
	return c.keysPage(w, r, nil, &web.FreshKey{Name: made.Name, Secret: secret})
}

func (c *Console) showRevokeKey(w http.ResponseWriter, r *http.Request) error {
	ctx, p := r.Context(), visitOf(r).place
	page := web.RevokeKeyPage{Path: p.path("keys"), Zone: p.Site.Zone}
	err := c.store.Read(ctx, func(tx *store.Tx) error {
		k, err := tx.KeyOf(ctx, workspace.KeyHolder(p.Workspace.ID), r.PathValue("key"))
		if err != nil {
			return err
		}
		rows, err := keyRows(ctx, tx, []account.Key{k})
		if err == nil {
			page.Row = rows[0]
		}
		return err
	})
	if err != nil {
		return err
	}
	if page.Row.Key.Revoked() {
		return web.SeeOther(w, r, page.Path)
	}
	page.Frame = c.frame(r, web.T(ctx, "keys.revoke_title", "name", page.Row.Key.Name), "settings")
	return web.Render(w, r, http.StatusOK, web.RevokeKeyView(page))
}

func (c *Console) revokeKey(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), visitOf(r)
	var k account.Key
	err := c.store.Write(ctx, func(tx *store.Tx) (err error) {
		if k, err = tx.KeyOf(ctx, workspace.KeyHolder(v.place.Workspace.ID), r.PathValue("key")); err != nil {
			return err
		}
		return workspace.RevokeKey(ctx, tx, v.place.Workspace.ID, k.ID, v.actor(r), c.now())
	})
	if err != nil {
		return err
	}
	c.Say(ctx, web.Good, web.T(ctx, "keys.revoked", "name", k.Name))
	return web.SeeOther(w, r, v.place.path("keys"))
}

// keyRows says of each key who made it and what it reads now.
func keyRows(ctx context.Context, tx *store.Tx, keys []account.Key) ([]web.KeyRow, error) {
	var rows []web.KeyRow
	for _, k := range keys {
		maker, err := tx.StudioByID(ctx, k.MadeBy)
		if err != nil {
			return nil, err
		}
		role, err := workspace.KeyRole(ctx, tx, k)
		row := web.KeyRow{Key: k, Maker: maker.UserName}
		switch {
		case k.Revoked():
			row.Reads = web.T(ctx, "keys.reads_none")
		case errors.Is(err, workspace.ErrKeyOrphan):
			row.Stops, row.Reads = true, web.T(ctx, "keys.reads_orphan")
		case err != nil:
			return nil, err
		case role.May(workspace.PayBilling):
			row.Reads = web.T(ctx, "keys.reads_all")
		case role.May(workspace.ViewBilling):
			row.Reads = web.T(ctx, "keys.reads_bills")
		default:
			row.Stops, row.Reads = true, web.T(ctx, "keys.reads_nothing")
		}
		rows = append(rows, row)
	}
	return rows, nil
}
