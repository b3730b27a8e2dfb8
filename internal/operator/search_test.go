package operator

import (
	"context"
	"encoding/csv"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"tollgate.dev/internal/notify"
	"tollgate.dev/internal/store"
)

func TestOneBoxFindsWhatAnOperatorKnowsOfIt(t *testing.T) {
	t.Parallel()
	h := open(t, false)
	h.signIn()
	transfer := h.declared("500", "TG-AAAAA-AAAAA")
	for text, path := range map[string]string{
		"acme": "/accounts/" + h.payer.ID, h.payer.ID: "/accounts/" + h.payer.ID, "sho": "/workspaces/" + h.shop.ID,
		"TG-AAAAA-AAAAA": "/transfers/" + transfer.ID, "pay@acme": "/accounts/" + h.payer.ID,
	} {
		page := h.get(http.StatusOK, "/search?text="+url.QueryEscape(text))
		if page.Find("main a[href='"+Prefix+path+"']").Length() == 0 {
			t.Errorf("%s does not lead to %s: %s", text, path, page.text)
		}
	}
	h.get(http.StatusOK, "/search?text=nobody").says("Nothing found")
	if h.get(http.StatusOK, "/search").Find("main table").Length() != 0 {
		t.Error("nothing was asked, and something found")
	}
}

func TestTheAuditLogIsFilteredAndHandedOut(t *testing.T) {
	t.Parallel()
	h := open(t, false)
	h.signIn()
	h.post(http.StatusOK, "/accounts/"+h.payer.ID+"/disabled", "to", "on")
	filter := "actor=OPS%40demo.example&action=billing_account&from=2026-03-12&to=2026-03-12"
	h.get(http.StatusOK, "/audit?"+filter).says("disabled: false -> true")
	h.get(http.StatusOK, "/audit?actor=nobody%40demo.example").says("No entry")
	h.get(http.StatusOK, "/audit?from=2026-03-13").says("No entry")
	h.get(http.StatusUnprocessableEntity, "/audit?from=yesterday").refused("malformed_date")
	h.get(http.StatusUnprocessableEntity, "/audit.csv?from=yesterday").refused("malformed_date")
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.url+Prefix+"/audit.csv?"+filter, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := h.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	rows, err := csv.NewReader(response.Body).ReadAll()
	if err != nil || len(rows) != 2 || rows[1][4] != "billing_account.switched" || rows[1][2] != h.operator.ID || !strings.Contains(rows[1][6], "false -> true") {
		t.Errorf("the table is %v, %v", rows, err)
	}
}

func TestTheCurrencyOfAnEmptyAccountIsChanged(t *testing.T) {
	t.Parallel()
	h := open(t, false)
	h.signIn()
	of := "/accounts/" + h.payer.ID
	h.post(http.StatusOK, of+"/currency", "to", "USD").says("The currency is changed.")
	h.get(http.StatusOK, of).says("currency: CNY -> USD")
	h.post(http.StatusUnprocessableEntity, of+"/currency", "to", "EUR")
	h.post(http.StatusOK, of+"/currency", "to", "CNY")
	transfer := h.declared("5", "TG-BBBBB-BBBBB")
	h.post(http.StatusConflict, of+"/currency", "to", "USD").refused("account_currency_used")
	h.post(http.StatusOK, "/transfers/"+transfer.ID+"/credit", "amount", "5")
	h.post(http.StatusConflict, of+"/currency", "to", "USD").refused("account_currency_used")
	h.post(http.StatusNotFound, "/accounts/bcac_none/currency", "to", "USD").refused("account_unknown")
}

func TestAFailedJobIsTriedAgain(t *testing.T) {
	t.Parallel()
	h := open(t, false)
	h.signIn()
	h.write(func(ctx context.Context, tx *store.Tx) error {
		if err := tx.Enqueue(ctx, notify.Deliver{MailID: "mail_1"}); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `UPDATE river_job SET state = 'discarded', attempt = 25, finalized_at = CURRENT_TIMESTAMP, errors = jsonb('[{"error":"no route to host"}]')`)
		return err
	})
	page := h.get(http.StatusOK, "/")
	page.says("no route to host")
	page.says("Given up")
	path, _ := page.Find("form[action*='/jobs/']").Attr("action")
	path = strings.TrimPrefix(path, Prefix)
	h.post(http.StatusOK, path).says("The job was queued again.")
	h.post(http.StatusNotFound, path).refused("job_not_failed")
	h.post(http.StatusNotFound, "/jobs/none/retry").refused("job_not_failed")
	h.get(http.StatusOK, "/audit?action=job").says("failure: no route to host")
}
