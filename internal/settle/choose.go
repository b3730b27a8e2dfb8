package settle

import (
	"context"
	"strconv"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/workspace"
)

// LookTx is what the standing of a workspace needs of a transaction.
type LookTx interface {
	BillingByID(ctx context.Context, id string) (account.Billing, error)
	// SettlementChanges tells whether a method was chosen since the workspace
	// was opened, and when the last change was made that counts; zero for none.
	SettlementChanges(ctx context.Context, workspaceID string) (chosen bool, counted time.Time, err error)
	// CoveredThrough is the last day, from the given one on, on which the
	// workspace is in an annual package.
	CoveredThrough(ctx context.Context, workspaceID string, from period.Day) (last period.Day, covered bool, err error)
}

// Tx is what a change of the settlement method needs of a transaction.
type Tx interface {
	LookTx
	WorkspaceForUpdate(ctx context.Context, id string) (workspace.Workspace, error)
	UpdateWorkspace(ctx context.Context, w workspace.Workspace) error
	// Rejoin gives the workspace the state of the clocks that concern it now.
	Rejoin(ctx context.Context, workspaceID string, at time.Time) error
	// Payable refuses a payer whose workspaces are locked.
	Payable(ctx context.Context, payer string) error
	Audit(ctx context.Context, e audit.Entry) error
}

// A change is remembered by the audit log: its action, and whether it counts
// as the change of its month.
const (
	Changed = "workspace.settlement_changed"
	Counts  = "counts"
)

// Look tells what a change of a workspace's method is judged by.
func Look(ctx context.Context, tx LookTx, w workspace.Workspace, at time.Time) (Standing, error) {
	st := Standing{Workspace: w, Subscribed: w.Settlement != site.BillingCenter} // a cloud that settles is subscribed until it says otherwise
	if w.Plan != workspace.Commercial {
		return st, nil
	}
	payer, err := tx.BillingByID(ctx, w.Payer)
	if err != nil {
		return st, err
	}
	st.Arbitrary = payer.ArbitrarySettlement
	if st.Chosen, st.ChangedAt, err = tx.SettlementChanges(ctx, w.ID); err != nil {
		return st, err
	}
	s, err := site.Find(w.Site)
	if err != nil {
		return st, err
	}
	st.PackageThrough, st.Packaged, err = tx.CoveredThrough(ctx, w.ID, period.DayOf(at, s.Zone))
	return st, err
}

// Choose changes who is charged for a workspace, as its Owner or its payer
// wishes. The caller has seen to it that the actor may.
func (r Rules) Choose(ctx context.Context, tx Tx, workspaceID string, to site.Method, actor workspace.Actor, at time.Time) (workspace.Workspace, error) {
	w, err := tx.WorkspaceForUpdate(ctx, workspaceID)
	if err != nil {
		return w, err
	}
	st, err := Look(ctx, tx, w, at)
	if err != nil {
		return w, err
	}
	counts, err := r.Change(st, to, at)
	if err != nil {
		return w, err
	}
	if to == site.BillingCenter {
		if err := tx.Payable(ctx, w.Payer); err != nil {
			return w, err
		}
	}
	before := w.Settlement
	w.Settlement = to
	if err := tx.UpdateWorkspace(ctx, w); err != nil {
		return w, err
	}
	if err := tx.Rejoin(ctx, w.ID, at); err != nil {
		return w, err
	}
	if w, err = tx.WorkspaceForUpdate(ctx, w.ID); err != nil {
		return w, err
	}
	return w, tx.Audit(ctx, audit.Entry{
		At: at, Actor: actor.AccountID, Address: actor.Address, Action: Changed, Subject: w.ID,
		Detail: map[string]string{"from": string(before), "to": string(to), Counts: strconv.FormatBool(counts)},
	})
}
