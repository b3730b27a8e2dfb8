package storetest_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/prepaid"
	"tollgate.dev/internal/quantity"
	"tollgate.dev/internal/settle"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/workspace"
)

// orderID is the ID of a test's nth order, the same every time.
func orderID(prefix string, n int) string { return fmt.Sprintf("%s_%032d", prefix, n) }

func (x shopOf) holder() prepaid.Actor {
	return prepaid.Actor{AccountID: x.payer.ID, Address: "192.0.2.7"}
}

// order is one of the starter package, paid in cash.
func (x shopOf) order(n int, shops ...shopOf) prepaid.Order {
	o := prepaid.Order{ID: orderID("pkge", n), Payer: x.payer.ID, Size: "starter", Mix: wallet.Mix{wallet.ByCash: money.MustParse("42000", money.CNY)}}
	for _, s := range shops {
		o.Workspaces = append(o.Workspaces, s.shop.ID)
	}
	return o
}

func (x shopOf) buy(t *testing.T, o prepaid.Order) prepaid.Package {
	t.Helper()
	var p prepaid.Package
	write(t, x.s, func(ctx context.Context, tx *store.Tx) (err error) {
		p, _, err = prepaid.Buy(ctx, tx, catalog.Default(), o, x.holder(), upgraded)
		return err
	})
	return p
}

// sharing is busyDay whose payer of three has bought a package for them: its
// order is not that of their IDs, and the quotas do not reach.
func sharing(t *testing.T, s *store.Store) []shopOf {
	t.Helper()
	shops := busyDay(t, s)
	d, e, f := shops[3], shops[4], shops[5]
	d.recharge(t, "50000")
	p := d.buy(t, d.order(1, f, d, e))
	hour := upgraded.Truncate(time.Hour)
	f.use(t, "logs", "30d", hour, 15_000_000)
	d.use(t, "datakit_host", "none", hour, 22)
	e.use(t, "logs", "60d", hour, 4_000_000)
	write(t, s, func(ctx context.Context, tx *store.Tx) error {
		o := prepaid.TrafficOrder{ID: orderID("trfp", 1), Payer: d.payer.ID, Package: p.ID, Item: "task_call", Capacity: 300_000}
		_, _, err := prepaid.AddTraffic(ctx, tx, catalog.Default(), o, d.holder(), upgraded)
		return err
	})
	return shops
}

// TestPackagesGiveTheSameBytesInLotsOfAnySize closes a day whose package is
// shared across the borders of lots: bills, numbers and charges are the same,
// and each bill comes out the same again from the hours that are stored.
func TestPackagesGiveTheSameBytesInLotsOfAnySize(t *testing.T) {
	t.Parallel()
	one := storetest.SQLite(t)
	shops := sharing(t, one)
	b := books(one)
	b.Lot = 1
	closeBy(t, b)
	want := hashes(t, one, shops)
	for lot := 1; lot < 8; lot++ {
		t.Run(fmt.Sprint("lots of ", lot), func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, s *store.Store) {
				shops := sharing(t, s)
				b := books(s)
				b.Lot, b.Workers, b.OneWrite = lot, 4, s.OneWriter()
				closed := closeBy(t, b)
				if got := hashes(t, s, shops); got != want || closed.Bills != 6 {
					t.Errorf("lots of %d: %s\none by one: %s", lot, got, want)
				}
				again(t, s, shops[3:6])
				sound(t, s)
			})
		})
	}
}

// again makes the documents of the shops' bills anew, and explains each line.
func again(t *testing.T, s *store.Store, shops []shopOf) {
	t.Helper()
	if err := s.Read(t.Context(), func(tx *store.Tx) error {
		for _, x := range shops {
			b, err := tx.BillOfDay(t.Context(), x.shop.ID, day(march1))
			if err != nil {
				return err
			}
			document, err := bill.Again(t.Context(), tx, catalog.Default(), b)
			if err != nil || bill.Sum(document) != b.Hash || !strings.Contains(string(document), " package=pkge_") {
				t.Errorf("bill %s again: %s, %v", b.Number, document, err)
			}
			e, err := bill.Explain(t.Context(), tx, catalog.Default(), b)
			if err != nil {
				return err
			}
			for _, l := range e.Lines {
				if !l.Agrees() {
					t.Errorf("line %d of %s is %v, its hours make %v", l.Number, b.Number, l.Line.Line, l.Again)
				}
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// TestCloseOfADayWithPackagesMayDieAnywhere charges traffic packages once,
// wherever the close stops.
func TestCloseOfADayWithPackagesMayDieAnywhere(t *testing.T) {
	t.Parallel()
	one := storetest.SQLite(t)
	shops := sharing(t, one)
	closeBy(t, books(one))
	want := hashes(t, one, shops) + shops[3].balances(t).Cash.String()
	for n := range 20 {
		for _, committed := range []bool{false, true} {
			t.Run(fmt.Sprint("write ", n, " committed ", committed), func(t *testing.T) {
				t.Parallel()
				s := storetest.SQLite(t)
				shops := sharing(t, s)
				dieAt(t, s, n, committed)
				closeBy(t, books(s))
				if got := hashes(t, s, shops) + shops[3].balances(t).Cash.String(); got != want {
					t.Errorf("after a death: %s\nundisturbed: %s", got, want)
				}
				sound(t, s)
			})
		}
	}
}

// TestEstimateOfADayIsItsBill holds what the pages show of an open day against
// the bill that it becomes.
func TestEstimateOfADayIsItsBill(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		shops := sharing(t, s)
		estimate := map[string]money.Amount{}
		for _, x := range shops[3:6] {
			if err := s.Read(t.Context(), func(tx *store.Tx) error {
				r, err := bill.Calculate(t.Context(), tx, catalog.Default(), x.shop, day(march1))
				estimate[x.shop.ID] = r.Total
				return err
			}); err != nil {
				t.Fatal(err)
			}
		}
		closeBy(t, books(s))
		for _, x := range shops[3:6] {
			if b := x.bill(t, march1); b.Total != estimate[x.shop.ID] {
				t.Errorf("%s was estimated at %s and billed at %s", x.shop.ID, estimate[x.shop.ID], b.Total)
			}
		}
	})
}

// TestUsageThatCannotBeCountedStopsWhoComesBehind parks the workspaces whose
// share nobody knows, and no other.
func TestUsageThatCannotBeCountedStopsWhoComesBehind(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a := newShop(t, s, "a")
		before, broken, behind := a.sister(t, "z"), a.sister(t, "c"), a.sister(t, "b")
		a.recharge(t, "42000")
		a.buy(t, a.order(1, before, broken, behind))
		hour := upgraded.Truncate(time.Hour)
		for _, x := range []shopOf{a, before, behind} {
			x.use(t, "logs", "14d", hour, 1_000_000)
		}
		broken.use(t, "logs", "nonsense", hour, 1)
		closed := closeBy(t, books(s))
		if closed.Bills != 2 || closed.Parked != 2 {
			t.Errorf("closed: %+v", closed)
		}
		parked := ""
		if err := s.Read(t.Context(), func(tx *store.Tx) error {
			list, err := tx.Parked(t.Context(), 10)
			for _, p := range list {
				parked += p.WorkspaceID + " " + p.Code + "; "
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if parked != "wksp_b package_usage_uncounted; wksp_c class_unknown; " {
			t.Errorf("parked: %s", parked)
		}
		sound(t, s)
	})
}

// TestAnOrderIsCarriedOutOnce buys, upgrades and adds traffic with the same
// orders twice.
func TestAnOrderIsCarriedOutOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a, b := newShop(t, s, "a"), newShop(t, s, "b")
		a.recharge(t, "500000")
		first := a.buy(t, a.order(1, a))
		if again := a.buy(t, a.order(1, a)); again.ID != first.ID {
			t.Errorf("bought %s, then %s", first.ID, again.ID)
		}
		refused(t, s, prepaid.ErrUnknown, func(ctx context.Context, tx *store.Tx) error {
			_, _, err := prepaid.Buy(ctx, tx, catalog.Default(), b.order(1, b), b.holder(), upgraded)
			return err
		})
		for range 2 {
			write(t, s, func(ctx context.Context, tx *store.Tx) error {
				mix := wallet.Mix{wallet.ByCash: money.MustParse("237347.95", money.CNY)}
				_, _, err := prepaid.Upgrade(ctx, tx, catalog.Default(), a.payer.ID, first.ID, "growth", mix, a.holder(), upgraded)
				return err
			})
			write(t, s, func(ctx context.Context, tx *store.Tx) error {
				o := prepaid.TrafficOrder{ID: orderID("trfp", 1), Payer: a.payer.ID, Package: first.ID, Item: "logs", Capacity: 2_000_000}
				_, _, err := prepaid.AddTraffic(ctx, tx, catalog.Default(), o, a.holder(), upgraded)
				return err
			})
		}
		if cash := a.balances(t).Cash; cash != money.MustParse("220652.05", money.CNY) {
			t.Errorf("%s are left", cash)
		}
		var p prepaid.Package
		if err := s.Read(t.Context(), func(tx *store.Tx) (err error) {
			p, err = tx.Package(t.Context(), first.ID)
			return err
		}); err != nil || len(p.Traffic) != 1 || len(p.Terms) != 2 || p.Terms[1].First != day("2026-03-02") || p.Terms[0].Last != day(march1) {
			t.Errorf("%+v, %v", p, err)
		}
		sound(t, s)
	})
}

// TestPackageNeedsTheBillingCenter refuses a workspace that a cloud settles,
// and lets go of one that leaves.
func TestPackageNeedsTheBillingCenter(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a := newShop(t, s, "a")
		b := a.sister(t, "b")
		a.recharge(t, "42000")
		sub := subscribed(t, s, a.payer.ID, site.Alibaba, "i-1", upgraded)
		choose := func(x shopOf, to site.Method, at time.Time) func(context.Context, *store.Tx) error {
			return func(ctx context.Context, tx *store.Tx) error {
				_, err := everyCloud.Choose(ctx, tx, x.shop.ID, settle.Choice{Method: to, Subscription: sub.ID}, workspace.Actor{AccountID: x.payer.ID}, at)
				return err
			}
		}
		write(t, s, choose(b, site.Alibaba, upgraded))
		refused(t, s, prepaid.ErrNeedsCenter, func(ctx context.Context, tx *store.Tx) error {
			_, _, err := prepaid.Buy(ctx, tx, catalog.Default(), a.order(1, a, b), a.holder(), upgraded)
			return err
		})
		a.buy(t, a.order(1, a))
		refused(t, s, settle.ErrPackaged, choose(a, site.Alibaba, upgraded))
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			return prepaid.Release(ctx, tx, a.shop.ID, day(march1), a.holder(), upgraded)
		})
		refused(t, s, settle.ErrPackaged, choose(a, site.Alibaba, upgraded.Add(time.Minute)))
		write(t, s, choose(a, site.Alibaba, upgraded.AddDate(0, 0, 1)))
		sound(t, s)
	})
}

// TestVerifySeesWhatIsWrongWithPackages breaks the books, each time in one
// place.
func TestVerifySeesWhatIsWrongWithPackages(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ invariant, sql string }{
		{"I5", `UPDATE package_term SET price = price + 100`},
		{"I5", `UPDATE package_term SET last_day = '2026-12-31'`},
		{"I5", `UPDATE package_traffic SET price = price + 1`},
		{"I5", `UPDATE package_traffic SET first_day = '2026-03-02'`},
		{"I8", `UPDATE package_term SET size = 'enterprise'`},
		{"I8", `UPDATE package_term SET quotas = '{"logs": 1000000}'`},
		{"I8", `DELETE FROM package_charge WHERE kind = 'package'`},
		{"I5", `DELETE FROM package_charge WHERE kind = 'traffic_package'`},
		{"I8", `DELETE FROM package`},
		{"I5", `UPDATE package_seat SET position = 2 - position + 10`},
	} {
		t.Run(c.sql, func(t *testing.T) {
			t.Parallel()
			s := storetest.SQLite(t)
			sharing(t, s)
			closeBy(t, books(s))
			sound(t, s)
			write(t, s, func(ctx context.Context, tx *store.Tx) error {
				_, err := tx.Exec(ctx, c.sql)
				return err
			})
			found := false
			if err := s.Read(t.Context(), func(tx *store.Tx) error {
				findings, err := tx.Verify(t.Context(), catalog.Default())
				for _, f := range findings {
					found = found || f.Invariant == c.invariant
				}
				if err == nil && !found {
					t.Errorf("no %s among %v", c.invariant, findings)
				}
				return err
			}); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestDiscountHoldsForWhatIsBoughtAfterIt keeps the price of what was bought.
func TestDiscountHoldsForWhatIsBoughtAfterIt(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a := newShop(t, s, "a")
		a.recharge(t, "42000")
		p := a.buy(t, a.order(1, a))
		for i, discount := range []string{"1", "0.8", "0.75"} {
			write(t, s, func(ctx context.Context, tx *store.Tx) error {
				if err := prepaid.Grant(ctx, tx, catalog.Default(), a.payer.ID, "logs", quantity.MustParse(discount), prepaid.Actor{AccountID: "oper_1"}, upgraded); err != nil {
					return err
				}
				o := prepaid.TrafficOrder{ID: orderID("trfp", i), Payer: a.payer.ID, Package: p.ID, Item: "logs", Capacity: 30_000_000}
				_, _, err := prepaid.AddTraffic(ctx, tx, catalog.Default(), o, a.holder(), upgraded)
				return err
			})
		}
		prices := ""
		if err := s.Read(t.Context(), func(tx *store.Tx) error {
			p, err := tx.Package(t.Context(), p.ID)
			for _, x := range p.Traffic {
				prices += x.Price.String() + " "
			}
			cover, ok := p.CoverOn(period.MustParseDay(march1))
			if quota := cover.Quotas["logs"]; !ok || quota.Plain() != "130000000" {
				t.Errorf("the quota is %s", quota)
			}
			return err
		}); err != nil || prices != "45.00 36.00 33.75 " {
			t.Errorf("%s, %v", prices, err)
		}
		sound(t, s)
	})
}
