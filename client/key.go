package client

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// APIKey is a key that reads balances, bills and their sums.
type APIKey struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	MadeBy    string     `json:"made_by"`
	CreatedAt time.Time  `json:"created_at"`
	RevokedAt *time.Time `json:"revoked_at"` // nil while it works
	UsedOn    string     `json:"used_on"`    // the last UTC day of use, if any
}

// MadeKey is a new key. Its secret is not shown again.
type MadeKey struct {
	APIKey
	Secret string `json:"secret"`
}

// APIKeys lists a workspace's keys: those that work, then revoked ones.
func (s *Studio) APIKeys(ctx context.Context, workspace string, p Page) (List[APIKey], error) {
	return ask[List[APIKey]](ctx, s.door, request{method: http.MethodGet, path: in(workspace, "api-keys"), query: p.query()})
}

// MakeAPIKey makes a key that reads a workspace. It takes no Key of a call:
// a repeated call is refused, since names of keys are their own.
func (s *Studio) MakeAPIKey(ctx context.Context, workspace, name string) (MadeKey, error) {
	return ask[MadeKey](ctx, s.door, request{method: http.MethodPost, path: in(workspace, "api-keys"), body: map[string]string{"name": name}})
}

// RevokeAPIKey ends a key of a workspace.
func (s *Studio) RevokeAPIKey(ctx context.Context, workspace, key string) error {
	return s.do(ctx, request{method: http.MethodDelete, path: in(workspace, "api-keys", key)}, nil)
}

// APIKeys lists the account's keys: those that work, then revoked ones.
func (b *BillingCenter) APIKeys(ctx context.Context, p Page) (List[APIKey], error) {
	return ask[List[APIKey]](ctx, b.door, request{method: http.MethodGet, path: "/billing-center/api-keys", query: p.query()})
}

// MakeAPIKey makes a key that reads everything that the account pays for.
func (b *BillingCenter) MakeAPIKey(ctx context.Context, name string) (MadeKey, error) {
	return ask[MadeKey](ctx, b.door, request{method: http.MethodPost, path: "/billing-center/api-keys", body: map[string]string{"name": name}})
}

// RevokeAPIKey ends a key of the account.
func (b *BillingCenter) RevokeAPIKey(ctx context.Context, key string) error {
	return b.do(ctx, request{method: http.MethodDelete, path: path("billing-center", "api-keys", key)}, nil)
}

// Reader reads with an API key.
type Reader struct{ door }

// Reader is what an API key opens.
func (c *Client) Reader(secret string) *Reader { return &Reader{door{c, Session{Token: secret}}} }

// BillRow is a line of a bill with what its bill says of it.
type BillRow struct {
	Day           string    `json:"day"`
	Item          string    `json:"item"`
	Name          string    `json:"name"`
	Class         string    `json:"class"`
	Index         string    `json:"index,omitempty"`
	BillingCycle  string    `json:"billing_cycle"`
	Category      string    `json:"category"`
	Quantity      string    `json:"quantity"`
	Units         string    `json:"units"`
	UnitPrice     string    `json:"unit_price"`
	Currency      string    `json:"currency"`
	Original      string    `json:"original"`
	Payable       string    `json:"payable"`
	Deducted      string    `json:"deducted"`
	Voucher       string    `json:"voucher"`
	FullReduction string    `json:"full_reduction"`
	Card          string    `json:"card"`
	Cash          string    `json:"cash"`
	Cloud         string    `json:"cloud"`
	Owed          string    `json:"owed"`
	Settlement    string    `json:"settlement"`
	CloudAccount  string    `json:"cloud_account"`
	WorkspaceID   string    `json:"workspace_id"`
	WorkspaceName string    `json:"workspace_name"`
	BillID        string    `json:"bill_id"`
	BillNumber    string    `json:"bill_number"`
	IssuedAt      time.Time `json:"issued_at"`
}

// Summary is what each item cost in a range of days.
type Summary struct {
	From     string        `json:"from"`
	To       string        `json:"to"`
	Currency string        `json:"currency"`
	Bills    int           `json:"bills"`
	Items    []SummaryItem `json:"items"`
	Total    string        `json:"total"`
	Paid     Paid          `json:"paid"`
}

// SummaryItem is the part of one item.
type SummaryItem struct {
	Item   string `json:"item"`
	Name   string `json:"name"`
	Amount string `json:"amount"`
}

// Of is what an item cost, if it is in the summary.
func (s Summary) Of(item string) (SummaryItem, bool) {
	for _, i := range s.Items {
		if i.Item == item {
			return i, true
		}
	}
	return SummaryItem{}, false
}

// Spending says which bills to read: those of the days, which both must be
// there, and with an account's key of one workspace or, where it is empty, of
// all.
type Spending struct {
	Days
	Workspace string
}

func (s Spending) query(p Page) url.Values {
	q := s.Days.query(p)
	set(q, "workspace_id", s.Workspace)
	return q
}

// Balance shows what the payer has, and owes.
func (r *Reader) Balance(ctx context.Context) (Balance, error) {
	return ask[Balance](ctx, r.door, request{method: http.MethodGet, path: "/billing/balance"})
}

// BillLines lists the lines of bills, the newest day first.
func (r *Reader) BillLines(ctx context.Context, s Spending, p Page) (List[BillRow], error) {
	return ask[List[BillRow]](ctx, r.door, request{method: http.MethodGet, path: "/billing/lines", query: s.query(p)})
}

// Summary sums bills by item: those in a currency or, where it is empty and
// all are in one, in that.
func (r *Reader) Summary(ctx context.Context, s Spending, currency string) (Summary, error) {
	q := s.query(Page{})
	set(q, "currency", currency)
	return ask[Summary](ctx, r.door, request{method: http.MethodGet, path: "/billing/summary", query: q})
}

// PackageCharge is what was charged for a package at once: its purchase, its
// upgrade, or a day of its traffic packages. No bill holds it.
type PackageCharge struct {
	ID           string              `json:"id"`
	Day          string              `json:"day"`
	Kind         string              `json:"kind"` // package, upgrade, traffic_package
	Category     string              `json:"category"`
	BillingCycle string              `json:"billing_cycle"`
	PackageID    string              `json:"package_id"`
	Site         string              `json:"site"`
	Currency     string              `json:"currency"`
	Payable      string              `json:"payable"`
	Paid         Paid                `json:"paid"`
	Lines        []PackageChargeLine `json:"lines"`
	IssuedAt     time.Time           `json:"issued_at"`
}

// PackageChargeLine is one part of a charge, with what it was calculated from:
// a traffic package, or an upgrade. All amounts are decimals.
type PackageChargeLine struct {
	Item      string `json:"item"` // the size of the package, or the item of the traffic package
	TrafficID string `json:"traffic_id,omitempty"`
	Capacity  int64  `json:"capacity,omitempty"`
	Units     string `json:"units,omitempty"`
	UnitPrice string `json:"unit_price,omitempty"`
	Discount  string `json:"discount,omitempty"`
	From      string `json:"from,omitempty"`
	Before    string `json:"before,omitempty"`
	After     string `json:"after,omitempty"`
	DaysLeft  int    `json:"days_left,omitempty"`
	Days      int    `json:"days,omitempty"`
	Original  string `json:"original"`
	Payable   string `json:"payable"`
	Paid      Paid   `json:"paid"`
}

// PackageCharges lists what packages cost beside the bills of the days, which
// both must be there, the newest day first. It takes an account's key.
func (r *Reader) PackageCharges(ctx context.Context, d Days, p Page) (List[PackageCharge], error) {
	return ask[List[PackageCharge]](ctx, r.door, request{method: http.MethodGet, path: "/billing/package-charges", query: d.query(p)})
}

// Invoices lists the account's invoice requests, the newest first; of one
// state, the open ones, or all where it is empty. It takes an account's key.
func (r *Reader) Invoices(ctx context.Context, state string, p Page) (List[Invoice], error) {
	return r.invoices(ctx, "/billing/invoices", state, p)
}

// Invoice is a request of the account, with its lines.
func (r *Reader) Invoice(ctx context.Context, id string) (Invoice, error) {
	return ask[Invoice](ctx, r.door, request{method: http.MethodGet, path: path("billing", "invoices", id)})
}

// InvoiceDocument is the request as a PDF in en or zh; empty is the account's
// language.
func (r *Reader) InvoiceDocument(ctx context.Context, id, language string) ([]byte, error) {
	return r.invoiceDocument(ctx, path("billing", "invoices", id, "document"), language)
}

// InvoiceFile is the invoice itself, where the operator added it.
func (r *Reader) InvoiceFile(ctx context.Context, id string) (File, error) {
	return ask[File](ctx, r.door, request{method: http.MethodGet, path: path("billing", "invoices", id, "file")})
}
