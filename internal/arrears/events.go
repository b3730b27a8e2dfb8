package arrears

import (
	"time"

	"tollgate.dev/internal/money"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/workspace"
)

// Reader is somebody who is told: the payer, or the Owner of workspaces that
// are concerned.
type Reader struct {
	Email      string
	Language   string
	Payer      bool
	Workspaces []Concerned // the payer's all, an Owner's own
}

// Concerned is a workspace that something happened to.
type Concerned struct {
	ID   string
	Name string
	Site site.ID
}

// Notice is what the mails about a cause have in common.
type Notice struct {
	Cause    Cause
	UserName string       // of the payer's Billing Center account
	Owed     money.Amount // by the payer now
	BeganAt  time.Time
	LockAt   time.Time
	Readers  []Reader
	At       time.Time
}

// Began happens when a cause begins: the fourteen days run.
type Began struct{ Notice }

// Reminded happens three days, and one day, before the lock.
type Reminded struct {
	Notice
	Days int
}

// Locked happens when a clock ran out.
type Locked struct {
	Notice
	ClearAt time.Time
}

// Ended happens when a cause is gone: everything was paid, or the
// subscription is back.
type Ended struct {
	Notice
	WasLocked bool
}

// Granted happens when the operator grants more time.
type Granted struct{ Notice }

// Cleared happens when the data of a workspace has been deleted.
type Cleared struct {
	Workspace Concerned
	Reason    workspace.State // locked or dissolved
	Readers   []Reader
	At        time.Time
}

// Dissolved happens when a workspace is dissolved.
type Dissolved struct {
	Workspace Concerned
	Readers   []Reader
	At        time.Time
	ClearAt   time.Time
}
