package gateway

import (
	"context"
	"encoding/binary"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/zeebo/xxh3"

	"tollgate.dev/internal/failpoint"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/meter"
	"tollgate.dev/internal/sink"
)

// incoming is a report as its door understands it, before its body is read.
type incoming struct {
	meter.Type
	category string // what else, beside token and body, makes two reports the same
	encoding encoding
	decode   func(body []byte, at time.Time) ([]meter.Point, error)
	resent   bool   // the client says that it sends the body again
	index    string // the log index that the collector names; empty for none

	// scan reads what decode does, in place, for a sink that wants no points; ok
	// is false for a report that decode has to read. Nil where there is no such way.
	scan func(c meter.Counter, body []byte, at time.Time, known *meter.Known) (d meter.Digest, ok bool)

	tally  func(points []meter.Point) meter.Tally // where the type alone does not say what counts
	answer func(h http.Header)                    // what an answer of success says besides
}

// report serves one door: who, what, admitted, stored, acknowledged.
func (g *Gateway) report(d door, understand func(*http.Request) (incoming, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		in, outcome, err := g.take(w, r, d, understand)
		if err == nil || d.discards && overQuota(fault.From(err)) {
			in.head(w)
		}
		if err != nil {
			f := fault.From(err)
			g.stats.reports.WithLabelValues(d.name, f.Code).Inc()
			g.refuse(w, r, d, f)
			return
		}
		g.stats.reports.WithLabelValues(d.name, outcome).Inc()
		d.accept(w, r)
	}
}

func (in incoming) head(w http.ResponseWriter) {
	if in.answer != nil {
		in.answer(w.Header())
	}
}

// The outcomes of a report that is acknowledged.
const (
	accepted  = "accepted"
	duplicate = "duplicate"
)

func (g *Gateway) take(w http.ResponseWriter, r *http.Request, d door, understand func(*http.Request) (incoming, error)) (in incoming, outcome string, err error) {
	if !g.ready.Load() {
		return in, "", errUnavailable
	}
	token := tokenOf(r)
	t, err := g.tenant(r.Context(), token)
	if err != nil {
		return in, "", err
	}
	if in, err = understand(r); err != nil {
		return in, "", err
	}
	in = in.named(r)
	packed, done, err := g.readBody(w, r)
	if err != nil {
		return in, "", err
	}
	defer done()
	g.stats.bytes.WithLabelValues(d.name).Add(float64(len(packed)))
	pass, err := g.traffic.enter(r.Context(), t.Workspace.ID, len(packed))
	if err != nil {
		return in, "", err
	}
	defer pass()
	leave, err := g.enter(r.Context())
	if err != nil {
		return in, "", err
	}
	defer leave()
	body, forget, err := g.unpacked(r.Context(), in.encoding, packed)
	if err != nil {
		return in, "", err
	}
	defer forget()
	c, err := g.read(t, in, body, g.Now())
	if err != nil {
		return in, "", err
	}
	if c.count == 0 {
		return in, accepted, nil
	}
	// Asked once more: an upgrade that came while the body did holds for it.
	if t, err = g.tenant(r.Context(), token); err != nil {
		return in, "", err
	}
	outcome, err = g.keepOnce(r.Context(), t, in, c, keyOf(token, in.category, body))
	return in, outcome, err
}

// contents are what a report brings: its points, or, read in place, what they
// count.
type contents struct {
	count   int  // of points
	stamped bool // every point carries its own time
	points  []meter.Point
	digest  *meter.Digest
	decode  func() ([]meter.Point, error) // of a digest
}

// read reads a report to its end, in place where nobody looks at its points.
func (g *Gateway) read(t Tenant, in incoming, body []byte, at time.Time) (contents, error) {
	if in.scan != nil && !g.points {
		if d, ok := in.scan(g.counter, body, at, g.desks.known(t)); ok {
			decode := func() ([]meter.Point, error) { return in.decode(body, at) }
			return contents{count: d.Points, stamped: d.Stamped, digest: &d, decode: decode}, nil
		}
	}
	points, err := in.decode(body, at)
	if err == nil {
		err = meter.CheckTimes(points, at)
	}
	c := contents{count: len(points), stamped: true, points: points}
	for i := range points {
		c.stamped = c.stamped && points[i].Stamped
	}
	return c, err
}

// keyOf names a report by what was sent. Only the holder of the token could
// gain from two bodies of one key, and would lose data of his own by it: a fast
// hash is enough.
func keyOf(token, category string, body []byte) sink.Key {
	h := xxh3.New128()
	for _, part := range [][]byte{[]byte(token), []byte(category), body} {
		var n [8]byte
		binary.LittleEndian.PutUint64(n[:], uint64(len(part)))
		_, _ = h.Write(n[:]) // a hash never fails to write
		_, _ = h.Write(part)
	}
	return h.Sum128().Bytes()
}

// keepOnce acknowledges a report that was acknowledged before once more and
// keeps a new one. Points that carry their own time are the same points
// whenever they come; without it, two equal bodies are two reports, unless the
// client says that it sends one again (DataKit's X-Fail-Cache-Retry).
func (g *Gateway) keepOnce(ctx context.Context, t Tenant, in incoming, c contents, key sink.Key) (string, error) {
	once := c.stamped || in.resent
	if once {
		end, err := g.claims.take(ctx, key)
		if err != nil {
			return "", err
		}
		defer end()
		known, err := g.spool.acknowledged(ctx, key, g.Now().Add(-ackWindow))
		if err != nil {
			return "", errUnavailable.Because(err)
		}
		if known {
			return duplicate, nil
		}
	}
	return accepted, g.keep(ctx, t, in, c, key, once)
}

// keep admits a report, stores it, and makes its usage durable, in this order:
// nothing is stored that the quota refuses, and nothing counted that is not
// stored. From here on the client's leaving changes nothing.
func (g *Gateway) keep(ctx context.Context, t Tenant, in incoming, c contents, key sink.Key, once bool) error {
	ctx = context.WithoutCancel(ctx)
	shelves := t.shelves(in, c.points)
	a, err := g.admit(ctx, t, g.counting(in, t, c, shelves))
	if err != nil {
		return err
	}
	report := t.stored(sink.Report{
		Key: key, Repeatable: !once, WorkspaceID: t.Workspace.ID, Generation: t.Workspace.Generation, Type: in.Type, Received: a.received,
	}, shelves)
	err = failpoint.Around("sink.write", func() error { return g.write(ctx, report) })
	if err == nil {
		err = g.spool.acknowledge(&commit{key: key, received: a.received, counted: a.counted()})
	}
	if err != nil {
		a.release()
		return errUnavailable.Because(err)
	}
	a.settle(g)
	g.stats.points.WithLabelValues(string(in.Type)).Add(float64(c.count))
	return nil
}

func (g *Gateway) write(ctx context.Context, r sink.Report) error {
	defer prometheus.NewTimer(g.stats.sinkWrite).ObserveDuration()
	return g.Sink.Write(ctx, []sink.Report{r})
}

// counting is what a report counts. What was read in place is counted anew where
// what was known then is not what is known now.
func (g *Gateway) counting(in incoming, t Tenant, c contents, shelves []shelf) counting {
	if d := c.digest; d != nil {
		return counting{Tally: d.Tally, digest: d, anew: func() (meter.Tally, error) {
			points, err := c.decode()
			return g.counter.Count(in.Type, points, t.Options), err
		}}
	}
	return counting{Tally: g.tally(in, t, shelves)}
}

// tokenOf finds the token wherever a client can put it: DataKit in the query,
// Prometheus as a bearer or a header of its own, Influx clients as a token or,
// in version 1, as a password.
func tokenOf(r *http.Request) string {
	q := r.URL.Query()
	if t := q.Get("token"); t != "" {
		return t
	}
	if t := r.Header.Get("X-Token"); t != "" {
		return t
	}
	scheme, rest, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	switch strings.ToLower(scheme) {
	case "bearer", "token":
		return strings.TrimSpace(rest)
	case "basic":
		_, password, _ := r.BasicAuth()
		return password
	}
	return q.Get("p")
}
