package bill

import (
	"testing"

	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/usage"
	"tollgate.dev/internal/wallet"
)

// BenchmarkBillOfADay is what a close does in memory for a workspace that used
// thirteen items in every hour: count, rate, and write the bill, paid by cash.
func BenchmarkBillOfADay(b *testing.B) {
	cn1, err := site.Find("cn1")
	if err != nil {
		b.Fatal(err)
	}
	v, day, market := version(b), period.MustParseDay("2026-03-01"), catalog.Market{Currency: money.CNY, Group: site.China}
	record, whole := dayOfRecord(b, v, day, cn1), usage.Of(day, cn1.Zone)
	d, r := newDesk(v), newRater(v, market)
	w := shop("cn1", site.BillingCenter)
	b.ReportAllocs()
	for b.Loop() {
		d.lines, d.press.text = d.lines[:0], d.press.text[:0]
		used, err := d.counter.Quantities(record, whole)
		if err != nil {
			b.Fatal(err)
		}
		rated, lines, err := r.rateDay(d.lines, used, nil)
		if err != nil || len(rated.Lines) != 13 {
			b.Fatal(len(rated.Lines), err)
		}
		d.lines = lines
		parts := make([]wallet.Part, len(rated.Lines))
		by := make([][]wallet.Part, len(rated.Lines))
		for i := range rated.Lines {
			parts[i] = wallet.Part{Payment: wallet.ByCash, Account: wallet.Cash(w.Payer), Amount: rated.Lines[i].Amount}
			by[i] = parts[i : i+1]
		}
		if _, _, err = d.press.compose(Draft{Workspace: w, Day: day, Rated: rated, Parts: by, Number: 123, Entry: 7, IssuedAt: upgradedAt}); err != nil {
			b.Fatal(err)
		}
	}
}

// dayOfRecord is a day with a sample of thirteen items in each hour.
func dayOfRecord(t testing.TB, v *catalog.Version, day period.Day, s site.Site) usage.Record {
	t.Helper()
	var changes []usage.Change
	for i, items := 0, v.Items; len(changes) < 13*len(day.Hours(s.Zone)); i++ {
		if item := items[i]; item.PayAsYouGo && !item.OperatorSwitch {
			unit, _ := item.Unit.Size.Int()
			for h, hour := range day.Hours(s.Zone) {
				changes = append(changes, usage.Change{Item: item.ID, Class: item.Classes[0], Hour: hour, Quantity: unit*7/24 + int64(h) + 1})
			}
		}
	}
	record, err := usage.NewRecord(day, s.Zone).With(changes)
	if err != nil {
		t.Fatal(err)
	}
	return record
}
