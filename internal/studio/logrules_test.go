package studio_test

import (
	"net/http"
	"strings"
	"testing"
)

func TestTheOwnerRoutesLogsByForms(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	owner := h.person("cn1", "olivia")
	w := h.commercial(h.shop(owner))
	v, page := h.signedIn(owner), "/studio/workspaces/"+w.ID+"/retention"
	rules := page + "/log-rules"
	table := func() string {
		v.open(page)
		return strings.Join(strings.Fields(v.page.Find("#log-rules tbody tr code").Text()), " ")
	}
	v.send(rules, "field", "source", "value", "nginx*", "rule_index", "web")
	v.shows(t, "The rules are changed.")
	v.send(rules, "field", "team", "value", "pay", "rule_index", "default")
	if got := table(); got != "sourcenginx*webteampaydefault" {
		t.Errorf("the rules are %q", got)
	}
	v.send(rules, "do", "raise", "place", "1", "revision", "2")
	if got := table(); got != "teampaydefaultsourcenginx*web" {
		t.Errorf("after the second was raised: %q", got)
	}
	v.send(rules, "do", "remove", "place", "0", "revision", "2") // as it was seen before
	v.says(t, http.StatusConflict, "log_rule_unknown")
	v.send(rules, "do", "remove", "place", "0", "revision", "3")
	if got := table(); got != "sourcenginx*web" {
		t.Errorf("after the first was removed: %q", got)
	}
	v.send(rules, "field", "source", "value", "", "rule_index", "web")
	v.says(t, http.StatusUnprocessableEntity, "log_rule_value")
	v.send(rules, "field", "source", "value", "a", "rule_index", "a b")
	v.says(t, http.StatusUnprocessableEntity, "retention_index_name")
}
