package meter

import (
	"testing"
	"time"

	"github.com/klauspost/compress/snappy"
	"tollgate.dev/internal/fault"
)

// sound checks what holds for every input: all points in canonical form or a
// fault that is not ours.
func sound(t *testing.T, points []Point, err error) {
	if err != nil {
		if len(points) > 0 || fault.From(err).Kind == fault.Internal {
			t.Fatalf("got %d points and %v", len(points), err)
		}
		return
	}
	for _, p := range points {
		if p.Name == "" || !sorted(p.Tags) {
			t.Fatalf("not canonical: %+v", p)
		}
	}
	for _, kind := range Types() {
		counter.Count(kind, points, Options{})
	}
}

func samples() []Point {
	return []Point{
		{Name: "cpu", Tags: []Tag{{"host", "a"}, {"zone", "b"}}, Fields: []Field{{"v", Float(1.5)}, {"n", Int(-3)}}, Time: noon, Stamped: true},
		{Name: "log", Fields: []Field{{"message", Text("line \"one\"\nline two")}, {"ok", Bool(true)}, {"u", Uint(9)}, {"d", Bytes("xx")}}, Time: noon},
	}
}

func FuzzDecodeLines(f *testing.F) {
	for _, seed := range []string{"", "m f=1", "m,a=b f=1i 1700000000", `m,a\ b=c\,d f="x\"y\\"`, "# c\n\nm f=t\r\n", "m f=\"open", string(encodeLines(samples(), 1))} {
		f.Add([]byte(seed), int64(1))
	}
	f.Fuzz(func(t *testing.T, body []byte, unit int64) {
		points, err := DecodeLines(body, time.Duration(max(1, min(unit, int64(time.Hour)))), noon)
		sound(t, points, err)
	})
}

func FuzzDecodeDataWay(f *testing.F) {
	f.Add(encodeDataWay(samples()))
	f.Add([]byte{0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Add([]byte{0x0b, 0x0b, 0x0b, 0x0c})
	f.Fuzz(func(t *testing.T, body []byte) {
		points, err := DecodeDataWay(body, noon)
		sound(t, points, err)
	})
}

func FuzzDecodeRemoteWrite(f *testing.F) {
	points := []Point{{Name: "up", Tags: []Tag{{"job", "x"}}, Fields: []Field{{"value", Float(1)}, {"value", Float(2)}}, Time: noon}}
	f.Add(snappy.Encode(nil, encodeRemoteWrite(points)))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, body []byte) {
		if unpacked, err := Unsnap(nil, body, 1<<20); err == nil {
			body = unpacked
		}
		points, err := DecodeRemoteWrite(body)
		sound(t, points, err)
	})
}
