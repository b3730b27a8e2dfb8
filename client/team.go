package client

import (
	"context"
	"net/http"
	"time"
)

// Invitation asks somebody who has no account on the site yet.
type Invitation struct {
	ID        string    `json:"id"`
	Email     string    `json:"email"`
	Role      string    `json:"role"`
	InvitedAt time.Time `json:"invited_at"`
	ExpiresAt time.Time `json:"expires_at"`
}

// Arrival is what came of an invitation: a member, or an open invitation.
type Arrival struct {
	Member     *Member     `json:"member,omitempty"`
	Invitation *Invitation `json:"invitation,omitempty"`
}

// Promotion is a wish that the payer must accept.
type Promotion struct {
	ID          string     `json:"id"`
	WorkspaceID string     `json:"workspace_id"`
	AccountID   string     `json:"account_id"`
	From        string     `json:"from"`
	To          string     `json:"to"`
	State       string     `json:"state"`
	Reason      string     `json:"reason,omitempty"`
	RequestedAt time.Time  `json:"requested_at"`
	ExpiresAt   time.Time  `json:"expires_at"`
	AnsweredAt  *time.Time `json:"answered_at,omitempty"`
}

// Ownership is who has a workspace, and who is asked to take it.
type Ownership struct {
	OwnerID   string     `json:"owner_id"`
	OfferedTo string     `json:"offered_to,omitempty"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
}

// Message is an entry of the Billing Center's message centre.
type Message struct {
	ID        string            `json:"id"`
	Kind      string            `json:"kind"`
	About     string            `json:"about"`
	Figures   map[string]string `json:"figures,omitempty"`
	Read      bool              `json:"read"`
	CreatedAt time.Time         `json:"created_at"`
}

// Invitations lists the open ones.
func (s *Studio) Invitations(ctx context.Context, workspace string, p Page) (List[Invitation], error) {
	return ask[List[Invitation]](ctx, s.door, request{method: http.MethodGet, path: in(workspace, "invitations"), query: p.query()})
}

// Invite asks somebody by address: a member at once, or after registering.
func (s *Studio) Invite(ctx context.Context, workspace, email, role string) (Arrival, error) {
	return ask[Arrival](ctx, s.door, request{method: http.MethodPost, path: in(workspace, "invitations"), body: map[string]string{"email": email, "role": role}})
}

// WithdrawInvitation takes an invitation back.
func (s *Studio) WithdrawInvitation(ctx context.Context, workspace, id string) error {
	return s.do(ctx, request{method: http.MethodDelete, path: in(workspace, "invitations", id)}, nil)
}

// Promotions lists the promotion requests of the last 90 days.
func (s *Studio) Promotions(ctx context.Context, workspace string, p Page) (List[Promotion], error) {
	return ask[List[Promotion]](ctx, s.door, request{method: http.MethodGet, path: in(workspace, "promotions"), query: p.query()})
}

// WithdrawPromotion takes a request back.
func (s *Studio) WithdrawPromotion(ctx context.Context, workspace, id string) error {
	return s.do(ctx, request{method: http.MethodDelete, path: in(workspace, "promotions", id)}, nil)
}

// Ownership is who has a workspace, and who is asked to take it.
func (s *Studio) Ownership(ctx context.Context, workspace string) (Ownership, error) {
	return ask[Ownership](ctx, s.door, request{method: http.MethodGet, path: in(workspace, "ownership")})
}

// OfferOwnership asks a member; the workspace's name confirms it.
func (s *Studio) OfferOwnership(ctx context.Context, workspace, account, name string) (Ownership, error) {
	body := map[string]string{"account_id": account, "workspace_name": name}
	return ask[Ownership](ctx, s.door, request{method: http.MethodPut, path: in(workspace, "ownership"), body: body})
}

// EndOwnershipOffer withdraws the offer, or declines it.
func (s *Studio) EndOwnershipOffer(ctx context.Context, workspace string) error {
	return s.do(ctx, request{method: http.MethodDelete, path: in(workspace, "ownership")}, nil)
}

// AcceptOwnership makes the caller the Owner.
func (s *Studio) AcceptOwnership(ctx context.Context, workspace string) (Ownership, error) {
	return ask[Ownership](ctx, s.door, request{method: http.MethodPost, path: in(workspace, "ownership", "acceptance")})
}

// ReadNotices marks the notices of a workspace as read.
func (s *Studio) ReadNotices(ctx context.Context, workspace string) error {
	return s.do(ctx, request{method: http.MethodPost, path: in(workspace, "notices", "read")}, nil)
}

// Messages lists the message centre, the newest first.
func (b *BillingCenter) Messages(ctx context.Context, p Page) (List[Message], error) {
	return ask[List[Message]](ctx, b.door, request{method: http.MethodGet, path: "/billing-center/messages", query: p.query()})
}

// ReadMessages marks all messages as read.
func (b *BillingCenter) ReadMessages(ctx context.Context) error {
	return b.do(ctx, request{method: http.MethodPost, path: "/billing-center/messages/read"}, nil)
}

// Promotion is a promotion request to this account.
func (b *BillingCenter) Promotion(ctx context.Context, id string) (Promotion, error) {
	return ask[Promotion](ctx, b.door, request{method: http.MethodGet, path: path("billing-center", "promotions", id)})
}

// AnswerPromotion accepts or rejects it; a reason goes with a rejection.
func (b *BillingCenter) AnswerPromotion(ctx context.Context, id string, accept bool, reason string) (Promotion, error) {
	body := map[string]any{"accept": accept, "reason": reason}
	return ask[Promotion](ctx, b.door, request{method: http.MethodPut, path: path("billing-center", "promotions", id, "answer"), body: body})
}
