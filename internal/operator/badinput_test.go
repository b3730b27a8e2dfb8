package operator

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"tollgate.dev/internal/invoice"
	"tollgate.dev/internal/store/storetest"
)

// badAmounts are amounts that no form takes.
var badAmounts = []string{
	"", " ", "0", "0.00", "-1", "-0.01", "1.001", "1e3", "1E+2", "0x10", "1,5", "1.2.3", ".", "NaN", "Infinity", "ten", "１００", "1 000",
	"99999999999999", "9223372036854775807", "92233720368547758.07", strings.Repeat("9", 400),
}

// badDays are days that no form takes.
var badDays = []string{"tomorrow", "2026-02-30", "2026-3-1", "12/31/2026", "20260312", "2026-03-12T00:00", "-2026-03-12", strings.Repeat("2", 400)}

// attempt is a field of a form with the values that it must refuse.
type attempt struct {
	path  string
	field string
	bad   []string
	more  []string // the other fields, filled in well
}

// refuse sends every bad value and demands a page of a 4xx with a sentence
// beside the field, and that nothing moved.
func (h *house) refuse(a attempt) {
	h.t.Helper()
	before := storetest.Books(h.t, h.store)
	for _, value := range a.bad {
		form := url.Values{a.field: {value}}
		for i := 0; i+1 < len(a.more); i += 2 {
			form.Set(a.more[i], a.more[i+1])
		}
		r, err := http.NewRequestWithContext(h.t.Context(), http.MethodPost, h.url+Prefix+a.path, strings.NewReader(form.Encode()))
		if err != nil {
			h.t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		status, page := h.any(r)
		shown := value[:min(len(value), 40)]
		if status < 400 || status >= 500 {
			h.t.Errorf("%s takes %q as %s: status %d", a.path, shown, a.field, status)
			continue
		}
		if strings.TrimSpace(page.Find("#"+a.field+"-error").Text()) == "" {
			h.t.Errorf("%s says nothing beside %s about %q (status %d): %s", a.path, a.field, shown, status, page.text)
		}
	}
	if storetest.Books(h.t, h.store) != before {
		h.t.Errorf("%s: a bad %s moved something", a.path, a.field)
	}
}

// TestNoFormOfAnOperatorTakesABadAmountOrDay goes through the forms that take
// an amount, a number or a day.
func TestNoFormOfAnOperatorTakesABadAmountOrDay(t *testing.T) {
	t.Parallel()
	h := open(t, false)
	h.signIn()
	asked := h.asked(invoice.Ordinary)
	transfer := h.declared("500", "TG-BAD00-00001")
	account := "/accounts/" + h.payer.ID
	day := func(more ...string) []string { return append([]string{}, append(badDays, more...)...) }
	price := []string{"item", "logs", "group", "china", "class", "14d", "price", "1.2", "from", "2026-04-01", "reason", "volume"}
	batch := []string{"kind", "voucher", "amount", "50", "currency", "CNY", "size", "3", "days", "30", "redeem_by", "2026-12-31"}
	without := func(form []string, field string) (rest []string) {
		for i := 0; i+1 < len(form); i += 2 {
			if form[i] != field {
				rest = append(rest, form[i], form[i+1])
			}
		}
		return rest
	}
	for _, form := range []attempt{
		{"/transfers/" + transfer.ID + "/credit", "amount", badAmounts, []string{"difference", "fees"}},
		{account + "/adjustments", "amount", badAmounts, []string{"direction", "favour", "reason", "counted twice"}},
		{account + "/vouchers", "amount", badAmounts, []string{"kind", "voucher", "through", "2026-12-31", "reason", "sorry", "reference", "0123456789abcdef"}},
		{account + "/vouchers", "through", day("2020-01-01"), []string{"kind", "voucher", "amount", "50", "reason", "sorry", "reference", "0123456789abcdef"}},
		{"/codes", "amount", badAmounts, without(batch, "amount")},
		{"/codes", "size", []string{"", "0", "-1", "1.5", "1e3", "many", "99999999999999999999", "1000000000"}, without(batch, "size")},
		{"/codes", "days", []string{"-1", "1.5", "1e3", "many", "99999999999999999999"}, without(batch, "days")},
		{"/codes", "redeem_by", day("2020-01-01"), without(batch, "redeem_by")},
		{account + "/prices", "price", []string{"", "-1", "1e3", "x", "1.2.3", "1.1234567890123", strings.Repeat("9", 400)}, without(price, "price")},
		{account + "/prices", "from", day("", "2020-01-01", "2026-03-12"), without(price, "from")},
		{account + "/prices", "last", day("2026-03-31"), price},
		{account + "/discounts", "factor", append([]string{"1.1", "0.12345"}, badAmounts...), []string{"item", "logs"}},
		{"/invoices/" + asked.ID + "/issue", "tax_day", day("", "2031-01-01"), []string{"tax_number", "26-1"}},
	} {
		h.refuse(form)
	}
}

// TestNoListOfAnOperatorTakesABadRange goes through the pages that take days.
func TestNoListOfAnOperatorTakesABadRange(t *testing.T) {
	t.Parallel()
	h := open(t, false)
	h.signIn()
	for _, path := range []string{"/audit", "/sources"} {
		for query, field := range map[string]string{"?from=2026-03-02&to=2026-03-01": "to", "?from=2026-02-30": "from", "?to=soon": "to"} {
			if page := h.get(http.StatusUnprocessableEntity, path+query); page.Find("#"+field+"-error").Text() == "" {
				t.Errorf("%s%s says nothing beside %s", path, query, field)
			}
		}
	}
}
