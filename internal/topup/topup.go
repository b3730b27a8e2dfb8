// Package topup is how cash comes in through payment channels. It owns the
// payment and its states, what a channel is and says, the inbox of what the
// channels told us, refunds and disputes. It does not own the ledger, which is
// the wallet's, nor a channel's wire format, which is its adapter's.
//
// A payment goes from created to pending when the channel knows it, to paid
// when the channel says so, and to credited when the ledger has it. Every step
// is one transaction, and the job of the next step is queued in it, so that a
// process that dies between two steps goes on where it was.
//
// Always true: a payment is credited once, with the amount and the currency
// that it was made for; what goes back of it never exceeds what came; what a
// channel says is believed when its signature holds, and what does not fit is
// kept with its reason and moves nothing (domain section 10.1).
package topup

import (
	"slices"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/id"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/wallet"
)

// Faults of top-ups.
var (
	ErrUnknown     = fault.New(fault.NotFound, "payment_unknown", "There is no such payment.")
	ErrChannel     = fault.New(fault.Invalid, "channel_unknown", "Choose one of the payment channels on offer.")
	ErrCurrency    = fault.New(fault.Invalid, "channel_currency", "This channel does not take the currency of your account.")
	ErrTooLittle   = fault.New(fault.Invalid, "topup_too_little", "This is less than a channel takes at once.")
	ErrTooMuch     = fault.New(fault.Invalid, "topup_too_much", "This is more than a channel takes at once. Pay by bank transfer, or in parts.")
	ErrKey         = fault.New(fault.Invalid, "topup_key", "This form is incomplete. Reload the page and send it again.")
	ErrKeyReused   = fault.New(fault.Conflict, "topup_key_reused", "This payment was begun before with another amount or channel. Look for it in the list, or begin a new one.")
	ErrUnavailable = fault.New(fault.Unavailable, "channel_unavailable", "The payment channel does not answer. Nothing was paid; try again in a minute.")
	ErrRefused     = fault.New(fault.Conflict, "channel_refused", "The payment channel refused this.")
	ErrForged      = fault.New(fault.Forbidden, "notice_forged", "The signature of this notice does not hold.")
	ErrUnreadable  = fault.New(fault.Invalid, "notice_unreadable", "This notice cannot be read.")
	ErrNotCredited = fault.New(fault.Conflict, "payment_not_credited", "Only a payment that was credited can be refunded.")
	ErrRefundMost  = fault.New(fault.Conflict, "refund_too_much", "This is more than is left of the payment.")
	ErrRefundKnown = fault.New(fault.Conflict, "refund_reused", "This refund was asked for before with another amount.")
	ErrNotice      = fault.New(fault.NotFound, "notice_unknown", "There is no such notice.")
	ErrNotParked   = fault.New(fault.Conflict, "notice_not_parked", "This notice is not waiting for a decision.")
)

// Name names a channel, in the books as on the pages.
type Name string

// The channels.
const (
	Stripe Name = "stripe"
	Alipay Name = "alipay"
)

// Names lists the channels in the order in which they are shown.
func Names() []Name { return []Name{Alipay, Stripe} }

// State is how far a payment has come.
type State string

// The states.
const (
	Created     State = "created"  // kept here; the channel may not know it yet
	Pending     State = "pending"  // the payer may pay, and the channel will tell
	Failed      State = "failed"   // the channel says that it came to nothing
	Expired     State = "expired"  // nobody paid in time
	Paid        State = "paid"     // the channel says so; the ledger follows
	Credited    State = "credited" // the ledger has it
	Refunded    State = "refunded" // all of it went back
	Disputed    State = "disputed" // the payer's bank took it back until the dispute is decided
	DisputeWon  State = "dispute_won"
	DisputeLost State = "dispute_lost"
)

// next is what may follow each state. A failed or expired payment may still
// turn out to be paid: the money counts, not what we had concluded.
var next = map[State][]State{
	Created:     {Pending, Failed, Expired, Paid},
	Pending:     {Failed, Expired, Paid},
	Failed:      {Paid},
	Expired:     {Paid},
	Paid:        {Credited},
	Credited:    {Refunded, Disputed},
	Disputed:    {DisputeWon, DisputeLost, Refunded},
	DisputeWon:  {Refunded, Disputed},
	DisputeLost: {Disputed},
	Refunded:    nil,
}

// States lists all states.
func States() []State {
	return []State{Created, Pending, Failed, Expired, Paid, Credited, Refunded, Disputed, DisputeWon, DisputeLost}
}

// MayBecome reports whether the one state may follow the other.
func (s State) MayBecome(to State) bool { return slices.Contains(next[s], to) }

// Unpaid reports whether the payer's money has not come.
func (s State) Unpaid() bool { return s.MayBecome(Paid) }

// Booked reports whether the ledger has credited the payment.
func (s State) Booked() bool { return !s.Unpaid() && s != Paid }

// Payment is one attempt of a payer to bring cash in.
type Payment struct {
	ID         string
	AccountID  string // the payer
	Channel    Name
	Amount     money.Amount
	Key        string // the payer's idempotency key: one payment per key
	State      State
	Session    string // the channel's name for the way to pay
	Reference  string // the channel's name for the money, once it came
	URL        string // where the payer pays
	CreatedAt  time.Time
	ExpiresAt  time.Time // until when it can be paid
	PaidAt     time.Time
	CreditedAt time.Time
	Refunded   money.Amount // what went back by refunds
	Withheld   money.Amount // what disputes took, open or lost
	Asks       int64        // how often the channel was asked
	NextAskAt  time.Time    // zero: it will not be asked again
	Problem    string       // the code of what stands in the way, for the operator
	Revision   int64
}

// Limits bound what is brought in at once, in minor units.
type Limits struct {
	Least int64
	Most  int64
}

// DefaultLimits are 1.00 and 100,000.00.
func DefaultLimits() Limits { return Limits{Least: 1_00, Most: 100_000_00} }

// Check says what is wrong with an amount, if anything.
func (l Limits) Check(a money.Amount) error {
	switch {
	case a.Sign() <= 0:
		return wallet.ErrNotPositive.On("amount")
	case a.Minor() < l.Least:
		return ErrTooLittle.Says("Enter at least %s.", money.Of(l.Least, a.Currency())).With("least", money.Of(l.Least, a.Currency()).String()).On("amount")
	case a.Minor() > l.Most, a.Minor() > wallet.MostAmount:
		return ErrTooMuch.Says("Enter at most %s, or pay by bank transfer.", money.Of(l.Most, a.Currency())).With("most", money.Of(l.Most, a.Currency()).String()).On("amount")
	}
	return nil
}

// How long a payment can be paid, and when the channel is asked by itself.
const (
	PayWithin = time.Hour
	firstAsk  = 5 * time.Minute
	mostAsks  = 10 // each after twice the time of the one before: two days and a half in all
)

// longestKey bounds an idempotency key.
const longestKey = 128

// create is a new payment.
func create(payer account.Billing, channel Name, amount money.Amount, key string, at time.Time) Payment {
	zero := money.Of(0, amount.Currency())
	return Payment{
		ID: id.New(id.Payment), AccountID: payer.ID, Channel: channel, Amount: amount, Key: key, State: Created,
		CreatedAt: at, ExpiresAt: at.Add(PayWithin), Refunded: zero, Withheld: zero, NextAskAt: at.Add(firstAsk),
	}
}

// to moves the payment on. What may not follow is a programmer's mistake: who
// calls has looked at the state.
func (p Payment) to(s State) (Payment, error) {
	if !p.State.MayBecome(s) {
		return p, fault.ErrInternal.With("from", string(p.State)).With("to", string(s))
	}
	p.State = s
	return p, nil
}

// asked is the payment when the channel is asked once more: the next time is
// twice as far away, and after the last one a person must look.
func (p Payment) asked(at time.Time) Payment {
	p.Asks++
	switch {
	case p.Asks < mostAsks:
		p.NextAskAt = at.Add(firstAsk << p.Asks)
	default:
		p.NextAskAt, p.Problem = time.Time{}, ProblemUnanswered
	}
	return p
}

// Problems that a payment may have.
const (
	ProblemUnanswered = "unanswered" // the channel never told how it ended
)

// Left is what of the payment may still go back.
func (p Payment) Left() (money.Amount, error) {
	left, err := p.Amount.Sub(p.Refunded)
	if err != nil {
		return left, err
	}
	return left.Sub(p.Withheld)
}
