package sim_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tollgate.dev/internal/sim"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/testkit"
)

// good is a file with nothing wrong, to which tests add lines.
const good = `name: a test
start: 2026-03-01T00:00:00+08:00
billing_accounts:
  - {name: acme, currency: CNY}
workspaces:
  - {name: shop, site: cn1, plan: commercial, account: acme}
steps:
`

func problems(t *testing.T, text string) sim.Problems {
	t.Helper()
	_, err := sim.Read([]byte(text), t.TempDir())
	var list sim.Problems
	if err != nil && !errors.As(err, &list) {
		t.Fatalf("%T: %v", err, err)
	}
	return list
}

// wrong are files and the beginnings of what is said of them.
var wrong = map[string]struct {
	text string
	want []string // the beginnings of the problems
}{
	"nothing":       {"", []string{"line 1: the file is empty"}},
	"no YAML":       {"name: [a", []string{"line 1: "}},
	"a list":        {"- name: x\n", []string{"line 1: the file must hold keys", "line 1: the file lacks name", "line 1: the file lacks start"}},
	"a word":        {"hello", []string{"line 1: the file must hold keys", "line 1: the file lacks name", "line 1: the file lacks start"}},
	"two documents": {good + "---\nname: b\n", []string{"line 9: a file holds one scenario"}},
	"two keys":      {"name: a\nname: b\n", []string{"line 2: mapping key \"name\" already defined"}},
	"everything at the top": {`nam: x
start: yesterday
catalog: no-such.yaml
profile: old
billing_accounts: 7
expect: {bill: []}
`, []string{
		"line 1: the file lacks name", "line 1: the file has no key nam", `line 2: start: "yesterday" is no instant`, "line 3: catalog: ",
		`line 4: the file.profile: "old" is none of seed, newer`, "line 5: billing_accounts must be a list", "line 6: expect: an outcome has no bill;",
	}},
	"accounts": {`name: x
start: 2026-03-01T00:00:00Z
billing_accounts:
  - {name: acme, currency: EUR}
  - {name: acme, currency: CNY, balance: 3}
  - {currency: CNY, arbitrary_settlement: maybe}
  - name: cloudy
    currency: CNY
    cloud_accounts: [{cloud: azure, id: "1", instance: i}, {cloud: aws}]
`, []string{
		`line 4: billing_accounts[0].currency: "EUR" is none of CNY, USD`, `line 5: billing_accounts[1].name: "acme" is taken`, "line 5: billing_accounts[1] has no key balance",
		`line 6: billing_accounts[2].arbitrary_settlement: "maybe"`, "line 6: billing_accounts[2] lacks name",
		`line 9: billing_accounts[3].cloud_accounts[0].cloud: "azure" is none of alibaba, alibaba_intl, aws, huawei`,
		"line 9: billing_accounts[3].cloud_accounts[1] lacks id", "line 9: billing_accounts[3].cloud_accounts[1] lacks instance",
	}},
	"a place that is none": {`name: x
start: 2026-03-01T00:00:00Z
workspaces: [{name: a, site: mars}]
steps:
  - usage: {workspace: a, item: logs, hour: 2026-03-01T09:00:00Z, quantity: 1}
  - close: 2026-03-01
`, []string{`line 3: workspaces[0].site: there is no site "mars"`}},
	"workspaces": {`name: x
start: 2026-03-01T00:00:00Z
billing_accounts: [{name: acme, currency: CNY}]
workspaces:
  - {name: a, site: mars}
  - {name: b, site: cn1, plan: commercial}
  - {name: c, site: cn1, plan: commercial, account: nobody}
  - {name: d, site: cn1, account: acme}
  - {name: e, site: cn1, plan: commercial, account: acme, settlement: {cloud: aws, id: "1"}}
  - {name: f, site: cn1, plan: commercial, account: acme, retention: {logs: 90d, coffee: 7d}}
  - {name: g, site: cn1, plan: premium}
`, []string{
		`line 5: workspaces[0].site: there is no site "mars"`, "line 6: workspaces[1] lacks account", `line 7: workspaces[2].account: there is no billing account "nobody"`,
		"line 8: workspaces[3].account: a workspace of the Experience plan", "line 9: workspaces[4].settlement lacks instance",
		`line 10: workspaces[5].retention: logs has no class "90d"; it has 3d`, `line 10: workspaces[5].retention: there is no data type "coffee"`,
		`line 11: workspaces[6].plan: "premium" is none of`,
	}},
	"steps": {good + `  - {}
  - {usage: {workspace: shop}, close: 2026-03-01}
  - {dance: {}}
  - {cloud_event: {cloud: alibaba}}
  - {at: noon, close: tomorrow}
  - {advance: 3 weeks}
  - {advance: 9000d}
  - {close: [1]}
`, []string{
		"line 8: steps[0] has no verb", "line 9: steps[1].usage lacks hour", "line 9: steps[1].usage lacks item", "line 9: steps[1] has two verbs",
		`line 10: steps[2]: there is no step "dance"; there are advance, card`, "line 11: steps[3].cloud_event lacks id", "line 11: steps[3].cloud_event lacks instance", "line 11: steps[3].cloud_event lacks event",
		`line 12: steps[4].at: "noon"`, `line 12: steps[4].close: "tomorrow" is no date`, `line 13: steps[5].advance: "3 weeks"`,
		"line 14: steps[6].advance: a step moves the clock by at most ten years", "line 15: steps[7].close names a day",
	}},
	"money": {good + `  - {deposit: {account: nobody, cash: "1"}}
  - {deposit: {account: acme}}
  - {deposit: {account: acme, cash: "1.005"}}
  - {voucher: {account: acme, kind: free, amount: ten}}
  - {card: {account: acme, amount: "25"}}
  - {debt: 15}
`, []string{
		`line 8: steps[0].deposit.account: there is no billing account "nobody"`, "line 9: steps[1].deposit lacks cash", `line 10: steps[2].deposit.cash: "1.005" is no amount`,
		`line 11: steps[3].voucher.kind: "free" is none of ordinary, full_reduction`, `line 11: steps[3].voucher.amount: "ten"`, "line 11: steps[3].voucher lacks expires",
		"line 12: steps[4].card lacks paid_by", "line 13: steps[5].debt must hold keys", "line 13: steps[5].debt lacks account", "line 13: steps[5].debt lacks amount",
	}},
	"usage": {good + `  - {usage: {workspace: nowhere, item: logs, hour: 2026-03-01T09:00:00+08:00, quantity: 1}}
  - {usage: {workspace: shop, item: coffee, hour: 2026-03-01T09:00:00+08:00, quantity: 1}}
  - {usage: {workspace: shop, item: logs, class: 90d, hour: 2026-03-01T09:00:00+08:00, quantity: 1}}
  - {usage: {workspace: shop, item: sms, class: 7d, hour: 2026-03-01T09:00:00+08:00, quantity: 1}}
  - {usage: {workspace: shop, item: logs, hour: 2026-03-01T09:00:00+08:00}}
  - {usage: {workspace: shop, item: logs, hour: 2026-03-01T09:00:00+08:00, quantity: -1}}
  - {usage: {workspace: shop, item: logs, hour: 2026-03-01T09:00:00+08:00, quantity: 1.5}}
  - {usage: {workspace: shop, item: logs, hour: 2026-03-01T09:00:00+08:00, quantity: 1, spans: 7}}
  - {usage: {workspace: shop, item: apm_trace, hour: 2026-03-01T09:00:00+08:00, trace_ids: 1, quantity: 7}}
  - {usage: {workspace: shop, item: logs, hour: 2010-03-01T09:00:00+08:00, quantity: 1}}
  - {report: {workspace: shop, hour: 2026-03-01T09:00:00+08:00}}
  - {report: {workspace: shop, hour: 2026-03-01T09:00:00+08:00, log_bytes: [1, many]}}
`, []string{
		`line 8: steps[0].usage.workspace: there is no workspace "nowhere"`, `line 9: steps[1].usage.item: there is no billing item "coffee"`,
		`line 10: steps[2].usage.class: logs has no class "90d"`, "line 11: steps[3].usage.class: sms has one price", "line 12: steps[4].usage lacks quantity",
		`line 13: steps[5].usage.quantity: "-1" is no whole number`, `line 14: steps[6].usage.quantity: "1.5"`, "line 15: steps[7].usage has no key spans",
		"line 16: steps[8].usage.quantity: this counter is given twice", "line 17: steps[9].usage.hour: the catalogue has no prices for 2010-03-01",
		"line 18: steps[10].report lacks log_bytes", `line 19: steps[11].report.log_bytes[1]: "many"`,
	}},
	"clouds": {strings.Replace(good, "steps:", `clouds:
  aws: {plan: daily, price: "0.005"}
  mars: {}
steps:`, 1) + `  - {cloud_event: {cloud: aws, id: "1", instance: l-1, event: frozen}}
  - {cloud_event: {cloud: huawei, id: "1", instance: i, event: renewed, expires: soon, happened: once}}
  - {cloud_answer: {cloud: azure, answer: maybe, times: 0}}
`, []string{
		"line 8: clouds.aws.plan: AWS takes usage by the hour", `line 8: clouds.aws.price: "0.005" is no amount`, `line 9: clouds: there is no marketplace of "mars"`,
		`line 11: steps[0].cloud_event.event: "frozen" is none of cancelled, expired, released`, `line 12: steps[1].cloud_event.expires: "soon" is no instant`,
		`line 12: steps[1].cloud_event.happened: "once" is no instant`, `line 13: steps[2].cloud_answer.cloud: "azure" is none of`,
		`line 13: steps[2].cloud_answer.answer: "maybe" is none of lost, throttled`, "line 13: steps[2].cloud_answer.times is from 1 to 10000",
	}},
	"wishes": {good + `  - {settlement: {workspace: shop}}
  - {settlement: {workspace: shop, cloud: mars, id: "1"}}
  - {retention: {workspace: shop, type: coffee}}
  - {upgrade: {workspace: shop}}
`, []string{
		"line 8: steps[0].settlement lacks to", `line 9: steps[1].settlement.cloud: "mars" is none of alibaba`, "line 9: steps[1].settlement lacks instance",
		`line 10: steps[2].retention.type: there is no data type "coffee"`, "line 10: steps[2].retention lacks class", "line 11: steps[3].upgrade lacks account",
	}},
}

func TestEachWrongLineIsNamed(t *testing.T) {
	t.Parallel()
	for name, c := range wrong {
		got := problems(t, c.text)
		said := strings.Split(got.Error(), "\n")
		if len(got) != len(c.want) {
			t.Errorf("%s: %d problems, want %d:\n%v", name, len(got), len(c.want), got)
			continue
		}
		for i, want := range c.want {
			if !strings.HasPrefix(said[i], want) {
				t.Errorf("%s: %q, want %q", name, said[i], want)
			}
		}
	}
}

func TestAStartThatTheRulesRefuseNamesItsLine(t *testing.T) {
	t.Parallel()
	s, err := sim.Read([]byte(strings.Replace(good, "currency: CNY", "currency: USD", 1)), "")
	if err != nil {
		t.Fatal(err)
	}
	_, err = sim.Play(t.Context(), s, scratch(t), testkit.Logger(t))
	var list sim.Problems
	if !errors.As(err, &list) || len(list) != 1 || list[0].Line != 6 || !strings.Contains(list[0].Text, "billing_currency_differs") {
		t.Errorf("%v", err)
	}
}

// TestTheSameFileGivesTheSameOutcome plays a scenario on both engines, twice
// on one of them, and compares the outcomes byte by byte.
func TestTheSameFileGivesTheSameOutcome(t *testing.T) {
	t.Parallel()
	s, err := sim.ReadFile(filepath.Join(folder, "money", "workspaces-of-one-payer-share-its-wallet.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	fresh, end, err := sim.Fresh(t.Context(), testkit.Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	var first string
	for i, st := range []*store.Store{scratch(t), scratch(t), fresh} {
		o, err := sim.Play(t.Context(), s, st, testkit.Logger(t))
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = string(text)
		}
		if string(text) != first {
			t.Errorf("run %d:\n%s\nthe first one:\n%s", i, text, first)
		}
	}
	if err := end(); err != nil {
		t.Error(err)
	}
}

func TestASimulationLeavesNothingAndTouchesNothing(t *testing.T) {
	t.Parallel()
	used := filepath.Join(t.TempDir(), "used.db")
	if err := os.WriteFile(used, []byte("something"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := sim.Fresh(t.Context(), "sqlite:"+used); !errors.Is(err, sim.ErrStoreInUse) {
		t.Errorf("a file that is there: %v", err)
	}
	for _, wrong := range []string{"mysql://localhost/x", "postgres://nobody@127.0.0.1:1/none?connect_timeout=1"} {
		if _, _, err := sim.Fresh(t.Context(), wrong); err == nil {
			t.Errorf("%s was opened", wrong)
		}
	}
	url := testkit.Postgres(t)
	for range 2 {
		s, end, err := sim.Fresh(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Ping(t.Context()); err != nil {
			t.Error(err)
		}
		if err := end(); err != nil {
			t.Error(err)
		}
	}
}

func FuzzRead(f *testing.F) {
	files, err := filepath.Glob(filepath.Join(folder, "*", "*.yaml"))
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files[:min(len(files), 20)] {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := sim.Read([]byte(text), "testdata/nothing")
		if (s == nil) == (err == nil) {
			t.Errorf("%v, %v", s, err)
		}
	})
}
