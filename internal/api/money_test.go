package api_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	"tollgate.dev/client"
	"tollgate.dev/internal/api"
	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/meter"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/sink"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/usage"
	"tollgate.dev/internal/workspace"
)

// used adds log records to the workspace's present generation, now.
func (x *team) used(seq, records int64) {
	x.t.Helper()
	x.write(func(ctx context.Context, tx *store.Tx) error {
		w, err := tx.Workspace(ctx, x.shop.ID)
		if err != nil {
			return err
		}
		key := usage.Key{WorkspaceID: w.ID, Generation: w.Generation, Item: "logs", Class: "14d"}
		hour := period.HourOf(x.clock.Now())
		return tx.AddUsage(ctx, usage.Batch{
			Gateway: "test", Epoch: 1, Seq: seq, Through: x.clock.Now(),
			Deltas: []usage.Delta{{Key: key, Hour: hour, Add: records}},
		})
	})
}

// closes ends the service day of cn1 that the clock is in.
func (x *team) closes() {
	x.t.Helper()
	cn1, err := site.Find("cn1")
	must(x.t, cn1, err)
	day := period.DayOf(x.clock.Now(), cn1.Zone)
	x.clock.Set(day.End(cn1.Zone).Add(time.Minute))
	books := bill.Books{Catalog: catalog.Default(), Write: func(ctx context.Context, f func(bill.Tx) error) error {
		return x.store.Write(ctx, func(tx *store.Tx) error { return f(tx) })
	}}
	closed, err := books.CloseDay(x.t.Context(), bill.CloseDay{Site: cn1.ID, Day: day}, x.clock.Now())
	if must(x.t, closed, err).Parked != 0 {
		x.t.Errorf("%d workspaces were parked", closed.Parked)
	}
}

func TestFromTheUpgradeToThePaidBill(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx, x := t.Context(), newTeam(t, s)
		operator := x.asOperator(x.operator())
		x.upgraded()
		declared, err := x.center.DeclareTransfer(ctx, client.NewKey(), client.Declaration{Amount: "2.00"})
		if must(t, declared, err).State != "declared" || declared.Reference == "" || declared.Amount.String() != "2.00 CNY" {
			t.Errorf("declared %+v", declared)
		}
		waiting, err := operator.Transfers(ctx, "declared", client.Page{})
		if must(t, waiting, err).Items[0].ID != declared.ID {
			t.Errorf("waiting %+v", waiting)
		}
		for range 3 { // clicked again and again, with new keys: credited once
			credited, err := operator.CreditTransfer(ctx, client.NewKey(), declared.ID, client.Received{})
			if must(t, credited, err).State != "credited" || credited.DecidedAt == nil {
				t.Errorf("credited %+v", credited)
			}
		}
		x.used(1, 2_000_000) // 2 units at 1.5: 3.00, of which cash covers 2.00
		month, err := x.studio.MonthToDate(ctx, x.shop.ID)
		if must(t, month, err).Total.String() != "3.00 CNY" || month.Open.String() != "3.00 CNY" {
			t.Errorf("month to date %+v", month)
		}
		x.closes()
		bills, err := x.studio.Bills(ctx, x.shop.ID, client.Days{}, client.Page{})
		must(t, bills, err)
		if len(bills.Items) != 1 || bills.Items[0].Total.String() != "3.00 CNY" || bills.Items[0].Day != "2026-03-01" || len(bills.Items[0].Lines) != 0 {
			t.Fatalf("bills %+v", bills)
		}
		x.showsTheBill(bills.Items[0].ID)
		for _, balance := range []func() (client.Balance, error){
			func() (client.Balance, error) { return x.center.Balance(ctx) },
			func() (client.Balance, error) { return x.studio.Balance(ctx, x.shop.ID) },
		} {
			b, err := balance()
			if must(t, b, err).Cash.String() != "0.00 CNY" || b.Owed.String() != "1.00 CNY" || b.OwedSince == nil || b.UserName != "acme" {
				t.Errorf("balance %+v", b)
			}
		}
		entries, err := x.center.Entries(ctx, client.Span{}, client.Page{})
		must(t, entries, err)
		if len(entries.Items) != 2 || entries.Items[0].Kind != "charge" || len(entries.Items[0].Changes) != 2 || entries.Items[1].Changes[0].Change.Amount != "2.00" {
			t.Errorf("entries %+v", entries.Items)
		}
		v, err := operator.Verify(ctx)
		if must(t, v, err); !v.Sound || len(v.Findings) != 0 {
			t.Errorf("the books: %+v", v.Findings)
		}
	})
}

// showsTheBill compares the bill on both sides, and that others see none.
func (x *team) showsTheBill(id string) {
	x.t.Helper()
	ctx := x.t.Context()
	in, err := x.studio.Bill(ctx, x.shop.ID, id)
	must(x.t, in, err)
	line := in.Lines[0]
	if len(in.Lines) != 1 || line.Item != "logs" || line.Quantity != "2000000" || line.Units != "2.00" || line.UnitPrice != "1.5" ||
		line.Amount.Amount != "3.00" || line.Paid.Cash != "2.00" || line.Paid.Owed != "1.00" || in.Paid.Owed != "1.00" {
		x.t.Errorf("bill %+v", in)
	}
	paid, err := x.center.Bill(ctx, id)
	if must(x.t, paid, err).Number != in.Number || paid.Total != in.Total {
		x.t.Errorf("the payer sees %+v", paid)
	}
	_, err = x.asBilling(x.billing("rival", money.CNY)).Bill(ctx, id)
	refused(x.t, err, "bill_unknown")
	other := x.house.studio("other")
	_, err = x.asStudio(other).Bill(ctx, x.house.workspace(other, "elsewhere").ID, id)
	refused(x.t, err, "bill_unknown")
}

func TestListsOfMoneyPageWithoutGapsOrRepeats(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx, x := t.Context(), newTeam(t, s)
		x.upgraded()
		for day := range int64(5) {
			x.used(day+1, 1_000_000)
			x.closes()
		}
		for i := range 5 {
			_, err := x.center.DeclareTransfer(ctx, client.NewKey(), client.Declaration{Amount: strconv.Itoa(i + 1)})
			must(t, 0, err)
		}
		days := walk(t, func(p client.Page) (client.List[client.Bill], error) {
			return x.studio.Bills(ctx, x.shop.ID, client.Days{}, p)
		}, func(b client.Bill) string { return b.Day })
		if len(days) != 5 || days[0] != "2026-03-05" || days[4] != "2026-03-01" {
			t.Errorf("days of the workspace's bills: %v", days)
		}
		paid := walk(t, func(p client.Page) (client.List[client.Bill], error) {
			return x.center.Bills(ctx, client.Days{From: "2026-03-02", To: "2026-03-04"}, p)
		}, func(b client.Bill) string { return b.Day })
		if len(paid) != 3 || paid[0] != "2026-03-04" {
			t.Errorf("days of the payer's bills: %v", paid)
		}
		entries := walk(t, func(p client.Page) (client.List[client.Entry], error) { return x.center.Entries(ctx, client.Span{}, p) }, func(e client.Entry) string { return strconv.FormatInt(e.Number, 10) })
		if len(entries) != 5 || entries[0] != "5" {
			t.Errorf("entries: %v", entries)
		}
		sent := walk(t, func(p client.Page) (client.List[client.Transfer], error) { return x.center.Transfers(ctx, "", p) }, func(tr client.Transfer) string { return tr.ID })
		if len(sent) != 5 {
			t.Errorf("transfers: %v", sent)
		}
	})
}

// walk reads a list two at a time and refuses repeats.
func walk[T any](t *testing.T, list func(client.Page) (client.List[T], error), name func(T) string) []string {
	t.Helper()
	var names []string
	seen := map[string]bool{}
	for item, err := range client.All(func(p client.Page) (client.List[T], error) {
		p.Limit = 2
		return list(p)
	}) {
		must(t, item, err)
		if seen[name(item)] {
			t.Fatalf("%s came twice", name(item))
		}
		seen[name(item)] = true
		names = append(names, name(item))
	}
	return names
}

func TestATransferIsTheDeclarersAlone(t *testing.T) {
	t.Parallel()
	ctx, x := t.Context(), newTeam(t, storetest.SQLite(t))
	_, err := x.center.DeclareTransfer(ctx, client.NewKey(), client.Declaration{Amount: "5.00", Reference: "INV 7"})
	must(t, 0, err)
	seen, err := x.asBilling(x.billing("rival", money.CNY)).Transfers(ctx, "", client.Page{})
	if len(must(t, seen, err).Items) != 0 {
		t.Errorf("another payer sees %+v", seen)
	}
}

func TestTheSettlementIsShownAndCloudsAreNotEnabled(t *testing.T) {
	t.Parallel()
	ctx, x := t.Context(), newTeam(t, storetest.SQLite(t))
	x.upgraded()
	choice, err := x.studio.Settlement(ctx, x.shop.ID)
	must(t, choice, err)
	if choice.Current != "billing_center" || choice.Preselected != "alibaba" || !choice.Offered || len(choice.Methods) != 2 || !choice.Methods[0].Enabled || choice.Methods[1].Enabled {
		t.Errorf("choice %+v", choice)
	}
	for method, code := range map[string]string{
		"alibaba": "settlement_not_enabled", "aws": "settlement_not_allowed", "billing_center": "settlement_unchanged", "paypal": "settlement_not_allowed",
	} {
		_, err := x.studio.ChangeSettlement(ctx, x.shop.ID, method)
		refused(t, err, code)
	}
	x.write(func(ctx context.Context, tx *store.Tx) error {
		return tx.SetBillingSwitches(ctx, x.payer.ID, false, true)
	})
	if choice, err = x.studio.Settlement(ctx, x.shop.ID); len(must(t, choice, err).Methods) != len(site.Methods()) {
		t.Errorf("with arbitrary settlement: %+v", choice)
	}
}

func TestGuangzhouOffersNothingButTheBillingCenter(t *testing.T) {
	t.Parallel()
	x := newTeam(t, storetest.SQLite(t))
	x.owner = x.studioOn("cn4", "gz")
	x.shop = x.workspace(x.owner, "shop")
	x.studio = x.asStudio(x.owner)
	u := x.upgraded()
	if u.Settlement.Offered || u.Settlement.Preselected != "" || len(u.Settlement.Methods) != 1 {
		t.Errorf("cn4 offers %+v", u.Settlement)
	}
}

func TestUsageShowsTheQuotasUntilTheUpgrade(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx, x := t.Context(), newTeam(t, s)
		x.used(1, 12_345)
		u, err := x.studio.Usage(ctx, x.shop.ID)
		logs, ok := must(t, u, err).Of("logs")
		if !ok || logs.Used != "12345" || logs.Quota == nil || *logs.Quota != "1000000" {
			t.Errorf("logs %+v", logs)
		}
		if sms, ok := u.Of("sms"); !ok || sms.Supported {
			t.Errorf("the Experience plan has no SMS: %+v", sms)
		}
		if u.Day != "2026-03-01" || u.ResetsAt.Format(time.RFC3339) != "2026-03-02T00:00:00+08:00" || !u.AsOf.Equal(noon) {
			t.Errorf("usage %+v", u)
		}
		x.upgraded()
		u, err = x.studio.Usage(ctx, x.shop.ID)
		logs, _ = must(t, u, err).Of("logs")
		if logs.Used != "0" || logs.Quota != nil || u.Plan != "commercial" {
			t.Errorf("after the upgrade, with nothing new: %+v", logs)
		}
	})
}

// logs writes records into the sink, as the gateway does.
func (x *team) logs(g workspace.Generation, messages ...string) {
	x.t.Helper()
	r := sink.Report{WorkspaceID: x.shop.ID, Generation: g, Type: meter.Logging, Class: "7d", Received: x.clock.Now()}
	for i, m := range messages {
		r.Points = append(r.Points, meter.Point{
			Name: "nginx", Time: x.clock.Now().Add(time.Duration(i) * time.Second),
			Fields: []meter.Field{{Key: "message", Value: meter.Text(m)}},
		})
	}
	r.Key[0] = byte(g)
	if err := x.sink.Write(x.t.Context(), []sink.Report{r}); err != nil {
		x.t.Fatal(err)
	}
}

func TestRecordsOfTheFreePlanAreGoneAfterTheUpgrade(t *testing.T) {
	t.Parallel()
	ctx, x := t.Context(), newTeam(t, storetest.SQLite(t))
	x.logs(1, "first", "second", "a third")
	x.clock.Advance(time.Minute)
	find := func(what client.Search) []string {
		t.Helper()
		return walk(t, func(p client.Page) (client.List[client.Record], error) {
			return x.studio.Records(ctx, x.shop.ID, what, p)
		}, func(r client.Record) string { return r.Fields["message"] })
	}
	if got := find(client.Search{}); len(got) != 3 || got[0] != "a third" {
		t.Errorf("the newest first: %v", got)
	}
	if got := find(client.Search{Type: "logging", Text: "THIRD"}); len(got) != 1 {
		t.Errorf("filtered: %v", got)
	}
	if got := find(client.Search{Before: noon.Add(time.Second)}); len(got) != 1 || got[0] != "first" {
		t.Errorf("before an instant: %v", got)
	}
	x.upgraded()
	if got := find(client.Search{}); len(got) != 0 {
		t.Errorf("records of the free plan are still viewable: %v", got)
	}
	x.logs(2, "paid")
	x.clock.Advance(time.Minute)
	if got := find(client.Search{}); len(got) != 1 || got[0] != "paid" {
		t.Errorf("new records: %v", got)
	}
}

func TestTheOperatorMovesASandboxClock(t *testing.T) {
	t.Parallel()
	h := open(t, storetest.SQLite(t))
	o := h.client.Operator(h.session(api.Operator, h.operator().ID))
	now, err := o.AdvanceClock(t.Context(), "36h")
	if must(t, now, err); !now.Sandbox || !now.Now.Equal(noon.Add(36*time.Hour)) {
		t.Errorf("moved to %+v", now)
	}
	if now, err = o.AdvanceClock(t.Context(), "1mo"); !must(t, now, err).Now.Equal(noon.Add(36*time.Hour).AddDate(0, 1, 0)) {
		t.Errorf("a month on: %+v", now)
	}
}
