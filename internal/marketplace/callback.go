package marketplace

import (
	"time"

	"tollgate.dev/internal/fault"
)

// Faults of callbacks: what a cloud, or somebody in its place, sends to the
// doors. Nothing is bound or moved by a call that has one of them.
var (
	ErrSignature = fault.New(fault.Unauthenticated, "callback_signature_wrong", "The signature of this call does not hold. Check the key that is shared with the marketplace.")
	ErrSkewed    = fault.New(fault.Unauthenticated, "callback_clock_skewed", "This call was signed too long ago, or its clock is ahead. Check both clocks.")
	ErrReplayed  = fault.New(fault.Conflict, "callback_replayed", "This call came before. Each call is signed anew.")
	ErrFields    = fault.New(fault.Invalid, "callback_fields_wrong", "This call lacks a parameter, or has one that cannot be read.")
	ErrCrowd     = fault.New(fault.TooMany, "calls_many", "Too many calls came from this address. Try again in a minute.")
	ErrAction    = fault.New(fault.Invalid, "callback_action_unknown", "This call asks for something that the marketplace's documents do not name.")
)

// Skew is how far the clock of a signed call may be off (each cloud's text
// says a minute).
const Skew = time.Minute

// Within reports whether two clocks agree to a bound.
func Within(a, b time.Time, most time.Duration) bool { return a.Sub(b).Abs() <= most }

// Simulated is a cloud whose settings lead elsewhere than to the cloud, which
// pages and the log say.
type Simulated interface{ Simulated() bool }
