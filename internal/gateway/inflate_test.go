package gateway

import (
	"bytes"
	"compress/flate"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"pgregory.net/rapid"
)

// level packs as gzip does at a level, in so many members.
func packedAt(t testing.TB, level, members int, body []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	for m := range members {
		w, err := gzip.NewWriterLevel(&b, level)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = w.Write(body[len(body)*m/members : len(body)*(m+1)/members])
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

// unpackedInPlace unpacks without the stream's decoder.
func unpackedInPlace(packed []byte, limit int) ([]byte, bool) {
	return inflate(make([]byte, limit+slack), packed, limit)
}

func TestWhatGzipPacksIsUnpackedInPlace(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	noise := make([]byte, 100_000)
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	skewed := make([]byte, 300_000) // codes of all lengths
	for i := range skewed {
		for skewed[i] < 250 && r.IntN(2) == 0 {
			skewed[i]++
		}
	}
	far := append(append(bytes.Clone(noise[:40_000]), noise[:30_000]...), noise[7:33_000]...)
	for name, body := range map[string][]byte{
		"nothing": {}, "a byte": {7}, "zeros": make([]byte, 1<<20), "noise": noise, "skewed": skewed, "far": far,
		"lines": metricLines(20_000, noon), "short period": []byte(strings.Repeat("abc", 5000)), "text": []byte(strings.Repeat("the quick brown fox ", 300)),
	} {
		for _, level := range []int{flate.HuffmanOnly, 0, 1, 3, 6, 9} {
			for _, members := range []int{1, 3} {
				got, ok := unpackedInPlace(packedAt(t, level, members, body), len(body))
				if !ok || !bytes.Equal(got, body) {
					t.Errorf("%s at level %d in %d members: %t, %d bytes of %d", name, level, members, ok, len(got), len(body))
				}
			}
		}
		if len(body) > 0 {
			if _, ok := unpackedInPlace(packedAt(t, 6, 1, body), len(body)-1); ok {
				t.Errorf("%s is unpacked beyond the limit", name)
			}
		}
	}
}

// What was changed on its way is refused, or, where the stream's decoder takes
// it, the same.
func TestABrokenBodyIsNeverTakenForAnother(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		body := []byte(rapid.StringN(0, 400, -1).Draw(t, "body") + strings.Repeat(rapid.StringN(0, 20, -1).Draw(t, "part"), rapid.IntRange(0, 60).Draw(t, "times")))
		var b bytes.Buffer
		w, _ := gzip.NewWriterLevel(&b, rapid.SampledFrom([]int{-2, 0, 1, 6, 9}).Draw(t, "level"))
		_, _ = w.Write(body)
		_ = w.Close()
		packed := b.Bytes()
		for range rapid.IntRange(0, 4).Draw(t, "changes") {
			packed[rapid.IntRange(0, len(packed)-1).Draw(t, "at")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		}
		packed = packed[:rapid.IntRange(len(packed)*9/10, len(packed)).Draw(t, "cut")]
		sameAsStream(t, packed)
	})
}

func sameAsStream(t interface{ Fatalf(string, ...any) }, packed []byte) {
	const limit = 1 << 16
	got, ok := unpackedInPlace(packed, limit)
	if !ok {
		return // the stream's decoder decides
	}
	want, err := gunzipStream(new(bytes.Buffer), packed, limit)
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("unpacked to %d bytes; the stream's decoder to %d, %v", len(got), len(want), err)
	}
}

func FuzzInflate(f *testing.F) {
	for _, level := range []int{0, 1, 6, 9} {
		f.Add(packedAt(f, level, 1, metricLines(20, noon)))
	}
	f.Fuzz(func(t *testing.T, packed []byte) {
		sameAsStream(t, packed)
		// The checksum hides most of what follows it from the fuzzer: only that
		// it ends, within its room, is held here.
		d := &inflater{src: packed, out: make([]byte, 4096+slack)}
		d.member(4096)
		if d.o > 4096+slack {
			t.Fatalf("%d bytes in the room of 4096", d.o)
		}
	})
}

func benchmarkGunzip(b *testing.B, unpack func(*bytes.Buffer, []byte, int) ([]byte, error)) {
	body := metricLines(20_000, noon)
	packed := packedAt(b, 6, 1, body)
	var to bytes.Buffer
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if _, err := unpack(&to, packed, len(body)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGunzip(b *testing.B)       { benchmarkGunzip(b, gunzip) }
func BenchmarkGunzipStream(b *testing.B) { benchmarkGunzip(b, gunzipStream) }
