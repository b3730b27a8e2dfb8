package operator

import (
	"net/http"
	"testing"

	"tollgate.dev/internal/invoice"
)

func TestAnIssuedInvoiceIsReversedByARedLetterOne(t *testing.T) {
	t.Parallel()
	h := open(t, false)
	h.signIn()
	r := h.asked(invoice.Ordinary)
	own := "/invoices/" + r.ID
	if h.get(http.StatusOK, own).Find("form[action$='/reverse']").Length() != 0 {
		t.Error("what was not issued can be reversed")
	}
	h.post(http.StatusConflict, own+"/reverse", "tax_number", "26-R", "tax_day", "2026-03-12", "reason", "early").refused("invoice_state")
	h.post(http.StatusOK, own+"/issue", "tax_number", "26-1", "tax_day", "2026-03-11")
	page := h.post(http.StatusUnprocessableEntity, own+"/reverse", "tax_number", "26-1", "tax_day", "2026-03-10", "reason", " ")
	page.refused("invoice_red_number")
	page.refused("invoice_red_day")
	page.refused("invoice_reason")
	h.post(http.StatusUnprocessableEntity, own+"/reverse", "tax_number", "", "tax_day", "2026-03-13", "reason", "x").refused("invoice_tax_number")
	for range 2 { // a second click changes nothing
		page = h.post(http.StatusOK, own+"/reverse", "tax_number", " 26-r ", "tax_day", "2026-03-12", "reason", "The title is wrong.")
		page.says("26-R RL-CNY-2026-000001 · 2026-03-12")
		page.says("The title is wrong.")
	}
	h.get(http.StatusOK, "/invoices?state=reversed").says("IR-CNY-2026-000001")
	h.get(http.StatusOK, "/invoices?text=26-R").says("IR-CNY-2026-000001")
	if got := h.log(r.ID); len(got) != 3 || got[0] != "invoice.reversed" {
		t.Errorf("the log says %v", got)
	}
	h.mailed("invoice_reversed", "The title is wrong.")
	h.get(http.StatusOK, own).says("red_number: RL-CNY-2026-000001")
}
