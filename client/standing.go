package client

import (
	"context"
	"net/http"
	"time"
)

// Standing is how a workspace stands, and why.
type Standing struct {
	State    string          `json:"state"`
	Causes   []StandingCause `json:"causes"`
	Owed     string          `json:"owed"`
	Currency string          `json:"currency"`
	ClearAt  *time.Time      `json:"clear_at"`
}

// StandingCause is one thing that stops a workspace: arrears of its payer, or
// a cloud subscription that is abnormal.
type StandingCause struct {
	Cause   string    `json:"cause"`
	BeganAt time.Time `json:"began_at"`
	LockAt  time.Time `json:"lock_at"`
}

// Standing shows what stops a workspace, since when and until when.
func (s *Studio) Standing(ctx context.Context, workspace string) (Standing, error) {
	return ask[Standing](ctx, s.door, request{method: http.MethodGet, path: in(workspace, "standing")})
}

// Dissolve ends a workspace; its name confirms. Its data is deleted after seven
// days and cannot be brought back.
func (s *Studio) Dissolve(ctx context.Context, workspace, name string) (Workspace, error) {
	body := map[string]string{"workspace_name": name}
	return ask[Workspace](ctx, s.door, request{method: http.MethodPost, path: in(workspace, "dissolve"), body: body})
}
