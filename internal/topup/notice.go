package topup

import (
	"strings"
	"time"
	"unicode/utf8"

	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/id"
	"tollgate.dev/internal/money"
)

// NoticeState is what became of a notice.
type NoticeState string

// The states of a notice.
const (
	NoticeReceived  NoticeState = "received"  // kept, and a job is queued
	NoticeWaiting   NoticeState = "waiting"   // its payment is not credited yet
	NoticeApplied   NoticeState = "applied"   // it changed the payment
	NoticeRepeated  NoticeState = "repeated"  // it said what was known
	NoticeParked    NoticeState = "parked"    // it does not fit; a person looks
	NoticeDismissed NoticeState = "dismissed" // a person looked and let it be
)

// Notice is a report of a channel in the inbox: what came is kept before it is
// answered, once per event.
type Notice struct {
	ID         string
	Channel    Name
	Report     Report
	PaymentID  string // once it is known
	State      NoticeState
	Reason     Reason
	ReceivedAt time.Time
	DecidedAt  time.Time
	DecidedBy  string // of a dismissed one
	Remark     string // of who dismissed it
}

// newNotice keeps a report.
func newNotice(channel Name, r Report, at time.Time) Notice {
	return Notice{ID: id.New(id.ChannelNotice), Channel: channel, Report: r, PaymentID: r.PaymentID, State: NoticeReceived, ReceivedAt: at}
}

// decided is the notice with what became of it.
func (n Notice) decided(v verdict, at time.Time) Notice {
	n.State, n.Reason, n.DecidedAt = v.state, v.reason, at
	if v.payment != "" {
		n.PaymentID = v.payment
	}
	return n
}

// maxRemark bounds what a person writes to a decision.
const maxRemark = 256

// ErrRemark is a decision without its reason.
var ErrRemark = fault.New(fault.Invalid, "remark_required", "Enter why, at most 256 characters.")

func remark(text string) (string, error) {
	text = strings.TrimSpace(text)
	if n := utf8.RuneCountInString(text); n == 0 || n > maxRemark || !utf8.ValidString(text) {
		return "", ErrRemark.On("remark")
	}
	return text, nil
}

// Dismiss is an operator's word that a parked notice needs nothing more.
func (n Notice) Dismiss(operator, why string, at time.Time) (Notice, error) {
	why, err := remark(why)
	switch {
	case n.State == NoticeDismissed:
		return n, nil
	case n.State != NoticeParked:
		return n, ErrNotParked
	case err != nil:
		return n, err
	}
	n.State, n.DecidedAt, n.DecidedBy, n.Remark = NoticeDismissed, at, operator, why
	return n, nil
}

// verdict is what becomes of a report.
type verdict struct {
	state   NoticeState
	reason  Reason
	payment string
}

func applied(p Payment) verdict  { return verdict{state: NoticeApplied, payment: p.ID} }
func repeated(p Payment) verdict { return verdict{state: NoticeRepeated, payment: p.ID} }
func waiting(p Payment) verdict  { return verdict{state: NoticeWaiting, payment: p.ID} }
func parked(p Payment, r Reason) verdict {
	return verdict{state: NoticeParked, reason: r, payment: p.ID}
}

// RefundState is how far a refund has come.
type RefundState string

// The states of a refund.
const (
	RefundAsked   RefundState = "asked"   // kept, and the channel is being told
	RefundDone    RefundState = "done"    // the channel took it
	RefundRefused RefundState = "refused" // the channel did not, for good
	RefundUnclear RefundState = "unclear" // the channel did not answer for so long that asking again could double it
)

// Refund is an operator's wish to send money of a payment back.
type Refund struct {
	ID        string
	PaymentID string
	Key       string // one refund per payment and key
	Amount    money.Amount
	State     RefundState
	Reason    string
	AskedBy   string // the operator
	AskedAt   time.Time
	DoneAt    time.Time
	Problem   string // what the channel said to refuse it
}

// askRefundFor is how long a channel is asked for one refund. A channel forgets
// idempotency keys after a day.
const askRefundFor = 20 * time.Hour

// DisputeState is how far a dispute has come.
type DisputeState string

// The states of a dispute.
const (
	DisputeIsOpen  DisputeState = "open"
	DisputeWasWon  DisputeState = "won"
	DisputeWasLost DisputeState = "lost"
)

// Dispute is a payer's bank that takes a payment back.
type Dispute struct {
	Channel   Name
	Reference string // the channel's name for it
	PaymentID string
	Amount    money.Amount
	State     DisputeState
	OpenedAt  time.Time
	DecidedAt time.Time
}

// Apply is the job that reads a notice of the inbox.
type Apply struct {
	NoticeID string `json:"notice_id"`
}

// Kind names the job for the queue.
func (Apply) Kind() string { return "topup.apply" }

// Credit is the job that books a payment that was paid.
type Credit struct {
	PaymentID string `json:"payment_id"`
}

// Kind names the job for the queue.
func (Credit) Kind() string { return "topup.credit" }

// Ask is the job that asks the channel how a payment stands.
type Ask struct {
	PaymentID string `json:"payment_id"`
}

// Kind names the job for the queue.
func (Ask) Kind() string { return "topup.ask" }

// SendRefund is the job that tells the channel of a refund.
type SendRefund struct {
	RefundID string `json:"refund_id"`
}

// Kind names the job for the queue.
func (SendRefund) Kind() string { return "topup.refund" }
