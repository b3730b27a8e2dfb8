package studio

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/web/gallery"
	"tollgate.dev/internal/workspace"
)

func TestKeysGallery(t *testing.T) {
	t.Parallel()
	g := canvas{t, New(Options{Now: func() time.Time { return noon }})}
	owner := shopkeeper(t, workspace.Owner, workspace.Commercial, "cn1")
	key := func(name string, days int) account.Key {
		return account.Key{ID: "akey_" + strings.Repeat(name[:1], 32), Holder: workspace.KeyHolder(owner.place.Workspace.ID), Name: name, CreatedAt: noon.AddDate(0, 0, -days)}
	}
	export, board, script, old := key("finance export", 40), key("dashboard", 3), key("script of a colleague", 90), key("trial", 120)
	export.UsedOn, script.UsedOn, old.UsedOn = period.MustParseDay("2026-03-02"), period.MustParseDay("2026-02-17"), period.MustParseDay("2025-12-01")
	old.RevokedAt = noon.AddDate(0, -1, 0)
	rows := func(ctx context.Context) []web.KeyRow {
		return []web.KeyRow{
			{Key: board, Maker: "noah", May: web.T(ctx, "keys.reads_bills")},
			{Key: export, Maker: "olivia", May: web.T(ctx, "keys.reads_all")},
			{Key: script, Maker: "gus", May: web.T(ctx, "keys.reads_orphan"), Stops: true},
			{Key: old, Maker: "olivia", May: web.T(ctx, "keys.reads_none")},
		}
	}
	page := func(form *web.Form, fresh *web.FreshKey, list func(context.Context) []web.KeyRow) func(context.Context, web.Frame) templ.Component {
		return func(ctx context.Context, f web.Frame) templ.Component {
			return web.KeysView(web.KeysPage{
				Frame: f, Form: form, Path: owner.place.path("keys"), Words: web.ReadingKeys(ctx, web.T(ctx, "keys.workspace_lede", "name", "shop"), web.T(ctx, "keys.workspace_note")),
				Address: "https://tollgate.example", Fresh: fresh, Keys: list(ctx), Zone: owner.place.Site.Zone, Today: period.MustParseDay("2026-03-02"),
			})
		}
	}
	none := func(context.Context) []web.KeyRow { return nil }
	gallery.Check(t, []gallery.State{
		g.view("keys-empty", owner, "settings", page(nil, nil, none)),
		g.view("keys", owner, "settings", page(nil, nil, rows)),
		g.view("keys-made", owner, "settings", page(nil, &web.FreshKey{Name: "dashboard", Secret: "tgak_0123456789abcdefghijklmnopqrstuv"}, rows)),
		g.view("keys-wrong", owner, "settings", page(refused(web.Blank("name", "dashboard"), account.ErrKeyNameTaken.On("name")), nil, rows)),
		g.view("keys-full", owner, "settings", page(refused(web.Blank("name", "one more"), account.ErrKeysMany), nil, rows)),
		g.view("keys-revoke", owner, "settings", func(ctx context.Context, f web.Frame) templ.Component {
			return web.RevokeKeyView(web.RevokeKeyPage{Frame: f, Path: owner.place.path("keys"), Row: rows(ctx)[1], Zone: owner.place.Site.Zone})
		}),
	})
}
