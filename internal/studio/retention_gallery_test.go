package studio

import (
	"context"
	"testing"
	"time"

	"github.com/a-h/templ"

	"tollgate.dev/internal/logindex"
	"tollgate.dev/internal/retention"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/web/gallery"
	"tollgate.dev/internal/workspace"
)

func TestRetentionGallery(t *testing.T) {
	t.Parallel()
	g := canvas{t, New(Options{Now: func() time.Time { return noon }})}
	v := version(t)
	midnight := noon.Add(12 * time.Hour)
	chosen := []retention.Setting{
		{Target: retention.Target{Type: retention.Logs}, Class: "7d", Since: noon.Add(-3 * time.Hour), ChangedAt: noon.Add(-3 * time.Hour), Pending: "30d", PendingAt: midnight, Revision: 2},
		{Target: retention.Target{Type: retention.Metrics}, Class: "30d", Since: noon.Add(-time.Hour), ChangedAt: noon.Add(-time.Hour), Revision: 1},
		{Target: retention.IndexOf("nginx-access"), Class: "3d", Since: noon.AddDate(0, 0, -2), ChangedAt: noon.AddDate(0, 0, -2), Revision: 1},
	}
	changes := []retention.ClassChange{
		{Target: chosen[1].Target, Before: "7d", Class: "30d", At: chosen[1].Since}, {Target: chosen[0].Target, Before: "14d", Class: "7d", At: chosen[0].Since},
		{Target: chosen[2].Target, Before: "14d", Class: "3d", At: chosen[2].Since},
	}
	page := func(who *visit, chosen []retention.Setting, changes []retention.ClassChange, form *web.Form) func(context.Context, web.Frame) templ.Component {
		return func(_ context.Context, f web.Frame) templ.Component {
			p := retentionPage{Frame: f, Place: who.place, Form: form, Now: noon, Changes: changes}
			p.fill(v, chosen)
			return retentionView(p)
		}
	}
	ruled := func(who *visit, form *web.Form) func(context.Context, web.Frame) templ.Component {
		return func(_ context.Context, f web.Frame) templ.Component {
			p := retentionPage{Frame: f, Place: who.place, Form: form, Now: noon, Routing: logindex.Routing{Revision: 3, Rules: []logindex.Rule{
				{Field: logindex.Source, Value: "nginx*", Index: "nginx-access"}, {Field: "team", Value: "payments"}, {Field: "level", Value: "debug", Index: "short"},
			}}}
			p.fill(v, chosen)
			return retentionView(p)
		}
	}
	confirm := func(who *visit, atOnce bool, form *web.Form) func(context.Context, web.Frame) templ.Component {
		return func(_ context.Context, f web.Frame) templ.Component {
			return confirmRetentionView(confirmRetentionPage{Frame: f, Place: who.place, Form: form, Before: "7d", Class: "30d", ActsAt: midnight, AtOnce: atOnce})
		}
	}
	free, owner := shopkeeper(t, workspace.Owner, workspace.Experience, "cn1"), shopkeeper(t, workspace.Owner, workspace.Commercial, "cn1")
	admin, reader := shopkeeper(t, workspace.Administrator, workspace.Commercial, "cn1"), shopkeeper(t, workspace.ReadOnly, workspace.Experience, "cn1")
	wrong := refused(web.Blank("index", "a b", "class", "3d"), retention.ErrIndex.On("index"))
	gallery.Check(t, []gallery.State{
		g.view("retention-experience", free, "settings", page(free, nil, nil, nil)),
		g.view("retention-experience-reader", reader, "settings", page(reader, nil, nil, nil)),
		g.view("retention-defaults", owner, "settings", page(owner, nil, nil, nil)),
		g.view("retention-changed", owner, "settings", page(owner, chosen, changes, nil)),
		g.view("retention-log-rules", owner, "settings", ruled(owner, nil)),
		g.view("retention-log-rules-admin", admin, "settings", ruled(admin, nil)),
		g.view("retention-log-rules-wrong", owner, "settings", ruled(owner, refused(web.Blank("field", "source", "value", ""), logindex.ErrValue.On("value")))),
		g.view("retention-wrong", owner, "settings", page(owner, nil, nil, wrong)),
		g.view("retention-admin", admin, "settings", page(admin, chosen, changes, nil)),
		g.view("retention-confirm", owner, "settings", confirm(owner, true, web.Blank())),
		g.view("retention-confirm-held", owner, "settings", confirm(owner, false, web.Blank())),
		g.view("retention-unconfirmed", owner, "settings", confirm(owner, true, refused(web.Blank(), retention.ErrUnconfirmed.On("confirmed")))),
	})
}
