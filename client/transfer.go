package client

import (
	"context"
	"net/http"
	"time"
)

// Transfer is money sent by a bank: declared, then credited or rejected. Above
// a limit one operator proposes and another one credits. Who decided, and why
// one was sent back, only operators see.
type Transfer struct {
	ID         string     `json:"id"`
	AccountID  string     `json:"account_id"`
	Amount     Amount     `json:"amount"`
	Reference  string     `json:"reference"`
	State      string     `json:"state"`
	DeclaredAt time.Time  `json:"declared_at"`
	Arrived    *Amount    `json:"arrived"`
	Difference string     `json:"difference"`
	Slips      []Slip     `json:"slips"` // only where one transfer is shown
	SlipCount  int        `json:"slip_count"`
	ProposedBy string     `json:"proposed_by"`
	DecidedBy  string     `json:"decided_by"`
	Returned   string     `json:"returned"`
	DecidedAt  *time.Time `json:"decided_at"`
	Reason     string     `json:"reason"`
}

// Slip is a file of the bank that a payer sent along.
type Slip struct {
	ID     string    `json:"id"`
	Name   string    `json:"name"`
	Type   string    `json:"type"`
	SentAt time.Time `json:"sent_at"`
}

// Declaration is a payer's word that money is on its way, in the account's
// currency. Without a reference one is made; the slip may come later.
type Declaration struct {
	Amount    string `json:"amount"`
	Reference string `json:"reference,omitempty"`
	Slip      *File  `json:"slip,omitempty"`
}

// Received is what an operator says arrived: the zero value is as declared.
type Received struct {
	Amount     string `json:"amount,omitempty"`
	Difference string `json:"difference,omitempty"` // why it is another amount; the payer reads it
}

// DeclareTransfer says that money is on its way by bank.
func (b *BillingCenter) DeclareTransfer(ctx context.Context, k Key, d Declaration) (Transfer, error) {
	return ask[Transfer](ctx, b.door, request{method: http.MethodPost, path: "/billing-center/transfers", key: k, body: d})
}

// Transfer shows one of the account's bank transfers with its slips.
func (b *BillingCenter) Transfer(ctx context.Context, id string) (Transfer, error) {
	return ask[Transfer](ctx, b.door, request{method: http.MethodGet, path: path("billing-center", "transfers", id)})
}

// AddTransferSlip sends a slip of a transfer that was declared before.
func (b *BillingCenter) AddTransferSlip(ctx context.Context, transfer string, slip File) (Transfer, error) {
	body := map[string]File{"slip": slip}
	return ask[Transfer](ctx, b.door, request{method: http.MethodPost, path: path("billing-center", "transfers", transfer, "slips"), body: body})
}

// TransferSlip is a slip as it was sent.
func (b *BillingCenter) TransferSlip(ctx context.Context, transfer, slip string) (File, error) {
	return ask[File](ctx, b.door, request{method: http.MethodGet, path: path("billing-center", "transfers", transfer, "slips", slip)})
}

// Transfers lists the account's bank transfers, the newest first; of one
// state, or of all where it is empty.
func (b *BillingCenter) Transfers(ctx context.Context, state string, p Page) (List[Transfer], error) {
	return b.transfers(ctx, "/billing-center/transfers", state, p)
}

func (d door) transfers(ctx context.Context, where, state string, p Page) (List[Transfer], error) {
	q := p.query()
	set(q, "state", state)
	return ask[List[Transfer]](ctx, d, request{method: http.MethodGet, path: where, query: q})
}

// Transfers lists the bank transfers of all payers, the newest first.
func (o *Operator) Transfers(ctx context.Context, state string, p Page) (List[Transfer], error) {
	return o.transfers(ctx, "/operator/transfers", state, p)
}

// Transfer shows a bank transfer with its slips.
func (o *Operator) Transfer(ctx context.Context, id string) (Transfer, error) {
	return ask[Transfer](ctx, o.door, request{method: http.MethodGet, path: path("operator", "transfers", id)})
}

// TransferSlip is a slip that the payer sent.
func (o *Operator) TransferSlip(ctx context.Context, transfer, slip string) (File, error) {
	return ask[File](ctx, o.door, request{method: http.MethodGet, path: path("operator", "transfers", transfer, "slips", slip)})
}

// CreditTransfer enters what arrived. It is credited, or above the limit waits
// for another operator to approve it.
func (o *Operator) CreditTransfer(ctx context.Context, k Key, transfer string, a Received) (Transfer, error) {
	return o.decideTransfer(ctx, k, transfer, "credit", a)
}

// ApproveTransfer credits what another operator entered.
func (o *Operator) ApproveTransfer(ctx context.Context, k Key, transfer string) (Transfer, error) {
	return o.decideTransfer(ctx, k, transfer, "approve", nil)
}

// ReturnTransfer sends back what was entered, so that it can be entered anew.
func (o *Operator) ReturnTransfer(ctx context.Context, k Key, transfer, reason string) (Transfer, error) {
	return o.decideTransfer(ctx, k, transfer, "return", map[string]string{"reason": reason})
}

// RejectTransfer ends a transfer; the payer reads the reason.
func (o *Operator) RejectTransfer(ctx context.Context, k Key, transfer, reason string) (Transfer, error) {
	return o.decideTransfer(ctx, k, transfer, "reject", map[string]string{"reason": reason})
}

func (o *Operator) decideTransfer(ctx context.Context, k Key, transfer, what string, body any) (Transfer, error) {
	return ask[Transfer](ctx, o.door, request{method: http.MethodPost, path: path("operator", "transfers", transfer, what), key: k, body: body})
}
