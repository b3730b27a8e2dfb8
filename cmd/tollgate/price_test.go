package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
)

var today = period.MustParseDay("2026-03-01")

func priced(t *testing.T, c priceCommand) quote {
	t.Helper()
	q, problems := plain(c).quote(t.Context(), today)
	if len(problems) > 0 {
		t.Fatalf("%v: %q", c.Usage, problems)
	}
	return q
}

// plain fills in what the command line does when nothing is said.
func plain(c priceCommand) *priceCommand {
	if c.Group == "" {
		c.Group = "china"
	}
	if c.Output == "" {
		c.Output = "text"
	}
	return &c
}

// TestPricesOfTheDomain holds the vectors of domain section 7.6.
func TestPricesOfTheDomain(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ usage, currency, group, units, price, exact, amount string }{
		{"timeseries@3d=6000", "CNY", "china", "6.00", "0.6", "3.6", "3.60"},
		{"logs@7d=2000000", "CNY", "china", "2.00", "1.2", "2.4", "2.40"},
		{"apm_trace@3d=2000000", "CNY", "china", "2.00", "2", "4", "4.00"},
		{"rum_pv@3d=20000", "CNY", "china", "2.00", "0.7", "1.4", "1.40"},
		{"task_call=20000", "CNY", "china", "2.00", "1", "2", "2.00"},
		{"timeseries@7d=8123", "CNY", "china", "8.12", "0.7", "5.684", "5.68"},
		{"logs@14d=4999", "CNY", "china", "0.00", "1.5", "0", "0.00"},
		{"apm_trace@30d=1500000", "USD", "china", "1.50", "1.54", "2.31", "2.31"},
		{"session_replay=1700", "CNY", "china", "1.70", "2.5", "4.25", "4.25"},
		{"data_forward_internal=120000000000", "CNY", "china", "120.00", "0.007", "0.84", "0.84"},
		{"data_forward_internal=120000000000", "USD", "china", "120.00", "0.001", "0.12", "0.12"},
		{"network_host=7", "USD", "international", "7.00", "0.6", "4.2", "4.20"},
		{"synthetic_test=54321", "CNY", "international", "5.43", "10", "54.3", "54.30"},
		{"sms=37", "CNY", "china", "3.70", "1", "3.7", "3.70"},
		{"scheduled_report=3", "USD", "international", "3.00", "0.28", "0.84", "0.84"},
		{"sensitive_scan=7200000000", "CNY", "china", "7.20", "0.1", "0.72", "0.72"},
	} {
		q := priced(t, priceCommand{Usage: []string{c.usage}, Currency: c.currency, Group: c.group})
		l := q.Lines[0]
		if got := [4]string{l.Units, l.UnitPrice, l.Exact, l.Amount}; got != [4]string{c.units, c.price, c.exact, c.amount} || q.Total != c.amount {
			t.Errorf("%s in %s/%s: %v and in all %s", c.usage, c.currency, c.group, got, q.Total)
		}
	}
}

func TestTenHostsCostWhatThePricePageSays(t *testing.T) {
	t.Parallel()
	q := priced(t, priceCommand{Usage: []string{
		"task_call=20000", "rum_pv@3d=20000", "apm_trace@3d=2000000", "logs@7d=2000000", "timeseries@3d=6000",
	}})
	var order []string
	for _, l := range q.Lines {
		order = append(order, l.Item)
	}
	if q.Total != "13.40" || !slices.Equal(order, []string{"timeseries", "logs", "apm_trace", "rum_pv", "task_call"}) {
		t.Errorf("%s for %v", q.Total, order)
	}
}

func TestTheLargerCounterIsPriced(t *testing.T) {
	t.Parallel()
	for usage, want := range map[string]string{
		"apm_trace@7d=trace_ids:1000,spans:8000":  "1000",
		"apm_trace@7d=trace_ids:1000,spans:25000": "2500",
		"apm_trace@7d=spans:8005":                 "800.5",
		"apm_trace@7d=1000,spans:25000":           "2500",
		"rum_pv@7d=page_views:2000,events:150000": "2000",
		"rum_pv@7d=rum_events:450000":             "4500",
		"logs@7d=0":                               "0",
	} {
		if q := priced(t, priceCommand{Usage: []string{usage}}); len(q.Lines) != 1 || q.Lines[0].Quantity != want {
			t.Errorf("%s: %+v", usage, q.Lines)
		}
	}
}

func TestTheDatePicksThePrices(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ date, usage, version, total string }{
		{"2024-11-05", "session_replay=1000", "2023-04-20", "10.00"},
		{"2024-11-06", "session_replay=1000", "2024-11-06", "2.50"},
		{"2024-11-05", "apm_trace@60d=1000000", "2023-04-20", "60.00"},
		{"", "apm_trace@60d=1000000", "2024-11-06", "19.44"},
	} {
		q := priced(t, priceCommand{Usage: []string{c.usage}, Date: c.date})
		if q.Catalog != c.version || q.Total != c.total {
			t.Errorf("%s on %q: %s by version %s", c.usage, c.date, q.Total, q.Catalog)
		}
	}
}

// TestUnitsMayStayExact prices by a catalogue that cuts no units (domain C-06).
func TestUnitsMayStayExact(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../internal/catalog/default.yaml")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "exact.yaml")
	if err := os.WriteFile(file, bytes.ReplaceAll(text, []byte("units: truncate"), []byte("units: exact")), 0o600); err != nil {
		t.Fatal(err)
	}
	usage := priceCommand{Usage: []string{"logs@60d=1234567"}, Group: "international", Currency: "CNY"}
	if got := priced(t, usage).Total; got != "6.15" {
		t.Errorf("units are cut: %s", got)
	}
	usage.Catalog = file
	if got := priced(t, usage).Total; got != "6.17" {
		t.Errorf("units are exact: %s", got)
	}
}

// TestAnInstallationHasItsOwnPrices prices by a version that was added and by
// a price that is agreed with an account.
func TestAnInstallationHasItsOwnPrices(t *testing.T) {
	t.Parallel()
	path, at := filepath.Join(t.TempDir(), "tollgate.db"), today.Start(time.UTC)
	payer := account.Billing{ID: "bcac_1", UserName: "acme", Email: "acme@pay.example", Currency: money.CNY, Language: "en", CreatedAt: at}
	var agreed catalog.Override
	installed(t, path, func(tx *store.Tx) error {
		if err := tx.InsertBilling(t.Context(), payer); err != nil {
			return err
		}
		version := []byte("versions:\n  - {id: spring, from: 2026-04-01, amends: \"2024-11-06\", rounding: {units: exact, lines: half_up}}\n")
		by := catalog.Actor{ID: "oper_test"}
		whole, _, err := catalog.Default().Add(t.Context(), tx, version, by, at)
		if err != nil {
			return err
		}
		agreed, err = whole.Agree(t.Context(), tx, payer.ID, catalog.Agreement{
			Item: "logs", Group: site.China, Class: "7d", Price: "1", From: "2026-05-01", Reason: "volume",
		}, by, at)
		return err
	})
	for _, c := range []struct{ account, date, version, override, total string }{
		{"", "2026-03-31", "2024-11-06", "", "1.85"},
		{"", "2026-05-01", "spring", "", "1.86"},
		{"acme", "2026-04-30", "spring", "", "1.86"},
		{"acme", "2026-05-01", "spring", agreed.ID, "1.55"},
		{payer.ID, "2026-05-01", "spring", agreed.ID, "1.55"},
	} {
		q := priced(t, priceCommand{Usage: []string{"logs@7d=1549999"}, Date: c.date, Store: "sqlite:" + path, Account: c.account})
		if q.Catalog != c.version || q.Total != c.total || q.Lines[0].Override != c.override {
			t.Errorf("%+v: %+v", c, q)
		}
	}
	for _, c := range []struct {
		command priceCommand
		want    string
	}{
		{priceCommand{Account: "nobody"}, `--account: the installation has no Billing Center account "nobody"`},
		{priceCommand{Account: "acme", Currency: "USD"}, "--currency: the account acme is billed in CNY"},
	} {
		c.command.Usage, c.command.Store = []string{"logs@7d=1"}, "sqlite:"+path
		if _, problems := plain(c.command).quote(t.Context(), today); len(problems) != 1 || problems[0] != c.want {
			t.Errorf("%+v: %q", c.command, problems)
		}
	}
}

// TestAPriceAsJSONHasTheseNames holds the shape that programs read.
func TestAPriceAsJSONHasTheseNames(t *testing.T) {
	code, out, wrong := called(t, "price", "--currency", "CNY", "--group", "china", "logs@30d=4000000", "timeseries@3d=6000", "sms=37", "--date", "2026-03-01", "-o", "json")
	var got struct {
		Total string              `json:"total"`
		Lines []map[string]string `json:"lines"`
	}
	if err := json.Unmarshal([]byte(out), &got); code != 0 || err != nil || got.Total != "15.30" || len(got.Lines) != 3 {
		t.Fatalf("code %d, %v, %s %s", code, err, out, wrong)
	}
	want := map[string]string{"item": "logs", "class": "30d", "quantity": "4000000", "units": "4.00", "unit_price": "2", "exact": "8", "amount": "8.00"}
	if !maps.Equal(got.Lines[1], want) {
		t.Errorf("%v", got.Lines[1])
	}
	for _, args := range [][]string{{"price", "coffee=1"}, {"price", "sms=-1"}, {"price", "logs@7d=1", "--output", "xml"}} {
		if code, out, wrong := called(t, args...); code != 2 || wrong == "" {
			t.Errorf("%v ends with %d: %q %q", args, code, out, wrong)
		}
	}
}

func TestEachWrongArgumentIsNamed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		command priceCommand
		want    []string // part of each problem, in order
	}{
		{priceCommand{}, []string{"usage: name what was used"}},
		{priceCommand{Usage: []string{"logs@7d=1"}, Currency: "EUR"}, []string{`--currency: "EUR"`}},
		{priceCommand{Usage: []string{"logs@7d=1"}, Group: "mars"}, []string{`--group: "mars"`}},
		{priceCommand{Usage: []string{"logs@7d=1"}, Output: "xml"}, []string{`--output: "xml"`}},
		{priceCommand{Usage: []string{"logs@7d=1"}, Date: "2026-02-30"}, []string{`--date: "2026-02-30"`}},
		{priceCommand{Usage: []string{"logs@7d=1"}, Date: "1999-01-01"}, []string{"no prices for 1999-01-01"}},
		{priceCommand{Usage: []string{"logs@7d=1"}, Catalog: "no-such-file"}, []string{"--catalog: "}},
		{priceCommand{Usage: []string{"logs@7d=1"}, Account: "acme"}, []string{"--account: is of an installation"}},
		{priceCommand{Usage: []string{"logs@7d=1"}, Store: "oracle:x"}, []string{`--store: store "oracle:x": use sqlite:PATH`}},
		{priceCommand{Usage: []string{"logs@7d=1"}, Store: "sqlite:no-such-file.db"}, []string{"--store: there is no installation"}},
		{priceCommand{Usage: []string{"logs@7d=1"}, Data: "no-such-folder"}, []string{"--data: there is no installation"}},
		{priceCommand{Usage: []string{"logs@7d=1"}, Data: "no-such-folder", Catalog: "prices.yaml"}, []string{"--catalog: an installation has its own catalogue"}},
		{priceCommand{Usage: []string{"sms=3"}, Group: "international"}, []string{"sms=3: sms is not sold in USD at sites of the group international"}},
		{priceCommand{Usage: []string{"sms=3"}, Currency: "USD"}, []string{"sms is not sold in USD at sites of the group china"}},
		{priceCommand{Usage: []string{"coffee=1", "logs=5", "logs@90d=4", "sms@7d=3", "datakit_host=3"}}, []string{
			`coffee=1: there is no billing item "coffee"`, "logs=5: logs needs its retention class", `logs@90d=4: logs has no class "90d"`,
			"sms@7d=3: sms has one price", "datakit_host=3: datakit_host is sold within annual packages only",
		}},
		{priceCommand{Usage: []string{"sms=NaN", "sms=Inf", "sms=0x10", "logs@7d=-0.5"}}, []string{
			`"NaN" is no plain whole number`, `"Inf" is no`, `"0x10" is no`, "-0.5 is negative",
		}},
		{priceCommand{Usage: []string{"sms=-5", "sms=1e9", "sms=", "=5", "sms", "sms=0.5", "sms=1 000", "sms=99999999999999999999", "sms=1000000000000001"}}, []string{
			"-5 is negative", `"1e9" is no plain whole number`, "sms=: is not", "=5: is not", "sms: is not", "0.5 is no whole number", `"1 000" is no`,
			"larger than any day's can be", "larger than any day's can be",
		}},
		{priceCommand{Usage: []string{"apm_trace@7d=spans:5,spans:6", "apm_trace@7d=events:1", "logs@7d=spans:1"}}, []string{
			`counts "spans" twice`, `has no counter "events"; it has trace_ids, spans`, `logs has no counter "spans"; it has quantity`,
		}},
		{priceCommand{Usage: []string{"logs@7d=1", "logs@14d=1", "logs@7d=2"}}, []string{"logs@7d=2: names the same item and class as logs@7d=1"}},
		{priceCommand{Usage: []string{"logs@60d=1000000000000000"}}, []string{"costs CNY 2500000000.00, more than any day's bill can be"}},
	} {
		_, problems := plain(c.command).quote(t.Context(), today)
		if len(problems) != len(c.want) {
			t.Errorf("%+v: %q", c.command, problems)
			continue
		}
		for i, want := range c.want {
			if !strings.Contains(problems[i], want) {
				t.Errorf("%+v: %q, want %q", c.command, problems[i], want)
			}
		}
	}
}

func TestAPriceReadsAsATable(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := priced(t, priceCommand{Usage: []string{"logs@30d=4000000", "sms=37"}}).text(&b); err != nil {
		t.Fatal(err)
	}
	want := "   item  class  quantity  units  unit price  exact  amount\n" +
		"   logs    30d   4000000   4.00           2      8    8.00\n" +
		"    sms   none        37   3.70           1    3.7    3.70\n" +
		"  total                                        CNY   11.70\n" +
		"catalogue 2024-11-06, a day at a site of the group china\n"
	if b.String() != want {
		t.Errorf("%s", fmt.Sprintf("got\n%s\nwant\n%s", b.String(), want))
	}
}
