package meter

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// The bodies of the measurements: narrow lines have 3 tags and a float, wide
// ones 10 tags and 10 integers; a report has about 1 MB of them.
func narrowLines(n int) []byte {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "http_requests,host=web-%05d,region=cn-hangzhou,service=checkout value=%d.5 %d\n", i, i, noon.UnixNano())
	}
	return []byte(b.String())
}

func wideLines(n int) []byte {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "disk")
		for k := range 10 {
			fmt.Fprintf(&b, ",tag_%d=value_%d_%05d", k, k, i)
		}
		for k := range 10 {
			fmt.Fprintf(&b, "%cfield_%d=%di", " ,"[min(k, 1)], k, i)
		}
		fmt.Fprintf(&b, " %d\n", noon.UnixNano())
	}
	return []byte(b.String())
}

func benchmarkDecode(b *testing.B, body []byte, decode func([]byte) ([]Point, error)) {
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		points, err := decode(body)
		if err != nil {
			b.Fatal(err)
		}
		counter.Count(Metric, points, Options{})
	}
}

func decodeLines(body []byte) ([]Point, error)   { return DecodeLines(body, 1, noon) }
func decodeDataWay(body []byte) ([]Point, error) { return DecodeDataWay(body, noon) }

func BenchmarkLinesNarrow(b *testing.B) { benchmarkDecode(b, narrowLines(11_000), decodeLines) }
func BenchmarkLinesWide(b *testing.B)   { benchmarkDecode(b, wideLines(3_000), decodeLines) }

func BenchmarkDataWayNarrow(b *testing.B) {
	points, _ := decodeLines(narrowLines(11_000))
	benchmarkDecode(b, encodeDataWay(points), decodeDataWay)
}

func BenchmarkDataWayWide(b *testing.B) {
	points, _ := decodeLines(wideLines(3_000))
	benchmarkDecode(b, encodeDataWay(points), decodeDataWay)
}

func BenchmarkRemoteWrite(b *testing.B) {
	points, _ := decodeLines(narrowLines(2_000))
	benchmarkDecode(b, encodeRemoteWrite(points), DecodeRemoteWrite)
}

func BenchmarkSetHit(b *testing.B) {
	members := make([]uint64, 100_000)
	var s Set
	for i := range members {
		members[i] = rand.Uint64()
		s.Add(members[i])
	}
	for i := 0; b.Loop(); i++ {
		s.Has(members[i%len(members)])
	}
}

func BenchmarkSipHash100(b *testing.B) {
	input := make([]byte, 100)
	b.SetBytes(100)
	for b.Loop() {
		counter.key.sum(input)
	}
}
