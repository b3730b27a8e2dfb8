package gateway

import (
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"tollgate.dev/internal/meter"
)

// remoteWriteReport understands a request of Prometheus remote write, 1.0 or
// 2.0, in snappy or, as vmagent sends it, in zstd.
func remoteWriteReport(r *http.Request) (incoming, error) {
	in := incoming{Type: meter.Metric, category: "remote_write", encoding: snapped, decode: remoteWritePoints, scan: meter.Counter.ScanRemoteWrite}
	switch e := r.Header.Get("Content-Encoding"); e {
	case "snappy", "":
	case "zstd":
		in.encoding = zstds
	default:
		return incoming{}, errEncoding.With("content_encoding", e)
	}
	content := r.Header.Get("Content-Type")
	_, params, _ := mime.ParseMediaType(content) // one that cannot be read is none
	switch params["proto"] {
	case "prometheus.WriteRequest":
		return in, nil
	case "io.prometheus.write.v2.Request":
		return secondVersion(in), nil
	case "":
		if strings.HasPrefix(r.Header.Get("X-Prometheus-Remote-Write-Version"), "2") {
			return secondVersion(in), nil
		}
		return in, nil
	}
	return incoming{}, errEncoding.With("content_type", content)
}

// remoteWritePoints needs no time of receipt: every sample has its own.
func remoteWritePoints(body []byte, _ time.Time) ([]meter.Point, error) {
	return meter.DecodeRemoteWrite(body)
}

// secondVersion reads version 2.0, whose answer says how much was written: a
// sender takes one without these headers for a failure.
func secondVersion(in incoming) incoming {
	var written meter.Written
	in.category, in.scan = "remote_write 2", nil
	in.decode = func(body []byte, _ time.Time) (points []meter.Point, err error) {
		points, written, err = meter.DecodeRemoteWrite2(body)
		return points, err
	}
	in.answer = func(h http.Header) {
		for kind, n := range map[string]int{"Samples": written.Samples, "Histograms": written.Histograms, "Exemplars": written.Exemplars} {
			h.Set("X-Prometheus-Remote-Write-"+kind+"-Written", strconv.Itoa(n))
		}
	}
	return in
}
