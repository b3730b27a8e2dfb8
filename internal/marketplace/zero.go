package marketplace

import (
	"context"
	"fmt"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/id"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/quantity"
)

// ZeroAfter is how long after an hour it is said that nothing was used in it:
// the last usage of a subscription whose end is heard of a little late still
// finds its hour free.
const ZeroAfter = 15 * time.Minute

// NextZero is when the hour that an instant is in may be said to be empty.
func NextZero(at time.Time) time.Time { return NextHour(at).Add(ZeroAfter) }

// ZeroUsage is the job that tells a cloud that a subscription used nothing in
// the last closed window, where the listing asks for it.
type ZeroUsage struct {
	SubscriptionID string    `json:"subscription_id"`
	Due            time.Time `json:"due"`
}

// Kind names the job for the queue.
func (ZeroUsage) Kind() string { return "marketplace.zero" }

// UniqueByArgs keeps one of an instant.
func (ZeroUsage) UniqueByArgs() bool { return true }

// ZeroTx is what a record of nothing needs of a transaction.
type ZeroTx interface {
	SealTx
	BillingByID(ctx context.Context, id string) (account.Billing, error)
}

// Zero makes a record of 0 for the last closed window of a subscription that
// lives, unless that window has a record: AWS takes one for a sign of life
// (reference 1.3). Charges come first; what was used is never crowded out.
func Zero(ctx context.Context, tx ZeroTx, cloud Cloud, subscriptionID string, at time.Time) (made bool, err error) {
	if _, err := Seal(ctx, tx, cloud, subscriptionID, at); err != nil {
		return false, err
	}
	s, err := tx.SubscriptionKept(ctx, subscriptionID)
	if err != nil || s.State != Active || s.Payer == "" {
		return false, err
	}
	payer, err := tx.BillingByID(ctx, s.Payer)
	if err != nil {
		return false, err
	}
	unit, err := cloud.Unit(s.Product, payer.Currency)
	if err != nil || !unit.Zero {
		return false, err
	}
	w := cloud.Window(s.Plan, cloud.Window(s.Plan, at).From.Add(-time.Microsecond))
	deadline := cloud.Deadline(s.Plan, w)
	if w.From.Before(s.ActiveAt) || !deadline.After(at) {
		return false, nil
	}
	slots, err := tx.SlotsTaken(ctx, s.Cloud, s.Instance, unit.Dimension, w.From)
	if err != nil {
		return false, err
	}
	for _, slot := range slots {
		if slot.Equal(w.From) {
			return false, nil
		}
	}
	carried, err := tx.CarriedOf(ctx, s.ID, payer.Currency)
	if err != nil {
		return false, err
	}
	nothing := money.Of(0, payer.Currency)
	r := Record{
		ID: id.New(id.Record), SubscriptionID: s.ID, Cloud: s.Cloud, Account: s.Account, Instance: s.Instance, Reference: s.Reference,
		Product: s.Product, Plan: s.Plan, Dimension: unit.Dimension, Slot: w.From, Window: w, Quantity: quantity.Of(0), Amount: nothing, Carried: carried,
		State: Waiting, SealedAt: at, NextAt: at, Deadline: deadline, AlertAt: at.Add(deadline.Sub(at) / 2), Taken: nothing, Returned: nothing,
	}
	if err := tx.InsertRecord(ctx, r, nil); err != nil {
		return false, fmt.Errorf("keep a record of nothing of %s: %w", s.ID, err)
	}
	return true, nil
}
