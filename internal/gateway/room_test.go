package gateway

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"testing"
	"testing/synctest"

	"tollgate.dev/internal/meter"
)

func packedPart(t *testing.T, body []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err1 := w.Write(body)
	if err := errors.Join(err1, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestAReportInSeveralPartsIsReadWhole(t *testing.T) {
	t.Parallel()
	g := &Gateway{room: newRoom()}
	want := append(bytes.Repeat([]byte("long "), 1000), "short"...)
	packed := append(packedPart(t, want[:5000]), packedPart(t, want[5000:])...)
	got, leave, err := g.unpacked(t.Context(), gzips, packed)
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("%d bytes, %v; want %d", len(got), err, len(want))
	}
	leave()
}

func TestASizeThatIsALieIsNoWayAroundTheLimit(t *testing.T) {
	t.Parallel()
	g := &Gateway{room: newRoom()}
	packed := packedPart(t, make([]byte, maxUnpacked+1))
	binary.LittleEndian.PutUint32(packed[len(packed)-4:], 10)
	if _, _, err := g.unpacked(t.Context(), gzips, packed); !errors.Is(err, meter.ErrTooLarge) {
		t.Errorf("a bomb that says it has 10 bytes: %v", err)
	}
	if !g.room.memory.TryAcquire(maxMemory) || len(g.room.large) != 0 {
		t.Error("it holds memory after it was refused")
	}
}

func TestALargeReportWaitsForTheOneBeforeItAndIsSentAwayInTheEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRoom()
		leave, err := r.hold(t.Context(), largeReport+1)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.hold(t.Context(), maxUnpacked); !errors.Is(err, errUnavailable) {
			t.Errorf("a second large report: %v", err)
		}
		small, err := r.hold(t.Context(), 10<<10)
		if err != nil {
			t.Errorf("a small report beside a large one: %v", err)
		}
		leave()
		small()
		leave, err = r.hold(t.Context(), maxUnpacked)
		if err != nil {
			t.Fatalf("after the first has gone: %v", err)
		}
		leave()
	})
}
