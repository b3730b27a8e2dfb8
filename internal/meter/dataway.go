package meter

import (
	"strconv"
	"time"
)

// DecodeDataWay reads the protobuf report of DataKit, com.guance.Point:
//
//	PBPoints{repeated PBPoint arr = 1}
//	PBPoint{string name = 1; repeated Field fields = 2; int64 time = 3 in ns}
//	Field{string key = 1; oneof{int64 i = 2; uint64 u = 3; double f = 4;
//	  bool b = 5; bytes d = 6; Any a = 7; string s = 11}; bool is_tag = 8}
//
// A point without a time is stamped with the time of receipt; a field without
// a value is nothing and left out.
func DecodeDataWay(body []byte, at time.Time) ([]Point, error) {
	m := newMessage(body)
	var b builder
	for m.next() {
		if m.number == 1 {
			m.keep(decodePBPoint(&b, m.part(), at))
			b.foresee(m.pos, m.end)
		}
	}
	return b.done(m.err)
}

// done gives all points or the fault.
func (b *builder) done(err error) ([]Point, error) {
	if err != nil {
		return nil, err
	}
	return b.points, nil
}

func decodePBPoint(b *builder, m message, at time.Time) error {
	b.begin()
	var name string
	var nanos uint64
	for m.next() {
		switch m.number {
		case 1:
			name = m.str()
		case 2:
			m.keep(decodePBField(b, m.part()))
		case 3:
			nanos = m.varint()
		}
	}
	switch {
	case m.err != nil:
		return m.err
	case name == "":
		return m.fail("point " + strconv.Itoa(len(b.points)+1) + " has no name")
	case nanos != 0:
		return b.add(name, b.settle(), time.Unix(0, int64(nanos)), true)
	}
	return b.add(name, b.settle(), at, false)
}

func decodePBField(b *builder, m message) error {
	var key string
	var value Value
	var tag bool
	for m.next() {
		switch m.number {
		case 1:
			key = m.str()
		case 2:
			value = Int(int64(m.varint()))
		case 3:
			value = Uint(m.varint())
		case 4:
			value = Float(m.double())
		case 5:
			value = Bool(m.varint() != 0)
		case 6, 7: // a blob, a packed array or map
			value = Bytes(m.str())
		case 8:
			tag = m.varint() != 0
		case 11:
			value = Text(m.str())
		}
	}
	switch {
	case m.err != nil:
		return m.err
	case key == "":
		return m.fail("a field of point " + strconv.Itoa(len(b.points)+1) + " has no key")
	case value.Kind == KindNone:
		return nil
	case tag:
		return b.tag(key, value.label())
	}
	return b.field(key, value)
}

// label is the value as the text of a tag.
func (v Value) label() string {
	switch v.Kind {
	case KindInt:
		return strconv.FormatInt(v.Int(), 10)
	case KindUint:
		return strconv.FormatUint(v.Uint(), 10)
	case KindFloat:
		return strconv.FormatFloat(v.Float(), 'g', -1, 64)
	case KindBool:
		return strconv.FormatBool(v.Bool())
	}
	return v.text
}
