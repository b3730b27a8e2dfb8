package client

import (
	"context"
	"net/http"
	"time"
)

// Source is a voucher or a stored-value card.
type Source struct {
	ID        string     `json:"id"`
	Kind      string     `json:"kind"` // voucher, full_reduction or card
	Face      Amount     `json:"face"`
	Balance   Amount     `json:"balance"`
	State     string     `json:"state"`     // usable, used_up, expired or ended
	Origin    string     `json:"origin"`    // given, bought, earned or activated
	EarnedBy  string     `json:"earned_by"` // the card whose purchase earned it
	CodeTail  string     `json:"code_tail"`
	Reason    string     `json:"reason"`
	Since     time.Time  `json:"since"`
	ExpiresAt *time.Time `json:"expires_at"` // nil: never
}

// DeductionOrder is what pays bills, first to last, if they were made now.
type DeductionOrder struct {
	At     time.Time     `json:"at"`
	Orders []MethodOrder `json:"orders"`
}

// MethodOrder is the order for bills that one method settles.
type MethodOrder struct {
	Settlement  string   `json:"settlement"`
	Usual       []Turn   `json:"usual"`
	Except      []Turn   `json:"except"`
	ExceptItems []string `json:"except_items"`
}

// Turn is one source in the order. The last one takes whatever is left.
type Turn struct {
	Payment string `json:"payment"`
	Source  string `json:"source"`
	Balance string `json:"balance"`
}

// CardQuote is what buying a card comes to.
type CardQuote struct {
	Face          Amount     `json:"face"`
	CashAfter     Amount     `json:"cash_after"`
	FillsDebt     Amount     `json:"fills_debt"`
	Card          Amount     `json:"card"`
	ExpiresAt     time.Time  `json:"expires_at"`
	Earned        Amount     `json:"earned"`
	EarnedExpires *time.Time `json:"earned_expires"`
}

// Sources lists the account's vouchers and cards, the newest first.
func (b *BillingCenter) Sources(ctx context.Context, p Page) (List[Source], error) {
	return ask[List[Source]](ctx, b.door, request{method: http.MethodGet, path: "/billing-center/sources", query: p.query()})
}

// Source shows a voucher or card.
func (b *BillingCenter) Source(ctx context.Context, id string) (Source, error) {
	return ask[Source](ctx, b.door, request{method: http.MethodGet, path: path("billing-center", "sources", id)})
}

// DeductionOrder tells what pays the next bills.
func (b *BillingCenter) DeductionOrder(ctx context.Context) (DeductionOrder, error) {
	return ask[DeductionOrder](ctx, b.door, request{method: http.MethodGet, path: "/billing-center/deduction-order"})
}

// Activate turns a code into the voucher or card that it stands for.
func (b *BillingCenter) Activate(ctx context.Context, k Key, code string) (Source, error) {
	return ask[Source](ctx, b.door, request{method: http.MethodPost, path: "/billing-center/activations", key: k, body: map[string]string{"code": code}})
}

// QuoteCard says what buying a card of that face would cost and bring.
func (b *BillingCenter) QuoteCard(ctx context.Context, amount string) (CardQuote, error) {
	q := Page{}.query()
	set(q, "amount", amount)
	return ask[CardQuote](ctx, b.door, request{method: http.MethodGet, path: "/billing-center/cards/quote", query: q})
}

// BuyCard buys a stored-value card from cash. It is not refunded.
func (b *BillingCenter) BuyCard(ctx context.Context, k Key, amount string) (Source, error) {
	return ask[Source](ctx, b.door, request{method: http.MethodPost, path: "/billing-center/cards", key: k, body: map[string]string{"amount": amount}})
}

// CodeBatch is activation codes that were made together.
type CodeBatch struct {
	ID         string     `json:"id"`
	Kind       string     `json:"kind"`
	Face       Amount     `json:"face"`
	Size       int        `json:"size"`
	Used       int        `json:"used"`
	Revoked    int        `json:"revoked"`
	RedeemBy   string     `json:"redeem_by"`
	Days       int        `json:"days"`
	Until      string     `json:"until"`
	Note       string     `json:"note"`
	MadeAt     time.Time  `json:"made_at"`
	ExportedAt *time.Time `json:"exported_at"`
}

// NewCodeBatch is what codes there shall be. What they activate holds for Days
// after its activation or through the day Until.
type NewCodeBatch struct {
	Kind     string `json:"kind"`
	Amount   string `json:"amount"`
	Currency string `json:"currency"`
	Size     int    `json:"size"`
	RedeemBy string `json:"redeem_by,omitempty"`
	Days     int    `json:"days,omitempty"`
	Until    string `json:"until,omitempty"`
	Note     string `json:"note,omitempty"`
}

// ExportedCodes is the codes of a batch, handed out this once.
type ExportedCodes struct {
	BatchID string   `json:"batch_id"`
	Codes   []string `json:"codes"`
}

// Code is an activation code, of which the end is known.
type Code struct {
	Number    int        `json:"number"`
	Tail      string     `json:"tail"`
	State     string     `json:"state"` // unused, used or revoked
	UserName  string     `json:"user_name"`
	SourceID  string     `json:"source_id"`
	UsedAt    *time.Time `json:"used_at"`
	RevokedAt *time.Time `json:"revoked_at"`
}

// CodeBatches lists batches of activation codes, the newest first.
func (o *Operator) CodeBatches(ctx context.Context, p Page) (List[CodeBatch], error) {
	return ask[List[CodeBatch]](ctx, o.door, request{method: http.MethodGet, path: "/operator/code-batches", query: p.query()})
}

// MakeCodeBatch says what codes there shall be.
func (o *Operator) MakeCodeBatch(ctx context.Context, k Key, b NewCodeBatch) (CodeBatch, error) {
	return ask[CodeBatch](ctx, o.door, request{method: http.MethodPost, path: "/operator/code-batches", key: k, body: b})
}

// CodeBatch shows a batch and what became of its codes.
func (o *Operator) CodeBatch(ctx context.Context, id string) (CodeBatch, error) {
	return ask[CodeBatch](ctx, o.door, request{method: http.MethodGet, path: path("operator", "code-batches", id)})
}

// ExportCodes makes the codes of a batch and hands them out, once.
func (o *Operator) ExportCodes(ctx context.Context, id string) (ExportedCodes, error) {
	return ask[ExportedCodes](ctx, o.door, request{method: http.MethodPost, path: path("operator", "code-batches", id, "export")})
}

// Codes lists the codes of a batch, all of them or those that end so.
func (o *Operator) Codes(ctx context.Context, id, tail string, p Page) (List[Code], error) {
	q := p.query()
	set(q, "tail", tail)
	return ask[List[Code]](ctx, o.door, request{method: http.MethodGet, path: path("operator", "code-batches", id, "codes"), query: q})
}

// RevokeCodes ends the unused codes of a batch: the one of a number from 1, or
// all for 0.
func (o *Operator) RevokeCodes(ctx context.Context, id string, number int) (CodeBatch, error) {
	body := map[string]int{}
	if number != 0 {
		body["number"] = number
	}
	return ask[CodeBatch](ctx, o.door, request{method: http.MethodPost, path: path("operator", "code-batches", id, "revocation"), body: body})
}

// Assignment is a voucher or card that an account is given. Through is its
// last day.
type Assignment struct {
	Kind    string `json:"kind"`
	Amount  string `json:"amount"`
	Through string `json:"through,omitempty"`
	Reason  string `json:"reason"`
}

// Assign gives an account a voucher or card.
func (o *Operator) Assign(ctx context.Context, k Key, account string, a Assignment) (Source, error) {
	return ask[Source](ctx, o.door, request{method: http.MethodPost, path: path("operator", "accounts", account, "sources"), key: k, body: a})
}

// AccountSources lists an account's vouchers and cards, the newest first.
func (o *Operator) AccountSources(ctx context.Context, account string, p Page) (List[Source], error) {
	return ask[List[Source]](ctx, o.door, request{method: http.MethodGet, path: path("operator", "accounts", account, "sources"), query: p.query()})
}

// TakeBack ends a voucher or card that was given.
func (o *Operator) TakeBack(ctx context.Context, source, reason string) (Source, error) {
	return ask[Source](ctx, o.door, request{method: http.MethodPost, path: path("operator", "sources", source, "withdrawal"), body: map[string]string{"reason": reason}})
}
