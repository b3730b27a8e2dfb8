package workspace

import "time"

// Role is a member's standing in a workspace (domain section 2). The default
// roles cannot be changed or deleted.
type Role string

// The roles.
const (
	Owner         Role = "owner"
	Administrator Role = "administrator"
	Standard      Role = "standard"
	ReadOnly      Role = "read_only"
)

// Roles lists them from the most to the least powerful.
func Roles() []Role { return []Role{Owner, Administrator, Standard, ReadOnly} }

// Member is an account's place in a workspace.
type Member struct {
	WorkspaceID string
	AccountID   string
	Role        Role
	JoinedAt    time.Time
}

// Action is what a page or a call needs permission for.
type Action string

// The actions.
const (
	ViewData      Action = "view_data"      // records, settings, the plan's name
	ViewBilling   Action = "view_billing"   // quotas, usage, bills
	PayBilling    Action = "pay_billing"    // balances, recharge, settlement, the jump to the Billing Center
	UpgradePlan   Action = "upgrade_plan"   // the one-way step to Commercial
	ViewMembers   Action = "view_members"   // who is in the workspace
	InviteMembers Action = "invite_members" // add a Standard or Read-only member
	ManageMembers Action = "manage_members" // change roles, remove, make Administrators
	ViewToken     Action = "view_token"     // the workspace token
	ManageToken   Action = "manage_token"   // replace it
	ManageKeys    Action = "manage_keys"    // API keys
	ChangeName    Action = "change_name"    // name and language of the workspace

	ChangeRetention Action = "change_retention" // for how long data is kept

	UnlockWorkspace   Action = "unlock_workspace"   // see why it is locked, and go and pay
	DissolveWorkspace Action = "dissolve_workspace" // end it, from the lock page too
	TransferOwnership Action = "transfer_ownership" // hand the workspace over to a member
)

// allowed is the matrix of domain section 2.
var allowed = map[Action][]Role{
	ViewData:      {Owner, Administrator, Standard, ReadOnly},
	ViewBilling:   {Owner, Administrator},
	PayBilling:    {Owner},
	UpgradePlan:   {Owner},
	ViewMembers:   {Owner, Administrator, Standard, ReadOnly},
	InviteMembers: {Owner, Administrator, Standard},
	ManageMembers: {Owner, Administrator},
	ViewToken:     {Owner, Administrator},
	ManageToken:   {Owner, Administrator},
	ManageKeys:    {Owner, Administrator},
	ChangeName:    {Owner, Administrator},

	ChangeRetention: {Owner},

	UnlockWorkspace:   {Owner},
	DissolveWorkspace: {Owner},
	TransferOwnership: {Owner},
}

// Actions lists every action of the matrix.
func Actions() []Action {
	return []Action{ViewData, ViewBilling, PayBilling, UpgradePlan, ViewMembers, InviteMembers, ManageMembers, ViewToken, ManageToken, ManageKeys, ChangeName, ChangeRetention, UnlockWorkspace, DissolveWorkspace, TransferOwnership}
}

// May reports whether the role allows the action.
func (r Role) May(a Action) bool {
	for _, role := range allowed[a] {
		if role == r {
			return true
		}
	}
	return false
}

// Require says why the role does not allow the action, if it does not.
func (r Role) Require(a Action) error {
	switch {
	case r.May(a):
		return nil
	case len(allowed[a]) == 1:
		return ErrOwnerOnly
	}
	return ErrNotPermitted
}
