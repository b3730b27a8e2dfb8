package client

import (
	"context"
	"net/http"
	"time"
)

// Adjustment corrects what a payer has by a line of its own: proposed by one
// operator, approved by another one, or rejected.
type Adjustment struct {
	ID         string            `json:"id"`
	AccountID  string            `json:"account_id"`
	Amount     Amount            `json:"amount"` // above zero in the payer's favour
	Reason     string            `json:"reason"`
	Bill       string            `json:"bill"`
	State      string            `json:"state"`
	ProposedBy string            `json:"proposed_by"`
	ProposedAt time.Time         `json:"proposed_at"`
	DecidedBy  string            `json:"decided_by"`
	DecidedAt  *time.Time        `json:"decided_at"`
	Refusal    string            `json:"refusal"`
	Effect     *AdjustmentEffect `json:"effect"` // only where one that waits is shown
}

// AdjustmentEffect is what an adjustment would leave.
type AdjustmentEffect struct {
	Cash Amount `json:"cash"`
	Owed Amount `json:"owed"`
}

// Correction is a booked adjustment as its payer reads it, on a statement or
// beside the bill that it corrects.
type Correction struct {
	ID       string    `json:"id"`
	Amount   string    `json:"amount"`
	Reason   string    `json:"reason"`
	Bill     string    `json:"bill"`
	BookedAt time.Time `json:"booked_at"`
}

// AdjustmentDraft is an adjustment that somebody wants: an amount above zero
// is in the payer's favour.
type AdjustmentDraft struct {
	Amount string `json:"amount"`
	Reason string `json:"reason"`
	Bill   string `json:"bill,omitempty"`
}

// Adjustments lists adjustments, the newest first; of one state, or of all
// where it is empty.
func (o *Operator) Adjustments(ctx context.Context, state string, p Page) (List[Adjustment], error) {
	q := p.query()
	set(q, "state", state)
	return ask[List[Adjustment]](ctx, o.door, request{method: http.MethodGet, path: "/operator/adjustments", query: q})
}

// Adjustment shows one, and what it would leave where it waits.
func (o *Operator) Adjustment(ctx context.Context, id string) (Adjustment, error) {
	return ask[Adjustment](ctx, o.door, request{method: http.MethodGet, path: path("operator", "adjustments", id)})
}

// ProposeAdjustment proposes to correct what an account has.
func (o *Operator) ProposeAdjustment(ctx context.Context, k Key, account string, d AdjustmentDraft) (Adjustment, error) {
	return ask[Adjustment](ctx, o.door, request{method: http.MethodPost, path: path("operator", "accounts", account, "adjustments"), key: k, body: d})
}

// ApproveAdjustment books what another operator proposed.
func (o *Operator) ApproveAdjustment(ctx context.Context, k Key, id string) (Adjustment, error) {
	return ask[Adjustment](ctx, o.door, request{method: http.MethodPost, path: path("operator", "adjustments", id, "approve"), key: k})
}

// RejectAdjustment ends a proposed adjustment; operators read the reason.
func (o *Operator) RejectAdjustment(ctx context.Context, k Key, id, reason string) (Adjustment, error) {
	return ask[Adjustment](ctx, o.door, request{method: http.MethodPost, path: path("operator", "adjustments", id, "reject"), key: k, body: map[string]string{"reason": reason}})
}
