package storetest_test

import (
	"context"
	"testing"
	"time"

	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
)

// zero does what falls due at the market's instant, and gives how many records
// of nothing were made.
func (x *market) zero(t *testing.T) (made int) {
	t.Helper()
	write(t, x.s, func(ctx context.Context, tx *store.Tx) error {
		due, err := tx.ZerosDue(ctx, x.cloud.Method(), x.at, 10)
		if err != nil {
			return err
		}
		for _, j := range due {
			one, err := marketplace.Zero(ctx, tx, x.cloud, j.SubscriptionID, x.at)
			if err != nil {
				return err
			}
			if one {
				made++
			}
		}
		return nil
	})
	return made
}

func TestEachHourWithoutUsageIsSaidOnceWhereTheListingAsks(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newMarket(t, s, site.AWS)
		x.at = noon.Add(20 * time.Minute)
		if made := x.zero(t); made != 0 { // the market does not ask
			t.Errorf("%d records", made)
		}
		x.cloud.unit.Zero = true
		if made := x.zero(t); made != 0 {
			t.Errorf("the same hour is asked about twice: %d", made)
		}
		hour := func(minute, want int) {
			t.Helper()
			x.at = x.at.Truncate(time.Hour).Add(time.Hour + time.Duration(minute)*time.Minute)
			if made := x.zero(t); made != want {
				t.Errorf("%s: %d records of nothing, want %d", x.at, made, want)
			}
			if made := x.zero(t); made != 0 {
				t.Errorf("%s: %d again", x.at, made)
			}
		}
		hour(16, 1)
		x.charge(t, x.sub, 5) // within the hour that is open
		hour(10, 0)           // too early to say that nothing was used
		x.at = x.at.Add(6 * time.Minute)
		if made := x.zero(t); made != 0 { // and something was
			t.Errorf("an hour with usage is said to be empty: %d", made)
		}
		hour(15, 1)
		x.deliver(t)
		records := x.records(t)
		if len(records) != 3 || x.states(t) != "[accepted accepted accepted]" || x.cloud.total() != 5 {
			t.Fatalf("%d records, %s, billed %d", len(records), x.states(t), x.cloud.total())
		}
		for _, f := range findings(t, s) {
			if f.Invariant == "I9" {
				t.Errorf("%+v", f)
			}
		}
		hear(t, s, event(x.sub, marketplace.Released, x.at), x.at)
		hour(30, 0)
	})
}

func TestTheLastUsageFindsItsHourFreeOfNothing(t *testing.T) {
	t.Parallel()
	s := storetest.SQLite(t)
	x := newMarket(t, s, site.AWS)
	x.cloud.unit.Zero = true
	for x.at = noon.Add(16 * time.Minute); x.at.Before(noon.Add(5 * time.Hour)); x.at = x.at.Add(time.Hour) {
		x.zero(t)
	}
	ended := x.at.Truncate(time.Hour).Add(-time.Second) // and heard of ten minutes later
	x.at = ended.Add(10 * time.Minute)
	x.zero(t)
	x.charge(t, x.sub, 7)
	e := event(x.sub, marketplace.Released, ended)
	e.FinalFor = time.Hour
	hear(t, s, e, x.at)
	if made := x.seal(t, x.sub); len(made) != 1 || made[0].Amount.Minor() != 7 || !made[0].Window.To.Equal(ended) {
		t.Errorf("%+v", made)
	}
}
