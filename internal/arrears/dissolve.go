package arrears

import (
	"context"
	"errors"
	"strings"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/prepaid"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/workspace"
)

// DissolveBy ends a workspace as its Owner wishes, with its name typed. New
// data is refused at once; what is there goes after the hold and cannot be
// brought back. What it used until now is still billed: it stays with its payer until
// the bills of its last day are made (domain section 12, C-28, C-29).
func DissolveBy(ctx context.Context, tx Tx, workspaceID, typedName string, actor workspace.Actor, at time.Time) (workspace.Workspace, error) {
	w, err := tx.WorkspaceForUpdate(ctx, workspaceID)
	if err != nil {
		return w, err
	}
	m, err := tx.Member(ctx, workspaceID, actor.AccountID)
	if err != nil {
		return w, err
	}
	if err := m.Role.Require(workspace.DissolveWorkspace); err != nil {
		return w, err
	}
	return dissolve(ctx, tx, w, typedName, actor, at)
}

// ConsentTx is what dissolving with the Owner's consent needs of a transaction.
type ConsentTx interface {
	Tx
	account.Codes
}

// AskConsent mails the Owner of a workspace a code: its payer wants to dissolve
// it. Who pays may not end by himself what another person's team works in
// (domain section 2), so that the code is the Owner's consent.
func AskConsent(ctx context.Context, tx ConsentTx, workspaceID string, payer workspace.Actor, at time.Time) error {
	w, by, owner, err := consenting(ctx, tx, workspaceID, payer)
	if err != nil {
		return err
	}
	mail := account.CodeSent{Purpose: account.ForDissolving, Email: owner.Email, Language: owner.Language, Site: w.Site, For: w.Name, By: by.UserName}
	return account.SendCode(ctx, tx, mail, dissolving(w, by), at)
}

// DissolvePaid ends a workspace as its payer wishes and its Owner consents to
// by the mailed code, with its name typed. Commit also when there is a fault,
// so that a wrong try counts.
func DissolvePaid(ctx context.Context, tx ConsentTx, workspaceID, typedName, digits string, payer workspace.Actor, at time.Time) (workspace.Workspace, error) {
	w, by, owner, err := consenting(ctx, tx, workspaceID, payer)
	if err != nil {
		return w, err
	}
	if strings.TrimSpace(typedName) != w.Name {
		return w, ErrNameDiffers.On("workspace_name").With("name", w.Name)
	}
	if err := account.TryCode(ctx, tx, account.ForDissolving, owner.Email, dissolving(w, by), digits, at); err != nil {
		return w, fault.From(err).On("code")
	}
	return dissolve(ctx, tx, w, typedName, payer, at)
}

// consenting gives the workspace, its payer, who must be the actor, and its Owner.
func consenting(ctx context.Context, tx ConsentTx, workspaceID string, payer workspace.Actor) (w workspace.Workspace, by account.Billing, owner account.Studio, err error) {
	if w, err = tx.WorkspaceForUpdate(ctx, workspaceID); err != nil && !errors.Is(err, workspace.ErrUnknown) {
		return w, by, owner, err
	}
	if w.Payer == "" || w.Payer != payer.AccountID {
		return w, by, owner, ErrNotPaid
	}
	if err = w.State.Over(); err != nil {
		return w, by, owner, err
	}
	if by, err = tx.BillingByID(ctx, w.Payer); err != nil {
		return w, by, owner, err
	}
	owner, err = tx.StudioByID(ctx, w.OwnerID)
	return w, by, owner, err
}

// dissolving ties a code to the end of one workspace by one payer.
func dissolving(w workspace.Workspace, payer account.Billing) string {
	return "dissolve/" + w.ID + "/" + payer.ID
}

func dissolve(ctx context.Context, tx Tx, w workspace.Workspace, typedName string, actor workspace.Actor, at time.Time) (workspace.Workspace, error) {
	to, err := Next(w.State, Dissolve)
	if err != nil {
		return w, err
	}
	if strings.TrimSpace(typedName) != w.Name {
		return w, ErrNameDiffers.On("workspace_name").With("name", w.Name)
	}
	if err := move(ctx, tx, w, to, WhyOwner, actor, at); err != nil {
		return w, err
	}
	w.State, w.Revision = to, w.Revision+1
	if err := tx.DropClock(ctx, Cloud, w.ID); err != nil {
		return w, err
	}
	s, err := site.Find(w.Site)
	if err != nil {
		return w, err
	}
	by := prepaid.Actor{AccountID: actor.AccountID, Address: actor.Address}
	if err := prepaid.Release(ctx, tx, w.ID, period.DayOf(at, s.Zone), by, at); err != nil {
		return w, err
	}
	_, _, told, err := readers(ctx, tx, w.Payer, []workspace.Workspace{w})
	if err != nil {
		return w, err
	}
	return w, tx.Announce(ctx, Dissolved{Workspace: Concerned{w.ID, w.Name, w.Site}, Readers: told, At: at, ClearAt: at.Add(Hold)})
}
