package catalog

import (
	"errors"
	"strings"
	"testing"
)

// change replaces one text of the shipped file, which must be there.
func change(t *testing.T, pairs ...string) string {
	t.Helper()
	text := string(shipped)
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			t.Fatalf("the shipped catalogue has no %q", pairs[i])
		}
		text = strings.Replace(text, pairs[i], pairs[i+1], 1)
	}
	return text
}

func problems(t *testing.T, text string) Problems {
	t.Helper()
	_, err := Load([]byte(text))
	if !errors.Is(err, ErrInvalid) {
		t.Fatalf("loaded with %v, want %v", err, ErrInvalid)
	}
	var list Problems
	if !errors.As(err, &list) {
		t.Fatalf("%v names no problems", err)
	}
	return list
}

func TestMistakeIsNamedWithItsPlace(t *testing.T) {
	t.Parallel()
	logs := `{3d: "1", 7d: "1.2", 14d: "1.5", 30d: "2", 60d: "2.5"}`
	for name, c := range map[string]struct{ old, new, path, text string }{
		"gap":                 {"until: 2023-04-20", "until: 2023-04-19", "versions[2023-04-20].from", "gap"},
		"overlap":             {"until: 2023-04-20", "until: 2023-04-21", "versions[2023-04-20].from", "overlaps"},
		"version upside down": {"until: 2023-04-20", "until: 2019-04-20", "versions[2020-01-01].until", "not after from"},
		"version ID twice":    {`id: "2024-11-06"`, `id: "2023-04-20"`, "versions[2023-04-20].id", "used twice"},
		"no date":             {"from: 2020-01-01", "from: yesterday", "versions[2020-01-01].from", "no date"},
		"amends another":      {`amends: "2023-04-20"`, `amends: "2020-01-01"`, "versions[2024-11-06].amends", "directly before"},
		"market missing":      {`USD/international:  {3d: "0.3",`, `USD/mars: {3d: "0.3",`, "prices[USD/international]", "is missing"},
		"market unknown":      {`USD/international:  {3d: "0.3",`, `USD/mars: {3d: "0.3",`, "prices[USD/mars]", "no pair"},
		"class not priced":    {logs, `{3d: "1", 7d: "1.2", 14d: "1.5", 30d: "2"}`, "items[logs].prices[CNY/china].60d", "is missing"},
		"class unknown":       {logs, logs[:len(logs)-1] + `, 61d: "2.5"}`, "items[logs].prices[CNY/china].61d", "no class"},
		"price negative":      {logs, strings.Replace(logs, `"1.2"`, `"-1.2"`, 1), "items[logs].prices[CNY/china].7d", "negative"},
		"price of many digits": {logs, strings.Replace(logs, `"1.2"`, `"1.2000001"`, 1),
			"items[logs].prices[CNY/china].7d", "more than 6 decimals"},
		"price absurd":         {logs, strings.Replace(logs, `"1.2"`, `"1234567890"`, 1), "items[logs].prices[CNY/china].7d", "digits before the point"},
		"price with exponent":  {logs, strings.Replace(logs, `"1.2"`, `"1e3"`, 1), "items[logs].prices[CNY/china].7d", "no plain decimal"},
		"unit no power of ten": {`unit: {size: "1000000", en: records`, `unit: {size: "2000000", en: records`, "items[logs].unit.size", "no power of ten"},
		"unit zero":            {`unit: {size: "1000000", en: records`, `unit: {size: "0", en: records`, "items[logs].unit.size", "no power of ten"},
		"rule unknown":         {"rule: sum24", "rule: average", "items[logs].rule", "unknown"},
		"sampling unknown":     {"sampling: new_in_hour", "sampling: sometimes", "items[logs].sampling", "unknown"},
		"running count summed": {"rule: max24", "rule: sum24", "items[timeseries].rule", "needs samples of what is new"},
		"no second counter":    {`alternative: {counter: spans, divisor: "10"}`, "", "items[apm_trace].alternative", "is missing"},
		"divisor of three":     {`alternative: {counter: spans, divisor: "10"}`, `alternative: {counter: spans, divisor: "3"}`, "items[apm_trace].alternative.divisor", "no power of ten"},
		"class out of order":   {"classes: [3d, 7d, 14d, 30d, 60d]", "classes: [7d, 3d, 14d, 30d, 60d]", "items[logs].classes", "not above"},
		"retention unknown":    {"retention: logs\n", "retention: attic\n", "items[logs].retention", "no data type"},
		"class without price":  {"{type: logs, allowed: [3d, 7d, 14d, 30d, 60d]", "{type: logs, allowed: [3d, 7d, 14d, 30d, 60d, 90d]", "items[logs].classes", "90d is allowed"},
		"default not allowed":  {"60d], default: 14d}", "60d], default: 15d}", "retention.types[logs].default", "not among"},
		"quota negative":       {"{quota: 3000}", "{quota: -1}", "quotas.items[timeseries]", "negative"},
		"quota of nothing":     {"timeseries:            {quota: 3000}", "time:            {quota: 3000}", "quotas.items[time]", "no billing item"},
		"warning above full":   {"warn_percent: 85", "warn_percent: 101", "quotas.warn_percent", "not between"},
		"rounding unknown":     {"units: truncate", "units: ceiling", "rounding.units", "unknown"},
		"package overage":      {`task_call:    {unit: "10000", price: "1"}`, "", "annual_packages.overage[task_call]", "is missing"},
		"tiers descending":     {`{card: "30000", voucher: "5000"}`, `{card: "3000", voucher: "5000"}`, "cards.voucher_tiers[1].card", "not above"},
		"field unknown":        {"warn_percent: 85", "warn_per_cent: 85", "file", "warn_per_cent"},
		"no YAML":              {"versions:", "versions: {", "file", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			list := problems(t, change(t, c.old, c.new))
			for _, p := range list {
				if strings.HasSuffix(p.Path, c.path) && strings.Contains(p.Text(), c.text) {
					return
				}
			}
			t.Errorf("want %q at %q, got:\n%v", c.text, c.path, list)
		})
	}
}

func TestAllMistakesAreNamedAtOnce(t *testing.T) {
	t.Parallel()
	list := problems(t, change(t,
		"until: 2023-04-20", "until: 2023-04-21",
		"rule: sum24", "rule: average",
		`"1.2"`, `"-1.2"`,
		"warn_percent: 85", "warn_percent: 101",
		`{card: "30000"`, `{card: "thirty"`,
	))
	for _, want := range []string{"overlaps", "average", "-1.2", "101", "thirty"} {
		if !strings.Contains(list.Error(), want) {
			t.Errorf("%q is not named in:\n%v", want, list)
		}
	}
}

func TestVersionWithoutAmendsMustBeComplete(t *testing.T) {
	t.Parallel()
	list := problems(t, "versions:\n  - id: a\n    from: 2020-01-01\n")
	for _, section := range []string{"items", "quotas", "retention", "rounding", "splits", "task_calls"} {
		if !strings.Contains(list.Error(), "versions[a]."+section+": is missing") {
			t.Errorf("%s is not reported:\n%v", section, list)
		}
	}
}

func TestAmendmentLeavesTheVersionBeforeAlone(t *testing.T) {
	t.Parallel()
	versions := Default().Versions()
	if len(versions) != 3 {
		t.Fatalf("%d versions", len(versions))
	}
	first, last := versions[0], versions[2]
	if len(first.Items) != len(last.Items) {
		t.Errorf("%d and %d items", len(first.Items), len(last.Items))
	}
	for i := range first.Items {
		if first.Items[i].ID != last.Items[i].ID {
			t.Errorf("place %d went from %s to %s", i, first.Items[i].ID, last.Items[i].ID)
		}
	}
	if old, _ := first.Item("datakit_host"); !old.PayAsYouGo {
		t.Error("DataKit hosts were sold by themselves until 2023-04-20")
	}
	if item, _ := last.Item("datakit_host"); item.PayAsYouGo {
		t.Error("DataKit hosts are still sold by themselves")
	}
}
