package meter

import (
	"strconv"
	"strings"
	"time"
)

// logs counts log records, and what counts as such: events, security checks,
// dial results of a team's own nodes. All of them are priced by the class of
// the default log index (domain section 7.2).
func logs(points []Point, o Options, exempt bool) Part {
	p := Part{Item: Logs, Priced: Logging, Exempt: exempt}
	if o.LogBytes {
		p.Item = LogBytes
	}
	for i := range points {
		size := points[i].Size()
		if o.LogBytes {
			p.Sum += size
		} else {
			p.Sum += Split(size, o.logSplit())
		}
	}
	return p
}

// dialing tells results of the product's own nodes, which are synthetic tests,
// from those of a team's own nodes, which are logs (domain section 7.2).
func dialing(points []Point, o Options) Tally {
	var own int64
	rest := make([]Point, 0, len(points))
	for i := range points {
		p := &points[i]
		if owner, _ := p.Attribute("owner"); owner == "default" && strings.HasSuffix(p.Name, "_dial_testing") {
			own++
		} else {
			rest = append(rest, *p)
		}
	}
	var t Tally
	if own > 0 {
		t = append(t, Part{Item: Synthetic, Sum: own})
	}
	if len(rest) > 0 || own == 0 {
		t = append(t, logs(rest, o, false))
	}
	return t
}

// tracing counts the traces that are new in the hour, and the spans. A span
// without a trace's ID is a span alone.
func (c Counter) tracing(points []Point) Tally {
	return Tally{
		{Item: Traces, Priced: Tracing, Members: c.named(points, "trace_id"), Sampling: NewOfHour},
		{Item: Traces, Priced: Tracing, Counter: Spans, Sum: int64(len(points))},
	}
}

// rum counts page views, each once however often it is updated, the events of
// pages, and the sessions that are replayed (domain sections 7.1 and 7.3).
func (c Counter) rum(points []Point) Tally {
	views := newMembers(c)
	sessions := newMembers(c)
	var events int64
	for i := range points {
		p := &points[i]
		app, _ := p.Attribute("app_id")
		switch p.Name {
		case "view":
			if view, ok := p.Attribute("view_id"); ok {
				views.add(app, view)
			}
		case "resource", "long_task", "error", "action":
			events++
		}
		session, ok := p.Attribute("session_id")
		if replayed, _ := p.Attribute("has_replay"); ok && replayed == "true" {
			sessions.addSession(app, session, p.timeSpent())
		}
	}
	return Tally{
		{Item: PageViews, Priced: RUM, Members: views.list, Sampling: NewOfDay},
		{Item: PageViews, Priced: RUM, Counter: RUMEvents, Sum: events},
		// A full quota of replays refuses the replays themselves, not the pages.
		{Item: Replays, Members: sessions.list, Exempt: true},
	}
}

// Replay counts an uploaded segment of a session's replay.
func (c Counter) Replay(app, session string) Tally {
	m := newMembers(c)
	m.addSession(app, session, 0)
	return Tally{{Item: Replays, Members: m.list}}
}

// Profile counts an uploaded profile by the size of its files (domain section 7.3).
func Profile(fileBytes int64) Tally {
	return Tally{{Item: Profiles, Priced: Profiling, Sum: Split(fileBytes, ProfileSplit)}}
}

// objects counts the hosts whose DataKit reports itself. Nothing else of the
// infrastructure is counted.
func (c Counter) objects(points []Point) Tally {
	m := newMembers(c)
	for i := range points {
		if p := &points[i]; p.Name == "HOST" {
			if host, ok := p.Attribute("name"); ok {
				m.add(host)
			}
		}
	}
	if len(m.list) == 0 {
		return nil
	}
	return Tally{{Item: DataKitHosts, Members: m.list, Sampling: AliveHours, Exempt: true}}
}

// named is the distinct values of an attribute.
func (c Counter) named(points []Point, key string) []uint64 {
	m := newMembers(c)
	last := ""
	for i := range points {
		if value, ok := points[i].Attribute(key); ok && value != last {
			m.add(value)
			last = value
		}
	}
	return m.list
}

// members collects distinct names.
type members struct {
	counter Counter
	seen    map[uint64]struct{}
	list    []uint64
	buf     []byte
}

func newMembers(c Counter) *members { return &members{counter: c, seen: map[uint64]struct{}{}} }

func (m *members) add(name ...string) {
	m.buf = m.buf[:0]
	for _, part := range name {
		m.buf = appendPart(m.buf, part)
	}
	h := m.counter.key.sum(m.buf)
	if _, ok := m.seen[h]; !ok {
		m.seen[h] = struct{}{}
		m.list = append(m.list, h)
	}
}

// maxSession bounds what one session may count as: a day has six times four
// hours, and whoever says more has a wrong clock.
const maxSession = 24 * time.Hour

// addSession adds a session as many times as it is long: each four hours are a
// member, so that a session that goes on counts once for each.
func (m *members) addSession(app, session string, spent time.Duration) {
	m.add(app, session)
	for i := int64(1); i < Split(int64(min(spent, maxSession)), int64(SessionSplit)); i++ {
		m.add(app, session, strconv.FormatInt(i, 10))
	}
}

// timeSpent is how long the page was looked at, in nanoseconds as RUM has it.
func (p *Point) timeSpent() time.Duration {
	for _, f := range p.Fields {
		if f.Key != "time_spent" {
			continue
		}
		switch f.Value.Kind {
		case KindInt:
			return time.Duration(max(0, f.Value.Int()))
		case KindUint:
			return time.Duration(min(f.Value.Uint(), uint64(maxSession)))
		case KindFloat:
			if v := f.Value.Float(); v > 0 && v < float64(maxSession) {
				return time.Duration(v)
			}
		}
	}
	return 0
}

// Attribute is the value of the tag, or of the field of text or truth, of that
// key; ok is false when there is none or it is empty.
func (p *Point) Attribute(key string) (value string, ok bool) {
	for _, t := range p.Tags {
		if t.Key == key {
			return t.Value, t.Value != ""
		}
	}
	for _, f := range p.Fields {
		if f.Key != key {
			continue
		}
		switch f.Value.Kind {
		case KindString, KindBytes:
			return f.Value.Text(), f.Value.Text() != ""
		case KindBool:
			return strconv.FormatBool(f.Value.Bool()), true
		}
	}
	return "", false
}
