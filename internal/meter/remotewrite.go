package meter

import (
	"math"
	"strconv"
	"time"

	"github.com/klauspost/compress/snappy"
	"google.golang.org/protobuf/encoding/protowire"
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
// only as far as the bytes that came could hold it.
func Unsnap(body []byte, limit int) ([]byte, error) {
	n, err := snappy.DecodedLen(body)
	switch {
	case err != nil || n > densest*(len(body)+1):
		return nil, ErrMalformed.Says("The body is not a block of snappy.").With("format", "snappy").Because(err)
	case n > limit:
		return nil, ErrTooLarge.With("limit_bytes", limit)
	}
	out, err := snappy.Decode(nil, body)
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
	for series := 1; ; {
		number, kind, more, err := m.next()
		if err != nil || !more {
			return b.done(err)
		}
		if number != 1 {
			if err := m.skip(number, kind); err != nil {
				return nil, err
			}
			continue
		}
		part, err := m.part(kind)
		if err != nil {
			return nil, err
		}
		if err := decodeSeries(&b, part, series); err != nil {
			return nil, err
		}
		b.foresee(m.pos, m.end)
		series++
	}
}

// decodeSeries reads the labels first, wherever they stand, then the samples.
func decodeSeries(b *builder, m message, index int) error {
	b.begin()
	samples := m
	name := ""
	for {
		number, kind, more, err := m.next()
		if err != nil {
			return err
		}
		if !more {
			break
		}
		if number == 1 {
			err = decodeLabel(b, &m, kind, &name)
		} else {
			err = m.skip(number, kind)
		}
		if err != nil {
			return err
		}
	}
	if name == "" {
		return m.fail("series " + strconv.Itoa(index) + " has no " + nameLabel)
	}
	return decodeSamples(b, samples, name, b.settle())
}

func decodeLabel(b *builder, m *message, kind protowire.Type, name *string) error {
	label, err := m.part(kind)
	if err != nil {
		return err
	}
	var key, value string
	for {
		number, kind, more, err := label.next()
		if err != nil {
			return err
		}
		if !more {
			break
		}
		switch number {
		case 1:
			key, err = label.str(kind)
		case 2:
			value, err = label.str(kind)
		default:
			err = label.skip(number, kind)
		}
		if err != nil {
			return err
		}
	}
	switch key {
	case "":
		return label.fail("a label has no name")
	case nameLabel:
		*name = value
		return nil
	}
	return b.tag(key, value)
}

func decodeSamples(b *builder, m message, name string, tags []Tag) error {
	for {
		number, kind, more, err := m.next()
		if err != nil || !more {
			return err
		}
		var part message
		switch number {
		case 2:
			if part, err = m.part(kind); err == nil {
				err = decodeSample(b, part, name, tags)
			}
		case 4:
			if part, err = m.part(kind); err == nil {
				err = decodeHistogram(b, part, name, tags)
			}
		default:
			err = m.skip(number, kind)
		}
		if err != nil {
			return err
		}
	}
}

func decodeSample(b *builder, m message, name string, tags []Tag) error {
	var bits, millis uint64
	for {
		number, kind, more, err := m.next()
		if err != nil {
			return err
		}
		if !more {
			break
		}
		switch number {
		case 1:
			bits, err = m.fixed64(kind)
		case 2:
			millis, err = m.varint(kind)
		default:
			err = m.skip(number, kind)
		}
		if err != nil {
			return err
		}
	}
	if bits == staleMarker {
		return nil
	}
	return addSample(b, name, tags, Field{valueField, Float(math.Float64frombits(bits))}, millis)
}

// decodeHistogram keeps the histogram as it came; only its sum (3), for the
// staleness marker, and its timestamp (15) are looked at.
func decodeHistogram(b *builder, m message, name string, tags []Tag) error {
	value := Value{Kind: KindHistogram, text: m.rest()}
	var sum, millis uint64
	for {
		number, kind, more, err := m.next()
		if err != nil {
			return err
		}
		if !more {
			break
		}
		switch number {
		case 3:
			sum, err = m.fixed64(kind)
		case 15:
			millis, err = m.varint(kind)
		default:
			err = m.skip(number, kind)
		}
		if err != nil {
			return err
		}
	}
	if sum == staleMarker {
		return nil
	}
	return addSample(b, name, tags, Field{histogramField, value}, millis)
}

func addSample(b *builder, name string, tags []Tag, f Field, millis uint64) error {
	if err := b.field(f.Key, f.Value); err != nil {
		return err
	}
	return b.add(name, tags, time.UnixMilli(int64(millis)), true)
}
