package meter

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var counter = NewCounter([32]byte{1, 2, 3})

func series(kind Type, points []Point) []uint64 {
	p, _ := counter.Count(kind, points, Options{}).Of(Series, "")
	return p.Members
}

func records(kind Type, points []Point) int64 {
	p, _ := counter.Count(kind, points, Options{}).Of(Logs, "")
	return p.Sum
}

func seriesOf(t *testing.T, text string) int {
	t.Helper()
	points, err := DecodeLines([]byte(text), 1, noon)
	if err != nil {
		t.Fatal(err)
	}
	return len(series(Metric, points))
}

func TestSipHashGivesItsAuthorsVectors(t *testing.T) {
	t.Parallel()
	key := sipKey{0x0706050403020100, 0x0f0e0d0c0b0a0908}
	input := make([]byte, 15)
	for i := range input {
		input[i] = byte(i)
	}
	for n, want := range map[int]uint64{0: 0x726fdb47dd0e0e31, 8: 0x93f5f5799a932462, 15: 0xa129ca6149be45e5} {
		if got := key.sum(input[:n]); got != want {
			t.Errorf("%d bytes: got %x, want %x", n, got, want)
		}
	}
}

// The example of domain 7.2.
func TestThreeTagPairsTwiceAreThreeSeries(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for i := range 2 {
		for _, pair := range []string{"host=Hangzhou_test1,project=Guance", "host=Ningxia_test1,project=Guance", "project=Guance_oversea,host=Singapore_test1"} {
			fmt.Fprintf(&b, "cpu,%s usage=%d %d\n", pair, i, noon.UnixNano()+int64(i))
		}
	}
	if n := seriesOf(t, b.String()); n != 3 {
		t.Errorf("counted %d series, want 3", n)
	}
}

// Domain 7.2: five combinations with two urls are ten; a tag that goes with
// another one adds none.
func TestCombinationsMultiplyAndDependentTagsAddNone(t *testing.T) {
	t.Parallel()
	var plain, dependent strings.Builder
	for combination := range 5 {
		for url := range 2 {
			fmt.Fprintf(&plain, "http,host=h%d,url=u%d count=1\n", combination, url)
			fmt.Fprintf(&dependent, "http,host=h%d,url=u%d,host_ip=10.0.0.%d count=1\n", combination, url, combination)
		}
	}
	if n := seriesOf(t, plain.String()); n != 10 {
		t.Errorf("counted %d series, want 10", n)
	}
	if n := seriesOf(t, dependent.String()); n != 10 {
		t.Errorf("with a dependent tag counted %d series, want 10", n)
	}
}

func TestASeriesIsOneTagCombinationOfOneMetric(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"m,a=1 f=1\nm,a=1 f=2":             1,
		"m,a=1,b=2 f=1\nm,b=2,a=1 f=1":     1,
		"m,a=1,b= f=1\nm,a=1 f=1":          1,
		"m,a=1 f=1,g=2":                    2,
		"m,a=1 f=1\nn,a=1 f=1":             2,
		`m,a=1 f="text",t=true`:            0,
		`m,a=1 f="text",g=1i,h=2u`:         2,
		"m,a=b f=1\nm,ab= f=1":             2,
		"m,a=1 f=1\nm f=1":                 2,
		"m,k=v\\,x f=1\nm,k=v,x=1 f=1":     2,
		"m f=1\nm f=1i\nm f=1u":            1,
		"ma,b=1 f=1\nm,ab=1 f=1\nm f=1":    3,
		"m,a=1 f=1\nm,a=2 f=1\nm,a=1 f=1 ": 2,
	} {
		if n := seriesOf(t, text); n != want {
			t.Errorf("%q: counted %d series, want %d", text, n, want)
		}
	}
}

func TestSeriesDoNotDependOnTheOrderOfTagsOrPoints(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		points := rapid.SliceOfN(rapid.Custom(drawPoint), 1, 20).Draw(t, "points")
		want := map[string]bool{}
		shuffled := make([]Point, len(points))
		for i, j := range rand.Perm(len(points)) {
			p := points[j]
			p.Tags = append([]Tag{}, p.Tags...)
			rand.Shuffle(len(p.Tags), func(a, b int) { p.Tags[a], p.Tags[b] = p.Tags[b], p.Tags[a] })
			p.Tags = canonical(p.Tags)
			shuffled[i] = p
			for _, f := range p.Fields {
				if f.Value.Numeric() {
					want[fmt.Sprintf("%q %q %q", p.Name, p.Tags, f.Key)] = true
				}
			}
		}
		a, b := series(Metric, points), series(Metric, shuffled)
		union := map[uint64]bool{}
		for _, h := range append(a, b...) {
			union[h] = true
		}
		if len(a) != len(want) || len(b) != len(want) || len(union) != len(want) {
			t.Fatalf("counted %d and %d, together %d; want %d", len(a), len(b), len(union), len(want))
		}
	})
}

func TestInstallationsHashDifferently(t *testing.T) {
	t.Parallel()
	points := []Point{{Name: "m", Fields: []Field{{"f", Int(1)}}}}
	other, _ := NewCounter([32]byte{9}).Count(Metric, points, Options{}).Of(Series, "")
	a, b := series(Metric, points)[0], other.Members[0]
	if a == b {
		t.Error("two secrets give the same hash")
	}
}

// The table of domain 7.3, floor.
func TestLogsSplitBySize(t *testing.T) {
	t.Parallel()
	for size, want := range map[int]int64{7: 1, 10239: 1, 10240: 1, 10241: 1, 15360: 1, 20480: 2, 30720: 3} {
		points := []Point{{Name: "a name that does not count", Fields: []Field{{"message", Text(strings.Repeat("x", size-7))}}}}
		for _, kind := range []Type{Logging, Event, Security, Dialing} {
			if got := records(kind, points); got != want {
				t.Errorf("%s of %d bytes: counted %d, want %d", kind, size, got, want)
			}
		}
	}
}

func TestARecordIsItsKeysAndValues(t *testing.T) {
	t.Parallel()
	p := Point{Name: "nginx", Tags: []Tag{{"host", "web-1"}}, Fields: []Field{{"message", Text("hello")}, {"n", Int(1)}, {"ok", Bool(true)}, {"d", Bytes("xyz")}}}
	if got, want := p.Size(), int64(4+5+7+5+1+8+2+1+1+3); got != want {
		t.Errorf("got %d, want %d", got, want)
	}
}

func TestObjectsCountAsNothing(t *testing.T) {
	t.Parallel()
	points := []Point{{Name: "host", Fields: []Field{{"f", Int(1)}}}}
	if got := counter.Count(Object, points, Options{}); len(got) != 0 {
		t.Errorf("got %+v", got)
	}
}

func TestSetIsAMapWithEpochs(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var s Set
		want := map[uint64]bool{}
		// Few and clashing members find the mistakes that spread ones hide.
		member := rapid.OneOf(rapid.Uint64Range(0, 300), rapid.Map(rapid.Uint64Range(0, 40), func(v uint64) uint64 { return v << 32 }))
		for range rapid.IntRange(0, 1500).Draw(t, "steps") {
			switch m := member.Draw(t, "member"); rapid.IntRange(0, 200).Draw(t, "step") {
			case 0:
				s.Reset()
				clear(want)
			default:
				if s.Has(m) != want[m] || s.Add(m) == want[m] {
					t.Fatalf("member %d: the set and the map differ", m)
				}
				want[m] = true
			}
			if s.Len() != len(want) {
				t.Fatalf("the set has %d members, want %d", s.Len(), len(want))
			}
		}
	})
}

func TestSetSurvivesMoreDaysThanAnEpochHolds(t *testing.T) {
	t.Parallel()
	var s Set
	for day := range 70_000 {
		if s.Has(7) || !s.Add(7) || s.Len() != 1 {
			t.Fatalf("day %d: the set is not empty in the morning", day)
		}
		for i := range uint64(10) {
			s.Add(i << 20)
		}
		if !s.Has(7) {
			t.Fatalf("day %d: a member is lost", day)
		}
		s.Reset()
		if s.Len() != 0 {
			t.Fatal("reset leaves members")
		}
		s.Add(9)
		s.Reset()
	}
}
