package storetest_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/settle"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/workspace"
)

// everyCloud is an installation with all clouds connected.
var everyCloud = settle.Rules{Profile: site.Seed, Enabled: site.Methods()}

// subscribed is an active subscription of a payer.
func subscribed(t *testing.T, s *store.Store, payer string, cloud site.Method, instance string, at time.Time) marketplace.Subscription {
	t.Helper()
	var sub marketplace.Subscription
	write(t, s, func(ctx context.Context, tx *store.Tx) (err error) {
		p := marketplace.Purchase{Account: "account of " + payer, Instance: instance, Product: "tollgate", Plan: marketplace.Hourly, Active: true, BoughtAt: at}
		sub, err = marketplace.Bind(ctx, tx, cloud, p, payer, workspace.Actor{AccountID: payer}, at)
		return err
	})
	if sub.State != marketplace.Active || sub.Payer != payer {
		t.Fatalf("bound: %+v", sub)
	}
	return sub
}

// by settles a workspace by a subscription.
func (x shopOf) by(t *testing.T, sub marketplace.Subscription, at time.Time) {
	t.Helper()
	write(t, x.s, func(ctx context.Context, tx *store.Tx) error {
		to := settle.Choice{Method: sub.Cloud, Subscription: sub.ID}
		rules := everyCloud
		_, err := rules.Choose(ctx, tx, x.shop.ID, to, workspace.Actor{AccountID: x.payer.ID}, at)
		return err
	})
}

// arbitrary opens all methods to the payer.
func (x shopOf) arbitrary(t *testing.T) {
	t.Helper()
	write(t, x.s, func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE billing_account SET arbitrary_settlement = 1 WHERE id = $1`, x.payer.ID)
		return err
	})
}

// hear takes an event of a subscription.
func hear(t *testing.T, s *store.Store, e marketplace.Event, at time.Time) marketplace.Subscription {
	t.Helper()
	var sub marketplace.Subscription
	write(t, s, func(ctx context.Context, tx *store.Tx) (err error) {
		sub, err = marketplace.Take(ctx, tx, e, at)
		return err
	})
	return sub
}

func event(sub marketplace.Subscription, kind marketplace.EventKind, at time.Time) marketplace.Event {
	return marketplace.Event{ID: fmt.Sprintf("%s-%s-%d", sub.Instance, kind, at.UnixMicro()), Cloud: sub.Cloud, Kind: kind, Instance: sub.Instance, Account: sub.Account, At: at, FinalFor: time.Hour}
}

// settled is how a workspace stands.
func (x shopOf) settled(t *testing.T) (m site.Method, state workspace.State, subscription string) {
	t.Helper()
	if err := x.s.Read(t.Context(), func(tx *store.Tx) error {
		w, err := tx.Workspace(t.Context(), x.shop.ID)
		if err != nil {
			return err
		}
		m, state = w.Settlement, w.State
		sub, err := tx.SettlingOf(t.Context(), w.ID)
		if err == nil {
			subscription = sub.ID
		} else if errors.Is(err, marketplace.ErrUnknown) {
			err = nil
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return m, state, subscription
}

// TestAnEndDoesToWorkspacesWhatItsCloudSays walks domain C-14 through the
// store: who settles then, and whether the fourteen days run.
func TestAnEndDoesToWorkspacesWhatItsCloudSays(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		cloud  site.Method
		kind   marketplace.EventKind
		method site.Method
		state  workspace.State
	}{
		{site.Alibaba, marketplace.Cancelled, site.BillingCenter, workspace.Normal},
		{site.Alibaba, marketplace.Expired, site.Alibaba, workspace.Grace},
		{site.Alibaba, marketplace.Released, site.Alibaba, workspace.Grace},
		{site.AWS, marketplace.Released, site.AWS, workspace.Grace},
		{site.AWS, marketplace.Cancelled, site.AWS, workspace.Grace},
		{site.Huawei, marketplace.Froze, site.Huawei, workspace.Grace},
		{site.Huawei, marketplace.Changed, site.Huawei, workspace.Normal},
	} {
		t.Run(string(c.cloud)+" "+string(c.kind), func(t *testing.T) {
			t.Parallel()
			s := storetest.SQLite(t)
			x := newShop(t, s, "a")
			x.arbitrary(t)
			sub := subscribed(t, s, x.payer.ID, c.cloud, "i-1", noon)
			x.by(t, sub, noon)
			for range 2 { // the second time nothing happens
				hear(t, s, event(sub, c.kind, noon.Add(time.Hour)), noon.Add(time.Hour))
			}
			m, state, _ := x.settled(t)
			if m != c.method || state != c.state {
				t.Errorf("%s and %s, want %s and %s", m, state, c.method, c.state)
			}
			sound(t, s)
		})
	}
}

func TestAFrozenSubscriptionThawsAndAnEndedOneIsLeft(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newShop(t, s, "a")
		x.arbitrary(t)
		sub := subscribed(t, s, x.payer.ID, site.Huawei, "i-1", noon)
		x.by(t, sub, noon)
		choose := func(to settle.Choice, at time.Time) func(context.Context, *store.Tx) error {
			return func(ctx context.Context, tx *store.Tx) error {
				_, err := everyCloud.Choose(ctx, tx, x.shop.ID, to, workspace.Actor{AccountID: x.payer.ID}, at)
				return err
			}
		}
		refused(t, s, settle.ErrCloudLocked, choose(settle.Choice{Method: site.BillingCenter}, noon))
		refused(t, s, settle.ErrSame, choose(settle.Choice{Method: site.Huawei, Subscription: sub.ID}, noon))
		hear(t, s, event(sub, marketplace.Froze, noon.Add(time.Hour)), noon.Add(time.Hour))
		hear(t, s, event(sub, marketplace.Thawed, noon.Add(2*time.Hour)), noon.Add(2*time.Hour))
		if m, state, by := x.settled(t); m != site.Huawei || state != workspace.Normal || by != sub.ID {
			t.Errorf("thawed: %s, %s, %s", m, state, by)
		}
		hear(t, s, event(sub, marketplace.Released, noon.Add(3*time.Hour)), noon.Add(3*time.Hour))
		refused(t, s, settle.ErrNoSubscription, choose(settle.Choice{Method: site.Huawei}, noon.Add(4*time.Hour)))
		refused(t, s, marketplace.ErrInactive, choose(settle.Choice{Method: site.Huawei, Subscription: sub.ID}, noon.Add(4*time.Hour)))
		refused(t, s, marketplace.ErrUnknown, choose(settle.Choice{Method: site.Huawei, Subscription: "subs_none"}, noon.Add(4*time.Hour)))
		other := subscribed(t, s, x.payer.ID, site.AWS, "l-1", noon.Add(4*time.Hour))
		refused(t, s, marketplace.ErrUnknown, choose(settle.Choice{Method: site.Huawei, Subscription: other.ID}, noon.Add(4*time.Hour)))
		write(t, s, choose(settle.Choice{Method: site.BillingCenter}, noon.Add(5*time.Hour)))
		if m, state, by := x.settled(t); m != site.BillingCenter || state != workspace.Normal || by != "" {
			t.Errorf("left: %s, %s, %s", m, state, by)
		}
		write(t, s, choose(settle.Choice{Method: site.AWS, Subscription: other.ID}, noon.Add(6*time.Hour))) // unlocking used up no change
		sound(t, s)
	})
}

// TestARenewalUnderANewLicenseTakesTheWorkspacesAlong plays both orders: AWS
// tells of the new license before the old one's end, or after it.
func TestARenewalUnderANewLicenseTakesTheWorkspacesAlong(t *testing.T) {
	t.Parallel()
	for _, newFirst := range []bool{true, false} {
		t.Run(fmt.Sprint("new license first: ", newFirst), func(t *testing.T) {
			t.Parallel()
			s := storetest.SQLite(t)
			x := newShop(t, s, "a")
			x.arbitrary(t)
			old := subscribed(t, s, x.payer.ID, site.AWS, "l-1", noon)
			x.by(t, old, noon)
			renewal := marketplace.Event{ID: "new", Cloud: site.AWS, Kind: marketplace.Purchased, Instance: "l-2", Account: old.Account, Product: old.Product, At: noon.Add(2 * time.Hour)}
			end := event(old, marketplace.Released, noon.Add(3*time.Hour))
			events := []marketplace.Event{renewal, end}
			if !newFirst {
				slices.Reverse(events)
			}
			for _, e := range events {
				hear(t, s, e, noon.Add(4*time.Hour))
			}
			m, state, by := x.settled(t)
			if m != site.AWS || state != workspace.Normal || by == old.ID || by == "" {
				t.Errorf("%s, %s by %s", m, state, by)
			}
			var kinds []string
			write(t, s, func(ctx context.Context, tx *store.Tx) error {
				rows, err := tx.Query(ctx, `SELECT kind FROM mail WHERE kind = 'settlement_moved'`)
				if err != nil {
					return err
				}
				defer func() { _ = rows.Close() }()
				for rows.Next() {
					var k string
					if err := rows.Scan(&k); err != nil {
						return err
					}
					kinds = append(kinds, k)
				}
				return rows.Err()
			})
			if len(kinds) != 1 {
				t.Errorf("mails %v", kinds)
			}
			sound(t, s)
		})
	}
}

// TestTenThousandShuffledEventsEndAsTheOrderedOnes feeds both engines what a
// cloud said of several subscriptions, once in order and once shuffled and
// repeated.
func TestTenThousandShuffledEventsEndAsTheOrderedOnes(t *testing.T) {
	t.Parallel()
	const rounds, subscriptions = 10_000, 20
	random := rand.New(rand.NewPCG(5, 7))
	clouds := []site.Method{site.Alibaba, site.AWS, site.Huawei}
	var events []marketplace.Event
	for i := range subscriptions {
		sub := marketplace.Subscription{Cloud: clouds[i%3], Instance: fmt.Sprint("i-", i), Account: fmt.Sprint("account of bcac_", i)}
		for n := range 1 + i%6 {
			events = append(events, event(sub, marketplace.EventKinds()[random.IntN(8)], noon.Add(time.Duration(n)*time.Minute)))
		}
	}
	shuffled := make([]marketplace.Event, 0, rounds)
	for len(shuffled) < rounds {
		shuffled = append(shuffled, events...)
	}
	random.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	end := func(t *testing.T, list []marketplace.Event) []string {
		s := storetest.SQLite(t)
		shops := make([]shopOf, subscriptions)
		for i := range shops {
			shops[i] = newShop(t, s, fmt.Sprint(i))
			shops[i].arbitrary(t)
			shops[i].by(t, subscribed(t, s, shops[i].payer.ID, clouds[i%3], fmt.Sprint("i-", i), noon.Add(-time.Hour)), noon.Add(-time.Hour))
		}
		for chunk := range slices.Chunk(list, 250) {
			write(t, s, func(ctx context.Context, tx *store.Tx) error {
				for _, e := range chunk {
					if _, err := marketplace.Take(ctx, tx, e, noon.Add(24*time.Hour)); err != nil {
						return err
					}
				}
				return nil
			})
		}
		sound(t, s)
		var states []string
		for i, x := range shops {
			m, state, by := x.settled(t)
			var sub marketplace.Subscription
			if err := s.Read(t.Context(), func(tx *store.Tx) (err error) {
				sub, err = tx.SubscriptionByInstance(t.Context(), clouds[i%3], fmt.Sprint("i-", i))
				return err
			}); err != nil {
				t.Fatal(err)
			}
			states = append(states, fmt.Sprint(i, m, state, by != "", sub.State, sub.Why, sub.ActiveAt, sub.EndedAt, sub.EndsAt, sub.ExpiresAt))
		}
		return states
	}
	if ordered, other := end(t, events), end(t, shuffled); !slices.Equal(ordered, other) {
		for i := range ordered {
			if ordered[i] != other[i] {
				t.Errorf("in order  %s\nshuffled  %s", ordered[i], other[i])
			}
		}
	}
}

func TestAProbeChangesNothing(t *testing.T) {
	t.Parallel()
	s := storetest.SQLite(t)
	x := newShop(t, s, "a")
	x.arbitrary(t)
	sub := subscribed(t, s, x.payer.ID, site.Huawei, "i-1", noon)
	x.by(t, sub, noon)
	probe := event(sub, marketplace.Released, noon.Add(time.Hour))
	probe.Test = true
	hear(t, s, probe, noon.Add(time.Hour))
	hear(t, s, event(sub, marketplace.Changed, noon.Add(2*time.Hour)), noon.Add(2*time.Hour))
	if m, state, _ := x.settled(t); m != site.Huawei || state != workspace.Normal {
		t.Errorf("after a probe: %s, %s", m, state)
	}
}

func TestAPurchaseIsBoundOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a, b := newShop(t, s, "a"), newShop(t, s, "b")
		sub := subscribed(t, s, a.payer.ID, site.Alibaba, "i-1", noon)
		if again := subscribed(t, s, a.payer.ID, site.Alibaba, "i-1", noon.Add(time.Hour)); again != sub {
			t.Errorf("bound again: %+v, before %+v", again, sub)
		}
		bind := func(p marketplace.Purchase, payer string) func(context.Context, *store.Tx) error {
			return func(ctx context.Context, tx *store.Tx) error {
				_, err := marketplace.Bind(ctx, tx, site.Alibaba, p, payer, workspace.Actor{AccountID: payer}, noon)
				return err
			}
		}
		p := marketplace.Purchase{Account: sub.Account, Instance: "i-1", Product: "tollgate", Active: true, BoughtAt: noon}
		refused(t, s, marketplace.ErrClaimed, bind(p, b.payer.ID))
		p.Account = "another"
		refused(t, s, marketplace.ErrClaim, bind(p, a.payer.ID))
	})
}
