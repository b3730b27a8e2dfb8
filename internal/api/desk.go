package api

import (
	"tollgate.dev/internal/account"
	"tollgate.dev/internal/arrears"
	"tollgate.dev/internal/rebind"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/workspace"
)

// standings are the calls about what stops accounts and workspaces, and about
// who pays for a workspace and when it ends, as its payer wishes.
func (s *server) standings() []route {
	const (
		takeOvers = "/billing-center/take-overs"
		ending    = "/billing-center/workspaces/{workspace_id}/dissolution"
	)
	return []route{
		reads(line(get, "/billing-center/standing", BillingCenter, "", "show-own-standing", "What stops the workspaces that the account pays for, and until when"), showOwnStanding),
		writes(line(post, takeOvers, BillingCenter, "", "claim-workspace", "Name a workspace that another account of the same company pays for; a code is mailed to its Owner"), accepted, claimWorkspace),
		writes(line(post, takeOvers+"/{workspace_id}/proof", BillingCenter, "", "prove-take-over", "Enter the code mailed to the Owner"), ok, proveTakeOver),
		writes(line(post, takeOvers+"/{workspace_id}", BillingCenter, "", "take-over-workspace", "Pay for the workspace from this day on"), ok, takeOverWorkspace),
		writes(line(post, ending+"/code", BillingCenter, "", "ask-dissolution", "Have the Owner mailed a code, which is the consent to dissolve"), accepted, askDissolution),
		writes(line(post, ending, BillingCenter, "", "dissolve-paid-workspace", "End a workspace with the Owner's code and its name typed; nothing leads back"), ok, dissolvePaid),

		reads(onDuty(get, "/operator/accounts/{account_id}/standing", account.Look, "show-account-standing", "What stops the workspaces that an account pays for"), showAccountStanding),
		reads(onDuty(get, "/operator/workspaces/{workspace_id}/standing", account.Look, "show-workspace-standing", "What stops a workspace"), showWorkspaceStanding),
		writes(onDuty(post, "/operator/workspaces/{workspace_id}/extension", account.UnlockWorkspaces, "extend-workspace", "Grant days until the lock, whatever stops the workspace; what is owed stays owed"), ok, extendWorkspace),
	}
}

// standingOf is a standing with its instants as the site's clocks show them;
// UTC where no site is concerned.
func standingOf(s arrears.Standing, of site.ID) *Standing {
	shown := &Standing{State: string(s.State), Causes: []StandingCause{}, ClearAt: instant(s.ClearAt, of)}
	for _, one := range s.Clocks {
		shown.Causes = append(shown.Causes, StandingCause{string(one.Cause), local(one.BeganAt, of), local(one.LockAt, of)})
		if one.Cause == arrears.Debt {
			shown.Owed, shown.Currency = s.Owed.String(), string(s.Owed.Currency())
		}
	}
	return shown
}

func showOwnStanding(c *call, _ *nothing) (*Standing, error) {
	return c.payerStanding(c.AccountID)
}

func (c *call) payerStanding(id string) (*Standing, error) {
	a, err := c.tx.BillingByID(c, id)
	if err != nil {
		return nil, err
	}
	s, err := arrears.LookPayer(c, c.tx, a)
	if err != nil {
		return nil, err
	}
	return standingOf(s, ""), nil
}

func claimWorkspace(c *call, in *binding) (*Rebinding, error) {
	d, err := rebind.Claim(c, c.tx, in.Body.WorkspaceID, c.actor(), c.at)
	if err != nil {
		return nil, err
	}
	return &Rebinding{WorkspaceID: d.WorkspaceID, UserName: d.UserName, NamedAt: d.NamedAt.UTC()}, nil
}

func proveTakeOver(c *call, in *proof) (*Rebinding, error) {
	d, err := rebind.Prove(c, c.tx, in.WorkspaceID, in.Body.Code, c.actor(), c.at)
	if err != nil {
		return nil, counted(err)
	}
	return &Rebinding{WorkspaceID: d.WorkspaceID, UserName: d.UserName, NamedAt: d.NamedAt.UTC()}, nil
}

func takeOverWorkspace(c *call, in *Inside) (*Rebinding, error) {
	w, err := rebind.TakeOver(c, c.tx, in.WorkspaceID, c.actor(), c.at)
	if err != nil {
		return nil, err
	}
	return &Rebinding{WorkspaceID: w.ID, UserName: c.Billing.UserName, NamedAt: local(c.at, w.Site), Done: true}, nil
}

func askDissolution(c *call, in *Inside) (*Done, error) {
	return done, arrears.AskConsent(c, c.tx, in.WorkspaceID, c.actor(), c.at)
}

// paidDissolution ends a workspace with its Owner's consent.
type paidDissolution struct {
	Inside
	Body struct {
		Code string `json:"code" maxLength:"32" example:"123456" doc:"Mailed to the Owner."`
		Name string `json:"workspace_name" maxLength:"1024" doc:"Its name, typed to confirm. Its data is deleted after seven days and cannot be brought back."`
	}
}

func dissolvePaid(c *call, in *paidDissolution) (*PaidWorkspace, error) {
	w, err := arrears.DissolvePaid(c, c.tx, in.WorkspaceID, in.Body.Name, in.Body.Code, c.actor(), c.at)
	if err != nil {
		return nil, counted(err)
	}
	return &PaidWorkspace{w.ID, string(w.Site), w.Name, string(w.State), string(w.Settlement), instant(w.UpgradedAt, w.Site)}, nil
}

// ofAccount names an account in the path.
type ofAccount struct {
	AccountID string `path:"account_id" maxLength:"64"`
}

func showAccountStanding(c *call, in *ofAccount) (*Standing, error) {
	return c.payerStanding(in.AccountID)
}

func showWorkspaceStanding(c *call, in *Inside) (*Standing, error) {
	w, err := c.tx.Workspace(c, in.WorkspaceID)
	if err != nil {
		return nil, err
	}
	s, err := arrears.Look(c, c.tx, w)
	if err != nil {
		return nil, err
	}
	return standingOf(s, w.Site), nil
}

// extension grants a workspace more time.
type extension struct {
	Inside
	Body struct {
		Days   int    `json:"days" doc:"From now until the lock." minimum:"1" maximum:"90" example:"7"`
		Reason string `json:"reason" maxLength:"256"`
	}
}

func extendWorkspace(c *call, in *extension) (*Standing, error) {
	by := workspace.Actor{AccountID: c.actor().AccountID, Address: c.actor().Address}
	if err := arrears.ExtendAll(c, c.tx, in.WorkspaceID, arrears.Extension{Days: in.Body.Days, Reason: in.Body.Reason}, by, c.at); err != nil {
		return nil, err
	}
	return showWorkspaceStanding(c, &in.Inside)
}
