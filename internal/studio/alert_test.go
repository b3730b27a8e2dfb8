package studio_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"tollgate.dev/internal/alert"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/workspace"
)

func TestAlertsAreSetChangedAndRemoved(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	owner, admin, reader := h.person("cn1", "olivia"), h.person("cn1", "noah"), h.person("cn1", "mia")
	w := h.spender(owner)
	h.join(w, admin, workspace.Administrator)
	h.join(w, reader, workspace.ReadOnly)
	v, base := h.signedIn(admin), "/studio/workspaces/"+w.ID+"/alerts"
	v.open(base)
	v.shows(t, "No alert is set yet")
	v.send(base, "item", "logs", "threshold", "10.50", "members", reader.ID, "addresses", "ops@outside.example\r\n finance@outside.example, ops@outside.example")
	v.at(t, base)
	v.shows(t, "The alert is set: Logs.")
	row := v.page.Find("tr[data-alert=logs] td").Map(func(_ int, e *goquery.Selection) string { return strings.TrimSpace(e.Text()) })
	if len(row) != 3 || row[0] != "10.50 CNY" || row[1] != "olivia (Owner), mia, ops@outside.example, finance@outside.example" {
		t.Errorf("the alert reads %q", row)
	}
	v.open(base + "?item=logs")
	if value, _ := v.page.Find("#threshold").Attr("value"); value != "10.50" || v.page.Find("input[name=members][checked]").Length() != 1 {
		t.Errorf("the form to change it holds %q", value)
	}
	v.send(base, "item", "total", "threshold", "8", "administrators", "yes")
	v.send(base, "item", "logs", "threshold", "3")
	if n := v.page.Find("tr[data-alert]").Length(); n != 2 {
		t.Errorf("%d alerts, want 2", n)
	}
	v.send(base + "/total/remove")
	v.shows(t, "The alert is removed")
	v.send(base + "/total/remove")
	v.says(t, http.StatusNotFound, "alert_unknown")
	var rules []alert.Rule
	h.write(func(ctx context.Context, tx *store.Tx) (err error) {
		rules, err = tx.AlertRules(ctx, w.ID)
		return err
	})
	if len(rules) != 1 || rules[0].Threshold.String() != "3.00" || rules[0].Administrators || len(rules[0].Addresses) != 0 {
		t.Errorf("rules %+v", rules)
	}
}

func TestWrongThresholdsAreToldBesideTheFieldAndNothingChanges(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	owner := h.person("cn1", "olivia")
	w := h.spender(owner)
	v, base := h.signedIn(owner), "/studio/workspaces/"+w.ID+"/alerts"
	for typed, code := range map[string]string{
		"0": "alert_threshold", "-5": "alert_threshold", "1.005": "malformed_amount", "": "malformed_amount", "a lot": "malformed_amount",
		"10000000": "alert_threshold_too_high", "999999999999999999999": "alert_threshold_too_high",
	} {
		v.send(base, "item", "logs", "threshold", typed, "addresses", "ops@outside.example")
		v.says(t, http.StatusUnprocessableEntity, code)
		shown, _ := v.page.Find("#threshold").Attr("value")
		if v.page.Find("#threshold-error").Text() == "" || shown != typed || v.page.Find("#addresses").Text() != "ops@outside.example" {
			t.Errorf("%q: the form holds %q", typed, shown)
		}
	}
	v.send(base, "item", "gold", "threshold", "1")
	v.says(t, http.StatusUnprocessableEntity, "alert_item")
	v.send(base, "item", "logs", "threshold", "1", "members", "acnt_somebody")
	v.says(t, http.StatusUnprocessableEntity, "alert_member")
	v.send(base, "item", "logs", "threshold", "1", "addresses", "no-address")
	v.says(t, http.StatusUnprocessableEntity, "email_form")
	v.send(base, "item", "logs", "threshold", "1", "addresses", strings.Repeat("a@b.example ", 201))
	v.says(t, http.StatusUnprocessableEntity, "alert_addresses")
	v.open(base)
	v.shows(t, "No alert is set yet")
}
