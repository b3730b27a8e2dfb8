package usage

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/period"
)

func version(t interface {
	Helper()
	Fatal(...any)
}) *catalog.Version {
	t.Helper()
	v, err := catalog.Default().At(period.MustParseDay("2026-03-01"))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// day spreads quantities over the hours of a day, one an hour.
func day(item, counter, class string, hours []time.Time, quantities ...int64) []Sample {
	var samples []Sample
	for i, h := range hours {
		q := quantities[min(i, len(quantities)-1)]
		samples = append(samples, Sample{Key: Key{Item: item, Counter: counter, Class: class}, Hour: h, Quantity: q})
	}
	return samples
}

func shanghai(t *testing.T) []time.Time {
	t.Helper()
	return hoursIn(t, "Asia/Shanghai", "2026-03-01")
}

func hoursIn(t *testing.T, name, d string) []time.Time {
	t.Helper()
	zone, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return period.MustParseDay(d).Hours(zone)
}

// TestDayQuantities holds the vectors of domain section 7.5.
func TestDayQuantities(t *testing.T) {
	t.Parallel()
	hours := shanghai(t)
	series := []int64{10}
	for len(series) < 23 {
		series = append(series, 40)
	}
	for name, c := range map[string]struct {
		samples []Sample
		want    string
	}{
		"logs, 100 an hour":       {day("logs", "", "14d", hours, 100), "2400"},
		"series, a running count": {day("timeseries", "", "7d", hours, append(series, 55)...), "55"},
		"hosts":                   {day("network_host", "", "none", hours, 3, 3, 4), "4"},
		"volume kept":             {day("data_forward_internal", "", "none", hours, 100e9, 120e9, 90e9), "120000000000"},
		"traces, more IDs":        {append(day("apm_trace", "", "7d", hours[:4], 250), day("apm_trace", "spans", "7d", hours[:8], 1000)...), "1000"},
		"traces, more spans":      {append(day("apm_trace", "", "7d", hours[:4], 250), day("apm_trace", "spans", "7d", hours[:10], 2500)...), "2500"},
		"page views":              {append(day("rum_pv", "", "7d", hours[:2], 1000), day("rum_pv", "rum_events", "7d", hours[:3], 50000)...), "2000"},
		"scan of three fields":    {day("sensitive_scan", "", "none", hours[:1], 6e9), "6000000000"},
		"a part of a trace":       {day("apm_trace", "spans", "7d", hours[:1], 8005), "800.5"},
	} {
		got, err := Quantities(version(t), c.samples)
		if err != nil || len(got) != 1 || got[0].Quantity.Plain() != c.want {
			t.Errorf("%s: %v, %v, want %s", name, got, err, c.want)
		}
	}
}

func TestLongAndShortDaysCountEveryHour(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ zone, day, sum, most string }{
		{"America/Los_Angeles", "2026-03-08", "2300", "100"},
		{"America/Los_Angeles", "2026-11-01", "2500", "100"},
		{"Asia/Shanghai", "2026-11-01", "2400", "100"},
	} {
		hours := hoursIn(t, c.zone, c.day)
		got, err := Quantities(version(t), append(day("logs", "", "14d", hours, 100), day("network_host", "", "none", hours, 100)...))
		if err != nil || len(got) != 2 || got[0].Quantity.Plain() != c.sum || got[1].Quantity.Plain() != c.most {
			t.Errorf("%s in %s: %v, %v", c.day, c.zone, got, err)
		}
	}
}

func TestQuantitiesComeInCatalogueOrder(t *testing.T) {
	t.Parallel()
	v, hours := version(t), shanghai(t)[:1]
	want := []Quantity{}
	var samples []Sample
	for _, item := range v.Items {
		for _, class := range item.Classes {
			s := day(item.ID, "", class, hours, 7)
			q, err := Quantities(v, s)
			if err != nil {
				t.Fatal(err)
			}
			samples, want = append(samples, s...), append(want, q...)
		}
	}
	for range 20 {
		rand.Shuffle(len(samples), func(i, j int) { samples[i], samples[j] = samples[j], samples[i] })
		got, err := Quantities(v, samples)
		if err != nil || !slices.Equal(got, want) {
			t.Fatalf("got %v, %v\nwant %v", got, err, want)
		}
	}
}

func TestUsageThatCannotBeRealIsRefused(t *testing.T) {
	t.Parallel()
	v, hours := version(t), shanghai(t)
	for name, c := range map[string]struct {
		samples []Sample
		want    error
	}{
		"negative":        {day("logs", "", "14d", hours, -1), ErrNegative},
		"absurd":          {day("logs", "", "14d", hours, math.MaxInt64/2), ErrTooLarge},
		"unknown item":    {day("coffee", "", "none", hours, 1), catalog.ErrItemUnknown},
		"unknown counter": {day("logs", "spans", "14d", hours, 1), ErrCounter},
	} {
		if got, err := Quantities(v, c.samples); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, %v, want %v", name, got, err, c.want)
		}
	}
}

func TestOrderAndSplittingOfSamplesChangeNothing(t *testing.T) {
	t.Parallel()
	v := version(t)
	start := period.MustParseDay("2026-03-01").Start(time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		quantities := rapid.SliceOfN(rapid.Int64Range(0, 1e12), 1, 30).Draw(t, "quantities")
		var whole, parts []Sample
		total := int64(0)
		for i, q := range quantities {
			at := start.Add(time.Duration(i%24) * time.Hour)
			total += q
			whole = append(whole, Sample{Key: Key{Item: "logs", Class: "7d"}, Hour: at, Quantity: q})
			first := rapid.Int64Range(0, q).Draw(t, "first part")
			parts = append([]Sample{
				{Key: Key{Item: "logs", Class: "7d"}, Hour: at, Quantity: q - first},
				{Key: Key{Item: "logs", Class: "7d"}, Hour: at, Quantity: first},
			}, parts...)
		}
		a, err := Quantities(v, whole)
		b, err2 := Quantities(v, parts)
		if err != nil || err2 != nil || !slices.Equal(a, b) {
			t.Fatalf("%v, %v and %v, %v", a, err, b, err2)
		}
		if total == 0 && len(a) != 0 {
			t.Fatalf("nothing was used, and the day has %v", a)
		}
		if n, _ := sumOf(a); n != total {
			t.Fatalf("hours sum to %d, the day to %d", total, n)
		}
	})
}

func sumOf(quantities []Quantity) (int64, bool) {
	if len(quantities) == 0 {
		return 0, true
	}
	return quantities[0].Quantity.Int()
}

func TestWindowBeginsWithTheHourOfTheUpgrade(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("", 8*3600)
	w := Of(period.MustParseDay("2026-03-01"), zone)
	upgraded := time.Date(2026, 3, 1, 15, 42, 0, 0, zone)
	if got := w.Since(upgraded); got.From.Format(time.RFC3339) != "2026-03-01T07:00:00Z" || !got.To.Equal(w.To) {
		t.Errorf("from %s", got.From)
	}
	if got := w.Since(upgraded.AddDate(0, 0, -1)); got != w {
		t.Errorf("upgraded the day before: from %s", got.From)
	}
	if got := w.Since(upgraded.AddDate(0, 0, 1)); !got.Empty() {
		t.Errorf("upgraded the day after: from %s to %s", got.From, got.To)
	}
}

func TestUsageOfAClosedDayGoesToTheFirstOpenHour(t *testing.T) {
	t.Parallel()
	for _, zoneName := range []string{"Asia/Shanghai", "America/Los_Angeles"} {
		zone, err := time.LoadLocation(zoneName)
		if err != nil {
			t.Fatal(err)
		}
		closed := period.MustParseDay("2026-11-01")
		open := closed.Add(1).Hours(zone)
		for _, c := range []struct{ hour, want time.Time }{
			{closed.Start(zone), open[0]},
			{closed.End(zone).Add(-time.Hour), open[0]},
			{closed.Add(-300).Start(zone), open[0]},
			{open[0], open[0]},
			{open[7], open[7]},
		} {
			if got := BookingHour(c.hour, zone, closed); !got.Equal(c.want) {
				t.Errorf("%s: usage of %s goes to %s, want %s", zoneName, c.hour, got, c.want)
			}
		}
		if got := BookingHour(open[3], zone, period.Day{}); !got.Equal(open[3]) {
			t.Errorf("with no closed day: %s", got)
		}
	}
}
