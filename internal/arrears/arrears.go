// Package arrears decides whether a workspace works, is warned, is locked or
// is gone (domain section 12). It owns the causes that stop a workspace, the
// clock that each starts, the machine of a workspace's states, the hold before
// data is deleted, and dissolving. It does not own the debt, which is the
// ledger's, nor the data, which is the sinks'.
//
// There are two causes, each with a clock of its own: the payer's debt, which
// concerns all workspaces that the Billing Center settles for this payer, and
// an abnormal cloud subscription, which concerns one workspace. A workspace is
// as its strictest clock says, so that the end of one cause does not hide the
// other.
//
// Always true: a payer's clock runs if and only if the payer owes, and a part
// of the debt being paid leaves it as it is; a clock locks fourteen days after
// it began, unless the operator granted more; data is deleted seven days after
// the lock or the dissolution and not before; a cleared or dissolved workspace
// stays so.
package arrears

import (
	"time"

	"tollgate.dev/internal/fault"
)

// Faults of locked and dissolved workspaces.
var (
	ErrNotCaused   = fault.New(fault.Conflict, "workspace_not_locked", "Nothing stops this workspace, so that there is nothing to unlock.")
	ErrNameDiffers = fault.New(fault.Invalid, "dissolve_name_differs", "Type the name of the workspace exactly as it is shown.")
	ErrDays        = fault.New(fault.Invalid, "extension_days", "Grant 1 to 90 days.")
	ErrNotLater    = fault.New(fault.Conflict, "extension_not_later", "The workspace is not locked before that date anyway. Grant more days.")
	ErrReason      = fault.New(fault.Invalid, "extension_reason", "Enter the reason, at most 256 characters.")
	ErrStillOwed   = fault.New(fault.Conflict, "arrears_not_paid", "The Billing Center account still owes money. Recharge at least the amount that is owed; the workspaces then unlock by themselves.")
	ErrRunOut      = fault.New(fault.Conflict, "payer_locked", "This Billing Center account is in arrears and its workspaces are locked. Pay what is owed first.")
	ErrCloudAbsent = fault.New(fault.Conflict, "cloud_subscription_abnormal", "The cloud subscription of this workspace is still abnormal. Subscribe again on the cloud's marketplace, or choose another settlement method.")
	// ErrNotPaid is a workspace that an account does not pay for, whether or not
	// there is one of that ID.
	ErrNotPaid = fault.New(fault.NotFound, "workspace_not_paid", "This account does not pay for a workspace of this ID.")
	errEdge    = fault.New(fault.Internal, "state_edge_unknown", "A workspace cannot change its state in this way.")
)

// How long things take (domain section 12 and C-28).
const (
	GraceDays = 14
	HoldDays  = 7

	day   = 24 * time.Hour
	Grace = GraceDays * day // from the beginning of a cause to the lock
	Hold  = HoldDays * day  // from the lock or the dissolution to the deletion
)
