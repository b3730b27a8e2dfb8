package wallet

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/id"
	"tollgate.dev/internal/money"
)

// Faults of adjustments.
var (
	ErrAdjustmentUnknown  = fault.New(fault.NotFound, "adjustment_unknown", "There is no such adjustment.")
	ErrAdjustmentOwn      = fault.New(fault.Conflict, "adjustment_own", "You proposed this adjustment. Another operator approves it.")
	ErrAdjustmentApproved = fault.New(fault.Conflict, "adjustment_approved", "This adjustment has been approved and booked. Propose another one to correct it.")
	ErrAdjustmentRejected = fault.New(fault.Conflict, "adjustment_rejected", "This adjustment was rejected. Propose it again if it is right.")
	ErrAdjustmentTwice    = fault.New(fault.Conflict, "adjustment_twice", "The same adjustment of this account waits already.")
	ErrAdjustmentZero     = fault.New(fault.Invalid, "adjustment_zero", "Enter an amount above or below zero.")
	ErrAdjustmentBill     = fault.New(fault.Invalid, "adjustment_bill", "This account has no bill of this number. Leave it empty if no bill is corrected.")
)

// Adjusted is the kind of an entry that an operator's adjustment made.
const Adjusted Kind = "adjustment"

// Corrections is the platform's side of adjustments in a currency: what was
// given back, less what was claimed.
func Corrections(c money.Currency) Account { return Account("correction:" + string(c)) }

// AdjustmentState is how far an adjustment got.
type AdjustmentState string

// The states. Approved and rejected are final.
const (
	AdjustmentProposed AdjustmentState = "proposed"
	AdjustmentApproved AdjustmentState = "approved"
	AdjustmentDropped  AdjustmentState = "rejected"
)

// Adjustment corrects what a payer has by a line of its own; what was billed
// stays as it is (promise P6). One operator proposes it, another one approves
// it. In the payer's favour it fills arrears first and then becomes cash, as
// all incoming money; against the payer it takes cash first, and what that does
// not cover is owed.
type Adjustment struct {
	ID         string
	AccountID  string       // the payer
	Amount     money.Amount // above zero in the payer's favour
	Reason     string       // the payer reads it
	BillID     string       // that it corrects; empty for none
	BillNumber string
	State      AdjustmentState
	ProposedBy string // the operators
	ProposedAt time.Time
	DecidedBy  string
	DecidedAt  time.Time
	Refusal    string // why it was rejected; the payer does not read it
}

// AdjustmentDraft is an adjustment that somebody wants.
type AdjustmentDraft struct {
	Amount money.Amount
	Reason string
	Bill   string // its number; may be empty
}

// BalanceAdjusted happens when an adjustment was approved.
type BalanceAdjusted struct {
	Reader
	Adjustment Adjustment
	Cash       money.Amount // the balances afterwards
	Owed       money.Amount
}

// AdjustmentTx is what adjustments need of a transaction.
type AdjustmentTx interface {
	Tx
	BillingByID(ctx context.Context, id string) (account.Billing, error)
	// BillOfPayer finds the ID of a bill by its number, or ErrAdjustmentBill
	// where it is not the payer's.
	BillOfPayer(ctx context.Context, payer, number string) (id string, err error)
	InsertAdjustment(ctx context.Context, a Adjustment) error // ErrAdjustmentTwice
	// AdjustmentForUpdate finds one, kept from other writers, or ErrAdjustmentUnknown.
	AdjustmentForUpdate(ctx context.Context, id string) (Adjustment, error)
	// DecideAdjustment keeps the outcome of one that is still proposed.
	DecideAdjustment(ctx context.Context, a Adjustment) error
	Announce(ctx context.Context, event any) error
	Audit(ctx context.Context, e audit.Entry) error
}

// Propose asks for an adjustment; nothing moves before somebody else approves.
func Propose(ctx context.Context, tx AdjustmentTx, payerID string, d AdjustmentDraft, by By, at time.Time) (Adjustment, error) {
	payer, err := tx.BillingByID(ctx, payerID)
	if err != nil {
		return Adjustment{}, err
	}
	a := Adjustment{
		ID: id.New(id.Adjustment), AccountID: payer.ID, Amount: d.Amount, Reason: strings.TrimSpace(d.Reason),
		BillNumber: strings.TrimSpace(d.Bill), State: AdjustmentProposed, ProposedBy: by.Operator, ProposedAt: at,
	}
	var list fault.Fields
	switch {
	case a.Amount.IsZero():
		list = append(list, ErrAdjustmentZero.On("amount"))
	case a.Amount.Minor() > MostAmount || a.Amount.Minor() < -MostAmount:
		list = append(list, ErrAbsurd.On("amount"))
	case a.Amount.Currency() != payer.Currency:
		list = append(list, money.ErrCurrency.On("amount"))
	}
	if !reasonable(a.Reason) {
		list = append(list, ErrReason.On("reason"))
	}
	if a.BillNumber != "" {
		if a.BillID, err = tx.BillOfPayer(ctx, payer.ID, a.BillNumber); err != nil {
			list = append(list, fault.From(err).On("bill"))
		}
	}
	if err := list.OrNil(); err != nil {
		return Adjustment{}, err
	}
	if err := tx.InsertAdjustment(ctx, a); err != nil {
		return Adjustment{}, err
	}
	return a, tx.Audit(ctx, a.entry("adjustment.proposed", by, at, map[string]string{"reason": a.Reason}))
}

func reasonable(text string) bool {
	n := utf8.RuneCountInString(text)
	return n > 0 && n <= maxReason && utf8.ValidString(text)
}

// Approve is the second operator's word.
func (a Adjustment) Approve(operator string, at time.Time) (Adjustment, error) {
	switch {
	case a.State == AdjustmentDropped:
		return a, ErrAdjustmentRejected
	case a.State == AdjustmentApproved:
		return a, nil
	case a.ProposedBy == operator:
		return a, ErrAdjustmentOwn
	}
	a.State, a.DecidedBy, a.DecidedAt = AdjustmentApproved, operator, at
	return a, nil
}

// Drop is an operator's word that it is wrong; who proposed it may say so, too.
func (a Adjustment) Drop(operator, why string, at time.Time) (Adjustment, error) {
	why = strings.TrimSpace(why)
	switch {
	case a.State == AdjustmentApproved:
		return a, ErrAdjustmentApproved
	case a.State == AdjustmentDropped:
		return a, nil
	case !reasonable(why):
		return a, ErrReason.On("reason")
	}
	a.State, a.DecidedBy, a.DecidedAt, a.Refusal = AdjustmentDropped, operator, at, why
	return a, nil
}

// ApproveAdjustment books a proposed adjustment, once: a second click changes
// nothing and is no error.
func ApproveAdjustment(ctx context.Context, tx AdjustmentTx, adjustmentID string, by By, at time.Time) (Adjustment, error) {
	was, err := tx.AdjustmentForUpdate(ctx, adjustmentID)
	if err != nil {
		return was, err
	}
	a, err := was.Approve(by.Operator, at)
	if err != nil || was.State == a.State {
		return a, err
	}
	payer, err := tx.BillingByID(ctx, a.AccountID)
	if err != nil {
		return a, err
	}
	if _, err := tx.LedgerHead(ctx, payer.ID); err != nil { // nobody else moves this payer's money until we are done
		return a, err
	}
	c := a.Amount.Currency()
	before, err := BalancesOf(ctx, tx, payer.ID, c)
	if err != nil {
		return a, err
	}
	m, err := a.movement(before)
	if err != nil {
		return a, err
	}
	if err := tx.DecideAdjustment(ctx, a); err != nil {
		return a, err
	}
	if _, err := Post(ctx, tx, m, at); err != nil {
		return a, err
	}
	after, err := BalancesOf(ctx, tx, payer.ID, c)
	if err != nil {
		return a, err
	}
	if err := tx.Audit(ctx, a.entry("adjustment.approved", by, at, map[string]string{
		"proposed_by": a.ProposedBy, "cash": before.Cash.String() + " -> " + after.Cash.String(), "owed": before.Owed.String() + " -> " + after.Owed.String(),
	})); err != nil {
		return a, err
	}
	return a, tx.Announce(ctx, BalanceAdjusted{Reader: readerOf(payer), Adjustment: a, Cash: after.Cash, Owed: after.Owed})
}

// RejectAdjustment ends a proposed adjustment without moving money.
func RejectAdjustment(ctx context.Context, tx AdjustmentTx, adjustmentID, why string, by By, at time.Time) (Adjustment, error) {
	was, err := tx.AdjustmentForUpdate(ctx, adjustmentID)
	if err != nil {
		return was, err
	}
	a, err := was.Drop(by.Operator, why, at)
	if err != nil || was.State == a.State {
		return a, err
	}
	if err := tx.DecideAdjustment(ctx, a); err != nil {
		return a, err
	}
	return a, tx.Audit(ctx, a.entry("adjustment.rejected", by, at, map[string]string{"proposed_by": a.ProposedBy, "reason": a.Refusal}))
}

// Effect is what the balances would be after the adjustment.
func (a Adjustment) Effect(b Balances) (cash, owed money.Amount, err error) {
	m, err := a.movement(b)
	if err != nil {
		return b.Cash, b.Owed, err
	}
	cash, owed = b.Cash, b.Owed
	for _, p := range m.Postings {
		switch p.Account {
		case Cash(a.AccountID):
			cash, err = cash.Add(p.Amount)
		case Arrears(a.AccountID):
			owed, err = owed.Sub(p.Amount)
		}
		if err != nil {
			return b.Cash, b.Owed, err
		}
	}
	return cash, owed, nil
}

// movement splits the amount between arrears and cash.
func (a Adjustment) movement(b Balances) (Movement, error) {
	c := a.Amount.Currency()
	cash, debt := money.Of(0, c), money.Of(0, c)
	if n := a.Amount.Minor(); n > 0 {
		filled := min(n, b.Owed.Minor())
		debt, cash = money.Of(filled, c), money.Of(n-filled, c)
	} else {
		taken := min(-n, b.Cash.Minor())
		cash, debt = money.Of(-taken, c), money.Of(n+taken, c)
	}
	m := Movement{Key: "adjustment:" + a.ID, Kind: Adjusted, Cause: a.ID, Payer: a.AccountID}
	for _, p := range []Posting{{Arrears(a.AccountID), debt}, {Cash(a.AccountID), cash}, {Corrections(c), a.Amount.Neg()}} {
		if !p.Amount.IsZero() {
			m.Postings = append(m.Postings, p)
		}
	}
	return m, m.Balanced()
}

// entry is a line of the audit log on the payer's account.
func (a Adjustment) entry(action string, by By, at time.Time, detail map[string]string) audit.Entry {
	detail["adjustment"], detail["amount"], detail["currency"] = a.ID, a.Amount.String(), string(a.Amount.Currency())
	if a.BillNumber != "" {
		detail["bill"] = a.BillNumber
	}
	return audit.Entry{At: at, Actor: by.Operator, Address: by.Address, Action: action, Subject: a.AccountID, Detail: detail}
}
