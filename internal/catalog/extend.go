package catalog

import (
	"maps"
	"slices"
	"strings"
	"time"

	"tollgate.dev/internal/period"
	"tollgate.dev/internal/site"
)

// maxVersionID bounds the name of a version, which stands on every bill.
const maxVersionID = 64

// Shipped is the catalogue as it came, without what was added since.
func (c *Catalog) Shipped() *Catalog { return of(c.shipped, c.shipped) }

// Adopt takes over the versions of another catalogue: whoever holds this one
// sees them from now on.
func (c *Catalog) Adopt(whole *Catalog) {
	versions := whole.all()
	c.versions.Store(&versions)
}

// With is the catalogue with the one version of a file behind its last one. It
// changes neither. The error is ErrInvalid because of Problems, which name
// everything that is wrong at once.
func (c *Catalog) With(text []byte) (*Catalog, error) { return c.with(text, period.Day{}) }

// Check is With for a version that is about to be added: it must begin after
// the day that it is at the instant, at every site, since a day that has begun
// keeps its prices.
func (c *Catalog) Check(text []byte, at time.Time) (*Catalog, error) {
	return c.with(text, Today(at, site.All()))
}

// Today is the latest service day that has begun at any of the sites.
func Today(at time.Time, sites []site.Site) period.Day {
	var latest period.Day
	for _, s := range sites {
		if day := period.DayOf(at, s.Zone); latest.IsZero() || day.After(latest) {
			latest = day
		}
	}
	return latest
}

func (c *Catalog) with(text []byte, today period.Day) (*Catalog, error) {
	var b builder
	versions := c.Versions()
	file := b.file(text)
	if len(file.Versions) > 1 {
		b.wrong("versions", "names %d versions; one is added at a time", len(file.Versions))
	}
	if len(file.Versions) == 1 {
		f := &file.Versions[0]
		last := len(versions) - 1
		before := *versions[last] // its end is set below, and versions never change
		b.within("versions["+name(f.ID, 0)+"]", func() {
			v := b.version(f, &before)
			b.sequence(v, &before, versions)
			b.added(v, f, today)
			b.compatible(v, &before)
			b.check(v)
			versions[last] = &before
			versions = append(versions, v)
		})
	}
	if len(b.problems) > 0 {
		return nil, ErrInvalid.With("problems", len(b.problems)).Because(b.problems)
	}
	return of(c.shipped, versions), nil
}

// added checks what a version must keep to that comes while bills are made.
func (b *builder) added(v *Version, f *fileVersion, today period.Day) {
	if strings.Trim(v.ID, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") != "" || len(v.ID) > maxVersionID {
		b.wrong("id", "%q must be at most %d letters, digits, dots, hyphens and underscores", v.ID, maxVersionID)
	}
	if f.Until != "" {
		b.wrong("until", "must be left out: the version holds until the next one begins")
	}
	if !today.IsZero() && !v.From.IsZero() && !v.From.After(today) {
		b.wrong("from", "%s is not after %s, a day that has begun: its prices cannot change any more", v.From, today)
	}
}

// compatible checks that what is counted, kept and sold today can still be
// rated: usage without a price would park every workspace that has some.
func (b *builder) compatible(v, before *Version) {
	for _, id := range slices.Sorted(maps.Keys(before.AnnualPackages.Overage)) {
		if _, ok := v.AnnualPackages.Overage[id]; !ok {
			b.wrong("annual_packages.overage["+id+"]", "is missing, and packages were sold that need it")
		}
	}
	for _, old := range before.Items {
		b.within("items["+old.ID+"]", func() {
			item, err := v.Item(old.ID)
			if err != nil {
				b.wrong("", "is missing; an item that is no longer sold stays, with pay_as_you_go: false")
				return
			}
			if item.Sampling != old.Sampling && old.Sampling != "" {
				b.wrong("sampling", "cannot change from %s to %s: what was counted was counted so", old.Sampling, item.Sampling)
			}
			for _, class := range old.Classes {
				if !slices.Contains(item.Classes, class) {
					b.wrong("classes", "%s is missing, and data is kept in it", class)
				}
			}
			for _, m := range Markets() {
				if old.SoldIn(m) && !item.SoldIn(m) {
					b.wrong("prices["+m.String()+"]", "is missing, and the item is sold there")
				}
			}
		})
	}
}
