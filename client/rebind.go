package client

import (
	"context"
	"net/http"
	"time"
)

// Rebinding is a workspace on its way to another account.
type Rebinding struct {
	WorkspaceID string    `json:"workspace_id"`
	UserName    string    `json:"user_name"`
	NamedAt     time.Time `json:"named_at"`
	Done        bool      `json:"done"`
}

// BeginRebinding names another account of the same company; a code is mailed
// to it.
func (s *Studio) BeginRebinding(ctx context.Context, workspace, userName, email string) (Rebinding, error) {
	body := map[string]string{"user_name": userName, "email": email}
	return ask[Rebinding](ctx, s.door, request{method: http.MethodPost, path: in(workspace, "rebinding"), body: body})
}

// ConfirmRebinding moves the workspace: the account pays from this day on.
func (s *Studio) ConfirmRebinding(ctx context.Context, workspace, code, name string) (Rebinding, error) {
	body := map[string]string{"code": code, "workspace_name": name}
	return ask[Rebinding](ctx, s.door, request{method: http.MethodPost, path: in(workspace, "rebinding", "confirmation"), body: body})
}
