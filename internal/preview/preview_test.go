package preview_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/preview"
	"tollgate.dev/internal/quantity"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/usage"
)

var (
	china    = catalog.Market{Currency: money.CNY, Group: site.China}
	overseas = catalog.Market{Currency: money.USD, Group: site.International}
)

func prices(t *testing.T) *catalog.Version {
	t.Helper()
	v, err := catalog.Default().At(period.MustParseDay("2026-03-01"))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// day is item=quantity in the class of the Experience plan.
func day(text string) []usage.Quantity {
	var list []usage.Quantity
	for _, pair := range strings.Fields(text) {
		item, amount, _ := strings.Cut(pair, "=")
		list = append(list, usage.Quantity{Item: item, Class: "7d", Quantity: quantity.MustParse(amount)})
	}
	return list
}

// chosen reads choices as they are typed.
func chosen(t *testing.T, text string) preview.Choices {
	t.Helper()
	typed := map[string][]string{}
	for _, pair := range strings.Fields(text) {
		field, value, _ := strings.Cut(pair, "=")
		typed[field] = []string{value}
	}
	c, err := preview.Parse(prices(t), typed)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestPreviewIsWhatTheDaysWouldHaveCost(t *testing.T) {
	t.Parallel()
	hosts := "timeseries=6000 logs=2000000 apm_trace=2000000 rum_pv=20000 task_call=20000" // ten hosts, domain section 7.6
	cases := []struct {
		name, choices string
		market        catalog.Market
		days          []string
		want          string
	}{
		{"the source's example", "class.timeseries=3d class.logs=7d class.apm_trace=3d class.rum_pv=3d", china, []string{hosts},
			"timeseries 3d 6000 3.60, logs 7d 2000000 2.40, apm_trace 3d 2000000 4.00, rum_pv 3d 20000 1.40, task_call none 20000 2.00 = 13.40"},
		{"defaults", "", china, []string{"logs=2000000"}, "logs 14d 2000000 3.00 = 3.00"},
		{"each day is rounded by itself", "class.timeseries=7d", china, []string{"timeseries=8123", "timeseries=8123", "timeseries=8123"},
			"timeseries 7d 24369 17.04 = 17.04"},
		{"growth", "growth.logs=1.5", china, []string{"logs=2000000", "logs=1000000"}, "logs 14d 4500000 6.75 = 6.75"},
		{"a part of a host is a part of its price", "growth.network_host=0.5", overseas, []string{"network_host=7"}, "network_host none 3.5 2.10 = 2.10"},
		{"no SMS overseas", "", overseas, []string{"sms=10 logs=0"}, "logs 14d 0 0.00 = 0.00"},
		{"what the operator must switch on costs nothing", "", china, []string{"logs_ingested=5000000000"}, " = 0.00"},
		{"nothing used", "growth.logs=5", china, []string{"", ""}, " = 0.00"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var days [][]usage.Quantity
			for _, d := range c.days {
				days = append(days, day(d))
			}
			p, err := preview.Of(prices(t), c.market, days, chosen(t, c.choices))
			if err != nil {
				t.Fatal(err)
			}
			var lines []string
			for _, l := range p.Lines {
				lines = append(lines, fmt.Sprint(l.Item, " ", l.Class, " ", l.Quantity.Plain(), " ", l.Amount))
			}
			if got := strings.Join(lines, ", ") + " = " + p.Total.String(); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestWrongChoicesAreNamedAndTheOthersHold(t *testing.T) {
	t.Parallel()
	for typed, code := range map[string]string{
		"growth.logs=0": "growth_factor", "growth.logs=-1": "growth_factor", "growth.logs=100.01": "growth_factor", "growth.logs=1.234": "growth_factor",
		"growth.logs=1e3": "growth_factor", "growth.logs=two": "growth_factor", "growth.gold=2": "item_unknown",
		"class.logs=360d": "class_unknown", "class.logs=14": "class_unknown", "class.task_call=7d": "class_unknown", "class.gold=7d": "item_unknown",
	} {
		field, value, _ := strings.Cut(typed, "=")
		c, err := preview.Parse(prices(t), map[string][]string{field: {value}, "class.timeseries": {"30d"}, "days": {"7"}})
		var list fault.Fields
		if !errors.As(err, &list) || len(list) != 1 || list[0].Code != code || list[0].Field != field {
			t.Errorf("%s: %v, want %s on %s", typed, err, code, field)
		}
		if c["timeseries"].Class != "30d" {
			t.Errorf("%s: the choice beside it is lost", typed)
		}
	}
	for _, typed := range []string{"growth.logs=100", "growth.logs=0.01", "growth.logs=+1.50", "class.logs=60d"} {
		chosen(t, typed)
	}
}

func TestOnlyOfferedSpansAreRead(t *testing.T) {
	t.Parallel()
	for _, typed := range []string{"", "0", "8", "-7", "07", "7.0", "365"} {
		if _, err := preview.ParseDays(typed); !errors.Is(err, preview.ErrDays) {
			t.Errorf("%q: %v", typed, err)
		}
	}
	if n, err := preview.ParseDays("30"); n != 30 || err != nil {
		t.Errorf("30: %d, %v", n, err)
	}
}
