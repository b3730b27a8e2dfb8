package api

import (
	"net/http"
	"time"

	"tollgate.dev/internal/arrears"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/workspace"
)

// Standing is how a workspace stands, and why.
type Standing struct {
	State    string          `json:"state" enum:"normal,grace,locked,cleared,dissolved"`
	Causes   []StandingCause `json:"causes" nullable:"false" doc:"What stops it; empty when nothing does. The one that locks first comes first."`
	Owed     string          `json:"owed,omitempty" example:"15.00" doc:"By its payer. It works again when all of it is paid."`
	Currency string          `json:"currency,omitempty" enum:"CNY,USD"`
	ClearAt  *time.Time      `json:"clear_at,omitempty" doc:"When its data is deleted."`
}

// StandingCause is one thing that stops a workspace.
type StandingCause struct {
	Cause   string    `json:"cause" enum:"arrears,cloud_subscription"`
	BeganAt time.Time `json:"began_at"`
	LockAt  time.Time `json:"lock_at" doc:"When it is locked, or was."`
}

func showStanding(c *call, _ *Inside) (*Standing, error) {
	s, err := arrears.Look(c, c.tx, c.Workspace)
	if err != nil {
		return nil, err
	}
	return standingOf(s, c.Workspace.Site), nil
}

// dissolution ends a workspace.
type dissolution struct {
	Inside
	Body struct {
		Name string `json:"workspace_name" doc:"Its name, typed to confirm. Its data is deleted after seven days and cannot be brought back."`
	}
}

func dissolveWorkspace(c *call, in *dissolution) (*Workspace, error) {
	w, err := arrears.DissolveBy(c, c.tx, in.WorkspaceID, in.Body.Name, c.actor(), c.at)
	if err != nil {
		return nil, err
	}
	return workspaceOf(w, c.Role), nil
}

// openTo says why a workspace is closed to an action, with the dates: what is
// locked can still be unlocked, settled in another way, or dissolved.
func openTo(r *http.Request, tx *store.Tx, w workspace.Workspace, action workspace.Action) error {
	if w.State == workspace.Normal || w.State == workspace.Grace {
		return nil
	}
	switch action {
	case workspace.UnlockWorkspace, workspace.DissolveWorkspace, workspace.PayBilling:
		if w.State == workspace.Locked {
			return nil
		}
	}
	s, err := arrears.Look(r.Context(), tx, w)
	if err != nil {
		return err
	}
	return s.WhyLocked()
}
