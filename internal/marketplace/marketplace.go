// Package marketplace settles what a workspace costs through the marketplace of
// a cloud: a purchase comes in, usage goes out, and what becomes of the
// purchase comes in again.
//
// It owns subscriptions (what was bought on a marketplace, by whom, and whose
// it is here), the effect of each event of their lives, and the records of
// usage: how charges are sealed into records, in which state a record ends,
// and what is carried to the next one. It does not own the clouds' wires,
// which are the adapters' below it, nor the deduction of a bill.
//
// Always true: a subscription is of one payer at most, and never changes hands;
// it stands as its events say in the order in which they happened, in whatever
// order and however often they came; a charge is part of one record;
// a record that was sent is never sent with another value; what the records of
// a subscription say and what is carried sum to its charges.
package marketplace

import (
	"time"

	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/id"
	"tollgate.dev/internal/site"
)

// Faults of claims: what a payer enters, or comes back with, to have a purchase
// bound.
var (
	ErrClaim        = fault.New(fault.Invalid, "purchase_unknown", "The marketplace knows no active purchase of this account and instance. Check both, and that the purchase is paid and active.")
	ErrInactive     = fault.New(fault.Conflict, "purchase_inactive", "This purchase is not active on the marketplace.")
	ErrClaimed      = fault.New(fault.Conflict, "purchase_bound_elsewhere", "This purchase is bound to another Billing Center account.")
	ErrOtherProduct = fault.New(fault.Invalid, "purchase_of_other_product", "This purchase is of another product.")
	ErrRegistration = fault.New(fault.Invalid, "registration_token_invalid", "The registration of the marketplace is unknown or has expired. Start again from the marketplace.")
	ErrUnreachable  = fault.New(fault.Unavailable, "marketplace_unreachable", "The marketplace does not answer just now. Try again in a few minutes.")
	ErrCurrency     = fault.New(fault.Conflict, "purchase_currency", "This marketplace does not settle in the currency of this Billing Center account.")
	ErrMany         = fault.New(fault.TooMany, "claims_many", "There were too many wrong purchases. Try again later.")
	ErrRecord       = fault.New(fault.NotFound, "usage_record_unknown", "There is no such record of usage.")
	ErrUnknown      = fault.New(fault.NotFound, "subscription_unknown", "There is no such subscription of this account.")
	ErrOrderUsed    = fault.New(fault.Conflict, "order_already_redeemed", "This order has been redeemed already.")
	ErrOrder        = fault.New(fault.Invalid, "order_not_redeemable", "The marketplace knows no order of this account and number that can be redeemed.")
)

// State is how a subscription stands.
type State string

// The states. A subscription ends once; a new purchase is a new subscription.
const (
	Pending State = "pending" // bought or claimed, but the cloud has not said yet that it lives
	Active  State = "active"
	Frozen  State = "frozen" // the cloud has suspended it and may take that back
	Ending  State = "ending" // over, but its last usage is still taken
	Ended   State = "ended"
)

// States lists them in the order of a life.
func States() []State { return []State{Pending, Active, Frozen, Ending, Ended} }

// Takes reports whether usage can still be sent to the subscription.
func (s State) Takes() bool { return s == Active || s == Frozen || s == Ending }

// Settles reports whether the subscription may settle a workspace.
func (s State) Settles() bool { return s == Active }

// Plan is how often a cloud wants usage.
type Plan string

// The plans.
const (
	Hourly Plan = "hourly"
	Daily  Plan = "daily"
)

// Subscription is what was bought on a marketplace.
type Subscription struct {
	ID        string
	Cloud     site.Method
	Account   string // the buyer's account at the cloud: AliUid, AWS account, Huawei customer
	Instance  string // what tells it from all others of the cloud: an instance ID, the end of a license's ARN
	Reference string // what usage is sent under, where the cloud wants more than the instance: the ARN, word by word
	Product   string // as the cloud names it
	Order     string // empty where the cloud has none
	Plan      Plan
	State     State
	Why       EventKind // of its present state
	Payer     string    // the Billing Center account that it is bound to; empty until then
	BoughtAt  time.Time // as the cloud says
	ActiveAt  time.Time // since when it takes usage; zero while it never did
	BoundAt   time.Time // zero until then
	ExpiresAt time.Time // zero for never
	EndedAt   time.Time // when it ended, as the cloud says; zero while it lasts
	EndsAt    time.Time // until when the last usage is taken; zero while it lasts
	AppliedAt time.Time // the instant of the latest event, as the cloud says; zero before the first
	Revision  int64     // grows with every change; writes name the one they read
}

// New is a subscription that nobody has claimed yet.
func New(cloud site.Method, account, instance, product string, plan Plan, at time.Time) Subscription {
	return Subscription{
		ID: id.New(id.Subscription), Cloud: cloud, Account: account, Instance: instance, Product: product,
		Plan: plan, State: Pending, BoughtAt: at, Revision: 1,
	}
}

// Over reports whether the subscription has ended.
func (s Subscription) Over() bool { return s.State == Ending || s.State == Ended }

// Bind gives the subscription to a payer, once. Bound to the same payer again
// it stays as it is.
func (s Subscription) Bind(payer string, at time.Time) (Subscription, error) {
	switch {
	case s.Payer != "" && s.Payer != payer:
		return s, ErrClaimed
	case s.Over():
		return s, ErrInactive
	case s.Payer == "":
		s.Payer, s.BoundAt = payer, at
	}
	return s, nil
}
