package client

import (
	"context"
	"net/http"
	"time"
)

// Till is where a service of the platform has amounts deducted.
type Till struct{ door }

// Till is what a service's key for deductions opens.
func (c *Client) Till(secret string) *Till { return &Till{door{c, Session{Token: secret}}} }

// DeductionDraft says what is to be taken, and from whom.
type DeductionDraft struct {
	AccountID string `json:"account_id"`
	Amount    string `json:"amount"`
	Currency  string `json:"currency"`
	Cause     string `json:"cause"`             // the payer reads it
	Covered   bool   `json:"covered,omitempty"` // refuse it where something would have to be owed
}

// KeyedDeductionDraft is one of many, with the key of its intention.
type KeyedDeductionDraft struct {
	Key Key `json:"key"`
	DeductionDraft
}

// Deduction is an amount that was taken.
type Deduction struct {
	EntryID   string    `json:"entry_id"`
	Number    int64     `json:"number"`
	AccountID string    `json:"account_id"`
	Amount    Amount    `json:"amount"`
	Cause     string    `json:"cause"`
	Paid      Paid      `json:"paid"`
	At        time.Time `json:"at"`
}

// Deductions tells what came of each of many, in their order.
type Deductions struct {
	Results []DeductionResult `json:"results"`
}

// DeductionResult is what came of one: a Deduction where State is posted or
// replayed, a Problem where it is refused.
type DeductionResult struct {
	Key       string     `json:"key"`
	State     string     `json:"state"`
	Deduction *Deduction `json:"deduction"`
	Problem   *Problem   `json:"problem"`
}

// Deduct takes an amount from what an account has.
func (t *Till) Deduct(ctx context.Context, k Key, w DeductionDraft) (Deduction, error) {
	return ask[Deduction](ctx, t.door, request{method: http.MethodPost, path: "/deductions", key: k, body: w})
}

// DeductMany takes up to 1,000 amounts, each by itself and once for its key.
func (t *Till) DeductMany(ctx context.Context, all []KeyedDeductionDraft) (Deductions, error) {
	return ask[Deductions](ctx, t.door, request{method: http.MethodPost, path: "/deductions/batch", body: map[string]any{"deductions": all}})
}

// DeductionKeys lists the keys of a service: those that work, then revoked ones.
func (o *Operator) DeductionKeys(ctx context.Context, service string, p Page) (List[APIKey], error) {
	return ask[List[APIKey]](ctx, o.door, request{method: http.MethodGet, path: path("operator", "services", service, "deduction-keys"), query: p.query()})
}

// MakeDeductionKey makes a key with which a service has amounts deducted.
func (o *Operator) MakeDeductionKey(ctx context.Context, service, name string) (MadeKey, error) {
	return ask[MadeKey](ctx, o.door, request{method: http.MethodPost, path: path("operator", "services", service, "deduction-keys"), body: map[string]string{"name": name}})
}

// RevokeDeductionKey ends a key of a service.
func (o *Operator) RevokeDeductionKey(ctx context.Context, service, key string) error {
	return o.do(ctx, request{method: http.MethodDelete, path: path("operator", "services", service, "deduction-keys", key)}, nil)
}
