package meter

import (
	"math"
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
	for rest := m; ; {
		number, kind, more, err := rest.next()
		if err != nil {
			return err
		}
		if !more {
			break
		}
		if number == 1 {
			name, err = rest.str(kind)
		} else {
			err = rest.skip(number, kind)
		}
		if err != nil {
			return err
		}
	}
	if name == "" {
		return m.fail("a metric has no name")
	}
	for {
		number, kind, more, err := m.next()
		if err != nil || !more {
			return err
		}
		where, known := dataPointKinds[number]
		if !known {
			if err := m.skip(number, kind); err != nil {
				return err
			}
			continue
		}
		points, err := m.part(kind)
		if err != nil {
			return err
		}
		if err := points.each(1, func(one message) error { return decodeDataPoint(o, r, name, where, one) }); err != nil {
			return err
		}
	}
}

// noRecordedValue is the flag of a data point that says that its series has
// ended: as a staleness marker it is no sample.
const noRecordedValue = 1

func decodeDataPoint(o *otlp, r resource, name string, where dataPoints, m message) error {
	if err := o.begin(r); err != nil {
		return err
	}
	var nanos, flags, bits uint64
	value := Value{Kind: KindHistogram, text: m.rest()}
	if where.number {
		value = Value{}
	}
	for {
		number, kind, more, err := m.next()
		if err != nil {
			return err
		}
		if !more {
			break
		}
		switch {
		case number == where.attributes:
			err = o.tag(&m, kind)
		case number == where.flags:
			flags, err = m.varint(kind)
		case number == 3:
			nanos, err = m.fixed64(kind)
		case where.number && number == 4:
			bits, err = m.fixed64(kind)
			value = Float(math.Float64frombits(bits))
		case where.number && number == 6:
			bits, err = m.fixed64(kind)
			value = Int(int64(bits))
		default:
			err = m.skip(number, kind)
		}
		if err != nil {
			return err
		}
	}
	if flags&noRecordedValue != 0 || value.Kind == KindNone {
		return nil
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
func (o *otlp) tag(m *message, kind protowire.Type) error {
	part, err := m.part(kind)
	if err != nil {
		return err
	}
	key, value, err := decodeAttribute(part)
	if err != nil {
		return err
	}
	return o.b.tag(key, value.label())
}

// field reads an attribute as a field.
func (o *otlp) field(m *message, kind protowire.Type) error {
	part, err := m.part(kind)
	if err != nil {
		return err
	}
	key, value, err := decodeAttribute(part)
	if err != nil || value.Kind == KindNone {
		return err
	}
	return o.b.field(key, value)
}
