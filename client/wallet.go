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
