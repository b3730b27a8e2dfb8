package meter

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"pgregory.net/rapid"
)

// Encoders of the three formats, written for the tests alone and sharing
// nothing with the decoders.

func encodeLines(points []Point, unit time.Duration) []byte {
	esc := strings.NewReplacer(",", `\,`, "=", `\=`, " ", `\ `)
	name := strings.NewReplacer(",", `\,`, " ", `\ `)
	str := strings.NewReplacer(`\`, `\\`, `"`, `\"`)
	var b strings.Builder
	for _, p := range points {
		b.WriteString(name.Replace(p.Name))
		for _, t := range p.Tags {
			b.WriteString("," + esc.Replace(t.Key) + "=" + esc.Replace(t.Value))
		}
		for i, f := range p.Fields {
			b.WriteByte(" ,"[min(i, 1)])
			b.WriteString(esc.Replace(f.Key) + "=")
			switch v := f.Value; v.Kind {
			case KindInt:
				fmt.Fprintf(&b, "%di", v.Int())
			case KindUint:
				fmt.Fprintf(&b, "%du", v.Uint())
			case KindFloat:
				b.WriteString(strconv.FormatFloat(v.Float(), 'g', -1, 64))
			case KindBool:
				b.WriteString([]string{"f", "TRUE"}[v.bits])
			default:
				b.WriteString(`"` + str.Replace(v.Text()) + `"`)
			}
		}
		if p.Stamped {
			fmt.Fprintf(&b, " %d", p.Time.UnixNano()/int64(unit))
		}
		b.WriteByte('\n')
	}
	return []byte(b.String())
}

func part(b []byte, number protowire.Number, content []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, number, protowire.BytesType), content)
}

func varint(b []byte, number protowire.Number, v uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, number, protowire.VarintType), v)
}

func fixed(b []byte, number protowire.Number, v float64) []byte {
	return protowire.AppendFixed64(protowire.AppendTag(b, number, protowire.Fixed64Type), math.Float64bits(v))
}

func encodeDataWay(points []Point) []byte {
	var out []byte
	for _, p := range points {
		point := part(nil, 1, []byte(p.Name))
		for _, t := range p.Tags {
			point = part(point, 2, varint(part(part(nil, 1, []byte(t.Key)), 11, []byte(t.Value)), 8, 1))
		}
		for _, f := range p.Fields {
			field := part(nil, 1, []byte(f.Key))
			switch v := f.Value; v.Kind {
			case KindInt:
				field = varint(field, 2, uint64(v.Int()))
			case KindUint:
				field = varint(field, 3, v.Uint())
			case KindFloat:
				field = fixed(field, 4, v.Float())
			case KindBool:
				field = varint(field, 5, v.bits)
			case KindBytes:
				field = part(field, 6, []byte(v.Text()))
			default:
				field = part(field, 11, []byte(v.Text()))
			}
			point = part(point, 2, part(field, 10, []byte("unit")))
		}
		if p.Stamped {
			point = varint(point, 3, uint64(p.Time.UnixNano()))
		}
		out = part(out, 1, point)
	}
	return out
}

// encodeRemoteWrite takes points of one "value" field, each as its own series.
func encodeRemoteWrite(points []Point) []byte {
	var out []byte
	for _, p := range points {
		series := part(nil, 1, part(part(nil, 1, []byte("__name__")), 2, []byte(p.Name)))
		for _, t := range p.Tags {
			series = part(series, 1, part(part(nil, 1, []byte(t.Key)), 2, []byte(t.Value)))
		}
		for _, f := range p.Fields {
			series = part(series, 2, varint(fixed(nil, 1, f.Value.Float()), 2, uint64(p.Time.UnixMilli())))
		}
		out = part(out, 1, series)
	}
	return part(out, 3, part(varint(nil, 1, 1), 2, []byte("up")))
}

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// word draws texts with everything in them that a format has to escape, save
// what line protocol cannot say: a newline or a backslash outside a string.
func word(t *rapid.T, label string) string {
	return rapid.StringOfN(rapid.RuneFrom([]rune("abcABC019_-.,= \"#:é中€\x00")), 1, 12, -1).Draw(t, label)
}

func drawTags(t *rapid.T) []Tag {
	m := rapid.MapOfN(rapid.Custom(func(t *rapid.T) string { return word(t, "key") }), rapid.Just(0), 0, 5).Draw(t, "tags")
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	tags := []Tag{}
	for _, k := range keys {
		tags = append(tags, Tag{k, word(t, "value")})
	}
	return tags
}

func drawValue(t *rapid.T) Value {
	switch rapid.IntRange(0, 4).Draw(t, "kind") {
	case 0:
		return Int(rapid.Int64().Draw(t, "int"))
	case 1:
		return Uint(rapid.Uint64().Draw(t, "uint"))
	case 2:
		return Float(rapid.Float64().Draw(t, "float"))
	case 3:
		return Bool(rapid.Bool().Draw(t, "bool"))
	}
	return Text(rapid.StringOf(rapid.RuneFrom([]rune("ab \\\"\n\r,=é中\x00"))).Draw(t, "text"))
}

func drawPoint(t *rapid.T) Point {
	p := Point{Name: "m" + word(t, "name"), Tags: drawTags(t), Stamped: rapid.Bool().Draw(t, "stamped"), Time: noon}
	for range rapid.IntRange(1, 4).Draw(t, "fields") {
		p.Fields = append(p.Fields, Field{word(t, "field"), drawValue(t)})
	}
	if p.Stamped {
		p.Time = time.Unix(0, rapid.Int64Range(1, math.MaxInt64).Draw(t, "time"))
	}
	return p
}
