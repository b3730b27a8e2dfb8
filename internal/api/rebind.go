package api

import (
	"time"

	"tollgate.dev/internal/rebind"
	"tollgate.dev/internal/workspace"
)

// rebindings move a workspace to another account of the same company.
func (s *server) rebindings() []route {
	const one = "/workspaces/{workspace_id}/rebinding"
	return []route{
		writes(line(post, one, Studio, workspace.PayBilling, "begin-rebinding", "Name another account of the same company; a code is mailed to it"), accepted, beginRebinding),
		writes(line(post, one+"/confirmation", Studio, workspace.PayBilling, "confirm-rebinding", "Enter its code and the workspace's name: that account pays from this day on"), ok, confirmRebinding),
	}
}

// Rebinding is a workspace on its way to another account.
type Rebinding struct {
	WorkspaceID string    `json:"workspace_id"`
	UserName    string    `json:"user_name" doc:"Of the account that shall pay, or pays."`
	NamedAt     time.Time `json:"named_at"`
	Done        bool      `json:"done"`
}

// rebinding names the account.
type rebinding struct {
	Inside
	Body struct {
		UserName string `json:"user_name" maxLength:"256"`
		Email    string `json:"email" maxLength:"256" doc:"The address of that account."`
	}
}

func beginRebinding(c *call, in *rebinding) (*Rebinding, error) {
	d, err := rebind.Name(c, c.tx, in.WorkspaceID, in.Body.UserName, in.Body.Email, c.actor(), c.at)
	if err != nil {
		return nil, err
	}
	return &Rebinding{WorkspaceID: d.WorkspaceID, UserName: d.UserName, NamedAt: local(d.NamedAt, c.Workspace.Site)}, nil
}

// rebound proves the account and confirms by the name.
type rebound struct {
	Inside
	Body struct {
		Code          string `json:"code" maxLength:"32" example:"123456"`
		WorkspaceName string `json:"workspace_name" maxLength:"1024" doc:"Typed to confirm."`
	}
}

func confirmRebinding(c *call, in *rebound) (*Rebinding, error) {
	w, err := rebind.Confirm(c, c.tx, in.WorkspaceID, in.Body.Code, in.Body.WorkspaceName, c.actor(), c.at)
	if err != nil {
		return nil, counted(err)
	}
	payer, err := c.tx.BillingByID(c, w.Payer)
	return &Rebinding{WorkspaceID: w.ID, UserName: payer.UserName, NamedAt: local(c.at, w.Site), Done: true}, err
}
