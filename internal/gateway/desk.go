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
	store  Store
	budget *meter.Budget // of what is known
	mu     sync.Mutex
	desks  map[deskKey]*desk
}

type deskKey struct {
	workspaceID string
	generation  workspace.Generation
}

// maxKnown bounds what all desks remember of the series that they know, in
// bytes: eight to sixteen a series. Whatever it does not hold is counted the
// longer way.
const maxKnown = 256 << 20

func newDesks(s Store) *desks {
	return &desks{store: s, budget: meter.NewBudget(maxKnown), desks: map[deskKey]*desk{}}
}

// desk is where the reports of one workspace's generation are admitted: what
// it has used on its service day, settled or held. Held is what reports under
// way have been promised: it counts against the quota, so that concurrent
// reports never pass it together, and becomes settled or is let go.
type desk struct {
	mu    sync.Mutex
	left  bool // swept away: look for another one
	zone  *time.Location
	day   period.Day // zero until the first report
	sums  map[counter]*sum
	sets  map[counter]*members
	hour  time.Time // of the sets that are of an hour
	watch *quota.Watch
	known *meter.Known // of the day's series that are settled
}

// counter is one count of an item: over all classes, for a quota knows none.
type counter struct{ item, name string }

// sum is how much of a counter is used: what was added, or the members.
type sum struct{ settled, held int64 }

// members is a set of the day or of the hour, whatever the class: a series that
// was counted before a change of class is not counted again after it. A member
// is held by each report under way that brought it while it was not settled.
type members struct {
	sampling meter.Sampling
	settled  meter.Set
	held     map[uint64]int
}

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

// known is what the tenant's desk knows, if it stands.
func (d *desks) known(t Tenant) *meter.Known {
	d.mu.Lock()
	k := d.desks[deskKey{t.Workspace.ID, t.Workspace.Generation}]
	d.mu.Unlock()
	if k == nil {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.known
}

// forget gives back what the desk knows.
func (k *desk) forget() {
	if k.known != nil {
		k.known.Forget()
	}
	k.known = nil
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
			k.forget()
			delete(d.desks, key)
		}
		k.mu.Unlock()
	}
}

// turn opens the desk for the service day. At its first report it learns from
// the store what was used before it stood here, in an earlier life of the
// gateway: the spool was emptied first, so the store knows all of it. A desk
// that stands over midnight begins at nothing.
func (k *desk) turn(ctx context.Context, d *desks, w workspace.Workspace, day period.Day) error {
	if k.day == day {
		return nil
	}
	first := k.day.IsZero()
	var today Today
	if first {
		var err error
		if today, err = d.store.UsageToday(ctx, w, day); err != nil {
			return errUnavailable.Because(err)
		}
	}
	k.day, k.sums, k.sets = day, map[counter]*sum{}, map[counter]*members{}
	k.watch = quota.NewWatch(w.ID, day)
	k.forget()
	k.known = meter.NewKnown(d.budget)
	for _, total := range today.Totals {
		k.sum(counter{total.Item, total.Counter}).settled += total.Quantity
	}
	for key, list := range today.Members {
		of := counter{key.Item, key.Counter}
		set := k.set(of, meter.DayToDate)
		for _, m := range list {
			if set.settled.Add(m) {
				k.sum(of).settled++
			}
		}
	}
	return nil
}

// strike drops the sets of the hour before: their members differ from those of
// any other hour.
func (k *desk) strike(hour time.Time) {
	if !k.hour.Equal(hour) {
		for of, set := range k.sets {
			if set.sampling == meter.NewOfHour {
				delete(k.sets, of)
			}
		}
		k.hour = hour
	}
}

func (k *desk) sum(of counter) *sum {
	s := k.sums[of]
	if s == nil {
		s = &sum{}
		k.sums[of] = s
	}
	return s
}

func (k *desk) set(of counter, sampling meter.Sampling) *members {
	m := k.sets[of]
	if m == nil {
		m = &members{held: map[uint64]int{}}
		k.sets[of] = m
	}
	m.sampling = sampling
	return m
}

// used is what counts against the quota of an item.
func (g *Gateway) used(k *desk, item string, of func(*sum) int64) int64 {
	first := of(k.sum(counter{item: item}))
	if second, exponent := g.alternative(item); second != "" {
		other := of(k.sum(counter{item, second}))
		for range exponent {
			other /= 10
		}
		return max(first, other)
	}
	return first
}

func (g *Gateway) alternative(item string) (string, int) {
	if g.Alternative == nil {
		return "", 0
	}
	return g.Alternative(item)
}

func (s *sum) all() int64  { return s.settled + s.held }
func (s *sum) sure() int64 { return s.settled }

// admission is a report that was admitted and is under way.
type admission struct {
	desk     *desk // nil for what counts towards no item
	day      period.Day
	received time.Time
	holdings []holding
	limits   quota.Limits
	digest   *meter.Digest // of a report that was read in place with what the desk knows
	end      func()        // leaves the clock
}

// counting is what a report counts, and how to count it without what was known
// when it was read in place.
type counting struct {
	meter.Tally
	digest *meter.Digest // nil when it was not
	anew   func() (meter.Tally, error)
}

// holding is what an admission holds of one counter.
type holding struct {
	key      usage.Key
	sampling meter.Sampling
	sum      int64
	set      *members // nil for a sum
	members  []uint64 // of the report's members those that were not settled
}

func (h holding) of() counter { return counter{h.key.Item, h.key.Counter} }

// admit stamps the report with its receipt and holds what it counts, or says
// why not. Every admission ends with settle or release.
func (g *Gateway) admit(ctx context.Context, t Tenant, c counting) (*admission, error) {
	a := &admission{}
	if len(c.Tally) == 0 {
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
	if t.Workspace.Plan == workspace.Experience {
		a.limits = g.Limits(a.received)
	}
	err = k.turn(ctx, g.desks, t.Workspace, a.day)
	if a.digest = c.digest; err == nil && c.digest != nil && !c.digest.Holds(k.known) {
		// It was read on another day, or at another desk.
		a.digest = nil
		c.Tally, err = c.anew()
	}
	if err == nil {
		err = a.hold(g, t, c.Tally)
	}
	if err != nil {
		a.end()
		return nil, err
	}
	return a, nil
}

// hold reserves what the report counts and asks the quotas: one that is full
// refuses the report whole.
func (a *admission) hold(g *Gateway, t Tenant, tally meter.Tally) error {
	k := a.desk
	k.strike(period.HourOf(a.received))
	before := map[string]int64{}
	for _, part := range tally {
		if !part.Exempt {
			before[part.Item] = g.used(k, part.Item, (*sum).all)
		}
	}
	for _, part := range tally {
		a.holdings = append(a.holdings, k.reserve(part, usage.Key{
			WorkspaceID: t.Workspace.ID, Generation: t.Workspace.Generation,
			Item: part.Item, Counter: part.Counter, Class: t.counted(part, a.received), Index: part.Index,
		}, a.received))
	}
	for item, used := range before {
		if err := a.limits.Admit(item, used, g.used(k, item, (*sum).all)-used); err != nil {
			for _, h := range a.holdings {
				k.unreserve(h)
			}
			g.notify(k.watch.Refused(a.limits, item, used))
			return resetting(err, a.day.End(k.zone))
		}
	}
	return nil
}

// reserve holds what a part of a report adds.
func (k *desk) reserve(part meter.Part, key usage.Key, at time.Time) holding {
	h := holding{key: key, sampling: part.Sampling, sum: part.Sum}
	total := k.sum(h.of())
	total.held += part.Sum
	if part.Members == nil {
		return h
	}
	h.set = k.set(h.of(), part.Sampling)
	hour := period.HourOf(at)
	of, ofDay := hour.Unix()/3600, int(hour.Sub(k.day.Start(k.zone))/time.Hour)
	for _, m := range part.Members {
		m = part.Sampling.Within(m, of, ofDay)
		if h.set.settled.Has(m) {
			continue
		}
		h.members = append(h.members, m)
		if h.set.held[m]++; h.set.held[m] == 1 {
			total.held++
		}
	}
	return h
}

// unreserve lets go what was held.
func (k *desk) unreserve(h holding) {
	total := k.sum(h.of())
	total.held -= h.sum
	for _, m := range h.members {
		switch n := h.set.held[m]; {
		case n > 1:
			h.set.held[m] = n - 1
		case n == 1:
			delete(h.set.held, m)
			total.held--
		}
	}
}

// confirm makes what was held sure.
func (k *desk) confirm(h holding) {
	total := k.sum(h.of())
	total.held -= h.sum
	total.settled += h.sum
	for _, m := range h.members {
		if h.set.held[m] > 0 { // else whoever else held it has settled it
			delete(h.set.held, m)
			total.held--
			h.set.settled.Add(m)
			total.settled++
		}
	}
}

// counted is what the report adds, for the spool.
func (a *admission) counted() *counted {
	hour := period.HourOf(a.received)
	var c counted
	for _, h := range a.holdings {
		if h.sum > 0 {
			c.Deltas = append(c.Deltas, usage.Delta{Key: h.key, Hour: hour, Add: h.sum})
		}
		if len(h.members) > 0 {
			c.Distincts = append(c.Distincts, usage.Distinct{Key: h.key, Sampling: h.sampling, Day: a.day, Hour: hour, Members: h.members})
		}
	}
	if c.Deltas == nil && c.Distincts == nil {
		return nil
	}
	return &c
}

// settle makes what was held sure: the report is in the sink and in the spool.
func (a *admission) settle(g *Gateway) {
	defer a.end()
	a.drop(func(k *desk) {
		for _, h := range a.holdings {
			k.confirm(h)
			g.notify(k.watch.Observe(a.limits, h.key.Item, g.used(k, h.key.Item, (*sum).sure)))
		}
		if a.digest != nil {
			k.known.Learn(*a.digest)
		}
	})
}

// release lets go what was held: the report is not acknowledged.
func (a *admission) release() {
	defer a.end()
	a.drop(func(k *desk) {
		for _, h := range a.holdings {
			k.unreserve(h)
		}
	})
}

// drop ends the holding, unless the day has turned meanwhile: the new day
// began without it.
func (a *admission) drop(f func(k *desk)) {
	if a.desk == nil {
		return
	}
	a.desk.mu.Lock()
	defer a.desk.mu.Unlock()
	if a.desk.day == a.day {
		f(a.desk)
	}
}
