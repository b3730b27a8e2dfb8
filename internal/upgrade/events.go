package upgrade

import (
	"time"

	"tollgate.dev/internal/site"
	"tollgate.dev/internal/workspace"
)

// Opened happens once per workspace: the agreement was accepted and the
// workspace is on the Commercial plan. The opening reminder goes to the
// Billing Center account and to the Owner (domain section 14, mail 2).
type Opened struct {
	WorkspaceID     string
	WorkspaceName   string
	Site            site.ID
	OwnerEmail      string
	OwnerLanguage   string
	BillingUserName string
	BillingEmail    string
	BillingLanguage string
	StartedAt       time.Time
	Plan            workspace.Plan
}
