package storetest_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tollgate.dev/internal/arrears"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/prepaid"
	"tollgate.dev/internal/rebind"
	"tollgate.dev/internal/retention"
	"tollgate.dev/internal/settle"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/upgrade"
	"tollgate.dev/internal/workspace"
)

// choose is a person's wish for the method of a workspace.
func choose(x shopOf, to settle.Choice, at time.Time) func(context.Context, *store.Tx) error {
	return func(ctx context.Context, tx *store.Tx) error {
		_, err := everyCloud.Choose(ctx, tx, x.shop.ID, to, workspace.Actor{AccountID: x.payer.ID}, at)
		return err
	}
}

// fellBack is what a cancelled subscription does.
func fellBack(x shopOf, at time.Time) func(context.Context, *store.Tx) error {
	return func(ctx context.Context, tx *store.Tx) error {
		_, err := settle.Force(ctx, tx, x.shop.ID, settle.Choice{Method: site.BillingCenter}, settle.WhyCancelled, at)
		return err
	}
}

// TestTheMethodChangesOnBothSidesOfTheMonthsMidnight changes in the last
// instant of March and in the first of April, each of which has its own change:
// by the site's midnight, and not by that of UTC (domain section 11).
func TestTheMethodChangesOnBothSidesOfTheMonthsMidnight(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newShop(t, s, "a")
		to := settle.Choice{Method: site.Alibaba, Subscription: subscribed(t, s, x.payer.ID, site.Alibaba, "i-1", noon).ID}
		write(t, s, choose(x, to, noon)) // at opening: counts for nothing
		write(t, s, fellBack(x, noon))
		midnight := time.Date(2026, 3, 31, 16, 0, 0, 0, time.UTC) // of Hangzhou
		last := midnight.Add(-time.Microsecond)
		write(t, s, choose(x, to, last))
		write(t, s, fellBack(x, last))
		held := func(at time.Time, possible string) {
			t.Helper()
			err := s.Write(t.Context(), func(tx *store.Tx) error { return choose(x, to, at)(t.Context(), tx) })
			if !errors.Is(err, settle.ErrThisMonth) || fault.From(err).Args["possible"] != possible {
				t.Errorf("at %s: %v, want the first day on which it can be changed, %s", at, err, possible)
			}
		}
		held(last, "2026-04-01")
		write(t, s, choose(x, to, midnight))
		write(t, s, fellBack(x, midnight))
		held(midnight, "2026-05-01")
		held(midnight.AddDate(0, 1, -1).Add(-time.Microsecond), "2026-05-01") // the last of April, in Hangzhou
		write(t, s, choose(x, to, time.Date(2026, 4, 30, 16, 0, 0, 0, time.UTC)))
		if m, _, by := x.settled(t); m != site.Alibaba || by != to.Subscription {
			t.Errorf("%s settles by %s", m, by)
		}
		sound(t, s)
	})
}

// TestTwoTabsChooseOnceAMonth has two tabs choose two clouds at the same
// instant, round after round: one wins, and the month is used up once.
func TestTwoTabsChooseOnceAMonth(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newShop(t, s, "a")
		x.arbitrary(t)
		to := []settle.Choice{
			{Method: site.Alibaba, Subscription: subscribed(t, s, x.payer.ID, site.Alibaba, "i-1", noon).ID},
			{Method: site.AWS, Subscription: subscribed(t, s, x.payer.ID, site.AWS, "l-1", noon).ID},
		}
		write(t, s, choose(x, to[0], noon)) // at opening
		write(t, s, fellBack(x, noon))
		for month := range 3 {
			at := noon.AddDate(0, month, 0)
			var won atomic.Int64
			var tabs sync.WaitGroup
			for tab := range 8 {
				tabs.Go(func() {
					err := s.Write(t.Context(), func(tx *store.Tx) error { return choose(x, to[tab%2], at)(t.Context(), tx) })
					switch {
					case err == nil:
						won.Add(1)
					case !errors.Is(err, settle.ErrCloudLocked) && !errors.Is(err, settle.ErrSame):
						t.Errorf("tab %d: %v", tab, err)
					}
				})
			}
			tabs.Wait()
			if won.Load() != 1 {
				t.Errorf("%d tabs chose in one month", won.Load())
			}
			write(t, s, fellBack(x, at))
			refused(t, s, settle.ErrThisMonth, choose(x, to[0], at.Add(time.Hour)))
		}
		sound(t, s)
	})
}

// TestADissolveInAnotherTabIsAClearRefusalEverywhere dissolves a workspace, and
// then goes on in tabs that still show it as it was: each says that it is
// dissolved, and nothing moves.
func TestADissolveInAnotherTabIsAClearRefusalEverywhere(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x, other, owner := twoAccounts(t, s)
		cousin := cousins(t, s, 1)[0]
		x.recharge(t, "50000")
		at := upgraded.Add(time.Hour)
		sub := subscribed(t, s, x.payer.ID, site.Alibaba, "i-1", at)
		if err := nameOther(t, s, x.shop, other, owner, at); err != nil {
			t.Fatal(err)
		}
		code := digits(t, s, other.Email)
		if err := claim(t, s, x.shop.ID, cousin, at); err != nil {
			t.Fatal(err)
		}
		if err := proveClaim(t, s, x.shop.ID, claimCode(t, s, "mei@shop.example", cousin), cousin, at); err != nil {
			t.Fatal(err)
		}
		if err := x.dissolve(t, "shop", at); err != nil {
			t.Fatal(err)
		}
		before := moved(t, s)
		stale := staleTabs(t, x, owner, cousin, settle.Choice{Method: site.Alibaba, Subscription: sub.ID}, code, at)
		for tab, do := range stale {
			err := s.Write(t.Context(), func(tx *store.Tx) error { return do(t.Context(), tx) })
			if f := fault.From(err); err == nil || f.Kind == fault.Internal || f.Code != workspace.ErrDissolved.Code && !strings.Contains(f.Message, "dissolved") {
				t.Errorf("%s: %v", tab, err)
			}
			if after := moved(t, s); after != before {
				t.Errorf("%s: something moved:\n%s", tab, after)
			}
		}
		sound(t, s)
	})
}

// staleTabs are what can be done in pages that show a workspace as it was.
func staleTabs(t *testing.T, x shopOf, owner, cousin workspace.Actor, to settle.Choice, code string, at time.Time) map[string]func(ctx context.Context, tx *store.Tx) error {
	t.Helper()
	version, err := catalog.Default().At(period.DayOf(at, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	return map[string]func(ctx context.Context, tx *store.Tx) error{
		"a cloud is chosen": choose(x, to, at),
		"it is re-bound": func(ctx context.Context, tx *store.Tx) error {
			_, err := rebind.Confirm(ctx, tx, x.shop.ID, code, "shop", owner, at)
			return err
		},
		"it is taken over": func(ctx context.Context, tx *store.Tx) error {
			_, err := rebind.TakeOver(ctx, tx, x.shop.ID, cousin, at)
			return err
		},
		"it is dissolved again": func(ctx context.Context, tx *store.Tx) error {
			_, err := arrears.DissolveBy(ctx, tx, x.shop.ID, "shop", owner, at)
			return err
		},
		"it is unlocked": func(ctx context.Context, tx *store.Tx) error { return arrears.Unlock(ctx, tx, x.shop.ID, at) },
		"a class is changed": func(ctx context.Context, tx *store.Tx) error {
			_, err := retention.Change(ctx, tx, version, x.shop.ID, retention.Wish{Target: logs, Class: "30d"}, owner, at)
			return err
		},
		"its token is replaced": func(ctx context.Context, tx *store.Tx) error {
			_, err := workspace.ReplaceToken(ctx, tx, x.shop.ID, owner, at)
			return err
		},
		"somebody is invited": func(ctx context.Context, tx *store.Tx) error {
			_, err := workspace.Invite(ctx, tx, x.shop.ID, "new@shop.example", workspace.ReadOnly, owner, at)
			return err
		},
		"it is upgraded": func(ctx context.Context, tx *store.Tx) error {
			_, err := upgrade.Name(ctx, tx, x.shop.ID, x.payer.UserName, owner, at)
			return err
		},
		"it is to share a package": func(ctx context.Context, tx *store.Tx) error {
			_, _, err := prepaid.Buy(ctx, tx, catalog.Default(), x.order(1, x), x.holder(), at)
			return err
		},
	}
}

// moved is what of a store may not change by a refusal: all but codes that were
// tried.
func moved(t *testing.T, s *store.Store) string {
	t.Helper()
	lines := strings.Split(storetest.Dump(t, s), "\n")
	lines = slices.DeleteFunc(lines, func(l string) bool { return strings.HasPrefix(l, "code.") })
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// TestADissolveRacesWithEveryOtherTab dissolves while other tabs change the
// method and the payer: whatever comes first, in the end it is dissolved.
func TestADissolveRacesWithEveryOtherTab(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x, other, owner := twoAccounts(t, s)
		at := upgraded.Add(time.Hour)
		sub := subscribed(t, s, x.payer.ID, site.Alibaba, "i-1", at)
		if err := nameOther(t, s, x.shop, other, owner, at); err != nil {
			t.Fatal(err)
		}
		code := digits(t, s, other.Email)
		var tabs sync.WaitGroup
		try := func(do func() error) {
			tabs.Go(func() {
				if err := do(); err != nil && fault.From(err).Kind == fault.Internal {
					t.Error(err)
				}
			})
		}
		for range 3 {
			try(func() error { return x.dissolve(t, "shop", at) })
			try(func() error { return confirmOther(t, s, x.shop, code, "shop", owner, at) })
			try(func() error {
				return s.Write(t.Context(), func(tx *store.Tx) error {
					return choose(x, settle.Choice{Method: site.Alibaba, Subscription: sub.ID}, at)(t.Context(), tx)
				})
			})
		}
		tabs.Wait()
		if w, _ := x.now(t); w.State != workspace.Dissolved || audited(t, s, arrears.Changed, w.ID) != 1 {
			t.Errorf("it is %s, dissolved %d times", w.State, audited(t, s, arrears.Changed, w.ID))
		}
		sound(t, s)
	})
}
