package stripe

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	sdk "github.com/stripe/stripe-go/v85"
	"github.com/stripe/stripe-go/v85/webhook"

	"tollgate.dev/internal/topup"
)

// tolerance is how old a signature may be, and how far ahead: Stripe's library
// looks at the past only.
const tolerance = webhook.DefaultTolerance

// Read verifies an event and says what it is about. Events that we did not ask
// for, and those of payments that are not ours, have no reports.
func (c *Channel) Read(m topup.Message) ([]topup.Report, error) {
	event, err := c.verified(m)
	if err != nil {
		return nil, err
	}
	if event.Data == nil || event.ID == "" {
		return nil, topup.ErrUnreadable
	}
	r, ours, err := c.report(event)
	if err != nil || !ours {
		return nil, err
	}
	r.Event, r.Type = event.ID, string(event.Type)
	switch {
	case event.Livemode != c.config.live():
		r.Odd = topup.ReasonMode
	case event.Account != "":
		r.Odd = topup.ReasonMerchant
	}
	return []topup.Report{r}, nil
}

// verified is the event if one of the secrets signed it lately.
func (c *Channel) verified(m topup.Message) (sdk.Event, error) {
	header := http.Header(m.Header).Get("Stripe-Signature")
	if ahead(header).After(c.config.Now().Add(tolerance)) {
		return sdk.Event{}, topup.ErrForged.Because(errors.New("signed in the future"))
	}
	var last error
	for _, secret := range c.config.Secrets {
		err := webhook.ValidatePayloadWithTolerance(m.Body, header, secret, tolerance)
		if err != nil {
			last = topup.ErrForged.Because(err)
			continue
		}
		event, err := webhook.ConstructEventWithTolerance(m.Body, header, secret, tolerance)
		if err != nil {
			return event, topup.ErrUnreadable.Because(err)
		}
		return event, nil
	}
	return sdk.Event{}, last
}

// ahead is the instant in the header, or zero.
func ahead(header string) time.Time {
	for part := range strings.SplitSeq(header, ",") {
		if text, ok := strings.CutPrefix(strings.TrimSpace(part), "t="); ok {
			if seconds, err := strconv.ParseInt(text, 10, 64); err == nil {
				return time.Unix(seconds, 0)
			}
		}
	}
	return time.Time{}
}

// report reads the object of an event. ours is false for what another program
// does with the same account at Stripe.
func (c *Channel) report(event sdk.Event) (r topup.Report, ours bool, err error) {
	switch event.Type {
	case sdk.EventTypeCheckoutSessionCompleted, sdk.EventTypeCheckoutSessionAsyncPaymentSucceeded,
		sdk.EventTypeCheckoutSessionAsyncPaymentFailed, sdk.EventTypeCheckoutSessionExpired:
		var s sdk.CheckoutSession
		if err := read(event, &s); err != nil {
			return r, false, err
		}
		r = c.ofSession(&s)
		if event.Type == sdk.EventTypeCheckoutSessionAsyncPaymentFailed {
			r.Outcome = topup.HasFailed
		}
		return r, r.PaymentID != "", nil
	case sdk.EventTypeChargeRefunded:
		var charge sdk.Charge
		if err := read(event, &charge); err != nil {
			return r, false, err
		}
		r = topup.Report{PaymentID: charge.Metadata[named], Reference: intent(charge.PaymentIntent), Outcome: topup.WasRefunded, Amount: amount(charge.AmountRefunded, charge.Currency)}
		return r, r.PaymentID != "", nil
	case sdk.EventTypeRefundFailed:
		var f sdk.Refund
		if err := read(event, &f); err != nil {
			return r, false, err
		}
		r = topup.Report{PaymentID: f.Metadata[named], Reference: intent(f.PaymentIntent), Outcome: topup.RefundFailed, Amount: amount(f.Amount, f.Currency)}
		return r, r.PaymentID != "" || r.Reference != "", nil
	case sdk.EventTypeChargeDisputeCreated, sdk.EventTypeChargeDisputeUpdated, sdk.EventTypeChargeDisputeClosed,
		sdk.EventTypeChargeDisputeFundsWithdrawn, sdk.EventTypeChargeDisputeFundsReinstated:
		return ofDispute(event)
	}
	return r, false, nil
}

func read(event sdk.Event, into any) error {
	if err := json.Unmarshal(event.Data.Raw, into); err != nil {
		return topup.ErrUnreadable.Because(fmt.Errorf("%s: %w", event.Type, err))
	}
	return nil
}

func intent(p *sdk.PaymentIntent) string {
	if p == nil {
		return ""
	}
	return p.ID
}

// ofSession says how a Checkout session stands. A session that is complete and
// not paid waits for a bank.
func (c *Channel) ofSession(s *sdk.CheckoutSession) topup.Report {
	r := topup.Report{
		PaymentID: s.Metadata[named], Reference: intent(s.PaymentIntent),
		Outcome: topup.IsOpen, Amount: amount(s.AmountTotal, s.Currency),
	}
	switch {
	case s.PaymentStatus == sdk.CheckoutSessionPaymentStatusPaid:
		r.Outcome = topup.WasPaid
	case s.Status == sdk.CheckoutSessionStatusExpired:
		r.Outcome = topup.HasExpired
	case s.Status == sdk.CheckoutSessionStatusComplete && s.PaymentIntent != nil && s.PaymentIntent.Status == sdk.PaymentIntentStatusRequiresPaymentMethod:
		r.Outcome = topup.HasFailed // the bank said no after the session was over
	}
	return r
}

// ofDispute follows a dispute by its status, whatever event carries it. An
// inquiry (warning) takes no money.
func ofDispute(event sdk.Event) (r topup.Report, ours bool, err error) {
	var d sdk.Dispute
	if err := read(event, &d); err != nil {
		return r, false, err
	}
	r = topup.Report{Reference: intent(d.PaymentIntent), Dispute: d.ID, Amount: amount(d.Amount, d.Currency)}
	switch d.Status {
	case sdk.DisputeStatusNeedsResponse, sdk.DisputeStatusUnderReview:
		r.Outcome = topup.DisputeOpened
	case sdk.DisputeStatusWon, sdk.DisputeStatusLost:
		r.Outcome, r.Won = topup.DisputeDecided, d.Status == sdk.DisputeStatusWon
	default:
		return r, false, nil
	}
	return r, r.Dispute != "", nil
}

// Reply is 200 when the notice is kept. Anything else makes Stripe send it
// again.
func (*Channel) Reply(kept bool) topup.Reply {
	if kept {
		return topup.Reply{Status: http.StatusOK, Body: "ok\n"}
	}
	return topup.Reply{Status: http.StatusBadRequest, Body: "not taken\n"}
}
