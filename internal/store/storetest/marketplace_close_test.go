package storetest_test

import (
	"context"
	"testing"
	"time"

	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/workspace"
)

// conclude charges the last usage of the market's subscription and seals it, as
// the job does.
func (x *market) conclude(t *testing.T) []marketplace.Record {
	t.Helper()
	write(t, x.s, func(ctx context.Context, tx *store.Tx) error {
		return marketplace.ConcludeOne(ctx, tx, catalog.Default(), x.sub.ID, x.shop.ID, x.at)
	})
	return x.seal(t, x.sub)
}

func (x *market) stranded(t *testing.T) money.Amount {
	t.Helper()
	sum := money.Of(0, money.CNY)
	if err := x.s.Read(t.Context(), func(tx *store.Tx) error {
		list, err := tx.StrandedCharges(t.Context(), 100)
		for _, c := range list {
			sum = money.Of(sum.Minor()+c.Amount.Minor(), money.CNY)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return sum
}

func TestWhatACloudSettlesOfABillGoesToIt(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newMarket(t, s, site.AWS)
		x.recharge(t, "100")
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			_, err := tx.Exec(ctx, `UPDATE marketplace_subscription SET product = 'tollgate' WHERE id = $1`, x.sub.ID)
			return err
		})
		x.use(t, "logs", "14d", upgraded.Truncate(time.Hour).Add(time.Hour), 2_000_000)
		closeDay(t, s, march1)
		closeDay(t, s, march1)
		b := x.bill(t, march1)
		if b.Paid.Cloud != cny("3") || x.balances(t).Cash != cny("100") {
			t.Errorf("the cloud pays %s, %s of the cash are left", b.Paid.Cloud, x.balances(t).Cash)
		}
		x.at = b.IssuedAt.Add(time.Hour)
		x.seal(t, x.sub)
		x.deliver(t)
		if x.cloud.total() != 300 {
			t.Errorf("%d taken", x.cloud.total())
		}
		sound(t, s)
	})
}

// TestTheLastUsageIsChargedOnceWhenTheDayIsCutShort cancels a subscription in
// the middle of a day: what was used until then goes out within the hour, and
// the day's bill, which the Billing Center pays, takes it into account.
func TestTheLastUsageIsChargedOnceWhenTheDayIsCutShort(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newMarket(t, s, site.Alibaba)
		x.recharge(t, "100")
		hour := upgraded.Truncate(time.Hour)
		x.use(t, "logs", "14d", hour.Add(time.Hour), 2_000_000)
		x.at = noon.Add(20 * time.Minute)
		hear(t, s, event(x.sub, marketplace.Cancelled, x.at), x.at)
		for range 2 {
			x.at = x.at.Add(time.Minute)
			x.conclude(t)
		}
		made := x.records(t)
		if len(made) != 1 || made[0].Amount != cny("3") || !made[0].Window.To.Equal(noon.Add(20*time.Minute)) || !made[0].Deadline.Equal(noon.Add(80*time.Minute)) {
			t.Fatalf("the last record: %+v", made)
		}
		x.deliver(t)
		x.use(t, "logs", "14d", hour.Add(5*time.Hour), 1_000_000)
		closeDay(t, s, march1)
		b := x.bill(t, march1)
		if b.Total != cny("4.50") || b.Paid.Cloud != cny("3") || b.Paid.Cash != cny("1.50") || b.Settlement != site.BillingCenter {
			t.Errorf("total %s by %s: cloud %s, cash %s", b.Total, b.Settlement, b.Paid.Cloud, b.Paid.Cash)
		}
		if x.cloud.total() != 300 || x.states(t) != "[accepted]" || !x.stranded(t).IsZero() {
			t.Errorf("%d taken, %s, %s stranded", x.cloud.total(), x.states(t), x.stranded(t))
		}
		sound(t, s)
	})
}

// TestChargesWithoutASubscriptionWaitForTheNext locks a workspace whose license
// is gone: what it uses in its days of grace is charged to the next license.
func TestChargesWithoutASubscriptionWaitForTheNext(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newMarket(t, s, site.AWS)
		hour := upgraded.Truncate(time.Hour)
		x.use(t, "logs", "14d", hour.Add(time.Hour), 2_000_000)
		x.at = noon.Add(20 * time.Minute)
		hear(t, s, event(x.sub, marketplace.Released, x.at), x.at)
		x.conclude(t)
		x.deliver(t)
		x.use(t, "logs", "14d", hour.Add(5*time.Hour), 1_000_000)
		closeDay(t, s, march1)
		if b := x.bill(t, march1); b.Paid.Cloud != cny("4.50") || x.stranded(t) != cny("1.50") {
			t.Errorf("the cloud pays %s, %s are stranded", b.Paid.Cloud, x.stranded(t))
		}
		sound(t, s)
		later := noon.AddDate(0, 0, 3)
		x.at = later
		x.sub = subscribed(t, s, x.payer.ID, site.AWS, "l-2", later)
		if m, state, by := x.settled(t); m != site.AWS || state != workspace.Normal || by != x.sub.ID {
			t.Errorf("after the new license: %s, %s by %s", m, state, by)
		}
		x.at = later.Add(2 * time.Hour)
		x.seal(t, x.sub)
		x.deliver(t)
		if x.cloud.total() != 450 || !x.stranded(t).IsZero() {
			t.Errorf("%d taken, %s stranded", x.cloud.total(), x.stranded(t))
		}
		sound(t, s)
	})
}

func TestAfterTheWindowTheLastUsageIsNotCharged(t *testing.T) {
	t.Parallel()
	s := storetest.SQLite(t)
	x := newMarket(t, s, site.Alibaba)
	x.use(t, "logs", "14d", upgraded.Truncate(time.Hour).Add(time.Hour), 2_000_000)
	x.at = noon.Add(2 * time.Hour)
	hear(t, s, event(x.sub, marketplace.Cancelled, noon.Add(20*time.Minute)), x.at) // it is heard of too late
	if made := x.conclude(t); len(made) != 0 {
		t.Errorf("%+v", made)
	}
	closeDay(t, s, march1)
	if b := x.bill(t, march1); b.Paid.Owed != cny("3") || !b.Paid.Cloud.IsZero() {
		t.Errorf("owed %s, cloud %s", b.Paid.Owed, b.Paid.Cloud)
	}
	sound(t, s)
}
