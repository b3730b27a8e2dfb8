package client

import (
	"context"
	"net/http"
	"time"
)

// TopUp is cash on its way in through a payment channel. While it is pending,
// the payer pays at its URL; it is done when it is credited.
type TopUp struct {
	ID         string     `json:"id"`
	Channel    string     `json:"channel"`
	Amount     Amount     `json:"amount"`
	State      string     `json:"state"`
	URL        string     `json:"url"`
	Reference  string     `json:"reference"`
	Refunded   Amount     `json:"refunded"`
	Withheld   Amount     `json:"withheld"`
	CreatedAt  time.Time  `json:"created_at"`
	ExpiresAt  time.Time  `json:"expires_at"`
	CreditedAt *time.Time `json:"credited_at"`
}

// BeginTopUp begins a payment of an amount, in the account's currency, through
// a channel such as alipay. With the same Key it is the same payment.
func (b *BillingCenter) BeginTopUp(ctx context.Context, key Key, channel, amount string) (TopUp, error) {
	return ask[TopUp](ctx, b.door, request{
		method: http.MethodPost, path: "/billing-center/top-ups", key: key, body: map[string]string{"channel": channel, "amount": amount},
	})
}

// TopUps lists payments through channels, the newest first.
func (b *BillingCenter) TopUps(ctx context.Context, p Page) (List[TopUp], error) {
	return ask[List[TopUp]](ctx, b.door, request{method: http.MethodGet, path: "/billing-center/top-ups", query: p.query()})
}

// TopUp shows how a payment stands.
func (b *BillingCenter) TopUp(ctx context.Context, id string) (TopUp, error) {
	return ask[TopUp](ctx, b.door, request{method: http.MethodGet, path: path("billing-center", "top-ups", id)})
}
