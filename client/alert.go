package client

import (
	"context"
	"net/http"
)

// Alerts are the high-consumption alerts of a workspace.
type Alerts struct {
	Alerts []Alert `json:"alerts"`
}

// Alert is a threshold and who is told when a day's bill is above it: the
// Owner, and those named here. Item is a billing item, or total.
type Alert struct {
	Item           string   `json:"item"`
	Threshold      Amount   `json:"threshold"`
	Administrators bool     `json:"administrators"`
	Members        []string `json:"members"`
	Addresses      []string `json:"addresses"`
}

// Alerts lists the alerts of a Commercial workspace.
func (s *Studio) Alerts(ctx context.Context, workspace string) (Alerts, error) {
	return ask[Alerts](ctx, s.door, request{method: http.MethodGet, path: in(workspace, "alerts")})
}

// ReplaceAlerts makes the list the alerts of the workspace. Thresholds are in
// the currency of its bills, whatever an Alert says.
func (s *Studio) ReplaceAlerts(ctx context.Context, workspace string, list []Alert) (Alerts, error) {
	type wanted struct {
		Item           string   `json:"item"`
		Threshold      string   `json:"threshold"`
		Administrators bool     `json:"administrators"`
		Members        []string `json:"members,omitempty"`
		Addresses      []string `json:"addresses,omitempty"`
	}
	body := struct {
		Alerts []wanted `json:"alerts"`
	}{Alerts: []wanted{}}
	for _, a := range list {
		body.Alerts = append(body.Alerts, wanted{a.Item, a.Threshold.Amount, a.Administrators, a.Members, a.Addresses})
	}
	return ask[Alerts](ctx, s.door, request{method: http.MethodPut, path: in(workspace, "alerts"), body: body})
}
