package meter

import (
	"math"
	"strconv"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
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
	for {
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
		point, err := m.part(kind)
		if err != nil {
			return nil, err
		}
		if err := decodePBPoint(&b, point, at); err != nil {
			return nil, err
		}
		b.foresee(m.pos, m.end)
	}
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
			name, err = m.str(kind)
		case 2:
			var field message
			if field, err = m.part(kind); err == nil {
				err = decodePBField(b, field)
			}
		case 3:
			nanos, err = m.varint(kind)
		default:
			err = m.skip(number, kind)
		}
		if err != nil {
			return err
		}
	}
	if name == "" {
		return m.fail("point " + strconv.Itoa(len(b.points)+1) + " has no name")
	}
	if nanos != 0 {
		return b.add(name, b.settle(), time.Unix(0, int64(nanos)), true)
	}
	return b.add(name, b.settle(), at, false)
}

func decodePBField(b *builder, m message) error {
	var key string
	var value Value
	var tag bool
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
			key, err = m.str(kind)
		case 8:
			var v uint64
			v, err = m.varint(kind)
			tag = v != 0
		case 2, 3, 4, 5, 6, 7, 11:
			value, err = decodePBValue(&m, number, kind)
		default:
			err = m.skip(number, kind)
		}
		if err != nil {
			return err
		}
	}
	switch {
	case key == "":
		return m.fail("a field of point " + strconv.Itoa(len(b.points)+1) + " has no key")
	case value.Kind == KindNone:
		return nil
	case tag:
		return b.tag(key, value.label())
	}
	return b.field(key, value)
}

func decodePBValue(m *message, number protowire.Number, kind protowire.Type) (Value, error) {
	switch number {
	case 2:
		v, err := m.varint(kind)
		return Int(int64(v)), err
	case 3:
		v, err := m.varint(kind)
		return Uint(v), err
	case 4:
		v, err := m.fixed64(kind)
		return Float(math.Float64frombits(v)), err
	case 5:
		v, err := m.varint(kind)
		return Bool(v != 0), err
	case 11:
		v, err := m.str(kind)
		return Text(v), err
	}
	v, err := m.str(kind) // 6 and 7: a blob, a packed array or map
	return Bytes(v), err
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
