package client

import (
	"context"
	"net/http"
	"time"
)

// Usage is what a workspace used in the service day so far.
type Usage struct {
	Plan     string      `json:"plan"`
	Day      string      `json:"day"`
	AsOf     time.Time   `json:"as_of"`
	ResetsAt time.Time   `json:"resets_at"`
	Items    []ItemUsage `json:"items"`
}

// ItemUsage is what was used of one billing item. Quota is nil where there is
// no limit.
type ItemUsage struct {
	Item      string  `json:"item"`
	Name      string  `json:"name"`
	Used      string  `json:"used"`
	Quota     *string `json:"quota"`
	Supported bool    `json:"supported"`
}

// Of finds an item by its ID, such as logs.
func (u Usage) Of(item string) (ItemUsage, bool) {
	for _, i := range u.Items {
		if i.Item == item {
			return i, true
		}
	}
	return ItemUsage{}, false
}

// Record is one stored point: a sample, a log line, an object, an event.
type Record struct {
	Type       string            `json:"type"`
	Name       string            `json:"name"`
	Time       time.Time         `json:"time"`
	ReceivedAt time.Time         `json:"received_at"`
	ExpiresAt  time.Time         `json:"expires_at"`
	Class      string            `json:"class"`
	Index      string            `json:"index,omitempty"`
	Tags       map[string]string `json:"tags"`
	Fields     map[string]string `json:"fields"`
}

// Search narrows a list of records; the zero value finds all.
type Search struct {
	Type   string // metric, logging, object, keyevent
	Text   string // a part of the name, of a tag or of a field, in any case
	Before time.Time
}

// Usage shows what a workspace used today, with its quotas.
func (s *Studio) Usage(ctx context.Context, workspace string) (Usage, error) {
	return ask[Usage](ctx, s.door, request{method: http.MethodGet, path: in(workspace, "usage")})
}

// Records lists what was collected, the newest first.
func (s *Studio) Records(ctx context.Context, workspace string, what Search, p Page) (List[Record], error) {
	q := p.query()
	set(q, "type", what.Type)
	set(q, "q", what.Text)
	if !what.Before.IsZero() {
		q.Set("before", what.Before.Format(time.RFC3339Nano))
	}
	return ask[List[Record]](ctx, s.door, request{method: http.MethodGet, path: in(workspace, "records"), query: q})
}
