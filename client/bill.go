package client

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// Amount is a sum of money: a decimal text and its currency.
type Amount struct {
	Amount   string `json:"amount"`
	Currency string `json:"currency"`
}

// String is such as "12.50 CNY".
func (a Amount) String() string { return a.Amount + " " + a.Currency }

// Bill is what one workspace used on one service day. Lines are there where
// one bill is asked for.
type Bill struct {
	ID          string     `json:"id"`
	Number      string     `json:"number"`
	WorkspaceID string     `json:"workspace_id"`
	Site        string     `json:"site"`
	Day         string     `json:"day"`
	Settlement  string     `json:"settlement"`
	Catalog     string     `json:"catalog"`
	Total       Amount     `json:"total"`
	Paid        Paid       `json:"paid"`
	Entry       int64      `json:"entry"` // of the payer's ledger, which paid it; zero where nothing was to be paid
	IssuedAt    time.Time  `json:"issued_at"`
	Lines       []BillLine `json:"lines"`
}

// BillLine is one charge.
type BillLine struct {
	Item      string       `json:"item"`
	Name      string       `json:"name"`
	Class     string       `json:"class"`
	Index     string       `json:"index,omitempty"`
	Quantity  string       `json:"quantity"`
	Units     string       `json:"units"`
	UnitPrice string       `json:"unit_price"`
	Override  string       `json:"override,omitempty"` // the agreed price that stood in for the catalogue's
	Package   *LineCover   `json:"package"`            // what an annual package covered of it; nil where none covers the item
	Exact     string       `json:"exact"`
	Amount    Amount       `json:"amount"`
	Paid      Paid         `json:"paid"`
	Sources   []SourcePart `json:"sources"` // the vouchers and cards behind it, in the order in which they paid
}

// LineCover is what an annual package did for a line: decimals, of which
// Covered and Excess sum to Converted.
type LineCover struct {
	ID        string `json:"id"`
	Factor    string `json:"factor"`
	Converted string `json:"converted"`
	Covered   string `json:"covered"`
	Excess    string `json:"excess"`
}

// SourcePart is what one voucher or card paid: its kind, its ID, and a decimal.
type SourcePart struct {
	Payment string `json:"payment"`
	ID      string `json:"id"`
	Amount  string `json:"amount"`
}

// Paid is an amount by what paid it.
type Paid struct {
	Voucher       string `json:"voucher"`
	FullReduction string `json:"full_reduction"`
	Card          string `json:"card"`
	Cash          string `json:"cash"`
	Cloud         string `json:"cloud"`
	Owed          string `json:"owed"`
}

// MonthToDate is what a workspace's month comes to so far.
type MonthToDate struct {
	Month  string `json:"month"`
	Billed Amount `json:"billed"`
	Open   Amount `json:"open"`
	Total  Amount `json:"total"`

	Forecast *Forecast `json:"forecast,omitempty"` // nil until a whole day was closed
}

// Balance is what a payer has, and owes.
type Balance struct {
	UserName      string     `json:"user_name"`
	Cash          Amount     `json:"cash"`
	Voucher       Amount     `json:"voucher"`
	FullReduction Amount     `json:"full_reduction"`
	Card          Amount     `json:"card"`
	Owed          Amount     `json:"owed"`
	OwedSince     *time.Time `json:"owed_since"`
}

// Days narrows a list to service days such as 2026-03-01, both ends included;
// an empty end is open.
type Days struct{ From, To string }

func (d Days) query(p Page) url.Values {
	q := p.query()
	set(q, "from", d.From)
	set(q, "to", d.To)
	return q
}

// Bills lists the bills of a workspace, the newest first.
func (s *Studio) Bills(ctx context.Context, workspace string, d Days, p Page) (List[Bill], error) {
	return ask[List[Bill]](ctx, s.door, request{method: http.MethodGet, path: in(workspace, "bills"), query: d.query(p)})
}

// Bill shows a bill with its lines.
func (s *Studio) Bill(ctx context.Context, workspace, bill string) (Bill, error) {
	return ask[Bill](ctx, s.door, request{method: http.MethodGet, path: in(workspace, "bills", bill)})
}

// MonthToDate shows what the month comes to so far.
func (s *Studio) MonthToDate(ctx context.Context, workspace string) (MonthToDate, error) {
	return ask[MonthToDate](ctx, s.door, request{method: http.MethodGet, path: in(workspace, "month-to-date")})
}

// Balance shows what the payer of a workspace has.
func (s *Studio) Balance(ctx context.Context, workspace string) (Balance, error) {
	return ask[Balance](ctx, s.door, request{method: http.MethodGet, path: in(workspace, "balance")})
}

// Settlement shows who settles a workspace, and who may.
func (s *Studio) Settlement(ctx context.Context, workspace string) (SettlementChoice, error) {
	return ask[SettlementChoice](ctx, s.door, request{method: http.MethodGet, path: in(workspace, "settlement")})
}

// ChangeSettlement changes who settles a workspace.
func (s *Studio) ChangeSettlement(ctx context.Context, workspace, method string) (SettlementChoice, error) {
	return ask[SettlementChoice](ctx, s.door, request{method: http.MethodPut, path: in(workspace, "settlement"), body: map[string]string{"method": method}})
}

// Balance shows what the account has.
func (b *BillingCenter) Balance(ctx context.Context) (Balance, error) {
	return ask[Balance](ctx, b.door, request{method: http.MethodGet, path: "/billing-center/balance"})
}

// Bills lists the bills that the account pays, the newest first.
func (b *BillingCenter) Bills(ctx context.Context, d Days, p Page) (List[Bill], error) {
	return ask[List[Bill]](ctx, b.door, request{method: http.MethodGet, path: "/billing-center/bills", query: d.query(p)})
}

// Bill shows a bill with its lines.
func (b *BillingCenter) Bill(ctx context.Context, bill string) (Bill, error) {
	return ask[Bill](ctx, b.door, request{method: http.MethodGet, path: path("billing-center", "bills", bill)})
}
