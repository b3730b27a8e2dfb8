package usage

import (
	"cmp"
	"math"
	"slices"
	"time"

	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/quantity"
)

// Faults of day quantities. A workspace whose usage shows one is parked.
var (
	ErrNegative = fault.New(fault.Internal, "usage_negative", "The usage of this day holds a negative sample.")
	ErrTooLarge = fault.New(fault.Internal, "usage_too_large", "The usage of this day is too large to be real.")
	ErrCounter  = fault.New(fault.Internal, "usage_counter_unknown", "The usage of this day has a counter that its billing item lacks.")
)

// Quantity is what was used of one item in one class on one service day; of
// logs, in one index.
type Quantity struct {
	Item     string
	Class    string
	Index    string // empty: the default index, or no logs
	Quantity quantity.Decimal
}

// Window is a span of hours: From is the first, To the first behind it.
type Window struct{ From, To time.Time }

// Of is the whole service day of a zone: 23, 24 or 25 hours.
func Of(day period.Day, zone *time.Location) Window {
	return Window{day.Start(zone), day.End(zone)}
}

// Since cuts off the hours before the one of the instant: the hour of an
// upgrade is the first that is billed (domain section 5).
func (w Window) Since(at time.Time) Window {
	if h := period.HourOf(at); h.After(w.From) {
		w.From = h
	}
	return w
}

// Empty reports whether no hour is left.
func (w Window) Empty() bool { return !w.From.Before(w.To) }

// BookingHour is the hour into which usage of the given hour is booked. Usage
// whose day is closed goes to the first hour of the first open day, since a
// closed bill never changes (domain section 9). closed is the last closed day
// of the site; the zero day when none is.
func BookingHour(hour time.Time, zone *time.Location, closed period.Day) time.Time {
	if closed.IsZero() {
		return hour
	}
	if open := closed.End(zone); hour.Before(open) {
		return open.UTC()
	}
	return hour
}

// Quantities makes the day quantities of the samples of one workspace and
// generation, in catalogue order and, within an item, from the shortest class
// to the longest, and of logs by index. What was not used is left out. The samples may come in any
// order and from a day of any length.
func Quantities(v *catalog.Version, samples []Sample) ([]Quantity, error) {
	sums := make(tally, 0, len(v.Items))
	for i := range samples {
		s := &samples[i]
		position, ok := v.Position(s.Item)
		if !ok {
			return nil, catalog.ErrItemUnknown.With("item", s.Item)
		}
		c := sums.of(v, position, s.Class, s.Index)
		target, err := c.target(s.Counter)
		if err != nil {
			return nil, err
		}
		if err := c.take(target, s.Quantity); err != nil {
			return nil, err
		}
	}
	return sums.quantities(make([]Quantity, 0, len(sums)))
}

// tally gathers the samples of a day by item, class and index.
type tally []counts

// of gives what samples of the item, class and index add to. A workspace's day
// has few items, so that looking at them one after the other is the fastest.
func (t *tally) of(v *catalog.Version, position int, class, index string) *counts {
	for i := range *t {
		if c := &(*t)[i]; c.position == position && c.class == class && c.index == index {
			return c
		}
	}
	*t = append(*t, counts{position: position, item: &v.Items[position], class: class, index: index})
	return &(*t)[len(*t)-1]
}

// quantities appends those of the day, in order.
func (t tally) quantities(to []Quantity) ([]Quantity, error) {
	slices.SortFunc(t, func(a, b counts) int {
		if a.position != b.position {
			return cmp.Compare(a.position, b.position)
		}
		return cmp.Or(compareClasses(a.class, b.class), cmp.Compare(a.index, b.index))
	})
	for i := range t {
		q, err := t[i].day()
		if err != nil {
			return nil, err
		}
		if !q.IsZero() {
			to = append(to, Quantity{t[i].item.ID, t[i].class, t[i].index, q})
		}
	}
	return to, nil
}

// counts gathers the samples of one item, class and index.
type counts struct {
	position      int // of the item, in the catalogue
	item          *catalog.Item
	class, index  string
	first, second int64
}

// target is what samples of a counter add to.
func (c *counts) target(counter string) (*int64, error) {
	switch counter {
	case "":
		return &c.first, nil
	case c.item.Alternative.Counter:
		return &c.second, nil
	default:
		return nil, ErrCounter.With("item", c.item.ID).With("counter", counter)
	}
}

// take adds samples, or raises the target to the largest of them.
func (c *counts) take(target *int64, samples ...int64) error {
	sum, largest := *target, c.item.Rule == catalog.Max24
	for _, q := range samples {
		switch {
		case q < 0:
			return ErrNegative.With("item", c.item.ID)
		case largest:
			sum = max(sum, q)
		case sum > math.MaxInt64-q:
			return ErrTooLarge.With("item", c.item.ID)
		default:
			sum += q
		}
	}
	*target = sum
	return nil
}

// day is the quantity by the item's rule (domain section 7.1).
func (c *counts) day() (quantity.Decimal, error) {
	first := quantity.Of(c.first)
	if c.item.Rule != catalog.MaxOfTwo {
		return first, nil
	}
	second, err := quantity.Of(c.second).DivPowerOfTen(c.item.Alternative.Exponent)
	if err != nil {
		return quantity.Zero, err
	}
	return first.Max(second).Trimmed(), nil
}

func compareClasses(a, b string) int {
	if a == b {
		return 0
	}
	m, _ := catalog.Days(a)
	n, _ := catalog.Days(b)
	return cmp.Or(cmp.Compare(m, n), cmp.Compare(a, b))
}
