// Package usage holds what happened: samples per workspace, generation, item,
// class and hour, and the rules that make one day quantity of them (domain
// section 7.1). It does not know prices.
package usage

import (
	"time"

	"tollgate.dev/internal/meter"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/workspace"
)

// Key is what a sample is kept under, besides its hour.
type Key struct {
	WorkspaceID string
	Generation  workspace.Generation
	Item        string // a billing item of the catalogue: "logs"
	Counter     string // empty, or the name of an item's second counter: "spans"
	Class       string // the retention class at admission: "7d"; "none" for flat items
	Index       string `json:",omitempty"` // of logs: the named index; empty for the default one and for other items
}

// Delta adds to a sum: so many more of the item in the hour of receipt.
type Delta struct {
	Key
	Hour time.Time // the start of the hour of receipt, UTC
	Add  int64
}

// Distinct adds members to the exact set of a day; its sampling says how they
// become the sample of the hour. A member counts once a day, in the class in
// which it came first: a change of class within the day splits the day's
// increment and never counts a member twice (domain section 8).
type Distinct struct {
	Key
	Sampling meter.Sampling `json:",omitempty"`
	Day      period.Day     // the service day at the workspace's site
	Hour     time.Time
	Members  []uint64 // keyed hashes, the installation's own key; duplicates are harmless
}

// Batch is what a gateway hands over in one flush. Gateway, Epoch and Seq name
// it: a batch at or below the stored mark of its gateway and epoch adds nothing.
type Batch struct {
	Gateway   string
	Epoch     int64 // grows when the gateway lost its spool
	Seq       int64 // grows by one per batch
	Deltas    []Delta
	Distincts []Distinct
	Through   time.Time // everything received before this instant is in this batch or an earlier one
}

// Entry books usage that no gateway counted.
type Entry struct {
	Key
	Hour     time.Time // the start of the hour of receipt, UTC
	Quantity int64
	Volume   bool // it is what is stored: the hour keeps the largest; else it adds
}

// Total is the quantity of one key in the current service day so far.
type Total struct {
	Key
	Quantity int64
}

// Sample is what one key holds for one hour: for a sum, and for a set that is
// sampled by what is new, what was added in that hour; for any other set the
// members of the service day so far.
type Sample struct {
	Key
	Hour     time.Time // the start of the hour, UTC
	Quantity int64
}
