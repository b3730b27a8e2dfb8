package sim

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/meter"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/retention"
)

// mostQuantity bounds one sample: more than any real hour, far less than what
// could overflow a day.
const mostQuantity = 1_000_000_000_000_000

// used is usage of one hour.
type used struct {
	workspace string
	hour      time.Time // its start
	samples   []sample
}

// sample is what one counter of an item says for the hour.
type sample struct {
	item     catalog.Item
	class    string // empty: the class that the workspace has then
	index    string // of logs; empty is the default one
	counter  string
	quantity int64
	more     bool // of a running count: so many more, not so many in all
}

// hourly reads what usage and reports share: the workspace, the hour, and the
// catalogue of its day.
func (r *reader) hourly(s *Scenario, f *fields) (u used, v *catalog.Version) {
	w := r.workspaceOf(s, f)
	text, line, ok := f.required("hour")
	if !ok {
		return u, nil
	}
	u.hour = period.HourOf(r.instant(text, line, f.what+".hour"))
	if w == nil || w.site.Zone == nil {
		return u, nil // said elsewhere
	}
	u.workspace = w.name
	day := period.DayOf(u.hour, w.site.Zone)
	v, err := s.Catalog.At(day)
	if err != nil {
		r.wrong(line, "%s.hour: the catalogue has no prices for %s", f.what, day)
		return u, nil
	}
	return u, v
}

func (r *reader) usage(s *Scenario, n ast.Node, what string) action {
	f := r.mapping(n, what)
	u, v := r.hourly(s, f)
	id, line, ok := f.required("item")
	class, classLine, _ := f.optional("class")
	index, indexLine, _ := f.optional("index")
	if v == nil || !ok {
		f.read["quantity"] = true
		return u
	}
	item, err := v.Item(id)
	if err != nil {
		r.wrong(line, "%s.item: there is no billing item %q; there are %s", what, id, itemNames(v))
		return u
	}
	r.classOf(item, class, classLine, what)
	r.indexOf(item, index, indexLine, what)
	names := item.CounterNames()
	if item.Alternative.Counter != "" {
		names = append(names, item.Alternative.Counter, "quantity")
	}
	for _, name := range slices.Compact(names) {
		counter, known := item.Counter(name)
		text, line, given := f.optional(name)
		if !known || !given {
			continue
		}
		if slices.ContainsFunc(u.samples, func(o sample) bool { return o.counter == counter }) {
			r.wrong(line, "%s.%s: this counter is given twice", what, name)
		}
		u.samples = append(u.samples, sample{item: item, class: class, index: index, counter: counter, quantity: r.quantity(text, line, what+"."+name)})
	}
	if len(u.samples) == 0 {
		r.wrong(f.line, "%s lacks %s", what, strings.Join(item.CounterNames(), " or "))
	}
	f.rest()
	return u
}

func itemNames(v *catalog.Version) string {
	ids := make([]string, len(v.Items))
	for i, item := range v.Items {
		ids[i] = item.ID
	}
	return strings.Join(ids, ", ")
}

// classOf checks the class of an item; it may be left out.
func (r *reader) classOf(item catalog.Item, class string, line int, what string) {
	switch {
	case class == "" || slices.Contains(item.Classes, class):
	case item.Flat():
		r.wrong(line, "%s.class: %s has one price whatever the class; leave it out", what, item.ID)
	default:
		r.wrong(line, "%s.class: %s has no class %q; it has %s", what, item.ID, class, strings.Join(item.Classes, ", "))
	}
}

// indexOf checks the log index of an item; it may be left out.
func (r *reader) indexOf(item catalog.Item, index string, line int, what string) {
	switch {
	case index == "":
	case item.Retention != retention.Logs:
		r.wrong(line, "%s.index: %s has no indexes; leave it out", what, item.ID)
	case !retention.ValidIndex(index):
		r.wrong(line, "%s.index: %q is no name of an index", what, index)
	}
}

func (r *reader) quantity(text string, line int, what string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n > mostQuantity {
		r.wrong(line, "%s: %q is no whole number from 0 to %d", what, text, int64(mostQuantity))
	}
	return n
}

// report reads single records, which count as several when they are large
// (domain section 7.3).
func (r *reader) report(s *Scenario, n ast.Node, what string) action {
	f := r.mapping(n, what)
	u, v := r.hourly(s, f)
	class, classLine, _ := f.optional("class")
	index, indexLine, _ := f.optional("index")
	sls := f.truth("sls", false)
	for _, kind := range []struct {
		key, item string
		limit     func(catalog.Split) int64
		more      bool
	}{
		{"log_bytes", "logs", func(s catalog.Split) int64 {
			if sls {
				return s.BytesSLS
			}
			return s.Bytes
		}, false},
		{"profile_bytes", "apm_profile", func(s catalog.Split) int64 { return s.Bytes }, false},
		{"session_ms", "session_replay", func(s catalog.Split) int64 { return s.Milliseconds }, true},
	} {
		if !f.has(kind.key) {
			f.read[kind.key] = true
			continue
		}
		sizes := r.sizes(f, kind.key)
		if v == nil {
			continue
		}
		item, err := v.Item(kind.item)
		limit := kind.limit(v.Splits[kind.item])
		if err != nil || limit <= 0 {
			r.wrong(f.line, "%s.%s: the catalogue does not say how %s are split", what, kind.key, kind.item)
			continue
		}
		count := sample{item: item, more: kind.more}
		if !item.Flat() {
			r.classOf(item, class, classLine, what)
			count.class = class
		}
		if index != "" {
			r.indexOf(item, index, indexLine, what)
			count.index = index
		}
		for _, size := range sizes {
			count.quantity += meter.Split(size, limit)
		}
		u.samples = append(u.samples, count)
	}
	if v != nil && len(u.samples) == 0 {
		r.wrong(f.line, "%s lacks log_bytes, profile_bytes or session_ms", what)
	}
	f.rest()
	return u
}

func (r *reader) sizes(f *fields, key string) []int64 {
	list := f.list(key)
	if len(list) > longestListed {
		r.wrong(lineOf(list[longestListed]), "%s.%s has more than %d entries", f.what, key, longestListed)
		return nil
	}
	sizes := make([]int64, len(list))
	for i, n := range list {
		text, _ := plain(n)
		sizes[i] = r.quantity(text, lineOf(n), fmt.Sprintf("%s.%s[%d]", f.what, key, i))
	}
	return sizes
}

// play counts the usage as the gateway would: in the generation and class of
// its admission, within the quota of a free workspace.
func (u used) play(ctx context.Context, p *play) error {
	if err := p.count(ctx, u); err != nil {
		return err
	}
	return p.engine.Work(ctx)
}
