package sink

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"tollgate.dev/internal/meter"
)

// appendTags writes tags as a JSON object, in their order.
func appendTags(b []byte, tags []meter.Tag) []byte {
	b = append(b, '{')
	for i, t := range tags {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendString(b, t.Key), ':')
		b = appendString(b, t.Value)
	}
	return append(b, '}')
}

// appendFields writes fields as a JSON object, in their order.
func appendFields(b []byte, fields []meter.Field) []byte {
	b = append(b, '{')
	for i, f := range fields {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendString(b, f.Key), ':')
		b = appendValue(b, f.Value)
	}
	return append(b, '}')
}

// appendValue writes what JSON cannot say as a string: NaN, infinities, bytes.
func appendValue(b []byte, v meter.Value) []byte {
	switch v.Kind {
	case meter.KindInt:
		return strconv.AppendInt(b, v.Int(), 10)
	case meter.KindUint:
		return strconv.AppendUint(b, v.Uint(), 10)
	case meter.KindFloat:
		f := v.Float()
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return appendString(b, strconv.FormatFloat(f, 'g', -1, 64))
		}
		return strconv.AppendFloat(b, f, 'g', -1, 64)
	case meter.KindBool:
		return strconv.AppendBool(b, v.Bool())
	case meter.KindString:
		return appendString(b, v.Text())
	}
	return appendBase64(b, v.Text())
}

const hex = "0123456789abcdef"

// appendString writes a JSON string, escaping as little as it must: the text
// filter compares with the same escapes, byte by byte.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	return append(appendEscaped(b, s), '"')
}

func appendEscaped(b []byte, s string) []byte {
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < 0x20:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		case c < utf8.RuneSelf:
			b = append(b, c)
		default:
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				b = append(b, "\ufffd"...)
			} else {
				b = append(b, s[i:i+n]...)
			}
			i += n
			continue
		}
		i++
	}
	return b
}

// parsePairs reads a JSON object back, in its order; values become text.
func parsePairs(text string) ([]Pair, error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if _, err := d.Token(); err != nil {
		return nil, fmt.Errorf("read a stored record: %w", err)
	}
	var pairs []Pair
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, fmt.Errorf("read a stored record: %w", err)
		}
		value, err := d.Token()
		if err != nil {
			return nil, fmt.Errorf("read a stored record: %w", err)
		}
		pairs = append(pairs, Pair{fmt.Sprint(key), fmt.Sprint(value)})
	}
	return pairs, nil
}
