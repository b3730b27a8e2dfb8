package client

import (
	"context"
	"net/http"
)

// Standing shows what stops the workspaces that the account pays for.
func (b *BillingCenter) Standing(ctx context.Context) (Standing, error) {
	return ask[Standing](ctx, b.door, request{method: http.MethodGet, path: "/billing-center/standing"})
}

// Claim names a workspace that another account of the same company pays for; a
// code is mailed to its Owner.
func (b *BillingCenter) Claim(ctx context.Context, workspace string) (Rebinding, error) {
	body := map[string]string{"workspace_id": workspace}
	return ask[Rebinding](ctx, b.door, request{method: http.MethodPost, path: "/billing-center/take-overs", body: body})
}

// ProveTakeOver enters the code that the Owner was mailed.
func (b *BillingCenter) ProveTakeOver(ctx context.Context, workspace, code string) (Rebinding, error) {
	body := map[string]string{"code": code}
	return ask[Rebinding](ctx, b.door, request{method: http.MethodPost, path: "/billing-center/take-overs/" + workspace + "/proof", body: body})
}

// TakeOver pays for the workspace from this day on.
func (b *BillingCenter) TakeOver(ctx context.Context, workspace string) (Rebinding, error) {
	return ask[Rebinding](ctx, b.door, request{method: http.MethodPost, path: "/billing-center/take-overs/" + workspace})
}

// AskDissolution has the Owner mailed a code, the consent to dissolve.
func (b *BillingCenter) AskDissolution(ctx context.Context, workspace string) (Done, error) {
	return ask[Done](ctx, b.door, request{method: http.MethodPost, path: "/billing-center/workspaces/" + workspace + "/dissolution/code"})
}

// Dissolve ends a workspace with the Owner's code; its name confirms. Its data
// is deleted after seven days and cannot be brought back.
func (b *BillingCenter) Dissolve(ctx context.Context, workspace, name, code string) (PaidWorkspace, error) {
	body := map[string]string{"workspace_name": name, "code": code}
	return ask[PaidWorkspace](ctx, b.door, request{method: http.MethodPost, path: "/billing-center/workspaces/" + workspace + "/dissolution", body: body})
}

// AccountStanding shows what stops the workspaces that an account pays for.
func (o *Operator) AccountStanding(ctx context.Context, account string) (Standing, error) {
	return ask[Standing](ctx, o.door, request{method: http.MethodGet, path: "/operator/accounts/" + account + "/standing"})
}

// WorkspaceStanding shows what stops a workspace.
func (o *Operator) WorkspaceStanding(ctx context.Context, workspace string) (Standing, error) {
	return ask[Standing](ctx, o.door, request{method: http.MethodGet, path: "/operator/workspaces/" + workspace + "/standing"})
}

// Extend grants a workspace days until the lock, whatever stops it.
func (o *Operator) Extend(ctx context.Context, workspace string, days int, reason string) (Standing, error) {
	body := map[string]any{"days": days, "reason": reason}
	return ask[Standing](ctx, o.door, request{method: http.MethodPost, path: "/operator/workspaces/" + workspace + "/extension", body: body})
}
