package operator

import (
	"bytes"
	"context"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/quantity"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/usage"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/web/gallery"
)

const april = `versions:
  - id: april
    from: 2026-04-01
    amends: "2024-11-06"
    items:
      - id: network_host
        name: {en: Network hosts, zh: 网络主机}
        counted: distinct hosts that sent eBPF network data that day
        unit: {size: "1", en: hosts, zh: 台}
        sampling: day_to_date
        rule: max24
        prices:
          CNY/china: {none: "2.5"}
          CNY/international: {none: "4"}
          USD/china: {none: "0.29"}
          USD/international: {none: "0.6"}
`

func TestAVersionIsCheckedAddedAndTakenBack(t *testing.T) {
	t.Parallel()
	h := open(t, true)
	h.signIn()
	h.get(http.StatusOK, "/catalog").says("2024-11-06 2024-11-06 – holds now 17 came with the program")
	wrong := strings.NewReplacer("2026-04-01", "2026-03-01", `"2.5"`, `"-2.5"`, "2024-11-06", "2020-01-01").Replace(april)
	page := h.post(http.StatusUnprocessableEntity, "/catalog/new", "document", wrong, "act", "add")
	page.refused("catalog_invalid")
	for _, text := range []string{"versions[april].from 2026-03-01 is not after 2026-03-12", "versions[april].amends must name", `prices[CNY/china].none "-2.5" is negative`} {
		page.says(text)
	}
	if page.Find("textarea").Text() != wrong {
		t.Error("what was typed is lost")
	}
	h.post(http.StatusOK, "/catalog/new", "document", april, "act", "check").says("In order Version april would hold from 2026-04-01 on. Nothing was added yet.")
	h.get(http.StatusNotFound, "/catalog/versions/april").refused("catalog_version_unknown")
	h.upload(april).says("Network hosts China CNY one price 2 2.5")
	h.get(http.StatusOK, "/catalog").says("april 2026-04-01 – to come")
	h.post(http.StatusUnprocessableEntity, "/catalog/new", "document", april, "act", "add").says("is used twice")
	h.post(http.StatusConflict, "/catalog/versions/2024-11-06/remove").refused("catalog_version_shipped")
	h.post(http.StatusOK, "/catalog/versions/april/remove").says("Version april was removed.")
	h.upload(april)
	h.clock.Advance(30 * 24 * time.Hour)
	page = h.get(http.StatusOK, "/catalog/versions/april")
	page.says("Holds since 2026-04-01")
	if page.Find("form[action$='/remove']").Length() != 0 {
		t.Error("a version that holds has a button to remove it")
	}
	h.post(http.StatusConflict, "/catalog/versions/april/remove").refused("catalog_version_used")
	if got := h.log("april"); len(got) != 3 || got[1] != "catalog.version_removed" {
		t.Errorf("the log says %v", got)
	}
}

// upload sends the version as a file.
func (h *house) upload(text string) answer {
	h.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	if err := form.WriteField("act", "add"); err != nil {
		h.t.Fatal(err)
	}
	file, err := form.CreateFormFile("file", "april.yaml")
	if err != nil {
		h.t.Fatal(err)
	}
	if _, err := file.Write([]byte(text)); err != nil {
		h.t.Fatal(err)
	}
	if err := form.Close(); err != nil {
		h.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(h.t.Context(), http.MethodPost, h.url+catalogPath+"/new", &body)
	if err != nil {
		h.t.Fatal(err)
	}
	r.Header.Set("Content-Type", form.FormDataContentType())
	return h.do(http.StatusOK, r)
}

// billed uses three hosts on 10 March and closes the day.
func (h *house) billed() {
	h.t.Helper()
	cn1, err := site.Find("cn1")
	if err != nil {
		h.t.Fatal(err)
	}
	day := period.MustParseDay("2026-03-10")
	key := usage.Key{WorkspaceID: h.shop.ID, Generation: h.shop.Generation, Item: "network_host", Class: "none"}
	h.write(func(ctx context.Context, tx *store.Tx) error {
		return tx.AddUsage(ctx, usage.Batch{Gateway: "g", Epoch: 1, Seq: 1, Deltas: []usage.Delta{{Key: key, Hour: day.Start(cn1.Zone).Add(12 * time.Hour), Add: 3}}})
	})
	h.write(func(ctx context.Context, tx *store.Tx) error {
		_, err := bill.Close(ctx, tx, catalog.Default(), day, h.shop.ID, noon)
		return err
	})
}

func TestWhatIfShowsPastBillsByAVersionToCome(t *testing.T) {
	t.Parallel()
	h := open(t, false)
	h.signIn()
	h.billed()
	h.upload(april)
	h.get(http.StatusOK, "/catalog/versions/april/what-if").says("No bills in this month")
	page := h.get(http.StatusOK, "/catalog/versions/april/what-if?month=2026-03")
	page.says("Network hosts 6.00 7.50 +1.50")
	page.says("acme CNY 6.00 7.50 +1.50")
	page.says("Shop acme 1 CNY 6.00 7.50 +1.50")
	for by, want := range map[string]string{
		"account":   "april,2026-03," + h.payer.ID + ",acme,,,CNY,,6.00,7.50,1.50\n",
		"workspace": "april,2026-03," + h.payer.ID + ",acme," + h.shop.ID + ",Shop,CNY,1,6.00,7.50,1.50\n",
	} {
		href, ok := page.Find("a[href*='what-if.csv'][href*='by=" + by + "']").Attr("href")
		if !ok {
			t.Fatalf("no file of all %ss", by)
		}
		got := h.get(http.StatusOK, strings.TrimPrefix(href, Prefix)).Text()
		if head, row, _ := strings.Cut(got, "\n"); !strings.HasPrefix(head, "\ufeffversion,month,account_id") || row != want {
			t.Errorf("the file of all %ss is %q", by, got)
		}
	}
	h.get(http.StatusUnprocessableEntity, "/catalog/versions/april/what-if.csv?month=March").refused("what_if_month")
	h.get(http.StatusUnprocessableEntity, "/catalog/versions/april/what-if?month=March").says("Enter a month such as 2026-03.")
	h.get(http.StatusNotFound, "/catalog/versions/may/what-if").refused("catalog_version_unknown")
}

func TestAPriceIsAgreedAndEnded(t *testing.T) {
	t.Parallel()
	h := open(t, false)
	h.signIn()
	path := "/accounts/" + h.payer.ID + "/prices"
	h.get(http.StatusOK, path).says("No agreed price")
	page := h.post(http.StatusUnprocessableEntity, path, "item", "logs", "group", "china", "class", "14d", "price", "-1", "from", "2026-03-12", "reason", "")
	for _, code := range []string{"price_malformed", "override_from", "override_reason"} {
		page.refused(code)
	}
	good := []string{"item", "logs", "group", "china", "class", "14d", "price", "1.25", "from", "2026-03-13", "reason", "Contract 17"}
	h.post(http.StatusOK, path, good...).says("Logs China 14 days 1.5 1.25 2026-03-13 – … to come Contract 17 Withdraw")
	h.post(http.StatusConflict, path, good...).refused("override_overlap")
	end, _ := h.get(http.StatusOK, path).Find("form[action$='/end']").Attr("action")
	end = strings.TrimPrefix(end, Prefix)
	h.clock.Advance(2 * 24 * time.Hour)
	h.post(http.StatusOK, end).says("2026-03-13 – 2026-03-14 holds now")
	h.post(http.StatusConflict, end).refused("override_ended")
	h.get(http.StatusNotFound, "/accounts/bcac_none/prices").refused("account_unknown")
	h.post(http.StatusNotFound, "/accounts/bcac_none/prices", good...).refused("account_unknown")
	if got := h.log(h.payer.ID); len(got) != 2 || got[0] != "price.ended" || got[1] != "price.agreed" {
		t.Errorf("the log says %v", got)
	}
}

func TestPricesGallery(t *testing.T) {
	t.Parallel()
	var states []gallery.State
	for name, p := range pricePages(t) {
		states = append(states, gallery.State{Name: "operator/" + name, Page: seenBy(account.Admin, p)})
	}
	gallery.Check(t, states)
}

func pricePages(t *testing.T) map[string]page {
	t.Helper()
	whole, err := catalog.Default().Check([]byte(april), noon)
	if err != nil {
		t.Fatal(err)
	}
	added := catalog.Added{ID: "april", From: period.MustParseDay("2026-04-01"), Document: []byte(april), SHA256: catalog.Digest([]byte(april)), By: "oper_0123456789abcdefghijklmnopqrstuv", At: noon}
	today := period.MustParseDay("2026-03-12")
	rows := versionRows(whole, []catalog.Added{added}, today)
	changes := catalog.DifferenceOf(rows[1].Version, rows[0].Version)
	m := catalog.Market{Currency: money.CNY, Group: site.China}
	price := func(state, from, last string) PriceRow {
		o := catalog.Override{ID: "prce_" + state, Payer: acme.ID, Item: "logs", Market: m, Class: "14d", Price: quantity.MustParse("1.25"), From: period.MustParseDay(from), Reason: "Contract 17"}
		if last != "" {
			o.Last = period.MustParseDay(last)
		}
		return priceRow(whole, o, today)
	}
	change := bill.Change{Before: cny("12034.50"), After: cny("13120.05")}
	of := bill.NewWhatIf(whole, rows[0].Version, today.Month())
	of.Bills, of.Workspaces, of.Failed, of.Next = 62000, 2000, 1, shop.ID
	of.Totals[money.CNY] = &change
	of.Items[money.CNY] = []bill.ItemChange{{Item: "logs", Change: bill.Change{Before: cny("6692.28"), After: cny("6692.28")}}, {Item: "network_host", Change: bill.Change{Before: cny("5342.22"), After: cny("6427.77")}}}
	of.Unrated = []bill.Unrated{{Bill: bill.Bill{Number: "cn1-2026-000123"}, Reason: catalog.ErrClassUnknown.With("item", "logs").With("class", "90d")}}
	agreedForm := refused(web.Blank("item", "logs", "price", "-1", "from", "2026-03-12"), catalog.ErrPrice.On("price"))
	return map[string]page{
		"catalog": func(ctx context.Context) templ.Component {
			return versionsPage(Versions{Frame: frame(ctx, "Catalogue", "catalog"), Rows: rows, HeldBack: []*catalog.Version{rows[1].Version}})
		},
		"catalog-version": func(ctx context.Context) templ.Component {
			return versionPage(VersionView{Frame: frame(ctx, "april", "catalog"), Row: rows[0], Before: rows[1].Version, Changes: changes})
		},
		"catalog-version-held": func(ctx context.Context) templ.Component {
			return versionPage(VersionView{Frame: frame(ctx, "2024-11-06", "catalog"), Row: rows[1], Before: rows[2].Version, Changes: catalog.DifferenceOf(rows[2].Version, rows[1].Version)})
		},
		"catalog-new": func(ctx context.Context) templ.Component {
			return newVersionPage(NewVersion{Frame: frame(ctx, "Add a version", "catalog"), Form: web.Blank(), After: "2024-11-06", Today: today})
		},
		"catalog-new-refused": func(ctx context.Context) templ.Component {
			list := catalog.Problems{
				{Path: "versions[april].from", Sentence: "%s is not after %s, a day that has begun: its prices cannot change any more", Args: []any{"2026-03-01", today}},
				{Path: "versions[april].items[network_host].prices[CNY/china].none", Sentence: "%q is negative", Args: []any{"-2.5"}},
			}
			return newVersionPage(NewVersion{Frame: frame(ctx, "Add a version", "catalog"), Form: refused(web.Blank("document", april), catalog.ErrInvalid), Problems: list, After: "2024-11-06", Today: today})
		},
		"catalog-new-checked": func(ctx context.Context) templ.Component {
			return newVersionPage(NewVersion{Frame: frame(ctx, "Add a version", "catalog"), Form: web.Blank("document", april), Checked: &rows[0], Changes: changes, After: "2024-11-06", Today: today})
		},
		"catalog-what-if": func(ctx context.Context) templ.Component {
			return whatIfPage(WhatIf{
				Frame: frame(ctx, "What if", "catalog"), Form: web.Blank("month", "2026-03"), Row: rows[0], Of: of, Accounts: []WhatIfAccount{{acme.ID, acme.UserName, change}},
				Rows:  []WhatIfRow{{bill.WhatIfRow{WorkspaceID: shop.ID, Payer: acme.ID, Currency: money.CNY, Bills: 31, Change: change}, shop.Name, acme.UserName}},
				Pager: web.Pager{Older: versionPath("april") + "/what-if?after=x"},
			})
		},
		"catalog-what-if-empty": func(ctx context.Context) templ.Component {
			return whatIfPage(WhatIf{Frame: frame(ctx, "What if", "catalog"), Form: refused(web.Blank("month", "March"), ErrWhatIfMonth.On("month")), Row: rows[0]})
		},
		"account-prices": func(ctx context.Context) templ.Component {
			list := []PriceRow{price("ended", "2026-01-01", "2026-01-31"), price("now", "2026-03-01", ""), price("withdrawn", "2026-04-01", "2026-03-31"), price("coming", "2026-05-01", "2026-12-31")}
			return pricesPage(Prices{Frame: frame(ctx, "Agreed prices", "accounts"), Form: agreedForm, Account: acme, Rows: list, Version: rows[1].Version, Today: today})
		},
		"account-prices-empty": func(ctx context.Context) templ.Component {
			return pricesPage(Prices{Frame: frame(ctx, "Agreed prices", "accounts"), Form: web.Blank(), Account: acme, Version: rows[1].Version, Today: today})
		},
	}
}
