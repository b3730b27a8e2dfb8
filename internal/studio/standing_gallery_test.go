package studio

import (
	"context"
	"testing"
	"time"

	"github.com/a-h/templ"

	"tollgate.dev/internal/arrears"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/web/gallery"
	"tollgate.dev/internal/workspace"
)

// stopped is a visit to a workspace whose payer has owed for so many days.
func stopped(t *testing.T, role workspace.Role, days int) *visit {
	v := shopkeeper(t, role, workspace.Commercial, "cn1")
	c := arrears.Start(arrears.Debt, "bcac_1", noon.AddDate(0, 0, -days)).Turn(noon)
	s := arrears.Standing{State: arrears.Strictest(c), Clocks: []arrears.Clock{c}, Owed: money.MustParse("1234.5", money.CNY)}
	if s.State == workspace.Locked {
		s.ClearAt = c.LockAt.Add(arrears.Hold)
	}
	v.place.Workspace.State, v.place.Standing = s.State, s
	return v
}

func TestGalleryOfStopped(t *testing.T) {
	t.Parallel()
	g := canvas{t, New(Options{Now: func() time.Time { return noon }})}
	unlock := func(v *visit) func(context.Context, web.Frame) templ.Component {
		return func(_ context.Context, f web.Frame) templ.Component { return unlockView(unlockPage{f, v.place}) }
	}
	grace, late, member := stopped(t, workspace.Owner, 3), stopped(t, workspace.Owner, 13), stopped(t, workspace.Standard, 3)
	locked := stopped(t, workspace.Owner, 14)
	gone := shopkeeper(t, workspace.Owner, workspace.Commercial, "cn1")
	gone.place.Workspace.State, gone.place.Standing.State = workspace.Cleared, workspace.Cleared
	gallery.Check(t, []gallery.State{
		g.view("unlock", grace, "billing", unlock(grace)),
		g.view("unlock-last-day", late, "billing", unlock(late)),
		g.view("unlock-locked", locked, "billing", unlock(locked)),
		g.view("unlock-fine", shopkeeper(t, workspace.Owner, workspace.Commercial, "cn1"), "billing", unlock(shopkeeper(t, workspace.Owner, workspace.Commercial, "cn1"))),
		g.view("grace-member", member, "notices", func(_ context.Context, f web.Frame) templ.Component {
			return noticesView(noticesPage{Frame: f, Place: member.place})
		}),
		g.view("dissolve", grace, "settings", func(_ context.Context, f web.Frame) templ.Component {
			return dissolveView(dissolvePage{f, grace.place, web.Blank(), "/"})
		}),
		g.problem("locked-owner", locked, workspace.ErrLocked),
		g.problem("locked-member", stopped(t, workspace.Standard, 14), workspace.ErrLocked),
		g.problem("cleared", gone, workspace.ErrCleared),
	})
}
