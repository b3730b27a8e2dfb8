package storetest_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/usage"
)

var (
	logsKey   = usage.Key{WorkspaceID: "wksp_a", Generation: 2, Item: "logs", Class: "14d"}
	seriesKey = usage.Key{WorkspaceID: "wksp_a", Generation: 2, Item: "timeseries", Class: "7d"}
	firstDay  = period.MustParseDay("2026-03-01")
)

func batch(epoch, seq int64, add int64, members ...uint64) usage.Batch {
	hour := noon.Truncate(time.Hour)
	b := usage.Batch{Gateway: "gate_1", Epoch: epoch, Seq: seq, Through: noon.Add(time.Duration(seq) * time.Second)}
	if add > 0 {
		b.Deltas = []usage.Delta{{Key: logsKey, Hour: hour, Add: add}}
	}
	if len(members) > 0 {
		b.Distincts = []usage.Distinct{{Key: seriesKey, Day: firstDay, Hour: hour, Members: members}}
	}
	return b
}

func samples(t *testing.T, s *store.Store) map[string]int64 {
	t.Helper()
	found := map[string]int64{}
	err := s.Read(t.Context(), func(tx *store.Tx) error {
		list, err := tx.UsageBetween(t.Context(), "wksp_a", 2, noon.Add(-24*time.Hour), noon.Add(24*time.Hour))
		for _, sample := range list {
			found[sample.Item] += sample.Quantity
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestReplayedBatchAddsNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for _, b := range []usage.Batch{
			batch(1, 1, 10, 1, 2, 3), batch(1, 1, 10, 1, 2, 3), // the same again
			batch(1, 2, 5, 3, 4), batch(1, 1, 10), // one that was overtaken
			batch(2, 1, 1), batch(1, 9, 100), // one of an epoch that has ended
		} {
			write(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.AddUsage(ctx, b) })
		}
		got := samples(t, s)
		if got["logs"] != 16 || got["timeseries"] != 4 {
			t.Errorf("logs %d, want 16; series %d, want 4", got["logs"], got["timeseries"])
		}
	})
}

func TestSeriesSeenByTwoGatewaysCountOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var group sync.WaitGroup
		for _, gateway := range []string{"gate_1", "gate_2", "gate_3"} {
			group.Go(func() {
				b := batch(1, 1, 0, 1, 2, 3, 1<<63, ^uint64(0))
				b.Gateway = gateway
				if err := s.Write(t.Context(), func(tx *store.Tx) error { return tx.AddUsage(t.Context(), b) }); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if got := samples(t, s)["timeseries"]; got != 5 {
			t.Errorf("%d series, want 5", got)
		}
		_ = s.Read(t.Context(), func(tx *store.Tx) error {
			sets, err := tx.MembersOf(t.Context(), "wksp_a", 2, firstDay)
			members := sets[seriesKey]
			slices.Sort(members)
			if err != nil || !slices.Equal(members, []uint64{1, 2, 3, 1 << 63, ^uint64(0)}) {
				t.Errorf("members %v, %v", members, err)
			}
			return nil
		})
	})
}

func TestCountsEqualAPlainMap(t *testing.T) {
	t.Parallel()
	s := storetest.SQLite(t)
	seq := int64(0)
	set, sum := map[uint64]bool{}, int64(0)
	rapid.Check(t, func(r *rapid.T) {
		members := rapid.SliceOfN(rapid.Uint64Range(0, 200), 1, 20).Draw(r, "members")
		add := rapid.Int64Range(1, 1000).Draw(r, "add")
		seq++
		for range rapid.IntRange(1, 3).Draw(r, "deliveries") {
			write(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.AddUsage(ctx, batch(1, seq, add, members...)) })
		}
		for _, m := range members {
			set[m] = true
		}
		sum += add
		if got := samples(t, s); got["logs"] != sum || got["timeseries"] != int64(len(set)) {
			r.Fatalf("logs %d, want %d; series %d, want %d", got["logs"], sum, got["timeseries"], len(set))
		}
	})
}

func TestAnotherTenantsUsageIsNotSeen(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		b := batch(1, 1, 10, 7)
		b.Deltas[0].WorkspaceID, b.Distincts[0].Generation = "wksp_b", 1
		write(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.AddUsage(ctx, b) })
		if got := samples(t, s); len(got) != 0 {
			t.Errorf("usage of another workspace or generation is seen: %v", got)
		}
	})
}

func TestFlushedThroughIsTheSlowestGateway(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for i, gateway := range []string{"gate_1", "gate_2", "gate_dead"} {
			b := batch(1, 1, 0)
			b.Gateway, b.Through = gateway, noon.Add(time.Duration(1-i)*time.Hour)
			write(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.AddUsage(ctx, b) })
		}
		_ = s.Read(t.Context(), func(tx *store.Tx) error {
			through, ok, err := tx.FlushedThrough(t.Context(), noon.Add(-30*time.Minute))
			if err != nil || !ok || !through.Equal(noon) {
				t.Errorf("through %v, %v, %v; want noon", through, ok, err)
			}
			if _, ok, err := tx.FlushedThrough(t.Context(), noon.Add(2*time.Hour)); ok || err != nil {
				t.Errorf("a gateway that was not heard of counts: %v, %v", ok, err)
			}
			return nil
		})
	})
}

func TestLateUsageGoesToTheDayThatIsOpen(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newTeam(t, s)
		midnight := firstDay.End(noon.Location()).Add(-8 * time.Hour) // of Hangzhou, UTC+8
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			return tx.BeginSiteDay(ctx, bill.SiteDay{Site: "cn1", Day: firstDay, BeganAt: midnight, Series: "cn1-2026"})
		})
		b := batch(1, 1, 10, 7, 8)
		b.Deltas[0].WorkspaceID, b.Distincts[0].WorkspaceID = x.shop.ID, x.shop.ID
		write(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.AddUsage(ctx, b) })
		_ = s.Read(t.Context(), func(tx *store.Tx) error {
			late, err := tx.UsageBetween(t.Context(), x.shop.ID, 2, noon.Add(-24*time.Hour), midnight)
			if err != nil || len(late) != 0 {
				t.Errorf("a closed day grew: %v, %v", late, err)
			}
			open, err := tx.UsageBetween(t.Context(), x.shop.ID, 2, midnight, midnight.Add(time.Hour))
			if err != nil || len(open) != 2 || open[0].Quantity != 10 || open[1].Quantity != 2 {
				t.Errorf("the open day's first hour holds %v, %v", open, err)
			}
			sets, err := tx.MembersOf(t.Context(), x.shop.ID, 2, firstDay.Add(1))
			if err != nil || len(sets) != 1 {
				t.Errorf("the open day's sets: %v, %v", sets, err)
			}
			return nil
		})
	})
}
