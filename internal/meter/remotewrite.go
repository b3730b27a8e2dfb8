package meter

import (
	"math"
	"strconv"
	"time"

	"github.com/klauspost/compress/snappy"
)

// densest is more than snappy's format can pack: a copy of 64 bytes takes 3.
const densest = 64

// SnappySize is what a block of snappy says it unpacks to; 0 when it says
// nothing that could be true.
func SnappySize(body []byte) int {
	n, err := snappy.DecodedLen(body)
	if err != nil || n > densest*(len(body)+1) {
		return 0
	}
	return n
}

// Unsnap unpacks the block of snappy that remote write is sent in, if it
// unpacks to no more than limit bytes. What its header promises is believed
// only as far as the bytes that came could hold it. It unpacks into the room of
// to, if that is enough.
func Unsnap(to, body []byte, limit int) ([]byte, error) {
	n, err := snappy.DecodedLen(body)
	switch {
	case err != nil || n > densest*(len(body)+1):
		return nil, ErrMalformed.Says("The body is not a block of snappy.").With("format", "snappy").Because(err)
	case n > limit:
		return nil, ErrTooLarge.With("limit_bytes", limit)
	}
	out, err := snappy.Decode(to[:cap(to)], body)
	if err != nil {
		return nil, ErrMalformed.Says("The body is not a block of snappy, or cut off.").With("format", "snappy").Because(err)
	}
	return out, nil
}

// staleMarker is the NaN with which Prometheus says that a series has ended.
const staleMarker = 0x7ff0000000000002

// The names under which a sample of remote write is kept.
const (
	nameLabel      = "__name__"
	valueField     = "value"
	histogramField = "histogram"
)

// DecodeRemoteWrite reads an unpacked request of Prometheus remote write 1.0:
//
//	WriteRequest{repeated TimeSeries timeseries = 1; …metadata = 3}
//	TimeSeries{repeated Label labels = 1; repeated Sample samples = 2; …exemplars = 3;
//	  repeated Histogram histograms = 4}
//	Label{string name = 1, value = 2}; Sample{double value = 1; int64 timestamp = 2 in ms}
//
// Each sample is a point named after its metric with the field "value"; a
// native histogram has the field "histogram" and is one sample of one series.
// Staleness markers are no samples but their end: they are left out, so that
// the last scrape of a target that is gone does not make it active again.
// Metadata and exemplars are not kept.
func DecodeRemoteWrite(body []byte) ([]Point, error) {
	m := newMessage(body)
	var b builder
	for series := 1; m.next(); {
		if m.number == 1 {
			m.keep(decodeSeries(&b, m.part(), series))
			b.foresee(m.pos, m.end)
			series++
		}
	}
	return b.done(m.err)
}

// decodeSeries reads the labels first, wherever they stand, then the samples.
func decodeSeries(b *builder, m message, index int) error {
	b.begin()
	samples := m
	name := ""
	for m.next() {
		if m.number == 1 {
			m.keep(decodeLabel(b, m.part(), &name))
		}
	}
	if m.err != nil {
		return m.err
	}
	if name == "" {
		return m.fail("series " + strconv.Itoa(index) + " has no " + nameLabel)
	}
	tags := b.settle()
	for samples.next() {
		switch samples.number {
		case 2:
			samples.keep(decodeSample(b, samples.part(), name, tags))
		case 4:
			samples.keep(decodeHistogram(b, samples.part(), name, tags))
		}
	}
	return samples.err
}

func decodeLabel(b *builder, m message, name *string) error {
	key, value := m.pair()
	switch {
	case m.err != nil:
		return m.err
	case key == "":
		return m.fail("a label has no name")
	case key == nameLabel:
		*name = value
		return nil
	}
	return b.tag(key, value)
}

// pair reads a message of two texts, a name (1) and its value (2).
func (m *message) pair() (name, value string) {
	for m.next() {
		switch m.number {
		case 1:
			name = m.str()
		case 2:
			value = m.str()
		}
	}
	return name, value
}

func decodeSample(b *builder, m message, name string, tags []Tag) error {
	var bits, millis uint64
	for m.next() {
		switch m.number {
		case 1:
			bits = m.fixed64()
		case 2:
			millis = m.varint()
		}
	}
	if m.err != nil || bits == staleMarker {
		return m.err
	}
	return addSample(b, name, tags, Field{valueField, Float(math.Float64frombits(bits))}, millis)
}

// decodeHistogram keeps the histogram as it came; only its sum (3), for the
// staleness marker, and its timestamp (15) are looked at.
func decodeHistogram(b *builder, m message, name string, tags []Tag) error {
	value := Value{Kind: KindHistogram, text: m.rest()}
	var sum, millis uint64
	for m.next() {
		switch m.number {
		case 3:
			sum = m.fixed64()
		case 15:
			millis = m.varint()
		}
	}
	if m.err != nil || sum == staleMarker {
		return m.err
	}
	return addSample(b, name, tags, Field{histogramField, value}, millis)
}

func addSample(b *builder, name string, tags []Tag, f Field, millis uint64) error {
	if err := b.field(f.Key, f.Value); err != nil {
		return err
	}
	return b.add(name, tags, time.UnixMilli(int64(millis)), true)
}
