package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"time"

	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/quota"
)

// door is how a protocol is answered. The statuses are chosen by what they
// make real collectors do (measured with the collectors themselves): what can
// never succeed must make the client drop the report and go on, for a client
// that holds it blocks everything behind it; what may succeed later must make
// it keep the report.
//
//	                        DataWay  remote write  Influx  OTLP  Loki   the client then
//	stored, or a duplicate    200        204         204    200   204    goes on
//	token missing, unknown,
//	  replaced, of another
//	  site; workspace locked,
//	  cleared, dissolved      403        409         409    403   409    drops
//	quota                     403        409         409    403   204    drops, or goes on
//	malformed, cut off, not
//	  what its encoding says,
//	  absurd timestamps       400        400         400    400   400    drops
//	too large, too many
//	  points                  413        400         413    413   413    drops; Telegraf sends halves
//	encoding not spoken       415        415         415    415   415    drops; vmagent goes from zstd to snappy
//	category not offered      404         -           -      -     -     drops
//	not stored, not ready,
//	  body too slow, more
//	  than its share          503        503         503    503   503    keeps and sends again
//
// Why so: DataKit drops on every 4xx, even 429, and keeps on 5xx; a 403 whose
// body says beyondDataUsage shows "Beyond Usage" in its monitor. vmagent holds
// its queue for ever on 401, 403, 413 and 429 and drops on 409 and, of snappy,
// on 400. Telegraf's influxdb_v2 keeps on 401, 403 and 429, and drops on 409;
// influxdb (1) drops on any 4xx with a JSON body. Prometheus drops on every
// 4xx but 429. OpenTelemetry's collector and SDKs drop on 403 and keep on 429
// and 503. Telegraf's loki keeps whatever is not 2xx, so that only an answer of
// success moves it on: a report over quota is discarded then, counted as such,
// and the answer's X-Tollgate-Discarded says so. Nothing is ever answered 500: OpenTelemetry's collector drops on
// it and DataKit must not.
type door struct {
	name     string
	ok       int
	refused  int    // tokens, states and quotas
	tooLarge int    // more than one report may have
	field    string // a second name of the code or the sentence, where the client looks for it
	discards bool   // a full quota is answered as if the report had been stored

	// speak answers in the protocol's own words; f is nil when the report was
	// taken. Nil for JSON.
	speak func(w http.ResponseWriter, r *http.Request, status int, f *fault.Error)
}

var (
	dataway     = door{name: "dataway", ok: http.StatusOK, refused: http.StatusForbidden, tooLarge: http.StatusRequestEntityTooLarge, field: "error_code"}
	remoteWrite = door{name: "remote_write", ok: http.StatusNoContent, refused: http.StatusConflict, tooLarge: http.StatusBadRequest}
	influxV2    = door{name: "influx_v2", ok: http.StatusNoContent, refused: http.StatusConflict, tooLarge: http.StatusRequestEntityTooLarge}
	otlp        = door{name: "otlp", ok: http.StatusOK, refused: http.StatusForbidden, tooLarge: http.StatusRequestEntityTooLarge, speak: speakOTLP}
	loki        = door{name: "loki", ok: http.StatusNoContent, refused: http.StatusConflict, tooLarge: http.StatusRequestEntityTooLarge, discards: true}
	influxV1    = door{name: "influx_v1", ok: http.StatusNoContent, refused: http.StatusConflict, tooLarge: http.StatusRequestEntityTooLarge, field: "error"}
)

func (d door) status(f *fault.Error) int {
	switch f.Kind {
	case fault.Unauthenticated, fault.Forbidden, fault.Gone, fault.Conflict:
		return d.refused
	case fault.Invalid:
		return http.StatusBadRequest
	case fault.TooLarge:
		return d.tooLarge
	case fault.Unsupported, fault.NotFound:
		return f.Kind.Status()
	}
	return http.StatusServiceUnavailable
}

func (d door) accept(w http.ResponseWriter, r *http.Request) {
	if d.speak != nil {
		d.speak(w, r, d.ok, nil)
		return
	}
	if d.ok == http.StatusNoContent {
		w.WriteHeader(d.ok)
		return
	}
	writeJSON(w, d.ok, map[string]any{"code": d.ok})
}

// retryAfter is the figure of a fault that says after how many seconds another
// attempt makes sense.
const retryAfter = "retry_after"

// beyondUsage is the text that DataKit looks for in a 403.
const beyondUsage = "kodo.beyondDataUsage"

// refuse answers with a stable code, a sentence and the figures of the fault.
func (g *Gateway) refuse(w http.ResponseWriter, r *http.Request, d door, f *fault.Error) {
	status := d.status(f)
	if d.discards && overQuota(f) {
		w.Header().Set("X-Tollgate-Discarded", f.Code)
		d.accept(w, r)
		return
	}
	body := maps.Clone(f.Args)
	if body == nil {
		body = map[string]any{}
	}
	body["code"], body["message"] = f.Code, f.Message
	switch d.field {
	case "error":
		body["error"] = f.Message
	case "error_code":
		body["error_code"] = f.Code
		if overQuota(f) {
			body["error_code"], body["message"] = beyondUsage, "beyond data usage"
		}
	}
	if status == http.StatusServiceUnavailable {
		if f.Kind == fault.Internal { // what went wrong inside is not for the outside
			body["code"], body["message"] = errUnavailable.Code, errUnavailable.Message
		}
		wait, busy := f.Args[retryAfter]
		if !busy {
			wait = 1
		}
		w.Header().Set("Retry-After", fmt.Sprint(wait))
		if errors.Is(f, errBusy) {
			g.Log.Debug("report held back", "door", d.name, "error", f, "remote", r.RemoteAddr)
		} else {
			g.Log.Error("report not stored", "door", d.name, "error", f, "remote", r.RemoteAddr)
		}
	} else {
		g.Log.Debug("report refused", "door", d.name, "error", f, "remote", r.RemoteAddr)
	}
	if d.speak != nil {
		if f.Kind == fault.Internal {
			f = errUnavailable
		}
		d.speak(w, r, status, f)
		return
	}
	writeJSON(w, status, body)
}

func overQuota(f *fault.Error) bool {
	return errors.Is(f, quota.ErrFull) || errors.Is(f, quota.ErrWouldPass)
}

// resetting adds to a quota's fault when the item is free again: the site's
// next midnight.
func resetting(err error, at time.Time) error {
	var f *fault.Error
	if !errors.As(err, &f) {
		return err
	}
	return f.With("resets_at", at.Format(time.RFC3339))
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		panic("gateway: an answer that is no JSON: " + err.Error())
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n')) // a client that has gone needs no answer
}
