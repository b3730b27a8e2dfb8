// Package invoice is how a payer comes to a tax invoice: the profiles that
// invoices are made out to, the addresses that they are delivered to, what can
// be invoiced, and requests. It owns these and the states of a request, which
// the operator drives. It does not own the money, the statements or the cards
// that are invoiced, nor the tax invoice itself, which the operator makes with
// the tax authority's system; its number and a copy are kept here.
//
// Always true: a request's amount is the sum of its lines, and a line is what
// was paid in cash of its item when it was requested (domain section 13); an
// item is on one live request at most, and a request that was rejected,
// withdrawn or reversed frees its items; profile and address are kept in the request as
// they were; numbers of requests and of reversals have no gaps.
//
// A refund of a top-up and an adjustment that come later change no request:
// the invoice is on what was consumed and bought, not on what was paid in.
package invoice

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/attachment"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
)

// Faults of requests.
var (
	ErrUnknown      = fault.New(fault.NotFound, "invoice_unknown", "There is no such invoice request.")
	ErrNoItems      = fault.New(fault.Invalid, "invoice_items_missing", "Choose at least one month or purchase.")
	ErrManyItems    = fault.New(fault.Invalid, "invoice_items_many", "One request takes at most 100 months and purchases. Make another request for the others.")
	ErrItemUnknown  = fault.New(fault.NotFound, "invoice_item_unknown", "One of the months or purchases is not there. Load the page again.")
	ErrItemTaken    = fault.New(fault.Conflict, "invoice_item_taken", "One of the months or purchases is on another request. It is free again when that one is rejected or withdrawn.")
	ErrItemEmpty    = fault.New(fault.Conflict, "invoice_item_empty", "Nothing of one of the months or purchases was paid in cash, so there is nothing to invoice.")
	ErrNoCash       = fault.New(fault.Conflict, "invoice_no_cash", "Invoices can be requested while the cash balance is above zero. Recharge first, or ask the operator to waive this for your account.")
	ErrTitle        = fault.New(fault.Conflict, "invoice_title_differs", "The title of this profile is not the certified name. Edit the profile first.")
	ErrState        = fault.New(fault.Conflict, "invoice_state", "This request has gone on meanwhile, so that is no longer possible. Load the page again.")
	ErrReason       = fault.New(fault.Invalid, "invoice_reason", "Enter the reason, at most 256 characters.")
	ErrTaxNumber    = fault.New(fault.Invalid, "invoice_tax_number", "Enter the number of the tax invoice: at most 64 letters, digits and hyphens.")
	ErrTaxTaken     = fault.New(fault.Conflict, "invoice_tax_number_taken", "Another request has a tax invoice of this number. Check it.")
	ErrTaxDay       = fault.New(fault.Invalid, "invoice_tax_day", "Enter the date on the tax invoice, such as 2026-03-01; it cannot be in the future.")
	ErrTracking     = fault.New(fault.Invalid, "invoice_tracking", "Enter carrier and tracking number, at most 128 characters.")
	ErrUnsummed     = fault.New(fault.Internal, "invoice_unsummed", "The lines of this request do not sum to it. Nothing was changed.")
	ErrWaiverReason = fault.New(fault.Invalid, "invoice_waiver_reason", "Enter why the cash balance is not asked for, at most 256 characters.")
)

// State is how far a request came.
type State string

// The states (domain section 13; withdrawn and reversed are our choice).
const (
	Requested State = "requested" // waits for the operator
	Issued    State = "issued"    // the tax invoice exists
	Sent      State = "sent"      // it is on its way, or was mailed
	Rejected  State = "rejected"  // by the operator, with a reason
	Withdrawn State = "withdrawn" // by the payer, before it was issued
	Reversed  State = "reversed"  // by the operator, after it was issued, by a red-letter invoice
)

// States lists them in the order of a request's life.
func States() []State { return []State{Requested, Issued, Sent, Rejected, Withdrawn, Reversed} }

// moves are the ways from state to state.
var moves = map[State][]State{
	Requested: {Issued, Rejected, Withdrawn},
	Issued:    {Sent, Reversed},
	Sent:      {Reversed},
}

// May reports whether a request of this state may go on to the other one.
func (s State) May(next State) bool { return slices.Contains(moves[s], next) }

// Live reports whether a request of this state holds its items.
func (s State) Live() bool { return s != Rejected && s != Withdrawn && s != Reversed }

// Request is one that a payer made.
type Request struct {
	ID          string
	Number      string // IR-CNY-2026-000007: currency, year, and a count without gaps
	AccountID   string
	UserName    string // when it was made, as is what follows
	Enterprise  account.Enterprise
	Profile     Profile
	Address     Address
	Lines       []Line
	Total       money.Amount
	Waived      bool // the cash balance was not asked for
	State       State
	RequestedAt time.Time
	TaxNumber   string // from here on as the operator enters it
	TaxDay      period.Day
	FileID      string // the invoice itself; empty where none was added
	FileName    string
	IssuedBy    string
	IssuedAt    time.Time
	Delivery    string // the tracking number, or the address that it was mailed to
	SentBy      string
	SentAt      time.Time
	ClosedBy    string // who rejected, withdrew or reversed it
	ClosedAt    time.Time
	Reason      string
	Red         Red // zero unless it was reversed
}

// Line is one month or purchase on a request: what was paid in cash of it at
// once, and what of it became arrears and was repaid in cash since.
type Line struct {
	Kind   Kind
	ItemID string
	Label  string
	Month  string     // of a statement
	Day    period.Day // when it was made or bought
	Total  money.Amount
	Cash   money.Amount
	Repaid money.Amount
	Amount money.Amount // on the invoice
}

// SeriesPrefix begins every series of requests' numbers.
const SeriesPrefix = "IR-"

// series is the series that a request's number is from.
func series(c money.Currency, day period.Day) string {
	return SeriesPrefix + string(c) + "-" + day.String()[:4]
}

// Sums checks that the lines make the total and each line its amount.
func (r Request) Sums() error {
	total := money.Of(0, r.Total.Currency())
	for _, l := range r.Lines {
		amount, err := l.Cash.Add(l.Repaid)
		if err == nil {
			total, err = total.Add(l.Amount)
		}
		if err != nil || amount != l.Amount || l.Amount.Sign() <= 0 || l.Cash.Sign() < 0 || l.Repaid.Sign() < 0 {
			return ErrUnsummed.With("item", l.ItemID).Because(err)
		}
	}
	if total != r.Total || len(r.Lines) == 0 {
		return ErrUnsummed
	}
	return nil
}

// Issuing is the operator's word that the tax invoice exists.
type Issuing struct {
	RequestID string
	TaxNumber string
	TaxDay    period.Day
	File      attachment.Sent // the invoice; may be left out
	Operator  string
	Address   string
}

// issue gives the request its tax invoice. Today is the day on the payer's
// calendar.
func (r Request) issue(is Issuing, file attachment.File, at time.Time, today period.Day) (Request, error) {
	if !r.State.May(Issued) {
		return r, ErrState
	}
	var list fault.Fields
	number, ok := taxNumber(is.TaxNumber)
	if !ok {
		list = append(list, ErrTaxNumber.On("tax_number"))
	}
	if is.TaxDay.IsZero() || is.TaxDay.After(today) {
		list = append(list, ErrTaxDay.On("tax_day"))
	}
	if err := list.OrNil(); err != nil {
		return r, err
	}
	r.State, r.TaxNumber, r.TaxDay, r.FileID, r.FileName = Issued, number, is.TaxDay, file.ID, file.Name
	r.IssuedBy, r.IssuedAt = is.Operator, at
	return r, nil
}

// taxNumber is the number of a tax invoice in its normal form.
func taxNumber(text string) (number string, ok bool) {
	number = strings.ToUpper(strings.TrimSpace(text))
	plain := strings.IndexFunc(number, func(c rune) bool { return c != '-' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') }) < 0
	return number, plain && number != "" && len(number) <= maxTaxNumber
}

// send says how the invoice went out: an electronic one to an e-mail address,
// the address's own where none is given, one of paper with a tracking number.
func (r Request) send(delivery, operator string, at time.Time) (Request, error) {
	if !r.State.May(Sent) {
		return r, ErrState
	}
	delivery = strings.TrimSpace(delivery)
	if r.Profile.Type.OnPaper() {
		if n := utf8.RuneCountInString(delivery); n == 0 || n > maxTracking || !utf8.ValidString(delivery) {
			return r, ErrTracking.On("delivery")
		}
	} else {
		if delivery == "" {
			delivery = r.Address.Email
		}
		email, err := account.NormalEmail(delivery)
		if err != nil {
			return r, fault.From(err).On("delivery")
		}
		delivery = email
	}
	r.State, r.Delivery, r.SentBy, r.SentAt = Sent, delivery, operator, at
	return r, nil
}

// closed ends the request: rejected with a reason, or withdrawn.
func (r Request) closed(to State, by, reason string, at time.Time) (Request, error) {
	if !r.State.May(to) {
		return r, ErrState
	}
	reason = strings.TrimSpace(reason)
	if n := utf8.RuneCountInString(reason); to == Rejected && (n == 0 || n > maxReason || !utf8.ValidString(reason)) {
		return r, ErrReason.On("reason")
	}
	if to == Withdrawn {
		reason = ""
	}
	r.State, r.ClosedBy, r.ClosedAt, r.Reason = to, by, at, reason
	return r, nil
}

// The lengths of what is typed.
const (
	maxTaxNumber = 64
	maxTracking  = 128
	maxReason    = 256
)

// Moved happens when a request came to a state: the payer is told.
type Moved struct {
	Request  Request
	Email    string // of the account
	Language string
	At       time.Time
}
