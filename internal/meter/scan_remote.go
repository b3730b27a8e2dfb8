package meter

import (
	"encoding/binary"
	"hash/maphash"
	"time"
	"unsafe"
)

// The tags of the fields that a usual request of remote write has: numbers of
// fields and types of the wire in one byte.
const (
	seriesTag   = 1<<3 | 2 // of the request
	metadataTag = 3<<3 | 2
	labelTag    = 1<<3 | 2 // of a series
	sampleTag   = 2<<3 | 2
	valueTag    = 1<<3 | 1 // of a sample
	timeTag     = 2<<3 | 0
)

// remoteScan reads remote write in place.
type remoteScan struct {
	*scan
	m       message // the whole report, for the plain decoder
	body    []byte
	at      time.Time
	b       builder
	series  int
	waiting int
	list    [batch]struct {
		hash       uint64
		start, end int
	}
}

// ScanRemoteWrite reads an unpacked request of remote write 1.0 as
// DecodeRemoteWrite, CheckTimes and Count do together, and gives what they would
// give, without the series that are known (nil: none is). It reads what is
// usual; ok is false for a report that they have to read.
//
// Of a series that is known, whose labels stand together and are followed by
// samples alone, only the samples are held against the format; any other is
// read by the plain decoder and counted by its points.
func (c Counter) ScanRemoteWrite(body []byte, at time.Time, known *Known) (d Digest, ok bool) {
	// A label takes five bytes at least, a sample more: fewer cannot be too many.
	if len(body) > 5*MaxAttributes {
		return Digest{}, false
	}
	s := remoteScan{scan: newScan(c, known, int64(time.Millisecond), at), body: body, at: at}
	// The strings of its points are parts of the body, which nobody changes
	// before the points are done with.
	s.m = message{text: unsafe.String(unsafe.SliceData(body), len(body)), body: body, end: len(body)}
	if known != nil {
		known.mu.RLock()
		defer known.mu.RUnlock()
	}
	if !s.all() || !s.lookUp() {
		return Digest{}, false
	}
	return s.done()
}

// length reads a length behind a tag: the part of the body that it says.
func length(b []byte, pos, limit int) (start, end int, ok bool) {
	if pos < limit && b[pos] < 0x80 {
		start, end = pos+1, pos+1+int(b[pos])
		return start, end, end <= limit
	}
	if pos >= limit {
		return 0, 0, false
	}
	n, size := binary.Uvarint(b[pos:limit])
	if size <= 0 || n > uint64(limit-pos-size) {
		return 0, 0, false
	}
	return pos + size, pos + size + int(n), true
}

// all goes through the series.
func (s *remoteScan) all() bool {
	for pos := 0; pos < len(s.body); {
		tag := s.body[pos]
		start, end, ok := length(s.body, pos+1, len(s.body))
		if !ok || tag != seriesTag && tag != metadataTag {
			return false
		}
		if tag == seriesTag {
			s.series++
			if !s.usual(start, end) {
				if !s.whole(start, end) {
					return false
				}
				s.points += len(s.b.points)
			}
			if s.waiting == batch && !s.lookUp() {
				return false
			}
		}
		pos = end
	}
	return true
}

// usual reads a series of labels and then samples. The labels are looked up
// later, with others.
func (s *remoteScan) usual(start, end int) bool {
	if s.known == nil {
		return false
	}
	labels := start
	for labels < end && s.body[labels] == labelTag {
		_, next, ok := length(s.body, labels+1, end)
		if !ok {
			return false
		}
		labels = next
	}
	points := 0
	for pos := labels; pos < end; {
		if s.body[pos] != sampleTag {
			return false
		}
		from, to, ok := length(s.body, pos+1, end)
		if !ok {
			return false
		}
		counts, ok := s.sample(from, to)
		if !ok {
			return false
		}
		if counts {
			points++
		}
		pos = to
	}
	if points == 0 {
		return false
	}
	s.points += points
	l := &s.list[s.waiting]
	l.hash, l.start, l.end = max(1, maphash.Bytes(s.known.seed, s.body[start:labels])), start, end
	s.waiting++
	return true
}

// sample reports whether a sample counts: it is no staleness marker.
func (s *remoteScan) sample(pos, end int) (counts, ok bool) {
	var bits uint64
	if end-pos >= 9 && s.body[pos] == valueTag {
		bits = binary.LittleEndian.Uint64(s.body[pos+1:])
		pos += 9
	}
	if pos >= end || s.body[pos] != timeTag {
		return false, false
	}
	millis, n := binary.Uvarint(s.body[pos+1 : end])
	if n <= 0 || pos+1+n != end {
		return false, false
	}
	if bits == staleMarker {
		return false, true
	}
	return true, int64(millis) >= s.lo && int64(millis) <= s.hi
}

// lookUp takes apart those of the waiting series whose labels are not known.
func (s *remoteScan) lookUp() bool {
	list := s.list[:s.waiting]
	s.waiting = 0
	for i := range list {
		if l := &list[i]; !s.known.labels.has(l.hash) {
			if !s.whole(l.start, l.end) {
				return false
			}
			s.Digest.labels = append(s.Digest.labels, l.hash)
		}
	}
	return true
}

// whole reads a series with the plain decoder and counts it.
func (s *remoteScan) whole(start, end int) bool {
	m := s.m
	m.pos, m.end = start, end
	s.b = builder{points: s.b.points[:0], tags: s.b.tags[:0], fields: s.b.fields[:0]}
	if decodeSeries(&s.b, m, s.series) != nil || CheckTimes(s.b.points, s.at) != nil {
		return false
	}
	s.count(s.b.points)
	return true
}
