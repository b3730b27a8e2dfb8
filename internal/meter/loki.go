package meter

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"time"
)

// The label that names a stream of Loki, by preference, and the name of one
// that has none of them.
var streamNames = []string{"service_name", "app", "job"}

const noStream = "loki"

// messageField is where a log line is kept.
const messageField = "message"

// DecodeLoki reads an unpacked push of Loki in protobuf:
//
//	PushRequest{repeated Stream streams = 1}
//	Stream{string labels = 1, as {a="b", c="d"}; repeated Entry entries = 2}
//	Entry{Timestamp{int64 seconds = 1; int32 nanos = 2} = 1; string line = 2;
//	  repeated Label{string name = 1, value = 2} structured metadata = 3}
//
// Each entry is a point with the stream's labels as tags, its line as the field
// "message", and its structured metadata as fields.
func DecodeLoki(body []byte, at time.Time) ([]Point, error) {
	var b builder
	err := newMessage(body).each(1, func(stream message) error {
		labels, err := lokiLabels(stream)
		if err != nil {
			return err
		}
		return stream.each(2, func(entry message) error { return decodeLokiEntry(&b, labels, entry, at) })
	})
	return b.done(err)
}

func lokiLabels(m message) (tags []Tag, err error) {
	for m.next() {
		if m.number != 1 {
			continue
		}
		part := m.part()
		tags, ok := parseLabels(part.rest())
		if !ok {
			m.keep(part.fail("the labels of a stream are not of the form {name=\"value\"}"))
		}
		return tags, m.err
	}
	return nil, m.err
}

// parseLabels reads {a="b", c="d"}, with values quoted as Go quotes texts.
func parseLabels(text string) (tags []Tag, ok bool) {
	if len(text) < 2 || text[0] != '{' || text[len(text)-1] != '}' {
		return nil, false
	}
	for text = trimSpace(text[1 : len(text)-1]); text != ""; {
		name := 0
		for name < len(text) && text[name] != '=' {
			name++
		}
		if name == 0 || name == len(text) || len(tags) >= MaxPerPoint {
			return nil, false
		}
		quoted, err := strconv.QuotedPrefix(text[name+1:])
		if err != nil {
			return nil, false
		}
		value, err := strconv.Unquote(quoted)
		if err != nil {
			return nil, false
		}
		tags = append(tags, Tag{trimSpace(text[:name]), value})
		text = trimSpace(text[name+1+len(quoted):])
		if text != "" {
			if text[0] != ',' {
				return nil, false
			}
			text = trimSpace(text[1:])
		}
	}
	return tags, true
}

func trimSpace(s string) string { return string(bytes.TrimSpace([]byte(s))) }

func decodeLokiEntry(b *builder, labels []Tag, m message, at time.Time) error {
	if err := beginEntry(b, labels); err != nil {
		return err
	}
	var stamp time.Time
	for m.next() {
		switch m.number {
		case 1:
			stamp = decodeTimestamp(&m)
		case 2:
			m.keep(b.field(messageField, Text(m.str())))
		case 3:
			m.keep(decodeLokiMetadata(b, m.part()))
		}
	}
	if m.err != nil {
		return m.err
	}
	return endEntry(b, labels, stamp, at)
}

func beginEntry(b *builder, labels []Tag) error {
	b.begin()
	for _, l := range labels {
		if err := b.tag(l.Key, l.Value); err != nil {
			return err
		}
	}
	return nil
}

func endEntry(b *builder, labels []Tag, stamp, at time.Time) error {
	name := noStream
search:
	for _, wanted := range streamNames {
		for _, l := range labels {
			if l.Key == wanted && l.Value != "" {
				name = l.Value
				break search
			}
		}
	}
	if stamp.IsZero() {
		return b.add(name, b.settle(), at, false)
	}
	return b.add(name, b.settle(), stamp, true)
}

// decodeTimestamp reads Timestamp{int64 seconds = 1; int32 nanos = 2}, the
// value of the field that the message stands at.
func decodeTimestamp(entry *message) time.Time {
	var seconds, nanos uint64
	m := entry.part()
	for m.next() {
		switch m.number {
		case 1:
			seconds = m.varint()
		case 2:
			nanos = m.varint()
		}
	}
	entry.keep(m.err)
	return time.Unix(int64(seconds), int64(nanos))
}

func decodeLokiMetadata(b *builder, m message) error {
	key, value := m.pair()
	switch {
	case m.err != nil:
		return m.err
	case key == "":
		return m.fail("an item of structured metadata has no name")
	}
	return b.field(key, Text(value))
}

// lokiJSON is {"streams":[{"stream":{…},"values":[[ns, line, {metadata}?]]}]},
// read value by value so that what it takes is bounded as it grows.
type lokiJSON struct {
	decoder *json.Decoder
	from    int64 // where what the decoder reads begins in the body
	b       builder
	at      time.Time
}

// DecodeLokiJSON reads a push of Loki in JSON.
func DecodeLokiJSON(body []byte, at time.Time) ([]Point, error) {
	l := &lokiJSON{decoder: json.NewDecoder(bytes.NewReader(body)), at: at}
	err := l.push()
	if err == nil {
		if _, err = l.decoder.Token(); !errors.Is(err, io.EOF) {
			err = l.fail("something follows the end of the push")
		} else {
			err = nil
		}
	}
	return l.b.done(err)
}

func (l *lokiJSON) fail(reason string) error {
	at := l.from + l.decoder.InputOffset()
	return ErrMalformed.Says("Byte %d: %s.", at, reason).With("format", "json").With("byte", at).With("reason", reason)
}

func (l *lokiJSON) push() error {
	return l.object(func(key string) error {
		if key != "streams" {
			return l.skip()
		}
		return l.list(l.stream)
	})
}

// stream reads one stream. Its labels may stand behind its values, so that
// those wait.
func (l *lokiJSON) stream() error {
	var labels []Tag
	var values json.RawMessage
	var valuesAt int64
	err := l.object(func(key string) (err error) {
		switch key {
		case "stream":
			return l.object(func(name string) error {
				value, err := l.text()
				if len(labels) >= MaxPerPoint {
					return ErrTooManyParts.With("per_point", MaxPerPoint)
				}
				labels = append(labels, Tag{name, value})
				return err
			})
		case "values":
			if err = l.decoder.Decode(&values); err != nil {
				err = l.fail("the values of a stream are no JSON")
			}
			valuesAt = l.decoder.InputOffset() - int64(len(values))
			return err
		}
		return l.skip()
	})
	if err != nil || values == nil {
		return err
	}
	outer := l.decoder
	defer func() { l.decoder, l.from = outer, 0 }()
	l.from = valuesAt
	l.decoder = json.NewDecoder(bytes.NewReader(values))
	return l.list(func() error { return l.entry(labels) })
}

func (l *lokiJSON) entry(labels []Tag) error {
	if err := beginEntry(&l.b, labels); err != nil {
		return err
	}
	var stamp time.Time
	position := 0
	err := l.list(func() error {
		position++
		switch position {
		case 1:
			text, err := l.text()
			if err != nil {
				return err
			}
			nanos, err := strconv.ParseInt(text, 10, 64)
			if err != nil {
				return l.fail("the time of an entry is not a number of nanoseconds")
			}
			stamp = time.Unix(0, nanos)
			return nil
		case 2:
			line, err := l.text()
			if err != nil {
				return err
			}
			return l.b.field(messageField, Text(line))
		case 3:
			return l.object(func(key string) error {
				value, err := l.text()
				if err != nil {
					return err
				}
				return l.b.field(key, Text(value))
			})
		}
		return l.fail("an entry has more than a time, a line and metadata")
	})
	switch {
	case err != nil:
		return err
	case position < 2:
		return l.fail("an entry has no line")
	}
	return endEntry(&l.b, labels, stamp, l.at)
}

// object calls f with each key of an object; f reads the value.
func (l *lokiJSON) object(f func(key string) error) error {
	if err := l.open('{'); err != nil {
		return err
	}
	for l.decoder.More() {
		key, err := l.text()
		if err != nil {
			return err
		}
		if err := f(key); err != nil {
			return err
		}
	}
	return l.close()
}

// list calls f for each value of an array; f reads it.
func (l *lokiJSON) list(f func() error) error {
	if err := l.open('['); err != nil {
		return err
	}
	for l.decoder.More() {
		if err := f(); err != nil {
			return err
		}
	}
	return l.close()
}

func (l *lokiJSON) open(want json.Delim) error {
	token, err := l.decoder.Token()
	if err != nil || token != want {
		return l.fail("here " + want.String() + " should stand")
	}
	return nil
}

func (l *lokiJSON) close() error {
	if _, err := l.decoder.Token(); err != nil {
		return l.fail("this is no JSON, or it is cut off")
	}
	return nil
}

func (l *lokiJSON) text() (string, error) {
	token, err := l.decoder.Token()
	text, ok := token.(string)
	if err != nil || !ok {
		return "", l.fail("here a text should stand")
	}
	return text, nil
}

func (l *lokiJSON) skip() error {
	var raw json.RawMessage
	if err := l.decoder.Decode(&raw); err != nil {
		return l.fail("this is no JSON, or it is cut off")
	}
	return nil
}
