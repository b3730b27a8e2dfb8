package marketplace

import (
	"context"
	"errors"
	"time"

	"tollgate.dev/internal/money"
	"tollgate.dev/internal/site"
)

// Way is how a payer has a purchase bound.
type Way string

// The ways. What a payer may type is never enough where the cloud hands out a
// token: an account's number is no secret.
const (
	ByInstance Way = "instance" // enters the account and the instance, and the cloud confirms the pair
	ByToken    Way = "token"    // comes back from the marketplace with a token of registration
)

// Claim is what a payer brings to have a purchase bound.
type Claim struct {
	Account  string // entered
	Instance string // entered
	Token    string // of the marketplace's redirection
	Order    string // entered, where the cloud knows the purchase by its order
}

// Purchase is what the cloud says of a claim that holds.
type Purchase struct {
	Account   string
	Instance  string
	Reference string
	Product   string
	Order     string
	Plan      Plan
	Active    bool // false: the cloud has still to say that it lives
	BoughtAt  time.Time
	ExpiresAt time.Time // zero for never
}

// Limits are what a cloud takes in one request, and how often.
type Limits struct {
	Records     int           // of a request
	Bytes       int           // of a request, as Cloud.Size counts them; 0 for no limit
	PerInstance time.Duration // between two requests that name the same instance; 0 for none
	PerSecond   int           // requests a second; 0 for no limit
	OneProduct  bool          // all records of a request are of one product
	Resends     int           // of records whose answer was lost, before a person has to look; Unlimited where the cloud counts a repeated record once
}

// Unlimited is the number of resends to a cloud that is known to count a
// repeated record once.
const Unlimited = -1

// Unit is what one of a dimension stands for.
type Unit struct {
	Dimension string       // as the listing calls it
	Price     money.Amount // of one
	Decimals  int          // of a quantity
	Most      int64        // of a record, in whole units; 0 for no limit
	Zero      bool         // whether a record may say 0
}

// Window is the time that a record of usage is for: [From, To).
type Window struct{ From, To time.Time }

// Cloud is the seam: what an adapter does for one cloud. It keeps nothing and
// decides nothing; it speaks the wire. Its methods are called from several
// goroutines.
type Cloud interface {
	// Method is the settlement method that it serves.
	Method() site.Method
	// Way is how a purchase is bound.
	Way() Way
	// Storefront is the address at which the product is bought; a payer's
	// browser is led there.
	Storefront() string
	// Limits are those of its usage.
	Limits() Limits
	// Unit is in what the charges of a product are sent: a charge is cut to
	// it, and the rest carried. ErrCurrency when the product is not sold in
	// that currency.
	Unit(product string, c money.Currency) (Unit, error)
	// Window is the window that usage of the instant is sent for. Windows of a
	// plan follow each other without a gap, and begin and end on whole UTC hours.
	Window(p Plan, at time.Time) Window
	// Deadline is until when the cloud takes usage of the window. It is after
	// the window's end.
	Deadline(p Plan, w Window) time.Time
	// Size is how many bytes a record takes in a request, at most.
	Size(r Record) int
	// Verify asks the cloud for the purchase that a payer claims: ErrClaim and
	// its kin when there is none, ErrUnreachable when it cannot be asked.
	Verify(ctx context.Context, c Claim) (Purchase, error)
	// Send hands over records within the limits, in one request. It gives an
	// outcome for each record, in any order, or an error: ErrThrottled,
	// ErrUnreachable or a *Poisoned when none of them was taken, and whatever
	// else when nobody knows, because the answer was lost. A record of which
	// the cloud said nothing has no outcome, and goes out again.
	Send(ctx context.Context, records []Record) ([]Outcome, error)
}

// Outcome is what came of sending a record.
type Outcome struct {
	RecordID string
	State    RecordState // Sent when the cloud asks for it again
	RemoteID string      // the cloud's receipt
	Reason   string      // as the cloud says it; never a secret
}

// ErrThrottled is an answer that asks to come back later; nothing was taken.
var ErrThrottled = errors.New("the marketplace asks to come back later")

// Poisoned is an answer that refuses a whole request because of some record in
// it: the sender halves the request until that record is alone.
type Poisoned struct{ Reason string }

// Error says why.
func (p *Poisoned) Error() string { return "the marketplace refused the request: " + p.Reason }
