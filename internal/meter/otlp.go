package meter

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"
)

// OpenTelemetry's protocol has three kinds of requests, all of one shape: data
// of resources, in them data of scopes, in them the records.
//
//	Data{repeated Resource… = 1}
//	Resource…{Resource resource = 1; repeated Scope… = 2}
//	Scope…{InstrumentationScope scope = 1; repeated record = 2}
//	Resource{repeated KeyValue attributes = 1}
//	KeyValue{string key = 1; AnyValue value = 2}
//	AnyValue{string = 1; bool = 2; int64 = 3; double = 4; ArrayValue = 5;
//	  KeyValueList = 6; bytes = 7}
//
// A resource's attributes are tags of all its records.

// serviceName is the attribute that names what a resource is, and noService
// stands in for it as the specification has it.
const (
	serviceName = "service.name"
	noService   = "unknown_service"
)

// otlp decodes one request.
type otlp struct {
	b      *builder
	at     time.Time
	record func(o *otlp, r resource, m message) error
}

// resource is what all records of a resource have in common.
type resource struct {
	service string
	tags    []Tag
}

func decodeOTLP(body []byte, at time.Time, record func(o *otlp, r resource, m message) error) ([]Point, error) {
	o := &otlp{b: &builder{}, at: at, record: record}
	m := newMessage(body)
	err := m.each(1, func(part message) error {
		r, err := decodeResource(part)
		if err != nil {
			return err
		}
		return part.each(2, func(scope message) error {
			return scope.each(2, func(one message) error { return o.record(o, r, one) })
		})
	})
	return o.b.done(err)
}

func decodeResource(m message) (resource, error) {
	r := resource{service: noService}
	err := m.each(1, func(res message) error {
		return res.each(1, func(kv message) error {
			key, value, err := decodeAttribute(kv)
			if err != nil {
				return err
			}
			if len(r.tags) >= MaxPerPoint {
				return ErrTooManyParts.With("per_point", MaxPerPoint)
			}
			if key == serviceName && value.label() != "" {
				r.service = value.label()
			}
			r.tags = append(r.tags, Tag{key, value.label()})
			return nil
		})
	})
	return r, err
}

// begin starts a point with the tags of its resource.
func (o *otlp) begin(r resource) error {
	o.b.begin()
	for _, t := range r.tags {
		if err := o.b.tag(t.Key, t.Value); err != nil {
			return err
		}
	}
	return nil
}

// end adds the point; one without a time is stamped with that of receipt.
func (o *otlp) end(name string, nanos uint64) error {
	if nanos == 0 || nanos > math.MaxInt64 {
		return o.b.add(name, o.b.settle(), o.at, false)
	}
	return o.b.add(name, o.b.settle(), time.Unix(0, int64(nanos)), true)
}

func decodeAttribute(m message) (key string, v Value, err error) {
	if key, v, err = decodeEntry(m, 0); err != nil {
		return "", v, err
	}
	if key == "" {
		return "", v, m.fail("an attribute has no key")
	}
	return key, v, nil
}

// deepest is how deep values may be nested.
const deepest = 16

// decodeAny reads a value; a list or map becomes its JSON.
func decodeAny(m message, depth int) (v Value, err error) {
	if depth > deepest {
		return v, m.fail("a value is nested too deep")
	}
	for m.next() {
		switch m.number {
		case 1:
			v = Text(m.str())
		case 2:
			v = Bool(m.varint() != 0)
		case 3:
			v = Int(int64(m.varint()))
		case 4:
			v = Float(m.double())
		case 5, 6:
			v, err = decodeNested(m.part(), m.number == 6, depth+1)
			m.keep(err)
		case 7:
			v = Bytes(m.str())
		}
	}
	if m.err != nil {
		return Value{}, m.err
	}
	return v, nil
}

// decodeNested writes a list or a map of values as JSON.
func decodeNested(m message, isMap bool, depth int) (Value, error) {
	text, first := []byte{'['}, true
	if isMap {
		text[0] = '{'
	}
	err := m.each(1, func(part message) error {
		if !first {
			text = append(text, ',')
		}
		first = false
		var v Value
		var err error
		if isMap {
			var key string
			if key, v, err = decodeEntry(part, depth); err != nil {
				return err
			}
			text = append(appendJSON(text, Text(key)), ':')
		} else if v, err = decodeAny(part, depth); err != nil {
			return err
		}
		text = appendJSON(text, v)
		return nil
	})
	if isMap {
		return Value{Kind: KindBytes, text: string(append(text, '}'))}, err
	}
	return Value{Kind: KindBytes, text: string(append(text, ']'))}, err
}

// decodeEntry reads a KeyValue.
func decodeEntry(m message, depth int) (key string, v Value, err error) {
	for m.next() {
		switch m.number {
		case 1:
			key = m.str()
		case 2:
			v, err = decodeAny(m.part(), depth)
			m.keep(err)
		}
	}
	return key, v, m.err
}

// appendJSON writes a value; what decodeNested made is JSON already.
func appendJSON(text []byte, v Value) []byte {
	switch v.Kind {
	case KindNone:
		return append(text, "null"...)
	case KindInt:
		return strconv.AppendInt(text, v.Int(), 10)
	case KindUint:
		return strconv.AppendUint(text, v.Uint(), 10)
	case KindBool:
		return strconv.AppendBool(text, v.Bool())
	case KindBytes:
		if json.Valid([]byte(v.text)) {
			return append(text, v.text...)
		}
		v.text = base64.StdEncoding.EncodeToString([]byte(v.text))
	case KindFloat:
		if f := v.Float(); !math.IsNaN(f) && !math.IsInf(f, 0) {
			return strconv.AppendFloat(text, f, 'g', -1, 64)
		}
		v.text = v.label()
	}
	quoted, err := json.Marshal(v.text)
	if err != nil {
		panic("meter: a text must encode: " + err.Error())
	}
	return append(text, quoted...)
}

// The sizes of the IDs of traces and spans. OpenTelemetry's JSON has them in
// hexadecimal digits where the JSON of protobuf has base64: read as such they
// have half as many bytes again.
const (
	traceIDSize, traceIDFromJSON = 16, 24
	spanIDSize, spanIDFromJSON   = 8, 12
)

// identifier is the ID of a trace or span in hexadecimal digits; empty for none.
func identifier(raw string) string {
	switch len(raw) {
	case traceIDFromJSON, spanIDFromJSON:
		return strings.ToLower(base64.StdEncoding.EncodeToString([]byte(raw))) // digits of either case
	}
	return hex.EncodeToString([]byte(raw))
}
