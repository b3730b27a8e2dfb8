package catalog

import (
	"maps"
	"slices"
)

// sequence checks that the version follows the one before it.
func (b *builder) sequence(v, before *Version, earlier []*Version) {
	if v.ID == "" {
		b.wrong("id", "is empty")
	}
	if slices.ContainsFunc(earlier, func(o *Version) bool { return o.ID == v.ID }) {
		b.wrong("id", "is used twice")
	}
	if !v.Until.IsZero() && !v.From.IsZero() && !v.From.Before(v.Until) {
		b.wrong("until", "%s is not after from", v.Until)
	}
	if before == nil || v.From.IsZero() {
		return
	}
	switch {
	case before.Until.IsZero() && before.From.Before(v.From):
		before.Until = v.From // no end was named: it ends where the next begins
	case before.Until.IsZero() || v.From.Before(before.Until):
		b.wrong("from", "%s overlaps with version %s", v.From, before.ID)
	case before.Until.Before(v.From):
		b.wrong("from", "%s leaves a gap after version %s, which ends at %s", v.From, before.ID, before.Until)
	}
}

// check looks at what sections of a version say of each other.
func (b *builder) check(v *Version) {
	for _, item := range v.Items {
		b.within("items["+item.ID+"]", func() { b.checkItem(v, item) })
	}
	for _, id := range slices.Sorted(maps.Keys(v.Splits)) {
		b.mustSell(v, "splits["+id+"]", id)
		s := v.Splits[id]
		if s.Bytes < 0 || s.BytesSLS < 0 || s.Milliseconds < 0 || s.Bytes+s.BytesSLS+s.Milliseconds == 0 {
			b.wrong("splits["+id+"]", "needs a positive size")
		}
	}
	for _, p := range v.TrafficPackages.Packages {
		if !p.Discontinued {
			b.mustSell(v, "traffic_packages.packages["+p.Item+"]", p.Item)
		}
	}
	b.within("annual_packages", func() { b.checkAnnual(v) })
}

func (b *builder) mustSell(v *Version, path, item string) {
	if _, ok := v.index[item]; !ok {
		b.wrong(path, "%q is no billing item", item)
	}
}

func (b *builder) checkItem(v *Version, item Item) {
	if item.Replaces != "" {
		b.mustSell(v, "replaces", item.Replaces)
	}
	if item.Retention == "" {
		if !item.Flat() {
			b.wrong("retention", "is missing, and the price depends on the class")
		}
		return
	}
	t, ok := v.Retention.Type(item.Retention)
	if !ok {
		b.wrong("retention", "%q is no data type of the retention section", item.Retention)
		return
	}
	if item.Flat() {
		return
	}
	for _, class := range append(slices.Clone(t.Allowed), v.Retention.Experience) {
		if !slices.Contains(item.Classes, class) {
			b.wrong("classes", "%s is allowed for %s but has no price", class, item.Retention)
		}
	}
}

func (b *builder) checkAnnual(v *Version) {
	a := v.AnnualPackages
	ids := make([]string, len(a.Packages))
	for i, p := range a.Packages {
		ids[i] = p.ID
	}
	for _, p := range a.Packages {
		path := "packages[" + p.ID + "]"
		for _, item := range slices.Sorted(maps.Keys(p.Quotas)) {
			b.mustSell(v, path+".quotas", item)
			if p.Quotas[item] < 1 {
				b.wrong(path+".quotas["+item+"]", "%d is not positive", p.Quotas[item])
			}
			if _, ok := a.Overage[item]; !ok {
				b.wrong("overage["+item+"]", "is missing, and %s has a quota for it", p.ID)
			}
		}
		for _, id := range p.UpgradesTo {
			if !slices.Contains(ids, id) {
				b.wrong(path+".upgrades_to", "%q is no package", id)
			}
		}
	}
	for _, item := range slices.Sorted(maps.Keys(a.DefaultClasses)) {
		i, ok := v.index[item]
		if !ok || !slices.Contains(v.Items[i].Classes, a.DefaultClasses[item]) {
			b.wrong("default_classes["+item+"]", "%q is no class of this item", a.DefaultClasses[item])
		}
	}
}
