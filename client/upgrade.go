package client

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// Upgrade is how far the step to the Commercial plan has come. Next is the
// step that comes next: account, email, code, agreement, confirm, done.
type Upgrade struct {
	WorkspaceID      string     `json:"workspace_id"`
	Plan             string     `json:"plan"`
	Next             string     `json:"next"`
	BillingUserName  string     `json:"billing_user_name"`
	CodeSentTo       string     `json:"code_sent_to"`
	AgreementVersion string     `json:"agreement_version"`
	AgreedVersion    string     `json:"agreed_version"`
	ExpiresAt        *time.Time `json:"expires_at"`
}

// Agreement is the opening agreement as it is shown now.
type Agreement struct {
	Version  string `json:"version"`
	Language string `json:"language"`
	Title    string `json:"title"`
	Text     string `json:"text"`
	SHA256   string `json:"sha256"`
}

// Agreeing is the answer to an agreement that was read.
type Agreeing struct {
	Version  string `json:"version"`
	Language string `json:"language"`
	Agreed   bool   `json:"agreed"`
}

// Upgraded is a workspace that has become Commercial.
type Upgraded struct {
	WorkspaceID     string           `json:"workspace_id"`
	Plan            string           `json:"plan"`
	UpgradedAt      time.Time        `json:"upgraded_at"`
	BillingUserName string           `json:"billing_user_name"`
	Settlement      SettlementChoice `json:"settlement"`
}

// SettlementChoice is what may settle a workspace.
type SettlementChoice struct {
	Current     string             `json:"current"`
	Offered     bool               `json:"offered"`
	Preselected string             `json:"preselected"`
	Methods     []SettlementMethod `json:"methods"`
}

// SettlementMethod is one of them; the installation can settle so if it is
// enabled.
type SettlementMethod struct {
	Method  string `json:"method"`
	Enabled bool   `json:"enabled"`
}

// UpgradeState shows how far the upgrade of a workspace has come.
func (s *Studio) UpgradeState(ctx context.Context, workspace string) (Upgrade, error) {
	return ask[Upgrade](ctx, s.door, request{method: http.MethodGet, path: in(workspace, "upgrade")})
}

// NameBillingAccount names the Billing Center account that will pay.
func (s *Studio) NameBillingAccount(ctx context.Context, workspace, userName string) (Upgrade, error) {
	return ask[Upgrade](ctx, s.door, request{method: http.MethodPut, path: in(workspace, "upgrade", "account"), body: map[string]string{"user_name": userName}})
}

// MailUpgradeCode has a code mailed to the address bound to that account.
func (s *Studio) MailUpgradeCode(ctx context.Context, workspace, email string) (Upgrade, error) {
	return ask[Upgrade](ctx, s.door, request{method: http.MethodPost, path: in(workspace, "upgrade", "code"), body: map[string]string{"email": email}})
}

// ProveBillingAccount enters the mailed code.
func (s *Studio) ProveBillingAccount(ctx context.Context, workspace, code string) (Upgrade, error) {
	return ask[Upgrade](ctx, s.door, request{method: http.MethodPost, path: in(workspace, "upgrade", "proof"), body: map[string]string{"code": code}})
}

// Agreement is the opening agreement in a language.
func (s *Studio) Agreement(ctx context.Context, workspace, language string) (Agreement, error) {
	return ask[Agreement](ctx, s.door, request{method: http.MethodGet, path: in(workspace, "upgrade", "agreement"), query: url.Values{"language": {language}}})
}

// Agree answers the agreement.
func (s *Studio) Agree(ctx context.Context, workspace string, a Agreeing) (Upgrade, error) {
	return ask[Upgrade](ctx, s.door, request{method: http.MethodPut, path: in(workspace, "upgrade", "agreement"), body: a})
}

// Upgrade makes the workspace Commercial. The name is the workspace's, typed
// once more, since nothing leads back.
func (s *Studio) Upgrade(ctx context.Context, k Key, workspace, name string) (Upgraded, error) {
	return ask[Upgraded](ctx, s.door, request{method: http.MethodPost, path: in(workspace, "upgrade"), key: k, body: map[string]string{"workspace_name": name}})
}

// Binding is the upgrade begun by the payer.
type Binding struct {
	Upgrade
	WorkspaceName string `json:"workspace_name"`
	Site          string `json:"site"`
}

// Bind names a workspace to pay for; a code is mailed to its Owner.
func (b *BillingCenter) Bind(ctx context.Context, workspace string) (Binding, error) {
	return ask[Binding](ctx, b.door, request{method: http.MethodPost, path: bindings(), body: map[string]string{"workspace_id": workspace}})
}

// Binding shows how far the binding of a workspace has come.
func (b *BillingCenter) Binding(ctx context.Context, workspace string) (Binding, error) {
	return ask[Binding](ctx, b.door, request{method: http.MethodGet, path: bindings(workspace)})
}

// ProveBinding enters the code mailed to the Owner.
func (b *BillingCenter) ProveBinding(ctx context.Context, workspace, code string) (Binding, error) {
	return ask[Binding](ctx, b.door, request{method: http.MethodPost, path: bindings(workspace, "proof"), body: map[string]string{"code": code}})
}

// Agreement is the opening agreement in a language.
func (b *BillingCenter) Agreement(ctx context.Context, language string) (Agreement, error) {
	return ask[Agreement](ctx, b.door, request{method: http.MethodGet, path: "/billing-center/agreement", query: url.Values{"language": {language}}})
}

// Agree answers the agreement.
func (b *BillingCenter) Agree(ctx context.Context, workspace string, a Agreeing) (Binding, error) {
	return ask[Binding](ctx, b.door, request{method: http.MethodPut, path: bindings(workspace, "agreement"), body: a})
}

// ConfirmBinding makes the workspace Commercial, paid by this account.
func (b *BillingCenter) ConfirmBinding(ctx context.Context, k Key, workspace string) (Upgraded, error) {
	return ask[Upgraded](ctx, b.door, request{method: http.MethodPost, path: bindings(workspace), key: k})
}

func bindings(parts ...string) string {
	return path(append([]string{"billing-center", "bindings"}, parts...)...)
}
