package meter

import (
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"
)

// Written is how many of each kind a request of remote write 2.0 brought: a
// sender reads it in the answer, and takes an answer without it for a failure.
type Written struct{ Samples, Histograms, Exemplars int }

// DecodeRemoteWrite2 reads an unpacked request of Prometheus remote write 2.0:
//
//	Request{repeated string symbols = 4; repeated TimeSeries timeseries = 5}
//	TimeSeries{repeated uint32 labels_refs = 1; repeated Sample samples = 2;
//	  repeated Histogram histograms = 3; repeated Exemplar exemplars = 4}
//
// It gives the same points as the same series in version 1.0.
func DecodeRemoteWrite2(body []byte) ([]Point, Written, error) {
	d := rw2{symbols: make([]string, 0, 64)}
	m := newMessage(body)
	for rest := m; ; {
		number, kind, more, err := rest.next()
		if err != nil {
			return nil, Written{}, err
		}
		if !more {
			break
		}
		if number != 4 {
			if err := rest.skip(number, kind); err != nil {
				return nil, Written{}, err
			}
			continue
		}
		symbol, err := rest.str(kind)
		if err != nil {
			return nil, Written{}, err
		}
		if len(d.symbols) >= MaxAttributes {
			return nil, Written{}, ErrTooManyParts.With("symbols", MaxAttributes)
		}
		d.symbols = append(d.symbols, symbol)
	}
	err := m.each(5, d.series)
	points, err := d.b.done(err)
	if err != nil {
		return nil, Written{}, err
	}
	return points, d.written, nil
}

type rw2 struct {
	b       builder
	symbols []string
	written Written
	index   int
}

// series reads the labels first, wherever they stand, then the samples.
func (d *rw2) series(m message) error {
	d.index++
	d.b.begin()
	name, err := d.labels(m)
	if err != nil {
		return err
	}
	if name == "" {
		return m.fail("series " + strconv.Itoa(d.index) + " has no " + nameLabel)
	}
	tags := d.b.settle()
	for {
		number, kind, more, err := m.next()
		if err != nil || !more {
			return err
		}
		var part message
		switch number {
		case 2:
			if part, err = m.part(kind); err == nil {
				d.written.Samples++
				err = decodeSample(&d.b, part, name, tags)
			}
		case 3:
			if part, err = m.part(kind); err == nil {
				d.written.Histograms++
				err = decodeHistogram(&d.b, part, name, tags)
			}
		case 4:
			d.written.Exemplars++
			err = m.skip(number, kind)
		default:
			err = m.skip(number, kind)
		}
		if err != nil {
			return err
		}
	}
}

// labels reads the pairs of references to names and values.
func (d *rw2) labels(m message) (name string, err error) {
	var key string
	odd := false
	take := func(ref uint64) error {
		if ref >= uint64(len(d.symbols)) {
			return m.fail("series " + strconv.Itoa(d.index) + " refers to a symbol that is not there")
		}
		symbol := d.symbols[ref]
		if odd = !odd; odd {
			if key = symbol; key == "" {
				return m.fail("a label has no name")
			}
			return nil
		}
		if key == nameLabel {
			name = symbol
			return nil
		}
		return d.b.tag(key, symbol)
	}
	for {
		number, kind, more, err := m.next()
		if err != nil {
			return "", err
		}
		if !more {
			break
		}
		switch {
		case number != 1:
			err = m.skip(number, kind)
		case kind == protowire.VarintType:
			var ref uint64
			if ref, err = m.varint(kind); err == nil {
				err = take(ref)
			}
		default:
			err = m.packed(kind, take)
		}
		if err != nil {
			return "", err
		}
	}
	if odd {
		return "", m.fail("series " + strconv.Itoa(d.index) + " has a label without a value")
	}
	return name, nil
}

// packed calls f with each integer of a packed list.
func (m *message) packed(kind protowire.Type, f func(uint64) error) error {
	list, err := m.part(kind)
	if err != nil {
		return err
	}
	for list.pos < list.end {
		v, err := list.varint(protowire.VarintType)
		if err != nil {
			return err
		}
		if err := f(v); err != nil {
			return err
		}
	}
	return nil
}
