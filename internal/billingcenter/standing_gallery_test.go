package billingcenter

import (
	"context"
	"testing"
	"time"

	"github.com/a-h/templ"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/arrears"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/web/gallery"
	"tollgate.dev/internal/workspace"
)

// standingOf is that of a payer who has owed for so many days.
func standingOf(days int) arrears.Standing {
	c := arrears.Start(arrears.Debt, acme.ID, noon.AddDate(0, 0, -days)).Turn(noon)
	s := arrears.Standing{State: arrears.Strictest(c), Clocks: []arrears.Clock{c}, Owed: cny("1234.5")}
	if s.State == workspace.Locked {
		s.ClearAt = c.LockAt.Add(arrears.Hold)
	}
	return s
}

func TestGalleryOfStandings(t *testing.T) {
	t.Parallel()
	hangzhou, err := site.Find("cn1")
	if err != nil {
		t.Fatal(err)
	}
	b := &Console{Config: Config{Now: func() time.Time { return noon }}}
	show := func(s arrears.Standing, form *web.Form) page {
		return func(ctx context.Context) templ.Component {
			w := payments2
			w.State = s.State
			f := frame(ctx, "Unlock", "workspaces")
			f.Notices = b.stopped(context.WithValue(ctx, standingKey{}, s), acme)
			return standingPage(StandingView{
				Frame: f, Form: form, Workspace: w, Standing: s, Zone: hangzhou.Zone,
				Owner: account.Studio{UserName: "olivia", Email: "olivia@example.com"},
			})
		}
	}
	cloud := arrears.Standing{State: workspace.Grace, Clocks: []arrears.Clock{arrears.Start(arrears.Cloud, payments2.ID, noon.AddDate(0, 0, -12)).Turn(noon)}}
	both := standingOf(14)
	both.Clocks = append(both.Clocks, cloud.Clocks...)
	granted := standingOf(14)
	granted.Clocks[0], err = granted.Clocks[0].Extend(5, noon)
	granted.State, granted.ClearAt = workspace.Grace, time.Time{}
	if err != nil {
		t.Fatal(err)
	}
	gone := arrears.Standing{State: workspace.Cleared, ClearAt: noon.AddDate(0, 0, -1), Deleted: noon.AddDate(0, 0, -1), Owed: money.Amount{}}
	var states []gallery.State
	for name, p := range map[string]page{
		"standing": show(standingOf(3), web.Blank()), "standing-refused": show(standingOf(12), refused(web.Blank(), arrears.ErrStillOwed)),
		"standing-locked": show(standingOf(14), web.Blank()), "standing-cloud": show(cloud, web.Blank()), "standing-both": show(both, web.Blank()),
		"standing-granted": show(granted, web.Blank()), "standing-cleared": show(gone, web.Blank()), "standing-normal": show(arrears.Standing{State: workspace.Normal}, web.Blank()),
	} {
		states = append(states, gallery.State{Name: "billing-center/" + name, Page: p})
	}
	gallery.Check(t, states)
}
