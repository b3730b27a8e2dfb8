package alert_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"tollgate.dev/internal/alert"
	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/rate"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/workspace"
)

func cny(s string) money.Amount { return money.MustParse(s, money.CNY) }

// charging is a bill of item=amount.
func charging(t *testing.T, lines string) bill.Bill {
	t.Helper()
	b := bill.Bill{Market: catalog.Market{Currency: money.CNY, Group: site.China}, Total: cny("0")}
	for _, pair := range strings.Fields(lines) {
		item, amount, _ := strings.Cut(pair, "=")
		b.Lines = append(b.Lines, bill.Line{Line: rate.Line{Item: item, Amount: cny(amount)}})
		var err error
		if b.Total, err = b.Total.Add(cny(amount)); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

func TestAlertIsRaisedStrictlyAboveItsThreshold(t *testing.T) {
	t.Parallel()
	rules := []alert.Rule{
		{Item: "logs", Threshold: cny("10")}, {Item: alert.Total, Threshold: cny("20")}, {Item: "timeseries", Threshold: cny("5")},
		{Item: "task_call", Threshold: money.MustParse("0.01", money.USD)},
	}
	for lines, want := range map[string]string{
		"logs=10.00":                               "",
		"logs=10.01":                               "logs 10.01",
		"logs=6 logs=4.01":                         "logs 10.01", // two classes of one item
		"logs=10 timeseries=5 task_call=5":         "",
		"logs=10 timeseries=5 task_call=5.01":      "total 20.01",
		"logs=20.01":                               "logs 20.01, total 20.01",
		"timeseries=6 logs=11 task_call=100000.00": "logs 11.00, total 100017.00, timeseries 6.00", // a rule in dollars compares nothing
		"": "",
	} {
		broken, err := alert.Decide(rules, charging(t, lines))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, a := range broken {
			got = append(got, a.Item+" "+a.Amount.String())
		}
		if text := strings.Join(got, ", "); text != want {
			t.Errorf("%s: %q, want %q", lines, text, want)
		}
	}
}

var team = []alert.Member{
	{"acnt_o", workspace.Owner, "olivia", "olivia@example.com", "en"},
	{"acnt_a", workspace.Administrator, "noah", "Noah@example.com", "zh"},
	{"acnt_s", workspace.Standard, "mia", "mia@example.com", "en"},
}

func TestOwnerAlwaysReceivesAndNobodyTwice(t *testing.T) {
	t.Parallel()
	w := workspace.Workspace{Language: "zh"}
	for _, c := range []struct {
		rule alert.Rule
		want string
	}{
		{alert.Rule{}, "olivia@example.com/en"},
		{alert.Rule{Administrators: true}, "olivia@example.com/en noah@example.com/zh"},
		{alert.Rule{Members: []string{"acnt_s", "acnt_gone", "acnt_o"}}, "olivia@example.com/en mia@example.com/en"},
		{alert.Rule{Administrators: true, Members: []string{"acnt_a"}, Addresses: []string{"ops@outside.example", "OLIVIA@example.com", "noah@example.com"}},
			"olivia@example.com/en noah@example.com/zh ops@outside.example/zh"},
	} {
		var got []string
		for _, r := range c.rule.Recipients(w, team) {
			got = append(got, r.Email+"/"+r.Language)
		}
		if text := strings.Join(got, " "); text != c.want {
			t.Errorf("%+v goes to %s, want %s", c.rule, text, c.want)
		}
	}
}

func TestWrongAlertsNameTheirFields(t *testing.T) {
	t.Parallel()
	v, err := catalog.Default().At(period.MustParseDay("2026-03-01"))
	if err != nil {
		t.Fatal(err)
	}
	var many []string
	for i := range alert.MostAddresses + 1 {
		many = append(many, fmt.Sprintf("a%d@example.com", i))
	}
	good := alert.Typed{Item: "logs", Threshold: "10.5"}
	change := func(f func(*alert.Typed)) alert.Typed {
		t := good
		f(&t)
		return t
	}
	threshold := func(s string) alert.Typed { return change(func(t *alert.Typed) { t.Threshold = s }) }
	for _, c := range []struct {
		typed alert.Typed
		want  string
	}{
		{good, ""},
		{threshold("0.01"), ""}, {threshold("9999999.99"), ""},
		{threshold("0"), "alert_threshold on threshold"}, {threshold("-1"), "alert_threshold on threshold"}, {threshold("0.00"), "alert_threshold on threshold"},
		{threshold("1.005"), "malformed_amount on threshold"}, {threshold(""), "malformed_amount on threshold"}, {threshold("ten"), "malformed_amount on threshold"},
		{threshold("1e9"), "malformed_amount on threshold"}, {threshold("10000000"), "alert_threshold_too_high on threshold"},
		{threshold("99999999999999999999"), "alert_threshold_too_high on threshold"}, {threshold("100000000000000000"), "alert_threshold_too_high on threshold"},
		{change(func(t *alert.Typed) { t.Item = "gold" }), "alert_item on item"},
		{change(func(t *alert.Typed) { t.Item = "logs_ingested" }), "alert_item on item"}, // the operator switches it on
		{change(func(t *alert.Typed) { t.Item = "" }), "alert_item on item"},
		{change(func(t *alert.Typed) { t.Members = []string{"acnt_x"} }), "alert_member on members"},
		{change(func(t *alert.Typed) { t.Addresses = []string{"ops@outside.example", "ops@"} }), "email_form on addresses"},
		{change(func(t *alert.Typed) { t.Addresses = many }), "alert_addresses on addresses"},
		{change(func(t *alert.Typed) { t.Addresses = append(many[:20:20], "A0@example.com") }), ""}, // twice is once
		{alert.Typed{Item: "gold", Threshold: "0", Addresses: []string{"x"}}, "alert_item on item, alert_threshold on threshold, email_form on addresses"},
	} {
		_, err := c.typed.Check(v, catalog.Market{Currency: money.CNY, Group: site.China}, team)
		var faults []string
		var list fault.Fields
		errors.As(err, &list)
		for _, f := range list {
			faults = append(faults, f.Code+" on "+f.Field)
		}
		if got := strings.Join(faults, ", "); got != c.want {
			t.Errorf("%+v: %q, want %q", c.typed, got, c.want)
		}
	}
	if alert.Offered(v, catalog.Market{Currency: money.USD, Group: site.International}, "sms") || !slices.ContainsFunc(v.Items, func(i catalog.Item) bool { return i.ID == "sms" }) {
		t.Error("an alert for what is not sold here is offered")
	}
}
