package sink

import (
	"context"
	"time"
)

// Discard keeps nothing: the gateway only meters.
type Discard struct{}

// Reads reports whether a sink looks at the points of the reports that it is to
// write. One that does not is given reports without points.
func Reads(s Sink) bool {
	_, discards := s.(Discard)
	return !discards
}

// Write takes the reports and forgets them.
func (Discard) Write(context.Context, []Report) error { return nil }

// Query finds nothing.
func (Discard) Query(context.Context, Query) (Page, error) { return Page{}, nil }

// Histogram counts nothing.
func (Discard) Histogram(_ context.Context, q Query, step time.Duration) ([]Bucket, error) {
	return buckets(q, step)
}

// Expire has nothing to remove.
func (Discard) Expire(context.Context, time.Time) error { return nil }

// Forget has nothing to remove.
func (Discard) Forget(context.Context, Forgetting) error { return nil }

// Close does nothing.
func (Discard) Close() error { return nil }
