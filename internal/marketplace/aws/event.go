package aws

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/site"
)

// LastHour is how long usage is taken after a license is withdrawn or an
// unsubscription is announced (reference 1.4).
const LastHour = time.Hour

var license = regexp.MustCompile(`^(?:arn:)?(aws[a-z-]*):license-manager:[a-z0-9-]*:(\d*):(?:license:)?(l-[0-9a-f]+)$`)

// License is what tells a license from all others: the end of its ARN. Events
// spell ARNs otherwise than ResolveCustomer does.
func License(arn string) string {
	if parts := license.FindStringSubmatch(arn); parts != nil {
		return parts[3]
	}
	return arn
}

// ARN is a license's ARN as ResolveCustomer writes it, and as usage names it.
func ARN(reference string) string {
	if parts := license.FindStringSubmatch(reference); parts != nil && !strings.HasPrefix(reference, "arn:") {
		return "arn:" + parts[1] + ":license-manager::" + parts[2] + ":license:" + parts[3]
	}
	return reference
}

// envelope is an event of EventBridge.
type envelope struct {
	ID     string    `json:"id"`
	Type   string    `json:"detail-type"`
	Source string    `json:"source"`
	Time   time.Time `json:"time"`
	Detail struct {
		Agreement struct {
			ID      string    `json:"id"`
			Intent  string    `json:"intent"`
			EndTime time.Time `json:"endTime"`
		} `json:"agreement"`
		Product struct {
			Code string `json:"code"`
		} `json:"product"`
		License struct {
			ARN string `json:"arn"`
		} `json:"license"`
		Acceptor struct {
			AccountID string `json:"accountId"`
		} `json:"acceptor"`
	} `json:"detail"`
}

// notification is an SNS message, perhaps wrapped, of products from before
// concurrent agreements.
type notification struct {
	Action   string `json:"action"`
	Customer string `json:"customer-identifier"`
	Product  string `json:"product-code"`
	Offer    string `json:"offer-identifier"`

	MessageID string    `json:"MessageId"`
	Message   string    `json:"Message"`
	Timestamp time.Time `json:"Timestamp"`
}

// Read reads the body of a message of the queue. What is none of a purchase's
// life has no kind: an agreement alone names neither a product nor a license,
// and its end does not end the metering, which its license's does.
func (m *Market) Read(body []byte, messageID string, at time.Time) (marketplace.Event, error) {
	var e envelope
	if err := json.Unmarshal(body, &e); err != nil {
		return marketplace.Event{}, marketplace.ErrFields.Because(err)
	}
	if e.Type == "" && m.config.Legacy {
		return m.readNotification(body, messageID, at)
	}
	if e.ID == "" || e.Type == "" || e.Source != "aws.agreement-marketplace" {
		return marketplace.Event{}, marketplace.ErrFields
	}
	out := marketplace.Event{
		ID: e.ID, Cloud: site.AWS, Account: e.Detail.Acceptor.AccountID, Instance: License(e.Detail.License.ARN), Reference: ARN(e.Detail.License.ARN),
		Plan:    marketplace.Hourly,
		Product: e.Detail.Product.Code, Order: e.Detail.Agreement.ID, At: e.Time.UTC(), Raw: body,
	}
	kind, _, _ := strings.Cut(e.Type, " - ") // a direct seller hears as manufacturer and as proposer
	switch kind {
	case "License Updated":
		out.Kind = marketplace.Purchased
	case "License Deprovisioned":
		out.Kind, out.FinalFor = marketplace.Released, LastHour
	case "Purchase Agreement Created", "Purchase Agreement Amended", "Purchase Agreement Ended":
		return out, nil
	default:
		return out, marketplace.ErrAction.On("detail-type")
	}
	if out.Instance == "" || out.Account == "" || out.At.IsZero() {
		return out, marketplace.ErrFields
	}
	return out, m.ours(out.Product)
}

func (m *Market) readNotification(body []byte, messageID string, at time.Time) (marketplace.Event, error) {
	n := notification{}
	if err := json.Unmarshal(body, &n); err != nil {
		return marketplace.Event{}, marketplace.ErrFields.Because(err)
	}
	if n.Action == "" && n.Message != "" {
		messageID, at = n.MessageID, n.Timestamp.UTC()
		if err := json.Unmarshal([]byte(n.Message), &n); err != nil {
			return marketplace.Event{}, marketplace.ErrFields.Because(err)
		}
	}
	e := marketplace.Event{ID: messageID, Cloud: site.AWS, Instance: n.Customer, Product: n.Product, Order: n.Offer, At: at, Raw: body}
	switch n.Action {
	case "subscribe-success":
		e.Kind = marketplace.Purchased
	case "unsubscribe-pending":
		e.Kind, e.FinalFor = marketplace.Cancelled, LastHour
	case "unsubscribe-success":
		e.Kind = marketplace.Released
	case "subscribe-fail", "entitlement-updated":
		return e, nil
	default:
		return e, marketplace.ErrAction.On("action")
	}
	if e.Instance == "" || e.ID == "" {
		return e, marketplace.ErrFields
	}
	return e, m.ours(e.Product)
}

func (m *Market) ours(product string) error {
	for _, p := range m.config.Products {
		if p == product {
			return nil
		}
	}
	return marketplace.ErrOtherProduct
}

// Polls reports whether there is a queue to read.
func (m *Market) Polls() bool { return m.queue != nil }

// Waits of one look into the queue.
const (
	mostMessages = 10
	longPoll     = 10 // seconds
)

// Poll takes what waits in the queue and hands each message to keep. One that
// was kept is deleted; one that was not comes again, and ends in the queue's
// own dead letters.
func (m *Market) Poll(ctx context.Context, keep func(body []byte, messageID string) error) (taken int, err error) {
	answer, err := m.queue.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl: aws.String(m.config.Queue), MaxNumberOfMessages: mostMessages, WaitTimeSeconds: longPoll,
	})
	if err != nil {
		return 0, fmt.Errorf("read the queue of AWS Marketplace: %s", code(err))
	}
	var errs []error
	for _, message := range answer.Messages {
		if err := keep([]byte(aws.ToString(message.Body)), aws.ToString(message.MessageId)); err != nil {
			errs = append(errs, err)
			continue
		}
		_, err := m.queue.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: aws.String(m.config.Queue), ReceiptHandle: message.ReceiptHandle})
		if err != nil {
			errs = append(errs, fmt.Errorf("delete from the queue of AWS Marketplace: %s", code(err)))
			continue
		}
		taken++
	}
	return taken, errors.Join(errs...)
}
