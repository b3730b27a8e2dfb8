package gateway

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"tollgate.dev/internal/meter"
)

// The bounds of one report. DataKit sends 1 MiB at most (10 MiB in older
// versions), Prometheus and Telegraf less.
const (
	maxPacked   = 32 << 20 // bytes on the wire
	maxUnpacked = 32 << 20 // bytes after unpacking
	bodyTime    = 30 * time.Second
)

// readBody reads what was sent, packed as it is; a large body holds a place
// until leave. The deadline is set by a timer and not by the clock, which may
// be a movable one.
func (g *Gateway) readBody(w http.ResponseWriter, r *http.Request) (packed []byte, leave func(), err error) {
	control := http.NewResponseController(w)
	b := buffers.Get().(*bytes.Buffer)
	b.Reset()
	timer := time.AfterFunc(g.bodyTime, func() {
		_ = control.SetReadDeadline(time.Unix(1, 0)) // in the past: the read ends now
	})
	defer timer.Stop()
	leave = func() { putBack(b) }
	if r.ContentLength > 0 {
		b.Grow(int(min(r.ContentLength, smallBody)) + bytes.MinRead)
	}
	body := http.MaxBytesReader(w, r.Body, maxPacked)
	_, err = io.CopyN(b, body, smallBody)
	if err == nil {
		var out func()
		if out, err = lane(r.Context(), g.room.bodies); err != nil {
			leave()
			return nil, nil, err
		}
		leave = func() {
			putBack(b)
			out()
		}
		if r.ContentLength > smallBody {
			b.Grow(int(min(r.ContentLength, maxPacked)) - smallBody + bytes.MinRead)
		}
		_, err = b.ReadFrom(body)
	}
	if err == nil || errors.Is(err, io.EOF) {
		return b.Bytes(), leave, nil
	}
	leave()
	return nil, nil, unread(err)
}

// buffers hold bodies as they came, and unpacked. Of those that are kept for the
// next report none is larger than large reports are: one of 32 MiB now and then
// must not stay for ever.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func putBack(b *bytes.Buffer) {
	if b.Cap() <= largeReport+bytes.MinRead {
		buffers.Put(b)
	}
}

// unread says why a body could not be read.
func unread(err error) error {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return meter.ErrTooLarge.With("limit_bytes", maxPacked)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return errSlow.Because(err)
	}
	return errTruncated.Because(err)
}

// encoding is how a body was packed. What it unpacks to may stand in the buffer.
type encoding struct {
	size   func(packed []byte) int // that it says it unpacks to, true or not
	unpack func(to *bytes.Buffer, packed []byte, limit int) ([]byte, error)
}

var (
	plain = encoding{size: func(packed []byte) int { return len(packed) }, unpack: func(_ *bytes.Buffer, packed []byte, _ int) ([]byte, error) { return packed, nil }}
	gzips = encoding{size: gzipSize, unpack: gunzip}
	zstds = encoding{size: zstdSize, unpack: unzstd}

	snapped = encoding{size: meter.SnappySize, unpack: func(to *bytes.Buffer, packed []byte, limit int) ([]byte, error) {
		return meter.Unsnap(emptied(to, min(meter.SnappySize(packed), limit)), packed, limit)
	}}
)

// emptied is the room of the buffer, for so many bytes at least.
func emptied(b *bytes.Buffer, size int) []byte {
	b.Reset()
	b.Grow(size)
	return b.AvailableBuffer()
}

// contentEncoding chooses how bodies of the header's value are unpacked, for
// the doors that take gzip, zstd or nothing. Anything else is 415, which makes
// clients that speak several encodings choose another one.
func contentEncoding(r *http.Request) (encoding, error) {
	switch name := r.Header.Get("Content-Encoding"); name {
	case "", "identity":
		return plain, nil
	case "gzip", "x-gzip":
		return gzips, nil
	case "zstd":
		return zstds, nil
	default:
		return encoding{}, errEncoding.With("content_encoding", name)
	}
}

var gzipReaders = sync.Pool{New: func() any { return new(gzip.Reader) }}

// gzipSize is what the end of the body says: the size of its last part, modulo
// 4 GiB (RFC 1952 section 2.3.1).
func gzipSize(packed []byte) int {
	if len(packed) < 4 {
		return 0
	}
	return int(binary.LittleEndian.Uint32(packed[len(packed)-4:]))
}

// gunzip unpacks to limit bytes at most, whatever the input promises.
func gunzip(to *bytes.Buffer, packed []byte, limit int) ([]byte, error) {
	z := gzipReaders.Get().(*gzip.Reader)
	defer gzipReaders.Put(z)
	if err := z.Reset(bytes.NewReader(packed)); err != nil {
		return nil, errMismatch.Because(err)
	}
	to.Reset()
	to.Grow(limit + 1 + bytes.MinRead)
	n, err := to.ReadFrom(io.LimitReader(z, int64(limit)+1))
	switch {
	case n > int64(limit):
		return nil, meter.ErrTooLarge.With("limit_bytes", maxUnpacked)
	case err != nil:
		return nil, errMismatch.Because(err)
	}
	return to.Bytes(), nil
}

// zstdWindow bounds what a frame may ask to be remembered while it is unpacked.
const zstdWindow = 8 << 20

// zstdReader unpacks one body at a time on the goroutine that asks; it is safe
// for concurrent use that way.
var zstdReader = sync.OnceValue(func() *zstd.Decoder {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(maxUnpacked), zstd.WithDecoderMaxWindow(zstdWindow))
	if err != nil {
		panic("gateway: zstd: " + err.Error())
	}
	return d
})

// zstdSize is what the first frame says that it unpacks to; a frame need not
// say it, and the body may have several.
func zstdSize(packed []byte) int {
	var h zstd.Header
	if err := h.Decode(packed); err != nil || !h.HasFCS || h.FrameContentSize > maxUnpacked {
		return maxUnpacked
	}
	return int(h.FrameContentSize)
}

// unzstd unpacks to limit bytes at most, whatever the input promises.
func unzstd(to *bytes.Buffer, packed []byte, limit int) ([]byte, error) {
	body, err := zstdReader().DecodeAll(packed, emptied(to, limit))
	switch {
	case errors.Is(err, zstd.ErrDecoderSizeExceeded), len(body) > limit:
		return nil, meter.ErrTooLarge.With("limit_bytes", maxUnpacked)
	case err != nil:
		return nil, errMismatch.Because(err)
	}
	return body, nil
}
