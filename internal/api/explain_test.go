package api_test

import (
	"testing"

	"tollgate.dev/client"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
)

func TestABillIsExplainedToItsPayerAndItsTeamAlone(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx, x := t.Context(), newTeam(t, s)
		x.upgraded()
		x.used(1, 2_345_678)
		x.closes()
		bills, err := x.center.Bills(ctx, client.Days{}, client.Page{})
		id := must(t, bills, err).Items[0].ID
		e, err := x.center.ExplainBill(ctx, id, 0)
		must(t, e, err)
		if len(e.Lines) != 1 || e.Hours != 24 || e.Zone != "Asia/Shanghai" || e.Catalog.From == "" || *e.Catalog.UnitDecimals != 2 || e.Entry == nil || e.Entry.Number != 1 {
			t.Fatalf("explained %+v", e)
		}
		l := e.Lines[0]
		if !l.Agrees || l.Rule != "sum24" || l.Units != "2.34" || l.UnitSize != "1000000" || l.Exact != "3.51" || l.Rounding != "0" || l.Counters[0].Day != "2345678" {
			t.Errorf("line %+v", l)
		}
		if len(l.Payments) != 1 || l.Payments[0] != (client.Payment{Source: "owed", Amount: "3.51", Entry: 1}) {
			t.Errorf("paid by %+v", l.Payments)
		}
		stored := 0
		for _, h := range l.Hours {
			if h.Samples[0] != nil && *h.Samples[0] == "2345678" && h.Billed {
				stored++
			}
		}
		if len(l.Hours) != 24 || stored != 1 || l.Hours[0].Start.Format("15:04 -07:00") != "00:00 +08:00" {
			t.Errorf("hours %+v", l.Hours)
		}
		same, err := x.studio.ExplainBill(ctx, x.shop.ID, id, 1)
		if must(t, same, err).Number != e.Number || len(same.Lines) != 1 {
			t.Errorf("the team sees %+v", same)
		}
		_, err = x.studio.ExplainBill(ctx, x.shop.ID, id, 2)
		refused(t, err, "bill_line_unknown")
		_, err = x.asBilling(x.billing("rival", money.CNY)).ExplainBill(ctx, id, 0)
		refused(t, err, "bill_unknown")
		other := x.house.studio("other")
		_, err = x.asStudio(other).ExplainBill(ctx, x.house.workspace(other, "elsewhere").ID, id, 0)
		refused(t, err, "bill_unknown")
	})
}
