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
	// Subscribed reports whether a cloud settles the workspace by a
	// subscription that lives.
	Subscribed(ctx context.Context, workspaceID string) (bool, error)
	// OpenedOn is the cloud from whose marketplace the workspace was opened;
	// empty for none.
	OpenedOn(ctx context.Context, workspaceID string) (site.Method, error)
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
	// MaySettle says why the subscription cannot settle a workspace of the
	// payer by that method, if it cannot. It keeps the subscription from other
	// writers.
	MaySettle(ctx context.Context, subscriptionID string, m site.Method, payer string) error
	// SettleBy keeps which subscription settles the workspace from now on;
	// empty is none.
	SettleBy(ctx context.Context, workspaceID, subscriptionID string, at time.Time) error
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
	st := Standing{Workspace: w}
	if w.Plan != workspace.Commercial {
		return st, nil
	}
	payer, err := tx.BillingByID(ctx, w.Payer)
	if err != nil {
		return st, err
	}
	st.Arbitrary = payer.ArbitrarySettlement
	if st.Subscribed, err = tx.Subscribed(ctx, w.ID); err != nil {
		return st, err
	}
	if st.OpenedOn, err = tx.OpenedOn(ctx, w.ID); err != nil {
		return st, err
	}
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

// Why a method changed without anybody's choice; it stands in the audit log.
const (
	WhyCancelled = "subscription_cancelled" // the cloud's; the Billing Center settles from now on
	WhySucceeded = "subscription_succeeded" // by a new one of the same cloud account
)

// Choice is what a person wants to settle a workspace.
type Choice struct {
	Method       site.Method
	Subscription string // a cloud's; empty for the Billing Center
}

// Choose changes who is charged for a workspace, as its Owner or its payer
// wishes. The caller has seen to it that the actor may.
func (r Rules) Choose(ctx context.Context, tx Tx, workspaceID string, to Choice, actor workspace.Actor, at time.Time) (workspace.Workspace, error) {
	w, err := tx.WorkspaceForUpdate(ctx, workspaceID)
	if err != nil {
		return w, err
	}
	st, err := Look(ctx, tx, w, at)
	if err != nil {
		return w, err
	}
	counts, err := r.Change(st, to.Method, at)
	if err != nil {
		return w, err
	}
	if to.Method == site.BillingCenter {
		to.Subscription = ""
		err = tx.Payable(ctx, w.Payer)
	} else if to.Subscription == "" {
		err = ErrNoSubscription.On("subscription")
	} else {
		err = tx.MaySettle(ctx, to.Subscription, to.Method, w.Payer)
	}
	if err != nil {
		return w, err
	}
	return put(ctx, tx, w, to, actor, map[string]string{Counts: strconv.FormatBool(counts)}, at)
}

// Force changes who is charged without asking the rules: a cloud said that the
// subscription is over, or that another one took its place. It uses up no
// change of the month.
func Force(ctx context.Context, tx Tx, workspaceID string, to Choice, why string, at time.Time) (workspace.Workspace, error) {
	w, err := tx.WorkspaceForUpdate(ctx, workspaceID)
	if err != nil {
		return w, err
	}
	return put(ctx, tx, w, to, workspace.Actor{AccountID: "system"}, map[string]string{Counts: "false", "why": why}, at)
}

// put keeps a workspace's new method.
func put(ctx context.Context, tx Tx, w workspace.Workspace, to Choice, actor workspace.Actor, detail map[string]string, at time.Time) (workspace.Workspace, error) {
	detail["from"], detail["to"] = string(w.Settlement), string(to.Method)
	if to.Subscription != "" {
		detail["subscription"] = to.Subscription
	}
	w.Settlement = to.Method
	if err := tx.UpdateWorkspace(ctx, w); err != nil {
		return w, err
	}
	if err := tx.SettleBy(ctx, w.ID, to.Subscription, at); err != nil {
		return w, err
	}
	if err := tx.Rejoin(ctx, w.ID, at); err != nil {
		return w, err
	}
	w, err := tx.WorkspaceForUpdate(ctx, w.ID)
	if err != nil {
		return w, err
	}
	return w, tx.Audit(ctx, audit.Entry{At: at, Actor: actor.AccountID, Address: actor.Address, Action: Changed, Subject: w.ID, Detail: detail})
}
