package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"tollgate.dev/client"
	"tollgate.dev/internal/meter"
	"tollgate.dev/internal/testkit"
)

// Doors that only this test knocks at.
var (
	influxV1 = wire{
		name: "influx v1", path: "/write?db=d&u=u&p=%s", ok: http.StatusNoContent, header: http.Header{},
		encode: influxLines,
	}
	objects = wire{
		name: "dataway object", path: "/v1/write/object?token=%s", ok: http.StatusOK, header: http.Header{},
		encode: func(points []point) []byte { return lineProtocol("HOST", `message="a host",value=%di`, points) },
	}
	events = wire{
		name: "dataway keyevent", path: "/v1/write/keyevent?token=%s", ok: http.StatusOK, header: http.Header{},
		encode: func(points []point) []byte { return lineProtocol("monitor", `message="an event",value=%di`, points) },
	}
)

func influxLines(points []point) []byte { return lineProtocol("mem", "value=%di", points) }

// say reports n records of a wire, of series or of logs, beginning with the
// series named first.
func (x *team) say(w wire, first, n int64) report {
	x.t.Helper()
	var points []point
	for k := range n {
		points = append(points, point{first + k, fmt.Sprintf("q%d", first+k), time.Now()})
	}
	c := sending()
	defer c.CloseIdleConnections()
	r := report{wire: w, body: w.encode(points)}
	r.deliver(x.t, c, x.gateway, x.token)
	return r
}

// takes holds that reports are stored.
func (x *team) takes(w wire, first, n int64) {
	x.t.Helper()
	if r := x.say(w, first, n); !r.acknowledged() {
		x.t.Fatalf("%s of %d records was answered %d %s", w.name, n, r.status, r.answer)
	}
}

// refuses holds that a report is answered so, in JSON that has the texts.
func (x *team) refuses(w wire, first, n int64, status int, texts ...string) {
	x.t.Helper()
	r := x.say(w, first, n)
	if r.status != status || !json.Valid([]byte(r.answer)) {
		x.t.Errorf("%s over the quota was answered %d %s, want %d and JSON", w.name, r.status, r.answer, status)
	}
	for _, text := range texts {
		if !strings.Contains(r.answer, text) {
			x.t.Errorf("%s over the quota was answered %s, without %s", w.name, r.answer, text)
		}
	}
}

// noticed waits for exactly these notices of quotas, the oldest first.
func (x *team) noticed(want ...string) {
	x.t.Helper()
	testkit.Eventually(x.t, 15*time.Second, func() error {
		var got []string
		for n, err := range client.All(func(p client.Page) (client.List[client.Notice], error) {
			return x.studio().Notices(x.t.Context(), x.id, p)
		}) {
			if err != nil {
				return err
			}
			if strings.HasPrefix(n.Kind, "quota_") {
				got = append(got, n.Figures["item"]+" "+n.Figures["day"]+" "+n.Kind)
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			return fmt.Errorf("notices %q, want %q", got, want)
		}
		return nil
	})
}

func TestTheSeriesQuotaIsHeldAtEveryDoorUntilMidnightOfTheSite(t *testing.T) {
	t.Parallel()
	x := demo(t, "").newcomer("series")
	day := x.today()
	warning, exhausted := meter.Series+" "+day+" quota_warning", meter.Series+" "+day+" quota_exhausted"
	x.takes(influx, 0, 2549)
	x.uses(map[string]int64{meter.Series: 2549})
	x.noticed()
	x.takes(influx, 2549, 1) // 85 %
	x.noticed(warning)
	x.takes(influx, 2550, 449)
	x.refuses(influx, 2999, 2, http.StatusConflict, "quota_would_be_passed") // whole or not at all
	x.takes(influx, 2999, 1)
	x.noticed(warning, exhausted)

	full := func() {
		t.Helper()
		for range 3 { // a known series is refused as a new one is
			x.refuses(influx, 7, 1, http.StatusConflict, `"code":"quota_exhausted"`, `"message"`)
			x.refuses(influxV1, 8, 1, http.StatusConflict, `"error"`)
			x.refuses(prometheus, 9, 1, http.StatusConflict, `"code":"quota_exhausted"`)
			x.refuses(metricsAsLines, 10, 1, http.StatusForbidden, "beyondDataUsage")
		}
		x.takes(logsAsProtobuf, 20_000, 5)
		x.takes(objects, 30_000, 1)
		x.takes(events, 40_000, 1)
		x.noticed(warning, exhausted)
	}
	full()
	x.daemon.Kill()
	x.start()
	full()
	x.uses(map[string]int64{meter.Series: freeSeries})
	if n := len(generation(x.inSink(), 1)); n != freeSeries+5+2 { // the same five logs and so on, twice
		t.Errorf("the sink has %d different records", n)
	}

	hours := 24 - x.now().In(x.zone()).Hour()
	x.advance(fmt.Sprintf("%dh", hours-1)) // the last hour of the day
	x.refuses(prometheus, 9, 1, http.StatusConflict, `"code":"quota_exhausted"`)
	x.advance("1h")
	x.takes(prometheus, 9, 1)
	x.takes(metricsAsLines, 10, 1)
	x.takes(influx, 0, 2548)
	x.uses(map[string]int64{meter.Series: 2550})
	x.noticed(warning, exhausted, meter.Series+" "+x.today()+" quota_warning")
}

// The sink discards here: it is the count that is tried, of a million.
func TestTheLogQuotaOfAMillionIsHeldButNotForEventsAndObjects(t *testing.T) {
	t.Parallel()
	x := serve(t, "--sink", "discard").newcomer("logs")
	day := x.today()
	warning, exhausted := meter.Logs+" "+day+" quota_warning", meter.Logs+" "+day+" quota_exhausted"
	const batch = 50_000
	for n := range int64(17) {
		if n == 16 {
			x.uses(map[string]int64{meter.Logs: 16 * batch})
			x.noticed()
		}
		x.takes(logsAsLines, n*batch, batch)
	}
	x.noticed(warning) // 850,000
	for n := range int64(2) {
		x.takes(logsAsLines, (17+n)*batch, batch)
	}
	x.takes(logsAsProtobuf, 19*batch, batch-10)
	x.refuses(logsAsLines, 20*batch, 11, http.StatusForbidden, "beyondDataUsage")
	x.takes(logsAsLines, 20*batch, 10)
	x.noticed(warning, exhausted)

	x.refuses(logsAsLines, 21*batch, 1, http.StatusForbidden, "beyondDataUsage")
	x.refuses(logsAsProtobuf, 21*batch, 1, http.StatusForbidden, "beyondDataUsage")
	x.takes(events, 22*batch, 3) // they count, and are not cut off
	x.takes(objects, 23*batch, 3)
	x.takes(prometheus, 0, 3)
	x.uses(map[string]int64{meter.Logs: 1_000_003, meter.Series: 3})
	x.advance("1d")
	x.takes(logsAsLines, 24*batch, 1)
	x.uses(map[string]int64{meter.Logs: 1})
	x.noticed(warning, exhausted)
	x.verified()
}
