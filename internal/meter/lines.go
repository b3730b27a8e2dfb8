package meter

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// DecodeLines reads Influx line protocol, of versions 1 and 2 and of DataWay
// version 1: measurement[,tag=value…] field=value[,…] [timestamp]. The
// precision is the unit of the timestamps; a point without one is stamped with
// the time of receipt.
func DecodeLines(body []byte, precision time.Duration, at time.Time) ([]Point, error) {
	p := lineParser{text: string(body), line: 1, unit: int64(precision), at: at}
	for p.blank() {
		if err := p.point(); err != nil {
			return nil, err
		}
		p.b.foresee(p.pos, len(p.text))
	}
	return p.b.points, nil
}

// lineParser walks the text once. A delimiter is escaped when a backslash
// stands right before it; any other backslash is itself, as the format has it.
type lineParser struct {
	text string
	pos  int
	line int
	unit int64
	at   time.Time
	b    builder
}

// The bytes that end each part, and that a backslash may escape in it.
const (
	nameEnds  = ", "
	keyEnds   = ",= "
	valueEnds = ", "
)

func (p *lineParser) fail(reason string) error {
	return ErrMalformed.Says("Line %d: %s.", p.line, reason).With("format", "line protocol").With("line", p.line).With("reason", reason)
}

// blank skips empty lines and comments; it reports whether anything is left.
func (p *lineParser) blank() bool {
	for p.pos < len(p.text) {
		switch p.text[p.pos] {
		case '\n':
			p.line++
			p.pos++
		case ' ', '\t', '\r':
			p.pos++
		case '#':
			end := strings.IndexByte(p.text[p.pos:], '\n')
			if end < 0 {
				p.pos = len(p.text)
				return false
			}
			p.pos += end
		default:
			return true
		}
	}
	return false
}

// here is the byte at the position; the end of the text and of a line are 0.
func (p *lineParser) here() byte {
	if p.pos >= len(p.text) {
		return 0
	}
	c := p.text[p.pos]
	if c == '\n' || c == '\r' && (p.pos+1 == len(p.text) || p.text[p.pos+1] == '\n') {
		return 0
	}
	return c
}

// scan reads up to an unescaped byte of ends or the end of the line.
func (p *lineParser) scan(ends string) string {
	start, escaped := p.pos, false
	for {
		c := p.here()
		if c == 0 && p.ended() {
			break
		}
		if c == '\\' && p.pos+1 < len(p.text) && strings.IndexByte(ends, p.text[p.pos+1]) >= 0 {
			escaped = true
			p.pos += 2
			continue
		}
		if strings.IndexByte(ends, c) >= 0 {
			break
		}
		p.pos++
	}
	if part := p.text[start:p.pos]; !escaped {
		return part
	}
	return unescape(p.text[start:p.pos], ends)
}

// ended tells the end of a line from a zero byte in it.
func (p *lineParser) ended() bool {
	return p.pos >= len(p.text) || p.text[p.pos] != 0
}

func unescape(s, ends string) string {
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) && strings.IndexByte(ends, s[i+1]) >= 0 {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func (p *lineParser) spaces() {
	for p.pos < len(p.text) && p.text[p.pos] == ' ' {
		p.pos++
	}
}

func (p *lineParser) point() error {
	p.b.begin()
	name := p.scan(nameEnds)
	if name == "" {
		return p.fail("the measurement is missing")
	}
	for p.here() == ',' {
		if err := p.tag(); err != nil {
			return err
		}
	}
	if p.here() != ' ' {
		return p.fail("the fields are missing")
	}
	p.spaces()
	for more := true; more; more = p.comma() {
		if err := p.field(); err != nil {
			return err
		}
	}
	at, stamped, err := p.timestamp()
	if err != nil {
		return err
	}
	return p.b.add(name, p.b.settle(), at, stamped)
}

func (p *lineParser) comma() bool {
	if p.here() != ',' {
		return false
	}
	p.pos++
	return true
}

func (p *lineParser) tag() error {
	p.pos++ // the comma
	key := p.scan(keyEnds)
	if key == "" {
		return p.fail("a tag has no key")
	}
	if p.here() != '=' {
		return p.fail("a tag has no value")
	}
	p.pos++
	value := p.scan(keyEnds)
	if p.here() == '=' {
		return p.fail("a tag's value has an equals sign that is not escaped")
	}
	return p.b.tag(key, value)
}

func (p *lineParser) field() error {
	key := p.scan(keyEnds)
	if key == "" {
		return p.fail("a field has no key")
	}
	if p.here() != '=' {
		return p.fail("a field has no value")
	}
	p.pos++
	value, err := p.value()
	if err != nil {
		return err
	}
	return p.b.field(key, value)
}

func (p *lineParser) value() (Value, error) {
	if p.here() == '"' {
		return p.quoted()
	}
	start := p.pos
	for c := p.here(); c != 0 && strings.IndexByte(valueEnds, c) < 0; c = p.here() {
		p.pos++
	}
	return p.number(p.text[start:p.pos])
}

// quoted reads a string, which may span lines; a backslash escapes a quote
// and itself.
func (p *lineParser) quoted() (Value, error) {
	first := p.line
	p.pos++
	start, escaped := p.pos, false
	for p.pos < len(p.text) {
		switch c := p.text[p.pos]; {
		case c == '"':
			part := p.text[start:p.pos]
			p.pos++
			if escaped {
				part = unescape(part, `"\`)
			}
			return Text(part), nil
		case c == '\\' && p.pos+1 < len(p.text) && (p.text[p.pos+1] == '"' || p.text[p.pos+1] == '\\'):
			escaped = true
			p.pos++
		case c == '\n':
			p.line++
		}
		p.pos++
	}
	p.line = first
	return Value{}, p.fail("a string is not closed")
}

func (p *lineParser) number(s string) (Value, error) {
	switch s {
	case "":
		return Value{}, p.fail("a field has no value")
	case "t", "T", "true", "True", "TRUE":
		return Bool(true), nil
	case "f", "F", "false", "False", "FALSE":
		return Bool(false), nil
	}
	switch s[len(s)-1] {
	case 'i':
		if v, err := strconv.ParseInt(s[:len(s)-1], 10, 64); err == nil {
			return Int(v), nil
		}
		return Value{}, p.fail("a field is not a 64-bit integer")
	case 'u':
		if v, err := strconv.ParseUint(s[:len(s)-1], 10, 64); err == nil {
			return Uint(v), nil
		}
		return Value{}, p.fail("a field is not an unsigned 64-bit integer")
	}
	// The format knows no NaN, no infinity and no hexadecimal floats, though
	// the parser of the language would take them.
	if strings.Trim(s, "0123456789+-.eE") != "" {
		return Value{}, p.fail("a field is neither a number, a string nor a truth value")
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return Value{}, p.fail("a field is not a number")
	}
	return Float(v), nil
}

// timestamp reads what may follow the fields, up to the end of the line.
func (p *lineParser) timestamp() (at time.Time, stamped bool, err error) {
	at = p.at
	if c := p.here(); c != ' ' && c != 0 || c == 0 && !p.ended() {
		return at, false, p.fail("something follows a field that does not belong there")
	}
	p.spaces()
	start := p.pos
	for c := p.here(); c != 0 && c != ' '; c = p.here() {
		p.pos++
	}
	if text := p.text[start:p.pos]; text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return at, false, p.fail("the timestamp is not a 64-bit integer")
		}
		if n > math.MaxInt64/p.unit || n < math.MinInt64/p.unit {
			return at, false, ErrTimestamp.With("line", p.line)
		}
		at, stamped = time.Unix(0, n*p.unit), true
	}
	p.spaces()
	if p.here() != 0 || !p.ended() {
		return at, stamped, p.fail("something follows the timestamp")
	}
	return at, stamped, nil
}
