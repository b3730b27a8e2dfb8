package workspace

import (
	"context"
	"errors"
	"strings"
	"time"

	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/message"
	"tollgate.dev/internal/site"
)

// Faults of handing a workspace over.
var (
	ErrOfferNone          = fault.New(fault.NotFound, "ownership_not_offered", "Ownership of this workspace is not offered to you, or the offer has expired.")
	ErrOfferSelf          = fault.New(fault.Conflict, "ownership_self", "You are the Owner already. Choose another member.")
	ErrOfferAdministrator = fault.New(fault.Conflict, "ownership_needs_administrator", "In a Commercial workspace only an Administrator can become its Owner. Promote the member first; the Billing Center accepts that.")
	ErrOfferName          = fault.New(fault.Invalid, "ownership_name_differs", "This is not the name of the workspace. Type it exactly as shown.")
	ErrOfferMember        = fault.New(fault.NotFound, "ownership_no_member", "Choose a member of this workspace.")
)

// OfferLife is how long an offered ownership can be accepted.
const OfferLife = 7 * 24 * time.Hour

// Offer is the Owner's wish to hand the workspace over to a member, who has to
// accept it. There is one at a time.
type Offer struct {
	WorkspaceID string
	From        string
	To          string
	OfferedAt   time.Time
	ExpiresAt   time.Time
}

// Holds reports whether the offer can still be accepted.
func (o Offer) Holds(at time.Time) bool { return at.Before(o.ExpiresAt) }

// OwnershipOffered happens when a member is asked to become the Owner.
type OwnershipOffered struct {
	WorkspaceID   string
	WorkspaceName string
	Site          site.ID
	Owner         string
	Email         string
	Language      string
	ExpiresAt     time.Time
	OfferedAt     time.Time
}

// OwnerChanged happens when the member accepted. It goes to both.
type OwnerChanged struct {
	WorkspaceID   string
	WorkspaceName string
	Site          site.ID
	Before, Now   string
	Email         string
	Language      string
	At            time.Time
}

// OfferOwnership asks a member to become the Owner. In a Commercial workspace
// it must be an Administrator: the Billing Center accepted that one, and a
// handover must not be a way around it. The name is typed once more.
func OfferOwnership(ctx context.Context, tx Tx, workspaceID, to, typedName string, actor Actor, at time.Time) (Offer, error) {
	if _, err := permitted(ctx, tx, workspaceID, actor, TransferOwnership); err != nil {
		return Offer{}, err
	}
	w, err := living(ctx, tx, workspaceID)
	if err != nil {
		return Offer{}, err
	}
	switch m, err := tx.Member(ctx, workspaceID, to); {
	case errors.Is(err, ErrUnknown):
		return Offer{}, ErrOfferMember.On("account")
	case err != nil:
		return Offer{}, err
	case m.Role == Owner:
		return Offer{}, ErrOfferSelf.On("account")
	case w.Plan == Commercial && m.Role != Administrator:
		return Offer{}, ErrOfferAdministrator.On("account")
	case strings.TrimSpace(typedName) != w.Name:
		return Offer{}, ErrOfferName.On("workspace_name").With("name", w.Name)
	}
	o := Offer{WorkspaceID: w.ID, From: actor.AccountID, To: to, OfferedAt: at, ExpiresAt: at.Add(OfferLife)}
	if err := tx.SaveOffer(ctx, o); err != nil {
		return o, err
	}
	from, err := tx.StudioByID(ctx, actor.AccountID)
	if err != nil {
		return o, err
	}
	guest, err := tx.StudioByID(ctx, to)
	if err != nil {
		return o, err
	}
	err = tx.Announce(ctx, OwnershipOffered{
		WorkspaceID: w.ID, WorkspaceName: w.Name, Site: w.Site, Owner: from.UserName,
		Email: guest.Email, Language: guest.Language, ExpiresAt: o.ExpiresAt, OfferedAt: at,
	})
	if err != nil {
		return o, err
	}
	e := actor.entry("workspace.ownership_offered", w.ID, at)
	e.Detail = map[string]string{"to": to}
	return o, tx.Audit(ctx, e)
}

// EndOffer takes the offer back, as the Owner, or declines it, as the member.
func EndOffer(ctx context.Context, tx Tx, workspaceID string, actor Actor, at time.Time) error {
	o, err := tx.Offer(ctx, workspaceID)
	if err != nil {
		return err
	}
	if actor.AccountID != o.From && actor.AccountID != o.To {
		return ErrOfferNone
	}
	if err := tx.DeleteOffer(ctx, workspaceID); err != nil {
		return err
	}
	action := "workspace.ownership_withdrawn"
	if actor.AccountID == o.To {
		action = "workspace.ownership_declined"
	}
	return tx.Audit(ctx, actor.entry(action, workspaceID, at))
}

// dropOffer ends an offer to a member who gets another role or leaves.
func dropOffer(ctx context.Context, tx Tx, workspaceID, accountID string) error {
	o, err := tx.Offer(ctx, workspaceID)
	if errors.Is(err, ErrOfferNone) || err == nil && o.To != accountID {
		return nil
	}
	if err != nil {
		return err
	}
	return tx.DeleteOffer(ctx, workspaceID)
}

// AcceptOwnership makes the member the Owner and the Owner an Administrator,
// in this transaction (domain section 2). What the one before opened in the
// Billing Center by jumping there ends with it.
func AcceptOwnership(ctx context.Context, tx Tx, workspaceID string, actor Actor, at time.Time) (Workspace, error) {
	w, err := living(ctx, tx, workspaceID)
	if err != nil {
		return w, err
	}
	o, err := tx.Offer(ctx, workspaceID)
	if err != nil {
		return w, err
	}
	if o.To != actor.AccountID || o.From != w.OwnerID || !o.Holds(at) {
		return w, ErrOfferNone
	}
	next, err := tx.Member(ctx, workspaceID, o.To)
	if err != nil {
		return w, err
	}
	if w.Plan == Commercial && next.Role != Administrator {
		return w, ErrOfferAdministrator
	}
	before, err := tx.Member(ctx, workspaceID, o.From)
	if err != nil {
		return w, err
	}
	before.Role, next.Role, w.OwnerID = Administrator, Owner, next.AccountID
	for _, m := range []Member{before, next} {
		if err := tx.SaveMember(ctx, m); err != nil {
			return w, err
		}
	}
	if err := tx.UpdateWorkspace(ctx, w); err != nil {
		return w, err
	}
	w.Revision++
	for _, step := range []func() error{
		func() error { return tx.DeleteOffer(ctx, w.ID) },
		func() error { return cancelPromotion(ctx, tx, w.ID, next.AccountID, at) },
		func() error { return tx.EndSignInsVia(ctx, before.AccountID, at) },
		func() error { return tellOwner(ctx, tx, w, before.AccountID, at) },
	} {
		if err := step(); err != nil {
			return w, err
		}
	}
	e := actor.entry("workspace.owner_changed", w.ID, at)
	e.Detail = map[string]string{"from": before.AccountID, "to": next.AccountID}
	return w, tx.Audit(ctx, e)
}

// tellOwner tells both by mail, the team in Studio, and the payer.
func tellOwner(ctx context.Context, tx Tx, w Workspace, before string, at time.Time) error {
	old, err := tx.StudioByID(ctx, before)
	if err != nil {
		return err
	}
	now, err := tx.StudioByID(ctx, w.OwnerID)
	if err != nil {
		return err
	}
	told := OwnerChanged{WorkspaceID: w.ID, WorkspaceName: w.Name, Site: w.Site, Before: old.UserName, Now: now.UserName, At: at}
	for _, to := range []struct{ email, language string }{{old.Email, old.Language}, {now.Email, now.Language}} {
		told.Email, told.Language = to.email, to.language
		if err := tx.Announce(ctx, told); err != nil {
			return err
		}
	}
	args := map[string]string{"before": old.UserName, "now": now.UserName}
	n := Notice{WorkspaceID: w.ID, Key: "owner." + at.UTC().Format(time.RFC3339Nano), Kind: "owner_changed", CreatedAt: at, Args: args}
	if err := tx.SaveNotice(ctx, n); err != nil || w.Payer == "" {
		return err
	}
	return tx.InsertMessage(ctx, message.New(w.Payer, message.OwnerChanged, w.ID, map[string]string{
		"workspace": w.Name, "workspace_id": w.ID, "before": old.UserName, "now": now.UserName, "email": now.Email,
	}, at))
}
