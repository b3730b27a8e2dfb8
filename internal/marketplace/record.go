package marketplace

import (
	"context"
	"errors"
	"time"

	"tollgate.dev/internal/money"
	"tollgate.dev/internal/quantity"
	"tollgate.dev/internal/site"
)

// RecordState is how a record of usage stands.
type RecordState string

// The states of a record. Sent says that an answer may have been lost.
const (
	Waiting       RecordState = "pending"
	Sent          RecordState = "sent"           // on its way, or the answer was lost: it goes out again, byte for byte
	Accepted      RecordState = "accepted"       // the cloud has it
	DuplicateSame RecordState = "duplicate_same" // the cloud had it already, with this value
	DuplicateDiff RecordState = "duplicate_diff" // the cloud has another value for it, and keeps that: a person is told
	Rejected      RecordState = "rejected"       // the cloud will never take it: a person is told
	Ambiguous     RecordState = "ambiguous"      // nobody knows, and sending again could bill twice: for reconciliation
	Late          RecordState = "expired"        // its deadline has passed: a person is told
)

// RecordStates lists them.
func RecordStates() []RecordState {
	return []RecordState{Waiting, Sent, Accepted, DuplicateSame, DuplicateDiff, Rejected, Ambiguous, Late}
}

// Open reports whether the record is still to be sent.
func (s RecordState) Open() bool { return s == Waiting || s == Sent }

// Lost reports whether money may be lost with it, so that a person must look.
func (s RecordState) Lost() bool {
	return s == DuplicateDiff || s == Rejected || s == Ambiguous || s == Late
}

// Charge is what a cloud has to collect of one bill.
type Charge struct {
	BillID         string
	WorkspaceID    string
	SubscriptionID string
	Amount         money.Amount
	At             time.Time // when the bill was issued
}

// Record is usage of a subscription in a closed window: sealed once, and sent
// as it is.
type Record struct {
	ID             string // also what the cloud is told, where it wants a name
	SubscriptionID string
	Cloud          site.Method
	Account        string
	Instance       string
	Product        string
	Dimension      string
	From, To       time.Time // [From, To), whole UTC hours
	Quantity       quantity.Decimal
	Amount         money.Amount // that the quantity stands for
	Shares         []Share      // whose it is; they sum to the quantity where the cloud can be told
	State          RecordState
	Attempts       int
	NextAt         time.Time // when it goes out, or out again
	Deadline       time.Time // when the cloud no longer takes it
	RemoteID       string    // the cloud's receipt
	LastError      string
}

// Share is the part of a workspace in a record.
type Share struct {
	WorkspaceID string
	Amount      money.Amount
}

// Outcome is what came of sending a record.
type Outcome struct {
	RecordID string
	State    RecordState // Sent when it has to go out again
	RemoteID string
	Reason   string
}

// Limits are what a cloud takes in one request, and how often.
type Limits struct {
	Records     int           // of a request
	Bytes       int           // of a request; 0 for no limit
	PerInstance time.Duration // between two requests that name the same instance; 0 for none
	PerSecond   int           // requests a second
	OneProduct  bool          // all records of a request are of one product
}

// Claim is what a payer brings to have a purchase bound.
type Claim struct {
	Account  string // entered
	Instance string // entered
	Token    string // of the marketplace's redirection
	Order    string // of a stored-value card
}

// Purchase is what the cloud says of a claim that holds.
type Purchase struct {
	Account  string
	Instance string
	Product  string
	Order    string
	Plan     Plan
	Active   bool // false: the cloud has still to say that it lives
	BoughtAt time.Time
	Expires  time.Time
}

// Cloud is the seam: what an adapter does for one cloud. It keeps nothing and
// decides nothing; it speaks the wire.
type Cloud interface {
	// Method is the settlement method that it serves.
	Method() site.Method
	// Limits are those of its usage.
	Limits() Limits
	// Unit is what one of the dimension costs, and how many decimals of it the
	// cloud takes: a charge is cut to that, and the rest carried.
	Unit(c money.Currency) (dimension string, price money.Amount, decimals int)
	// Deadline is until when the cloud takes usage of a window that ends then.
	Deadline(p Plan, windowEnd time.Time) time.Time
	// Window is the window, of whole UTC hours, that usage of the instant is
	// sent for.
	Window(p Plan, at time.Time) (from, to time.Time)
	// Verify asks the cloud for the purchase that a payer claims: ErrClaim and
	// its kin when there is none, ErrUnreachable when it cannot be asked.
	Verify(ctx context.Context, c Claim) (Purchase, error)
	// Send hands over records within the limits. It gives an outcome for each
	// record, or an error when none of them was looked at: ErrThrottled, a
	// *Poisoned, or whatever says that the answer was lost.
	Send(ctx context.Context, records []Record) ([]Outcome, error)
}

// ErrThrottled is an answer that asks to come back later; nothing was taken.
var ErrThrottled = errors.New("the marketplace asks to come back later")

// Poisoned is an answer that refuses a whole request because of some record in
// it: the sender halves the request until that record is alone.
type Poisoned struct{ Reason string }

// Error says why.
func (p *Poisoned) Error() string { return "the marketplace refused the request: " + p.Reason }

// Fit cuts a charge to whole parts of a unit: the quantity for the cloud, and
// what is left for the next record. The price is that of one unit.
func Fit(amount, price money.Amount, decimals int) (q quantity.Decimal, rest money.Amount, err error) {
	if amount.Currency() != price.Currency() || price.Sign() <= 0 || amount.Sign() < 0 {
		return q, rest, money.ErrCurrency
	}
	scale := int64(1)
	for range decimals {
		scale *= 10
	}
	// parts of a unit that the amount pays: floor(amount * scale / price)
	minor, unit := amount.Minor(), price.Minor()
	whole, left := minor/unit, minor%unit
	parts := left * scale / unit
	cost := parts * unit
	for cost%scale != 0 { // a part that costs no whole minor unit stays behind
		parts--
		cost = parts * unit
	}
	return quantity.Scaled(whole*scale+parts, decimals), money.Of(left-cost/scale, amount.Currency()), nil
}
