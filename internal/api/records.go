package api

import (
	"time"

	"tollgate.dev/internal/meter"
	"tollgate.dev/internal/sink"
	"tollgate.dev/internal/workspace"
)

// looking asks for records of a workspace.
type looking struct {
	Listing
	Type   string    `query:"type" enum:"metric,logging,object,keyevent,tracing,rum,profiling,replay,security,network,dialing" doc:"All types where nothing is said."`
	Text   string    `query:"q" maxLength:"256" doc:"A part of the name, of a tag or of a field, in any case."`
	Before time.Time `query:"before" doc:"Only what happened before this instant."`
}

// Record is one stored point: a sample, a log line, an object, an event.
type Record struct {
	Type       string            `json:"type"`
	Name       string            `json:"name"`
	Time       time.Time         `json:"time" doc:"When it happened, as the collector says."`
	ReceivedAt time.Time         `json:"received_at"`
	ExpiresAt  time.Time         `json:"expires_at"`
	Class      string            `json:"class" doc:"The retention class." example:"7d"`
	Index      string            `json:"index,omitempty" doc:"Of logs: the named index. Absent for the default index."`
	Tags       map[string]string `json:"tags,omitempty"`
	Fields     map[string]string `json:"fields,omitempty" doc:"Values as texts."`
}

// listRecords looks into the sink, in the workspace's present generation only:
// what the free plan collected is no longer viewable after the upgrade.
func (s *server) listRecords(c *call, in *looking) (*Page[Record], error) {
	w := c.Workspace
	if w.State == workspace.Locked {
		return nil, workspace.ErrLocked
	}
	next, err := in.after("records")
	if err != nil {
		return nil, err
	}
	since, err := s.metricsFrom(c, w.ID)
	if err != nil {
		return nil, err
	}
	found, err := s.Sink.Query(c, sink.Query{
		WorkspaceID: w.ID, Generation: w.Generation, Type: meter.Type(in.Type), Text: in.Text,
		To: s.upTo(in.Before), At: c.at, MetricsFrom: since, Limit: in.limit(), Before: next,
	})
	if err != nil {
		return nil, err
	}
	page := &Page[Record]{Items: make([]Record, 0, len(found.Records))}
	for _, r := range found.Records {
		page.Items = append(page.Items, recordOf(r, w))
	}
	if found.Next != "" {
		page.NextCursor = cursor("records", found.Next)
	}
	return page, nil
}

// upTo leaves out a bound that lies so far ahead that it bounds nothing.
func (s *server) upTo(before time.Time) time.Time {
	if before.After(s.Now().AddDate(1, 0, 0)) {
		return time.Time{}
	}
	return before
}

func recordOf(r sink.Record, w workspace.Workspace) Record {
	return Record{
		Type: string(r.Type), Name: r.Name, Time: local(r.Time, w.Site), ReceivedAt: local(r.Received, w.Site),
		ExpiresAt: local(r.ExpiresAt, w.Site), Class: r.Class, Index: r.Index, Tags: texts(r.Tags), Fields: texts(r.Fields),
	}
}

func texts(pairs []sink.Pair) map[string]string {
	if len(pairs) == 0 {
		return nil
	}
	m := make(map[string]string, len(pairs))
	for _, p := range pairs {
		m[p.Key] = p.Value
	}
	return m
}
