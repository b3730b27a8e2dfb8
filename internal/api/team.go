package api

import (
	"errors"
	"time"

	"tollgate.dev/internal/message"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/workspace"
)

// teams is what is under way in a workspace's team, what its payer is asked,
// and who that is.
func (s *server) teams() []route {
	const one, bc = "/workspaces/{workspace_id}", "/billing-center"
	return append(s.rebindings(), []route{
		reads(line(get, one+"/invitations", Studio, workspace.ViewMembers, "list-invitations", "Open invitations, the newest first"), listInvitations),
		writes(line(post, one+"/invitations", Studio, workspace.InviteMembers, "invite-member", "Invite by address: a member at once, or after registering"), created, inviteMember),
		removes(line(remove, one+"/invitations/{invitation_id}", Studio, workspace.InviteMembers, "withdraw-invitation", "Take an invitation back"), withdrawInvitation),
		reads(line(get, one+"/promotions", Studio, workspace.ViewMembers, "list-promotions", "Promotion requests of the last 90 days, the newest first"), listPromotions),
		removes(line(remove, one+"/promotions/{promotion_id}", Studio, workspace.ManageMembers, "withdraw-promotion", "Take a promotion request back"), withdrawPromotion),
		reads(line(get, one+"/ownership", Studio, workspace.ViewMembers, "show-ownership", "Who is the Owner, and who is asked to become it"), showOwnership),
		writes(line(put, one+"/ownership", Studio, workspace.TransferOwnership, "offer-ownership", "Ask a member to become the Owner"), ok, offerOwnership),
		removes(line(remove, one+"/ownership", Studio, workspace.ViewMembers, "end-ownership-offer", "Withdraw the offer, as the Owner, or decline it, as the member"), endOwnershipOffer),
		writes(line(post, one+"/ownership/acceptance", Studio, workspace.ViewMembers, "accept-ownership", "Become the Owner"), ok, acceptOwnership),
		writes(line(post, one+"/notices/read", Studio, workspace.ViewData, "read-notices", "Mark the notices as read"), ok, readNotices),

		reads(line(get, bc+"/messages", BillingCenter, "", "list-messages", "The message centre, the newest first"), listMessages),
		writes(line(post, bc+"/messages/read", BillingCenter, "", "read-messages", "Mark the messages as read"), ok, readMessages),
		reads(line(get, bc+"/promotions/{promotion_id}", BillingCenter, "", "show-promotion", "A promotion request to this account"), showPromotion),
		writes(line(put, bc+"/promotions/{promotion_id}/answer", BillingCenter, "", "answer-promotion", "Accept or reject it"), ok, answerPromotion),
	}...)
}

// Invitation asks somebody who has no account on the site yet.
type Invitation struct {
	ID        string    `json:"id"`
	Email     string    `json:"email"`
	Role      string    `json:"role" enum:"administrator,standard,read_only"`
	InvitedAt time.Time `json:"invited_at"`
	ExpiresAt time.Time `json:"expires_at"`
}

func (c *call) invitation(i workspace.Invitation) Invitation {
	return Invitation{i.ID, i.Email, string(i.Role), local(i.InvitedAt, i.Site), local(i.ExpiresAt, i.Site)}
}

func listInvitations(c *call, in *Listing) (*Page[Invitation], error) {
	all, err := c.tx.Invitations(c, in.WorkspaceID)
	if err != nil {
		return nil, err
	}
	open := all[:0]
	for _, i := range all {
		if i.Holds(c.at) {
			open = append(open, i)
		}
	}
	return pageOf(in.Paged, "invitations", open, func(i workspace.Invitation) string { return i.ID }, c.invitation)
}

// Arrival is what came of an invitation: a member, or an open invitation.
type Arrival struct {
	Member     *Member     `json:"member,omitempty"`
	Invitation *Invitation `json:"invitation,omitempty"`
}

func inviteMember(c *call, in *invitation) (*Arrival, error) {
	came, err := workspace.Invite(c, c.tx, in.WorkspaceID, in.Body.Email, workspace.Role(in.Body.Role), c.actor(), c.at)
	if err != nil {
		return nil, err
	}
	if came.Invitation.ID != "" {
		i := c.invitation(came.Invitation)
		return &Arrival{Invitation: &i}, nil
	}
	m, err := c.memberNow(in.WorkspaceID, came.Member.AccountID)
	return &Arrival{Member: m}, err
}

// invited names an invitation by the path.
type invited struct {
	Inside
	ID string `path:"invitation_id" maxLength:"64"`
}

func withdrawInvitation(c *call, in *invited) error {
	return workspace.WithdrawInvitation(c, c.tx, in.WorkspaceID, in.ID, c.actor(), c.at)
}

// Promotion is a wish that the payer must accept.
type Promotion struct {
	ID          string     `json:"id"`
	WorkspaceID string     `json:"workspace_id"`
	AccountID   string     `json:"account_id" doc:"The member."`
	From        string     `json:"from"`
	To          string     `json:"to"`
	State       string     `json:"state" enum:"pending,accepted,rejected,withdrawn,cancelled,expired"`
	Reason      string     `json:"reason,omitempty"`
	RequestedAt time.Time  `json:"requested_at"`
	ExpiresAt   time.Time  `json:"expires_at"`
	AnsweredAt  *time.Time `json:"answered_at,omitempty"`
}

func (c *call) promotion(p workspace.Promotion) Promotion {
	s := c.Workspace.Site
	return Promotion{
		ID: p.ID, WorkspaceID: p.WorkspaceID, AccountID: p.AccountID, From: string(p.From), To: string(p.To), State: string(p.StateAt(c.at)),
		Reason: p.Reason, RequestedAt: local(p.RequestedAt, s), ExpiresAt: local(p.ExpiresAt, s), AnsweredAt: instant(p.AnsweredAt, s),
	}
}

// Promotions go back so far, and are so many at most.
const (
	promotionDays  = 90 * 24 * time.Hour
	mostPromotions = 1000
)

func listPromotions(c *call, in *Listing) (*Page[Promotion], error) {
	all, err := c.tx.Promotions(c, in.WorkspaceID, c.at.Add(-promotionDays), mostPromotions)
	if err != nil {
		return nil, err
	}
	return pageOf(in.Paged, "promotions", all, func(p workspace.Promotion) string { return p.ID }, c.promotion)
}

// waiting are the promotions that wait, by member.
func (c *call) waiting(workspaceID string) (map[string]workspace.Promotion, error) {
	all, err := c.tx.Promotions(c, workspaceID, c.at.Add(-workspace.PromotionLife), mostPromotions)
	waiting := map[string]workspace.Promotion{}
	for _, p := range all {
		if p.StateAt(c.at) == workspace.PromotionPending {
			waiting[p.AccountID] = p
		}
	}
	return waiting, err
}

// promoting names a request by the path, in a workspace.
type promoting struct {
	Inside
	ID string `path:"promotion_id" maxLength:"64"`
}

func withdrawPromotion(c *call, in *promoting) error {
	return workspace.WithdrawPromotion(c, c.tx, in.WorkspaceID, in.ID, c.actor(), c.at)
}

// Ownership is who has a workspace, and who is asked to take it.
type Ownership struct {
	OwnerID   string     `json:"owner_id"`
	OfferedTo string     `json:"offered_to,omitempty" doc:"The account of the member who is asked."`
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
}

func showOwnership(c *call, in *Inside) (*Ownership, error) {
	w, err := c.tx.Workspace(c, in.WorkspaceID)
	if err != nil {
		return nil, err
	}
	shown := &Ownership{OwnerID: w.OwnerID}
	switch o, err := c.tx.Offer(c, in.WorkspaceID); {
	case err == nil && o.Holds(c.at):
		shown.OfferedTo, shown.ExpiresAt = o.To, instant(o.ExpiresAt, w.Site)
	case err != nil && !errors.Is(err, workspace.ErrOfferNone):
		return nil, err
	}
	return shown, nil
}

// offering asks a member; the name is typed once more.
type offering struct {
	Inside
	Body struct {
		AccountID     string `json:"account_id" maxLength:"64"`
		WorkspaceName string `json:"workspace_name" maxLength:"1024" doc:"Typed to confirm."`
	}
}

func offerOwnership(c *call, in *offering) (*Ownership, error) {
	_, err := workspace.OfferOwnership(c, c.tx, in.WorkspaceID, in.Body.AccountID, in.Body.WorkspaceName, c.actor(), c.at)
	if err != nil {
		return nil, err
	}
	return showOwnership(c, &in.Inside)
}

func endOwnershipOffer(c *call, in *Inside) error {
	return workspace.EndOffer(c, c.tx, in.WorkspaceID, c.actor(), c.at)
}

func acceptOwnership(c *call, in *Inside) (*Ownership, error) {
	if _, err := workspace.AcceptOwnership(c, c.tx, in.WorkspaceID, c.actor(), c.at); err != nil {
		return nil, err
	}
	return showOwnership(c, in)
}

func readNotices(c *call, in *Inside) (*Done, error) {
	return done, c.tx.ReadNotices(c, in.WorkspaceID, c.AccountID, c.at)
}

// Message is an entry of the Billing Center's message centre.
type Message struct {
	ID        string            `json:"id"`
	Kind      string            `json:"kind" example:"promotion_requested"`
	About     string            `json:"about" doc:"The ID of what it is about, such as a promotion's."`
	Figures   map[string]string `json:"figures,omitempty"`
	Read      bool              `json:"read"`
	CreatedAt time.Time         `json:"created_at"`
}

func listMessages(c *call, in *struct{ Paged }) (*Page[Message], error) {
	all, err := c.tx.Messages(c, c.AccountID, store.MessageKey{}, mostNotices)
	if err != nil {
		return nil, err
	}
	return pageOf(in.Paged, "messages", all, func(m message.Message) string { return m.ID }, func(m message.Message) Message {
		return Message{m.ID, string(m.Kind), m.About, m.Args, !m.ReadAt.IsZero(), m.CreatedAt.UTC()}
	})
}

func readMessages(c *call, _ *nothing) (*Done, error) {
	return done, c.tx.ReadMessages(c, c.AccountID, c.at)
}

// Asked names a request by the path, as its payer.
type Asked struct {
	ID string `path:"promotion_id" maxLength:"64"`
}

func showPromotion(c *call, in *Asked) (*Promotion, error) {
	p, err := c.tx.Promotion(c, in.ID)
	if err == nil && p.Payer != c.AccountID {
		err = workspace.ErrPromotionUnknown
	}
	if err != nil {
		return nil, err
	}
	shown := c.promotion(p)
	return &shown, nil
}

// answering is what the payer says.
type answering struct {
	Asked
	Body struct {
		Accept bool   `json:"accept"`
		Reason string `json:"reason,omitempty" maxLength:"1024" doc:"Of a rejection; who asked reads it."`
	}
}

func answerPromotion(c *call, in *answering) (*Promotion, error) {
	p, err := workspace.AnswerPromotion(c, c.tx, in.ID, workspace.Answer{Accept: in.Body.Accept, Reason: in.Body.Reason}, c.actor(), c.at)
	if err != nil {
		return nil, err
	}
	shown := c.promotion(p)
	return &shown, nil
}
