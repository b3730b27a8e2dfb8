package prepaid_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/prepaid"
	"tollgate.dev/internal/quantity"
	"tollgate.dev/internal/rate"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/usage"
)

var china = catalog.Market{Currency: money.CNY, Group: site.China}

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

func coverOf(quotas map[string]int64, workspaces ...string) prepaid.Cover {
	p := prepaid.Package{ID: "pkge_1", First: period.MustParseDay("2026-03-01"), Last: period.MustParseDay("2027-02-28")}
	p.Terms = []prepaid.Term{{First: p.First, Last: p.Last, Quotas: quotas, Workspaces: workspaces}}
	cover, _ := p.CoverOn(p.First)
	return cover
}

// TestSharingExample is the source's own (domain section 10.3): of 150 million
// the first workspace's 100 are covered, and 50 of the second's.
func TestSharingExample(t *testing.T) {
	t.Parallel()
	v := version(t)
	share := coverOf(map[string]int64{"logs": 150_000_000}, "a", "b").Begin(v, china)
	tariff, got := rate.NewTariff(v, china), ""
	for range 2 {
		l, err := share.Line(tariff, usage.Quantity{Item: "logs", Class: "14d", Quantity: quantity.Of(100_000_000)})
		if err != nil {
			t.Fatal(err)
		}
		got += fmt.Sprintf("%s covered, %s beyond cost %s; ", l.Package.Covered, l.Package.Excess, l.Amount)
	}
	if got != "100000000 covered, 0 beyond cost 0.00; 50000000 covered, 50000000 beyond cost 75.00; " {
		t.Error(got)
	}
}

// TestFactors are those of domain section 10.3, and ours for the classes that
// it leaves open.
func TestFactors(t *testing.T) {
	t.Parallel()
	v := version(t)
	for what, want := range map[string]string{
		"logs 3d": "1", "logs 7d": "1", "logs 14d": "1", "logs 30d": "2", "logs 60d": "3",
		"apm_trace 3d": "1", "apm_trace 7d": "1", "apm_trace 14d": "2", "apm_trace 30d": "3.6", "apm_trace 60d": "6.48",
		"rum_pv 3d": "1", "rum_pv 7d": "1", "rum_pv 14d": "2", "rum_pv 30d": "3.6", "rum_pv 60d": "6.48",
		"task_call none": "1", "datakit_host none": "1",
	} {
		var item, class string
		if _, err := fmt.Sscan(what, &item, &class); err != nil {
			t.Fatal(err)
		}
		if got, err := v.Factor(item, class, china); err != nil || got.Plain() != want {
			t.Errorf("%s: %s, %v, want %s", what, got, err, want)
		}
	}
	for _, c := range [][2]string{{"logs", "15d"}, {"coffee", "none"}, {"logs", "none"}} {
		if got, err := v.Factor(c[0], c[1], china); err == nil {
			t.Errorf("%v has the factor %s", c, got)
		}
	}
}

// TestNobodyCoversMoreThanTheQuota draws packages and days: what is covered is
// never more than the quota, nothing is lost between covered and excess, who
// comes first never pays while a later one is covered, and the order changes
// who pays but not how much is covered.
func TestNobodyCoversMoreThanTheQuota(t *testing.T) {
	t.Parallel()
	v := version(t)
	rapid.Check(t, func(t *rapid.T) {
		quota := rapid.Int64Range(0, 1e9).Draw(t, "quota")
		shops := rapid.SliceOfN(rapid.SliceOfN(rapid.Int64Range(0, 5e8), 0, 3), 1, 6).Draw(t, "usage")
		cover := coverOf(map[string]int64{"logs": quota})
		covered := func(backwards bool) quantity.Decimal {
			share, sum, dry := cover.Begin(v, china), quantity.Zero, false
			for i := range shops {
				if backwards {
					i = len(shops) - 1 - i
				}
				for class, n := range shops[i] {
					c, err := share.Take(usage.Quantity{Item: "logs", Class: []string{"14d", "30d", "60d"}[class], Quantity: quantity.Of(n)})
					if err != nil {
						t.Fatal(err)
					}
					whole, err := c.Covered.Add(c.Excess)
					if err != nil || whole.Cmp(c.Converted) != 0 || c.Covered.Sign() < 0 || c.Excess.Sign() < 0 {
						t.Fatalf("%s and %s of %s, %v", c.Covered, c.Excess, c.Converted, err)
					}
					if dry && c.Covered.Sign() > 0 {
						t.Fatalf("%s are covered behind an excess", c.Covered)
					}
					dry = dry || c.Excess.Sign() > 0
					if sum, err = sum.Add(c.Covered); err != nil {
						t.Fatal(err)
					}
				}
			}
			return sum
		}
		there, back := covered(false), covered(true)
		if there.Cmp(quantity.Of(quota)) > 0 || there.Cmp(back) != 0 {
			t.Fatalf("of %d are covered %s, from behind %s", quota, there, back)
		}
	})
}

func TestUpgradesCostTheDaysThatAreLeft(t *testing.T) {
	t.Parallel()
	p := prepaid.Package{First: period.MustParseDay("2026-03-01"), Last: period.MustParseDay("2027-02-28")}
	v := version(t)
	p.Terms = []prepaid.Term{{First: p.First, Last: p.Last, Size: "starter", Price: money.MustParse("42000", money.CNY)}}
	for today, want := range map[string]string{
		"2026-02-01": "growth 238000.00 468000.00", "2026-03-01": "growth 237347.95 466717.81", // 365 and 364 of 365 days
		"2027-02-27": "growth 652.05 1282.19", "2027-02-28": "",
	} {
		got := ""
		for i, s := range p.Steps(v, period.MustParseDay(today)) {
			if i == 0 {
				got = s.Size
			}
			got += " " + s.Price.String()
		}
		if got != want {
			t.Errorf("on %s: %s, want %s", today, got, want)
		}
	}
}
