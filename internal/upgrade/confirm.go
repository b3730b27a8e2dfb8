package upgrade

import (
	"context"
	"errors"
	"strings"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/workspace"
)

// Result is a workspace that became Commercial.
type Result struct {
	Workspace workspace.Workspace
	Payer     account.Billing
	Repeated  bool // the same person had confirmed before; nothing was changed now
}

// Confirm is step 5: plan, data generation, payer and agreement change in this
// transaction, and the opening reminder goes out with it. The workspace's name
// is typed once more, since nothing leads back. Confirming again gives the
// same result and changes nothing.
func Confirm(ctx context.Context, tx Tx, workspaceID, typedName string, actor workspace.Actor, at time.Time) (Result, error) {
	w, err := owned(ctx, tx, workspaceID, actor)
	if err != nil {
		return Result{}, err
	}
	if strings.TrimSpace(typedName) != w.Name {
		return Result{}, ErrNameDiffers.On("workspace_name").With("name", w.Name)
	}
	return confirm(ctx, tx, w, actor, at)
}

func confirm(ctx context.Context, tx Tx, w workspace.Workspace, actor workspace.Actor, at time.Time) (Result, error) {
	d, err := open(ctx, tx, w.ID, actor, at)
	if err != nil {
		if upgradable := w.Upgradable(); upgradable != nil {
			return Result{}, upgradable // why it cannot be begun either
		}
		return Result{}, err
	}
	b, err := tx.BillingByID(ctx, d.BillingID)
	if err != nil {
		return Result{}, err
	}
	if !d.DoneAt.IsZero() {
		return Result{Workspace: w, Payer: b, Repeated: true}, nil
	}
	if err := d.complete(w, b); err != nil {
		return Result{}, err
	}
	if err := tx.Payable(ctx, b.ID); err != nil {
		return Result{}, err
	}
	next, err := w.Upgrade(b.ID, at)
	if err != nil {
		return Result{}, err
	}
	if err := tx.UpdateWorkspace(ctx, next); err != nil {
		return Result{}, err
	}
	if err := tx.Rejoin(ctx, next.ID, at); err != nil {
		return Result{}, err
	}
	if next, err = tx.WorkspaceForUpdate(ctx, next.ID); err != nil {
		return Result{}, err
	}
	d.DoneAt = at
	return Result{Workspace: next, Payer: b}, record(ctx, tx, d, next, b, actor, at)
}

// complete says which step is still missing.
func (d Draft) complete(w workspace.Workspace, b account.Billing) error {
	switch {
	case w.Upgradable() != nil:
		return w.Upgradable()
	case d.VerifiedAt.IsZero():
		return ErrNotVerified
	case d.AgreedAt.IsZero():
		return ErrNotAgreed.On("agreed")
	case d.Agreement != AgreementVersion:
		return ErrAgreementStale
	}
	return payable(b, w)
}

// record keeps who agreed, tells both sides, and writes the audit log.
func record(ctx context.Context, tx Tx, d Draft, w workspace.Workspace, b account.Billing, actor workspace.Actor, at time.Time) error {
	if err := tx.SaveUpgradeDraft(ctx, d); err != nil {
		return err
	}
	err := tx.InsertAgreed(ctx, Agreed{
		WorkspaceID: w.ID, BillingID: b.ID, ActorID: actor.AccountID, Version: d.Agreement, Language: d.AgreedIn,
		SHA256: AgreementSHA256(d.AgreedIn), At: d.AgreedAt, Address: d.AgreedFrom,
	})
	if err != nil {
		return err
	}
	owner, err := tx.StudioByID(ctx, w.OwnerID)
	if err != nil {
		return err
	}
	s, err := site.Find(w.Site)
	if err != nil {
		return err
	}
	err = tx.Announce(ctx, Opened{
		WorkspaceID: w.ID, WorkspaceName: w.Name, Site: w.Site,
		OwnerEmail: owner.Email, OwnerLanguage: owner.Language,
		BillingUserName: b.UserName, BillingEmail: b.Email, BillingLanguage: b.Language,
		StartedAt: at.In(s.Zone), Plan: w.Plan,
	})
	if err != nil {
		return err
	}
	return tx.Audit(ctx, audit.Entry{
		At: at, Actor: actor.AccountID, Address: actor.Address, Action: "workspace.upgraded", Subject: w.ID,
		Detail: map[string]string{"payer": b.ID, "entry": string(d.Entry), "agreement": d.Agreement},
	})
}

// Bind is the first step of entry B: a Billing Center account names a
// workspace by its ID, and a code goes to the workspace's Owner.
func Bind(ctx context.Context, tx Tx, workspaceID string, payer workspace.Actor, at time.Time) (Draft, error) {
	w, err := tx.WorkspaceForUpdate(ctx, strings.TrimSpace(workspaceID))
	if err != nil {
		return Draft{}, fault.From(err).On("workspace_id")
	}
	b, err := tx.BillingByID(ctx, payer.AccountID)
	if err != nil {
		return Draft{}, err
	}
	if err := bindable(w, b); err != nil {
		return Draft{}, err
	}
	if err := tx.Payable(ctx, b.ID); err != nil {
		return Draft{}, err
	}
	owner, err := tx.StudioByID(ctx, w.OwnerID)
	if err != nil {
		return Draft{}, err
	}
	d := Draft{WorkspaceID: w.ID, ActorID: b.ID, Entry: FromBilling, BillingID: b.ID, UserName: b.UserName, Email: owner.Email, NamedAt: at, SentAt: at}
	mail := account.CodeSent{Purpose: d.codePurpose(), Email: owner.Email, Language: owner.Language, Site: w.Site, For: w.Name}
	if err := account.SendCode(ctx, tx, mail, d.subject(), at); err != nil {
		return d, err
	}
	return d, tx.SaveUpgradeDraft(ctx, d)
}

func bindable(w workspace.Workspace, b account.Billing) error {
	err := w.Upgradable()
	if errors.Is(err, workspace.ErrAlready) {
		return ErrBoundElsewhere.On("workspace_id")
	}
	if err != nil {
		return fault.From(err).On("workspace_id")
	}
	if err := payable(b, w); err != nil {
		return fault.From(err).On("workspace_id")
	}
	return nil
}

// ConfirmBinding is the last step of entry B.
func ConfirmBinding(ctx context.Context, tx Tx, workspaceID string, payer workspace.Actor, at time.Time) (Result, error) {
	w, err := tx.WorkspaceForUpdate(ctx, workspaceID)
	if err != nil {
		return Result{}, err
	}
	return confirm(ctx, tx, w, payer, at)
}

// Opening upgrades a workspace that a buyer has just opened with a purchase
// (entry C). The owner's address is proved and the agreement accepted.
func Opening(ctx context.Context, tx Tx, w workspace.Workspace, owner account.Studio, payer account.Billing, agreedIn string, by workspace.Actor, at time.Time) (Result, error) {
	err := tx.SaveUpgradeDraft(ctx, Draft{
		WorkspaceID: w.ID, ActorID: by.AccountID, Entry: FromMarket, BillingID: payer.ID, UserName: payer.UserName, Email: owner.Email,
		NamedAt: at, SentAt: at, VerifiedAt: at, Agreement: AgreementVersion, AgreedAt: at, AgreedFrom: by.Address, AgreedIn: agreedIn,
	})
	if err != nil {
		return Result{}, err
	}
	return confirm(ctx, tx, w, by, at)
}
