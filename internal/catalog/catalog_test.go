package catalog

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/site"
)

func newest(t *testing.T) *Version {
	t.Helper()
	v, err := Default().At(period.MustParseDay("2026-03-01"))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestShippedCatalogueHasEveryPrice(t *testing.T) {
	t.Parallel()
	prices, items := 0, []string{}
	for _, item := range newest(t).Items {
		items = append(items, item.ID)
		for _, m := range Markets() {
			if !item.SoldIn(m) {
				continue
			}
			for _, class := range item.Classes {
				p, err := item.Price(m.Currency, m.Group, class)
				if err != nil || p.Sign() <= 0 {
					t.Errorf("%s in %s at %s: %v, %v", item.ID, m, class, p, err)
				}
				prices++
			}
		}
	}
	if len(items) != 17 || prices != 154 {
		t.Errorf("%d items with %d prices, want 17 with 154", len(items), prices)
	}
	want := []string{"timeseries", "logs", "logs_ingested"}
	if !slices.Equal(items[:3], want) {
		t.Errorf("items begin with %v, want %v: bill lines follow this order", items[:3], want)
	}
}

func TestPriceHoldsOnItsDays(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ day, item, class, want string }{
		{"2023-04-19", "timeseries", NoClass, "3"},
		{"2023-04-20", "timeseries", "3d", "0.6"},
		{"2024-11-05", "apm_trace", "60d", "60"},
		{"2024-11-06", "apm_trace", "60d", "19.44"},
		{"2024-11-05", "rum_pv", "30d", "6"},
		{"2024-11-06", "rum_pv", "30d", "3.6"},
		{"2024-11-05", "session_replay", NoClass, "10"},
		{"2024-11-06", "session_replay", NoClass, "2.5"},
		{"2024-11-05", "apm_trace", "14d", "6"},
		{"2099-01-01", "logs", "14d", "1.5"},
	} {
		v, err := Default().At(period.MustParseDay(c.day))
		if err != nil {
			t.Fatalf("%s: %v", c.day, err)
		}
		item, err := v.Item(c.item)
		if err != nil {
			t.Fatal(err)
		}
		if p, err := item.Price(money.CNY, site.China, c.class); err != nil || p.String() != c.want {
			t.Errorf("%s of %s on %s: %v, %v, want %s", c.item, c.class, c.day, p, err, c.want)
		}
	}
	if _, err := Default().At(period.MustParseDay("2019-12-31")); !errors.Is(err, ErrNoVersion) {
		t.Errorf("the day before the first version: %v", err)
	}
}

func TestPriceThatDoesNotExistIsRefused(t *testing.T) {
	t.Parallel()
	v := newest(t)
	sms, _ := v.Item("sms")
	if _, err := sms.Price(money.USD, site.China, NoClass); !errors.Is(err, ErrNotSold) {
		t.Errorf("sms in USD: %v", err)
	}
	logs, _ := v.Item("logs")
	for _, class := range []string{"180d", NoClass, ""} {
		if _, err := logs.Price(money.CNY, site.China, class); !errors.Is(err, ErrClassUnknown) {
			t.Errorf("logs of class %q: %v", class, err)
		}
	}
	if _, err := v.Item("coffee"); !errors.Is(err, ErrItemUnknown) {
		t.Errorf("coffee: %v", err)
	}
}

func TestQuotasOfTheFreePlan(t *testing.T) {
	t.Parallel()
	v := newest(t)
	want := map[string]int64{
		"timeseries": 3000, "logs": 1000000, "apm_trace": 8000, "apm_profile": 60, "rum_pv": 2000,
		"session_replay": 1000, "synthetic_test": 200000, "task_call": 100000,
		"data_forward_external": 0, "data_forward_internal": 0, "sms": 0,
	}
	limits := v.QuotaLimits()
	if len(limits) != len(want) {
		t.Errorf("limits of %d items, want %d: %v", len(limits), len(want), limits)
	}
	for item, n := range want {
		if got, ok := limits[item]; !ok || got != n {
			t.Errorf("%s: %d, %v, want %d", item, got, ok, n)
		}
	}
	if q := v.Quotas.Of("sms"); q.Supported {
		t.Error("the free plan supports no SMS")
	}
	if q := v.Quotas.Of("network_host"); !q.Supported || q.Limited {
		t.Error("infrastructure must not be limited")
	}
	if v.Quotas.WarnPercent != 85 || v.Quotas.ExhaustedPercent != 100 {
		t.Errorf("warnings at %d and %d percent", v.Quotas.WarnPercent, v.Quotas.ExhaustedPercent)
	}
}

func TestVouchersPayAllButTwoItems(t *testing.T) {
	t.Parallel()
	for _, item := range newest(t).Items {
		if except := item.ID == "sms" || item.ID == "synthetic_test"; item.VoucherPayable == except {
			t.Errorf("%s payable by voucher: %v", item.ID, item.VoucherPayable)
		}
	}
}

// TestListPricesOfPackagesAreTheSumOfTheirQuotas checks the figures against
// each other: quota times overage price times 372 days is the list price.
func TestListPricesOfPackagesAreTheSumOfTheirQuotas(t *testing.T) {
	t.Parallel()
	a := newest(t).AnnualPackages
	if len(a.Packages) != 3 {
		t.Fatalf("%d packages", len(a.Packages))
	}
	for _, p := range a.Packages {
		minor := int64(0)
		for item, quota := range p.Quotas {
			unit, _ := a.Overage[item].Unit.Int()
			price, _ := a.Overage[item].Price.Scaled(2)
			minor += quota / unit * price * a.ListPriceDays
		}
		if minor != p.ListPrice.Minor() {
			t.Errorf("%s: quotas come to %d, the list price is %d", p.ID, minor, p.ListPrice.Minor())
		}
	}
}

func TestDays(t *testing.T) {
	t.Parallel()
	for class, want := range map[string]int{"3d": 3, "360d": 360, "": 0, "d": 0, "03d": 0, "+3d": 0, "-3d": 0, "3": 0, "none": 0, "99999d": 0} {
		if days, ok := Days(class); days != want || ok != (want > 0) {
			t.Errorf("Days(%q) = %d, %v", class, days, ok)
		}
	}
}

func FuzzLoadNeverPanics(f *testing.F) {
	f.Add(shipped)
	f.Add([]byte("versions: [{}]"))
	f.Add([]byte("versions:\n  - id: a\n    from: 2020-01-01\n    items: [{id: x, unit: {size: '0'}}]\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := Load(text)
		if (c == nil) == (err == nil) {
			t.Fatalf("catalogue %v with error %v", c, err)
		}
		if err != nil && strings.TrimSpace(err.Error()) == "" {
			t.Fatal("an error without a word")
		}
	})
}
