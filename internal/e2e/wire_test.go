package e2e_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/snappy"
	"google.golang.org/protobuf/encoding/protowire"

	"tollgate.dev/internal/meter"
)

// wire is a way in which collectors report, written down here once more from
// its specification: the product's own decoders may not vouch for themselves.
type wire struct {
	name   string
	item   string // what it counts towards
	path   string // with %s for the token, where that stands in the path
	header http.Header
	encode func(points []point) []byte
	ok     int // the answer to a report that is stored
}

// point is one record. Its id is its value, and names it among all records of
// a test; its label makes the series, for metrics.
type point struct {
	id    int64
	label string
	at    time.Time
}

// series is the tag combination of the id: what a writer repeats.
func label(id int64) string { return "s" + strconv.FormatInt(id%seriesPerWriter, 10) }

// seriesPerWriter keeps three writers of metrics within a free quota of 3,000.
const seriesPerWriter = 700

var (
	logsAsProtobuf = wire{
		name: "dataway logging, protobuf", item: meter.Logs, path: "/v1/write/logging?token=%s", ok: http.StatusOK,
		header: http.Header{"Content-Type": {"application/protobuf; proto=com.guance.Point"}, "Content-Encoding": {"gzip"}},
		encode: func(points []point) []byte { return gzipped(dataWay("orders", points)) },
	}
	logsAsLines = wire{
		name: "dataway logging, line protocol", item: meter.Logs, path: "/v1/write/logging?token=%s", ok: http.StatusOK,
		header: http.Header{"Content-Type": {"application/line-protocol"}},
		encode: func(points []point) []byte { return lineProtocol("requests", `message="said",value=%di`, points) },
	}
	metricsAsLines = wire{
		name: "dataway metric, line protocol", item: meter.Series, path: "/v1/write/metric?token=%s", ok: http.StatusOK,
		header: http.Header{"Content-Type": {"application/line-protocol"}},
		encode: func(points []point) []byte { return lineProtocol("cpu", "value=%di", points) },
	}
	influx = wire{
		name: "influx v2", item: meter.Series, path: "/api/v2/write?org=o&bucket=b&precision=ns", ok: http.StatusNoContent,
		header: http.Header{"Authorization": {"Token %s"}, "Content-Encoding": {"gzip"}, "Content-Type": {"text/plain; charset=utf-8"}},
		encode: func(points []point) []byte { return gzipped(lineProtocol("mem", "value=%di", points)) },
	}
	prometheus = wire{
		name: "remote write 1.0", item: meter.Series, path: "/api/v1/write", ok: http.StatusNoContent,
		header: http.Header{
			"Authorization": {"Bearer %s"}, "Content-Encoding": {"snappy"}, "Content-Type": {"application/x-protobuf"},
			"X-Prometheus-Remote-Write-Version": {"0.1.0"},
		},
		encode: func(points []point) []byte { return snappy.Encode(nil, remoteWrite("http_requests", points)) },
	}
)

// request is a report of the wire with the token in its place.
func (w wire) request(t testing.TB, gateway, token string, body []byte) *http.Request {
	t.Helper()
	path := w.path
	if strings.Contains(path, "%s") {
		path = fmt.Sprintf(path, token)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, gateway+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for key, values := range w.header {
		for _, v := range values {
			r.Header.Add(key, strings.ReplaceAll(v, "%s", token))
		}
	}
	return r
}

// lineProtocol writes a line per point; fields has a place for the id.
func lineProtocol(name, fields string, points []point) []byte {
	var b bytes.Buffer
	for _, p := range points {
		fmt.Fprintf(&b, "%s,series=%s "+fields+" %d\n", name, p.label, p.id, p.at.UnixNano())
	}
	return b.Bytes()
}

// dataWay is com.guance.Point: PBPoints{arr = 1}; PBPoint{name = 1, fields = 2,
// time = 3}; Field{key = 1, i = 2, s = 11, is_tag = 8}.
func dataWay(name string, points []point) []byte {
	var b []byte
	for _, p := range points {
		tag := protowire.AppendVarint(protowire.AppendTag(keyed("series"), 8, protowire.VarintType), 1)
		tag = protowire.AppendString(protowire.AppendTag(tag, 11, protowire.BytesType), p.label)
		value := protowire.AppendVarint(protowire.AppendTag(keyed("value"), 2, protowire.VarintType), uint64(p.id))
		message := protowire.AppendString(protowire.AppendTag(keyed("message"), 11, protowire.BytesType), "an order was placed")
		one := keyed(name)
		for _, field := range [][]byte{tag, value, message} {
			one = protowire.AppendBytes(protowire.AppendTag(one, 2, protowire.BytesType), field)
		}
		one = protowire.AppendVarint(protowire.AppendTag(one, 3, protowire.VarintType), uint64(p.at.UnixNano()))
		b = protowire.AppendBytes(protowire.AppendTag(b, 1, protowire.BytesType), one)
	}
	return b
}

// keyed begins a message whose first field is a text.
func keyed(text string) []byte {
	return protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), text)
}

// remoteWrite is prometheus.WriteRequest: {timeseries = 1}; TimeSeries{labels =
// 1, samples = 2}; Label{name = 1, value = 2}; Sample{value = 1, timestamp = 2}.
func remoteWrite(name string, points []point) []byte {
	var b []byte
	for _, p := range points {
		var one []byte
		for _, l := range [][2]string{{"__name__", name}, {"series", p.label}} {
			pair := protowire.AppendString(protowire.AppendTag(keyed(l[0]), 2, protowire.BytesType), l[1])
			one = protowire.AppendBytes(protowire.AppendTag(one, 1, protowire.BytesType), pair)
		}
		sample := protowire.AppendFixed64(protowire.AppendTag(nil, 1, protowire.Fixed64Type), math.Float64bits(float64(p.id)))
		sample = protowire.AppendVarint(protowire.AppendTag(sample, 2, protowire.VarintType), uint64(p.at.UnixMilli()))
		one = protowire.AppendBytes(protowire.AppendTag(one, 2, protowire.BytesType), sample)
		b = protowire.AppendBytes(protowire.AppendTag(b, 1, protowire.BytesType), one)
	}
	return b
}

func gzipped(body []byte) []byte {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	if err == nil {
		_, err = w.Write(body)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		panic(err) // memory cannot fail to be written
	}
	return b.Bytes()
}
