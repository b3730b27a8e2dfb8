// Package stripe is the payment channel Stripe Checkout. It makes sessions and
// refunds and verifies events, through Stripe's own library. It owns no state:
// what it says becomes a topup.Report.
//
// Always true: an event is read only after its signature over the raw body and
// the age of that signature hold; a call that could move money carries an
// idempotency key that is the name of our payment or refund.
package stripe

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	sdk "github.com/stripe/stripe-go/v85"

	"tollgate.dev/internal/money"
	"tollgate.dev/internal/topup"
)

// Config is an account at Stripe.
type Config struct {
	Key        string           // secret or restricted API key: sk_live_…, rk_test_…
	Secrets    []string         // signing secrets of the webhook endpoint; two while one replaces the other
	Currencies []money.Currency // what is taken by it
	API        string           // the address of the API; empty: Stripe's
	Return     func(paymentID string) string
	Cancel     func(paymentID string) string
	Now        func() time.Time // the real clock, by which signatures age
}

// Check says what is wrong with the settings, if anything.
func (c Config) Check() error {
	switch {
	case !strings.HasPrefix(c.Key, "sk_") && !strings.HasPrefix(c.Key, "rk_"):
		return errors.New("stripe: the API key must begin with sk_ or rk_")
	case len(c.Secrets) == 0 || slices.ContainsFunc(c.Secrets, func(s string) bool { return !strings.HasPrefix(s, "whsec_") }):
		return errors.New("stripe: the webhook needs its signing secret, which begins with whsec_")
	case len(c.Currencies) == 0:
		return errors.New("stripe: name the currencies that are paid by it")
	}
	if c.API != "" {
		if u, err := url.Parse(c.API); err != nil || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.Scheme != "https" && u.Scheme != "http" {
			return errors.New("stripe: the address of the API is no URL without a path")
		}
	}
	return nil
}

// live reports whether the key moves real money.
func (c Config) live() bool { return strings.Contains(c.Key, "_live_") }

// Channel is Stripe Checkout.
type Channel struct {
	config Config
	api    *sdk.Client
}

// answersWithin bounds one call of Stripe's API.
const answersWithin = 20 * time.Second

// New makes the channel.
func New(c Config) (*Channel, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	backend := &sdk.BackendConfig{
		HTTPClient:    &http.Client{Timeout: answersWithin},
		LeveledLogger: &sdk.LeveledLogger{Level: sdk.LevelNull},
	}
	if c.API != "" {
		backend.URL = sdk.String(c.API)
	}
	return &Channel{c, sdk.NewClient(c.Key, sdk.WithBackends(sdk.NewBackendsWithConfig(backend)))}, nil
}

// Name is stripe.
func (*Channel) Name() topup.Name { return topup.Stripe }

// Takes reports whether the currency is among those that were configured.
func (c *Channel) Takes(currency money.Currency) bool {
	return slices.Contains(c.config.Currencies, currency)
}

// named is the key of our payment's name in Stripe's metadata.
const named = "tollgate_payment"

// Open creates a Checkout session, once per payment.
func (c *Channel) Open(ctx context.Context, p topup.Payment) (topup.Opened, error) {
	currency := strings.ToLower(string(p.Amount.Currency()))
	params := &sdk.CheckoutSessionCreateParams{
		Mode:              sdk.String(string(sdk.CheckoutSessionModePayment)),
		ClientReferenceID: sdk.String(p.ID),
		SuccessURL:        sdk.String(c.config.Return(p.ID)),
		CancelURL:         sdk.String(c.config.Cancel(p.ID)),
		ExpiresAt:         sdk.Int64(p.ExpiresAt.Unix()),
		LineItems: []*sdk.CheckoutSessionCreateLineItemParams{{
			Quantity: sdk.Int64(1),
			PriceData: &sdk.CheckoutSessionCreateLineItemPriceDataParams{
				Currency: sdk.String(currency), UnitAmount: sdk.Int64(p.Amount.Minor()),
				ProductData: &sdk.CheckoutSessionCreateLineItemPriceDataProductDataParams{Name: sdk.String("Top-up")},
			},
		}},
		Metadata:          map[string]string{named: p.ID},
		PaymentIntentData: &sdk.CheckoutSessionCreatePaymentIntentDataParams{Metadata: map[string]string{named: p.ID}},
	}
	params.SetIdempotencyKey("open-" + p.ID)
	s, err := c.api.V1CheckoutSessions.Create(ctx, params)
	switch {
	case err != nil:
		return topup.Opened{}, failure(err)
	case s.URL == "" || s.ID == "":
		return topup.Opened{}, topup.ErrUnavailable.Because(fmt.Errorf("session %q has no address", s.ID))
	}
	return topup.Opened{Session: s.ID, URL: s.URL}, nil
}

// Ask retrieves the session with its money.
func (c *Channel) Ask(ctx context.Context, p topup.Payment) ([]topup.Report, error) {
	if p.Session == "" {
		return nil, nil // it was never opened, and nobody has its address
	}
	params := &sdk.CheckoutSessionRetrieveParams{Expand: []*string{sdk.String("payment_intent.latest_charge")}}
	s, err := c.api.V1CheckoutSessions.Retrieve(ctx, p.Session, params)
	if err != nil {
		return nil, failure(err)
	}
	r := c.ofSession(s)
	if r.PaymentID == "" || r.PaymentID != p.ID {
		return nil, topup.ErrUnavailable.Because(fmt.Errorf("session %s is of %q", p.Session, r.PaymentID))
	}
	r.Event, r.Type = "ask:"+s.ID+":"+string(r.Outcome), "checkout.session"
	reports := []topup.Report{r}
	if s.PaymentIntent == nil || s.PaymentIntent.LatestCharge == nil || s.PaymentIntent.LatestCharge.AmountRefunded == 0 {
		return reports, nil
	}
	charge := s.PaymentIntent.LatestCharge
	back := amount(charge.AmountRefunded, charge.Currency)
	return append(reports, topup.Report{
		Event: fmt.Sprintf("ask:%s:refunded:%d", charge.ID, charge.AmountRefunded), Type: "charge", PaymentID: p.ID,
		Reference: s.PaymentIntent.ID, Outcome: topup.WasRefunded, Amount: back,
	}), nil
}

// Refund creates a refund, once per its name.
func (c *Channel) Refund(ctx context.Context, p topup.Payment, r topup.Refund) (topup.Report, error) {
	params := &sdk.RefundCreateParams{
		PaymentIntent: sdk.String(p.Reference), Amount: sdk.Int64(r.Amount.Minor()),
		Metadata: map[string]string{named: p.ID, "tollgate_refund": r.ID},
		Expand:   []*string{sdk.String("charge")},
	}
	params.SetIdempotencyKey("refund-" + r.ID)
	f, err := c.api.V1Refunds.Create(ctx, params)
	switch {
	case err != nil:
		return topup.Report{}, failure(err)
	case f.Status == sdk.RefundStatusFailed || f.Status == sdk.RefundStatusCanceled:
		return topup.Report{}, topup.ErrRefused.Says("Stripe says that the refund is %s.", f.Status)
	case f.Charge == nil || f.Charge.AmountRefunded < f.Amount:
		return topup.Report{}, topup.ErrUnavailable.Because(fmt.Errorf("refund %s came without its charge", f.ID))
	}
	return topup.Report{
		Event: "refund:" + f.ID, Type: "refund", PaymentID: p.ID, Reference: p.Reference,
		Outcome: topup.WasRefunded, Amount: amount(f.Charge.AmountRefunded, f.Charge.Currency),
	}, nil
}

// failure sorts what Stripe refused for good from what may be tried again.
func failure(err error) error {
	var e *sdk.Error
	if !errors.As(err, &e) {
		return topup.ErrUnavailable.Because(err)
	}
	if e.HTTPStatusCode >= 500 || e.HTTPStatusCode == http.StatusTooManyRequests || e.HTTPStatusCode == http.StatusConflict ||
		e.HTTPStatusCode == http.StatusUnauthorized || e.HTTPStatusCode == http.StatusForbidden {
		return topup.ErrUnavailable.Because(err)
	}
	return topup.ErrRefused.Says("Stripe refused this: %s", e.Msg).Because(err)
}

func amount(minor int64, c sdk.Currency) money.Amount {
	currency := money.Currency(strings.ToUpper(string(c)))
	if minor < 0 { // nothing that Stripe sends; it fits no payment
		minor = 0
	}
	return money.Of(minor, currency)
}
