package client

import (
	"context"
	"net/http"
	"time"
)

// CatalogEntry is a version of the catalogue.
type CatalogEntry struct {
	CatalogVersion
	State   string     `json:"state"`
	Origin  string     `json:"origin"`
	AddedBy string     `json:"added_by,omitempty"`
	AddedAt *time.Time `json:"added_at,omitempty"`
	SHA256  string     `json:"sha256,omitempty"`
}

// CatalogDetail is a version with what it sells.
type CatalogDetail struct {
	CatalogEntry
	Items    []CatalogItem `json:"items"`
	Follows  string        `json:"follows,omitempty"`
	Prices   []PriceChange `json:"price_changes"`
	New      []string      `json:"new_items"`
	Changed  []string      `json:"changed_items"`
	Sections []string      `json:"changed_sections"`
	Document string        `json:"document,omitempty"`
}

// CatalogItem is what is sold, with its prices.
type CatalogItem struct {
	Item       string       `json:"item"`
	NameEn     string       `json:"name_en"`
	NameZh     string       `json:"name_zh"`
	UnitSize   string       `json:"unit_size"`
	UnitName   string       `json:"unit_name"`
	Sampling   string       `json:"sampling"`
	Rule       string       `json:"rule"`
	PayAsYouGo bool         `json:"pay_as_you_go"`
	Prices     []ItemsPrice `json:"prices"`
}

// ItemsPrice is the price of a unit a day.
type ItemsPrice struct {
	Group    string `json:"group"`
	Currency string `json:"currency"`
	Class    string `json:"class"`
	Price    string `json:"price"`
}

// PriceChange is a price that a version changes.
type PriceChange struct {
	Item     string `json:"item"`
	Group    string `json:"group"`
	Currency string `json:"currency"`
	Class    string `json:"class"`
	Before   string `json:"before,omitempty"`
	After    string `json:"after,omitempty"`
}

// CatalogTrial is what a version would have made of a month's bills, a page of
// workspaces at a time.
type CatalogTrial struct {
	Version    string          `json:"version"`
	Month      string          `json:"month"`
	Items      []TrialRow      `json:"items"`
	Failed     int             `json:"unrated_count"`
	Unrated    []UnratedBill   `json:"unrated"`
	Totals     []TrialCurrency `json:"page_totals"`
	NextCursor string          `json:"next_cursor,omitempty"`
}

// TrialChange is what was billed and what it would have been: decimals.
type TrialChange struct {
	Before     string `json:"before"`
	After      string `json:"after"`
	Difference string `json:"difference"`
}

// TrialRow is the change for a workspace.
type TrialRow struct {
	WorkspaceID string `json:"workspace_id"`
	AccountID   string `json:"account_id"`
	Currency    string `json:"currency"`
	Bills       int    `json:"bills"`
	TrialChange
	Parts []TrialItem `json:"parts"`
}

// TrialItem is the change of one item.
type TrialItem struct {
	Item string `json:"item"`
	TrialChange
}

// TrialCurrency is the change in one currency.
type TrialCurrency struct {
	Currency string `json:"currency"`
	TrialChange
}

// UnratedBill is a bill that the version could not have made.
type UnratedBill struct {
	BillNumber string `json:"bill_number"`
	Code       string `json:"code"`
	Detail     string `json:"detail"`
}

// AgreedPrice stands in for the catalogue's on the bills of one account.
type AgreedPrice struct {
	ID        string    `json:"id"`
	Item      string    `json:"item"`
	Group     string    `json:"group"`
	Currency  string    `json:"currency"`
	Class     string    `json:"class"`
	Price     string    `json:"price"`
	ListPrice string    `json:"list_price,omitempty"`
	From      string    `json:"from"`
	Last      string    `json:"last,omitempty"`
	State     string    `json:"state"`
	Reason    string    `json:"reason"`
	AddedBy   string    `json:"added_by"`
	AddedAt   time.Time `json:"added_at"`
}

// PriceAgreement is a price that an operator agrees with an account. Last is
// empty where no end is known.
type PriceAgreement struct {
	Item   string `json:"item"`
	Group  string `json:"group"`
	Class  string `json:"class"`
	Price  string `json:"price"`
	From   string `json:"from"`
	Last   string `json:"last,omitempty"`
	Reason string `json:"reason"`
}

const versions = "/operator/catalog/versions"

func version(id string, more ...string) string {
	return path(append([]string{"operator", "catalog", "versions", id}, more...)...)
}

// CatalogVersions lists the versions of the catalogue, the newest first.
func (o *Operator) CatalogVersions(ctx context.Context, p Page) (List[CatalogEntry], error) {
	return ask[List[CatalogEntry]](ctx, o.door, request{method: http.MethodGet, path: versions, query: p.query()})
}

// CatalogVersion shows a version of the catalogue.
func (o *Operator) CatalogVersion(ctx context.Context, id string) (CatalogDetail, error) {
	return ask[CatalogDetail](ctx, o.door, request{method: http.MethodGet, path: version(id)})
}

// CheckCatalogVersion checks the file of a version, and keeps nothing.
func (o *Operator) CheckCatalogVersion(ctx context.Context, document string) (CatalogDetail, error) {
	return ask[CatalogDetail](ctx, o.door, request{method: http.MethodPost, path: "/operator/catalog/check", body: map[string]string{"document": document}})
}

// AddCatalogVersion adds a version that begins on a day to come.
func (o *Operator) AddCatalogVersion(ctx context.Context, document string) (CatalogDetail, error) {
	return ask[CatalogDetail](ctx, o.door, request{method: http.MethodPost, path: versions, body: map[string]string{"document": document}})
}

// RemoveCatalogVersion takes back the last version, until it holds.
func (o *Operator) RemoveCatalogVersion(ctx context.Context, id string) error {
	return o.do(ctx, request{method: http.MethodDelete, path: version(id)}, nil)
}

// TryCatalogVersion shows what a version would have made of the bills of a
// month such as 2026-03.
func (o *Operator) TryCatalogVersion(ctx context.Context, id, month string, p Page) (CatalogTrial, error) {
	q := p.query()
	set(q, "month", month)
	return ask[CatalogTrial](ctx, o.door, request{method: http.MethodGet, path: version(id, "what-if"), query: q})
}

// AgreedPrices lists the prices agreed with a Billing Center account.
func (o *Operator) AgreedPrices(ctx context.Context, account string, p Page) (List[AgreedPrice], error) {
	return ask[List[AgreedPrice]](ctx, o.door, request{method: http.MethodGet, path: path("operator", "accounts", account, "prices"), query: p.query()})
}

// AgreePrice agrees a price with an account, from a day to come.
func (o *Operator) AgreePrice(ctx context.Context, account string, a PriceAgreement) (AgreedPrice, error) {
	return ask[AgreedPrice](ctx, o.door, request{method: http.MethodPost, path: path("operator", "accounts", account, "prices"), body: a})
}

// EndAgreedPrice ends an agreed price, or withdraws one that has not begun.
func (o *Operator) EndAgreedPrice(ctx context.Context, account, price string) (AgreedPrice, error) {
	return ask[AgreedPrice](ctx, o.door, request{method: http.MethodPost, path: path("operator", "accounts", account, "prices", price, "end")})
}
