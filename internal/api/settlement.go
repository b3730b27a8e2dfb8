package api

import (
	"tollgate.dev/internal/account"
	"tollgate.dev/internal/settle"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/workspace"
)

// SettlementChoice is what may settle a workspace.
type SettlementChoice struct {
	Current     string             `json:"current" example:"billing_center"`
	Offered     bool               `json:"offered" doc:"Whether the site offers anything but the Billing Center."`
	Preselected string             `json:"preselected,omitempty" doc:"Of the site, where something is offered."`
	Methods     []SettlementMethod `json:"methods" nullable:"false"`
}

// SettlementMethod is one of them.
type SettlementMethod struct {
	Method  string `json:"method" example:"alibaba"`
	Enabled bool   `json:"enabled" doc:"Whether this installation can settle so."`
}

// rules is what this installation allows.
func (s *server) rules() settle.Rules {
	return settle.Rules{Profile: s.Profile, Enabled: s.Clouds.Methods()}
}

func (s *server) choice(w workspace.Workspace, payer account.Billing) (*SettlementChoice, error) {
	where, err := site.Find(w.Site)
	if err != nil {
		return nil, err
	}
	shown := &SettlementChoice{
		Current: string(w.Settlement),
		Methods: []SettlementMethod{{string(site.BillingCenter), true}},
	}
	for _, o := range s.rules().Options(where, payer.ArbitrarySettlement) {
		shown.Offered = true
		if o.Preselected {
			shown.Preselected = string(o.Method)
		}
		shown.Methods = append(shown.Methods, SettlementMethod{string(o.Method), o.Enabled})
	}
	return shown, nil
}

func (s *server) showSettlement(c *call, _ *Inside) (*SettlementChoice, error) {
	if c.Workspace.Plan != workspace.Commercial {
		return nil, settle.ErrNotCommercial
	}
	payer, err := c.tx.BillingByID(c, c.Workspace.Payer)
	if err != nil {
		return nil, err
	}
	return s.choice(c.Workspace, payer)
}

// changing names the method to settle by from now on.
type changing struct {
	Inside
	Body struct {
		Method       string `json:"method" maxLength:"32" example:"alibaba"`
		Subscription string `json:"subscription,omitempty" maxLength:"64" doc:"The cloud account that settles; not for the Billing Center."`
	}
}

func (s *server) changeSettlement(c *call, in *changing) (*SettlementChoice, error) {
	actor := workspace.Actor{AccountID: c.AccountID, Address: c.Address}
	w, err := s.rules().Choose(c, c.tx, in.WorkspaceID, settle.Choice{Method: site.Method(in.Body.Method), Subscription: in.Body.Subscription}, actor, c.at)
	if err != nil {
		return nil, err
	}
	payer, err := c.tx.BillingByID(c, w.Payer)
	if err != nil {
		return nil, err
	}
	return s.choice(w, payer)
}
