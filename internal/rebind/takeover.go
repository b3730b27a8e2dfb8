package rebind

import (
	"context"
	"strings"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/upgrade"
	"tollgate.dev/internal/workspace"
)

// ErrNotProved is a take-over whose code was not entered yet.
var ErrNotProved = fault.New(fault.Conflict, "take_over_not_proved", "Enter the code that was mailed to the workspace's Owner first.")

// Claim begins a re-binding at its other end: the account that shall pay names
// the workspace, and the code goes to its Owner. Only an account of the same
// company reads more than that the workspace is bound.
func Claim(ctx context.Context, tx Tx, workspaceID string, by workspace.Actor, at time.Time) (Draft, error) {
	w, err := tx.WorkspaceForUpdate(ctx, strings.TrimSpace(workspaceID))
	if err != nil {
		return Draft{}, fault.From(err).On("workspace_id")
	}
	other, err := tx.BillingByID(ctx, by.AccountID)
	if err != nil {
		return Draft{}, err
	}
	if err := claimable(ctx, tx, w, other, at); err != nil {
		return Draft{}, fault.From(err).On("workspace_id")
	}
	owner, err := tx.StudioByID(ctx, w.OwnerID)
	if err != nil {
		return Draft{}, err
	}
	d := Draft{WorkspaceID: w.ID, ActorID: other.ID, BillingID: other.ID, UserName: other.UserName, Email: owner.Email, NamedAt: at}
	mail := account.CodeSent{Purpose: account.ForTakingOver, Email: owner.Email, Language: owner.Language, Site: w.Site, For: w.Name, By: other.UserName}
	if err := account.SendCode(ctx, tx, mail, d.subject(), at); err != nil {
		return d, err
	}
	return d, tx.SaveRebindDraft(ctx, d)
}

func claimable(ctx context.Context, tx Tx, w workspace.Workspace, other account.Billing, at time.Time) error {
	if w.Payer != "" && w.Payer != other.ID {
		present, err := tx.BillingByID(ctx, w.Payer)
		if err != nil {
			return err
		}
		if !present.SameEnterprise(other) {
			return upgrade.ErrBoundElsewhere
		}
	}
	return allowed(ctx, tx, w, other, at)
}

// claimed is the take-over that an account has under way.
func claimed(ctx context.Context, tx Tx, workspaceID string, by workspace.Actor, at time.Time) (Draft, error) {
	d, err := tx.RebindDraft(ctx, workspaceID, by.AccountID)
	if err == nil && (d.BillingID != by.AccountID || !at.Before(d.NamedAt.Add(DraftLife))) {
		err = ErrNotNamed
	}
	return d, err
}

// Prove takes the code that the Owner was mailed. Commit also when there is a
// fault, so that a wrong try counts.
func Prove(ctx context.Context, tx Tx, workspaceID, digits string, by workspace.Actor, at time.Time) (Draft, error) {
	d, err := claimed(ctx, tx, workspaceID, by, at)
	if err != nil {
		return d, err
	}
	if err := account.TryCode(ctx, tx, account.ForTakingOver, d.Email, d.subject(), digits, at); err != nil {
		return d, err
	}
	d.ProvedAt = at
	return d, tx.SaveRebindDraft(ctx, d)
}

// TakeOver moves the workspace to the account that claimed it. Doing it again
// changes nothing.
func TakeOver(ctx context.Context, tx Tx, workspaceID string, by workspace.Actor, at time.Time) (workspace.Workspace, error) {
	w, err := tx.WorkspaceForUpdate(ctx, workspaceID)
	if err != nil || w.Payer == by.AccountID {
		return w, err
	}
	d, err := claimed(ctx, tx, workspaceID, by, at)
	if err != nil {
		return w, err
	}
	if d.ProvedAt.IsZero() {
		return w, ErrNotProved
	}
	other, err := tx.BillingByID(ctx, by.AccountID)
	if err != nil {
		return w, err
	}
	if err := claimable(ctx, tx, w, other, at); err != nil {
		return w, err
	}
	return move(ctx, tx, w, other, by, at)
}
