package meter

import (
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// DecodeOTLPMetrics reads a request of OpenTelemetry's metrics. Each data
// point is a point named after its metric with the field "value"; a histogram
// or a summary has the field "histogram" and is one sample of one series.
//
//	Metric{string name = 1; Gauge = 5; Sum = 7; Histogram = 9;
//	  ExponentialHistogram = 10; Summary = 11}, each {repeated data point = 1}
func DecodeOTLPMetrics(body []byte, at time.Time) ([]Point, error) {
	return decodeOTLP(body, at, decodeOTLPMetric)
}

// dataPoints says where the kinds of data points have what all of them have.
type dataPoints struct {
	attributes, flags protowire.Number
	number            bool
}

var dataPointKinds = map[protowire.Number]dataPoints{
	5:  {attributes: 7, flags: 8, number: true},
	7:  {attributes: 7, flags: 8, number: true},
	9:  {attributes: 9, flags: 10},
	10: {attributes: 1, flags: 10},
	11: {attributes: 7, flags: 8},
}

func decodeOTLPMetric(o *otlp, r resource, m message) error {
	name := ""
	rest := m
	for rest.next() {
		if rest.number == 1 {
			name = rest.str()
		}
	}
	switch {
	case rest.err != nil:
		return rest.err
	case name == "":
		return rest.fail("a metric has no name")
	}
	for m.next() {
		if where, known := dataPointKinds[m.number]; known {
			m.keep(m.part().each(1, func(one message) error { return decodeDataPoint(o, r, name, where, one) }))
		}
	}
	return m.err
}

// noRecordedValue is the flag of a data point that says that its series has
// ended: as a staleness marker it is no sample.
const noRecordedValue = 1

func decodeDataPoint(o *otlp, r resource, name string, where dataPoints, m message) error {
	if err := o.begin(r); err != nil {
		return err
	}
	var nanos, flags uint64
	value := Value{Kind: KindHistogram, text: m.rest()}
	if where.number {
		value = Value{}
	}
	for m.next() {
		switch {
		case m.number == where.attributes:
			m.keep(o.tag(m.part()))
		case m.number == where.flags:
			flags = m.varint()
		case m.number == 3:
			nanos = m.fixed64()
		case where.number && m.number == 4:
			value = Float(m.double())
		case where.number && m.number == 6:
			value = Int(int64(m.fixed64()))
		}
	}
	if m.err != nil || flags&noRecordedValue != 0 || value.Kind == KindNone {
		return m.err
	}
	key := valueField
	if !where.number {
		key = histogramField
	}
	if err := o.b.field(key, value); err != nil {
		return err
	}
	return o.end(name, nanos)
}

// tag reads an attribute as a tag.
func (o *otlp) tag(m message) error {
	key, value, err := decodeAttribute(m)
	if err != nil {
		return err
	}
	return o.b.tag(key, value.label())
}

// field reads an attribute as a field, whose key has a prefix.
func (o *otlp) field(prefix string, m message) error {
	key, value, err := decodeAttribute(m)
	if err != nil || value.Kind == KindNone {
		return err
	}
	return o.b.field(prefix+key, value)
}
