package studio

import (
	"context"
	"testing"
	"time"

	"github.com/a-h/templ"

	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/usage"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/web/gallery"
	"tollgate.dev/internal/workspace"
)

func TestExplainGallery(t *testing.T) {
	t.Parallel()
	g := canvas{t, New(Options{Now: func() time.Time { return noon }})}
	v := shopkeeper(t, workspace.Administrator, workspace.Commercial, "us1")
	day, zone := period.MustParseDay("2025-11-02"), v.place.Site.Zone // 25 hours
	version, err := catalog.Default().At(day)
	if err != nil {
		t.Fatal(err)
	}
	var samples []usage.Sample
	for _, hour := range day.Hours(zone) {
		key := usage.Key{WorkspaceID: v.place.Workspace.ID, Generation: 2, Item: "logs", Class: "14d"}
		samples = append(samples, usage.Sample{Key: key, Hour: hour, Quantity: 123_456})
	}
	rated, err := bill.Rate(version, catalog.Market{Currency: v.place.Site.Currency, Group: v.place.Site.Group}, samples)
	if err != nil {
		t.Fatal(err)
	}
	b, err := bill.Compose(bill.Draft{Workspace: v.place.Workspace, Day: day, Rated: rated, Number: 7, IssuedAt: noon,
		Parts: [][]wallet.Part{{{Payment: wallet.ByCash, Amount: rated.Total}}}})
	if err != nil {
		t.Fatal(err)
	}
	e, err := bill.ExplainFrom(catalog.Default(), b, usage.Of(day, zone), samples, nil, wallet.Entry{Number: 7})
	if err != nil {
		t.Fatal(err)
	}
	gallery.Check(t, []gallery.State{g.view("explain", v, "billing", func(_ context.Context, f web.Frame) templ.Component {
		return explainView(explainPage{Frame: f, Place: v.place, Bill: e, Line: e.Lines[0]})
	})})
}
