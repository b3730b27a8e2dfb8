// Package sink is where the data of reports goes: the platform's storage.
//
// It owns records: writing them durably, finding them again, and letting them
// go when their retention class has run out. It does not count, admit or
// bill; what reaches it has been admitted.
//
// Always true: a record belongs to one workspace and one data generation, and
// no query sees another's; when Write returns nil the reports are durable; the
// same report written twice is stored once.
package sink

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/meter"
	"tollgate.dev/internal/workspace"
)

// ErrCursor is a page cursor that no query gave.
var ErrCursor = fault.New(fault.Invalid, "cursor_malformed", "This page of records cannot be found; start again from the first page.")

// errClosed is what a sink says after Close.
var errClosed = errors.New("the sink is closed")

// Sink keeps and finds records. There are two: Local and Discard.
type Sink interface {
	// Write stores the reports, all or none, durably.
	Write(ctx context.Context, reports []Report) error
	// Query finds records, newest first.
	Query(ctx context.Context, q Query) (Page, error)
	// Histogram counts the records that Query would find, per step of time.
	Histogram(ctx context.Context, q Query, step time.Duration) ([]Bucket, error)
	// Expire removes what has outlived its class at the instant.
	Expire(ctx context.Context, at time.Time) error
	// Forget removes what was received of a type before an instant, though its
	// class has not run out: metrics do not outlive a change of their class.
	// Forgetting again removes what came in late.
	Forget(ctx context.Context, f Forgetting) error
	Close() error
}

// Key names a report; it is a hash that the gateway makes.
type Key [16]byte

// Report is what the gateway admitted, decoded.
type Report struct {
	Key         Key
	Repeatable  bool // the same key may be another report: its points carry no time of their own
	WorkspaceID string
	Generation  workspace.Generation
	Type        meter.Type
	Class       string // the retention class at admission: "7d"
	Received    time.Time
	Points      []meter.Point // nil for a sink that does not look at them (Reads)
	Indexed     []Indexed     // of logs: what goes into named indexes, beside Points
}

// Indexed is the part of a report that goes into a named log index.
type Indexed struct {
	Index  string
	Class  string
	Points []meter.Point
}

// Record is one stored point.
type Record struct {
	Type      meter.Type
	Name      string
	Time      time.Time // when it happened, as the client says
	Received  time.Time
	Class     string
	Index     string // of logs: the named index; empty for the default one
	ExpiresAt time.Time
	Tags      []Pair
	Fields    []Pair
}

// Pair is a key and its value as text.
type Pair struct{ Key, Value string }

// Field is the value of a field, or of a tag of that name, or empty.
func (r Record) Field(key string) string {
	for _, p := range r.Fields {
		if p.Key == key {
			return p.Value
		}
	}
	for _, p := range r.Tags {
		if p.Key == key {
			return p.Value
		}
	}
	return ""
}

// Query says which records of one workspace's generation are wanted. Which
// generation may be seen is the workspace's business, not the query's.
type Query struct {
	WorkspaceID string
	Generation  workspace.Generation
	Type        meter.Type // empty for all
	Text        string     // a part of the name, a tag or a field, in any case; empty for all
	From, To    time.Time  // when it happened, [From, To); zero is open
	At          time.Time  // what has expired by then is not found
	MetricsFrom time.Time  // metrics received before are not found: their class was changed then
	Limit       int        // the size of the page, at most MaxPage
	Before      string     // the Next of the page before
}

// Forgetting says what is to be removed.
type Forgetting struct {
	WorkspaceID string
	Generation  workspace.Generation
	Type        meter.Type
	Before      time.Time // of receipt
}

// MaxPage is the largest page, and MaxBuckets the longest histogram.
const (
	MaxPage    = 1000
	MaxBuckets = 1000
)

// Page is a part of the answer, and where it goes on.
type Page struct {
	Records []Record
	Next    string // empty on the last page
}

// Bucket is the number of records in one step of time.
type Bucket struct {
	Start time.Time
	Count int64
}

// buckets are the empty steps of a histogram.
func buckets(q Query, step time.Duration) ([]Bucket, error) {
	if step <= 0 || q.From.IsZero() || !q.From.Before(q.To) || q.To.Sub(q.From)/step >= MaxBuckets {
		return nil, fmt.Errorf("a histogram of steps of %v from %v to %v is empty or longer than %d", step, q.From, q.To, MaxBuckets)
	}
	var list []Bucket
	for t := q.From; t.Before(q.To); t = t.Add(step) {
		list = append(list, Bucket{Start: t})
	}
	return list, nil
}

// lifetime is how long a class keeps a record: "7d" is seven times 24 hours.
func lifetime(class string) (time.Duration, error) {
	days, err := strconv.Atoi(strings.TrimSuffix(class, "d"))
	if err != nil || days < 1 || days > 3660 || !strings.HasSuffix(class, "d") {
		return 0, fmt.Errorf("retention class %q is no number of days", class)
	}
	return time.Duration(days) * 24 * time.Hour, nil
}
