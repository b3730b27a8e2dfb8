package meter

import (
	"google.golang.org/protobuf/encoding/protowire"
)

// message walks a protobuf message field by field. It knows where in the
// report it stands, so that a fault can say it, and cuts strings out of one
// copy of the body.
type message struct {
	text string // the whole body, for strings
	body []byte // the whole body
	pos  int
	end  int
}

func newMessage(body []byte) message {
	return message{text: string(body), body: body, end: len(body)}
}

func (m *message) fail(reason string) error {
	return ErrMalformed.Says("Byte %d: %s.", m.pos, reason).With("format", "protobuf").With("byte", m.pos).With("reason", reason)
}

// next reads the tag of the next field; more is false at the end.
func (m *message) next() (number protowire.Number, kind protowire.Type, more bool, err error) {
	if m.pos == m.end {
		return 0, 0, false, nil
	}
	number, kind, n := protowire.ConsumeTag(m.body[m.pos:m.end])
	if n < 0 {
		return 0, 0, false, m.fail("this is no field of a protobuf message")
	}
	m.pos += n
	return number, kind, true, nil
}

func (m *message) expect(kind, want protowire.Type) error {
	if kind != want {
		return m.fail("a field has another type than it should")
	}
	return nil
}

func (m *message) varint(kind protowire.Type) (uint64, error) {
	if err := m.expect(kind, protowire.VarintType); err != nil {
		return 0, err
	}
	v, n := protowire.ConsumeVarint(m.body[m.pos:m.end])
	if n < 0 {
		return 0, m.fail("an integer is cut off or too long")
	}
	m.pos += n
	return v, nil
}

func (m *message) fixed64(kind protowire.Type) (uint64, error) {
	if err := m.expect(kind, protowire.Fixed64Type); err != nil {
		return 0, err
	}
	v, n := protowire.ConsumeFixed64(m.body[m.pos:m.end])
	if n < 0 {
		return 0, m.fail("a number is cut off")
	}
	m.pos += n
	return v, nil
}

// part is an embedded message, or anything with a length.
func (m *message) part(kind protowire.Type) (message, error) {
	if err := m.expect(kind, protowire.BytesType); err != nil {
		return message{}, err
	}
	v, n := protowire.ConsumeBytes(m.body[m.pos:m.end])
	if n < 0 {
		return message{}, m.fail("a part is longer than what is left of the report")
	}
	m.pos += n
	return message{text: m.text, body: m.body, pos: m.pos - len(v), end: m.pos}, nil
}

func (m *message) str(kind protowire.Type) (string, error) {
	p, err := m.part(kind)
	if err != nil {
		return "", err
	}
	return p.rest(), nil
}

// rest is what is left of the message, as text.
func (m *message) rest() string { return m.text[m.pos:m.end] }

// skip passes over a field that we do not know.
func (m *message) skip(number protowire.Number, kind protowire.Type) error {
	n := protowire.ConsumeFieldValue(number, kind, m.body[m.pos:m.end])
	if n < 0 {
		return m.fail("a field is cut off")
	}
	m.pos += n
	return nil
}
