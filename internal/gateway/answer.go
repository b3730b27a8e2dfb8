package gateway

import (
	"encoding/json"
	"errors"
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
//	                        DataWay  remote write  Influx   the client then
//	stored, or a duplicate    200        204         204    goes on
//	token missing, unknown,
//	  replaced, of another
//	  site; workspace locked,
//	  cleared, dissolved      403        409         409    drops
//	quota                     403        409         409    drops
//	malformed, cut off, not
//	  what its encoding says,
//	  absurd timestamps       400        400         400    drops
//	too large, too many
//	  points                  413        400         413    drops; Telegraf sends halves
//	encoding not spoken       415        415         415    drops; vmagent goes from zstd to snappy
//	category not offered      404         -           -     drops
//	not stored, not ready,
//	  body too slow           503        503         503    keeps and sends again
//
// Why so: DataKit drops on every 4xx, even 429, and keeps on 5xx; a 403 whose
// body says beyondDataUsage shows "Beyond Usage" in its monitor. vmagent holds
// its queue for ever on 401, 403, 413 and 429 and drops on 409 and, of snappy,
// on 400. Telegraf's influxdb_v2 keeps on 401, 403 and 429, and drops on 409;
// influxdb (1) drops on any 4xx with a JSON body. Prometheus drops on every
// 4xx but 429. Nothing is ever answered 500: OpenTelemetry's collector drops on
// it and DataKit must not.
type door struct {
	name     string
	ok       int
	refused  int    // tokens, states and quotas
	tooLarge int    // more than one report may have
	field    string // a second name of the code or the sentence, where the client looks for it
}

var (
	dataway     = door{name: "dataway", ok: http.StatusOK, refused: http.StatusForbidden, tooLarge: http.StatusRequestEntityTooLarge, field: "error_code"}
	remoteWrite = door{name: "remote_write", ok: http.StatusNoContent, refused: http.StatusConflict, tooLarge: http.StatusBadRequest}
	influxV2    = door{name: "influx_v2", ok: http.StatusNoContent, refused: http.StatusConflict, tooLarge: http.StatusRequestEntityTooLarge}
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

func (d door) accept(w http.ResponseWriter) {
	if d.ok == http.StatusNoContent {
		w.WriteHeader(d.ok)
		return
	}
	writeJSON(w, d.ok, map[string]any{"code": d.ok})
}

// beyondUsage is the text that DataKit looks for in a 403.
const beyondUsage = "kodo.beyondDataUsage"

// refuse answers with a stable code, a sentence and the figures of the fault.
func (g *Gateway) refuse(w http.ResponseWriter, r *http.Request, d door, f *fault.Error) {
	status := d.status(f)
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
		if errors.Is(f, quota.ErrFull) || errors.Is(f, quota.ErrWouldPass) {
			body["error_code"], body["message"] = beyondUsage, "beyond data usage"
		}
	}
	if status == http.StatusServiceUnavailable {
		if f.Kind == fault.Internal { // what went wrong inside is not for the outside
			body["code"], body["message"] = errUnavailable.Code, errUnavailable.Message
		}
		w.Header().Set("Retry-After", "1")
		g.Log.Error("report not stored", "door", d.name, "error", f, "remote", r.RemoteAddr)
	} else {
		g.Log.Debug("report refused", "door", d.name, "error", f, "remote", r.RemoteAddr)
	}
	writeJSON(w, status, body)
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
