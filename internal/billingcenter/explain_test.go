package billingcenter

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"

	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/usage"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/web/gallery"
)

// exampleExplained bills traces and series of the shop's day of upgrade.
func exampleExplained(t *testing.T) bill.Explanation {
	t.Helper()
	day := period.MustParseDay("2026-03-02")
	v, err := catalog.Default().At(day)
	if err != nil {
		t.Fatal(err)
	}
	hours := day.Hours(hangzhou)
	window := usage.Of(day, hangzhou).Since(hours[10].Add(20 * time.Minute))
	var samples []usage.Sample
	add := func(item, counter, class string, hour int, n int64) {
		key := usage.Key{WorkspaceID: shop.ID, Generation: 2, Item: item, Counter: counter, Class: class}
		samples = append(samples, usage.Sample{Key: key, Hour: hours[hour], Quantity: n})
	}
	for i := 10; i < 24; i++ {
		add("apm_trace", "", "14d", i, 61_234+int64(i))
		add("apm_trace", "spans", "14d", i, 1_234_567*int64(i%5))
		if i%3 != 0 {
			add("timeseries", "", "7d", i, 5900+int64(i)*93)
		}
	}
	r, err := bill.Rate(v, catalog.Market{Currency: money.CNY, Group: "china"}, samples)
	if err != nil {
		t.Fatal(err)
	}
	var parts [][]wallet.Part
	for _, l := range r.Lines {
		cash := money.Of(l.Amount.Minor()/3, money.CNY)
		rest, err := l.Amount.Sub(cash)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, []wallet.Part{{Payment: wallet.ByCash, Amount: cash}, {Payment: wallet.Owed, Amount: rest}})
	}
	b, err := bill.Compose(bill.Draft{Workspace: shop, Day: day, Rated: r, Parts: parts, Number: 42, IssuedAt: noon})
	if err != nil {
		t.Fatal(err)
	}
	e, err := bill.ExplainFrom(catalog.Default(), b, window, samples, nil, wallet.Entry{ID: "ltxn_1", Number: 12, At: noon})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestExplainGallery(t *testing.T) {
	t.Parallel()
	e := exampleExplained(t)
	changed := e
	changed.Lines = append([]bill.ExplainedLine(nil), e.Lines...)
	changed.Lines[0].Again = changed.Lines[1].Again
	view := func(e bill.Explanation, line int) page {
		return func(ctx context.Context) templ.Component {
			return explainPage(Explain{Frame: frame(ctx, "Explain", "bills"), Bill: e, Line: e.Lines[line], Row: exampleBills()[0]})
		}
	}
	gallery.Check(t, []gallery.State{
		{Name: "billing-center/explain", Page: view(e, 1)},
		{Name: "billing-center/explain-largest", Page: view(e, 0)},
		{Name: "billing-center/explain-differs", Page: view(changed, 0)},
	})
}

func TestEachAmountOfABillLeadsToItsHours(t *testing.T) {
	t.Parallel()
	h := open(t)
	a := h.payer("acme", money.CNY)
	shop := h.paidFor(a, "shop", "cn1")
	h.recharged(a, "4.00", noon.AddDate(0, 0, -10))
	h.spent(shop, "2026-03-09", 2_345_678)
	made := h.spent(shop, "2026-03-10", 1_234_567)
	v := h.signedIn(a)
	href, _ := v.get(http.StatusOK, "/bills/"+made.ID).Find("td.number a").Attr("href")
	page := v.get(http.StatusOK, strings.TrimPrefix(href, Prefix))
	page.says("1,234,567 ÷ 1,000,000 Cut to 2 decimals, never rounded up 1.23")
	page.says("1.23 × 1.5 1.845")
	page.says("Half up to two decimals +0.005")
	page.says("Cash Entry 3 of income and expense 0.49")
	page.says("2026-03-10 12:00 UTC+08:00 1,234,567")
	page.says("it is the same")
	entry, _ := page.Find("td a[href*=movements]").Attr("href")
	v.get(http.StatusOK, strings.TrimPrefix(entry, Prefix)).says(made.Number)
	for _, path := range []string{"/lines/0", "/lines/2", "/lines/x", "/lines/99999999999999999999"} {
		v.get(http.StatusNotFound, "/bills/"+made.ID+path)
	}
	h.signedIn(h.payer("rival", money.CNY)).get(http.StatusNotFound, strings.TrimPrefix(href, Prefix))
}
