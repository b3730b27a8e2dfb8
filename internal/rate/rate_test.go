package rate

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/quantity"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/usage"
)

type fatal interface {
	Helper()
	Fatal(...any)
}

func version(t fatal) *catalog.Version {
	t.Helper()
	v, err := catalog.Default().At(period.MustParseDay("2026-03-01"))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// exactly is the version with units that are not cut.
func exactly(t fatal) *catalog.Version {
	v := *version(t)
	v.Rounding.TruncateUnits = false
	return &v
}

func of(item, class, q string) usage.Quantity {
	return usage.Quantity{Item: item, Class: class, Quantity: quantity.MustParse(q)}
}

// TestPriceVectors holds domain section 7.6.
func TestPriceVectors(t *testing.T) {
	t.Parallel()
	v := version(t)
	for _, c := range []struct{ item, quantity, currency, group, class, units, price, exact, amount string }{
		{"timeseries", "6000", "CNY", "china", "3d", "6.00", "0.6", "3.6", "3.60"},
		{"logs", "2000000", "CNY", "china", "7d", "2.00", "1.2", "2.4", "2.40"},
		{"apm_trace", "2000000", "CNY", "china", "3d", "2.00", "2", "4", "4.00"},
		{"rum_pv", "20000", "CNY", "china", "3d", "2.00", "0.7", "1.4", "1.40"},
		{"task_call", "20000", "CNY", "china", "none", "2.00", "1", "2", "2.00"},
		{"timeseries", "8123", "CNY", "china", "7d", "8.12", "0.7", "5.684", "5.68"},
		{"logs", "4999", "CNY", "china", "14d", "0.00", "1.5", "0", "0.00"},
		{"apm_trace", "1500000", "USD", "china", "30d", "1.50", "1.54", "2.31", "2.31"},
		{"session_replay", "1700", "CNY", "china", "none", "1.70", "2.5", "4.25", "4.25"},
		{"data_forward_internal", "120000000000", "CNY", "china", "none", "120.00", "0.007", "0.84", "0.84"},
		{"data_forward_internal", "120000000000", "USD", "china", "none", "120.00", "0.001", "0.12", "0.12"},
		{"network_host", "7", "USD", "international", "none", "7.00", "0.6", "4.2", "4.20"},
		{"synthetic_test", "54321", "CNY", "international", "none", "5.43", "10", "54.3", "54.30"},
		{"sms", "37", "CNY", "china", "none", "3.70", "1", "3.7", "3.70"},
		{"scheduled_report", "3", "USD", "international", "none", "3.00", "0.28", "0.84", "0.84"},
		{"sensitive_scan", "7200000000", "CNY", "china", "none", "7.20", "0.1", "0.72", "0.72"},
		{"apm_trace", "800.5", "CNY", "china", "7d", "0.00", "3", "0", "0.00"},
		{"network_host", "0.999", "CNY", "china", "none", "0.99", "2", "1.98", "1.98"},
	} {
		m := catalog.Market{Currency: money.Currency(c.currency), Group: site.Group(c.group)}
		l, err := NewTariff(v, m).Line(of(c.item, c.class, c.quantity))
		got := fmt.Sprintln(l.Units, l.UnitPrice, l.Exact, l.Amount, l.Amount.Currency())
		if want := fmt.Sprintln(c.units, c.price, c.exact, c.amount, c.currency); err != nil || got != want {
			t.Errorf("%s %s of %s: %s, %v, want %s", c.quantity, c.item, c.class, got, err, want)
		}
	}
}

// TestDayOfTenHosts is the source's own example: 13.4 CNY a day.
func TestDayOfTenHosts(t *testing.T) {
	t.Parallel()
	rated, err := NewTariff(version(t), catalog.Market{Currency: money.CNY, Group: site.China}).Rate([]usage.Quantity{
		of("timeseries", "3d", "6000"), of("logs", "7d", "2000000"), of("apm_trace", "3d", "2000000"),
		of("rum_pv", "3d", "20000"), of("task_call", "none", "20000"),
	})
	if err != nil || rated.Total != money.MustParse("13.40", money.CNY) || rated.Version != "2024-11-06" {
		t.Errorf("%v of version %s, %v", rated.Total, rated.Version, err)
	}
}

// TestCuttingUnitsMattersForTheLine holds the two paths of domain C-06: 6.15
// with units cut, 6.17 with exact ones.
func TestCuttingUnitsMattersForTheLine(t *testing.T) {
	t.Parallel()
	m := catalog.Market{Currency: money.CNY, Group: site.International}
	for _, c := range []struct {
		v                          *catalog.Version
		quantity, units, exact, to string
	}{
		{version(t), "1234567", "1.23", "6.15", "6.15"},
		{exactly(t), "1234567", "1.234567", "6.172835", "6.17"},
		{version(t), "4999", "0.00", "0", "0.00"},
		{exactly(t), "4999", "0.004999", "0.024995", "0.02"},
		{exactly(t), "2000000", "2", "10", "10.00"},
	} {
		l, err := NewTariff(c.v, m).Line(of("logs", "60d", c.quantity))
		if err != nil || l.Units.String() != c.units || l.Exact.String() != c.exact || l.Amount.String() != c.to {
			t.Errorf("%s records, cut %v: %s units, %s, %s, %v", c.quantity, c.v.Rounding.TruncateUnits, l.Units, l.Exact, l.Amount, err)
		}
	}
}

func TestWhatHasNoPriceIsRefused(t *testing.T) {
	t.Parallel()
	v := version(t)
	cny := NewTariff(v, catalog.Market{Currency: money.CNY, Group: site.China})
	usd := NewTariff(v, catalog.Market{Currency: money.USD, Group: site.International})
	for name, c := range map[string]struct {
		tariff *Tariff
		q      usage.Quantity
		want   error
	}{
		"unknown item":   {cny, of("coffee", "none", "1"), catalog.ErrItemUnknown},
		"unknown class":  {cny, of("logs", "180d", "1"), catalog.ErrClassUnknown},
		"no class":       {cny, of("logs", "none", "1"), catalog.ErrClassUnknown},
		"not sold there": {usd, of("sms", "none", "1"), catalog.ErrNotSold},
		"negative":       {cny, of("logs", "7d", "-1"), ErrNegative},
		"absurd":         {cny, of("network_host", "none", "9999999999999999999"), quantity.ErrTooLarge},
	} {
		if l, err := c.tariff.Line(c.q); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, %v, want %v", name, l, err, c.want)
		}
		if r, err := c.tariff.Rate([]usage.Quantity{of("network_host", "none", "1"), c.q}); !errors.Is(err, c.want) || r.Lines != nil {
			t.Errorf("%s in a day: %v, %v, want %v", name, r, err, c.want)
		}
	}
}

// markets and items of a random day, as the catalogue sells them.
func drawDay(t *rapid.T, v *catalog.Version, m catalog.Market) []usage.Quantity {
	var day []usage.Quantity
	for _, item := range v.Items {
		if item.SoldIn(m) && rapid.Bool().Draw(t, item.ID) {
			q := quantity.Scaled(rapid.Int64Range(0, 1e14).Draw(t, "quantity"), rapid.IntRange(0, 2).Draw(t, "scale"))
			day = append(day, usage.Quantity{Item: item.ID, Class: rapid.SampledFrom(item.Classes).Draw(t, "class"), Quantity: q})
		}
	}
	return day
}

func TestTotalIsTheSumOfTheLinesAndNeverChanges(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		v, m := version(t), rapid.SampledFrom(catalog.Markets()).Draw(t, "market")
		if rapid.Bool().Draw(t, "exact units") {
			v = exactly(t)
		}
		day := drawDay(t, v, m)
		a, err := NewTariff(v, m).Rate(day)
		b, err2 := NewTariff(v, m).Rate(slices.Clone(day))
		if err != nil || err2 != nil || fmt.Sprint(a) != fmt.Sprint(b) {
			t.Fatalf("%v, %v and %v, %v", a, err, b, err2)
		}
		sum := int64(0)
		for i, l := range a.Lines {
			sum += l.Amount.Minor()
			again, err := l.Units.Mul(l.UnitPrice)
			if err != nil || again.Cmp(l.Exact) != 0 || l.Item != day[i].Item {
				t.Fatalf("line %d: %v", i, l)
			}
		}
		if a.Total.Minor() != sum || len(a.Lines) != len(day) {
			t.Fatalf("total %v of lines that sum to %d", a.Total, sum)
		}
	})
}

func TestMoreUsageNeverCostsLess(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		v, m := version(t), rapid.SampledFrom(catalog.Markets()).Draw(t, "market")
		if rapid.Bool().Draw(t, "exact units") {
			v = exactly(t)
		}
		day := drawDay(t, v, m)
		if len(day) == 0 {
			return
		}
		more := day[0]
		var err error
		if more.Quantity, err = more.Quantity.Add(quantity.Of(rapid.Int64Range(0, 1e12).Draw(t, "more"))); err != nil {
			t.Fatal(err)
		}
		tariff := NewTariff(v, m)
		a, err := tariff.Line(day[0])
		b, err2 := tariff.Line(more)
		if err != nil || err2 != nil || b.Amount.Minor() < a.Amount.Minor() {
			t.Fatalf("%v costs %v, %v costs %v", day[0].Quantity, a.Amount, more.Quantity, b.Amount)
		}
	})
}

func TestCuttingNeverCostsTheCustomerMore(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := rapid.SampledFrom(catalog.Markets()).Draw(t, "market")
		for _, q := range drawDay(t, version(t), m) {
			cut, err := NewTariff(version(t), m).Line(q)
			exact, err2 := NewTariff(exactly(t), m).Line(q)
			if err != nil || err2 != nil || cut.Amount.Minor() > exact.Amount.Minor() {
				t.Fatalf("%v: cut %v, exact %v", q, cut.Amount, exact.Amount)
			}
		}
	})
}

// BenchmarkRate holds as much memory as a close does: beside an empty heap the
// collector would run after every four megabytes, and be what is measured.
func BenchmarkRate(b *testing.B) {
	held := make([]byte, 32<<20)
	defer runtime.KeepAlive(held)
	v := version(b)
	tariff := NewTariff(v, catalog.Market{Currency: money.CNY, Group: site.China})
	var day []usage.Quantity
	for i, item := range v.Items[:13] {
		day = append(day, usage.Quantity{Item: item.ID, Class: item.Classes[0], Quantity: quantity.Of(int64(i+1) * 1234567)})
	}
	lines, before := 0, cpu(b)
	for b.Loop() {
		rated, err := tariff.Rate(day)
		if err != nil {
			b.Fatal(err)
		}
		lines += len(rated.Lines)
	}
	b.ReportMetric(float64(lines)/(cpu(b)-before).Seconds(), "lines/s/core")
}

// cpu is the processor time that this process has used: a busy machine does
// not change it.
func cpu(b *testing.B) time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
