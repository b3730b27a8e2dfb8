package e2e_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"testing"
	"time"

	"tollgate.dev/client"
	"tollgate.dev/internal/meter"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/testkit"
	"tollgate.dev/internal/workspace"
)

// The whole of the promise "keeps reporting, no longer viewable, not charged",
// while data flows in every wire; by the Owner's entry and by the payer's.
func TestAnUpgradeNeitherRefusesNorLosesAWriteAndPartsFreeFromPaid(t *testing.T) {
	t.Parallel()
	for _, way := range []struct {
		name             string
		engine           func(testing.TB) string
		prepare, confirm func(*team)
	}{
		{"in Studio on SQLite", embedded, (*team).prepare, (*team).confirm},
		{"in the Billing Center on PostgreSQL", testkit.Postgres, (*team).prepareBinding, (*team).confirmBinding},
	} {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			x := demo(t, way.engine(t)).newcomer("flow")
			writers := newWriters(logsAsProtobuf, metricsAsLines, influx, prometheus, logsAsLines)
			f := x.write(writers...)
			flowing(t, writers)
			way.prepare(x)
			flowing(t, writers)
			asked := time.Now()
			way.confirm(x)
			answered := time.Now()
			flowing(t, writers)
			f.halt()

			paid := x.parted(sentBy(writers), asked, answered)
			x.viewable(paid)
			x.billedExactly(paid)
			x.verified()
		})
	}
}

// embedded is the URL of the store in the installation's own folder.
func embedded(testing.TB) string { return "" }

// flowing waits until each writer has been acknowledged some times more.
func flowing(t *testing.T, writers []*writer) {
	t.Helper()
	const more = 15
	var before []int64
	for _, w := range writers {
		before = append(before, w.acked.Load())
	}
	testkit.Eventually(t, time.Minute, func() error {
		for n, w := range writers {
			if got := w.acked.Load() - before[n]; got < more {
				return fmt.Errorf("%s has had %d acknowledgements", w.wire.name, got)
			}
		}
		return nil
	})
}

// parted holds each record against its generation, and gives those that are
// of the paid one.
func (x *team) parted(reports []report, asked, answered time.Time) map[int64]kept {
	x.t.Helper()
	found, paid := x.inSink(), map[int64]kept{}
	var before, between, after int
	for _, r := range reports {
		if !r.acknowledged() {
			x.t.Errorf("%s was answered %d %s while the workspace was upgraded", r.wire.name, r.status, r.answer)
			continue
		}
		for _, id := range r.ids {
			list := found[id]
			if len(list) != 1 {
				x.t.Errorf("record %d of %s is in the sink %d times", id, r.wire.name, len(list))
				continue
			}
			k := list[0]
			switch {
			case r.ended.Before(asked):
				before++
				if k.generation != 1 {
					x.t.Errorf("record %d was acknowledged before the upgrade and is of generation %d", id, k.generation)
				}
			case r.began.After(answered):
				after++
				if k.generation != 2 {
					x.t.Errorf("record %d began after the upgrade's answer and is of generation %d", id, k.generation)
				}
			default:
				between++
				if k.generation != 1 && k.generation != 2 {
					x.t.Errorf("record %d is of generation %d", id, k.generation)
				}
			}
			if k.generation == 2 {
				paid[id] = k
			}
			delete(found, id)
		}
	}
	if len(found) > 0 {
		x.t.Errorf("the sink has %d records that nobody sent", len(found))
	}
	if before == 0 || after == 0 {
		x.t.Errorf("%d records before, %d between, %d after the upgrade: this shows nothing", before, between, after)
	}
	x.t.Logf("%d records before, %d between, %d after the upgrade", before, between, after)
	return paid
}

// viewable holds that exactly the paid records are shown, however one asks.
func (x *team) viewable(paid map[int64]kept) {
	x.t.Helper()
	shown := x.shown(client.Search{})
	if missing := difference(paid, shown); len(missing) > 0 {
		x.t.Errorf("%d records of the paid generation are not viewable, such as %d", len(missing), missing[0])
	}
	if extra := difference(shown, paid); len(extra) > 0 {
		x.t.Errorf("%d records of the free generation are viewable, such as %d", len(extra), extra[0])
	}
	for id, list := range x.inSink() {
		if list[0].generation == 1 && list[0].kind == "logging" {
			if got := x.shown(client.Search{Text: strconv.FormatInt(id, 10)}); len(got) > 0 {
				x.t.Errorf("a search for record %d of the free generation finds %v", id, slices.Collect(maps.Keys(got)))
			}
			break
		}
	}
}

// shown walks over all pages of the records that the API shows.
func (x *team) shown(q client.Search) map[int64]kept {
	x.t.Helper()
	list := map[int64]kept{}
	for r, err := range client.All(func(p client.Page) (client.List[client.Record], error) {
		p.Limit = 100
		return x.studio().Records(x.t.Context(), x.id, q, p)
	}) {
		if err != nil {
			x.t.Fatal(err)
		}
		id, err := idOf(r.Fields["value"])
		if err != nil {
			x.t.Fatalf("record %v: %v", r, err)
		}
		list[id] = kept{kind: r.Type}
	}
	return list
}

func difference(a, b map[int64]kept) (list []int64) {
	for id := range a {
		if _, ok := b[id]; !ok {
			list = append(list, id)
		}
	}
	return list
}

// billedExactly holds usage and, after the day, the bill against the records.
func (x *team) billedExactly(paid map[int64]kept) {
	x.t.Helper()
	logs, series := counted(paid)
	x.uses(map[string]int64{meter.Logs: logs, meter.Series: series})
	day := x.today()
	x.advance("1d")
	list := x.bills()
	if len(list) != 1 || list[0].Day != day {
		x.t.Fatalf("bills after the day %s: %+v", day, list)
	}
	want := map[string]string{meter.Logs: strconv.FormatInt(logs, 10), meter.Series: strconv.FormatInt(series, 10)}
	for item, quantity := range want {
		if got := billed(list[0], item); got != quantity {
			x.t.Errorf("the bill charges %q of %s, and %s were reported after the upgrade", got, item, quantity)
		}
	}
	if len(list[0].Lines) != len(want) {
		x.t.Errorf("the bill has lines %+v", list[0].Lines)
	}
}

// counted is what records count as: the logs, and the distinct series.
func counted(records map[int64]kept) (logs, series int64) {
	distinct := map[string]bool{}
	for _, k := range records {
		switch k.kind {
		case "logging":
			logs++
		case "metric":
			distinct[k.series] = true
		}
	}
	return logs, int64(len(distinct))
}

// used is what the API shows of an item today.
func (x *team) used() (map[string]int64, error) {
	u, err := x.studio().Usage(x.t.Context(), x.id)
	if err != nil {
		return nil, err
	}
	all := map[string]int64{}
	for _, item := range u.Items {
		if all[item.Item], err = strconv.ParseInt(item.Used, 10, 64); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// uses waits for the usage: it goes from the spool to the store by the second.
func (x *team) uses(want map[string]int64) {
	x.t.Helper()
	testkit.Eventually(x.t, 15*time.Second, func() error {
		got, err := x.used()
		if err != nil {
			return err
		}
		for item, n := range want {
			if got[item] != n {
				return fmt.Errorf("used of %s: %d, want %d", item, got[item], n)
			}
		}
		return nil
	})
}

// Usage that waits in the spool while the workspace is upgraded, and comes to
// the store only after a crash and a restart, is of the free generation still.
func TestUsageOfTheFreePeriodThatArrivesLateIsNeverBilled(t *testing.T) {
	t.Parallel()
	x := serve(t, "--flush-every", "1h").newcomer("late")
	writers := newWriters(logsAsProtobuf, influx)
	free := x.write(writers...)
	flowing(t, writers)
	free.halt()
	if logs, series := x.stored(1); logs != 0 || series != 0 {
		t.Fatalf("the store has %d logs and %d series already: the spool was flushed too early for this test", logs, series)
	}
	x.upgrade()
	asked := time.Now()
	x.daemon.Kill()
	x.start()
	freeLogs, freeSeries := counted(generation(x.inSink(), 1))
	if logs, series := x.stored(1); logs != freeLogs || series != freeSeries {
		t.Errorf("the late flush brought %d logs and %d series of generation 1, want %d and %d", logs, series, freeLogs, freeSeries)
	}
	c := sending()
	defer c.CloseIdleConnections()
	for _, r := range sentBy(writers) { // as after a lost answer: it is the free report still
		if r.deliver(t, c, x.gateway, x.token); !r.acknowledged() {
			t.Errorf("%s was sent again after the upgrade and answered %d %s", r.wire.name, r.status, r.answer)
		}
	}
	x.uses(map[string]int64{meter.Logs: 0, meter.Series: 0})

	charged := x.write(writers...)
	flowing(t, writers)
	charged.halt()
	paid := x.parted(sentBy(writers), asked, asked)
	x.viewable(paid)
	logs, series := counted(paid)
	day := x.today()
	x.advance("1d")
	list := x.bills()
	if len(list) != 1 || list[0].Day != day {
		t.Fatalf("bills: %+v", list)
	}
	if got, want := billed(list[0], meter.Logs), strconv.FormatInt(logs, 10); got != want {
		t.Errorf("the bill charges %s logs, want %s", got, want)
	}
	if got, want := billed(list[0], meter.Series), strconv.FormatInt(series, 10); got != want {
		t.Errorf("the bill charges %s series, want %s", got, want)
	}
	x.verified()
}

// generation picks the records of one.
func generation(found map[int64][]kept, g int64) map[int64]kept {
	picked := map[int64]kept{}
	for id, list := range found {
		if list[0].generation == g {
			picked[id] = list[0]
		}
	}
	return picked
}

// stored is what the store itself has counted of a generation.
func (x *team) stored(g int64) (logs, series int64) {
	x.t.Helper()
	x.behind(func(ctx context.Context, s *store.Store) error {
		return s.Read(ctx, func(tx *store.Tx) error {
			logs, series = 0, 0
			now := time.Now()
			samples, err := tx.UsageBetween(ctx, x.id, workspace.Generation(g), now.AddDate(0, 0, -7), now.AddDate(0, 0, 7))
			for _, sample := range samples {
				if sample.Item == meter.Logs {
					logs += sample.Quantity
				} else {
					series = max(series, sample.Quantity)
				}
			}
			return err
		})
	})
	return logs, series
}
