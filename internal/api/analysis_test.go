package api_test

import (
	"testing"

	"tollgate.dev/client"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/workspace"
)

func TestAnAnalysisSumsToTheBillsAndMarksWhatIsOpen(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx, x := t.Context(), newTeam(t, s)
		_, err := x.studio.Analysis(ctx, x.shop.ID, client.Range{})
		refused(t, err, "not_commercial")
		_, err = x.studio.UsageStatistics(ctx, x.shop.ID)
		refused(t, err, "not_commercial")
		x.spent() // three days; it is 4 March now
		x.uses(4, x.shop, 2_000_000, "logs", "14d")
		all, err := x.studio.Analysis(ctx, x.shop.ID, client.Range{})
		must(t, all, err)
		if all.Range != "this_month" || all.From != "2026-03-01" || all.To != "2026-03-04" || len(all.Days) != 4 {
			t.Fatalf("this month is %+v", all)
		}
		open := all.Days[3]
		if !open.Estimated || open.BillNumber != "" || open.Payable != "3.00" || all.Days[0].Estimated || all.Days[0].BillNumber == "" {
			t.Errorf("the days are %+v", all.Days)
		}
		closed, err := x.studio.Analysis(ctx, x.shop.ID, client.Range{Days: client.Days{From: "2026-03-01", To: "2026-03-03"}})
		must(t, closed, err)
		sum, err := x.reader(workspace.KeyHolder(x.shop.ID), x.owner.ID).Summary(ctx, client.Spending{Days: client.Days{From: "2026-03-01", To: "2026-03-03"}}, "")
		if must(t, sum, err).Total != closed.Payable || sum.Paid.Owed != closed.Arrears || closed.Range != "" {
			t.Errorf("the analysis has %s, %s in arrears; the summary %s, %s", closed.Payable, closed.Arrears, sum.Total, sum.Paid.Owed)
		}
		logs, err := x.studio.Analysis(ctx, x.shop.ID, client.Range{Name: "yesterday", Item: "logs"})
		must(t, logs, err)
		if len(logs.Items) != 1 || logs.Items[0].Item != "logs" || logs.Items[0].Payable != logs.Payable || len(logs.Days) != 1 || len(logs.Days[0].Lines) != 2 {
			t.Errorf("logs of yesterday: %+v", logs)
		}
		stats, err := x.studio.UsageStatistics(ctx, x.shop.ID)
		must(t, stats, err)
		used := map[string]client.ItemsStatistics{}
		for _, i := range stats.Items {
			used[i.Item] = i
		}
		want := client.ItemsStatistics{Item: "logs", Name: "Logs", Today: "2000000", Yesterday: "2469138", Month: "9407408", MonthYesterday: "7407408"}
		if stats.Day != "2026-03-04" || stats.Market != "CNY/china" || used["logs"] != want || used["sms"].Today != "0" {
			t.Errorf("statistics %+v, logs %+v", stats.Day, used["logs"])
		}
		month, err := x.studio.MonthToDate(ctx, x.shop.ID)
		must(t, month, err)
		if f := month.Forecast; f == nil || f.ClosedDays != 2 || f.OpenDays != 28 || month.Total.Amount != all.Payable || f.Low.Amount > f.High.Amount {
			t.Errorf("the month %+v, forecast %+v", month, month.Forecast)
		}
	})
}

func TestAWrongRangeNamesItsField(t *testing.T) {
	t.Parallel()
	x := newTeam(t, storetest.SQLite(t))
	x.upgraded()
	for code, r := range map[string]client.Range{
		"range_unknown":  {Name: "last_year"},
		"range_reversed": {Days: client.Days{From: "2026-03-02", To: "2026-03-01"}},
		"range_too_long": {Days: client.Days{From: "2020-01-01", To: "2026-03-01"}},
		"malformed_date": {Days: client.Days{From: "2026-02-30"}},
		"item_unknown":   {Item: "coffee"},
	} {
		_, err := x.studio.Analysis(t.Context(), x.shop.ID, r)
		refused(t, err, code)
	}
	reversed := client.Days{From: "2026-03-02", To: "2026-03-01"}
	_, err := x.studio.Bills(t.Context(), x.shop.ID, reversed, client.Page{})
	refused(t, err, "range_reversed")
	_, err = x.center.Bills(t.Context(), reversed, client.Page{})
	refused(t, err, "range_reversed")
	month, err := x.studio.MonthToDate(t.Context(), x.shop.ID)
	if must(t, month, err).Forecast != nil {
		t.Errorf("a forecast rests on nothing: %+v", month.Forecast)
	}
}
