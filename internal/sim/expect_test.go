package sim_test

import (
	"fmt"
	"strings"
	"testing"

	"tollgate.dev/internal/sim"
)

var came = sim.Outcome{
	Bills: []sim.Bill{
		{Workspace: "shop", Day: "2026-03-01", Total: "3.00", Lines: []sim.BillLine{{Item: "logs", Amount: "1.00"}, {Item: "sms", Amount: "2.00"}}},
		{Workspace: "shop", Day: "2026-03-02", Total: "5.00", Lines: []sim.BillLine{}},
	},
	Balances: map[string]sim.Balance{"acme": {Cash: "0.50"}},
	Mails:    []sim.Mail{{To: "acme", Kind: "code", At: "2026-03-01T00:00:00+08:00"}},
	Errors:   []sim.Refusal{},
	Verify:   sim.Verified{OK: true, Failed: []string{}},
}

func TestOnlyWhatIsExpectedIsCompared(t *testing.T) {
	t.Parallel()
	for expect, want := range map[string]string{
		`{bills: [{day: 2026-03-02, total: "5.00"}]}`:                     "",
		`{bills: [{day: 2026-03-02}, {day: 2026-03-01}]}`:                 "",
		`{bills: [{lines: [{item: sms}]}]}`:                               "",
		`{bills: [{day: 2026-03-01, total: 3}]}`:                          "",
		`{balances: {acme: {cash: 0.5}}, verify: {ok: true}, errors: []}`: "",
		`{mails: [{at: 2026-02-28T16:00:00Z}]}`:                           "",
		`{balances: {acme: {cash: "0.51"}}}`:                              "balances.acme.cash: 0.51, not 0.50",
		`{balances: {other: {cash: "1"}}}`:                                "balances.other: {cash: \"1\"}, not nothing",
		`{bills: [{day: 2026-03-02, total: "6.00"}]}`:                     "bills[1].total: 6.00, not 5.00",
		`{bills: []}`:           "bills[0]: nothing, not {…",
		`{errors: [{step: 3}]}`: "errors: {step: 3}, not nothing",
		`{bills: [{lines: [{item: logs, amount: "1.00"}, {item: sms, amount: "9.00"}]}]}`: "bills[0].lines[1].amount: 9.00, not 2.00",
		`{bills: [{lines: {}}]}`: "bills[0].lines: keys and values, not [{…",
		`{bills: 7}`:             "bills: 7, not [{…",
		`{verify: {ok: false}}`:  "verify.ok: false, not true",
	} {
		if got := differences(t, expect, false); !said(got, want) {
			t.Errorf("%s: %s, want %s", expect, got, want)
		}
	}
}

func TestAWholeListHasNothingBeside(t *testing.T) {
	t.Parallel()
	if got := differences(t, `{bills: [{day: 2026-03-02}]}`, true); !said(got, "bills[0]: nothing, not {…") {
		t.Errorf("%s", got)
	}
	if got := differences(t, `{bills: [{day: 2026-03-02, lines: []}, {lines: [{item: logs}, {item: sms}]}]}`, true); got != "" {
		t.Errorf("%s", got)
	}
}

// said compares up to the point where the wanted text is left open.
func said(got, want string) bool {
	if open, ok := strings.CutSuffix(want, "…"); ok {
		return strings.HasPrefix(got, open)
	}
	return got == want
}

func differences(t *testing.T, expect string, whole bool) string {
	t.Helper()
	s, err := sim.Read([]byte(good+"expect: "+expect+"\n"), "")
	if err != nil {
		t.Fatalf("%s: %v", expect, err)
	}
	list, err := s.Compare(came, whole)
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, d := range list {
		texts = append(texts, fmt.Sprintf("%s: %s, not %s", d.Path, d.Want, d.Got))
	}
	return strings.Join(texts, "; ")
}
