package gateway

import (
	"net/http"
	"time"

	"tollgate.dev/internal/logindex"
	"tollgate.dev/internal/meter"
	"tollgate.dev/internal/sink"
)

// indexHeader is where DataKit names the index that it wants its logs in.
const indexHeader = "X-Storage-Index-Name"

// Indexes are the log indexes of a tenant. The zero value has the default one
// alone.
type Indexes struct {
	Router  logindex.Router
	Classes map[string]string // of the named ones now; one that is missing has the class of logging
	Next    map[string]string // from NextAt on
}

// indexClass is the class of a type of data or, of logs, of the index.
func (t Tenant) indexClass(m meter.Type, index string, at time.Time) string {
	classes := t.Indexes.Classes
	if !t.NextAt.IsZero() && !at.Before(t.NextAt) {
		classes = t.Indexes.Next
	}
	if c := classes[index]; index != "" && c != "" {
		return c
	}
	return t.class(m, at)
}

// named notes the index that the collector names. Two bodies for two indexes
// are two reports.
func (in incoming) named(r *http.Request) incoming {
	if in.Type == meter.Logging {
		if in.index = r.Header.Get(indexHeader); in.index != "" {
			in.category += " " + in.index
		}
	}
	return in
}

// shelf is the points of a report that go into one index.
type shelf struct {
	index  string
	points []meter.Point
}

// shelves tells a report's points apart by index: those of the default one
// first, which may be none, then the others as they come. Events, security
// checks and dial results always go into the default one (domain section 7.2).
func (t Tenant) shelves(in incoming, points []meter.Point) []shelf {
	if in.Type != meter.Logging || !t.Indexes.Router.Routes(in.index) {
		return []shelf{{points: points}}
	}
	list, at := []shelf{{}}, map[string]int{"": 0}
	for i := range points {
		index := t.Indexes.Router.Index(in.index, &points[i])
		place, ok := at[index]
		if !ok {
			place = len(list)
			at[index], list = place, append(list, shelf{index: index})
		}
		list[place].points = append(list[place].points, points[i])
	}
	return list
}

// tally counts each shelf by itself.
func (g *Gateway) tally(in incoming, t Tenant, shelves []shelf) meter.Tally {
	if in.tally != nil {
		return in.tally(shelves[0].points)
	}
	var all meter.Tally
	for _, s := range shelves {
		if s.index != "" || len(s.points) > 0 {
			for _, part := range g.counter.Count(in.Type, s.points, t.Options) {
				part.Index = s.index
				all = append(all, part)
			}
		}
	}
	return all
}

// stored is the report as the sink gets it.
func (t Tenant) stored(r sink.Report, shelves []shelf) sink.Report {
	r.Class, r.Points = t.class(r.Type, r.Received), shelves[0].points
	for _, s := range shelves[1:] {
		r.Indexed = append(r.Indexed, sink.Indexed{Index: s.index, Class: t.indexClass(r.Type, s.index, r.Received), Points: s.points})
	}
	return r
}
