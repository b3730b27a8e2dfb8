package meter

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// reader is a way to read a report of metrics: in place, and plainly.
type reader struct {
	scan   func(body []byte, known *Known) (Digest, bool)
	decode func(body []byte) ([]Point, error)
}

func linesIn(unit time.Duration) reader {
	return reader{
		func(body []byte, k *Known) (Digest, bool) { return counter.ScanLines(body, unit, noon, k) },
		func(body []byte) ([]Point, error) { return DecodeLines(body, unit, noon) },
	}
}

var (
	lineReader   = linesIn(1)
	remoteReader = reader{
		func(body []byte, k *Known) (Digest, bool) { return counter.ScanRemoteWrite(body, noon, k) },
		DecodeRemoteWrite,
	}
)

// day is what a workspace's desk knows: the series that are settled, in a plain
// map, and what was learned of them.
type day struct {
	reader
	known   *Known
	settled map[uint64]bool
	read    int // reports that were read in place
}

func newDay(r reader) *day {
	return &day{reader: r, known: NewKnown(NewBudget(1 << 20)), settled: map[uint64]bool{}}
}

// report holds the digest of a report against what the plain decoder says of
// it, and settles it.
func (d *day) report(t interface{ Fatalf(string, ...any) }, body []byte) {
	points, err := d.decode(body)
	if err == nil {
		err = CheckTimes(points, noon)
	}
	digest, ok := d.scan(body, d.known)
	if !ok {
		return // it is read by the plain decoder
	}
	if err != nil {
		t.Fatalf("read in place, though it is refused: %v\n%q", err, body)
	}
	d.read++
	stamped := true
	for i := range points {
		stamped = stamped && points[i].Stamped
	}
	if digest.Points != len(points) || digest.Stamped != stamped {
		t.Fatalf("%d points, stamped %t, want %d, %t\n%q", digest.Points, digest.Stamped, len(points), stamped, body)
	}
	want, got := series(Metric, points), digest.Tally[0].Members
	if got == nil || slices.Contains(got, 0) && !slices.Contains(want, 0) {
		t.Fatalf("members %v\n%q", got, body)
	}
	for _, m := range got {
		if !slices.Contains(want, m) {
			t.Fatalf("counted a series that is not there\n%q", body)
		}
	}
	for _, m := range want {
		if !slices.Contains(got, m) && !d.settled[m] {
			t.Fatalf("a series is counted nowhere\n%q", body)
		}
		d.settled[m] = true
	}
	d.known.Learn(digest)
}

// The ways to write a value, a timestamp and the end of a line, right and wrong.
var (
	contents = []string{
		"1", "-1.5", "2i", "3u", "-3i", "-3u", "+3", "1e3", "1E-5", ".5", "5.", "-.5", "-", "", ".", "1.2.3", "--1", "1-", "1i2", "1.5i", "0x1p4", "1_0", "nan", "inf",
		`"x y, z=1"`, `"a\"b` + "\n" + `c"`, `"open`, "t", "FALSE", "1\x00", "1\r", "1 ", "1\t",
		"123456789012345678i", "1234567890123456789i", "9223372036854775808i", "18446744073709551616u", "99999999999999999999", "0.123456789012345678901", "0.12345678901234567",
	}
	stamps = []string{
		"", " 1767225600000000000", " 1767225600000000001", " 1767225600123", " 1767225600", " 17672256001234567890", " 99999999999999999999", " 0", " -1", " 946684800000000000", " 946684799999999999",
		" 946684800", " 946684799", " 4102444800000000000", " +1767225600000000000", "  1767225600000000000", " 1767225600000000000 ", " 1767225600000000000x", " 17672256x0000000000", " 17672:56000000000", " 1767225600:00000000", " 17672/5600000000000", " ",
	}
	ends = []string{"\n", "\r\n", "\n\n", "\n# c\n", "\r", "\x00\n", "", " \n", "\n m,a=1 f=1,g=2\n", "\nm,a=1 f=1,g=2", "\n#"}
)

func TestALineInAnyWritingCountsAsDecoded(t *testing.T) {
	t.Parallel()
	d := newDay(lineReader)
	for _, unit := range []time.Duration{1, time.Second} {
		d.reader = linesIn(unit)
		for range 2 {
			d.report(t, []byte("m,a=1 f=1,g=2\nm,b=1 f=1\n"))
		}
		for _, content := range contents {
			for _, stamp := range stamps {
				for _, end := range ends {
					d.report(t, []byte("m,a=1 f="+content+",g=2"+stamp+end))
					d.report(t, []byte("m,b=1 f="+content+stamp+end))
				}
			}
		}
	}
	for _, line := range []string{"m,a=1 f=1,g", "m,a=1 f=1,g=", "m,a=1 f=1,", "m,a=1 f=1,g=2,h=3", "m,a=1 g=2,f=1", "m,a=1 f=1g=2", "m,a=1", "m,a=1 ", "m,a=1  f=1,g=2", `m,a=1\ f=1,g=2`, "m,a=1, f=1,g=2", "m,a=1\nm f=1"} {
		d.report(t, []byte(line))
		d.report(t, []byte(line+"\n"))
	}
}

// drawLines is a report of few names, keys and values, so that lines often are
// of the same series or nearly so, written in all ways and sometimes wrongly.
func drawLines(t *rapid.T) []byte {
	of := func(label string, list ...string) string { return rapid.SampledFrom(list).Draw(t, label) }
	var b strings.Builder
	for range rapid.IntRange(0, 8).Draw(t, "lines") {
		b.WriteString(of("name", "m", "m", "m2", `m\ x`, `m\,x`, "", "#m"))
		for range rapid.IntRange(0, 3).Draw(t, "tags") {
			b.WriteString("," + of("key", "a", "b", `a\=b`, "ab") + of("equals", "=", "=", "=", "=", "") + of("value", "1", "2", `x\ y`, `x\,a\=1`, "", `\`))
		}
		b.WriteString(of("space", " ", " ", " ", "  ", ""))
		for i := range rapid.IntRange(1, 3).Draw(t, "fields") {
			if i > 0 {
				b.WriteString(of("comma", ",", ",", ",", " "))
			}
			b.WriteString(of("field", "f", "f", "g", `f\ x`, "f\rx") + "=" + of("content", append(slices.Repeat([]string{"1"}, len(contents)), contents...)...))
		}
		b.WriteString(of("stamp", append(slices.Repeat([]string{" 1767225600000000000"}, len(stamps)), stamps...)...))
		b.WriteString(of("end", "\n", "\n", "\r\n", "\n\n", "\n# c\n", "\r", "\x00\n", ""))
	}
	return []byte(b.String())
}

func TestLinesReadInPlaceCountAsDecodedOnes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := newDay(linesIn(rapid.SampledFrom([]time.Duration{1, 1, 1, time.Microsecond, time.Second}).Draw(t, "unit")))
		for _, body := range rapid.SliceOfN(rapid.Custom(drawLines), 1, 8).Draw(t, "reports") {
			d.report(t, body)
		}
	})
}

func TestEncodedLinesReadInPlaceCountAsDecodedOnes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		points := rapid.SliceOfN(rapid.Custom(drawPoint), 1, 20).Draw(t, "points")
		d := newDay(lineReader)
		for range 3 {
			d.report(t, encodeLines(points, 1))
			slices.Reverse(points)
		}
	})
}

func TestRemoteWriteReadInPlaceCountsAsDecoded(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := newDay(remoteReader)
		for range 4 {
			points := rapid.SliceOfN(rapid.Custom(drawPoint), 1, 20).Draw(t, "points")
			for i := range points {
				sample := Float(rapid.Float64().Draw(t, "sample"))
				if rapid.IntRange(0, 3).Draw(t, "stale") == 0 {
					sample.bits = staleMarker
				}
				points[i].Fields = []Field{{"value", sample}}
				points[i].Time = noon.Add(time.Duration(rapid.Int64Range(-1e6, 1e6).Draw(t, "millis")) * time.Millisecond)
			}
			body := encodeRemoteWrite(points)
			d.report(t, body)
			d.report(t, body)
			if cut := rapid.IntRange(0, len(body)).Draw(t, "cut"); cut < len(body) {
				d.report(t, body[:cut])
				broken := bytes.Clone(body)
				broken[cut] = rapid.Byte().Draw(t, "byte")
				d.report(t, broken)
			}
		}
	})
}

// What was learned is not counted again, however much of it comes in a report.
func TestKnownSeriesAddNothing(t *testing.T) {
	t.Parallel()
	points, err := DecodeLines(narrowLines(1000), 1, noon)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		reader
		body []byte
	}{
		"narrow":       {lineReader, narrowLines(1000)},
		"wide":         {lineReader, wideLines(1000)},
		"remote write": {remoteReader, encodeRemoteWrite(points)},
	} {
		d := newDay(c.reader)
		d.report(t, c.body)
		digest, ok := d.scan(c.body, d.known)
		if !ok || digest.Points != 1000 || len(digest.Tally[0].Members) != 0 {
			t.Errorf("%s: %t, %d points, %d members", name, ok, digest.Points, len(digest.Tally[0].Members))
		}
	}
}

func TestWhatTheBudgetDoesNotAllowIsCountedAsBefore(t *testing.T) {
	t.Parallel()
	budget := NewBudget(4 << 10)
	d := &day{reader: lineReader, known: NewKnown(budget), settled: map[uint64]bool{}}
	for range 3 {
		d.report(t, narrowLines(2000))
		d.report(t, []byte("other,a=1 x=1,y=2\n"))
	}
	if left := budget.left.Load(); left < 0 || left == 4<<10 {
		t.Errorf("%d bytes of the budget are left", left)
	}
	if d.known.Forget(); budget.left.Load() != 4<<10 {
		t.Errorf("%d bytes of the budget came back", budget.left.Load())
	}
	if d.read != 6 {
		t.Errorf("%d of 6 reports were read in place", d.read)
	}
}

func TestAReportOfTooMuchIsLeftToThePlainDecoder(t *testing.T) {
	t.Parallel()
	points := strings.Repeat("m f=1\n", MaxPoints+1)
	tags := "m"
	for i := range 1000 {
		tags += fmt.Sprintf(",%03d=1", i)
	}
	attributes := strings.Repeat(tags+" f=1\n", MaxAttributes/1000)
	for name, body := range map[string]string{"points": points, "attributes": attributes, "attributes of one": "m" + strings.Repeat(",a=1", MaxPerPoint) + " f=1\n"} {
		if _, err := DecodeLines([]byte(body), 1, noon); err == nil {
			t.Errorf("%s: the plain decoder takes it", name)
		}
		d := newDay(lineReader)
		d.report(t, []byte("m f=1\n"))
		if _, ok := d.scan([]byte(body), d.known); ok {
			t.Errorf("%s: read in place", name)
		}
	}
}

func FuzzScanLines(f *testing.F) {
	seed := fmt.Sprintf("m,a=1 f=1,g=2i %d\nm,a=2 f=-1.5 %d\n", noon.UnixNano(), noon.UnixNano())
	f.Add([]byte(seed), []byte(seed))
	f.Add([]byte("m,a=1 f=1\n"), []byte("m,a=1 f=\"x\"\nm,b=2,a=1 f=1 1700000000000000000"))
	f.Fuzz(func(t *testing.T, first, second []byte) {
		d := newDay(lineReader)
		for _, body := range [][]byte{first, second, first} {
			d.report(t, body)
		}
	})
}

func FuzzScanRemoteWrite(f *testing.F) {
	body := encodeRemoteWrite([]Point{{Name: "up", Tags: []Tag{{"job", "x"}}, Fields: []Field{{"value", Float(1)}}, Time: noon}})
	f.Add(body, body)
	f.Fuzz(func(t *testing.T, first, second []byte) {
		d := newDay(remoteReader)
		for _, body := range [][]byte{first, second, first} {
			d.report(t, body)
		}
	})
}

func benchmarkScan(b *testing.B, r reader, body []byte) {
	d := newDay(r)
	d.report(b, body)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := r.scan(body, d.known); !ok {
			b.Fatal("not read in place")
		}
	}
}

func BenchmarkScanNarrow(b *testing.B) { benchmarkScan(b, lineReader, narrowLines(11_000)) }
func BenchmarkScanWide(b *testing.B)   { benchmarkScan(b, lineReader, wideLines(3_000)) }

func BenchmarkScanRemoteWrite(b *testing.B) {
	points, _ := decodeLines(narrowLines(2_000))
	benchmarkScan(b, remoteReader, encodeRemoteWrite(points))
}
