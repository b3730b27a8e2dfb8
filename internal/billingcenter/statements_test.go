package billingcenter

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"

	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/export"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/statement"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/usage"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/web/gallery"
	"tollgate.dev/internal/workspace"
)

var update = flag.Bool("update", false, "write the golden files anew")

// exampleStatement is February of two workspaces, with a late bill and arrears.
func exampleStatement(t *testing.T, names ...string) statement.Statement {
	t.Helper()
	m, err := period.ParseMonth("2026-02")
	if err != nil {
		t.Fatal(err)
	}
	g := statement.Gather(m, money.CNY)
	e := exampleExplained(t)
	titles := map[string]string{}
	for i, name := range names {
		id := shop.ID[:len(shop.ID)-1] + string(rune('a'+i))
		titles[id] = name
		for day := range 28 {
			b := e.Bill
			b.Day, b.WorkspaceID, b.Site = m.First().Add(day), id, []workspace.Workspace{shop, payments2}[i%2].Site
			if day == 0 && i == 0 {
				b.Day = b.Day.Add(-3)
			}
			if err := g.Bill(b); err != nil {
				t.Fatal(err)
			}
		}
	}
	s := statement.Statement{
		ID: statement.IDOf(acme.ID, m), Number: "ST-CNY-2026-000012", Payer: acme.ID, UserName: acme.UserName, Company: "杭州示例电子商务有限公司 Acme Commerce Ltd",
		IssuedAt: statement.DueAt(money.CNY, m), Owed: cny("1023.45"), DueBy: period.MustParseDay("2026-03-12"),
	}
	g.Into(&s, catalog.Default(), titles)
	if err := s.Sums(); err != nil {
		t.Fatal(err)
	}
	s.Hash = statement.Sum(s.Document())
	return s
}

func TestStatementGallery(t *testing.T) {
	t.Parallel()
	s := exampleStatement(t, "shop", "支付网关 payments")
	quiet := s
	s.Adjustments = correctedIn(s)
	quiet.Owed, quiet.DueBy, quiet.Late, quiet.Month = cny("0"), period.Day{}, statement.Late{}, s.Month.Next()
	list := func(ctx context.Context) Statements {
		return Statements{Frame: frame(ctx, "Monthly bills", "statements"), Currency: money.CNY, Zone: hangzhou, Open: quiet.Month, ReadyAt: statement.DueAt(money.CNY, quiet.Month)}
	}
	consumed := func(ctx context.Context, form *web.Form) Consumption {
		return Consumption{Frame: frame(ctx, "Consumption", "consumption"), Form: form, Currency: money.CNY, Workspaces: []workspace.Workspace{shop, payments2}, Items: []string{"timeseries", "logs"}}
	}
	view := func(s statement.Statement) page {
		return func(ctx context.Context) templ.Component {
			return statementPage(StatementView{Frame: frame(ctx, "Statement", "statements"), Statement: s, Zone: hangzhou})
		}
	}
	gallery.Check(t, []gallery.State{
		{Name: "billing-center/statements-empty", Page: func(ctx context.Context) templ.Component { return statementsPage(list(ctx)) }},
		{Name: "billing-center/statements", Page: func(ctx context.Context) templ.Component {
			p := list(ctx)
			p.Rows, p.Pager = []statement.Statement{quiet, s}, web.Pager{Older: Prefix + "/statements?before=2026-02"}
			return statementsPage(p)
		}},
		{Name: "billing-center/statement", Page: view(s)},
		{Name: "billing-center/statement-paid", Page: view(quiet)},
		{Name: "billing-center/consumption", Page: func(ctx context.Context) templ.Component {
			p := consumed(ctx, web.Blank("from", "2026-03-01", "to", "2026-03-31"))
			total := cny("1272.71")
			for i, l := range exampleExplained(t).Bill.Lines {
				p.Rows = append(p.Rows, ConsumptionRow{exampleBills()[i], i, l})
			}
			p.Total, p.Pager = &total, web.Pager{Older: Prefix + "/consumption?after=bill_1:2"}
			return consumptionPage(p)
		}},
		{Name: "billing-center/consumption-searched", Page: func(ctx context.Context) templ.Component {
			p := consumed(ctx, web.Blank("item", "logs", "from", "2026-03-01", "to", "2026-03-31"))
			p.Searched, p.Pager = consumptionSearch, web.Pager{Older: Prefix + "/consumption?after=bill_1"}
			return consumptionPage(p)
		}},
		{Name: "billing-center/consumption-wrong", Page: func(ctx context.Context) templ.Component {
			return consumptionPage(consumed(ctx, refused(web.Blank("from", "2019-03-01", "to", "2026-03-31"), period.ErrTooLong.With("most", mostDays).On("from"))))
		}},
	})
}

// correctedIn are two adjustments of the statement's month.
func correctedIn(s statement.Statement) []statement.Adjustment {
	at := s.Month.First().Start(hangzhou).Add(300 * time.Hour)
	return []statement.Adjustment{
		{ID: "adjm_1", Reason: "Logs of 2026-02-03 were counted twice 重复计费", Bill: "cn1-2026-000041", BookedAt: at, Amount: cny("1234.5")},
		{ID: "adjm_2", Reason: "=credited twice", BookedAt: at.Add(time.Hour), Amount: cny("-40")},
	}
}

func TestAdjustmentsStandBesideTheTotalOfTheDocuments(t *testing.T) {
	t.Parallel()
	s := exampleStatement(t, "shop")
	bare := export.StatementTable(s)
	s.Adjustments = correctedIn(s)
	rows := export.StatementTable(s)
	if len(rows) != len(bare)+2 {
		t.Fatalf("%d rows for %d and two adjustments", len(rows), len(bare))
	}
	one, two := strings.Join(rows[len(bare)], "|"), strings.Join(rows[len(bare)+1], "|")
	if !strings.Contains(one, "|adjustment:cn1-2026-000041|1|CNY|1234.50|") || !strings.Contains(two, "|'=credited twice||adjustment|1|CNY|-40.00|") {
		t.Errorf("the rows are %s and %s", one, two)
	}
	for _, r := range rows {
		if len(r) != len(rows[0]) {
			t.Errorf("%d fields under %d heads: %v", len(r), len(rows[0]), r)
		}
	}
	for _, language := range web.Languages() {
		d, err := drawStatement(web.WithLanguage(t.Context(), language, ""), StatementView{Statement: s, Zone: hangzhou})
		if err != nil {
			t.Fatal(err)
		}
		if folder := os.Getenv("TOLLGATE_GALLERY"); folder != "" {
			if err := os.WriteFile(filepath.Join(folder, "adjusted."+language+".pdf"), d, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestTheDocumentIsTheSameToTheByte compares with golden hashes: the same
// statement is the same file, whenever and wherever it is drawn.
func TestTheDocumentIsTheSameToTheByte(t *testing.T) {
	t.Parallel()
	names := []string{"shop", "支付网关 payments", "a name that is much too long for the column of workspaces that it stands in"}
	for range 12 {
		names = append(names, "team")
	}
	p := StatementView{Statement: exampleStatement(t, names...), Zone: hangzhou, Issuer: "Tollgate Operations Ltd"}
	for _, language := range web.Languages() {
		document, err := drawStatement(web.WithLanguage(t.Context(), language, ""), p)
		if err != nil {
			t.Fatal(err)
		}
		again, err := drawStatement(web.WithLanguage(t.Context(), language, ""), p)
		if err != nil || !bytes.Equal(document, again) || !bytes.HasPrefix(document, []byte("%PDF-")) {
			t.Fatalf("drawn again it differs, or is none: %v", err)
		}
		if folder := os.Getenv("TOLLGATE_GALLERY"); folder != "" {
			if err := os.WriteFile(filepath.Join(folder, "statement."+language+".pdf"), document, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		sum := sha256.Sum256(document)
		golden, got := filepath.Join("testdata", "statement."+language+".pdf.sha256"), hex.EncodeToString(sum[:])+"\n"
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if want, err := os.ReadFile(golden); err != nil || string(want) != got {
			t.Errorf("%s is %s, want %s (%v); look at the document, then run with -update", golden, got, want, err)
		}
	}
}

// stated makes the account's statement of a month.
func (h *house) stated(payer, m string) (s statement.Statement) {
	h.t.Helper()
	month, err := period.ParseMonth(m)
	if err != nil {
		h.t.Fatal(err)
	}
	h.write(func(ctx context.Context, tx *store.Tx) (err error) {
		s, err = statement.Issue(ctx, tx, catalog.Default(), payer, month, statement.DueAt(money.CNY, month))
		return err
	})
	return s
}

func TestAStatementIsShownAsPageTableAndDocument(t *testing.T) {
	t.Parallel()
	h := open(t)
	a := h.payer("acme", money.CNY)
	h.recharged(a, "4.00", noon.AddDate(0, 0, -10))
	h.spent(h.paidFor(a, "=shop", "cn1"), "2026-03-09", 2_345_678)
	h.spent(h.paidFor(a, "other", "cn4"), "2026-03-10", 1_000_000)
	v := h.signedIn(a)
	v.get(http.StatusOK, "/statements").says("No statement yet")
	v.get(http.StatusOK, "/statements").says("2026-03 is going on. Its statement is made on 2026-04-04 00:00 UTC+08:00")
	s := h.stated(a.ID, "2026-03")
	page := v.get(http.StatusOK, "/statements")
	page.says("2026-03 ST-CNY-2026-000001")
	page.says("5.01 4.00 cash, 1.01 arrears")
	page = v.get(http.StatusOK, "/statements/"+s.ID)
	page.says("sum of 2 daily bills")
	page.says("Logs 1 3.51 3.51 cash")
	page.says("1.01 CNY was owed when this statement was made")
	rows := table(t, v.get(http.StatusOK, "/statements/"+s.ID+"/statement.csv"))
	if len(rows) != 3 || rows[1][3] != "'=shop" || rows[1][8] != "3.51" || rows[2][8] != "1.50" || rows[2][14] != "1.01" {
		t.Errorf("the table is %v", rows)
	}
	for _, language := range []string{"", "en", "zh"} {
		document := v.get(http.StatusOK, "/statements/"+s.ID+"/statement.pdf?language="+language)
		if document.header.Get("Content-Type") != "application/pdf" || !strings.HasPrefix(document.body, "%PDF-") {
			t.Errorf("%q: %s of %d bytes", language, document.header.Get("Content-Type"), len(document.body))
		}
	}
	v.get(http.StatusUnprocessableEntity, "/statements/"+s.ID+"/statement.pdf?language=fr")
	rival := h.signedIn(h.payer("rival", money.CNY))
	for _, path := range []string{"/statements/" + s.ID, "/statements/" + s.ID + "/statement.csv", "/statements/" + s.ID + "/statement.pdf", "/statements/stmt_none"} {
		rival.get(http.StatusNotFound, path)
	}
	if page := rival.get(http.StatusOK, "/statements"); strings.Contains(page.body, s.Number) {
		t.Error("another account sees it in its list")
	}
}

func TestConsumptionIsFilteredPagedAndExported(t *testing.T) {
	t.Parallel()
	h := open(t)
	a := h.payer("acme", money.CNY)
	shop, other := h.paidFor(a, "shop", "cn1"), h.paidFor(a, "other", "cn1")
	h.write(func(ctx context.Context, tx *store.Tx) error { // a second item on each of the shop's days
		var deltas []usage.Delta
		for day := range 30 {
			key := usage.Key{WorkspaceID: shop.ID, Generation: shop.Generation, Item: "task_call", Class: "none"}
			deltas = append(deltas, usage.Delta{Key: key, Hour: period.MustParseDay("2026-03-02").Add(day).Start(hangzhou), Add: 20_000})
		}
		return tx.AddUsage(ctx, usage.Batch{Gateway: "calls", Epoch: 1, Seq: 1, Deltas: deltas})
	})
	var last bill.Bill
	for day := range 30 {
		last = h.spent(shop, period.MustParseDay("2026-03-02").Add(day).String(), 1_000_000)
	}
	h.spent(other, "2026-03-10", 2_000_000)
	v := h.signedIn(a)
	seen := map[string]int{}
	path := "/consumption"
	for range 3 { // 61 lines, 50 on a page
		page := v.get(http.StatusOK, path)
		page.says("Total of the range 108.00 CNY")
		for _, a := range page.Find("td.number a").EachIter() {
			href, _ := a.Attr("href")
			seen[href]++
		}
		older, more := page.Find("a[rel=next]").Attr("href")
		if !more {
			break
		}
		path = strings.TrimPrefix(older, Prefix)
	}
	if len(seen) != 61 {
		t.Errorf("%d lines were seen, want 61", len(seen))
	}
	for href, times := range seen {
		if times != 1 {
			t.Errorf("%s came %d times", href, times)
		}
	}
	if n := v.get(http.StatusOK, "/consumption?item=task_call").Find("tbody tr").Length(); n != 30 {
		t.Errorf("%d lines of one item", n)
	}
	v.get(http.StatusOK, "/consumption?workspace="+other.ID).says("Total of the range 3.00 CNY")
	v.get(http.StatusOK, "/consumption?from=2026-02-01&to=2026-02-28").says("Nothing in this range")
	if rows := table(t, v.get(http.StatusOK, "/consumption.csv?item=logs&from=2026-03-10&to=2026-03-11")); len(rows) != 4 {
		t.Errorf("the table is %v", rows)
	}
	rival := h.signedIn(h.payer("rival", money.CNY))
	for _, path := range []string{"/consumption?workspace=" + shop.ID, "/consumption?after=" + last.ID, "/consumption?after=" + last.ID + ":1"} {
		rival.get(http.StatusOK, path).says("Nothing in this range")
	}
	if rows := table(t, rival.get(http.StatusOK, "/consumption.csv?workspace="+shop.ID)); len(rows) != 1 {
		t.Errorf("another account exports %v", rows)
	}
}

func TestRangesThatCannotBeAreRefusedBesideTheField(t *testing.T) {
	t.Parallel()
	h := open(t)
	v := h.signedIn(h.payer("acme", money.CNY))
	for _, list := range []string{"/bills", "/consumption", "/movements"} {
		for _, c := range []struct{ query, code, field string }{
			{"from=2026-03-10&to=2026-03-01", "range_reversed", "to"},
			{"from=2020-01-01&to=2026-03-01", "range_too_long", "from"},
			{"from=2020-01-01", "range_too_long", "from"},
			{"from=2025-03-01&to=2026-03-02", "range_too_long", "from"},
			{"from=yesterday", "malformed_date", "from"},
			{"to=2026-02-30", "malformed_date", "to"},
		} {
			v.get(http.StatusUnprocessableEntity, list+"?"+c.query).refused(c.code, c.field)
			v.get(http.StatusUnprocessableEntity, list+".csv?"+c.query)
		}
		v.get(http.StatusOK, list+"?from=2025-03-01&to=2026-03-01")
	}
}
