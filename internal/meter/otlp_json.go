package meter

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"

	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"tollgate.dev/internal/fault"
)

// maxObjects bounds the objects of a JSON request: each takes a few bytes on
// the wire and a few hundred when it is read.
const maxObjects = 300_000

// DecodeOTLPMetricsJSON reads a request of OpenTelemetry's metrics in JSON.
func DecodeOTLPMetricsJSON(body []byte, at time.Time) ([]Point, error) {
	return fromJSON(body, at, &metricspb.MetricsData{}, DecodeOTLPMetrics)
}

// DecodeOTLPLogsJSON reads a request of OpenTelemetry's logs in JSON.
func DecodeOTLPLogsJSON(body []byte, at time.Time) ([]Point, error) {
	return fromJSON(body, at, &logspb.LogsData{}, DecodeOTLPLogs)
}

// DecodeOTLPTracesJSON reads a request of OpenTelemetry's traces in JSON.
func DecodeOTLPTracesJSON(body []byte, at time.Time) ([]Point, error) {
	return fromJSON(body, at, &tracepb.TracesData{}, DecodeOTLPTraces)
}

// fromJSON turns JSON into the protobuf that it stands for, so that both are
// read in one way. Fields that are not known are passed over, as the protocol
// asks for.
func fromJSON(body []byte, at time.Time, into proto.Message, decode func([]byte, time.Time) ([]Point, error)) ([]Point, error) {
	if bytes.Count(body, []byte{'{'}) > maxObjects {
		return nil, ErrTooManyParts.With("objects", maxObjects)
	}
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(body, into); err != nil {
		return nil, notOTLP(reason(err)).Because(err)
	}
	packed, err := proto.Marshal(into)
	if err != nil { // a text that is not UTF-8
		return nil, notOTLP(reason(err)).Because(err)
	}
	points, err := decode(packed, at)
	var f *fault.Error
	if errors.As(err, &f) && f.Args["byte"] != nil { // of what it stands for, and of nothing that the sender knows
		err = notOTLP(fmt.Sprint(f.Args["reason"]))
	}
	return points, err
}

func notOTLP(why string) *fault.Error {
	return ErrMalformed.Says("The report is no JSON of OpenTelemetry: %s.", why).With("format", "json").With("reason", why)
}

// longestReason bounds what an answer repeats of a library's complaint.
const longestReason = 200

// reason is what the library complains of, without its name and the spaces that
// it varies so that nobody relies on its words.
func reason(err error) string {
	words := strings.Fields(err.Error())
	if len(words) > 1 && words[0] == "proto:" {
		words = words[1:]
	}
	text := []rune(strings.Join(words, " "))
	return string(text[:min(len(text), longestReason)])
}
