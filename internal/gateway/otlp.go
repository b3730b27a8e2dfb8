package gateway

import (
	"mime"
	"net/http"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/meter"
)

// The content types of OpenTelemetry's protocol. An answer has the type of its
// request.
const (
	protobufType = "application/x-protobuf"
	jsonType     = "application/json"
)

// otlpDecoders are those of a path: in protobuf and in JSON.
type otlpDecoders struct {
	meter.Type
	protobuf, json func([]byte, time.Time) ([]meter.Point, error)
}

var otlpPaths = map[string]otlpDecoders{
	"/v1/metrics": {meter.Metric, meter.DecodeOTLPMetrics, meter.DecodeOTLPMetricsJSON},
	"/v1/logs":    {meter.Logging, meter.DecodeOTLPLogs, meter.DecodeOTLPLogsJSON},
	"/v1/traces":  {meter.Tracing, meter.DecodeOTLPTraces, meter.DecodeOTLPTracesJSON},
}

// otlpReport understands an export of OpenTelemetry.
func otlpReport(r *http.Request) (incoming, error) {
	d := otlpPaths[r.URL.Path]
	packing, err := contentEncoding(r)
	if err != nil {
		return incoming{}, err
	}
	in := incoming{Type: d.Type, category: "otlp " + r.URL.Path, encoding: packing}
	switch contentType(r) {
	case protobufType:
		in.decode = d.protobuf
	case jsonType:
		in.decode = d.json
	default:
		return incoming{}, errEncoding.With("content_type", r.Header.Get("Content-Type"))
	}
	return in, nil
}

// contentType is the media type of the body; empty for none that can be read.
func contentType(r *http.Request) string {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return kind
}

// speakOTLP answers with an empty response of the export, or with a
// google.rpc.Status: {int32 code = 1; string message = 2}.
func speakOTLP(w http.ResponseWriter, r *http.Request, status int, f *fault.Error) {
	if contentType(r) == jsonType {
		body := map[string]any{}
		if f != nil {
			body = map[string]any{"code": rpcCodes[status], "message": f.Code + ": " + f.Message}
		}
		writeJSON(w, status, body)
		return
	}
	var body []byte
	if f != nil {
		body = protowire.AppendVarint(protowire.AppendTag(body, 1, protowire.VarintType), uint64(rpcCodes[status]))
		body = protowire.AppendString(protowire.AppendTag(body, 2, protowire.BytesType), f.Code+": "+f.Message)
	}
	w.Header().Set("Content-Type", protobufType)
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that has gone needs no answer
}

// rpcCodes are the codes of gRPC that the statuses stand for.
var rpcCodes = map[int]int{
	http.StatusBadRequest: 3, http.StatusForbidden: 7, http.StatusNotFound: 5, http.StatusRequestEntityTooLarge: 8,
	http.StatusUnsupportedMediaType: 3, http.StatusServiceUnavailable: 14,
}
