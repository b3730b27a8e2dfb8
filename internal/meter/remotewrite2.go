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
	symbols := m
	for symbols.next() {
		if symbols.number != 4 {
			continue
		}
		if len(d.symbols) >= MaxAttributes {
			return nil, Written{}, ErrTooManyParts.With("symbols", MaxAttributes)
		}
		d.symbols = append(d.symbols, symbols.str())
	}
	if symbols.err != nil {
		return nil, Written{}, symbols.err
	}
	points, err := d.b.done(m.each(5, d.series))
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
	for m.next() {
		switch m.number {
		case 2:
			d.written.Samples++
			m.keep(decodeSample(&d.b, m.part(), name, tags))
		case 3:
			d.written.Histograms++
			m.keep(decodeHistogram(&d.b, m.part(), name, tags))
		case 4:
			d.written.Exemplars++
		}
	}
	return m.err
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
	for m.next() {
		switch {
		case m.number != 1:
		case m.kind == protowire.VarintType:
			if ref := m.varint(); m.err == nil {
				m.keep(take(ref))
			}
		default:
			m.packed(take)
		}
	}
	if m.err != nil {
		return "", m.err
	}
	if odd {
		return "", m.fail("series " + strconv.Itoa(d.index) + " has a label without a value")
	}
	return name, nil
}
