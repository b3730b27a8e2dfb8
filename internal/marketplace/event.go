package marketplace

import (
	"cmp"
	"slices"
	"time"

	"tollgate.dev/internal/site"
)

// EventKind is what happened to a subscription, in words that all clouds share.
type EventKind string

// The kinds.
const (
	Purchased EventKind = "purchased" // it lives
	Renewed   EventKind = "renewed"   // it expires later; or earlier, when a renewal was refunded
	Changed   EventKind = "changed"   // its size or terms; it lives on
	Froze     EventKind = "frozen"
	Thawed    EventKind = "thawed"
	Cancelled EventKind = "cancelled" // the buyer unsubscribed
	Expired   EventKind = "expired"   // its time ran out
	Released  EventKind = "released"  // the instance is deleted, perhaps refunded
)

// EventKinds lists them.
func EventKinds() []EventKind {
	return []EventKind{Purchased, Renewed, Changed, Froze, Thawed, Cancelled, Expired, Released}
}

// Event is what a cloud says about a subscription. Facts that the cloud does
// not say are empty.
type Event struct {
	ID        string // the cloud's own; unique per cloud, and the same again when the cloud repeats itself
	Cloud     site.Method
	Kind      EventKind
	Instance  string
	Account   string
	Reference string
	Product   string
	Order     string
	Plan      Plan
	At        time.Time     // when it happened, as the cloud says; else when it came
	ExpiresAt time.Time     // of a purchase or a renewal; zero where there is none
	FinalFor  time.Duration // of an end: how long usage is still taken
	Refunded  bool          // of a release
	Test      bool          // a probe of the cloud: answered as any other, and nothing done
	Raw       []byte        // as it came, without what is secret or signs it, for whoever has to look
}

// Effect is what becomes of the workspaces that a subscription settles.
type Effect string

// The effects (domain C-14).
const (
	GoOn     Effect = "go_on"
	FallBack Effect = "fall_back" // the Billing Center settles them from now on, and a mail says so
	Lock     Effect = "lock"      // they are in their grace for this cause
)

// policy is what a state does to the workspaces, per cloud and by the event
// that led to it (domain sections 11 and 12, C-14). What is not listed locks.
var policy = map[site.Method]map[EventKind]Effect{
	site.Alibaba:     {Cancelled: FallBack},
	site.AlibabaIntl: {Cancelled: FallBack},
}

// Effect is what the subscription does to the workspaces that it settles, as it
// stands.
func (s Subscription) Effect() Effect {
	if s.State == Active || s.State == Pending {
		return GoOn
	}
	if e := policy[s.Cloud][s.Why]; e != "" {
		return e
	}
	return Lock
}

// next is the state after an event; a pair that is not listed changes nothing.
var next = map[State]map[EventKind]State{
	Pending: {Purchased: Active, Renewed: Active, Changed: Active, Thawed: Active, Froze: Frozen, Expired: Frozen, Cancelled: Ending, Released: Ending},
	Active:  {Froze: Frozen, Expired: Frozen, Cancelled: Ending, Released: Ending},
	Frozen:  {Thawed: Active, Renewed: Active, Purchased: Active, Cancelled: Ending, Released: Ending},
}

// Fold is the subscription after all that was ever heard of it. Events count in
// the order in which they happened, whatever the order in which they came and
// however often: so it ends the same way. What a person did here (the payer)
// stays.
func (s Subscription) Fold(events []Event) Subscription {
	events = slices.Clone(events)
	slices.SortFunc(events, func(a, b Event) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(slices.Index(EventKinds(), a.Kind), slices.Index(EventKinds(), b.Kind)), cmp.Compare(a.ID, b.ID))
	})
	never := time.Time{}
	s.State, s.Why, s.ExpiresAt, s.ActiveAt, s.EndedAt, s.EndsAt, s.AppliedAt = Pending, "", never, never, never, never, never
	for _, e := range events {
		if !e.Test {
			s = s.after(e)
		}
	}
	return s
}

func (s Subscription) after(e Event) Subscription {
	s.AppliedAt = e.At
	s.Account, s.Reference = cmp.Or(s.Account, e.Account), cmp.Or(s.Reference, e.Reference)
	s.Product, s.Order = cmp.Or(s.Product, e.Product), cmp.Or(s.Order, e.Order)
	s.Plan = cmp.Or(s.Plan, e.Plan)
	if s.State == Ending {
		// A cancellation says why, even when the release that it caused happened,
		// or came, before it: workspaces that fell back are not locked again.
		if e.Kind == Cancelled {
			s.Why = Cancelled
		}
		return s
	}
	if e.Kind == Purchased || e.Kind == Renewed {
		s.ExpiresAt = e.ExpiresAt
	}
	to, known := next[s.State][e.Kind]
	if !known {
		return s
	}
	s.State, s.Why = to, e.Kind
	if to == Active && s.ActiveAt.IsZero() {
		s.ActiveAt = e.At
	}
	if to == Ending {
		s.EndedAt, s.EndsAt = e.At, e.At.Add(e.FinalFor)
	}
	return s
}

// At is the subscription at an instant: one whose last usage is no longer taken
// has ended.
func (s Subscription) At(at time.Time) Subscription {
	if s.State == Ending && !at.Before(s.EndsAt) {
		s.State = Ended
	}
	return s
}
