package gateway

import (
	"encoding/binary"
	"hash/crc32"
	"math/bits"
	"sync"
)

// inflater unpacks a body of gzip that stands in memory as a whole (RFC 1951
// and 1952). Knowing where it ends and how large it says it is, it needs no
// window beside what it writes, and reads eight bytes at a time: a stream's
// decoder takes about half as long again.
//
// It reads what is right and says nothing of what is not: whatever it does not
// take is read once more by the stream's decoder, which knows why. What it
// takes has the checksum and the size that the body says it has.
type inflater struct {
	literals  [1<<literalBits + subtables*288]uint32
	distances [1<<distanceBits + distanceSubtables*32]uint32
	codes     [1 << codeBits]uint32
	lengths   [288 + 32]uint8

	src  []byte
	out  []byte
	pos  int    // of src
	o    int    // of out
	from int    // where the member begins in out
	held uint64 // bits that were read and not used, the next one lowest
	n    int    // how many of them are sure
}

// The tables are looked up by so many bits; a longer code has an entry that
// leads to a table for the rest of it.
const (
	literalBits  = 11
	distanceBits = 8
	codeBits     = 7 // of the code of code lengths
	longestCode  = 15

	subtables         = 1 << (longestCode - literalBits)
	distanceSubtables = 1 << (longestCode - distanceBits)
)

// An entry has in its lowest byte how many bits the code takes, then five bits
// for how many more belong to it, then what it is, and above what it stands for.
// One that is 0 is no code.
const (
	isLiteral = 1 << 15
	isEnd     = 1 << 14
	isTable   = 1 << 13
)

// slack is how much room there has to be behind the limit: for one match and
// the bytes before it.
const slack = 258 + 8

var inflaters = sync.Pool{New: func() any { return new(inflater) }}

// inflate unpacks to limit bytes at most into out, which has slack more. ok is
// false for what has to be read by the stream's decoder.
func inflate(out, packed []byte, limit int) (body []byte, ok bool) {
	d := inflaters.Get().(*inflater)
	defer inflaters.Put(d)
	d.src, d.out, d.pos, d.o = packed, out[:limit+slack], 0, 0
	defer func() { d.src, d.out = nil, nil }()
	for more := true; more; more = d.pos < len(d.src) {
		if !d.header() || !d.member(limit) || !d.trailer() {
			return nil, false
		}
	}
	return d.out[:d.o], d.o <= limit
}

// header reads the head of a member without optional parts.
func (d *inflater) header() bool {
	h := d.src[d.pos:]
	if len(h) < 18 || h[0] != 0x1f || h[1] != 0x8b || h[2] != 8 || h[3] != 0 {
		return false
	}
	d.pos += 10
	d.from, d.held, d.n = d.o, 0, 0
	return true
}

// trailer holds what was written against the checksum and the size.
func (d *inflater) trailer() bool {
	d.pos -= d.n >> 3
	t := d.src[min(max(d.pos, 0), len(d.src)):]
	if len(t) < 8 {
		return false
	}
	d.pos += 8
	written := d.out[d.from:d.o]
	return binary.LittleEndian.Uint32(t) == crc32.ChecksumIEEE(written) && binary.LittleEndian.Uint32(t[4:]) == uint32(len(written))
}

// refill makes more than 55 bits sure, if there are as many.
func (d *inflater) refill() {
	for d.n <= 55 && d.pos < len(d.src) {
		d.held |= uint64(d.src[d.pos]) << d.n
		d.pos++
		d.n += 8
	}
}

// take takes a few bits; what is not there is found out by the caller, from n.
func (d *inflater) take(n int) int {
	d.refill()
	v := int(d.held & (1<<n - 1))
	d.held >>= n
	d.n -= n
	return v
}

// member reads the blocks.
func (d *inflater) member(limit int) bool {
	for last := 0; last == 0; {
		last = d.take(1)
		ok := false
		switch d.take(2) {
		case 0:
			ok = d.stored(limit)
		case 1:
			ok = d.fixed() && d.block(limit)
		case 2:
			ok = d.dynamic() && d.block(limit)
		}
		if !ok || d.n < 0 {
			return false
		}
	}
	return true
}

func (d *inflater) stored(limit int) bool {
	d.pos -= d.n >> 3
	d.held, d.n = 0, 0
	if d.pos < 0 || len(d.src)-d.pos < 4 {
		return false
	}
	size := int(binary.LittleEndian.Uint16(d.src[d.pos:]))
	check := int(binary.LittleEndian.Uint16(d.src[d.pos+2:]))
	d.pos += 4
	if size^check != 0xffff || size > len(d.src)-d.pos || d.o+size > limit {
		return false
	}
	copy(d.out[d.o:], d.src[d.pos:d.pos+size])
	d.pos += size
	d.o += size
	return true
}

func (d *inflater) fixed() bool {
	for i := range 288 {
		d.lengths[i] = uint8(8)
		switch {
		case i >= 144 && i < 256:
			d.lengths[i] = 9
		case i >= 256 && i < 280:
			d.lengths[i] = 7
		}
	}
	if !table(d.literals[:], literalBits, d.lengths[:288], literalEntry) {
		return false
	}
	for i := range 32 {
		d.lengths[i] = 5
	}
	return table(d.distances[:], distanceBits, d.lengths[:32], distanceEntry)
}

// order is that in which the lengths of the code of code lengths come.
var order = [19]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// dynamic reads the codes of a block.
func (d *inflater) dynamic() bool {
	literals, distances, codes := d.take(5)+257, d.take(5)+1, d.take(4)+4
	clear(d.lengths[:19])
	for _, at := range order[:codes] {
		d.lengths[at] = uint8(d.take(3))
	}
	if literals > 286 || distances > 30 || d.n < 0 || !table(d.codes[:], codeBits, d.lengths[:19], codeEntry) {
		return false
	}
	for i := 0; i < literals+distances; {
		d.refill()
		e := d.codes[d.held&(1<<codeBits-1)]
		if e == 0 {
			return false
		}
		d.take(int(e & 0xff))
		symbol, again, length := e>>16, 1, uint8(0)
		switch {
		case symbol < 16:
			length = uint8(symbol)
		case symbol == 16 && i > 0:
			again, length = 3+d.take(2), d.lengths[i-1]
		case symbol == 17:
			again = 3 + d.take(3)
		case symbol == 18:
			again = 11 + d.take(7)
		default:
			return false
		}
		if d.n < 0 || i+again > literals+distances {
			return false
		}
		for range again {
			d.lengths[i] = length
			i++
		}
	}
	return d.lengths[256] > 0 && table(d.literals[:], literalBits, d.lengths[:literals], literalEntry) &&
		table(d.distances[:], distanceBits, d.lengths[literals:literals+distances], distanceEntry)
}

func codeEntry(symbol int) uint32 { return uint32(symbol)<<16 | isLiteral }

// literalEntry is a byte, the end of a block, or a length: of four times as many
// lengths each more bit belongs to the code (RFC 1951 section 3.2.5).
func literalEntry(symbol int) uint32 {
	switch n := symbol - 257; {
	case symbol < 256:
		return uint32(symbol)<<16 | isLiteral
	case symbol == 256:
		return isEnd
	case n < 8:
		return uint32(n+3) << 16
	case n < 28:
		more := n>>2 - 1
		return uint32(3+(4+n&3)<<more)<<16 | uint32(more)<<8
	case n == 28:
		return 258 << 16
	}
	return 0
}

func distanceEntry(symbol int) uint32 {
	switch {
	case symbol < 4:
		return uint32(symbol+1) << 16
	case symbol < 30:
		more := symbol>>1 - 1
		return uint32(1+(2+symbol&1)<<more)<<16 | uint32(more)<<8
	}
	return 0
}

// table lays out a canonical code of the lengths. A code that leaves room is
// taken, as one of a single distance does; whoever meets the room gives up.
func table(t []uint32, width int, lengths []uint8, entry func(int) uint32) bool {
	var count, next [longestCode + 2]int
	longest := 0
	for _, l := range lengths {
		count[l]++
		longest = max(longest, int(l))
	}
	count[0] = 0
	for l := 1; l <= longestCode; l++ {
		next[l+1] = (next[l] + count[l]) << 1
		if next[l]+count[l] > 1<<l {
			return false
		}
	}
	rest := max(0, longest-width)
	free := 1 << width
	clear(t[:free])
	for symbol, l := range lengths {
		if l == 0 {
			continue
		}
		length := int(l)
		code := int(bits.Reverse16(uint16(next[length])) >> (16 - length))
		next[length]++
		e := entry(symbol)
		if e == 0 {
			continue
		}
		if length <= width {
			for i := code; i < 1<<width; i += 1 << length {
				t[i] = e | uint32(length)
			}
			continue
		}
		first := code & (1<<width - 1)
		if t[first] == 0 {
			t[first] = uint32(free)<<16 | isTable | uint32(rest)<<8 | uint32(width)
			clear(t[free : free+1<<rest])
			free += 1 << rest
		}
		at := int(t[first] >> 16)
		for i := code >> width; i < 1<<rest; i += 1 << (length - width) {
			t[at+i] = e | uint32(length-width)
		}
	}
	return true
}

// block reads the symbols of a block. Its state stands in the processor's
// registers; the masks of shifts spare it tests of what cannot be.
func (d *inflater) block(limit int) bool {
	src, out, pos, o, held, n := d.src, d.out, d.pos, d.o, d.held, uint(d.n)
	for o <= limit && int(n) >= 0 {
		if len(src)-pos >= 8 {
			held |= binary.LittleEndian.Uint64(src[pos:]) << (n & 63)
			pos += int((63 - n) >> 3)
			n |= 56
		} else {
			for ; n <= 55 && pos < len(src); n += 8 {
				held |= uint64(src[pos]) << (n & 63)
				pos++
			}
		}
		e, before := d.literals[held&(1<<literalBits-1)], o
		for range 2 {
			if e&isLiteral == 0 {
				break
			}
			out[o] = byte(e >> 16)
			o++
			held >>= e & 63
			n -= uint(e & 63)
			e = d.literals[held&(1<<literalBits-1)]
		}
		if o > before && n < 48 { // there may be too few bits left for a match
			continue
		}
		if e&isTable != 0 {
			held >>= literalBits
			n -= literalBits
			e = d.literals[uint64(e>>16)+held&(1<<(e>>8&31)-1)]
		}
		held >>= e & 63
		n -= uint(e & 63)
		if e&(isLiteral|isEnd) != 0 {
			if e&isEnd != 0 {
				d.pos, d.o, d.held, d.n = pos, o, held, int(n)
				return int(n) >= 0
			}
			out[o] = byte(e >> 16)
			o++
			continue
		}
		length := int(e>>16) + int(held&(1<<(e>>8&31)-1))
		held >>= e >> 8 & 31
		n -= uint(e >> 8 & 31)
		far := d.distances[held&(1<<distanceBits-1)]
		if far&isTable != 0 {
			held >>= distanceBits
			n -= distanceBits
			far = d.distances[uint64(far>>16)+held&(1<<(far>>8&31)-1)]
		}
		held >>= far & 63
		n -= uint(far & 63)
		distance := int(far>>16) + int(held&(1<<(far>>8&31)-1))
		held >>= far >> 8 & 31
		n -= uint(far >> 8 & 31)
		if e == 0 || far == 0 || distance > o-d.from {
			return false
		}
		repeat(out, o, distance, length)
		o += length
	}
	return false
}

// repeat writes again what stands at a distance; of what overlaps, what was just
// written, so that each round has twice as much to copy.
func repeat(out []byte, o, distance, length int) {
	for end := o + length; o < end; {
		n := copy(out[o:end], out[o-distance:o])
		o += n
		distance += n
	}
}
