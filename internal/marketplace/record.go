package marketplace

import (
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
	Reference      string
	Product        string
	Plan           Plan
	Dimension      string
	Window         Window // of whole UTC hours; the last one of a subscription ends when that did
	Quantity       quantity.Decimal
	Amount         money.Amount // that the quantity stands for
	Shares         []Share      // whose it is, by workspace; their quantities sum to the record's
	State          RecordState
	Attempts       int
	NextAt         time.Time // when it goes out, or out again
	Deadline       time.Time // when the cloud no longer takes it
	RemoteID       string    // the cloud's receipt
	LastError      string
}

// Share is the part of a workspace in a record. The amounts sum to the charges
// that were sealed into it, which differ from its own by what was carried.
type Share struct {
	WorkspaceID string
	Quantity    quantity.Decimal
	Amount      money.Amount
}

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
