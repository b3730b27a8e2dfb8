package meter

import (
	"math"
	"strconv"
	"time"
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
	for m.next() {
		switch m.number {
		case 1:
			occurred = m.fixed64()
		case 11:
			observed = m.fixed64()
		case 3:
			m.keep(o.text("status", m.str()))
		case 5:
			m.keep(o.body(m.part()))
		case 6:
			m.keep(o.field("", m.part()))
		case 9:
			m.keep(o.text("trace_id", identifier(m.str())))
		case 10:
			m.keep(o.text("span_id", identifier(m.str())))
		}
	}
	if m.err != nil {
		return m.err
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

// text keeps a text as a field, unless it is empty.
func (o *otlp) text(key, text string) error {
	if text == "" {
		return nil
	}
	return o.b.field(key, Text(text))
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
	for m.next() {
		switch m.number {
		case 1:
			m.keep(o.text("trace_id", identifier(m.str())))
		case 2:
			m.keep(o.text("span_id", identifier(m.str())))
		case 4:
			m.keep(o.text("parent_id", identifier(m.str())))
		case 5:
			m.keep(o.text("operation", m.str()))
		case 7:
			start = m.fixed64()
		case 8:
			end = m.fixed64()
		case 9:
			m.keep(o.field("", m.part()))
		case 11:
			events++
			m.keep(o.event(m.part(), events))
		case 13:
			links++
			m.keep(o.link(m.part(), links))
		case 15:
			m.keep(o.status(m.part()))
		}
	}
	if m.err != nil {
		return m.err
	}
	if end >= start && end-start <= math.MaxInt64 {
		if err := o.b.field("duration", Int(int64((end-start)/uint64(time.Microsecond)))); err != nil {
			return err
		}
	}
	return o.end(r.service, start)
}

// status keeps what came of a span: Status{string message = 2; enum code = 3}.
func (o *otlp) status(m message) error {
	for m.next() {
		switch m.number {
		case 2:
			m.keep(o.text("status_message", m.str()))
		case 3:
			if code := m.varint(); code < uint64(len(statusCodes)) {
				m.keep(o.b.tag("status", statusCodes[code]))
			}
		}
	}
	return m.err
}

var statusCodes = [...]string{"", "ok", "error"}

// event keeps the name of an event of a span, and its attributes, as fields
// with its number: event.1, event.1.exception.type.
//
//	Event{string name = 2; repeated KeyValue attributes = 3}
func (o *otlp) event(m message, n int64) error {
	prefix := "event." + strconv.FormatInt(n, 10)
	for m.next() {
		switch m.number {
		case 2:
			m.keep(o.text(prefix, m.str()))
		case 3:
			m.keep(o.field(prefix+".", m.part()))
		}
	}
	return m.err
}

// link keeps the trace that a span is linked to as it keeps an event.
//
//	Link{bytes trace_id = 1; repeated KeyValue attributes = 4}
func (o *otlp) link(m message, n int64) error {
	prefix := "link." + strconv.FormatInt(n, 10)
	for m.next() {
		switch m.number {
		case 1:
			m.keep(o.text(prefix, identifier(m.str())))
		case 4:
			m.keep(o.field(prefix+".", m.part()))
		}
	}
	return m.err
}
