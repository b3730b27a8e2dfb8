package sim

import (
	"context"
	"time"

	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/quota"
	"tollgate.dev/internal/retention"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/usage"
	"tollgate.dev/internal/workspace"
)

// count admits usage and hands it over.
func (p *play) count(ctx context.Context, u used) error {
	var deltas []usage.Delta
	var refusal error
	shop := p.shops[u.workspace]
	err := p.store.Write(ctx, func(tx *store.Tx) error {
		w, err := tx.Workspace(ctx, shop.id)
		if err != nil {
			return err
		}
		if err := w.Accepts(); err != nil {
			return err
		}
		d := desk{play: p, tx: tx, shop: shop, workspace: w, zone: shop.site.Zone, hour: u.hour}
		deltas, err = d.admit(ctx, u.samples)
		if err != nil && isRefusal(err) { // what was noticed stays
			refusal = err
			return store.Keep(err)
		}
		return err
	})
	if err != nil || refusal != nil {
		return err
	}
	return p.handOver(ctx, deltas)
}

// desk admits usage of one workspace's hour.
type desk struct {
	*play
	tx        *store.Tx
	shop      opened
	workspace workspace.Workspace
	zone      *time.Location
	hour      time.Time
	version   *catalog.Version
	last      bill.SiteDay // the latest day of the site whose close has begun
}

// admit turns samples into what is added to the stored usage, or says why
// they are refused, all of them.
func (d *desk) admit(ctx context.Context, samples []sample) ([]usage.Delta, error) {
	var err error
	if d.version, err = d.scenario.Catalog.At(period.DayOf(d.hour, d.zone)); err != nil {
		return nil, err
	}
	if d.last, err = d.tx.LastSiteDay(ctx, d.workspace.Site); err != nil {
		return nil, err
	}
	settings, err := d.settings(ctx, d.tx, d.workspace, latest(d.hour, d.clock.Now()))
	if err != nil {
		return nil, err
	}
	way, err := d.tx.LogCount(ctx, d.workspace.ID)
	if err != nil {
		return nil, err
	}
	var deltas []usage.Delta
	for _, s := range samples {
		if !way.Counts(s.item.ID) {
			continue // as no gateway does, without the operator's switch
		}
		target := retention.IndexOf(s.index)
		class := s.class
		switch {
		case class != "":
		case target.Index != "":
			class = settings.Setting(target).Class
		default:
			class = settings.ClassFor(s.item)
		}
		key := usage.Key{WorkspaceID: d.workspace.ID, Generation: d.generation(), Item: s.item.ID, Counter: s.counter, Class: class, Index: target.Index}
		if err := d.sold(ctx, s.item, class, key.Generation); err != nil {
			return nil, err
		}
		add, err := d.adds(ctx, key, s)
		if err != nil {
			return nil, err
		}
		deltas = append(deltas, usage.Delta{Key: key, Hour: d.hour, Add: add})
	}
	if d.workspace.Plan != workspace.Experience {
		return deltas, nil
	}
	return deltas, d.quota(ctx, deltas)
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// generation is the data generation in which the usage was admitted. An hour
// before that of the upgrade belongs to the free one, however late it comes.
func (d *desk) generation() workspace.Generation {
	g := d.workspace.Generation
	if d.workspace.Plan == workspace.Commercial && d.hour.Before(period.HourOf(d.workspace.UpgradedAt)) {
		g--
	}
	return g
}

// sold says why the item cannot be used here: it has no price for the payer.
func (d *desk) sold(ctx context.Context, item catalog.Item, class string, g workspace.Generation) error {
	if d.workspace.Plan != workspace.Commercial || g != d.workspace.Generation || !item.PayAsYouGo {
		return nil
	}
	payer, err := d.tx.BillingByID(ctx, d.workspace.Payer)
	if err != nil {
		return err
	}
	_, err = item.Price(payer.Currency, d.shop.site.Group, class)
	return err
}

// adds is what the sample adds to what is stored of its hour. What is new in
// an hour is added up; of a running count or a stock, the sample says how much
// there is, and two of one hour are not added up.
func (d *desk) adds(ctx context.Context, k usage.Key, s sample) (int64, error) {
	if s.item.Sampling == catalog.NewInHour {
		return s.quantity, nil
	}
	booked := usage.BookingHour(d.hour, d.zone, d.last.Day)
	from, to := booked, booked.Add(time.Hour)
	if s.more {
		from = period.DayOf(booked, d.zone).Start(d.zone)
	}
	stored, err := d.tx.UsageBetween(ctx, k.WorkspaceID, k.Generation, from, to)
	if err != nil {
		return 0, err
	}
	var inHour, inDay int64
	for _, o := range stored {
		if o.Key != k {
			continue
		}
		if o.Hour.Equal(booked) {
			inHour = o.Quantity
		}
		inDay = max(inDay, o.Quantity)
	}
	total := s.quantity
	if s.more {
		total += inDay
	}
	return max(0, total-inHour), nil
}

// quota holds a free workspace to what its plan admits that day: the usage is
// admitted whole or refused whole (domain section 6).
func (d *desk) quota(ctx context.Context, deltas []usage.Delta) error {
	day := period.DayOf(d.hour, d.zone)
	before, err := d.tx.UsageBetween(ctx, d.workspace.ID, d.workspace.Generation, day.Start(d.zone), day.End(d.zone))
	if err != nil {
		return err
	}
	after := append([]usage.Sample(nil), before...)
	for _, delta := range deltas {
		after = add(after, delta)
	}
	limits, watch := quota.Limits(d.version.QuotaLimits()), quota.NewWatch(d.workspace.ID, day)
	for _, delta := range deltas {
		was, err := d.quantity(before, delta.Item)
		if err != nil {
			return err
		}
		is, err := d.quantity(after, delta.Item)
		if err != nil {
			return err
		}
		if err := limits.Admit(delta.Item, was, is-was); err != nil {
			if failed := d.notice(ctx, watch.Refused(limits, delta.Item, was)); failed != nil {
				return failed
			}
			return err
		}
		if err := d.notice(ctx, watch.Observe(limits, delta.Item, is)); err != nil {
			return err
		}
	}
	return nil
}

// add is what the samples of the day are once the delta is among them.
func add(samples []usage.Sample, d usage.Delta) []usage.Sample {
	for i := range samples {
		if samples[i].Key == d.Key && samples[i].Hour.Equal(d.Hour) {
			samples[i].Quantity += d.Add
			return samples
		}
	}
	return append(samples, usage.Sample{Key: d.Key, Hour: d.Hour, Quantity: d.Add})
}

// quantity is what was used of an item, over all classes, in whole numbers.
func (d *desk) quantity(samples []usage.Sample, item string) (int64, error) {
	all, err := usage.Quantities(d.version, samples)
	if err != nil {
		return 0, err
	}
	var n int64
	for _, q := range all {
		if q.Item == item {
			whole, _ := q.Quantity.Truncate(0).Int()
			n += whole
		}
	}
	return n, nil
}

// notice keeps what the members are told of quotas that run out.
func (d *desk) notice(ctx context.Context, due []quota.Notice) error {
	for _, n := range due {
		if err := d.tx.SaveNotice(ctx, n.Message(d.clock.Now())); err != nil {
			return err
		}
	}
	return nil
}
