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
	Reissued      RecordState = "reissued"       // an operator had its money sealed again, as part of a later record
	WrittenOff    RecordState = "written_off"    // an operator gave it up
)

// RecordStates lists them.
func RecordStates() []RecordState {
	return []RecordState{Waiting, Sent, Accepted, DuplicateSame, DuplicateDiff, Rejected, Ambiguous, Late, Reissued, WrittenOff}
}

// Open reports whether the record is still to be sent.
func (s RecordState) Open() bool { return s == Waiting || s == Sent }

// Lost reports whether money may be lost with it, so that a person must look;
// what a person decided is lost no longer.
func (s RecordState) Lost() bool {
	return s == DuplicateDiff || s == Rejected || s == Ambiguous || s == Late
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
	Slot           time.Time // when the window of its plan begins; there is one record of a slot, dimension and instance
	Window         Window    // the slot's; the last one of a subscription ends when that did
	Quantity       quantity.Decimal
	Amount         money.Amount // that the quantity stands for
	Carried        money.Amount // of the charges that are sealed in it or were carried to it: what is left for the next one
	Shares         []Share      // whose it is, by workspace; their quantities sum to the record's
	State          RecordState
	Attempts       int // sendings, begun ones counted
	Answers        int // those of them that surely took nothing
	Most           int // records of a request that may hold it, since one was refused; 0 for the cloud's limit
	SealedAt       time.Time
	NextAt         time.Time // when it goes out, or out again
	Deadline       time.Time // when the cloud no longer takes it
	AlertAt        time.Time // when a person is told that it still waits
	Alerted        bool
	DecidedAt      time.Time    // when its state became final
	DecidedBy      string       // an operator; empty for the cloud or the clock
	Taken          money.Amount // what the cloud has of it, as far as it is known
	Returned       money.Amount // what went back to be sealed again
	RemoteID       string       // the cloud's receipt
	Reason         string       // as the cloud or the operator says
}

// Share is the part of a workspace in a record. The amounts sum to the charges
// that were sealed into it, which differ from its own by what was carried; what
// the cloud is told sums to the record's.
type Share struct {
	WorkspaceID string
	Quantity    quantity.Decimal
	Amount      money.Amount
	Told        money.Amount // of the record's amount
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
