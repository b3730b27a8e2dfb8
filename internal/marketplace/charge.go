package marketplace

import (
	"time"

	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/site"
)

// ChargeKind says what a charge is of.
type ChargeKind string

// The kinds.
const (
	OfBill  ChargeKind = "bill"    // what a cloud collects of a bill
	Advance ChargeKind = "advance" // the last usage of a subscription, charged before its day's bill, which takes it into account
)

// Charge is what a cloud has to collect.
type Charge struct {
	ID             string
	Kind           ChargeKind
	BillID         string // of an advance, the bill that took it into account; empty until then
	WorkspaceID    string
	Site           site.ID
	Day            period.Day // of the usage
	Payer          string
	Cloud          site.Method
	SubscriptionID string // empty: none lived when it was made, and it waits for one
	Amount         money.Amount
	Taken          money.Amount // of an advance, what its bill took into account
	At             time.Time
	SealAt         time.Time // when it is to be sealed; read only by the store
	RecordID       string    // that it is sealed in; empty until then
}

// NextHour is when what happened at an instant is in a closed hour.
func NextHour(at time.Time) time.Time { return at.UTC().Truncate(time.Hour).Add(time.Hour) }

// Carried is the record of charges that were too small for one: what they come
// to waits for the next.
const Carried = "carried"

// ChargeID names the charge of a bill, and AdvanceID that of a workspace's day
// which a subscription ends on: there is one of each.
func ChargeID(billID string) string { return "charge:" + billID }

// AdvanceID names an advance.
func AdvanceID(subscriptionID, workspaceID string, day period.Day) string {
	return "advance:" + subscriptionID + ":" + workspaceID + ":" + day.String()
}
