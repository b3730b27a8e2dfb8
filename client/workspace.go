package client

import (
	"context"
	"net/http"
	"time"
)

// Workspace is one tenant, as a member sees it.
type Workspace struct {
	ID          string     `json:"id"`
	Site        string     `json:"site"`
	Name        string     `json:"name"`
	Language    string     `json:"language"`
	Role        string     `json:"role"`  // owner, administrator, standard, read_only
	Plan        string     `json:"plan"`  // experience, commercial
	State       string     `json:"state"` // normal, grace, locked, cleared, dissolved
	CreatedAt   time.Time  `json:"created_at"`
	UpgradedAt  *time.Time `json:"upgraded_at"`
	VisibleFrom time.Time  `json:"visible_from"`
}

// NewWorkspace starts an Experience workspace. With a BillingUserName a
// Billing Center account is made beside it.
type NewWorkspace struct {
	Name            string `json:"name"`
	Language        string `json:"language"`
	BillingUserName string `json:"billing_user_name,omitempty"`
}

// CreatedWorkspace is a new workspace, and the account made beside it.
type CreatedWorkspace struct {
	Workspace
	BillingAccount *BillingAccount `json:"billing_account"`
}

// WorkspaceChange is what to change; nil leaves as it is.
type WorkspaceChange struct {
	Name     *string `json:"name,omitempty"`
	Language *string `json:"language,omitempty"`
}

// Member is somebody's place in a workspace.
type Member struct {
	AccountID string    `json:"account_id"`
	UserName  string    `json:"user_name"`
	Email     string    `json:"email"`
	Role      string    `json:"role"`
	JoinedAt  time.Time `json:"joined_at"`
	Requested string    `json:"requested_role,omitempty"`
}

// Token is what collectors report with.
type Token struct {
	Token          string     `json:"token"`
	CreatedAt      time.Time  `json:"created_at"`
	PreviousEndsAt *time.Time `json:"previous_ends_at"`
}

// Notice is an in-app message to the members of a workspace.
type Notice struct {
	Key       string            `json:"key"`
	Kind      string            `json:"kind"`
	Figures   map[string]string `json:"figures"`
	CreatedAt time.Time         `json:"created_at"`
}

// Workspaces lists your workspaces.
func (s *Studio) Workspaces(ctx context.Context, p Page) (List[Workspace], error) {
	return ask[List[Workspace]](ctx, s.door, request{method: http.MethodGet, path: "/workspaces", query: p.query()})
}

// CreateWorkspace starts an Experience workspace, which you then own.
func (s *Studio) CreateWorkspace(ctx context.Context, n NewWorkspace) (CreatedWorkspace, error) {
	return ask[CreatedWorkspace](ctx, s.door, request{method: http.MethodPost, path: "/workspaces", body: n})
}

// Workspace shows a workspace.
func (s *Studio) Workspace(ctx context.Context, workspace string) (Workspace, error) {
	return ask[Workspace](ctx, s.door, request{method: http.MethodGet, path: in(workspace)})
}

// ChangeWorkspace changes name or language.
func (s *Studio) ChangeWorkspace(ctx context.Context, workspace string, c WorkspaceChange) (Workspace, error) {
	return ask[Workspace](ctx, s.door, request{method: http.MethodPatch, path: in(workspace), body: c})
}

// Members lists who is in a workspace.
func (s *Studio) Members(ctx context.Context, workspace string, p Page) (List[Member], error) {
	return ask[List[Member]](ctx, s.door, request{method: http.MethodGet, path: in(workspace, "members"), query: p.query()})
}

// AddMember adds somebody who has an account on the site.
func (s *Studio) AddMember(ctx context.Context, workspace, email, role string) (Member, error) {
	return ask[Member](ctx, s.door, request{method: http.MethodPost, path: in(workspace, "members"), body: map[string]string{"email": email, "role": role}})
}

// ChangeRole gives a member another role.
func (s *Studio) ChangeRole(ctx context.Context, workspace, account, role string) (Member, error) {
	return ask[Member](ctx, s.door, request{method: http.MethodPatch, path: in(workspace, "members", account), body: map[string]string{"role": role}})
}

// RemoveMember removes a member, or lets you leave.
func (s *Studio) RemoveMember(ctx context.Context, workspace, account string) error {
	return s.do(ctx, request{method: http.MethodDelete, path: in(workspace, "members", account)}, nil)
}

// Token is the token that collectors report with.
func (s *Studio) Token(ctx context.Context, workspace string) (Token, error) {
	return ask[Token](ctx, s.door, request{method: http.MethodGet, path: in(workspace, "token")})
}

// ReplaceToken makes a new token; the old one works until PreviousEndsAt.
func (s *Studio) ReplaceToken(ctx context.Context, workspace string) (Token, error) {
	return ask[Token](ctx, s.door, request{method: http.MethodPost, path: in(workspace, "token")})
}

// Notices lists the notices of the last 30 days, the newest first.
func (s *Studio) Notices(ctx context.Context, workspace string, p Page) (List[Notice], error) {
	return ask[List[Notice]](ctx, s.door, request{method: http.MethodGet, path: in(workspace, "notices"), query: p.query()})
}

// in is the path of something in a workspace.
func in(workspace string, parts ...string) string {
	return path(append([]string{"workspaces", workspace}, parts...)...)
}
