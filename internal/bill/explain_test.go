package bill_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/usage"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/workspace"
)

// explained bills the samples of a day in Oregon, whose clocks change, and
// explains the bill.
func explained(t *testing.T, day string, since time.Time, samples func(hours []time.Time) []usage.Sample) bill.Explanation {
	t.Helper()
	us1, err := site.Find("us1")
	if err != nil {
		t.Fatal(err)
	}
	d := period.MustParseDay(day)
	window := usage.Of(d, us1.Zone).Since(since)
	v, err := catalog.Default().At(d)
	if err != nil {
		t.Fatal(err)
	}
	list := samples(d.Hours(us1.Zone))
	r, err := bill.Rate(v, catalog.Market{Currency: us1.Currency, Group: us1.Group}, list)
	if err != nil {
		t.Fatal(err)
	}
	parts := make([][]wallet.Part, len(r.Lines))
	for i, l := range r.Lines {
		parts[i] = []wallet.Part{{Payment: wallet.Owed, Account: wallet.Arrears("bcac_1"), Amount: l.Amount}}
	}
	w := workspace.Workspace{ID: "wksp_1", Site: "us1", Generation: 2, Payer: "bcac_1", Settlement: site.BillingCenter}
	b, err := bill.Compose(bill.Draft{Workspace: w, Day: d, Rated: r, Parts: parts, Number: 1, IssuedAt: window.To})
	if err != nil {
		t.Fatal(err)
	}
	e, err := bill.ExplainFrom(catalog.Default(), b, window, list, nil, wallet.Entry{Number: 7})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func sampleOf(item, counter, class string, hour time.Time, n int64) usage.Sample {
	return usage.Sample{Key: usage.Key{WorkspaceID: "wksp_1", Generation: 2, Item: item, Counter: counter, Class: class}, Hour: hour, Quantity: n}
}

func TestDaysOf23And24And25HoursAreExplainedHourByHour(t *testing.T) {
	t.Parallel()
	for day, want := range map[string]string{
		"2026-03-08": "23 hours from 2026-03-08T00:00:00-08:00 to 2026-03-08T23:00:00-07:00, 2300000 logs",
		"2026-03-09": "24 hours from 2026-03-09T00:00:00-07:00 to 2026-03-09T23:00:00-07:00, 2400000 logs",
		"2026-11-01": "25 hours from 2026-11-01T00:00:00-07:00 to 2026-11-01T23:00:00-08:00, 2500000 logs",
	} {
		e := explained(t, day, time.Time{}, func(hours []time.Time) (list []usage.Sample) {
			for _, h := range hours {
				list = append(list, sampleOf("logs", "", "14d", h, 100_000))
			}
			return list
		})
		l := e.Lines[0]
		n, total := len(l.Hours), int64(0)
		for _, h := range l.Hours {
			total += h.Samples[0].Quantity
		}
		got := fmt.Sprintf("%d hours from %s to %s, %d logs", n, l.Hours[0].Start.In(e.Zone).Format(time.RFC3339), l.Hours[n-1].Start.In(e.Zone).Format(time.RFC3339), total)
		if got != want || l.Counters[0].Day != total || !l.Agrees() {
			t.Errorf("%s: %s, by the rule %d, agrees %v", day, got, l.Counters[0].Day, l.Agrees())
		}
	}
}

func TestEachRuleIsExplainedByItsSamples(t *testing.T) {
	t.Parallel()
	since := time.Date(2026, 3, 9, 12, 20, 0, 0, time.UTC) // 05:20 in Oregon
	e := explained(t, "2026-03-09", since, func(hours []time.Time) []usage.Sample {
		return []usage.Sample{
			sampleOf("timeseries", "", "7d", hours[6], 4000), sampleOf("timeseries", "", "7d", hours[8], 8123), sampleOf("timeseries", "", "7d", hours[9], 6000),
			sampleOf("timeseries", "", "30d", hours[9], 2000),
			sampleOf("apm_trace", "", "14d", hours[7], 1_000_000), sampleOf("apm_trace", "spans", "14d", hours[7], 15_000_000), sampleOf("apm_trace", "spans", "14d", hours[10], 10_000_000),
		}
	})
	var got string
	for _, l := range e.Lines {
		got += fmt.Sprintf("%d %s@%s %v = %s -> %s;", l.Number, l.Line.Item, l.Class, l.Counters, l.Quantity, l.Amount)
		if !l.Agrees() {
			t.Errorf("%s: %v, on the bill %v", l.Line.Item, l.Again, l.Line.Line)
		}
	}
	want := "1 timeseries@7d [{quantity 8123}] = 8123 -> 2.11;2 timeseries@30d [{quantity 2000}] = 2000 -> 0.70;3 apm_trace@14d [{trace_ids 1000000} {spans 25000000}] = 2500000 -> 7.00;"
	if got != want {
		t.Errorf("explained\n%s, want\n%s", got, want)
	}
	hours := e.Lines[0].Hours
	if hours[4].Billed || !hours[5].Billed || hours[5].Samples[0].Stored || hours[8].Samples[0] != (bill.Sample{Quantity: 8123, Stored: true}) {
		t.Errorf("the hours around the upgrade are %+v", hours[4:9])
	}
	if _, err := e.Line(4); !errors.Is(err, bill.ErrLineUnknown) {
		t.Errorf("line 4 of 3: %v", err)
	}
}

func TestAChangedSampleNoLongerAgrees(t *testing.T) {
	t.Parallel()
	e := explained(t, "2026-03-09", time.Time{}, func(hours []time.Time) []usage.Sample {
		return []usage.Sample{sampleOf("logs", "", "14d", hours[3], 2_000_000)}
	})
	b := e.Bill
	window := usage.Of(b.Day, e.Zone)
	for _, list := range [][]usage.Sample{nil, {sampleOf("logs", "", "14d", window.From, 2_010_000)}} {
		changed, err := bill.ExplainFrom(catalog.Default(), b, window, list, nil, e.Entry)
		if err != nil || changed.Lines[0].Agrees() {
			t.Errorf("agrees with %v, %v", list, err)
		}
	}
}
