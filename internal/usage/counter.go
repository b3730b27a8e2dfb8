package usage

import (
	"math/bits"

	"tollgate.dev/internal/catalog"
)

// Counter makes the day quantities of records, one after the other, in the same
// memory: a close has millions. It is for one goroutine.
type Counter struct {
	version *catalog.Version
	sums    tally
	made    []Quantity
	known   []known // by line of a record
}

// known is what a line of a record before was about: mostly the next record has
// the same lines.
type known struct {
	item, counter, class, index string
	position                    int
}

// NewCounter counts by the rules of a version of the catalogue.
func NewCounter(v *catalog.Version) *Counter { return &Counter{version: v} }

// Quantities is what Quantities makes of the record's samples within the
// window. It holds until the next call.
func (c *Counter) Quantities(r Record, w Window) ([]Quantity, error) {
	read, err := r.open()
	if err != nil {
		return nil, err
	}
	c.sums = c.sums[:0]
	within := read.within(w)
	for i := 0; read.next(); i++ {
		if read.hours&within == 0 { // nothing that counts, whatever it is about
			for range bits.OnesCount64(read.hours) {
				read.quantity()
			}
			continue
		}
		if err := c.line(&read, i, within); err != nil {
			return nil, err
		}
	}
	if err := read.err(); err != nil {
		return nil, err
	}
	c.made, err = c.sums.quantities(c.made[:0])
	return c.made, err
}

// line adds the line that was reached.
func (c *Counter) line(read *recordReader, i int, within uint64) error {
	about, err := c.about(read, i)
	if err != nil {
		return err
	}
	sum := c.sums.of(c.version, about.position, about.class, about.index)
	target, err := sum.target(about.counter)
	if err != nil {
		return err
	}
	var room [longestDay]int64
	return sum.take(target, read.samples(room[:0], within)...)
}

func (c *Counter) about(read *recordReader, i int) (*known, error) {
	for len(c.known) <= i {
		c.known = append(c.known, known{position: -1})
	}
	k := &c.known[i]
	if k.position >= 0 && k.item == string(read.item) && k.counter == string(read.counter) && k.class == string(read.class) && k.index == string(read.index) {
		return k, nil
	}
	item := string(read.item)
	position, ok := c.version.Position(item)
	if !ok {
		k.position = -1
		return nil, catalog.ErrItemUnknown.With("item", item)
	}
	*k = known{item, string(read.counter), string(read.class), string(read.index), position}
	return k, nil
}
