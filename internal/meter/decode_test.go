package meter

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/snappy"
	"pgregory.net/rapid"

	"tollgate.dev/internal/fault"
)

func diff(got, want []Point) string {
	return cmp.Diff(want, got, cmp.AllowUnexported(Value{}), cmp.Transformer("empty", func(t []Tag) []Tag {
		if len(t) == 0 {
			return nil
		}
		return t
	}))
}

func TestLineProtocolRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		points := rapid.SliceOf(rapid.Custom(drawPoint)).Draw(t, "points")
		got, err := DecodeLines(encodeLines(points, 1), time.Nanosecond, noon)
		if err != nil {
			t.Fatal(err)
		}
		if len(points) > 0 && diff(got, points) != "" {
			t.Fatal(diff(got, points))
		}
	})
}

func TestDataWayRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		points := rapid.SliceOf(rapid.Custom(drawPoint)).Draw(t, "points")
		got, err := DecodeDataWay(encodeDataWay(points), noon)
		if err != nil {
			t.Fatal(err)
		}
		if len(points) > 0 && diff(got, points) != "" {
			t.Fatal(diff(got, points))
		}
	})
}

func TestRemoteWriteRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		points := rapid.SliceOfN(rapid.Custom(drawPoint), 1, 20).Draw(t, "points")
		for i := range points {
			points[i].Fields = []Field{{"value", Float(rapid.Float64().Draw(t, "sample"))}}
			points[i].Time = time.UnixMilli(rapid.Int64Range(0, 1e14).Draw(t, "millis"))
			points[i].Stamped = true
		}
		packed := snappy.Encode(nil, encodeRemoteWrite(points))
		body, err := Unsnap(nil, packed, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		got, err := DecodeRemoteWrite(body)
		if err != nil {
			t.Fatal(err)
		}
		if diff(got, points) != "" {
			t.Fatal(diff(got, points))
		}
	})
}

func TestLineProtocolAsTheFormatHasIt(t *testing.T) {
	t.Parallel()
	second := time.Unix(1700000000, 0)
	tests := map[string]struct {
		text string
		unit time.Duration
		want []Point
	}{
		"escapes": {`my\ m\,1,a\ b=c\=d\,e,z=\\x f\ 1="say \"hi\" \\ \n"`, 1,
			[]Point{{Name: "my m,1", Tags: []Tag{{"a b", "c=d,e"}, {"z", `\\x`}}, Fields: []Field{{"f 1", Text(`say "hi" \ \n`)}}, Time: noon}}},
		"a backslash before an escaped comma": {`m,a=x\\,b f=1`, 1,
			[]Point{{Name: "m", Tags: []Tag{{"a", `x\,b`}}, Fields: []Field{{"f", Float(1)}}, Time: noon}}},
		"types": {"m a=1,b=-2i,c=3u,d=t,e=False,f=1e3 1700000000000000000", 1,
			[]Point{{Name: "m", Fields: []Field{{"a", Float(1)}, {"b", Int(-2)}, {"c", Uint(3)}, {"d", Bool(true)}, {"e", Bool(false)}, {"f", Float(1000)}}, Time: second, Stamped: true}}},
		"seconds":              {"m a=1 1700000000", time.Second, []Point{{Name: "m", Fields: []Field{{"a", Float(1)}}, Time: second, Stamped: true}}},
		"milliseconds":         {"m a=1 1700000000000", time.Millisecond, []Point{{Name: "m", Fields: []Field{{"a", Float(1)}}, Time: second, Stamped: true}}},
		"microseconds":         {"m a=1 1700000000000000", time.Microsecond, []Point{{Name: "m", Fields: []Field{{"a", Float(1)}}, Time: second, Stamped: true}}},
		"no stamp is receipt":  {"m a=1", 1, []Point{{Name: "m", Fields: []Field{{"a", Float(1)}}, Time: noon}}},
		"comments, blanks, CR": {"# c\r\n\r\n  m a=1i  1700000000000000000 \r\n#end", 1, []Point{{Name: "m", Fields: []Field{{"a", Int(1)}}, Time: second, Stamped: true}}},
		"tags are sorted, the last of a key holds, empty ones drop": {"m,z=1,a=2,a=3,e= f=1", 1,
			[]Point{{Name: "m", Tags: []Tag{{"a", "3"}, {"z", "1"}}, Fields: []Field{{"f", Float(1)}}, Time: noon}}},
		"nothing": {"", 1, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := DecodeLines([]byte(tt.text), tt.unit, noon)
			if err != nil {
				t.Fatal(err)
			}
			if d := diff(got, tt.want); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestMalformedLinesNameTheirLine(t *testing.T) {
	t.Parallel()
	for _, line := range []string{
		"m", "m ", ",a=b f=1", "m,a f=1", "m,a= ", "m,=b f=1", "m, f=1", "m,a=b=c f=1", "m f", "m f=", "m =1", "m f=1,",
		`m f="open`, `m f="x"y`, "m f=0x10", "m f=NaN", "m f=Inf", "m f=1_0", "m f=1.2i", "m f=-1u", "m f=99999999999999999999i",
		"m f=yes", "m f=1 x", "m f=1 1.5", "m f=1 1 1", "m f=1\x00", "m f=1 99999999999999999999",
	} {
		points, err := DecodeLines([]byte("ok f=1\n# note\n"+line+"\nok f=1\n"), 1, noon)
		if !errors.Is(err, ErrMalformed) {
			t.Errorf("%q: got %v and %v, want malformed", line, points, err)
			continue
		}
		if got := fault.From(err).Args["line"]; got != 3 {
			t.Errorf("%q: fault at line %v, want 3 (%v)", line, got, err)
		}
	}
}

func TestAPrecisionThatOverflowsIsRefused(t *testing.T) {
	t.Parallel()
	_, err := DecodeLines([]byte("m f=1 9000000000000"), time.Hour, noon)
	if !errors.Is(err, ErrTimestamp) {
		t.Errorf("got %v, want %v", err, ErrTimestamp)
	}
}

func TestMalformedProtobufNamesItsByte(t *testing.T) {
	t.Parallel()
	good := encodeDataWay([]Point{{Name: "m", Fields: []Field{{"f", Int(1)}}}})
	tests := map[string][]byte{
		"truncated":        good[:len(good)-1],
		"no name":          encodeDataWay([]Point{{Fields: []Field{{"f", Int(1)}}}}),
		"no key":           encodeDataWay([]Point{{Name: "m", Fields: []Field{{"", Int(1)}}}}),
		"not protobuf":     []byte("cpu,host=a f=1"),
		"a number as arr":  varint(nil, 1, 7),
		"a text as time":   part(nil, 1, part(part(nil, 1, []byte("m")), 3, []byte("x"))),
		"an unclosed tail": append(good, 0x0a, 0xff),
	}
	for name, body := range tests {
		_, err := DecodeDataWay(body, noon)
		if !errors.Is(err, ErrMalformed) || fault.From(err).Args["byte"] == nil {
			t.Errorf("%s: got %v, want malformed with its byte", name, err)
		}
	}
	for name, body := range map[string][]byte{
		"no metric name":  part(nil, 1, part(nil, 1, part(part(nil, 1, []byte("a")), 2, []byte("b")))),
		"nameless label":  part(nil, 1, part(nil, 1, part(nil, 2, []byte("b")))),
		"truncated":       encodeRemoteWrite([]Point{{Name: "m", Fields: []Field{{"value", Float(1)}}}})[:9],
		"a sample as int": part(nil, 1, varint(part(nil, 1, part(part(nil, 1, []byte("__name__")), 2, []byte("b"))), 2, 7)),
	} {
		if _, err := DecodeRemoteWrite(body); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: got %v, want malformed", name, err)
		}
	}
}

func TestAPointWithoutTimeIsStampedWithReceipt(t *testing.T) {
	t.Parallel()
	got, err := DecodeDataWay(encodeDataWay([]Point{{Name: "m", Fields: []Field{{"f", Int(1)}}}}), noon)
	if err != nil || len(got) != 1 || !got[0].Time.Equal(noon) || got[0].Stamped {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestMetadataAloneIsAnEmptyReport(t *testing.T) {
	t.Parallel()
	got, err := DecodeRemoteWrite(encodeRemoteWrite(nil))
	if err != nil || len(got) != 0 {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestStalenessMarkersAreNoSamples(t *testing.T) {
	t.Parallel()
	stale := math.Float64frombits(staleMarker)
	body := encodeRemoteWrite([]Point{{Name: "gone", Fields: []Field{{"value", Float(stale)}}, Time: noon}, {Name: "up", Fields: []Field{{"value", Float(math.NaN())}}, Time: noon}})
	got, err := DecodeRemoteWrite(body)
	if err != nil || len(got) != 1 || got[0].Name != "up" {
		t.Errorf("got %v, %v; want the plain NaN alone", got, err)
	}
}

func TestANativeHistogramIsOneSeries(t *testing.T) {
	t.Parallel()
	label := part(part(nil, 1, []byte("__name__")), 2, []byte("latency"))
	histogram := varint(fixed(varint(nil, 1, 12), 3, 4.5), 15, uint64(noon.UnixMilli()))
	got, err := DecodeRemoteWrite(part(nil, 1, part(part(nil, 4, histogram), 1, label)))
	if err != nil || len(got) != 1 || got[0].Fields[0].Value.Text() != string(histogram) || !got[0].Time.Equal(noon) {
		t.Fatalf("got %v, %v", got, err)
	}
	if n := len(series(Metric, got)); n != 1 {
		t.Errorf("counted %d series, want 1", n)
	}
}

func TestReportsAreBounded(t *testing.T) {
	t.Parallel()
	many := strings.Repeat("m f=1\n", MaxPoints)
	if got, err := DecodeLines([]byte(many), 1, noon); err != nil || len(got) != MaxPoints {
		t.Errorf("%d points: got %d, %v", MaxPoints, len(got), err)
	}
	for name, text := range map[string]string{
		"points":     many + "m f=1\n",
		"fields":     "m " + strings.Repeat("f=1,", MaxPerPoint) + "f=1",
		"tags":       "m" + strings.Repeat(",a=b", MaxPerPoint) + " f=1",
		"attributes": strings.Repeat("m f=1"+strings.Repeat(",f=1", 1000)+"\n", 1000),
		"a key":      "m " + strings.Repeat("k", MaxKey+1) + "=1",
		"a name":     strings.Repeat("k", MaxKey+1) + " f=1",
		"a tag":      "m,a=" + strings.Repeat("k", MaxTagValue+1) + " f=1",
	} {
		if _, err := DecodeLines([]byte(text), 1, noon); !errors.Is(err, ErrTooManyParts) {
			t.Errorf("%s: got %v, want %v", name, err, ErrTooManyParts)
		}
	}
}

func TestUnsnapRefusesBombsBeforeItUnpacks(t *testing.T) {
	t.Parallel()
	bomb := snappy.Encode(nil, make([]byte, 4<<20))
	if _, err := Unsnap(nil, bomb, 1<<20); !errors.Is(err, ErrTooLarge) {
		t.Errorf("bomb: got %v", err)
	}
	for name, body := range map[string][]byte{
		"empty": {}, "lying header": {0xff, 0xff, 0xff, 0x7f, 0}, "text": []byte("hello"), "truncated": snappy.Encode(nil, []byte("hello hello hello"))[:5],
	} {
		if _, err := Unsnap(nil, body, 1<<30); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestTimestampsOfAnotherAgeAreRefused(t *testing.T) {
	t.Parallel()
	for at, ok := range map[time.Time]bool{
		noon: true, noon.Add(24 * time.Hour): true, noon.AddDate(-20, 0, 0): true,
		noon.Add(24*time.Hour + 1): false, time.Unix(1700000, 0): false, time.Unix(1<<40, 0): false, oldest: true, oldest.Add(-1): false,
	} {
		err := CheckTimes([]Point{{Time: noon}, {Time: at}}, noon)
		if ok != (err == nil) || !ok && fault.From(err).Args["point"] != 2 {
			t.Errorf("%v: got %v", at, err)
		}
	}
}
