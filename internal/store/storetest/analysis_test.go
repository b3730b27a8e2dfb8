package storetest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"tollgate.dev/internal/analysis"
	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
)

var _ analysis.Tx = (*store.Tx)(nil)

// analysed is the report of a span at an instant.
func analysed(t *testing.T, x shopOf, first, last string, at time.Time) (analysis.Report, error) {
	t.Helper()
	var r analysis.Report
	err := x.s.Read(t.Context(), func(tx *store.Tx) (err error) {
		r, err = analysis.Read(t.Context(), tx, catalog.Default(), x.shop, analysis.Span{First: day(first), Last: day(last)}, at)
		return err
	})
	return r, err
}

// spend uses logs of two classes and time series on three days, closes two of
// them, and has cash for the first only.
func spend(t *testing.T, x shopOf) (now time.Time) {
	t.Helper()
	cn1, _ := site.Find("cn1")
	x.recharge(t, "10")
	for i, d := range []string{march1, "2026-03-02", "2026-03-03"} {
		hour := day(d).Start(cn1.Zone).Add(12 * time.Hour)
		x.use(t, "logs", "14d", hour, int64(i+1)*2_345_678)
		x.use(t, "logs", "60d", hour, int64(i+1)*1_234_567)
		x.use(t, "timeseries", "7d", hour, 8_123)
	}
	closeDay(t, x.s, march1)
	closeDay(t, x.s, "2026-03-02")
	return day("2026-03-03").Start(cn1.Zone).Add(13 * time.Hour)
}

func TestAnalysisIsTheSumOfTheBills(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newShop(t, s, "shop")
		now := spend(t, x)
		report, err := analysed(t, x, "2026-02-01", "2026-03-02", now)
		if err != nil {
			t.Fatal(err)
		}
		payable, arrears, lines := money.Of(0, money.CNY), money.Of(0, money.CNY), map[string]money.Amount{}
		for _, d := range []string{march1, "2026-03-02"} {
			b := x.bill(t, d)
			payable, _ = payable.Add(b.Total)
			arrears, _ = arrears.Add(b.Paid.Owed)
			for _, l := range b.Lines {
				lines[l.Item], _ = lines[l.Item].Add(l.Amount)
			}
		}
		if report.Payable != payable || report.Arrears != arrears || arrears.Sign() <= 0 || len(report.Days) != 2 {
			t.Errorf("%d days of %s (%s owed), the bills are %s (%s owed)", len(report.Days), report.Payable, report.Arrears, payable, arrears)
		}
		v, _ := catalog.Default().At(day(march1))
		items, err := report.Items(v)
		if err != nil {
			t.Fatal(err)
		}
		sum := analysis.Cost{}
		var text []string
		for _, i := range items {
			if i.Payable != lines[i.Item] {
				t.Errorf("%s comes to %s, its lines to %s", i.Item, i.Payable, lines[i.Item])
			}
			if sum, err = sum.Add(i.Cost); err != nil {
				t.Fatal(err)
			}
			text = append(text, i.Item+" "+i.Quantity.Plain())
			one, err := report.Of(i.Item)
			if err != nil || one.Cost != i.Cost {
				t.Errorf("%s alone comes to %v (%v)", i.Item, one.Cost, err)
			}
		}
		if got := strings.Join(text, ", "); sum != report.Cost || got != "timeseries 16246, logs 10740735" {
			t.Errorf("items %s sum to %v, the report to %v", got, sum, report.Cost)
		}
	})
}

func TestOpenDaysAreEstimatedAndMarked(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newShop(t, s, "shop")
		now := spend(t, x)
		report, err := analysed(t, x, march1, "2026-03-31", now)
		if err != nil {
			t.Fatal(err)
		}
		var days []string
		for _, d := range report.Days {
			days = append(days, fmt.Sprint(d.Day, " ", d.Number != "", " ", d.Estimated))
		}
		if got := strings.Join(days, ", "); got != "2026-03-01 true false, 2026-03-02 true false, 2026-03-03 false true" {
			t.Errorf("days %s", got)
		}
		closeDay(t, s, "2026-03-03")
		billed, err := analysed(t, x, march1, "2026-03-03", now)
		if err != nil || billed.Payable != report.Payable {
			t.Errorf("estimated %s, billed %s (%v)", report.Payable, billed.Payable, err)
		}
		v, _ := catalog.Default().At(day(march1))
		usages, err := report.Usages(v, catalog.Market{Currency: money.CNY, Group: site.China}, day("2026-03-03"))
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range usages {
			got := fmt.Sprint(u.Today.Plain(), " ", u.Yesterday.Plain(), " ", u.MonthYesterday.Plain(), " ", u.MonthNow.Plain())
			want := map[string]string{"logs": "10740735 7160490 10740735 21481470", "timeseries": "8123 8123 16246 24369"}[u.Item]
			if want == "" {
				want = "0 0 0 0"
			}
			if got != want {
				t.Errorf("%s: %s, want %s", u.Item, got, want)
			}
		}
		if len(usages) < 12 {
			t.Errorf("%d items are listed", len(usages))
		}
	})
}

func TestAnalysisThatIsNotTheBillsIsNotShown(t *testing.T) {
	t.Parallel()
	s := storetest.SQLite(t)
	x := newShop(t, s, "shop")
	now := spend(t, x)
	write(t, s, func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE bill SET total = total + 1 WHERE day = $1`, march1)
		return err
	})
	if r, err := analysed(t, x, march1, "2026-03-03", now); !errors.Is(err, bill.ErrUnsummed) {
		t.Errorf("%s was shown (%v)", r.Payable, err)
	}
}
