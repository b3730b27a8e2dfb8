package wallet

import (
	"strings"
	"time"
	"unicode/utf8"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/id"
	"tollgate.dev/internal/money"
)

// Faults of bank transfers.
var (
	ErrTransferUnknown    = fault.New(fault.NotFound, "transfer_unknown", "There is no such bank transfer.")
	ErrTransferRejected   = fault.New(fault.Conflict, "transfer_rejected", "This bank transfer was rejected and cannot be credited.")
	ErrTransferCredited   = fault.New(fault.Conflict, "transfer_credited", "This bank transfer has been credited. Propose an adjustment to correct it.")
	ErrTransferProposed   = fault.New(fault.Conflict, "transfer_proposed", "An operator has entered what arrived of this bank transfer. Another one approves it, or sends it back.")
	ErrTransferUnproposed = fault.New(fault.Conflict, "transfer_unproposed", "This bank transfer does not wait for approval. Load the page again.")
	ErrTransferOwn        = fault.New(fault.Conflict, "transfer_own", "You entered what arrived of this bank transfer. Another operator approves it.")
	ErrTransferDifference = fault.New(fault.Invalid, "transfer_difference", "This is another amount than the payer declared. Enter the reason, at most 256 characters.")
	ErrTransfersWaiting   = fault.New(fault.Conflict, "transfers_waiting", "Too many bank transfers of this account wait for their money. Wait until some of them are credited or rejected.")
	ErrReference          = fault.New(fault.Invalid, "transfer_reference", "Enter the reference of the bank transfer, at most 128 characters.")
	ErrReason             = fault.New(fault.Invalid, "reason_required", "Enter the reason, at most 256 characters.")
	ErrSlipLate           = fault.New(fault.Conflict, "transfer_slip_late", "The operator has decided on this bank transfer. It takes no further slip.")
	ErrSlipsMany          = fault.New(fault.Conflict, "transfer_slips_many", "This bank transfer has as many slips as it takes.")
)

// TransferState is how far a bank transfer got.
type TransferState string

// The states. Credited and rejected are final.
const (
	Declared TransferState = "declared" // the payer says that money is on its way
	Proposed TransferState = "proposed" // an operator saw it arrive; above the limit, a second one credits it
	Credited TransferState = "credited" // it is the payer's
	Rejected TransferState = "rejected" // it did not arrive, or is not the payer's
)

// Open reports whether it is still to be decided.
func (s TransferState) Open() bool { return s == Declared || s == Proposed }

// Transfer is money sent by a bank: declared by the payer, credited by the
// operator, exactly once. What arrived above the limit of its currency is
// credited by two operators, the second of whom is not the first.
type Transfer struct {
	ID         string
	AccountID  string // the payer
	Amount     money.Amount
	Reference  string // as the bank shows it
	Slips      int    // how many files the payer sent along
	State      TransferState
	DeclaredAt time.Time
	Arrived    money.Amount // what is credited; without a currency before an operator said so
	Difference string       // why that is another amount than declared; the payer reads it
	ProposedBy string       // the first operator, where two are needed
	ProposedAt time.Time
	Returned   string // why a second operator sent it back to the first; operators read it
	DecidedBy  string // the operator who credited or rejected it
	DecidedAt  time.Time
	Reason     string // of a rejection; the payer reads it
}

// Bounds of what is typed and sent.
const (
	maxReference = 128
	maxReason    = 256

	MostSlips   = 5  // of one transfer
	MostWaiting = 20 // transfers of one payer that are to be decided
)

// Limits are the amounts, of each currency, above which a transfer is credited
// by two operators. A currency without one needs a single operator.
type Limits map[money.Currency]money.Amount

// NeedsTwo reports whether two operators credit the amount.
func (l Limits) NeedsTwo(a money.Amount) bool {
	most, limited := l[a.Currency()]
	return limited && a.Minor() > most.Minor()
}

// Declare is a payer's word that money is on its way.
func Declare(payer account.Billing, amount money.Amount, reference string, at time.Time) (Transfer, error) {
	var list fault.Fields
	switch {
	case amount.Sign() <= 0:
		list = append(list, ErrNotPositive.On("amount"))
	case amount.Minor() > MostAmount:
		list = append(list, ErrAbsurd.On("amount"))
	case amount.Currency() != payer.Currency:
		list = append(list, money.ErrCurrency.On("amount"))
	}
	reference = strings.TrimSpace(reference)
	if n := utf8.RuneCountInString(reference); n == 0 || n > maxReference || !utf8.ValidString(reference) {
		list = append(list, ErrReference.On("reference"))
	}
	if err := list.OrNil(); err != nil {
		return Transfer{}, err
	}
	return Transfer{
		ID: id.New(id.Transfer), AccountID: payer.ID, Amount: amount, Reference: reference,
		State: Declared, DeclaredAt: at,
	}, nil
}

// Arrival is an operator's word on what came of a transfer.
type Arrival struct {
	Amount money.Amount // the zero value: as declared
	Why    string       // it is another amount than declared
}

// Credit is the operator's word that the money arrived. Above the limit it is
// a proposal, which somebody else approves. The same word again changes nothing.
func (t Transfer) Credit(a Arrival, limits Limits, operator string, at time.Time) (Transfer, error) {
	if a.Amount == (money.Amount{}) {
		a.Amount = t.Amount
	}
	a.Why = strings.TrimSpace(a.Why)
	switch {
	case t.State == Rejected:
		return t, ErrTransferRejected
	case t.State == Credited && t.Arrived != a.Amount:
		return t, ErrTransferCredited
	case t.State == Proposed && (t.ProposedBy != operator || t.Arrived != a.Amount):
		return t, ErrTransferProposed
	case t.State != Declared:
		return t, nil
	}
	if err := t.takes(a); err != nil {
		return t, err
	}
	if a.Amount == t.Amount {
		a.Why = ""
	}
	t.Arrived, t.Difference, t.Returned = a.Amount, a.Why, ""
	if limits.NeedsTwo(a.Amount) {
		t.State, t.ProposedBy, t.ProposedAt = Proposed, operator, at
		return t, nil
	}
	t.State, t.DecidedBy, t.DecidedAt = Credited, operator, at
	return t, nil
}

// takes checks what an operator says arrived.
func (t Transfer) takes(a Arrival) error {
	switch {
	case a.Amount.Sign() <= 0:
		return ErrNotPositive.On("amount")
	case a.Amount.Minor() > MostAmount:
		return ErrAbsurd.On("amount")
	case a.Amount.Currency() != t.Amount.Currency():
		return money.ErrCurrency.On("amount")
	case a.Amount != t.Amount && !reasonable(a.Why):
		return ErrTransferDifference.On("difference")
	}
	return nil
}

// Approve is the second operator's word.
func (t Transfer) Approve(operator string, at time.Time) (Transfer, error) {
	switch {
	case t.State == Credited:
		return t, nil
	case t.State == Rejected:
		return t, ErrTransferRejected
	case t.State == Declared:
		return t, ErrTransferUnproposed
	case t.ProposedBy == operator:
		return t, ErrTransferOwn
	}
	t.State, t.DecidedBy, t.DecidedAt = Credited, operator, at
	return t, nil
}

// Return undoes what the first operator entered, so that it can be entered
// anew; who entered it may do so, too.
func (t Transfer) Return(why string) (Transfer, error) {
	why = strings.TrimSpace(why)
	switch {
	case t.State == Credited:
		return t, ErrTransferCredited
	case t.State == Rejected:
		return t, ErrTransferRejected
	case t.State == Declared:
		return t, nil
	case !reasonable(why):
		return t, ErrReason.On("reason")
	}
	t.State, t.Arrived, t.Difference, t.Returned = Declared, money.Amount{}, "", why
	t.ProposedBy, t.ProposedAt = "", time.Time{}
	return t, nil
}

// Reject is an operator's word that the money did not arrive.
func (t Transfer) Reject(operator, reason string, at time.Time) (Transfer, error) {
	reason = strings.TrimSpace(reason)
	switch {
	case t.State == Credited:
		return t, ErrTransferCredited
	case t.State == Rejected:
		return t, nil
	case !reasonable(reason):
		return t, ErrReason.On("reason")
	}
	t.State, t.DecidedBy, t.DecidedAt, t.Reason = Rejected, operator, at, reason
	t.Arrived, t.Difference = money.Amount{}, ""
	return t, nil
}
