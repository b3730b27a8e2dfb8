package topup

import (
	"context"
	"time"

	"tollgate.dev/internal/money"
)

// Channel is a payment channel: it makes and verifies messages and knows
// nothing of books. Its calls may be repeated with the same payment or refund
// and have one effect there.
type Channel interface {
	Name() Name
	// Takes reports whether it takes payments in the currency.
	Takes(c money.Currency) bool
	// Open tells the channel of the payment and gives the way to pay it.
	Open(ctx context.Context, p Payment) (Opened, error)
	// Ask asks how the payment stands.
	Ask(ctx context.Context, p Payment) ([]Report, error)
	// Refund sends money of the payment back, once per refund's ID.
	Refund(ctx context.Context, p Payment, r Refund) (Report, error)
	// Read verifies a notice: ErrForged when it is not the channel's word. One
	// that does not concern us has no reports.
	Read(m Message) ([]Report, error)
	// Reply is what the channel expects to hear: that the notice is kept, or
	// that it must be sent again.
	Reply(kept bool) Reply
}

// Message is a notice as it came in.
type Message struct {
	Header map[string][]string // canonical names
	Body   []byte
}

// Reply is the answer to a notice.
type Reply struct {
	Status int
	Body   string
}

// Opened is a way to pay.
type Opened struct {
	Session   string
	URL       string
	ExpiresAt time.Time // zero: as the payment says
}

// Outcome is what a channel says of a payment.
type Outcome string

// The outcomes.
const (
	IsOpen         Outcome = "open" // nothing has happened yet
	WasPaid        Outcome = "paid"
	HasFailed      Outcome = "failed"
	HasExpired     Outcome = "expired"
	WasRefunded    Outcome = "refunded" // Amount is all that went back so far
	RefundFailed   Outcome = "refund_failed"
	DisputeOpened  Outcome = "dispute_opened"
	DisputeDecided Outcome = "dispute_decided" // for us, or against us
)

// Report is the verified word of a channel.
type Report struct {
	Event     string // its name; the same again when the channel repeats itself
	Type      string // what the channel calls it
	PaymentID string // our own name of the payment, where the channel tells it
	Reference string // the channel's name for the money
	Outcome   Outcome
	Amount    money.Amount // of what happened; of refunds, all so far
	Dispute   string       // the channel's name of a dispute
	Won       bool         // of a decided dispute
	Odd       Reason       // why it cannot be ours although it is signed
}

// Reason says why a notice is parked.
type Reason string

// The reasons.
const (
	ReasonForged       Reason = "forged"        // the signature does not hold
	ReasonUnreadable   Reason = "unreadable"    // signed, but not in the channel's form
	ReasonMerchant     Reason = "merchant"      // for another merchant's account
	ReasonMode         Reason = "mode"          // test money, or real money in a test
	ReasonUnknown      Reason = "unknown"       // of a payment that we do not have
	ReasonChannel      Reason = "channel"       // of another channel's payment
	ReasonAmount       Reason = "amount"        // another amount or currency
	ReasonTwice        Reason = "twice"         // the payment was paid before with other money
	ReasonExcess       Reason = "excess"        // more goes back than came
	ReasonRefundFailed Reason = "refund_failed" // a refund that we booked came to nothing
	ReasonContradicts  Reason = "contradicts"   // a decided dispute was decided again, otherwise
)
