package client

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// Statement is what an account's workspaces cost in a month. It never changes.
type Statement struct {
	ID         string               `json:"id"`
	Number     string               `json:"number"`
	Month      string               `json:"month"`
	Currency   string               `json:"currency"`
	Bills      int64                `json:"bills"`
	LateBills  int64                `json:"late_bills"`
	LateTotal  string               `json:"late_total"`
	Total      string               `json:"total"`
	Paid       Paid                 `json:"paid"`
	Owed       string               `json:"owed"`
	DueBy      string               `json:"due_by,omitempty"`
	IssuedAt   time.Time            `json:"issued_at"`
	Documents  []StatementDocument  `json:"documents"`
	Workspaces []StatementWorkspace `json:"workspaces,omitempty"`
	Items      []StatementItem      `json:"items,omitempty"`
	Packages   []StatementPackage   `json:"packages,omitempty"`

	Adjusted    string       `json:"adjusted"` // beside the total; above zero in the account's favour
	Adjustments []Correction `json:"adjustments"`
}

// StatementPackage is what an annual package cost in the month: its purchase,
// an upgrade, or the traffic packages of an item.
type StatementPackage struct {
	PackageID string `json:"package_id"`
	Kind      string `json:"kind"`
	What      string `json:"what"`
	Charges   int64  `json:"charges"`
	Total     string `json:"total"`
	Paid      Paid   `json:"paid"`
}

// StatementDocument is a statement as a file.
type StatementDocument struct {
	Format   string `json:"format"`
	Language string `json:"language,omitempty"`
	Path     string `json:"path"`
}

// StatementWorkspace is the part of one workspace.
type StatementWorkspace struct {
	WorkspaceID string          `json:"workspace_id"`
	Name        string          `json:"name"`
	Site        string          `json:"site"`
	Bills       int64           `json:"bills"`
	Total       string          `json:"total"`
	Paid        Paid            `json:"paid"`
	Items       []StatementItem `json:"items"`
}

// StatementItem is the part of one billing item.
type StatementItem struct {
	Item  string `json:"item"`
	Lines int64  `json:"lines"`
	Total string `json:"total"`
	Paid  Paid   `json:"paid"`
}

// Statements lists the monthly statements of the account, the newest first.
func (b *BillingCenter) Statements(ctx context.Context, p Page) (List[Statement], error) {
	return ask[List[Statement]](ctx, b.door, request{method: http.MethodGet, path: "/billing-center/statements", query: p.query()})
}

// Statement shows a monthly statement with its parts.
func (b *BillingCenter) Statement(ctx context.Context, statement string) (Statement, error) {
	return ask[Statement](ctx, b.door, request{method: http.MethodGet, path: path("billing-center", "statements", statement)})
}

// StatementFile gives a statement as a file: pdf in en or zh, or csv.
func (b *BillingCenter) StatementFile(ctx context.Context, statement, format, language string) ([]byte, error) {
	q := url.Values{"format": {format}}
	set(q, "language", language)
	return b.send(ctx, request{method: http.MethodGet, path: path("billing-center", "statements", statement, "document"), query: q})
}
