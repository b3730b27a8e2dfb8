package gateway

import (
	"context"
	"sync"
	"time"

	"tollgate.dev/internal/meter"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/quota"
	"tollgate.dev/internal/usage"
	"tollgate.dev/internal/workspace"
)

// desks are the counts of the workspaces that report today.
type desks struct {
	store Store
	mu    sync.Mutex
	desks map[deskKey]*desk
}

type deskKey struct {
	workspaceID string
	generation  workspace.Generation
}

func newDesks(s Store) *desks { return &desks{store: s, desks: map[deskKey]*desk{}} }

// desk is where the reports of one workspace's generation are admitted: what
// it has used on its service day, settled or held. Held is what reports under
// way have been promised: it counts against the quota, so that concurrent
// reports never pass it together, and becomes settled or is let go.
type desk struct {
	mu    sync.Mutex
	left  bool // swept away: look for another one
	zone  *time.Location
	day   period.Day // zero until the first report
	sums  map[usage.Key]*sum
	sets  map[usage.Key]*members
	watch *quota.Watch
}

type sum struct{ settled, held int64 }

// members is a set of the day. A member is held by each report under way that
// brought it while it was not settled.
type members struct {
	settled meter.Set
	held    map[uint64]int
}

func (m *members) used() int64 { return int64(m.settled.Len() + len(m.held)) }

// at finds the desk of a tenant and locks it.
func (d *desks) at(t Tenant) (*desk, error) {
	zone, err := t.zone()
	if err != nil {
		return nil, err
	}
	key := deskKey{t.Workspace.ID, t.Workspace.Generation}
	for {
		d.mu.Lock()
		k := d.desks[key]
		if k == nil {
			k = &desk{zone: zone}
			d.desks[key] = k
		}
		d.mu.Unlock()
		k.mu.Lock()
		if !k.left {
			return k, nil
		}
		k.mu.Unlock()
	}
}

// sweep drops the desks whose day is over: a workspace that no longer reports
// takes no memory.
func (d *desks) sweep(now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for key, k := range d.desks {
		if !k.mu.TryLock() {
			continue
		}
		if period.DayOf(now, k.zone).After(k.day) {
			k.left = true
			delete(d.desks, key)
		}
		k.mu.Unlock()
	}
}

// turn opens the desk for the service day. At its first report it learns from
// the store what was used before it stood here, in an earlier life of the
// gateway: the spool was emptied first, so the store knows all of it. A desk
// that stands over midnight begins at nothing.
func (k *desk) turn(ctx context.Context, s Store, w workspace.Workspace, day period.Day) error {
	if k.day == day {
		return nil
	}
	first := k.day.IsZero()
	var today Today
	if first {
		var err error
		if today, err = s.UsageToday(ctx, w, day); err != nil {
			return errUnavailable.Because(err)
		}
	}
	k.day, k.sums, k.sets = day, map[usage.Key]*sum{}, map[usage.Key]*members{}
	k.watch = quota.NewWatch(w.ID, day)
	for _, total := range today.Totals {
		if total.Item != meter.Series {
			k.sum(total.Key).settled += total.Quantity
		}
	}
	for key, list := range today.Members {
		set := k.set(key)
		for _, m := range list {
			set.settled.Add(m)
		}
	}
	return nil
}

func (k *desk) sum(key usage.Key) *sum {
	s := k.sums[key]
	if s == nil {
		s = &sum{}
		k.sums[key] = s
	}
	return s
}

// set is the one set of a day, whatever the class: a series that was counted
// before a change of class is not counted again after it.
func (k *desk) set(key usage.Key) *members {
	key.Class = ""
	m := k.sets[key]
	if m == nil {
		m = &members{held: map[uint64]int{}}
		k.sets[key] = m
	}
	return m
}

// used is what counts against the quota of an item, over all classes.
func (k *desk) used(item string) int64 {
	var n int64
	for key, s := range k.sums {
		if key.Item == item {
			n += s.settled + s.held
		}
	}
	for key, m := range k.sets {
		if key.Item == item {
			n += m.used()
		}
	}
	return n
}

// settledOf is what of it is sure.
func (k *desk) settledOf(item string) int64 {
	var n int64
	for key, s := range k.sums {
		if key.Item == item {
			n += s.settled
		}
	}
	for key, m := range k.sets {
		if key.Item == item {
			n += int64(m.settled.Len())
		}
	}
	return n
}

// admission is a report that was admitted and is under way.
type admission struct {
	desk     *desk // nil for what counts towards no item
	key      usage.Key
	day      period.Day
	received time.Time
	records  int64
	series   []uint64 // of the report's series those that were not settled
	limits   quota.Limits
	end      func() // leaves the clock
}

// admit stamps the report with its receipt and holds what it counts, or says
// why not. Every admission ends with settle or release.
func (g *Gateway) admit(ctx context.Context, t Tenant, m meter.Type, tally meter.Tally) (*admission, error) {
	a := &admission{records: tally.Records}
	item := m.Item()
	if item == "" {
		a.received, a.end = g.clock.begin()
		return a, nil
	}
	k, err := g.desks.at(t)
	if err != nil {
		return nil, err
	}
	defer k.mu.Unlock()
	a.desk = k
	a.received, a.end = g.clock.begin()
	a.day = period.DayOf(a.received, k.zone)
	a.key = usage.Key{WorkspaceID: t.Workspace.ID, Generation: t.Workspace.Generation, Item: item, Class: t.counted(m, a.received)}
	if t.Workspace.Plan == workspace.Experience {
		a.limits = g.Limits(a.received)
	}
	err = k.turn(ctx, g.Store, t.Workspace, a.day)
	if err == nil {
		err = a.hold(g, tally, m.Exempt())
	}
	if err != nil {
		a.end()
		return nil, err
	}
	return a, nil
}

// hold asks the quota and reserves.
func (a *admission) hold(g *Gateway, tally meter.Tally, exempt bool) error {
	k, add := a.desk, tally.Records
	set := k.set(a.key)
	for _, h := range tally.Series {
		if !set.settled.Has(h) {
			a.series = append(a.series, h)
			if set.held[h] == 0 {
				add++
			}
		}
	}
	used := k.used(a.key.Item)
	if err := a.limits.Admit(a.key.Item, used, add); err != nil && !exempt {
		g.notify(k.watch.Refused(a.limits, a.key.Item, used))
		return resetting(err, a.day.End(k.zone))
	}
	for _, h := range a.series {
		set.held[h]++
	}
	k.sum(a.key).held += a.records
	return nil
}

// counted is what the report adds, for the spool.
func (a *admission) counted() *counted {
	hour := period.HourOf(a.received)
	switch {
	case a.desk == nil:
		return nil
	case len(a.series) > 0:
		return &counted{Distinct: &usage.Distinct{Key: a.key, Day: a.day, Hour: hour, Members: a.series}}
	case a.records > 0:
		return &counted{Delta: &usage.Delta{Key: a.key, Hour: hour, Add: a.records}}
	}
	return nil
}

// settle makes what was held sure: the report is in the sink and in the spool.
func (a *admission) settle(g *Gateway) {
	defer a.end()
	a.drop(func(k *desk, set *members) {
		for _, h := range a.series {
			delete(set.held, h) // whoever else holds it: it is settled now
			set.settled.Add(h)
		}
		s := k.sum(a.key)
		s.held -= a.records
		s.settled += a.records
		g.notify(k.watch.Observe(a.limits, a.key.Item, k.settledOf(a.key.Item)))
	})
}

// release lets go what was held: the report is not acknowledged.
func (a *admission) release() {
	defer a.end()
	a.drop(func(k *desk, set *members) {
		for _, h := range a.series {
			switch n := set.held[h]; {
			case n > 1:
				set.held[h] = n - 1
			case n == 1:
				delete(set.held, h)
			}
		}
		k.sum(a.key).held -= a.records
	})
}

// drop ends the holding, unless the day has turned meanwhile: the new day
// began without it.
func (a *admission) drop(f func(k *desk, set *members)) {
	if a.desk == nil {
		return
	}
	a.desk.mu.Lock()
	defer a.desk.mu.Unlock()
	if a.desk.day == a.day {
		f(a.desk, a.desk.set(a.key))
	}
}
