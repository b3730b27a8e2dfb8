package workspace

import (
	"context"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/message"
	"tollgate.dev/internal/site"
)

// Tx is what a workspace's team needs of a transaction.
type Tx interface {
	InsertWorkspace(ctx context.Context, w Workspace) error
	UpdateWorkspace(ctx context.Context, w Workspace) error // guarded by its revision, ErrStale
	WorkspaceForUpdate(ctx context.Context, id string) (Workspace, error)
	Member(ctx context.Context, workspaceID, accountID string) (Member, error)
	SaveMember(ctx context.Context, m Member) error
	DeleteMember(ctx context.Context, workspaceID, accountID string) error
	CurrentToken(ctx context.Context, workspaceID string) (Token, error)
	SaveToken(ctx context.Context, t Token) error
	SaveNotice(ctx context.Context, n Notice) error
	StudioByID(ctx context.Context, id string) (account.Studio, error)
	StudioByEmail(ctx context.Context, s site.ID, email string) (account.Studio, error)
	// PendingPromotion finds what waits for a member, or ErrPromotionUnknown.
	PendingPromotion(ctx context.Context, workspaceID, accountID string) (Promotion, error)
	PromotionForUpdate(ctx context.Context, id string) (Promotion, error)
	PromotedMembers(ctx context.Context, workspaceID string) ([]string, error) // those for whom a request waits
	// SavePromotion inserts a request, or ends one that is still pending.
	SavePromotion(ctx context.Context, p Promotion) error
	Offer(ctx context.Context, workspaceID string) (Offer, error) // ErrOfferNone
	SaveOffer(ctx context.Context, o Offer) error
	DeleteOffer(ctx context.Context, workspaceID string) error
	Invitations(ctx context.Context, workspaceID string) ([]Invitation, error)
	InvitationsTo(ctx context.Context, s site.ID, email string) ([]Invitation, error)
	SaveInvitation(ctx context.Context, i Invitation) error // in place of one to the same address
	DeleteInvitation(ctx context.Context, workspaceID, email string) error
	InsertMessage(ctx context.Context, m message.Message) error
	// EndSignInsVia ends what the account opened in the Billing Center by jumping there.
	EndSignInsVia(ctx context.Context, studioID string, at time.Time) error
	Announce(ctx context.Context, event any) error
	Audit(ctx context.Context, e audit.Entry) error
}

// Actor is who does something, and from where.
type Actor struct {
	AccountID string
	Address   string
}

// Notice is an in-app message to the members of a workspace (domain section
// 14, rows 10 and 11). Its key makes it appear once.
type Notice struct {
	WorkspaceID string
	Key         string // what it is about, such as quota.logs.2026-03-01.100
	Kind        string // token_changed, quota_warning, quota_exhausted
	Args        map[string]string
	CreatedAt   time.Time
}

// Create starts an Experience workspace with its Owner and token.
func Create(ctx context.Context, tx Tx, s site.ID, name, language string, owner Actor, at time.Time) (Workspace, error) {
	w, err := New(s, name, language, owner.AccountID, at)
	if err != nil {
		return w, err
	}
	return w, Found(ctx, tx, w, owner, at)
}

// Found keeps a new workspace, with its Owner and token.
func Found(ctx context.Context, tx Tx, w Workspace, owner Actor, at time.Time) error {
	if err := tx.InsertWorkspace(ctx, w); err != nil {
		return err
	}
	if err := tx.SaveMember(ctx, Member{w.ID, owner.AccountID, Owner, at}); err != nil {
		return err
	}
	if err := tx.SaveToken(ctx, NewToken(w.ID, at)); err != nil {
		return err
	}
	return tx.Audit(ctx, owner.entry("workspace.created", w.ID, at))
}

// Entry is the audit log's, of what the actor does.
func (a Actor) Entry(action, subject string, at time.Time) audit.Entry {
	return a.entry(action, subject, at)
}

func (a Actor) entry(action, subject string, at time.Time) audit.Entry {
	return audit.Entry{At: at, Actor: a.AccountID, Address: a.Address, Action: action, Subject: subject}
}

// permitted gives the actor's membership if his role allows the action.
func permitted(ctx context.Context, tx Tx, workspaceID string, actor Actor, action Action) (Member, error) {
	m, err := tx.Member(ctx, workspaceID, actor.AccountID)
	if err != nil {
		return m, err
	}
	return m, m.Role.Require(action)
}

// living finds a workspace that is to be changed, or says that it is over:
// somebody ended it while this was on a screen.
func living(ctx context.Context, tx Tx, workspaceID string) (Workspace, error) {
	w, err := tx.WorkspaceForUpdate(ctx, workspaceID)
	if err == nil {
		err = w.State.Over()
	}
	return w, err
}

// Rename changes name and language.
func Rename(ctx context.Context, tx Tx, workspaceID, name, language string, actor Actor, at time.Time) error {
	if _, err := permitted(ctx, tx, workspaceID, actor, ChangeName); err != nil {
		return err
	}
	w, err := living(ctx, tx, workspaceID)
	if err != nil {
		return err
	}
	checked, err := New(w.Site, name, language, w.OwnerID, at)
	if err != nil {
		return err
	}
	w.Name, w.Language = checked.Name, checked.Language
	if err := tx.UpdateWorkspace(ctx, w); err != nil {
		return err
	}
	return tx.Audit(ctx, actor.entry("workspace.renamed", workspaceID, at))
}

// Join adds a member who has an account on the site. Standard members may
// invite others as Standard or Read-only; an Administrator needs the right to
// manage, and in a Commercial workspace begins as a Standard member until the
// Billing Center accepts the promotion.
func Join(ctx context.Context, tx Tx, workspaceID, accountID string, role Role, actor Actor, at time.Time) (Member, Promotion, error) {
	if err := invitable(ctx, tx, workspaceID, role, actor); err != nil {
		return Member{}, Promotion{}, err
	}
	if _, err := tx.Member(ctx, workspaceID, accountID); err == nil {
		return Member{}, Promotion{}, ErrMemberAlready.On("email")
	}
	w, err := living(ctx, tx, workspaceID)
	if err != nil {
		return Member{}, Promotion{}, err
	}
	m := Member{workspaceID, accountID, role, at}
	waits := role == Administrator && w.Plan == Commercial
	if waits {
		m.Role = Standard
	}
	if err := setRole(ctx, tx, m, actor, at); err != nil {
		return m, Promotion{}, err
	}
	if err := invite(ctx, tx, workspaceID, accountID, m.Role, actor, at); err != nil || !waits {
		return m, Promotion{}, err
	}
	p, err := requestPromotion(ctx, tx, w, m, role, actor, at)
	return m, p, err
}

// invite tells the new member by mail.
func invite(ctx context.Context, tx Tx, workspaceID, accountID string, role Role, actor Actor, at time.Time) error {
	w, err := tx.WorkspaceForUpdate(ctx, workspaceID)
	if err != nil {
		return err
	}
	guest, err := tx.StudioByID(ctx, accountID)
	if err != nil {
		return err
	}
	if guest.Site != w.Site {
		return ErrMemberUnknown.On("email") // sites share no accounts
	}
	host, err := tx.StudioByID(ctx, actor.AccountID)
	if err != nil {
		return err
	}
	return tx.Announce(ctx, MemberAdded{
		WorkspaceID: w.ID, WorkspaceName: w.Name, Site: w.Site, Role: role,
		Email: guest.Email, Language: guest.Language, InvitedBy: host.UserName, AddedAt: at,
	})
}

// ChangeRole gives a member another role. In a Commercial workspace a promotion
// to Administrator is a request that waits for the Billing Center's answer,
// which is then returned; any other change ends a request that waits.
func ChangeRole(ctx context.Context, tx Tx, workspaceID, accountID string, role Role, actor Actor, at time.Time) (Promotion, error) {
	if role != Administrator && role != Standard && role != ReadOnly {
		return Promotion{}, ErrRole.On("role")
	}
	if _, err := permitted(ctx, tx, workspaceID, actor, ManageMembers); err != nil {
		return Promotion{}, err
	}
	w, err := living(ctx, tx, workspaceID)
	if err != nil {
		return Promotion{}, err
	}
	m, err := tx.Member(ctx, workspaceID, accountID)
	switch {
	case err != nil:
		return Promotion{}, err
	case m.Role == Owner:
		return Promotion{}, ErrOwnerStays
	case m.Role == role:
		return Promotion{}, nil
	case role == Administrator && w.Plan == Commercial:
		return requestPromotion(ctx, tx, w, m, role, actor, at)
	}
	if err := cancelPromotion(ctx, tx, workspaceID, accountID, at); err != nil {
		return Promotion{}, err
	}
	if w.Plan == Commercial {
		if err := dropOffer(ctx, tx, workspaceID, accountID); err != nil {
			return Promotion{}, err
		}
	}
	m.Role = role
	return Promotion{}, setRole(ctx, tx, m, actor, at)
}

func setRole(ctx context.Context, tx Tx, m Member, actor Actor, at time.Time) error {
	if err := tx.SaveMember(ctx, m); err != nil {
		return err
	}
	e := actor.entry("workspace.role_changed", m.WorkspaceID, at)
	e.Detail = map[string]string{"account": m.AccountID, "role": string(m.Role)}
	return tx.Audit(ctx, e)
}

// Leave removes a member; everybody but the Owner may also leave by himself.
func Leave(ctx context.Context, tx Tx, workspaceID, accountID string, actor Actor, at time.Time) error {
	if accountID != actor.AccountID {
		if _, err := permitted(ctx, tx, workspaceID, actor, ManageMembers); err != nil {
			return err
		}
	}
	m, err := tx.Member(ctx, workspaceID, accountID)
	switch {
	case err != nil:
		return err
	case m.Role == Owner:
		return ErrOwnerStays
	}
	if err := tx.DeleteMember(ctx, workspaceID, accountID); err != nil {
		return err
	}
	if err := cancelPromotion(ctx, tx, workspaceID, accountID, at); err != nil {
		return err
	}
	if err := dropOffer(ctx, tx, workspaceID, accountID); err != nil {
		return err
	}
	e := actor.entry("workspace.member_left", workspaceID, at)
	e.Detail = map[string]string{"account": accountID}
	return tx.Audit(ctx, e)
}

// ReplaceToken makes a new token; the old one works for TokenOverlap, and all
// members are told when it ends.
func ReplaceToken(ctx context.Context, tx Tx, workspaceID string, actor Actor, at time.Time) (Token, error) {
	if _, err := permitted(ctx, tx, workspaceID, actor, ManageToken); err != nil {
		return Token{}, err
	}
	if _, err := living(ctx, tx, workspaceID); err != nil {
		return Token{}, err
	}
	old, err := tx.CurrentToken(ctx, workspaceID)
	if err != nil {
		return Token{}, err
	}
	old.EndsAt = at.Add(TokenOverlap)
	if err := tx.SaveToken(ctx, old); err != nil {
		return Token{}, err
	}
	fresh := NewToken(workspaceID, at)
	if err := tx.SaveToken(ctx, fresh); err != nil {
		return Token{}, err
	}
	notice := Notice{
		WorkspaceID: workspaceID, Key: "token." + fresh.Secret[len(fresh.Secret)-8:], Kind: "token_changed", CreatedAt: at,
		Args: map[string]string{"ends": old.EndsAt.UTC().Format(time.RFC3339), "suffix": old.Secret[len(old.Secret)-4:]},
	}
	if err := tx.SaveNotice(ctx, notice); err != nil {
		return Token{}, err
	}
	return fresh, tx.Audit(ctx, actor.entry("workspace.token_replaced", workspaceID, at))
}
