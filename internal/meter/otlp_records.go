package meter

import (
	"math"
	"strconv"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// DecodeOTLPLogs reads a request of OpenTelemetry's logs: each record is a
// point named after its service.
//
//	LogRecord{fixed64 time = 1; string severity_text = 3; AnyValue body = 5;
//	  repeated KeyValue attributes = 6; bytes trace_id = 9, span_id = 10;
//	  fixed64 observed_time = 11}
func DecodeOTLPLogs(body []byte, at time.Time) ([]Point, error) {
	return decodeOTLP(body, at, decodeLogRecord)
}

func decodeLogRecord(o *otlp, r resource, m message) error {
	if err := o.begin(r); err != nil {
		return err
	}
	var occurred, observed uint64
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
			occurred, err = m.fixed64(kind)
		case 11:
			observed, err = m.fixed64(kind)
		case 3:
			err = o.text(&m, "status", kind, plainText)
		case 5:
			var part message
			if part, err = m.part(kind); err == nil {
				err = o.body(part)
			}
		case 6:
			err = o.field(&m, kind)
		case 9:
			err = o.text(&m, "trace_id", kind, identifier)
		case 10:
			err = o.text(&m, "span_id", kind, identifier)
		default:
			err = m.skip(number, kind)
		}
		if err != nil {
			return err
		}
	}
	if occurred == 0 {
		occurred = observed
	}
	return o.end(r.service, occurred)
}

// body keeps what a record says as its message.
func (o *otlp) body(m message) error {
	v, err := decodeAny(m, 0)
	if err != nil || v.Kind == KindNone {
		return err
	}
	return o.b.field("message", Text(v.label()))
}

func plainText(s string) string { return s }

// text keeps a text as a field, unless it is empty.
func (o *otlp) text(m *message, key string, kind protowire.Type, as func(string) string) error {
	raw, err := m.str(kind)
	if err != nil || raw == "" {
		return err
	}
	return o.b.field(key, Text(as(raw)))
}

// DecodeOTLPTraces reads a request of OpenTelemetry's traces: each span is a
// point named after its service.
//
//	Span{bytes trace_id = 1, span_id = 2, parent_span_id = 4; string name = 5;
//	  enum kind = 6; fixed64 start = 7, end = 8; repeated KeyValue attributes = 9;
//	  repeated Event = 11; repeated Link = 13; Status status = 15}
func DecodeOTLPTraces(body []byte, at time.Time) ([]Point, error) {
	return decodeOTLP(body, at, decodeSpan)
}

func decodeSpan(o *otlp, r resource, m message) error {
	if err := o.begin(r); err != nil {
		return err
	}
	var start, end uint64
	var events, links int64
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
			err = o.text(&m, "trace_id", kind, identifier)
		case 2:
			err = o.text(&m, "span_id", kind, identifier)
		case 4:
			err = o.text(&m, "parent_id", kind, identifier)
		case 5:
			err = o.text(&m, "operation", kind, plainText)
		case 7:
			start, err = m.fixed64(kind)
		case 8:
			end, err = m.fixed64(kind)
		case 9:
			err = o.field(&m, kind)
		case 11:
			events++
			err = o.nested(&m, "event", events, kind, 2, 3)
		case 13:
			links++
			err = o.nested(&m, "link", links, kind, 1, 4)
		case 15:
			err = o.status(&m, kind)
		default:
			err = m.skip(number, kind)
		}
		if err != nil {
			return err
		}
	}
	if end >= start && end-start <= math.MaxInt64 {
		if err := o.b.field("duration", Int(int64((end-start)/uint64(time.Microsecond)))); err != nil {
			return err
		}
	}
	return o.end(r.service, start)
}

// status keeps what came of a span: Status{string message = 2; enum code = 3}.
func (o *otlp) status(m *message, kind protowire.Type) error {
	part, err := m.part(kind)
	if err != nil {
		return err
	}
	for {
		number, kind, more, err := part.next()
		if err != nil || !more {
			return err
		}
		var code uint64
		switch number {
		case 2:
			err = o.text(&part, "status_message", kind, plainText)
		case 3:
			if code, err = part.varint(kind); err == nil && code < uint64(len(statusCodes)) {
				err = o.b.tag("status", statusCodes[code])
			}
		default:
			err = part.skip(number, kind)
		}
		if err != nil {
			return err
		}
	}
}

var statusCodes = [...]string{"", "ok", "error"}

// nested keeps an event (its name) or a link (its trace) of a span, and its
// attributes, as fields with a number: event.1, event.1.exception.type.
func (o *otlp) nested(m *message, what string, n int64, kind protowire.Type, text, attributes protowire.Number) error {
	part, err := m.part(kind)
	if err != nil {
		return err
	}
	prefix, as := what+"."+strconv.FormatInt(n, 10), plainText
	if what == "link" {
		as = identifier
	}
	for {
		number, kind, more, err := part.next()
		if err != nil || !more {
			return err
		}
		switch number {
		case text:
			err = o.text(&part, prefix, kind, as)
		case attributes:
			var kv message
			var key string
			var v Value
			if kv, err = part.part(kind); err == nil {
				key, v, err = decodeAttribute(kv)
			}
			if err == nil && v.Kind != KindNone {
				err = o.b.field(prefix+"."+key, v)
			}
		default:
			err = part.skip(number, kind)
		}
		if err != nil {
			return err
		}
	}
}
