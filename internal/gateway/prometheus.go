package gateway

import (
	"mime"
	"net/http"
	"strings"
	"time"

	"tollgate.dev/internal/meter"
)

// remoteWriteReport understands a request of Prometheus remote write 1.0.
// Version 2 and zstd are answered 415, on which senders fall back.
func remoteWriteReport(r *http.Request) (incoming, error) {
	if e := r.Header.Get("Content-Encoding"); e != "snappy" && e != "" {
		return incoming{}, errEncoding.With("content_encoding", e)
	}
	content := r.Header.Get("Content-Type")
	_, params, _ := mime.ParseMediaType(content) // one that cannot be read is none
	if p := params["proto"]; p != "" && p != "prometheus.WriteRequest" || strings.HasPrefix(r.Header.Get("X-Prometheus-Remote-Write-Version"), "2") {
		return incoming{}, errEncoding.With("content_type", content)
	}
	return incoming{Type: meter.Metric, category: "remote_write", encoding: snapped, decode: remoteWritePoints}, nil
}

// remoteWritePoints needs no time of receipt: every sample has its own.
func remoteWritePoints(body []byte, _ time.Time) ([]meter.Point, error) {
	return meter.DecodeRemoteWrite(body)
}
