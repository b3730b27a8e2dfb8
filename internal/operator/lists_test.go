package operator

import (
	"context"
	"encoding/csv"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/arrears"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/wallet"
)

// owing makes an account that has owed for so many days.
func (h *house) owing(name, amount string, days int) account.Billing {
	h.t.Helper()
	a := account.Billing{ID: "bcac_" + name, UserName: name, Email: name + "@pay.example", Currency: money.CNY, Language: "en", CreatedAt: noon}
	h.write(func(ctx context.Context, tx *store.Tx) error {
		if err := tx.InsertBilling(ctx, a); err != nil {
			return err
		}
		if _, err := wallet.OpenDebt(ctx, tx, a, money.MustParse(amount, money.CNY), noon.AddDate(0, 0, -days)); err != nil {
			return err
		}
		return arrears.Advance(ctx, tx, arrears.Debt, a.ID, noon)
	})
	return a
}

// download is a table that a link leads to.
func (h *house) download(path string) [][]string {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), http.MethodGet, h.url+Prefix+path, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	response, err := h.client.Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	rows, err := csv.NewReader(response.Body).ReadAll()
	if err != nil || response.StatusCode != http.StatusOK {
		h.t.Fatalf("%s: %d, %v", path, response.StatusCode, err)
	}
	return rows
}

// heads are the first cells of a page's first table.
func (a answer) heads() (list []string) {
	a.Find("table").First().Find("tbody th[scope=row] > a").Each(func(_ int, s *goquery.Selection) { list = append(list, s.Text()) })
	return list
}

// TestAccountsAreFilteredSortedAndHandedOut narrows the list to what owes, sorts
// it by how much, and compares the table with the page.
func TestAccountsAreFilteredSortedAndHandedOut(t *testing.T) {
	t.Parallel()
	h := open(t, false)
	h.signIn()
	h.owing("late", "15", 3)
	h.owing("gone", "900", 20)
	for query, want := range map[string][]string{
		"?state=arrears&sort=-owed": {"gone", "late"}, "?state=grace": {"late"}, "?state=locked": {"gone"}, "?text=LATE": {"late"},
		"?currency=USD": nil, "?certification=certified": nil, "?state=arrears&site=cn1": nil,
	} {
		page := h.get(http.StatusOK, "/accounts"+query)
		if got := page.heads(); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", query, got, want)
		}
		if want == nil {
			page.says("Nothing fits these filters")
		}
	}
	page := h.get(http.StatusOK, "/accounts?state=locked")
	page.says("900.00")
	page.says("since 2026-03-06")
	rows := h.download("/accounts.csv?state=arrears&sort=-owed")
	if len(rows) != 3 || rows[1][1] != "gone" || rows[1][5] != "locked" || rows[1][12] != "900.00" || rows[2][5] != "grace" {
		t.Errorf("the table holds %v", rows)
	}
	if href, _ := h.get(http.StatusOK, "/accounts?state=arrears").Find("a[href*='accounts.csv']").Attr("href"); href != Prefix+"/accounts.csv?state=arrears" {
		t.Errorf("the download is %q", href)
	}
}

// TestWorkspacesAreFilteredByPayerPlanAndState narrows the list of tenants.
func TestWorkspacesAreFilteredByPayerPlanAndState(t *testing.T) {
	t.Parallel()
	h := open(t, false)
	h.signIn()
	for query, want := range map[string]bool{
		"?payer=" + h.payer.UserName: true, "?payer=" + h.payer.ID: true, "?payer=nobody": false, "?plan=commercial": true, "?plan=experience": false,
		"?site=cn1": true, "?site=us1": false, "?state=locked": false, "?settlement=billing_center": true, "?settlement=aws": false, "?text=" + h.shop.ID: true,
	} {
		if got := slices.Contains(h.get(http.StatusOK, "/workspaces"+query).heads(), h.shop.Name); got != want {
			t.Errorf("%s: %s is there: %v, want %v", query, h.shop.Name, got, want)
		}
	}
	rows := h.download("/workspaces.csv?payer=" + h.payer.UserName)
	if len(rows) != 2 || rows[1][0] != h.shop.ID || rows[1][7] != h.payer.UserName {
		t.Errorf("the table holds %v", rows)
	}
}

// TestThePagesOfTenantsShowWhatBelongsToThem reads both pages and looks for
// what must be there, and for the token, which must not.
func TestThePagesOfTenantsShowWhatBelongsToThem(t *testing.T) {
	t.Parallel()
	h := open(t, false)
	h.signIn()
	late := h.owing("late", "15", 3)
	transfer := h.declared("500", "TG-BUSY0-00000")
	page := h.get(http.StatusOK, "/accounts/"+h.payer.ID)
	for _, text := range []string{"Top-ups", transfer.Reference[:10], "500.00", "Latest daily bills", "Signed in", "No API key."} {
		page.says(text)
	}
	h.get(http.StatusOK, "/accounts/"+late.ID).says("The Billing Center account owes money")
	var secret string
	h.write(func(ctx context.Context, tx *store.Tx) error {
		token, err := tx.CurrentToken(ctx, h.shop.ID)
		secret = token.Secret
		return err
	})
	page = h.get(http.StatusOK, "/workspaces/"+h.shop.ID)
	for _, text := range []string{"Members", "Only its beginning is shown", "Used on the last seven days", "Retention", "Notices to members", secret[:9] + "…"} {
		page.says(text)
	}
	if strings.Contains(page.Text(), secret) {
		t.Error("the token is shown")
	}
}

// TestTodayCountsWhatWaitsAndLeadsThere has one transfer wait.
func TestTodayCountsWhatWaitsAndLeadsThere(t *testing.T) {
	t.Parallel()
	h := open(t, false)
	h.signIn()
	h.get(http.StatusOK, "/").says("Nothing waits.")
	h.declared("500", "TG-BUSY0-00000")
	page := h.get(http.StatusOK, "/")
	if href, _ := page.Find("[data-waits=transfers] a").Attr("href"); href != Prefix+"/transfers" {
		t.Errorf("the count of transfers leads to %q", href)
	}
	if n := strings.TrimSpace(page.Find("[data-waits=transfers] .figure-value").Text()); n != "1" {
		t.Errorf("%s transfers wait, want 1", n)
	}
}
