package meter

import (
	"bytes"
	"hash/maphash"
	"math"
	"time"
	"unsafe"
)

// Digest is what a report of metrics is when its points are not made.
type Digest struct {
	Points  int
	Stamped bool // every point carries its own time
	Tally   Tally

	known  *Known
	lines  []freshLines
	labels []uint64
}

// Holds reports whether the digest is that of the whole report beside what is
// known: nothing was left out of it that another Known knew.
func (d Digest) Holds(k *Known) bool { return d.known == nil || d.known == k }

// freshLines are the beginnings of lines of one layout that are not known.
type freshLines struct {
	layout string // the keys of the fields, each behind its length
	hashes []uint64
}

// scan collects what a report counts that is not known.
type scan struct {
	counter Counter
	known   *Known
	lo, hi  int64 // between which a timestamp has to be, in its unit
	points  int
	bare    bool // a point without a time of its own
	seen    Set
	members []uint64
	buf     []byte
	Digest
}

// newScan prepares the scan of timestamps of a unit of nanoseconds.
func newScan(c Counter, known *Known, unit int64, at time.Time) *scan {
	limit := at.Add(furthest).UnixNano()
	return &scan{counter: c, known: known, lo: (oldest.UnixNano() + unit - 1) / unit, hi: limit / unit, buf: make([]byte, 0, 512)}
}

// count adds the series of points that are not known.
func (s *scan) count(points []Point) {
	for i := range points {
		if i > 0 && sameSeries(&points[i], &points[i-1]) {
			continue
		}
		s.buf = s.counter.each(&points[i], s.buf, func(h uint64) {
			if s.seen.Add(h) {
				s.members = append(s.members, h)
			}
		})
	}
}

// done is the digest of a report that was read to its end; a report of too many
// points is none.
func (s *scan) done() (Digest, bool) {
	if s.points > MaxPoints {
		return Digest{}, false
	}
	d := s.Digest
	d.known, d.Points, d.Stamped = s.known, s.points, !s.bare
	if s.members == nil {
		s.members = []uint64{}
	}
	d.Tally = Tally{{Item: Series, Priced: Metric, Members: s.members}}
	return d, true
}

// batch is how many lines are looked up together, so that the misses of the
// processor's caches overlap.
const batch = 256

// lineScan reads line protocol in place.
type lineScan struct {
	*scan
	body    []byte
	layouts []*layout
	last    int   // the layout of the line before
	after   []int // the layout that came after each the last time
	plain   lineParser
	waiting int
	lines   [batch]struct {
		hash   uint64
		layout *layout
		start  int
	}
}

// ScanLines reads a report of metrics in line protocol as DecodeLines,
// CheckTimes and Count do together, and gives what they would give, without the
// series that are known (nil: none is). It reads what is usual; ok is false for
// a report that they have to read: one that is malformed, or larger than usual.
//
// Lines of numbers whose beginning is known are only held against the format;
// any other line is read by the plain decoder and counted by its points.
func (c Counter) ScanLines(body []byte, precision time.Duration, at time.Time, known *Known) (d Digest, ok bool) {
	if at.Before(oldest) || crowded(body) {
		return Digest{}, false
	}
	s := lineScan{scan: newScan(c, known, int64(precision), at), body: body}
	// The strings of its points are parts of the body, which nobody changes
	// before the points are done with.
	s.plain = lineParser{text: unsafe.String(unsafe.SliceData(body), len(body)), line: 1, unit: int64(precision), at: at}
	if known != nil {
		known.mu.RLock()
		defer known.mu.RUnlock()
		s.layouts = known.layouts
		s.after = make([]int, len(s.layouts))
	}
	if !s.all() || !s.lookUp() {
		return Digest{}, false
	}
	return s.done()
}

// crowded reports whether a report could have too many attributes: each takes
// three bytes at least, and has a comma before it or is the first field of a line.
func crowded(body []byte) bool {
	return len(body) > 3*MaxAttributes && bytes.Count(body, []byte{','})+bytes.Count(body, []byte{'\n'}) >= MaxAttributes
}

// all goes through the lines.
func (s *lineScan) all() bool {
	for pos := 0; pos < len(s.body); {
		switch s.body[pos] {
		case '\n', ' ', '\t', '\r':
			pos++
			continue
		case '#':
			n := bytes.IndexByte(s.body[pos:], '\n')
			if n < 0 {
				return true
			}
			pos += n
			continue
		}
		end := s.usual(pos)
		if end < 0 {
			end = s.whole(pos)
		}
		if end < 0 || s.waiting == batch && !s.lookUp() {
			return false
		}
		s.points++
		pos = end
	}
	return true
}

// usual reads a line of numbers in one of the known layouts and gives where it
// ends, or less than 0. Its beginning is looked up later, with others; one with
// escapes, which ends elsewhere, is never found.
func (s *lineScan) usual(start int) int {
	if len(s.layouts) == 0 {
		return -1
	}
	n := bytes.IndexByte(s.body[start:], ' ')
	if n < 0 {
		return -1
	}
	l, end := s.numbers(start + n + 1)
	if end < 0 {
		return -1
	}
	line := &s.lines[s.waiting]
	line.hash, line.layout, line.start = max(1, maphash.Bytes(s.known.seed, s.body[start:start+n])), l, start
	s.waiting++
	return end
}

// lookUp takes apart those of the waiting lines whose beginnings are not known.
func (s *lineScan) lookUp() bool {
	lines := s.lines[:s.waiting]
	s.waiting = 0
	for i := range lines {
		if l := &lines[i]; !l.layout.lines.has(l.hash) && s.whole(l.start) < 0 {
			return false
		}
	}
	return true
}

// numbers reads the fields and the timestamp in the layout that came after that
// of the line before the last time, or in another one.
func (s *lineScan) numbers(pos int) (*layout, int) {
	foreseen := s.after[s.last]
	if end := s.fields(pos, s.layouts[foreseen]); end >= 0 {
		s.last = foreseen
		return s.layouts[foreseen], end
	}
	for i, l := range s.layouts {
		if i == foreseen {
			continue
		}
		if end := s.fields(pos, l); end >= 0 {
			s.after[s.last], s.last = i, i
			return l, end
		}
	}
	return nil, -1
}

func (s *lineScan) fields(pos int, l *layout) int {
	for i, key := range l.keys {
		if i > 0 {
			if pos >= len(s.body) || s.body[pos] != ',' {
				return -1
			}
			pos++
		}
		if len(s.body)-pos < len(key) || string(s.body[pos:pos+len(key)]) != string(key) {
			return -1
		}
		if pos = number(s.body, pos+len(key)); pos < 0 {
			return -1
		}
	}
	return s.stamp(pos)
}

// longest is how many digits a number may have that is certainly in range: of
// 64 bits as an integer.
const longest = 18

// number gives where a number of the plain kind ends: digits, with a sign, a
// point or the letter of an integer. Anything else is below 0, also if it is a
// number.
func number(b []byte, pos int) int {
	signed := pos < len(b) && b[pos] == '-'
	if signed {
		pos++
	}
	start := pos
	for pos < len(b) && b[pos]-'0' <= 9 {
		pos++
	}
	if n := pos - start; n == 0 || n > longest {
		return -1
	}
	if pos == len(b) {
		return pos
	}
	switch b[pos] {
	case 'i':
		return pos + 1
	case 'u':
		if signed {
			return -1
		}
		return pos + 1
	case '.':
		start = pos
		for pos++; pos < len(b) && b[pos]-'0' <= 9; pos++ {
		}
		if pos-start > longest {
			return -1
		}
	}
	return pos
}

// stamp reads the timestamp, if there is one, and the end of the line.
func (s *lineScan) stamp(pos int) int {
	b := s.body
	if pos == len(b) || b[pos] == '\n' {
		s.bare = true
		return pos
	}
	if b[pos] != ' ' {
		return -1
	}
	n, end := digits(b, pos+1)
	if end < 0 || n < s.lo || n > s.hi {
		return -1
	}
	if end < len(b) && b[end] != '\n' {
		return -1
	}
	return end
}

// digits reads a positive integer of 64 bits, eight digits at a time.
func digits(b []byte, pos int) (n int64, end int) {
	start := pos
	for len(b)-pos >= 8 {
		eight, ok := eightDigits(b[pos:])
		if !ok || pos-start > 8 {
			break
		}
		n = n*1e8 + eight
		pos += 8
	}
	for ; pos < len(b) && b[pos]-'0' <= 9; pos++ {
		if pos-start > longest || n > (math.MaxInt64-9)/10 {
			return 0, -1
		}
		n = n*10 + int64(b[pos]-'0')
	}
	if pos == start {
		return 0, -1
	}
	return n, pos
}

// eightDigits reads a number of eight digits from eight bytes at once: first
// whether each is one, then pairs, fours and all of them are added up.
func eightDigits(b []byte) (n int64, ok bool) {
	_ = b[7]
	v := uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 | uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
	const high, three, six = 0xf0f0f0f0f0f0f0f0, 0x3030303030303030, 0x0606060606060606
	if v&high != three || (v+six)&high != three {
		return 0, false
	}
	v -= three
	v = (v*10 + v>>8) & 0x00ff00ff00ff00ff
	v = (v*100 + v>>16) & 0x0000ffff0000ffff
	v = (v*10000 + v>>32) & 0x00000000ffffffff
	return int64(v), true
}

// whole reads a line with the plain decoder, counts its series, and keeps its
// beginning to be learned. It gives where the line ends, or less than 0.
func (s *lineScan) whole(start int) int {
	p := &s.plain
	p.pos, p.b = start, builder{points: p.b.points[:0], tags: p.b.tags[:0], fields: p.b.fields[:0]}
	if p.point() != nil || CheckTimes(p.b.points, p.at) != nil {
		return -1
	}
	s.bare = s.bare || !p.b.points[0].Stamped
	s.count(p.b.points)
	s.note(s.body[start:p.pos], &p.b.points[0])
	return p.pos
}

// note keeps the beginning of a line of numbers without escapes to be learned.
func (s *lineScan) note(line []byte, p *Point) {
	if s.known == nil || len(p.Fields) > maxFields || bytes.IndexByte(line, '\\') >= 0 {
		return
	}
	s.buf = s.buf[:0]
	for _, f := range p.Fields {
		if !f.Value.Numeric() {
			return
		}
		n := len(f.Key) + 1
		s.buf = append(append(append(s.buf, byte(n), byte(n>>8)), f.Key...), '=')
	}
	hash := max(1, maphash.Bytes(s.known.seed, line[:bytes.IndexByte(line, ' ')]))
	for i := range s.Digest.lines {
		if f := &s.Digest.lines[i]; f.layout == string(s.buf) {
			f.hashes = append(f.hashes, hash)
			return
		}
	}
	if len(s.Digest.lines) < maxLayouts {
		s.Digest.lines = append(s.Digest.lines, freshLines{layout: string(s.buf), hashes: []uint64{hash}})
	}
}
