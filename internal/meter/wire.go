package meter

import (
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// message walks a protobuf message field by field, as a scanner walks lines:
//
//	for m.next() {
//		switch m.number {
//		case 1:
//			name = m.str()
//		}
//	}
//
// and m.err says what was wrong. A field that is not read is passed over; after
// the first fault there is no next field, and what is read is empty. It knows
// where in the report it stands, so that a fault can say it, and cuts strings
// out of one copy of the body.
type message struct {
	text   string // the whole body, for strings
	body   []byte // the whole body
	pos    int
	end    int
	number protowire.Number // of the field that it stands at
	kind   protowire.Type
	unread bool // whether that field's value has not been read
	err    error
}

func newMessage(body []byte) message {
	return message{text: string(body), body: body, end: len(body)}
}

// fail is a fault at this place of the report.
func (m *message) fail(reason string) error {
	return ErrMalformed.Says("Byte %d: %s.", m.pos, reason).With("format", "protobuf").With("byte", m.pos).With("reason", reason)
}

// keep remembers the first fault, which ends the walk.
func (m *message) keep(err error) {
	if m.err == nil {
		m.err = err
	}
}

// next goes to the next field, until the end or a fault.
func (m *message) next() bool {
	if m.unread {
		m.advance(protowire.ConsumeFieldValue(m.number, m.kind, m.body[m.pos:m.end]), "a field is cut off")
	}
	if m.err != nil || m.pos == m.end {
		return false
	}
	number, kind, n := protowire.ConsumeTag(m.body[m.pos:m.end])
	m.advance(n, "this is no field of a protobuf message")
	m.number, m.kind, m.unread = number, kind, m.err == nil
	return m.unread
}

// advance passes over n bytes; fewer than none says that they are not there.
func (m *message) advance(n int, otherwise string) bool {
	m.unread = false
	if n < 0 {
		m.keep(m.fail(otherwise))
		return false
	}
	m.pos += n
	return true
}

// is reports whether the field's value can be read as of a type.
func (m *message) is(want protowire.Type) bool {
	if m.err == nil && m.kind != want {
		m.keep(m.fail("a field has another type than it should"))
	}
	return m.err == nil
}

func (m *message) varint() uint64 {
	if !m.is(protowire.VarintType) {
		return 0
	}
	v, n := protowire.ConsumeVarint(m.body[m.pos:m.end])
	m.advance(n, "an integer is cut off or too long")
	return v
}

func (m *message) fixed64() uint64 {
	if !m.is(protowire.Fixed64Type) {
		return 0
	}
	v, n := protowire.ConsumeFixed64(m.body[m.pos:m.end])
	m.advance(n, "a number is cut off")
	return v
}

func (m *message) double() float64 { return math.Float64frombits(m.fixed64()) }

// part is an embedded message, or anything with a length.
func (m *message) part() message {
	if !m.is(protowire.BytesType) {
		return message{err: m.err}
	}
	v, n := protowire.ConsumeBytes(m.body[m.pos:m.end])
	if !m.advance(n, "a part is longer than what is left of the report") {
		return message{err: m.err}
	}
	return message{text: m.text, body: m.body, pos: m.pos - len(v), end: m.pos}
}

func (m *message) str() string {
	p := m.part()
	return p.rest()
}

// rest is what is left of the message, as text.
func (m *message) rest() string { return m.text[m.pos:m.end] }

// each calls f with every embedded message of the number and passes over the rest.
func (m message) each(number protowire.Number, f func(message) error) error {
	for m.next() {
		if m.number == number {
			m.keep(f(m.part()))
		}
	}
	return m.err
}

// packed calls f with each integer of a packed list.
func (m *message) packed(f func(uint64) error) {
	list := m.part()
	list.kind = protowire.VarintType
	for list.err == nil && list.pos < list.end {
		v := list.varint()
		if list.err == nil {
			list.err = f(v)
		}
	}
	m.keep(list.err)
}
