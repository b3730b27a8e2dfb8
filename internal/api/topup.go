package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/topup"
)

// TopUp is cash on its way in through a payment channel.
type TopUp struct {
	ID         string     `json:"id"`
	Channel    string     `json:"channel" example:"alipay"`
	Amount     Amount     `json:"amount"`
	State      string     `json:"state" enum:"created,pending,failed,expired,paid,credited,refunded,disputed,dispute_won,dispute_lost" doc:"created: the channel has not answered, send the call again. pending: the payer may pay at the URL. paid: being credited. credited: the cash is there."`
	URL        string     `json:"url,omitempty" doc:"Where the payer pays, while it is pending."`
	Reference  string     `json:"reference,omitempty" doc:"What the channel calls the money."`
	Refunded   Amount     `json:"refunded" doc:"What went back by refunds."`
	Withheld   Amount     `json:"withheld" doc:"What disputes took."`
	CreatedAt  time.Time  `json:"created_at"`
	ExpiresAt  time.Time  `json:"expires_at" doc:"Until when it can be paid."`
	CreditedAt *time.Time `json:"credited_at,omitempty"`
}

func topUpOf(p topup.Payment) TopUp {
	shown := TopUp{
		ID: p.ID, Channel: string(p.Channel), Amount: amountOf(p.Amount), State: string(p.State), Reference: p.Reference,
		Refunded: amountOf(p.Refunded), Withheld: amountOf(p.Withheld), CreatedAt: p.CreatedAt.UTC(), ExpiresAt: p.ExpiresAt.UTC(),
	}
	if p.State == topup.Pending {
		shown.URL = p.URL
	}
	if !p.CreditedAt.IsZero() {
		at := p.CreditedAt.UTC()
		shown.CreditedAt = &at
	}
	return shown
}

// topUps are the calls of payments.
func (s *server) topUps() []route {
	const all = "/billing-center/top-ups"
	return []route{
		s.beginsTopUp(line(post, all, BillingCenter, "", "begin-top-up", "Begin a payment through a channel; its URL is where the payer pays")),
		reads(line(get, all, BillingCenter, "", "list-top-ups", "Payments through channels, the newest first"), listTopUps),
		reads(line(get, all+"/{top_up_id}", BillingCenter, "", "show-top-up", "How a payment stands"), showTopUp),
	}
}

// wishing asks for a payment.
type wishing struct {
	Keyed
	Body struct {
		Channel string `json:"channel" maxLength:"32" doc:"A channel that this installation has and that takes the account's currency." example:"alipay"`
		Amount  string `json:"amount" maxLength:"32" doc:"A decimal, in the account's currency." example:"100.00"`
	}
}

// beginsTopUp is a call with a key of its own kind: the channel is told between
// two transactions, and the payment itself remembers the key. Sent again, the
// payment is shown as it stands then.
func (*server) beginsTopUp(r Route) route {
	r.Once = true
	return route{r, func(s *server, door huma.API, r Route) {
		register(s, door, r, http.StatusCreated, func(ctx context.Context, in *wishing) (*reply[TopUp], error) {
			c := s.call(ctx, nil)
			amount, err := money.Parse(in.Body.Amount, c.Billing.Currency)
			if err != nil {
				return nil, fault.From(err).On("amount")
			}
			if s.Topups == nil {
				return nil, topup.ErrChannel.On("channel")
			}
			p, first, err := s.Topups.Begin(ctx, topup.Wish{
				Payer: c.Billing, Channel: topup.Name(in.Body.Channel), Amount: amount, Key: "api:" + in.IdempotencyKey, Address: c.Address,
			}, c.at)
			if errors.Is(err, topup.ErrKeyReused) {
				err = ErrKeyReused.On(keyHeader)
			}
			shown := topUpOf(p)
			out, err := answer(http.StatusCreated, &shown, err)
			if out != nil && !first {
				out.Replayed = "true"
			}
			return out, err
		})
	}}
}

func listTopUps(c *call, in *struct{ Paged }) (*Page[TopUp], error) {
	place, err := in.after("top_ups")
	if err != nil {
		return nil, err
	}
	list, err := c.tx.PaymentsOf(c, c.AccountID, place, in.limit()+1)
	if err != nil {
		return nil, err
	}
	return pageFrom(in.Paged, "top_ups", list, func(p topup.Payment) string { return p.ID }, topUpOf), nil
}

// naming a payment.
type namingTopUp struct {
	TopUpID string `path:"top_up_id" maxLength:"64"`
}

func showTopUp(c *call, in *namingTopUp) (*TopUp, error) {
	p, err := c.tx.PaymentOf(c, c.AccountID, in.TopUpID)
	if err != nil {
		return nil, err
	}
	shown := topUpOf(p)
	return &shown, nil
}
