package aws

import (
	"encoding/json"
	"strings"
	"time"
)

// agreementEvent tells the proposer and the manufacturer, who are one seller.
func (s *Sim) agreementEvent(name string, a *agreement, intent string) {
	detail := map[string]any{
		"requestId": s.stage.UUID(), "catalog": "AWSMarketplace",
		"agreement": map[string]any{
			"id": a.ID, "intent": intent, "status": a.Status, "acceptanceTime": instant(a.AcceptedAt), "startTime": instant(a.ActivatedAt), "endTime": instant(a.EndsAt),
		},
		"acceptor": map[string]string{"accountId": a.Account}, "proposer": map[string]string{"accountId": s.config.Account},
		"offer": map[string]string{"id": a.Offer},
	}
	resources := []string{"arn:aws:aws-marketplace::aws:agreement/" + a.ID}
	s.event(name+" - Proposer", resources, detail)
	if s.market.Switches.BothRoles {
		s.event(name+" - Manufacturer", resources, detail)
	}
}

func (s *Sim) licenseEvent(name string, a *agreement) {
	arn := a.License
	if s.market.Switches.BareLicenses {
		arn = "aws:license-manager:" + eventsRegion + ":" + licenseOwner + ":" + arn[strings.LastIndex(arn, ":")+1:]
	}
	s.event(name+" - Manufacturer", []string{arn}, map[string]any{
		"requestId": s.stage.UUID(), "catalog": "AWSMarketplace",
		"agreement": map[string]string{"id": a.ID}, "product": map[string]string{"id": a.ProductID, "code": a.Product},
		"license": map[string]string{"arn": arn}, "acceptor": map[string]string{"accountId": a.Account},
		"proposer": map[string]string{"accountId": s.config.Account}, "offer": map[string]string{"id": a.Offer},
	})
}

func instant(at time.Time) string { return at.UTC().Format(time.RFC3339) }

// event puts what EventBridge's rule passes on, as it is, into the queue.
func (s *Sim) event(detailType string, resources []string, detail map[string]any) {
	s.send(map[string]any{
		"version": "0", "id": s.stage.UUID(), "detail-type": detailType, "source": "aws.agreement-marketplace", "account": s.config.Account,
		"time": instant(s.stage.Now()), "region": eventsRegion, "resources": resources, "detail": detail,
	})
}

// notice is what legacy products are told by SNS; it names no license.
func (s *Sim) notice(a *agreement, action string) {
	text := map[string]string{"action": action, "customer-identifier": s.market.Customers[a.Account].Identifier, "product-code": a.Product}
	if strings.HasPrefix(action, "subscribe-") {
		text["offer-identifier"], text["isFreeTrialTermPresent"] = a.Offer, "false"
	}
	if s.market.Switches.RawNotifications {
		s.send(text)
		return
	}
	message, err := json.Marshal(text)
	if err != nil {
		panic("marketsim/aws: " + err.Error())
	}
	s.send(map[string]string{
		"Type": "Notification", "MessageId": s.stage.UUID(), "TopicArn": "arn:aws:sns:us-east-1:287250355862:aws-mp-subscription-notification-" + a.Product,
		"Message": string(message), "Timestamp": s.stage.Now().Format("2006-01-02T15:04:05.000Z"), "SignatureVersion": "1",
		"Signature": "simulated", "SigningCertURL": "https://sns.us-east-1.amazonaws.com/simulated.pem", "UnsubscribeURL": "https://sns.us-east-1.amazonaws.com/?Action=Unsubscribe",
	})
}

func (s *Sim) send(body any) {
	text, err := json.Marshal(body)
	if err != nil {
		panic("marketsim/aws: " + err.Error())
	}
	copies := 1
	if s.market.Switches.DuplicateEvents {
		copies = 2
	}
	for range copies {
		m := &message{ID: s.stage.UUID(), Body: string(text), SentAt: s.stage.Now()}
		if s.market.Switches.HoldEvents {
			s.market.Held = append(s.market.Held, m)
		} else {
			s.enqueue(m)
		}
	}
}
