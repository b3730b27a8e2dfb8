package meter

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tollgate.dev/internal/fault"
)

// lokiEntry is a line of a test.
type lokiEntry struct {
	nanos int64
	line  string
	meta  map[string]string
}

func lokiProtobuf(labels map[string]string, entries []lokiEntry) []byte {
	var pairs []string
	for k, v := range labels {
		pairs = append(pairs, k+"="+strconv.Quote(v))
	}
	stream := part(nil, 1, []byte("{"+strings.Join(pairs, ", ")+"}"))
	for _, e := range entries {
		entry := part(nil, 1, varint(varint(nil, 1, uint64(e.nanos/1e9)), 2, uint64(e.nanos%1e9)))
		entry = part(entry, 2, []byte(e.line))
		for k, v := range e.meta {
			entry = part(entry, 3, part(part(nil, 1, []byte(k)), 2, []byte(v)))
		}
		stream = part(stream, 2, entry)
	}
	return part(nil, 1, stream)
}

func lokiText(labels map[string]string, entries []lokiEntry) []byte {
	values := []any{}
	for _, e := range entries {
		value := []any{strconv.FormatInt(e.nanos, 10), e.line}
		if e.meta != nil {
			value = append(value, e.meta)
		}
		values = append(values, value)
	}
	body, err := json.Marshal(map[string]any{"streams": []any{map[string]any{"stream": labels, "values": values, "other": []int{1}}}})
	if err != nil {
		panic(err)
	}
	return body
}

func TestLokiIsTheSameInJSONAndProtobuf(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.StringOfN(rapid.RuneFrom([]rune("ab{}\"\\,= é中\n")), 1, 8, -1)
		labels := rapid.MapOfN(rapid.SampledFrom([]string{"app", "job", "host", "level"}), texts, 0, 4).Draw(t, "labels")
		var entries []lokiEntry
		for range rapid.IntRange(0, 5).Draw(t, "entries") {
			e := lokiEntry{nanos: rapid.Int64Range(1, 2e18).Draw(t, "nanos"), line: texts.Draw(t, "line")}
			if rapid.Bool().Draw(t, "has metadata") {
				e.meta = map[string]string{"trace": texts.Draw(t, "trace")}
			}
			entries = append(entries, e)
		}
		a, err1 := DecodeLoki(lokiProtobuf(labels, entries), noon)
		b, err2 := DecodeLokiJSON(lokiText(labels, entries), noon)
		if err1 != nil || err2 != nil || len(a) != len(entries) || len(a) != len(b) {
			t.Fatalf("%d and %d points of %d; %v, %v", len(a), len(b), len(entries), err1, err2)
		}
		for i := range a {
			if x, y := fmt.Sprint(a[i]), fmt.Sprint(b[i]); x != y || a[i].Time.UnixNano() != entries[i].nanos || fieldsOf(a[i])["message"] != entries[i].line {
				t.Fatalf("%s in protobuf, %s in JSON", x, y)
			}
		}
	})
}

func TestALokiStreamIsNamedByItsLabels(t *testing.T) {
	t.Parallel()
	for name, labels := range map[string]map[string]string{
		"svc": {"service_name": "svc", "app": "a", "job": "j"}, "a": {"app": "a", "job": "j"}, "j": {"job": "j"}, "loki": {"host": "h"},
	} {
		points, err := DecodeLokiJSON(lokiText(labels, []lokiEntry{{nanos: 1, line: "x"}}), noon)
		if err != nil || points[0].Name != name {
			t.Errorf("%v: %v, %v; want %s", labels, points, err, name)
		}
	}
	// The labels may stand behind the values.
	points, err := DecodeLokiJSON([]byte(`{"streams":[{"values":[["1","x"]],"stream":{"app":"a"}}]}`), noon)
	if err != nil || points[0].Name != "a" {
		t.Errorf("%v, %v", points, err)
	}
}

func TestBrokenLokiSaysWhere(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		"", "[]", "{", `{"streams":{}}`, `{"streams":[[]]}`, `{"streams":[{"stream":[]}]}`, `{"streams":[{"stream":{"a":1}}]}`, `{"streams":[{"values":[[]]}]}`,
		`{"streams":[{"values":[["x","y"]]}]}`, `{"streams":[{"values":[[1,"y"]]}]}`, `{"streams":[{"values":[["1"]]}]}`, `{"streams":[{"values":[["1",2]]}]}`,
		`{"streams":[{"values":[["1","a",{"k":1}]]}]}`, `{"streams":[{"values":[["1","a",{},3]]}]}`, `{"streams":[{"values":3}]}`, `{"streams":[]} x`,
	} {
		_, err := DecodeLokiJSON([]byte(body), noon)
		if f := fault.From(err); err == nil || f.Code != ErrMalformed.Code || !strings.HasPrefix(f.Message, "Byte ") {
			t.Errorf("%s: %v", body, err)
		}
	}
	for _, labels := range []string{"", "{", "a=b", `{a}`, `{a=b}`, `{a="b"`, `{a="b"c="d"}`, `{="b"}`, `{a="b\q"}`} {
		if _, err := DecodeLoki(part(nil, 1, part(nil, 1, []byte(labels))), noon); err == nil || fault.From(err).Kind != fault.Invalid {
			t.Errorf("%s: %v", labels, err)
		}
	}
}

func FuzzDecodeLoki(f *testing.F) {
	entries := []lokiEntry{{nanos: noon.UnixNano(), line: "x", meta: map[string]string{"k": "v"}}}
	f.Add(lokiProtobuf(map[string]string{"app": "a"}, entries))
	f.Add(lokiText(map[string]string{"app": "a"}, entries))
	f.Fuzz(func(t *testing.T, body []byte) {
		points, err := DecodeLoki(body, noon)
		sound(t, points, err)
		points, err = DecodeLokiJSON(body, noon)
		sound(t, points, err)
	})
}

// encodeRemoteWrite2 packs the points with every text once among the symbols.
func encodeRemoteWrite2(points []Point, packed bool) []byte {
	symbols, places := []string{""}, map[string]uint64{"": 0}
	ref := func(text string) uint64 {
		if _, ok := places[text]; !ok {
			places[text] = uint64(len(symbols))
			symbols = append(symbols, text)
		}
		return places[text]
	}
	var body []byte
	for _, p := range points {
		refs := []uint64{ref("__name__"), ref(p.Name)}
		for _, t := range p.Tags {
			refs = append(refs, ref(t.Key), ref(t.Value))
		}
		var series, list []byte
		for _, r := range refs {
			if packed {
				list = append(list, varint(nil, 1, r)[1:]...)
			} else {
				series = varint(series, 1, r)
			}
		}
		if packed {
			series = part(nil, 1, list)
		}
		for _, f := range p.Fields {
			series = part(series, 2, varint(fixed(nil, 1, f.Value.Float()), 2, uint64(p.Time.UnixMilli())))
		}
		body = part(body, 5, series)
	}
	for _, s := range symbols {
		body = part(body, 4, []byte(s))
	}
	return body
}

func TestBothVersionsOfRemoteWriteAreTheSameReport(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var points []Point
		for range rapid.IntRange(0, 6).Draw(t, "series") {
			p := Point{Name: word(t, "name"), Tags: drawTags(t), Time: noon, Stamped: true}
			for range rapid.IntRange(0, 3).Draw(t, "samples") {
				p.Fields = append(p.Fields, Field{"value", Float(rapid.Float64().Draw(t, "value"))})
			}
			points = append(points, p)
		}
		a, err1 := DecodeRemoteWrite(encodeRemoteWrite(points))
		b, written, err2 := DecodeRemoteWrite2(encodeRemoteWrite2(points, rapid.Bool().Draw(t, "packed")))
		if err1 != nil || err2 != nil || !reflect.DeepEqual(fmt.Sprint(a), fmt.Sprint(b)) {
			t.Fatalf("%v, %v in version 1; %v, %v in version 2", a, err1, b, err2)
		}
		samples := 0
		for _, p := range points {
			samples += len(p.Fields)
		}
		if written.Samples != samples {
			t.Fatalf("says %d samples of %d", written.Samples, samples)
		}
	})
	for _, body := range [][]byte{
		part(nil, 5, varint(nil, 1, 3)), part(part(nil, 4, nil), 5, varint(nil, 1, 0)), part(part(nil, 4, []byte("a")), 5, varint(nil, 1, 0)), {0x2a, 0xff},
	} {
		if _, _, err := DecodeRemoteWrite2(body); err == nil || fault.From(err).Kind != fault.Invalid {
			t.Errorf("%x: %v", body, err)
		}
	}
}

func FuzzDecodeRemoteWrite2(f *testing.F) {
	f.Add(encodeRemoteWrite2([]Point{{Name: "up", Tags: []Tag{{"job", "x"}}, Fields: []Field{{"value", Float(1)}}, Time: time.UnixMilli(1)}}, true))
	f.Fuzz(func(t *testing.T, body []byte) {
		points, _, err := DecodeRemoteWrite2(body)
		sound(t, points, err)
	})
}
