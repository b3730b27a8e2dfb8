package billingcenter

import (
	"net/http"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/wallet"
)

// badAmounts are amounts that no form takes, in any currency.
var badAmounts = []string{
	"", " ", "0", "0.00", "-1", "-0.01", "1.001", "1e3", "1E+2", "0x10", "1,5", "1.2.3", ".", "NaN", "Infinity", "ten", "１００", "1 000",
	"99999999999999", "9223372036854775807", "92233720368547758.07", strings.Repeat("9", 400),
}

// attempt is a field of a form with the values that it must refuse.
type attempt struct {
	path  string
	field string
	bad   []string // of a package, what is beside the whole payment counts, too
	more  []string // the other fields, filled in well
}

// refuse sends every bad value and demands a page of a 4xx with a sentence
// beside the field, and that nothing moved.
func (v *visitor) refuse(h *house, a attempt) {
	v.t.Helper()
	before := storetest.Books(v.t, h.store)
	for _, value := range a.bad {
		form := append([]string{a.field, value}, a.more...)
		status, page := v.tried(a.path, form...)
		if status < 400 || status >= 500 {
			v.t.Errorf("%s takes %q as %s: status %d", a.path, clip(value), a.field, status)
			continue
		}
		if strings.TrimSpace(page.Find("#"+a.field+"-error").Text()) == "" && strings.TrimSpace(page.Find("#pay-error").Text()) == "" {
			v.t.Errorf("%s says nothing beside %s about %q (status %d): %s", a.path, a.field, clip(value), status, strings.Join(strings.Fields(page.Find("main").Text()), " "))
		}
	}
	if line := newLine(before, storetest.Books(v.t, h.store)); line != "" {
		v.t.Errorf("%s: a bad %s moved something: %s", a.path, a.field, line)
	}
}

// newLine is a line that was not there before, or that is gone; empty where
// both are the same.
func newLine(before, after string) string {
	if before == after {
		return ""
	}
	for line := range strings.Lines(after) {
		if !strings.Contains(before, line) {
			return line
		}
	}
	return "something is gone, or there twice"
}

func clip(text string) string { return text[:min(len(text), 40)] }

// tried posts a form and gives whatever comes back.
func (v *visitor) tried(path string, pairs ...string) (int, *goquery.Document) {
	v.t.Helper()
	form := make(map[string][]string, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		form[pairs[i]] = []string{pairs[i+1]}
	}
	response, err := v.client.Do(v.formed(path, form))
	if err != nil {
		v.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	doc, err := goquery.NewDocumentFromReader(response.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return response.StatusCode, doc
}

// TestNoFormOfAPayerTakesABadAmount goes through the forms that take an
// amount, a capacity, a code or a day (bad input of the money pages).
func TestNoFormOfAPayerTakesABadAmount(t *testing.T) {
	t.Parallel()
	h := openPaying(t)
	a := h.payer("acme", money.CNY)
	shop, other := h.paidFor(a, "shop", "cn1"), h.paidFor(a, "other", "cn1")
	h.cash(a.ID, "90000")
	h.codes(1, money.CNY) // the secret behind codes is made with the first ones
	h.gave(a, wallet.Grant{Payment: wallet.ByCard, Face: cny("500"), Origin: wallet.Given})
	v := h.signedIn(a)
	order, _ := v.get(http.StatusOK, "/buy-package/starter").Find("input[name=order]").Attr("value")
	v.post(http.StatusOK, "/buy-package/starter", "order", order, "place_"+shop.ID, "1", "pay_cash", "42000")
	bought := "/packages/" + order
	traffic, _ := v.get(http.StatusOK, bought).Find("form[action$='/traffic'] input[name=order]").Attr("value")
	next, _ := v.get(http.StatusOK, "/buy-package/starter").Find("input[name=order]").Attr("value")

	for _, form := range []attempt{
		{"/recharge", "amount", badAmounts, []string{"reference", reference(v), "channel", "bank"}},
		{"/recharge", "amount", badAmounts, []string{"reference", reference(v), "channel", string(h.channel.Name())}},
		{"/wallet/cards", "amount", append([]string{"150", "99", "100.01"}, badAmounts...), []string{"terms", "x", "reference", reference(v)}},
		{"/buy-package/starter", "pay_cash", badAmounts[2:], []string{"order", next, "place_" + other.ID, "1"}},
		{"/buy-package/starter", "starts", []string{"yesterday", "2026-02-30", "2020-01-01", "2036-01-01", "12/31/2026", "2026-3-1", "20260312"}, []string{"order", next, "place_" + other.ID, "1", "pay_cash", "42000"}},
		{bought + "/traffic", "capacity", []string{"", "0", "-30000000", "1.5", "1e9", "7", "many", "9223372036854775807", "99999999999999999999", "1000000000000000000"}, []string{"order", traffic, "item", "logs"}},
		{"/wallet/activate", activationField, []string{"", "short", "0000-0000-0000-0000", strings.Repeat("A", 400), "'; DROP TABLE code; --"}, nil},
	} {
		v.refuse(h.house, form)
	}
}

// TestACodeIsRefusedForWhatItIs holds each bad code against the page: unknown,
// used, expired, revoked, and for another currency.
func TestACodeIsRefusedForWhatItIs(t *testing.T) {
	t.Parallel()
	h := open(t)
	a, rival := h.payer("acme", money.CNY), h.payer("rival", money.CNY)
	dollars, used, fresh := h.codes(1, money.USD)[0], h.codes(1, money.CNY)[0], h.codes(1, money.CNY)[0]
	h.signedIn(rival).post(http.StatusOK, "/wallet/activate", activationField, used)
	v := h.signedIn(a)
	v.refuse(h, attempt{"/wallet/activate", activationField, []string{dollars, used}, nil})
	h.clock.Set(period.MustParseDay("2027-01-02").Start(wallet.Zone(money.CNY)))
	v = h.signedIn(a)
	v.refuse(h, attempt{"/wallet/activate", activationField, []string{fresh, "0000-0000-0000-0000"}, nil})
}

// TestABadSlipIsNotTaken sends files that are none, to both forms that take one.
func TestABadSlipIsNotTaken(t *testing.T) {
	t.Parallel()
	h := open(t)
	a := h.payer("acme", money.CNY)
	v := h.signedIn(a)
	before := storetest.Books(t, h.store)
	page := v.upload(http.StatusUnprocessableEntity, "/recharge", "slip", "slip.exe", []byte("MZ\x90"), "amount", "100", "reference", reference(v))
	if page.Find("#slip-error").Text() == "" {
		t.Error("nothing is said beside the slip")
	}
	v.upload(http.StatusUnprocessableEntity, "/recharge", "slip", "slip.pdf", []byte("%PDF-1"), "amount", "1e2", "reference", reference(v)).refused("malformed_amount", "amount")
	page = v.upload(http.StatusUnprocessableEntity, "/certification", "scan", "licence.html", []byte("<script>"), "company", "Acme", "taxpayer_id", "91330100MA27XXXX1A")
	if page.Find("#scan-error").Text() == "" {
		t.Error("nothing is said beside the scan")
	}
	if line := newLine(before, storetest.Books(t, h.store)); line != "" {
		t.Errorf("a bad file moved something: %s", line)
	}
}

// TestNoListTakesABadRange goes through the pages that take days.
func TestNoListTakesABadRange(t *testing.T) {
	t.Parallel()
	h := open(t)
	v := h.signedIn(h.payer("acme", money.CNY))
	for _, path := range []string{"/bills", "/movements", "/consumption"} {
		for query, field := range map[string]string{
			"?from=2026-03-02&to=2026-03-01": "to", "?from=2026-02-30&to=2026-03-01": "from", "?from=2026-03-01&to=soon": "to", "?from=2016-01-01&to=2026-03-01": "from",
		} {
			page := v.get(http.StatusUnprocessableEntity, path+query)
			if page.Find("#"+field+"-error").Text() == "" {
				t.Errorf("%s%s says nothing beside %s", path, query, field)
			}
		}
	}
}
