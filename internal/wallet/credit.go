package wallet

import (
	"context"
	"errors"
	"strconv"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/attachment"
	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/money"
)

// TransferRejected happens when a declared transfer ended without money.
type TransferRejected struct {
	Reader
	Transfer Transfer
}

// Declaration is what a payer says of a transfer.
type Declaration struct {
	Amount    money.Amount
	Reference string
	Slip      attachment.Sent // of the bank; may come later
}

// DeclareTx is what declaring transfers needs of a transaction.
type DeclareTx interface {
	// TransfersWaiting counts the payer's transfers that are to be decided.
	TransfersWaiting(ctx context.Context, payer string) (int, error)
	InsertTransfer(ctx context.Context, t Transfer) error
	// TransferOf finds a payer's transfer, or ErrTransferUnknown.
	TransferOf(ctx context.Context, payer, id string) (Transfer, error)
	// InsertSlip keeps a file of a transfer that is still declared and has
	// room, else ErrSlipLate.
	InsertSlip(ctx context.Context, transferID string, f attachment.File) error
	Audit(ctx context.Context, e audit.Entry) error
}

// DeclareTransfer keeps a payer's word that money is on its way. The slip of
// the bank may come with it or later, by AddSlip.
func DeclareTransfer(ctx context.Context, tx DeclareTx, payer account.Billing, d Declaration, address string, at time.Time) (Transfer, error) {
	var list fault.Fields
	t, err := Declare(payer, d.Amount, d.Reference, at)
	errors.As(err, &list)
	var slip attachment.File
	if !d.Slip.None() {
		var wrong error
		if slip, wrong = d.Slip.Take(at); wrong != nil {
			list = append(list, fault.From(wrong).On("slip"))
		}
	}
	if err := list.OrNil(); err != nil {
		return Transfer{}, err
	}
	waiting, err := tx.TransfersWaiting(ctx, payer.ID)
	switch {
	case err != nil:
		return Transfer{}, err
	case waiting >= MostWaiting:
		return Transfer{}, ErrTransfersWaiting.On("amount")
	}
	if err := tx.InsertTransfer(ctx, t); err != nil {
		return t, err
	}
	detail := map[string]string{}
	if slip.ID != "" {
		if err := tx.InsertSlip(ctx, t.ID, slip); err != nil {
			return t, err
		}
		t.Slips, detail["slip"] = 1, slip.Name+" "+slip.Hash
	}
	return t, tx.Audit(ctx, t.entry("transfer.declared", By{payer.ID, address}, at, detail))
}

// AddSlip keeps one more file of a transfer that is still to be looked at.
func AddSlip(ctx context.Context, tx DeclareTx, payerID, transferID string, sent attachment.Sent, address string, at time.Time) (Transfer, error) {
	t, err := tx.TransferOf(ctx, payerID, transferID)
	switch {
	case err != nil:
		return t, err
	case t.State != Declared:
		return t, ErrSlipLate
	case t.Slips >= MostSlips:
		return t, ErrSlipsMany
	}
	f, err := sent.Take(at)
	if err != nil {
		return t, fault.From(err).On("slip")
	}
	if err := tx.InsertSlip(ctx, t.ID, f); err != nil {
		return t, err
	}
	t.Slips++
	return t, tx.Audit(ctx, t.entry("transfer.slip_added", By{payerID, address}, at, map[string]string{
		"slip": f.Name + " " + f.Hash, "slips": strconv.Itoa(t.Slips-1) + " -> " + strconv.Itoa(t.Slips),
	}))
}

// TransferTx is what deciding on transfers needs of a transaction.
type TransferTx interface {
	Tx
	// TransferForUpdate finds a transfer, kept from other writers, or ErrTransferUnknown.
	TransferForUpdate(ctx context.Context, id string) (Transfer, error)
	// MoveTransfer keeps what became of a transfer that is still in the state
	// it was in. Nobody credits what he proposed himself, whoever asks.
	MoveTransfer(ctx context.Context, t Transfer, was TransferState) error
	BillingByID(ctx context.Context, id string) (account.Billing, error)
	Announce(ctx context.Context, event any) error
	Audit(ctx context.Context, e audit.Entry) error
}

// CreditTransfer credits a declared transfer to its payer, once: the operator's
// second click changes nothing and is no error. Above the limit it becomes a
// proposal, which ApproveTransfer credits.
func CreditTransfer(ctx context.Context, tx TransferTx, transferID string, a Arrival, limits Limits, by By, at time.Time) (Transfer, error) {
	was, err := tx.TransferForUpdate(ctx, transferID)
	if err != nil {
		return was, err
	}
	t, err := was.Credit(a, limits, by.Operator, at)
	switch {
	case err != nil || t.State == was.State:
		return t, err
	case t.State == Credited:
		return t, t.settle(ctx, tx, was.State, by, at)
	}
	if err := tx.MoveTransfer(ctx, t, was.State); err != nil {
		return t, err
	}
	return t, tx.Audit(ctx, t.entry("transfer.proposed", by, at, nil))
}

// ApproveTransfer credits a proposed transfer, once.
func ApproveTransfer(ctx context.Context, tx TransferTx, transferID string, by By, at time.Time) (Transfer, error) {
	was, err := tx.TransferForUpdate(ctx, transferID)
	if err != nil {
		return was, err
	}
	t, err := was.Approve(by.Operator, at)
	if err != nil || t.State == was.State {
		return t, err
	}
	return t, t.settle(ctx, tx, was.State, by, at)
}

// ReturnTransfer sends a proposed transfer back to be entered anew. No money
// moves, and the payer hears nothing.
func ReturnTransfer(ctx context.Context, tx TransferTx, transferID, why string, by By, at time.Time) (Transfer, error) {
	was, err := tx.TransferForUpdate(ctx, transferID)
	if err != nil {
		return was, err
	}
	t, err := was.Return(why)
	if err != nil || t.State == was.State {
		return t, err
	}
	if err := tx.MoveTransfer(ctx, t, was.State); err != nil {
		return t, err
	}
	return t, tx.Audit(ctx, was.entry("transfer.returned", by, at, map[string]string{"reason": t.Returned}))
}

// RejectTransfer ends a transfer without moving money and tells its payer why.
func RejectTransfer(ctx context.Context, tx TransferTx, transferID, reason string, by By, at time.Time) (Transfer, error) {
	was, err := tx.TransferForUpdate(ctx, transferID)
	if err != nil {
		return was, err
	}
	t, err := was.Reject(by.Operator, reason, at)
	if err != nil || t.State == was.State {
		return t, err
	}
	if err := tx.MoveTransfer(ctx, t, was.State); err != nil {
		return t, err
	}
	payer, err := tx.BillingByID(ctx, t.AccountID)
	if err != nil {
		return t, err
	}
	if err := tx.Audit(ctx, was.entry("transfer.rejected", by, at, map[string]string{"reason": t.Reason})); err != nil {
		return t, err
	}
	return t, tx.Announce(ctx, TransferRejected{Reader: readerOf(payer), Transfer: t})
}

// settle moves the money of a transfer that has just become credited.
func (t Transfer) settle(ctx context.Context, tx TransferTx, was TransferState, by By, at time.Time) error {
	payer, err := tx.BillingByID(ctx, t.AccountID)
	if err != nil {
		return err
	}
	if _, err := tx.LedgerHead(ctx, payer.ID); err != nil { // nobody else moves this payer's money until we are done
		return err
	}
	before, err := BalancesOf(ctx, tx, payer.ID, t.Arrived.Currency())
	if err != nil {
		return err
	}
	if err := tx.MoveTransfer(ctx, t, was); err != nil {
		return err
	}
	d, err := Take(ctx, tx, Incoming{
		Key: "transfer:" + t.ID, Cause: t.ID, Payer: t.AccountID, From: Bank(t.Arrived.Currency()), Amount: t.Arrived,
	}, at)
	if err != nil {
		return err
	}
	if err := tx.Audit(ctx, t.entry("transfer.credited", by, at, map[string]string{
		"cash": before.Cash.String() + " -> " + d.After.Cash.String(), "owed": before.Owed.String() + " -> " + d.After.Owed.String(),
	})); err != nil {
		return err
	}
	return tx.Announce(ctx, CashCredited{
		Payer: payer.ID, UserName: payer.UserName, Email: payer.Email, Language: payer.Language,
		Amount: t.Arrived, PaidDebt: d.PaidDebt, Cash: d.After.Cash, Owed: d.After.Owed,
		Reference: t.Reference, Declared: t.Amount, Difference: t.Difference, CreditedAt: at,
	})
}

// Effect is what the balances would be after the amount came in.
func (t Transfer) Effect(b Balances) (cash, owed money.Amount, err error) {
	filled := min(t.Arrived.Minor(), b.Owed.Minor())
	c := t.Arrived.Currency()
	if owed, err = b.Owed.Sub(money.Of(filled, c)); err != nil {
		return b.Cash, b.Owed, err
	}
	cash, err = b.Cash.Add(money.Of(t.Arrived.Minor()-filled, c))
	return cash, owed, err
}

// entry is a line of the audit log on the transfer.
func (t Transfer) entry(action string, by By, at time.Time, detail map[string]string) audit.Entry {
	if detail == nil {
		detail = map[string]string{}
	}
	detail["payer"], detail["reference"] = t.AccountID, t.Reference
	detail["amount"], detail["currency"] = t.Amount.String(), string(t.Amount.Currency())
	if t.Arrived.Currency() != "" && t.Arrived != t.Amount {
		detail["amount"], detail["difference"] = t.Amount.String()+" -> "+t.Arrived.String(), t.Difference
	}
	if t.ProposedBy != "" && t.ProposedBy != by.Operator {
		detail["proposed_by"] = t.ProposedBy
	}
	return audit.Entry{At: at, Actor: by.Operator, Address: by.Address, Action: action, Subject: t.ID, Detail: detail}
}
