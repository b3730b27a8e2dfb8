package studio

import (
	"context"
	"errors"
	"net/http"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/holder"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/workspace"
)

// keyRoutes are the pages of a workspace's API keys.
func (c *Console) keyRoutes() []web.Route {
	keys := &holder.Keys{Console: c.Console, Store: c.store, Now: c.now, Of: c.keysOf}
	return keys.Routes("/studio/workspaces/{workspace}/keys", web.Need(workspace.ManageKeys))
}

func (c *Console) keysOf(r *http.Request) holder.KeysOf {
	ctx, v := r.Context(), visitOf(r)
	p := v.place
	return holder.KeysOf{
		Holder: workspace.KeyHolder(p.Workspace.ID), By: v.account.ID, Path: p.path("keys"), Zone: p.Site.Zone, Address: c.options.BaseURL,
		Words: web.ReadingKeys(ctx, web.T(ctx, "keys.workspace_lede", "name", p.Workspace.Name), web.T(ctx, "keys.workspace_note")),
		Frame: func(title string) web.Frame { return c.frame(r, title, "settings") },
		May: func(ctx context.Context, tx *store.Tx) error {
			return workspace.MayManageKeys(ctx, tx, p.Workspace.ID, v.actor(r))
		},
		Rows: keyRows,
	}
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
			row.May = web.T(ctx, "keys.reads_none")
		case errors.Is(err, workspace.ErrKeyOrphan):
			row.Stops, row.May = true, web.T(ctx, "keys.reads_orphan")
		case err != nil:
			return nil, err
		case role.May(workspace.PayBilling):
			row.May = web.T(ctx, "keys.reads_all")
		case role.May(workspace.ViewBilling):
			row.May = web.T(ctx, "keys.reads_bills")
		default:
			row.Stops, row.May = true, web.T(ctx, "keys.reads_nothing")
		}
		rows = append(rows, row)
	}
	return rows, nil
}
