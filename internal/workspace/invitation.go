package workspace

import (
	"context"
	"errors"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/id"
	"tollgate.dev/internal/site"
)

// Faults of invitations.
var (
	ErrInvitationUnknown = fault.New(fault.NotFound, "invitation_unknown", "There is no such invitation, or it was accepted or withdrawn.")
	ErrInvitedJustNow    = fault.New(fault.TooMany, "invited_just_now", "This person was invited a moment ago. Wait a few minutes before you invite again.")
	ErrInvitationsMany   = fault.New(fault.Conflict, "invitations_many", "There are invitations enough already.").
				Says("There are %d open invitations already. Withdraw one that is not needed.", MostInvitations).With("most", MostInvitations)
)

// Rules of invitations.
const (
	InvitationLife  = 7 * 24 * time.Hour
	InvitationPause = 5 * time.Minute // between two to one address
	MostInvitations = 50              // open ones of a workspace
)

// Invitation asks somebody who has no account on the site yet. Whoever
// registers with its address, which a code proves, is a member from then on.
type Invitation struct {
	ID          string
	WorkspaceID string
	Site        site.ID
	Email       string // normalized
	Role        Role
	InvitedBy   string
	InvitedAt   time.Time
	ExpiresAt   time.Time
}

// Holds reports whether the invitation can still be taken up.
func (i Invitation) Holds(at time.Time) bool { return at.Before(i.ExpiresAt) }

// Invited happens when somebody without an account is invited (domain section
// 14, mail 8).
type Invited struct {
	WorkspaceName string
	Site          site.ID
	Role          Role
	Email         string
	Language      string // of the workspace: nobody knows the guest's
	InvitedBy     string
	ExpiresAt     time.Time
	InvitedAt     time.Time
}

// Arrival is what came of an invitation.
type Arrival struct {
	Member     Member     // zero where somebody was invited
	Promotion  Promotion  // zero unless the role waits for the Billing Center
	Invitation Invitation // zero where somebody became a member at once
	UserName   string     // of the member
}

// Invite asks somebody by e-mail address. Who has an account on the site is a
// member at once; everybody else gets a mail and is one after registering.
func Invite(ctx context.Context, tx Tx, workspaceID, email string, role Role, actor Actor, at time.Time) (Arrival, error) {
	if err := invitable(ctx, tx, workspaceID, role, actor); err != nil {
		return Arrival{}, err
	}
	address, err := account.NormalEmail(email)
	if err != nil {
		return Arrival{}, fault.From(err).On("email")
	}
	w, err := living(ctx, tx, workspaceID)
	if err != nil {
		return Arrival{}, err
	}
	guest, err := tx.StudioByEmail(ctx, w.Site, address)
	if err == nil {
		m, p, err := Join(ctx, tx, workspaceID, guest.ID, role, actor, at)
		return Arrival{Member: m, Promotion: p, UserName: guest.UserName}, err
	}
	if !errors.Is(err, account.ErrUnknown) {
		return Arrival{}, err
	}
	i, err := send(ctx, tx, w, address, role, actor, at)
	return Arrival{Invitation: i}, err
}

func invitable(ctx context.Context, tx Tx, workspaceID string, role Role, actor Actor) error {
	if role != Administrator && role != Standard && role != ReadOnly {
		return ErrRole.On("role")
	}
	need := InviteMembers
	if role == Administrator {
		need = ManageMembers
	}
	_, err := permitted(ctx, tx, workspaceID, actor, need)
	return err
}

// send keeps the invitation in place of an earlier one to the address, and
// mails it.
func send(ctx context.Context, tx Tx, w Workspace, email string, role Role, actor Actor, at time.Time) (Invitation, error) {
	open, err := tx.Invitations(ctx, w.ID)
	if err != nil {
		return Invitation{}, err
	}
	waiting := 0
	for _, i := range open {
		switch {
		case i.Email == email && at.Before(i.InvitedAt.Add(InvitationPause)):
			return i, ErrInvitedJustNow.On("email")
		case i.Email != email && i.Holds(at):
			waiting++
		}
	}
	if waiting >= MostInvitations {
		return Invitation{}, ErrInvitationsMany.On("email")
	}
	i := Invitation{
		ID: id.New(id.Invitation), WorkspaceID: w.ID, Site: w.Site, Email: email, Role: role,
		InvitedBy: actor.AccountID, InvitedAt: at, ExpiresAt: at.Add(InvitationLife),
	}
	if err := tx.SaveInvitation(ctx, i); err != nil {
		return i, err
	}
	host, err := tx.StudioByID(ctx, actor.AccountID)
	if err != nil {
		return i, err
	}
	err = tx.Announce(ctx, Invited{
		WorkspaceName: w.Name, Site: w.Site, Role: role, Email: email, Language: w.Language,
		InvitedBy: host.UserName, ExpiresAt: i.ExpiresAt, InvitedAt: at,
	})
	if err != nil {
		return i, err
	}
	e := actor.entry("workspace.invited", w.ID, at)
	e.Detail = map[string]string{"email": email, "role": string(role)}
	return i, tx.Audit(ctx, e)
}

// WithdrawInvitation takes an invitation back: its sender may, and whoever
// manages members.
func WithdrawInvitation(ctx context.Context, tx Tx, workspaceID, invitationID string, actor Actor, at time.Time) error {
	m, err := permitted(ctx, tx, workspaceID, actor, InviteMembers)
	if err != nil {
		return err
	}
	open, err := tx.Invitations(ctx, workspaceID)
	if err != nil {
		return err
	}
	for _, i := range open {
		if i.ID != invitationID {
			continue
		}
		if i.InvitedBy != actor.AccountID && !m.Role.May(ManageMembers) {
			return ErrNotPermitted
		}
		if err := tx.DeleteInvitation(ctx, workspaceID, i.Email); err != nil {
			return err
		}
		e := actor.entry("workspace.invitation_withdrawn", workspaceID, at)
		e.Detail = map[string]string{"email": i.Email}
		return tx.Audit(ctx, e)
	}
	return ErrInvitationUnknown
}

// Welcome makes a newly registered account a member wherever it was invited.
// An Administrator of a Commercial workspace begins as a Standard member whose
// promotion waits; where who invited may no longer promote, it stays at that.
func Welcome(ctx context.Context, tx Tx, guest account.Studio, address string, at time.Time) (joined int, err error) {
	open, err := tx.InvitationsTo(ctx, guest.Site, guest.Email)
	if err != nil {
		return 0, err
	}
	for _, i := range open {
		if err := tx.DeleteInvitation(ctx, i.WorkspaceID, i.Email); err != nil {
			return joined, err
		}
		w, err := tx.WorkspaceForUpdate(ctx, i.WorkspaceID)
		if err != nil {
			return joined, err
		}
		if !i.Holds(at) || w.State == Dissolved || w.State == Cleared {
			continue
		}
		if err := arrive(ctx, tx, w, i, guest, address, at); err != nil {
			return joined, err
		}
		joined++
	}
	return joined, nil
}

func arrive(ctx context.Context, tx Tx, w Workspace, i Invitation, guest account.Studio, address string, at time.Time) error {
	host := Actor{AccountID: i.InvitedBy, Address: address}
	role := i.Role
	promote := false
	if role == Administrator {
		m, err := tx.Member(ctx, w.ID, i.InvitedBy)
		if err != nil && !errors.Is(err, ErrUnknown) {
			return err
		}
		may := err == nil && m.Role.May(ManageMembers)
		promote = may && w.Plan == Commercial
		if !may || promote {
			role = Standard
		}
	}
	m := Member{w.ID, guest.ID, role, at}
	if err := tx.SaveMember(ctx, m); err != nil {
		return err
	}
	e := Actor{AccountID: guest.ID, Address: address}.entry("workspace.invitation_accepted", w.ID, at)
	e.Detail = map[string]string{"invited_by": i.InvitedBy, "role": string(role)}
	if err := tx.Audit(ctx, e); err != nil || !promote {
		return err
	}
	_, err := requestPromotion(ctx, tx, w, m, Administrator, host, at)
	return err
}
