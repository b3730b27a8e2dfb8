package usage

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"time"

	"tollgate.dev/internal/period"
)

// Record is what a workspace's generation used on one service day, hour by
// hour, as it is stored: one small document, because a day is read as a whole
// by its bill. After a byte for its version and the first hour of the day come
// its lines in the order of their items, counters, classes and log indexes: the
// words, a bit for each hour that has a sample, and the samples' quantities. A
// record of every item in every hour takes little more than a kilobyte. One
// without log indexes, as nearly all are, is of the first version and has no
// word for them.
//
// It is read in place. The zero value holds nothing.
type Record []byte

const (
	recordVersion = 1
	recordIndexed = 2  // each line has a fourth word, its log index
	longestDay    = 32 // hours that have a bit; a day has 25 at most
	longestWord   = math.MaxInt8
	longestIndex  = math.MaxUint8 // bytes: an index has up to 64 letters of any script
	leastRoom     = 1 << 18
)

// Room is memory for the records of many workspaces. What was kept in it holds
// until it is emptied.
type Room struct{ memory []byte }

// Empty makes room again.
func (r *Room) Empty() { r.memory = r.memory[:0] }

// Keep copies a record into the room. When it is full a larger one begins: the
// records in the one before stay where they are.
func (r *Room) Keep(record []byte) Record {
	start := len(r.memory)
	if start+len(record) > cap(r.memory) {
		start, r.memory = 0, make([]byte, 0, max(2*cap(r.memory), len(record), leastRoom))
	}
	r.memory = append(r.memory, record...)
	return r.memory[start:len(r.memory):len(r.memory)]
}

// Faults of records.
var (
	errRecord    = errors.New("a record of usage cannot be read")
	errWrongHour = errors.New("the hour does not begin with an hour of the day")
)

// NewRecord is the empty record of a service day of a zone.
func NewRecord(day period.Day, zone *time.Location) Record {
	first := day.Start(zone).Unix() / int64(time.Hour/time.Second)
	return binary.AppendUvarint([]byte{recordVersion}, uint64(max(first, 0)))
}

// Change adds to the sample of a key and hour or, where Raise is set, makes it
// at least so large.
type Change struct {
	Item, Counter, Class, Index string
	Hour                        time.Time
	Quantity                    int64
	Raise                       bool
}

// recordReader walks over the lines of a record. The words are parts of it.
type recordReader struct {
	rest                        []byte
	first                       int64 // hours since 1970
	indexed                     bool  // its lines have an index
	item, counter, class, index []byte
	hours                       uint64
	wrong                       bool
}

// open begins with the first line.
func (r Record) open() (recordReader, error) {
	if len(r) == 0 {
		return recordReader{}, nil
	}
	first, n := binary.Uvarint(r[1:])
	if r[0] != recordVersion && r[0] != recordIndexed || n <= 0 || first > math.MaxInt32 {
		return recordReader{}, errRecord
	}
	return recordReader{rest: r[1+n:], first: int64(first), indexed: r[0] == recordIndexed}, nil
}

// next goes to the next line; false is the end, or a fault. The samples of the
// line before have been read.
func (r *recordReader) next() bool {
	if len(r.rest) == 0 {
		return false
	}
	r.item, r.counter, r.class = r.word(), r.word(), r.word()
	if r.indexed {
		r.index = r.word()
	}
	var n int
	r.hours, n = binary.Uvarint(r.rest)
	r.take(n)
	r.wrong = r.wrong || r.hours >= 1<<longestDay
	return !r.wrong
}

func (r *recordReader) word() []byte {
	if len(r.rest) == 0 || len(r.rest) <= int(r.rest[0]) {
		r.wrong = true
		return nil
	}
	end := 1 + int(r.rest[0])
	word := r.rest[1:end]
	r.rest = r.rest[end:]
	return word
}

func (r *recordReader) take(n int) {
	if n <= 0 {
		r.wrong, n = true, 0
	}
	r.rest = r.rest[n:]
}

// quantity is that of the next hour of the line that has a sample.
func (r *recordReader) quantity() int64 {
	if rest := r.rest; len(rest) > 2 { // most counts are small: a close reads hundreds of millions
		var n, length int64
		switch b := rest; {
		case b[0] < 0x80:
			n, length = int64(b[0]), 1
		case b[1] < 0x80:
			n, length = int64(b[0]&0x7f)|int64(b[1])<<7, 2
		case b[2] < 0x80:
			n, length = int64(b[0]&0x7f)|int64(b[1]&0x7f)<<7|int64(b[2])<<14, 3
		}
		if length > 0 {
			r.rest = rest[length:]
			return n>>1 ^ -(n & 1)
		}
	}
	q, n := binary.Varint(r.rest)
	r.take(n)
	return q
}

// samples are those of the line whose hours are within, in place of quantity.
func (r *recordReader) samples(to []int64, within uint64) []int64 {
	for hours := r.hours; hours != 0; hours &= hours - 1 {
		q := r.quantity()
		if within&hours&-hours != 0 {
			to = append(to, q)
		}
	}
	return to
}

func (r *recordReader) err() error {
	if r.wrong {
		return errRecord
	}
	return nil
}

// within is the bits of the hours of a window.
func (r *recordReader) within(w Window) uint64 {
	from := min(max(r.offset(w.From), 0), longestDay)
	to := min(max(r.offset(w.To), from), longestDay)
	return 1<<to - 1<<from
}

// offset is how many hours after the first one begins the hour that holds the
// instant, or the one behind it where the instant is within an hour.
func (r *recordReader) offset(at time.Time) int64 {
	const hour = int64(time.Hour / time.Microsecond)
	return (period.Micros(at)+hour-1)/hour - r.first
}

// Any reports whether the record has a sample within the window.
func (r Record) Any(w Window) (bool, error) {
	read, err := r.open()
	if err != nil {
		return false, err
	}
	within := read.within(w)
	for read.next() {
		if read.hours&within != 0 {
			return true, nil
		}
		for range bits.OnesCount64(read.hours) {
			read.quantity()
		}
	}
	return false, read.err()
}

// Samples lists what the record holds of a window for a workspace's
// generation, in order of hour, item, counter, class and index.
func (r Record) Samples(to []Sample, of Key, w Window) ([]Sample, error) {
	read, err := r.open()
	if err != nil {
		return to, err
	}
	start, within := len(to), read.within(w)
	for read.next() {
		of.Item, of.Counter, of.Class, of.Index = string(read.item), string(read.counter), string(read.class), string(read.index)
		for hours := read.hours; hours != 0; hours &= hours - 1 {
			q, at := read.quantity(), bits.TrailingZeros64(hours)
			if within>>at&1 == 1 {
				to = append(to, Sample{of, time.Unix((read.first+int64(at))*3600, 0).UTC(), q})
			}
		}
	}
	slices.SortStableFunc(to[start:], func(a, b Sample) int { return a.Hour.Compare(b.Hour) })
	return to, read.err()
}

// With is the record with changes.
func (r Record) With(changes []Change) (Record, error) {
	day, err := r.unfold()
	if err != nil {
		return nil, err
	}
	for i := range changes {
		if err := day.change(&changes[i]); err != nil {
			return nil, fmt.Errorf("%s of %s: %w", changes[i].Item, changes[i].Hour, err)
		}
	}
	return day.fold(make([]byte, 0, len(r)+64)), nil
}

// unfolded is a record that is being changed.
type unfolded struct {
	first int64
	lines []line
}

type line struct {
	item, counter, class, index string
	hours                       uint64
	quantity                    [longestDay]int64
}

func (l *line) compare(c *Change) int {
	return cmp.Or(cmp.Compare(l.item, c.Item), cmp.Compare(l.counter, c.Counter), cmp.Compare(l.class, c.Class), cmp.Compare(l.index, c.Index))
}

func (r Record) unfold() (unfolded, error) {
	read, err := r.open()
	if err != nil {
		return unfolded{}, err
	}
	day := unfolded{first: read.first, lines: make([]line, 0, 16)}
	for read.next() {
		day.lines = append(day.lines, line{
			item: string(read.item), counter: string(read.counter), class: string(read.class), index: string(read.index), hours: read.hours,
		})
		l := &day.lines[len(day.lines)-1]
		for hours := read.hours; hours != 0; hours &= hours - 1 {
			l.quantity[bits.TrailingZeros64(hours)] = read.quantity()
		}
	}
	return day, read.err()
}

func (d *unfolded) change(c *Change) error {
	at := c.Hour.Unix()/3600 - d.first
	if at < 0 || at >= longestDay || !c.Hour.Equal(period.HourOf(c.Hour)) {
		return errWrongHour
	}
	if max(len(c.Item), len(c.Counter), len(c.Class)) > longestWord || len(c.Index) > longestIndex {
		return errRecord
	}
	i, known := slices.BinarySearchFunc(d.lines, c, func(l line, c *Change) int { return l.compare(c) })
	if !known {
		d.lines = slices.Insert(d.lines, i, line{item: c.Item, counter: c.Counter, class: c.Class, index: c.Index})
	}
	l := &d.lines[i]
	l.hours |= 1 << at
	switch {
	case c.Raise:
		l.quantity[at] = max(l.quantity[at], c.Quantity)
	case c.Quantity > 0 && l.quantity[at] > math.MaxInt64-c.Quantity, c.Quantity < 0 && l.quantity[at] < math.MinInt64-c.Quantity:
		return ErrTooLarge.With("item", c.Item)
	default:
		l.quantity[at] += c.Quantity
	}
	return nil
}

func (d *unfolded) fold(to []byte) Record {
	version, words := byte(recordVersion), 3
	if slices.ContainsFunc(d.lines, func(l line) bool { return l.index != "" }) {
		version, words = recordIndexed, 4
	}
	to = binary.AppendUvarint(append(to, version), uint64(d.first))
	for i := range d.lines {
		l := &d.lines[i]
		all := [...]string{l.item, l.counter, l.class, l.index}
		for _, word := range all[:words] {
			to = append(append(to, byte(len(word))), word...)
		}
		to = binary.AppendUvarint(to, l.hours)
		for hours := l.hours; hours != 0; hours &= hours - 1 {
			to = binary.AppendVarint(to, l.quantity[bits.TrailingZeros64(hours)])
		}
	}
	return to
}
