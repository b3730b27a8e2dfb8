package gateway

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"

	"tollgate.dev/internal/meter"
)

// The bounds of one report. DataKit sends 1 MiB at most (10 MiB in older
// versions), Prometheus and Telegraf less.
const (
	maxPacked   = 16 << 20 // bytes on the wire
	maxUnpacked = 32 << 20 // bytes after unpacking
	bodyTime    = 30 * time.Second
)

// readBody reads what was sent, packed as it is. The deadline is set by a
// timer and not by the clock, which may be a movable one.
func (g *Gateway) readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	control := http.NewResponseController(w)
	timer := time.AfterFunc(g.bodyTime, func() {
		_ = control.SetReadDeadline(time.Unix(1, 0)) // in the past: the read ends now
	})
	defer timer.Stop()
	var b bytes.Buffer
	if r.ContentLength > 0 {
		b.Grow(int(min(r.ContentLength, maxPacked)) + bytes.MinRead)
	}
	_, err := b.ReadFrom(http.MaxBytesReader(w, r.Body, maxPacked))
	var tooLarge *http.MaxBytesError
	switch {
	case err == nil:
		return b.Bytes(), nil
	case errors.As(err, &tooLarge):
		return nil, meter.ErrTooLarge.With("limit_bytes", maxPacked)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, errSlow.Because(err)
	}
	return nil, errTruncated.Because(err)
}

// unpack is how a body becomes what the decoder reads.
type unpack func(packed []byte) ([]byte, error)

// contentEncoding chooses how bodies of the header's value are unpacked, for
// the doors that take gzip or nothing. Anything else is 415, which makes
// clients that speak several encodings choose another one.
func contentEncoding(r *http.Request) (unpack, error) {
	switch encoding := r.Header.Get("Content-Encoding"); encoding {
	case "", "identity":
		return plain, nil
	case "gzip", "x-gzip":
		return gunzip, nil
	default:
		return nil, errEncoding.With("content_encoding", encoding)
	}
}

func plain(packed []byte) ([]byte, error) { return packed, nil }

var gzipReaders = sync.Pool{New: func() any { return new(gzip.Reader) }}

// gunzip unpacks to maxUnpacked bytes at most, whatever the input promises.
func gunzip(packed []byte) ([]byte, error) {
	z := gzipReaders.Get().(*gzip.Reader)
	defer gzipReaders.Put(z)
	if err := z.Reset(bytes.NewReader(packed)); err != nil {
		return nil, errMismatch.Because(err)
	}
	var b bytes.Buffer
	b.Grow(min(4*len(packed), maxUnpacked) + bytes.MinRead)
	n, err := io.Copy(&b, io.LimitReader(z, maxUnpacked+1))
	switch {
	case n > maxUnpacked:
		return nil, meter.ErrTooLarge.With("limit_bytes", maxUnpacked)
	case err != nil:
		return nil, errMismatch.Because(err)
	}
	return b.Bytes(), nil
}

func unsnap(packed []byte) ([]byte, error) { return meter.Unsnap(packed, maxUnpacked) }
