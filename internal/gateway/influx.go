package gateway

import (
	"net/http"
	"time"

	"tollgate.dev/internal/meter"
)

// precisions are those of versions 1 and 2.
var precisions = map[string]time.Duration{
	"": time.Nanosecond, "n": time.Nanosecond, "ns": time.Nanosecond,
	"u": time.Microsecond, "µ": time.Microsecond, "us": time.Microsecond,
	"ms": time.Millisecond, "s": time.Second, "m": time.Minute, "h": time.Hour,
}

// influxReport understands a write of an Influx client of version 1 or 2. The
// names of databases, organisations and buckets say nothing here: the token
// says which workspace.
func influxReport(r *http.Request) (incoming, error) {
	text := r.URL.Query().Get("precision")
	precision, ok := precisions[text]
	if !ok {
		return incoming{}, errPrecision.With("precision", text)
	}
	packing, err := contentEncoding(r)
	return incoming{Type: meter.Metric, category: "influx " + precision.String(), encoding: packing, decode: lines(precision), scan: linesInPlace(precision)}, err
}

// ping is how Influx clients look whether somebody is there.
func (g *Gateway) ping(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("X-Influxdb-Version", "tollgate")
	w.WriteHeader(http.StatusNoContent)
}
