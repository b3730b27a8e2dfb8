package gateway

import (
	"mime"
	"net/http"
	"time"

	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/meter"
	"tollgate.dev/internal/workspace"
)

// categories are DataWay's names of what is taken here.
var categories = map[string]meter.Type{
	"metric":        meter.Metric,
	"metrics":       meter.Metric, // the older name
	"logging":       meter.Logging,
	"object":        meter.Object,
	"object_change": meter.Object,
	"custom_object": meter.Object,
	"keyevent":      meter.Event,
	"tracing":       meter.Tracing,
	"rum":           meter.RUM,
	"profiling":     meter.Profiling, // what is known of profiles; their files come as uploads
	"security":      meter.Security,
	"network":       meter.Network,
	"dialtesting":   meter.Dialing,
}

// datawayReport understands a write of DataKit.
func datawayReport(r *http.Request) (incoming, error) {
	category := r.PathValue("category")
	t, ok := categories[category]
	if !ok {
		return incoming{}, errCategory.With("category", category)
	}
	if t == meter.Logging && r.Header.Get("X-Sub-Category") == "dialtesting" {
		t = meter.Dialing
	}
	packing, err := contentEncoding(r)
	if err != nil {
		return incoming{}, err
	}
	in := incoming{Type: t, category: "dataway " + category, encoding: packing, resent: r.Header.Get("X-Fail-Cache-Retry") == "1"}
	content := r.Header.Get("Content-Type")
	kind, _, _ := mime.ParseMediaType(content) // one that cannot be read is none
	switch kind {
	case "application/protobuf", protobufType:
		in.decode = meter.DecodeDataWay
	case "application/json", "application/pbjson":
		return incoming{}, errEncoding.With("content_type", content)
	default: // as DataWay has it, unknown or missing is line protocol
		in.decode = lines(time.Nanosecond)
		if t == meter.Metric {
			in.scan = linesInPlace(time.Nanosecond)
		}
	}
	return in, nil
}

func lines(precision time.Duration) func([]byte, time.Time) ([]meter.Point, error) {
	return func(body []byte, at time.Time) ([]meter.Point, error) {
		return meter.DecodeLines(body, precision, at)
	}
}

func linesInPlace(precision time.Duration) func(meter.Counter, []byte, time.Time, *meter.Known) (meter.Digest, bool) {
	return func(c meter.Counter, body []byte, at time.Time, known *meter.Known) (meter.Digest, bool) {
		return c.ScanLines(body, precision, at, known)
	}
}

// ntp tells the time. An answer without it would set DataKit's clock to 1970.
func (g *Gateway) ntp(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]any{"timestamp_sec": g.Now().Unix()})
}

// pullInterval is how often DataKit is to ask for filters.
const pullInterval = time.Minute

// pull answers what DataKit asks for at its start and then regularly: there
// are no central settings, pipelines or filters.
func (g *Gateway) pull(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	switch {
	case q.Has("kv"):
		writeJSON(w, http.StatusOK, map[string]any{"kv": nil})
	case q.Has("remote_pipelines"):
		writeJSON(w, http.StatusOK, map[string]any{"remote_pipelines": nil})
	default:
		writeJSON(w, http.StatusOK, map[string]any{"filters": map[string]any{}, "pull_interval": pullInterval})
	}
}

func (g *Gateway) usageTrace(w http.ResponseWriter, r *http.Request) { dataway.accept(w, r) }

func (g *Gateway) checkToken(w http.ResponseWriter, r *http.Request) {
	if _, err := g.tenant(r.Context(), r.PathValue("token")); err != nil {
		g.refuse(w, r, dataway, fault.From(err))
		return
	}
	dataway.accept(w, r)
}

// workspaceState tells DataKit's command line about the workspace of the token.
func (g *Gateway) workspaceState(w http.ResponseWriter, r *http.Request) {
	token := tokenOf(r)
	t, err := g.tenant(r.Context(), token)
	if err != nil {
		g.refuse(w, r, dataway, fault.From(err))
		return
	}
	used, full, err := g.usedToday(r, t)
	if err != nil {
		g.refuse(w, r, dataway, fault.From(err))
		return
	}
	version, bill := "free", "free"
	if t.Workspace.Plan == workspace.Commercial {
		version, bill = "pay", "normal"
	}
	writeJSON(w, http.StatusOK, map[string]any{"content": []any{map[string]any{
		"token": map[string]any{
			"ws_uuid": t.Workspace.ID, "bill_state": bill, "ver_type": version, "token": token, "db_uuid": "",
			"status": 0, "creator": t.Workspace.OwnerID, "expire_at": -1,
		},
		"data_usage": map[string]any{
			"data_metric": used[meter.Series], "data_logging": used[meter.Logs], "data_tracing": used[meter.Traces],
			"data_rum": used[meter.PageViews], "is_over_usage": full,
		},
	}}})
}

// usedToday is what counts against the quotas now, and whether one is full.
func (g *Gateway) usedToday(r *http.Request, t Tenant) (used map[string]int64, full bool, err error) {
	if !g.ready.Load() {
		return nil, false, errUnavailable
	}
	// A report that counts nothing opens the desk for the day.
	a, err := g.admit(r.Context(), t, counting{Tally: meter.Tally{{Item: meter.Logs, Priced: meter.Logging, Exempt: true}}})
	if err != nil {
		return nil, false, err
	}
	a.release()
	a.desk.mu.Lock()
	defer a.desk.mu.Unlock()
	used = map[string]int64{}
	for _, item := range []string{meter.Series, meter.Logs, meter.Traces, meter.PageViews} {
		used[item] = g.used(a.desk, item, (*sum).all)
	}
	for item := range a.limits {
		full = full || a.limits.Admit(item, g.used(a.desk, item, (*sum).all), 0) != nil
	}
	return used, full, nil
}

func (g *Gateway) healthz(w http.ResponseWriter, _ *http.Request) {
	if !g.ready.Load() {
		writeJSON(w, http.StatusServiceUnavailable, map[string]any{"status": "starting or stopping"})
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"status": "ok"})
}

func (g *Gateway) unknownPath(w http.ResponseWriter, r *http.Request) {
	g.refuse(w, r, dataway, errPath)
}
