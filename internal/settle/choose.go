package settle

import (
	"context"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/workspace"
)

// Tx is what a change of the settlement method needs of a transaction.
type Tx interface {
	WorkspaceForUpdate(ctx context.Context, id string) (workspace.Workspace, error)
	UpdateWorkspace(ctx context.Context, w workspace.Workspace) error
	BillingByID(ctx context.Context, id string) (account.Billing, error)
	Audit(ctx context.Context, e audit.Entry) error
}

// Choose changes who is charged for a workspace, as its Owner or its payer
// wishes. The caller has seen to it that the actor may.
func (r Rules) Choose(ctx context.Context, tx Tx, workspaceID string, to site.Method, actor workspace.Actor, at time.Time) (workspace.Workspace, error) {
	w, err := tx.WorkspaceForUpdate(ctx, workspaceID)
	if err != nil {
		return w, err
	}
	st := Standing{Workspace: w, Subscribed: w.Settlement != site.BillingCenter} // a cloud that settles is subscribed until it says otherwise
	if w.Plan == workspace.Commercial {
		payer, err := tx.BillingByID(ctx, w.Payer)
		if err != nil {
			return w, err
		}
		st.Arbitrary = payer.ArbitrarySettlement
	}
	if _, err := r.Change(st, to, at); err != nil {
		return w, err
	}
	before := w.Settlement
	w.Settlement = to
	if err := tx.UpdateWorkspace(ctx, w); err != nil {
		return w, err
	}
	w.Revision++
	return w, tx.Audit(ctx, audit.Entry{
		At: at, Actor: actor.AccountID, Address: actor.Address, Action: "workspace.settlement_changed", Subject: w.ID,
		Detail: map[string]string{"from": string(before), "to": string(to)},
	})
}
