package api

import (
	"tollgate.dev/internal/alert"
)

// Alerts are the high-consumption alerts of a workspace.
type Alerts struct {
	Alerts []Alert `json:"alerts" nullable:"false"`
}

// Alert is a threshold and who is told when a day's bill is above it.
type Alert struct {
	Item           string   `json:"item" doc:"A billing item, or total." example:"logs"`
	Threshold      Amount   `json:"threshold" doc:"A mail goes out when the charge of a day is higher."`
	Administrators bool     `json:"administrators" doc:"Whether all Administrators receive it. The Owner always does."`
	Members        []string `json:"members" nullable:"false" doc:"Accounts of members who receive it."`
	Addresses      []string `json:"addresses" nullable:"false" doc:"Outside addresses that receive it."`
}

func alertsOf(rules []alert.Rule) *Alerts {
	shown := &Alerts{Alerts: make([]Alert, 0, len(rules))}
	for _, r := range rules {
		shown.Alerts = append(shown.Alerts, Alert{
			Item: r.Item, Threshold: amountOf(r.Threshold), Administrators: r.Administrators,
			Members: append([]string{}, r.Members...), Addresses: append([]string{}, r.Addresses...),
		})
	}
	return shown
}

func showAlerts(c *call, in *Inside) (*Alerts, error) {
	if c.Workspace.Payer == "" {
		return nil, ErrExperience
	}
	rules, err := c.tx.AlertRules(c, in.WorkspaceID)
	return alertsOf(rules), err
}

// alerting is the whole list, as it shall be.
type alerting struct {
	Inside
	Body struct {
		Alerts []wantedAlert `json:"alerts" maxItems:"100"`
	}
}

// wantedAlert is one alert. Its threshold is in the currency of the bills.
type wantedAlert struct {
	Item           string   `json:"item" maxLength:"64"`
	Threshold      string   `json:"threshold" maxLength:"64" doc:"A decimal above zero, with two places at most." example:"100.00"`
	Administrators bool     `json:"administrators,omitempty"`
	Members        []string `json:"members,omitempty" maxItems:"1000"`
	Addresses      []string `json:"addresses,omitempty" maxItems:"200"`
}

func (s *server) replaceAlerts(c *call, in *alerting) (*Alerts, error) {
	if c.Workspace.Payer == "" {
		return nil, ErrExperience
	}
	typed := make([]alert.Typed, len(in.Body.Alerts))
	for i, a := range in.Body.Alerts {
		typed[i] = alert.Typed{Item: a.Item, Threshold: a.Threshold, Administrators: a.Administrators, Members: a.Members, Addresses: a.Addresses}
	}
	rules, err := alert.Replace(c, c.tx, s.Catalog, in.WorkspaceID, typed, c.actor(), c.at)
	if err != nil {
		return nil, err
	}
	return alertsOf(rules), nil
}
