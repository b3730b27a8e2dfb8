package client

import (
	"context"
	"net/http"
	"time"
)

// PaidWorkspace is a workspace that a Billing Center account pays for.
type PaidWorkspace struct {
	ID         string     `json:"id"`
	Site       string     `json:"site"`
	Name       string     `json:"name"`
	State      string     `json:"state"`
	Settlement string     `json:"settlement"`
	UpgradedAt *time.Time `json:"upgraded_at"`
}

// Entry is one movement of a payer's money: income or expense.
type Entry struct {
	Number  int64         `json:"number"`
	Kind    string        `json:"kind"`
	Cause   string        `json:"cause"`
	At      time.Time     `json:"at"`
	Changes []EntryChange `json:"changes"`
}

// EntryChange is what a movement did to one balance: cash, voucher,
// full_reduction, card or arrears.
type EntryChange struct {
	Balance string `json:"balance"`
	Source  string `json:"source"`
	Change  Amount `json:"change"`
}

// Span narrows a list to instants from From up to To, where a zero end is open,
// and to entries of a kind, where that is not empty.
type Span struct {
	From, To time.Time
	Kind     string
}

// Transfer is money sent by a bank: declared, then credited or rejected.
type Transfer struct {
	ID         string     `json:"id"`
	AccountID  string     `json:"account_id"`
	Amount     Amount     `json:"amount"`
	Reference  string     `json:"reference"`
	State      string     `json:"state"`
	DeclaredAt time.Time  `json:"declared_at"`
	DecidedAt  *time.Time `json:"decided_at"`
	Reason     string     `json:"reason"`
}

// Declaration is a payer's word that money is on its way, in the account's
// currency. Without a reference one is made.
type Declaration struct {
	Amount    string `json:"amount"`
	Reference string `json:"reference,omitempty"`
}

// Workspaces lists the workspaces that the account pays for.
func (b *BillingCenter) Workspaces(ctx context.Context, p Page) (List[PaidWorkspace], error) {
	return ask[List[PaidWorkspace]](ctx, b.door, request{method: http.MethodGet, path: "/billing-center/workspaces", query: p.query()})
}

// Entries lists income and expense, the newest first.
func (b *BillingCenter) Entries(ctx context.Context, s Span, p Page) (List[Entry], error) {
	q := p.query()
	if !s.From.IsZero() {
		q.Set("from", s.From.Format(time.RFC3339Nano))
	}
	if !s.To.IsZero() {
		q.Set("to", s.To.Format(time.RFC3339Nano))
	}
	set(q, "kind", s.Kind)
	return ask[List[Entry]](ctx, b.door, request{method: http.MethodGet, path: "/billing-center/entries", query: q})
}

// DeclareTransfer says that money is on its way by bank.
func (b *BillingCenter) DeclareTransfer(ctx context.Context, k Key, d Declaration) (Transfer, error) {
	return ask[Transfer](ctx, b.door, request{method: http.MethodPost, path: "/billing-center/transfers", key: k, body: d})
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

// CreditTransfer credits a transfer that arrived.
func (o *Operator) CreditTransfer(ctx context.Context, k Key, transfer string) (Transfer, error) {
	return ask[Transfer](ctx, o.door, request{method: http.MethodPost, path: path("operator", "transfers", transfer, "credit"), key: k})
}
