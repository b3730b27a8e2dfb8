package storetest_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/retention"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/usage"
	"tollgate.dev/internal/workspace"
)

// upgradedTeam is a team whose workspace became Commercial at noon.
func upgradedTeam(t *testing.T, s *store.Store) team {
	t.Helper()
	x := newTeam(t, s)
	write(t, s, func(ctx context.Context, tx *store.Tx) error {
		next, err := x.shop.Upgrade(x.payer.ID, noon)
		if err != nil {
			return err
		}
		if err := tx.UpdateWorkspace(ctx, next); err != nil {
			return err
		}
		x.shop, err = tx.Workspace(ctx, next.ID)
		return err
	})
	return x
}

func prices(t *testing.T) *catalog.Version {
	t.Helper()
	v, err := catalog.Default().At(period.DayOf(noon, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func (x team) wish(t *testing.T, s *store.Store, w retention.Wish, at time.Time) (retention.Changed, error) {
	t.Helper()
	var made retention.Changed
	err := s.Write(t.Context(), func(tx *store.Tx) (err error) {
		made, err = retention.Change(t.Context(), tx, prices(t), x.shop.ID, w, x.actor(), at)
		return err
	})
	return made, err
}

// expect changes and checks what became of it.
func (x team) expect(t *testing.T, s *store.Store, target retention.Target, class string, at time.Time, want retention.Outcome) {
	t.Helper()
	made, err := x.wish(t, s, retention.Wish{Target: target, Class: class, Confirmed: true}, at)
	if err != nil || made.Outcome != want {
		t.Fatalf("%s to %s: %s, %v; want %s", target, class, made.Outcome, err, want)
	}
}

func (x team) classAt(t *testing.T, s *store.Store, target retention.Target, at time.Time) string {
	t.Helper()
	var class string
	err := s.Read(t.Context(), func(tx *store.Tx) error {
		chosen, err := tx.RetentionSettings(t.Context(), x.shop.ID)
		class = retention.Of(x.shop.Plan, prices(t)).With(chosen, at).Setting(target).Class
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return class
}

func (x team) history(t *testing.T, s *store.Store) []retention.ClassChange {
	t.Helper()
	var list []retention.ClassChange
	err := s.Read(t.Context(), func(tx *store.Tx) (err error) {
		list, err = tx.ClassChanges(t.Context(), x.shop.ID, noon.AddDate(0, 0, -9), noon.AddDate(0, 0, 9), 100)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

var (
	logs    = retention.Target{Type: retention.Logs}
	metrics = retention.Target{Type: retention.Metrics}
)

// midnight is the first of cn1 after noon.
var midnight = time.Date(2026, 3, 1, 16, 0, 0, 0, time.UTC)

func TestChangesOfADayCollapseIntoOneAtMidnight(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := upgradedTeam(t, s)
		x.expect(t, s, logs, "7d", noon.Add(time.Hour), retention.AtOnce)
		x.expect(t, s, logs, "30d", noon.Add(2*time.Hour), retention.Held)
		x.expect(t, s, logs, "3d", noon.Add(3*time.Hour), retention.Held)
		x.expect(t, s, logs, "3d", noon.Add(3*time.Hour), retention.Unchanged)
		for at, want := range map[time.Time]string{midnight.Add(-1): "7d", midnight: "3d"} {
			if got := x.classAt(t, s, logs, at); got != want {
				t.Errorf("at %s: %s, want %s", at, got, want)
			}
		}
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			at, any, err := tx.NextRetention(ctx)
			if err != nil || !any || !at.Equal(midnight) {
				t.Errorf("next at %s, %v, %v", at, any, err)
			}
			early, err := tx.RetentionDue(ctx, midnight.Add(-time.Second), "", 10)
			if err != nil || len(early) != 0 {
				t.Errorf("due before midnight: %v, %v", early, err)
			}
			due, err := tx.RetentionDue(ctx, midnight, "", 10)
			if err != nil || len(due) != 1 || due[0].ID != x.shop.ID {
				t.Errorf("due at midnight: %v, %v", due, err)
			}
			return nil
		})
		for range 2 { // a job that comes again changes nothing
			write(t, s, func(ctx context.Context, tx *store.Tx) error {
				return retention.Apply(ctx, tx, prices(t), x.shop.ID, midnight.Add(7*time.Second))
			})
		}
		x.expect(t, s, logs, "14d", midnight.Add(8*time.Hour), retention.AtOnce)
		history := x.history(t, s)
		if len(history) != 3 {
			t.Fatalf("history %v", history)
		}
		for i, want := range []struct {
			before, class string
			at            time.Time
		}{{"3d", "14d", midnight.Add(8 * time.Hour)}, {"7d", "3d", midnight}, {"14d", "7d", noon.Add(time.Hour)}} {
			c := history[i]
			if c.Before != want.before || c.Class != want.class || !c.At.Equal(want.at) || c.By != x.owner.ID {
				t.Errorf("history[%d] = %+v, want %+v", i, c, want)
			}
		}
		if n := forgotten(t, s); n != 0 {
			t.Errorf("%d jobs delete logs, which keep their class", n)
		}
	})
}

// forgotten counts the jobs that delete records.
func forgotten(t *testing.T, s *store.Store) (n int64) {
	t.Helper()
	err := s.Read(t.Context(), func(tx *store.Tx) error {
		return tx.QueryRow(t.Context(), `SELECT COUNT(*) FROM river_job WHERE kind = 'retention.forget'`).Scan(&n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestAChangeThatIsDueIsWrittenBeforeTheNextOne(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := upgradedTeam(t, s)
		x.expect(t, s, metrics, "14d", noon.Add(time.Hour), retention.AtOnce)
		x.expect(t, s, metrics, "3d", noon.Add(2*time.Hour), retention.Held)
		if n := forgotten(t, s); n != 1 {
			t.Errorf("%d deletions before midnight, want 1", n)
		}
		x.expect(t, s, metrics, "30d", midnight.Add(time.Minute), retention.AtOnce) // no job ran at midnight
		var classes []string
		for _, c := range x.history(t, s) {
			classes = append(classes, c.Before+">"+c.Class)
		}
		if len(classes) != 3 || classes[0] != "3d>30d" || classes[1] != "14d>3d" || classes[2] != "7d>14d" {
			t.Errorf("history %v", classes)
		}
		if n := forgotten(t, s); n != 3 {
			t.Errorf("%d deletions, want one of each class", n)
		}
		err := s.Read(t.Context(), func(tx *store.Tx) error {
			list, err := tx.TypeChangesSince(t.Context(), retention.Metrics, midnight)
			if len(list) != 2 {
				t.Errorf("changes since midnight: %v", list)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
}

func TestEachTypeAndIndexHasADayOfItsOwn(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := upgradedTeam(t, s)
		nginx, audit := retention.IndexOf("nginx"), retention.IndexOf("audit")
		x.expect(t, s, logs, "7d", noon, retention.AtOnce)
		x.expect(t, s, nginx, "30d", noon, retention.AtOnce)
		x.expect(t, s, nginx, "7d", noon, retention.Held)
		x.expect(t, s, audit, "7d", noon, retention.Unchanged) // as the default index, and its own from now on
		x.expect(t, s, retention.Target{Type: "rum"}, "60d", noon, retention.AtOnce)
		x.expect(t, s, logs, "3d", noon, retention.Held)
		for target, want := range map[retention.Target]string{
			logs: "3d", retention.IndexOf("default"): "3d", nginx: "7d", audit: "7d", retention.IndexOf("other"): "3d", metrics: "7d", {Type: "rum"}: "60d",
		} {
			if got := x.classAt(t, s, target, midnight); got != want {
				t.Errorf("%s: %s, want %s", target, got, want)
			}
		}
	})
}

func TestWishesThatCannotBeAreRefusedAndChangeNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := upgradedTeam(t, s)
		free := newFreeShop(t, s, x)
		for name, c := range map[string]struct {
			wish  retention.Wish
			in    string
			actor string
			want  error
		}{
			"type":             {wish: retention.Wish{Target: retention.Target{Type: "coffee"}, Class: "7d"}, want: retention.ErrTypeUnknown},
			"class":            {wish: retention.Wish{Target: logs, Class: "180d"}, want: retention.ErrClass},
			"no class":         {wish: retention.Wish{Target: logs}, want: retention.ErrClass},
			"index of metrics": {wish: retention.Wish{Target: retention.Target{Type: "metrics", Index: "a"}, Class: "3d"}, want: retention.ErrIndexOfLogs},
			"index's name":     {wish: retention.Wish{Target: retention.IndexOf("a b"), Class: "3d"}, want: retention.ErrIndex},
			"unconfirmed":      {wish: retention.Wish{Target: metrics, Class: "3d"}, want: retention.ErrUnconfirmed},
			"free plan":        {wish: retention.Wish{Target: logs, Class: "3d"}, in: free, want: retention.ErrExperience},
			"stranger":         {wish: retention.Wish{Target: logs, Class: "3d"}, actor: "acnt_stranger", want: workspace.ErrUnknown},
		} {
			in, actor := x.shop.ID, x.actor()
			if c.in != "" {
				in = c.in
			}
			if c.actor != "" {
				actor.AccountID = c.actor
			}
			err := s.Write(t.Context(), func(tx *store.Tx) error {
				_, err := retention.Change(t.Context(), tx, prices(t), in, c.wish, actor, noon)
				return err
			})
			if !errors.Is(err, c.want) {
				t.Errorf("%s: %v, want %v", name, err, c.want)
			}
		}
		if list := x.history(t, s); len(list) != 0 || forgotten(t, s) != 0 {
			t.Errorf("history %v", list)
		}
	})
}

func newFreeShop(t *testing.T, s *store.Store, x team) string {
	t.Helper()
	var free workspace.Workspace
	write(t, s, func(ctx context.Context, tx *store.Tx) (err error) {
		free, err = workspace.Create(ctx, tx, "cn1", "free", "en", x.actor(), noon)
		return err
	})
	return free.ID
}

func TestOnlyTheOwnerChangesRetention(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := upgradedTeam(t, s)
		for _, role := range []workspace.Role{workspace.Administrator, workspace.Standard, workspace.ReadOnly} {
			member := "acnt_" + string(role)
			write(t, s, func(ctx context.Context, tx *store.Tx) error {
				return tx.SaveMember(ctx, workspace.Member{WorkspaceID: x.shop.ID, AccountID: member, Role: role, JoinedAt: noon})
			})
			err := s.Write(t.Context(), func(tx *store.Tx) error {
				_, err := retention.Change(t.Context(), tx, prices(t), x.shop.ID, retention.Wish{Target: logs, Class: "3d"}, workspace.Actor{AccountID: member}, noon)
				return err
			})
			if !errors.Is(err, workspace.ErrOwnerOnly) {
				t.Errorf("%s: %v", role, err)
			}
		}
	})
}

func TestConcurrentChangesGiveOneAtOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := upgradedTeam(t, s)
		var atOnce atomic.Int64
		var group sync.WaitGroup
		for _, class := range []string{"3d", "7d", "30d", "60d"} {
			group.Go(func() {
				made, err := x.wish(t, s, retention.Wish{Target: logs, Class: class}, noon.Add(time.Hour))
				if err != nil {
					t.Error(err)
				}
				if made.Outcome == retention.AtOnce {
					atOnce.Add(1)
				}
			})
		}
		group.Wait()
		if n := atOnce.Load(); n != 1 || len(x.history(t, s)) != 1 {
			t.Errorf("%d changes acted at once; history %v", n, x.history(t, s))
		}
	})
}

// TestASeriesCountsOnceADayInTheClassOfItsFirstReport is the split of the day
// at a change of class: the parts add up to the day's distinct count.
func TestASeriesCountsOnceADayInTheClassOfItsFirstReport(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		after := seriesKey
		after.Class = "30d"
		add := func(gateway string, key usage.Key, day period.Day, hours int, members ...uint64) {
			b := usage.Batch{Gateway: gateway, Epoch: 1, Seq: int64(hours), Through: noon, Distincts: []usage.Distinct{
				{Key: key, Day: day, Hour: noon.Add(time.Duration(hours) * time.Hour), Members: members},
			}}
			write(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.AddUsage(ctx, b) })
		}
		add("gate_1", seriesKey, firstDay, 1, 1, 2, 3, 4, 5)
		add("gate_2", after, firstDay, 2, 4, 5, 6, 7)
		add("gate_1", after, firstDay, 3, 1, 7, 8)
		quantities := map[string]string{}
		err := s.Read(t.Context(), func(tx *store.Tx) error {
			samples, err := tx.UsageBetween(t.Context(), "wksp_a", 2, noon, noon.Add(9*time.Hour))
			if err != nil {
				return err
			}
			list, err := usage.Quantities(prices(t), samples)
			for _, q := range list {
				quantities[q.Class] = q.Quantity.Plain()
			}
			return err
		})
		if err != nil || quantities["7d"] != "5" || quantities["30d"] != "3" {
			t.Errorf("quantities %v, %v; want 5 in 7d and 3 in 30d", quantities, err)
		}
		add("gate_1", after, firstDay.Add(1), 24, 1, 2, 4)
		if got := membersOn(t, s, firstDay.Add(1)); len(got) != 1 || got["30d"] != 3 {
			t.Errorf("the next day has %v, want 3 in 30d", got)
		}
	})
}

func membersOn(t *testing.T, s *store.Store, day period.Day) map[string]int {
	t.Helper()
	found := map[string]int{}
	err := s.Read(t.Context(), func(tx *store.Tx) error {
		sets, err := tx.MembersOf(t.Context(), "wksp_a", 2, day)
		for key, members := range sets {
			found[key.Class] = len(members)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
