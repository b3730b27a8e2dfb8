// Package meter says what a report of a collector contains and what of it is
// counted: decoders for the wire formats, the hashes of time series, the
// number of log records, and the exact set that counts distinct series.
//
// It owns no clock, no HTTP, no SQL and no prices; it does not know whether a
// report is admitted (quota) or where it is kept (sink).
//
// Always true: a decoder yields all points of a report or a fault that says
// where the report broke, never some of them; what it yields is bounded by the
// limits below, whatever the input; counts can only err in the customer's
// favour (design D4).
package meter

import (
	"cmp"
	"math"
	"slices"
	"time"

	"tollgate.dev/internal/fault"
)

// Faults of reports.
var (
	ErrMalformed    = fault.New(fault.Invalid, "report_malformed", "The report cannot be read.")
	ErrTooManyParts = fault.New(fault.TooLarge, "report_too_many_points", "The report has more points, or more tags and fields, than one report may have. Send smaller batches.")
	ErrTooLarge     = fault.New(fault.TooLarge, "report_too_large", "The report is larger than one report may be. Send smaller batches.")
	ErrTimestamp    = fault.New(fault.Invalid, "timestamp_out_of_range", "A point's timestamp is before the year 2000 or more than a day ahead. Check the collector's clock and the precision that it declares.")
)

// The limits of one report. A Tag takes 32 bytes and a Field 56, so that the
// most that decoding may allocate is about 56 MB beside the body itself.
const (
	MaxPoints     = 50_000
	MaxAttributes = 1_000_000 // tags and fields of all points together
	MaxPerPoint   = 1_024     // tags and fields of one point
	MaxKey        = 4 << 10   // bytes of a name or a key
	MaxTagValue   = 64 << 10  // bytes
)

// Type is the kind of thing that a report brings.
type Type string

// The types.
const (
	Metric    Type = "metric"
	Logging   Type = "logging"
	Object    Type = "object"   // infrastructure: kept, never cut off (domain section 6)
	Event     Type = "keyevent" // counted as a log record, never cut off
	Tracing   Type = "tracing"
	RUM       Type = "rum"
	Profiling Type = "profiling"
	Replaying Type = "replay" // segments of sessions' replays
	Security  Type = "security"
	Network   Type = "network"
	Dialing   Type = "dialing" // results of synthetic tests
)

// Types lists them in the order of a menu.
func Types() []Type {
	return []Type{Metric, Logging, Object, Event, Tracing, RUM, Profiling, Replaying, Security, Network, Dialing}
}

// Point is one decoded record: a sample of a metric, a log line, an object or
// an event.
type Point struct {
	Name    string  // the measurement, the source of a log, the class of an object
	Tags    []Tag   // sorted by key, each key once, none empty
	Fields  []Field // in the order of the report
	Time    time.Time
	Stamped bool // the client gave the time itself; else it is the time of receipt
}

// Tag is a dimension of a point.
type Tag struct{ Key, Value string }

// Field is a value of a point.
type Field struct {
	Key   string
	Value Value
}

// Kind is the type of a field's value.
type Kind uint8

// The kinds.
const (
	KindNone Kind = iota
	KindInt
	KindUint
	KindFloat
	KindBool
	KindString
	KindBytes     // a blob, or an array or map that its encoder packed
	KindHistogram // a native histogram of Prometheus in its wire form: one sample of one series
)

// Value is a field's value. Build it with Int, Uint, Float, Bool, Text, Bytes.
type Value struct {
	Kind Kind
	bits uint64
	text string
}

// Int is a signed value.
func Int(v int64) Value { return Value{Kind: KindInt, bits: uint64(v)} }

// Uint is an unsigned value.
func Uint(v uint64) Value { return Value{Kind: KindUint, bits: v} }

// Float is a floating value; it may be NaN or infinite.
func Float(v float64) Value { return Value{Kind: KindFloat, bits: math.Float64bits(v)} }

// Bool is a truth value.
func Bool(v bool) Value {
	if v {
		return Value{Kind: KindBool, bits: 1}
	}
	return Value{Kind: KindBool}
}

// Text is a string value.
func Text(v string) Value { return Value{Kind: KindString, text: v} }

// Bytes is a blob.
func Bytes(v string) Value { return Value{Kind: KindBytes, text: v} }

// Int is the value of a KindInt.
func (v Value) Int() int64 { return int64(v.bits) }

// Uint is the value of a KindUint.
func (v Value) Uint() uint64 { return v.bits }

// Float is the value of a KindFloat.
func (v Value) Float() float64 { return math.Float64frombits(v.bits) }

// Bool is the value of a KindBool.
func (v Value) Bool() bool { return v.bits != 0 }

// Text is the content of a KindString, KindBytes or KindHistogram.
func (v Value) Text() string { return v.text }

// Numeric reports whether the value is a sample of a time series: a number or
// a histogram. Namespace M holds numbers; a text or a truth value beside them
// is kept with the record but is no series.
func (v Value) Numeric() bool {
	switch v.Kind {
	case KindInt, KindUint, KindFloat, KindHistogram:
		return true
	}
	return false
}

// Size is what the value weighs in a record: its bytes, 8 for a number, 1 for
// a truth value.
func (v Value) Size() int64 {
	switch v.Kind {
	case KindNone:
		return 0
	case KindBool:
		return 1
	case KindInt, KindUint, KindFloat:
		return 8
	}
	return int64(len(v.text))
}

// oldest is the age at which a timestamp stops being late and starts being
// wrong: seconds taken for nanoseconds land in 1970, and so on.
var oldest = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// furthest is how far a client's clock may be ahead.
const furthest = 24 * time.Hour

// CheckTimes refuses a report that has a timestamp of another age. Everything
// between is taken: what is counted is counted by the time of receipt, so that
// a late point costs what it would have cost today.
func CheckTimes(points []Point, at time.Time) error {
	limit := at.Add(furthest)
	for i := range points {
		if t := points[i].Time; t.Before(oldest) || t.After(limit) {
			return ErrTimestamp.With("point", i+1).With("time", t.UTC().Format(time.RFC3339))
		}
	}
	return nil
}

// builder collects points under the limits. Tags of all points share one
// array, and so do fields: a report costs a handful of allocations.
type builder struct {
	points     []Point
	tags       []Tag
	fields     []Field
	tagStart   int
	fieldStart int
}

// begin starts a point.
func (b *builder) begin() {
	b.tagStart, b.fieldStart = len(b.tags), len(b.fields)
}

func (b *builder) room() error {
	if len(b.tags)+len(b.fields) >= MaxAttributes {
		return ErrTooManyParts.With("attributes", MaxAttributes)
	}
	if len(b.tags)-b.tagStart+len(b.fields)-b.fieldStart >= MaxPerPoint {
		return ErrTooManyParts.With("per_point", MaxPerPoint)
	}
	return nil
}

func (b *builder) tag(key, value string) error {
	if err := b.room(); err != nil {
		return err
	}
	if len(key) > MaxKey || len(value) > MaxTagValue {
		return ErrTooManyParts.Says("A tag is longer than %d bytes of key or %d bytes of value.", MaxKey, MaxTagValue)
	}
	b.tags = append(b.tags, Tag{key, value})
	return nil
}

func (b *builder) field(key string, v Value) error {
	if err := b.room(); err != nil {
		return err
	}
	if len(key) > MaxKey {
		return ErrTooManyParts.Says("A field's key is longer than %d bytes.", MaxKey)
	}
	b.fields = append(b.fields, Field{key, v})
	return nil
}

// foreseen is how many points at most room is made for before they come.
const foreseen = 4096

// foresee makes room for points like the first one, which took so many of the
// report's bytes: most reports are of one kind of point.
func (b *builder) foresee(taken, total int) {
	if len(b.points) == 1 && taken > 0 {
		n := min(total/taken, foreseen)
		b.points = slices.Grow(b.points, n)
		b.tags = slices.Grow(b.tags, n*len(b.points[0].Tags))
		b.fields = slices.Grow(b.fields, n*len(b.points[0].Fields))
	}
}

// settle brings the tags of the point into their canonical form.
func (b *builder) settle() []Tag {
	kept := canonical(b.tags[b.tagStart:])
	b.tags = b.tags[:b.tagStart+len(kept)]
	return kept[:len(kept):len(kept)]
}

// add ends a point that begin started.
func (b *builder) add(name string, tags []Tag, at time.Time, stamped bool) error {
	if len(b.points) >= MaxPoints {
		return ErrTooManyParts.With("points", MaxPoints)
	}
	if len(name) > MaxKey {
		return ErrTooManyParts.Says("A name is longer than %d bytes.", MaxKey)
	}
	fields := b.fields[b.fieldStart:len(b.fields):len(b.fields)]
	b.points = append(b.points, Point{Name: name, Tags: tags, Fields: fields, Time: at, Stamped: stamped})
	b.fieldStart = len(b.fields)
	return nil
}

// Canonical brings tags into their canonical form: sorted by key, the last of
// those with the same key, none empty. It works in place.
func Canonical(tags []Tag) []Tag { return canonical(tags) }

// canonical sorts tags by key, in place, drops the empty ones and keeps the
// last of those with the same key: however a client orders them, one
// combination is one series.
func canonical(tags []Tag) []Tag {
	if sorted(tags) {
		return tags
	}
	slices.SortStableFunc(tags, func(a, b Tag) int { return cmp.Compare(a.Key, b.Key) })
	kept := tags[:0]
	for i, t := range tags {
		last := i+1 == len(tags) || tags[i+1].Key != t.Key
		if last && t.Value != "" {
			kept = append(kept, t)
		}
	}
	return kept
}

func sorted(tags []Tag) bool {
	for i, t := range tags {
		if t.Value == "" || i > 0 && tags[i-1].Key >= t.Key {
			return false
		}
	}
	return true
}
