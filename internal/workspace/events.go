package workspace

import (
	"time"

	"tollgate.dev/internal/site"
)

// MemberAdded happens when somebody is made a member of a workspace (domain
// section 14, mail 8).
type MemberAdded struct {
	WorkspaceID   string
	WorkspaceName string
	Site          site.ID
	Role          Role
	Email         string // of the new member
	Language      string
	InvitedBy     string // the name by which the new member may know who did it
	AddedAt       time.Time
}
