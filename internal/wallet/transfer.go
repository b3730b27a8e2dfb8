package wallet

import (
	"context"
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
	ErrTransferUnknown  = fault.New(fault.NotFound, "transfer_unknown", "There is no such bank transfer.")
	ErrTransferRejected = fault.New(fault.Conflict, "transfer_rejected", "This bank transfer was rejected and cannot be credited.")
	ErrTransferCredited = fault.New(fault.Conflict, "transfer_credited", "This bank transfer has been credited and cannot be rejected.")
	ErrReference        = fault.New(fault.Invalid, "transfer_reference", "Enter the reference of the bank transfer, at most 128 characters.")
	ErrReason           = fault.New(fault.Invalid, "reason_required", "Enter the reason, at most 256 characters.")
)

// TransferState is how far a bank transfer got.
type TransferState string

// The states. Credited and rejected are final.
const (
	Declared TransferState = "declared" // the payer says that money is on its way
	Credited TransferState = "credited" // the operator saw it arrive
	Rejected TransferState = "rejected" // it did not arrive, or is not the payer's
)

// Transfer is money sent by a bank: declared by the payer, credited by the
// operator, exactly once.
type Transfer struct {
	ID         string
	AccountID  string // the payer
	Amount     money.Amount
	Reference  string // as the bank shows it
	State      TransferState
	DeclaredAt time.Time
	DecidedBy  string // the operator who credited or rejected it
	DecidedAt  time.Time
	Reason     string // of a rejection
}

// The lengths of what is typed.
const (
	maxReference = 128
	maxReason    = 256
)

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

// Credit is the operator's word that the money arrived.
func (t Transfer) Credit(operator string, at time.Time) (Transfer, error) {
	if t.State == Rejected {
		return t, ErrTransferRejected
	}
	if t.State == Declared {
		t.State, t.DecidedBy, t.DecidedAt = Credited, operator, at
	}
	return t, nil
}

// Reject is the operator's word that it did not.
func (t Transfer) Reject(operator, reason string, at time.Time) (Transfer, error) {
	reason = strings.TrimSpace(reason)
	switch n := utf8.RuneCountInString(reason); {
	case t.State == Credited:
		return t, ErrTransferCredited
	case t.State == Rejected:
		return t, nil
	case n == 0 || n > maxReason || !utf8.ValidString(reason):
		return t, ErrReason.On("reason")
	}
	t.State, t.DecidedBy, t.DecidedAt, t.Reason = Rejected, operator, at, reason
	return t, nil
}

// TransferTx is what bank transfers need of a transaction.
type TransferTx interface {
	Tx
	// TransferForUpdate finds a transfer, kept from other writers, or ErrTransferUnknown.
	TransferForUpdate(ctx context.Context, id string) (Transfer, error)
	// DecideTransfer keeps the outcome of a transfer that is still declared.
	DecideTransfer(ctx context.Context, t Transfer) error
	BillingByID(ctx context.Context, id string) (account.Billing, error)
	Announce(ctx context.Context, event any) error
}

// CreditTransfer credits a declared transfer to its payer, once: the operator's
// second click changes nothing and is no error.
func CreditTransfer(ctx context.Context, tx TransferTx, transferID, operator string, at time.Time) (Transfer, error) {
	before, err := tx.TransferForUpdate(ctx, transferID)
	if err != nil {
		return before, err
	}
	t, err := before.Credit(operator, at)
	if err != nil || before.State == Credited {
		return t, err
	}
	payer, err := tx.BillingByID(ctx, t.AccountID)
	if err != nil {
		return t, err
	}
	if err := tx.DecideTransfer(ctx, t); err != nil {
		return t, err
	}
	in := Incoming{
		Key: "transfer:" + t.ID, Cause: t.ID, Payer: t.AccountID,
		From: Bank(t.Amount.Currency()), Amount: t.Amount,
	}
	d, err := Take(ctx, tx, in, at)
	if err != nil {
		return t, err
	}
	return t, tx.Announce(ctx, CashCredited{
		Payer: payer.ID, UserName: payer.UserName, Email: payer.Email, Language: payer.Language,
		Amount: t.Amount, PaidDebt: d.PaidDebt, Cash: d.After.Cash, Owed: d.After.Owed,
		Reference: t.Reference, CreditedAt: at,
	})
}

// RejectTransfer ends a declared transfer without moving money.
func RejectTransfer(ctx context.Context, tx TransferTx, transferID, operator, reason string, at time.Time) (Transfer, error) {
	before, err := tx.TransferForUpdate(ctx, transferID)
	if err != nil {
		return before, err
	}
	t, err := before.Reject(operator, reason, at)
	if err != nil || before.State == Rejected {
		return t, err
	}
	return t, tx.DecideTransfer(ctx, t)
}
