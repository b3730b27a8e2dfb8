package storetest_test

import (
	"context"
	"testing"
	"time"

	"tollgate.dev/internal/meter"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/usage"
)

// sampled adds a batch of one set to a store and gives the hours' samples.
type sampled struct {
	t   *testing.T
	s   *store.Store
	key usage.Key
	seq int64
}

func (x *sampled) add(gateway string, sampling meter.Sampling, hour time.Time, class string, members ...uint64) {
	x.t.Helper()
	x.seq++
	key := x.key
	key.Class = class
	b := usage.Batch{Gateway: gateway, Epoch: 1, Seq: x.seq, Through: hour, Distincts: []usage.Distinct{
		{Key: key, Sampling: sampling, Day: firstDay, Hour: hour, Members: members},
	}}
	write(x.t, x.s, func(ctx context.Context, tx *store.Tx) error { return tx.AddUsage(ctx, b) })
}

func (x *sampled) want(class string, hour time.Time, quantity int64) {
	x.t.Helper()
	var got int64
	err := x.s.Read(x.t.Context(), func(tx *store.Tx) error {
		list, err := tx.UsageBetween(x.t.Context(), x.key.WorkspaceID, x.key.Generation, hour, hour.Add(time.Hour))
		for _, s := range list {
			if s.Item == x.key.Item && s.Class == class {
				got = s.Quantity
			}
		}
		return err
	})
	if err != nil || got != quantity {
		x.t.Errorf("%s in %s at %v: %d, %v; want %d", x.key.Item, class, hour, got, err, quantity)
	}
}

func TestWhatIsNewIsSampledInItsHourAlone(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		one, two := noon.Truncate(time.Hour), noon.Truncate(time.Hour).Add(time.Hour)
		x := sampled{t: t, s: s, key: usage.Key{WorkspaceID: "wksp_a", Generation: 2, Item: meter.PageViews}}
		x.add("g1", meter.NewOfDay, one, "14d", 1, 2, 3)
		x.add("g2", meter.NewOfDay, one, "14d", 3, 4)
		x.add("g1", meter.NewOfDay, two, "14d", 1, 5)
		x.add("g2", meter.NewOfDay, two, "14d", 5)
		x.want("14d", one, 4)
		x.want("14d", two, 1)
	})
}

func TestAMemberCountsInTheClassInWhichItCameFirst(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		one, two := noon.Truncate(time.Hour), noon.Truncate(time.Hour).Add(time.Hour)
		x := sampled{t: t, s: s, key: usage.Key{WorkspaceID: "wksp_a", Generation: 2, Item: meter.Series}}
		x.add("g1", meter.DayToDate, one, "7d", 1, 2)
		x.add("g2", meter.DayToDate, two, "30d", 2, 3)
		x.want("7d", one, 2)
		x.want("30d", two, 1)
	})
}

func TestAHostIsAliveWhicheverGatewaySawIt(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		cn1, err := site.Find("cn1")
		if err != nil {
			t.Fatal(err)
		}
		start := firstDay.Start(cn1.Zone)
		x := sampled{t: t, s: s, key: usage.Key{WorkspaceID: "wksp_a", Generation: 2, Item: meter.DataKitHosts}}
		for hour := range 13 {
			at := period.HourOf(start.Add(time.Duration(hour) * time.Hour))
			members := []uint64{meter.AliveHours.Within(1<<40, 0, hour)}
			if hour > 0 {
				members = append(members, meter.AliveHours.Within(2<<40, 0, hour))
			}
			x.add([]string{"g1", "g2"}[hour%2], meter.AliveHours, at, "none", members...)
			x.want("none", at, max(0, int64(hour)-10))
		}
	})
}
