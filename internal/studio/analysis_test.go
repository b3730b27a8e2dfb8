package studio_test

import (
	"context"
	"encoding/csv"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/workspace"
)

// spender is a workspace that was upgraded on 1 March, with two billed days
// and a third in which it is noon.
func (h house) spender(owner account.Studio) workspace.Workspace {
	h.t.Helper()
	payer := h.payer("acme-pay", money.CNY)
	w := h.shop(owner)
	w, err := w.Upgrade(payer.ID, h.clock.Now().AddDate(0, 0, -1))
	if err != nil {
		h.t.Fatal(err)
	}
	h.update(w)
	cn1, err := site.Find("cn1")
	if err != nil {
		h.t.Fatal(err)
	}
	for i, day := range []string{"2026-03-01", "2026-03-02", "2026-03-03"} {
		d := period.MustParseDay(day)
		hour := d.Start(cn1.Zone).Add(12 * time.Hour)
		h.used(w, int64(10*i+1), hour, "logs", "14d", int64(i+1)*2_345_678)
		h.used(w, int64(10*i+2), hour, "logs", "60d", int64(i+1)*1_234_567)
		h.used(w, int64(10*i+3), hour, "timeseries", "7d", 8_123)
		if i == 2 {
			h.clock.Advance(hour.Add(30 * time.Minute).Sub(h.clock.Now()))
			break
		}
		books := bill.Books{Catalog: catalog.Default(), Write: func(ctx context.Context, f func(bill.Tx) error) error {
			return h.store.Write(ctx, func(tx *store.Tx) error { return f(tx) })
		}}
		if _, err := books.CloseDay(h.t.Context(), bill.CloseDay{Site: "cn1", Day: d}, d.End(cn1.Zone)); err != nil {
			h.t.Fatal(err)
		}
	}
	return w
}

// bill is the bill of a day.
func (h house) bill(w workspace.Workspace, day string) (b bill.Bill) {
	h.t.Helper()
	h.write(func(ctx context.Context, tx *store.Tx) (err error) {
		b, err = tx.BillOfDay(ctx, w.ID, period.MustParseDay(day))
		return err
	})
	return b
}

// exported is the CSV at an address.
func (v *visitor) exported(path string) [][]string {
	v.h.t.Helper()
	r, err := v.client.Get(v.h.server.URL + path)
	if err != nil {
		v.h.t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	text, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != http.StatusOK || !strings.HasPrefix(r.Header.Get("Content-Type"), "text/csv") {
		v.h.t.Fatalf("%s answered %d %s (%v)", path, r.StatusCode, r.Header.Get("Content-Type"), err)
	}
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(text), "\ufeff"))).ReadAll()
	if err != nil || len(rows) == 0 {
		v.h.t.Fatalf("%s: %v", path, err)
	}
	return rows[1:]
}

func TestBillDetailsChartAndCSVAreTheBills(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	owner := h.person("cn1", "olivia")
	w := h.spender(owner)
	v, base := h.signedIn(owner), "/studio/workspaces/"+w.ID+"/analysis"
	first, second := h.bill(w, "2026-03-01"), h.bill(w, "2026-03-02")
	sum, err := first.Total.Add(second.Total)
	if err != nil {
		t.Fatal(err)
	}
	for filter, want := range map[string]struct {
		total money.Amount
		bars  string
	}{
		"range=yesterday":               {second.Total, "2026-03-02"},
		"from=2026-03-01&to=2026-03-02": {sum, "2026-03-01 2026-03-02"},
		"from=2026-02-01&to=2026-03-02": {sum, "2026-03-01 2026-03-02"},
		"to=2026-03-01":                 {first.Total, "2026-03-01"},
		"range=last_month":              {money.Of(0, money.CNY), ""},
	} {
		v.open(base + "?" + filter)
		if want.bars == "" {
			v.shows(t, "Nothing was used in these days")
			continue
		}
		total := strings.Join(strings.Fields(v.page.Find("table.details tfoot td.number").First().Text()), "")
		if total != want.total.String() {
			t.Errorf("%s: the total is %s, the bills are %s", filter, total, want.total)
		}
		var bars []string
		v.page.Find("svg.bars a").Each(func(_ int, e *goquery.Selection) {
			href, _ := e.Attr("href")
			day, ok := strings.CutPrefix(href, "/studio/workspaces/"+w.ID+"/billing/bills/")
			if !ok {
				t.Errorf("%s: a bar leads to %s", filter, href)
			}
			bars = append(bars, day)
		})
		if got := strings.Join(bars, " "); got != want.bars {
			t.Errorf("%s: bars of %s, want %s", filter, got, want.bars)
		}
		exported := money.Of(0, money.CNY)
		for _, row := range v.exported(base + "/csv?" + filter) {
			if exported, err = exported.Add(money.MustParse(row[7], money.CNY)); err != nil || row[9] != "no" {
				t.Errorf("%s: %v", filter, row)
			}
		}
		if exported != want.total {
			t.Errorf("%s: the CSV sums to %s, the bills to %s", filter, exported, want.total)
		}
	}
	v.open(base + "?from=2026-03-01&to=2026-03-02&item=logs")
	if n := v.page.Find("svg.bars").Length(); n != 2 || v.page.Find("table.details tbody tr").Length() != 1 {
		t.Errorf("one item has %d charts", n)
	}
	if rows := v.exported(base + "/csv?from=2026-03-01&to=2026-03-02&item=logs"); len(rows) != 4 {
		t.Errorf("one item has %d rows", len(rows))
	}
}

func TestTodayIsMarkedAsAnEstimate(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	owner := h.person("cn1", "olivia")
	w := h.spender(owner)
	v, base := h.signedIn(owner), "/studio/workspaces/"+w.ID+"/analysis"
	v.open(base)
	v.shows(t, "2026-03-03 (estimate)")
	v.shows(t, "The forecast takes what the last closed day cost") // the day of the upgrade is cut
	var figures []string
	v.page.Find("tr[data-usage=logs] td").Each(func(_ int, e *goquery.Selection) { figures = append(figures, e.Text()) })
	if got := strings.Join(figures, " "); got != "10,740,735 7,160,490 21,481,470 10,740,735" {
		t.Errorf("logs: %s", got)
	}
	rows := v.exported(base + "/csv?range=today")
	if len(rows) != 3 || rows[0][9] != "yes" || rows[0][1] != "" {
		t.Errorf("today is %v", rows)
	}
}

func TestWrongSpansAreRefusedBesideTheirField(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	owner := h.person("cn1", "olivia")
	w := h.spender(owner)
	v, base := h.signedIn(owner), "/studio/workspaces/"+w.ID+"/analysis"
	for filter, code := range map[string]string{
		"from=2026-03-02&to=2026-03-01": "range_reversed", "from=2024-01-01&to=2026-03-01": "range_too_long", "from=0001-01-01&to=9999-12-31": "range_too_long",
		"from=yesterday": "malformed_date", "range=for_ever": "range_unknown", "range=today&item=gold": "item_unknown",
	} {
		v.open(base + "?" + filter)
		v.says(t, http.StatusUnprocessableEntity, code)
		if v.page.Find("table.statistics").Length() != 1 || v.page.Find("table.details").Length() != 0 {
			t.Errorf("%s shows bill details of something else", filter)
		}
		v.open(base + "/csv?" + filter)
		v.says(t, http.StatusUnprocessableEntity, code)
	}
}

func TestAnalysisAndAlertsAreOfCommercialWorkspaces(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	owner, reader := h.person("cn1", "olivia"), h.person("cn1", "mia")
	w := h.shop(owner)
	v, base := h.signedIn(owner), "/studio/workspaces/"+w.ID
	for _, page := range []string{"/analysis", "/analysis/csv", "/alerts"} {
		v.open(base + page)
		v.at(t, base+"/billing")
		if v.page.Find("nav a[href$='/analysis'], nav a[href$='/alerts']").Length() != 0 {
			t.Error("an Experience workspace is offered analysis or alerts")
		}
	}
	v.send(base+"/alerts", "item", "logs", "threshold", "1")
	v.at(t, base+"/billing")
	paid := h.spender(h.person("cn1", "oscar"))
	h.join(paid, reader, workspace.ReadOnly)
	v = h.signedIn(reader)
	v.open("/studio/workspaces/" + paid.ID + "/alerts")
	v.says(t, http.StatusForbidden, "not_permitted")
	if v.page.Find("nav a[href$='/analysis'], nav a[href$='/alerts']").Length() != 0 {
		t.Error("a reader is offered analysis or alerts")
	}
}

func TestDayWithoutUsageIsAGapInTheChart(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	owner := h.person("cn1", "olivia")
	w := h.spender(owner)
	h.write(func(ctx context.Context, tx *store.Tx) error { // as if nothing had been used on that day
		_, err := tx.Exec(ctx, `DELETE FROM bill WHERE day = '2026-03-02'`)
		return err
	})
	v := h.signedIn(owner)
	v.open("/studio/workspaces/" + w.ID + "/analysis?range=this_month&item=logs")
	labels := v.page.Find("details.chart-table").First().Find("tbody th").Map(func(_ int, e *goquery.Selection) string { return strings.TrimSpace(e.Text()) })
	if got := strings.Join(labels, ", "); got != "2026-03-01, 2026-03-02, 2026-03-03 (estimate)" {
		t.Errorf("the chart has %s", got)
	}
	if _, linked := v.page.Find("svg.bars a[aria-label='2026-03-02']").Attr("href"); linked {
		t.Error("a day without a bill leads to one")
	}
}
