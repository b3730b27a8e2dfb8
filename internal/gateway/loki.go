package gateway

import (
	"net/http"

	"tollgate.dev/internal/meter"
)

// lokiReport understands a push of Loki: JSON, or protobuf in snappy.
func lokiReport(r *http.Request) (incoming, error) {
	in := incoming{Type: meter.Logging, category: "loki"}
	switch contentType(r) {
	case jsonType:
		packing, err := contentEncoding(r)
		if err != nil {
			return incoming{}, err
		}
		in.encoding, in.decode = packing, meter.DecodeLokiJSON
	case protobufType, "":
		in.encoding, in.decode = snapped, meter.DecodeLoki
	default:
		return incoming{}, errEncoding.With("content_type", r.Header.Get("Content-Type"))
	}
	return in, nil
}
