package client

import (
	"context"
	"net/http"
)

// Service reports usage with a service's key.
type Service struct{ door }

// Service is what a service's key opens.
func (c *Client) Service(secret string) *Service {
	return &Service{door{c, Session{Token: secret}}}
}

// UsageEvent is what a service says that a workspace used: a CloudEvent. It
// counts once by its source and ID, so that sending it again is safe.
type UsageEvent struct {
	SpecVersion string         `json:"specversion"` // "1.0" when empty
	ID          string         `json:"id"`
	Source      string         `json:"source"`
	Type        string         `json:"type"`    // tollgate.usage. and the billing item
	Subject     string         `json:"subject"` // the workspace
	Data        map[string]any `json:"data"`
}

// EventResults is what became of the events of a call, in its order.
type EventResults struct {
	Accepted   int           `json:"accepted"`
	Duplicates int           `json:"duplicates"`
	Refused    int           `json:"refused"`
	Results    []EventResult `json:"results"`
}

// EventResult is what became of one event.
type EventResult struct {
	Source  string         `json:"source"`
	ID      string         `json:"id"`
	Result  string         `json:"result"` // accepted, duplicate or refused
	Code    string         `json:"code"`
	Detail  string         `json:"detail"`
	Field   string         `json:"field"`
	Figures map[string]any `json:"figures"`
}

// ReportUsage reports up to 1,000 events. When it is not known whether a call
// arrived, send it again: what counted is a duplicate then.
func (s *Service) ReportUsage(ctx context.Context, events []UsageEvent) (EventResults, error) {
	sent := make([]UsageEvent, len(events))
	for i, e := range events {
		if e.SpecVersion == "" {
			e.SpecVersion = "1.0"
		}
		sent[i] = e
	}
	return ask[EventResults](ctx, s.door, request{method: http.MethodPost, path: "/usage-events", body: sent, media: "application/cloudevents-batch+json"})
}

// ServiceKeys lists the keys of services: those that work, then revoked ones.
func (o *Operator) ServiceKeys(ctx context.Context, p Page) (List[APIKey], error) {
	return ask[List[APIKey]](ctx, o.door, request{method: http.MethodGet, path: "/operator/service-keys", query: p.query()})
}

// MakeServiceKey makes a key that a service reports usage with.
func (o *Operator) MakeServiceKey(ctx context.Context, name string) (MadeKey, error) {
	return ask[MadeKey](ctx, o.door, request{method: http.MethodPost, path: "/operator/service-keys", body: map[string]string{"name": name}})
}

// RevokeServiceKey ends a service's key.
func (o *Operator) RevokeServiceKey(ctx context.Context, key string) error {
	return o.do(ctx, request{method: http.MethodDelete, path: path("operator", "service-keys", key)}, nil)
}
