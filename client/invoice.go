package client

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// InvoiceItem is a month or a purchase.
type InvoiceItem struct {
	Kind        string        `json:"kind"`
	ID          string        `json:"id"`
	Label       string        `json:"label"`
	Month       string        `json:"month"`
	At          time.Time     `json:"at"`
	Total       Amount        `json:"total"`
	Invoiceable Amount        `json:"invoiceable"`
	Repaid      Amount        `json:"repaid"`
	Rest        []InvoiceRest `json:"rest"`
	Free        bool          `json:"free"`
	InvoiceID   string        `json:"invoice_id"`
}

// InvoiceRest is a part of an item that is not invoiced, and why.
type InvoiceRest struct {
	Why    string `json:"why"`
	Amount Amount `json:"amount"`
}

// InvoiceProfile is what an invoice is made out to.
type InvoiceProfile struct {
	ID                string `json:"id,omitempty"`
	Type              string `json:"type"`
	Title             string `json:"title"`
	TaxNumber         string `json:"tax_number"`
	Bank              string `json:"bank,omitempty"`
	BankAccount       string `json:"bank_account,omitempty"`
	RegisteredAddress string `json:"registered_address,omitempty"`
	RegisteredPhone   string `json:"registered_phone,omitempty"`
}

// InvoiceAddress is where invoices are delivered to: an e-mail address, a
// postal one with a phone number, or both.
type InvoiceAddress struct {
	ID        string `json:"id,omitempty"`
	Recipient string `json:"recipient"`
	Email     string `json:"email,omitempty"`
	Phone     string `json:"phone,omitempty"`
	Postal    string `json:"postal,omitempty"`
}

// InvoiceWaiver says whether an account needs a cash balance to request.
type InvoiceWaiver struct {
	Waived bool   `json:"waived"`
	Reason string `json:"reason,omitempty"`
}

// Invoice is a request for one.
type Invoice struct {
	ID          string         `json:"id"`
	Number      string         `json:"number"`
	AccountID   string         `json:"account_id"`
	State       string         `json:"state"`
	Total       Amount         `json:"total"`
	Company     string         `json:"company"`
	TaxpayerID  string         `json:"taxpayer_id"`
	Profile     InvoiceProfile `json:"profile"`
	Address     InvoiceAddress `json:"address"`
	Waived      bool           `json:"waived"`
	RequestedAt time.Time      `json:"requested_at"`
	TaxNumber   string         `json:"tax_number"`
	TaxDay      string         `json:"tax_day"`
	File        string         `json:"file"`
	IssuedAt    *time.Time     `json:"issued_at"`
	Delivery    string         `json:"delivery"`
	SentAt      *time.Time     `json:"sent_at"`
	ClosedAt    *time.Time     `json:"closed_at"`
	Reason      string         `json:"reason"`
	Reversal    string         `json:"reversal"`
	RedNumber   string         `json:"red_tax_number"`
	RedDay      string         `json:"red_tax_day"`
	Lines       []InvoiceLine  `json:"lines"`
}

// InvoiceLine is one month or purchase on a request.
type InvoiceLine struct {
	Kind   string `json:"kind"`
	ItemID string `json:"item_id"`
	Label  string `json:"label"`
	Month  string `json:"month"`
	Day    string `json:"day"`
	Total  Amount `json:"total"`
	Cash   Amount `json:"cash"`
	Repaid Amount `json:"repaid"`
	Amount Amount `json:"amount"`
}

// InvoiceRef names an item of a request.
type InvoiceRef struct {
	Kind string `json:"kind"`
	ID   string `json:"id"`
}

// InvoiceWanted is what a request is asked for with.
type InvoiceWanted struct {
	ProfileID string       `json:"profile_id"`
	AddressID string       `json:"address_id"`
	Items     []InvoiceRef `json:"items"`
}

// TaxInvoice is what the operator enters: its number, its date such as
// 2026-04-10, and the invoice itself or nil.
type TaxInvoice struct {
	Number string `json:"tax_number"`
	Day    string `json:"tax_day"`
	File   *File  `json:"file,omitempty"`
}

// InvoiceItems lists the months and purchases of the account.
func (b *BillingCenter) InvoiceItems(ctx context.Context, p Page) (List[InvoiceItem], error) {
	return ask[List[InvoiceItem]](ctx, b.door, request{method: http.MethodGet, path: "/billing-center/invoice-items", query: p.query()})
}

// InvoiceProfiles lists what invoices are made out to.
func (b *BillingCenter) InvoiceProfiles(ctx context.Context, p Page) (List[InvoiceProfile], error) {
	return ask[List[InvoiceProfile]](ctx, b.door, request{method: http.MethodGet, path: "/billing-center/invoice-profiles", query: p.query()})
}

// SaveInvoiceProfile makes a profile, or changes the one of its ID.
func (b *BillingCenter) SaveInvoiceProfile(ctx context.Context, f InvoiceProfile) (InvoiceProfile, error) {
	to := request{method: http.MethodPost, path: "/billing-center/invoice-profiles"}
	if f.ID != "" {
		to = request{method: http.MethodPut, path: path("billing-center", "invoice-profiles", f.ID)}
	}
	f.ID = ""
	to.body = f
	return ask[InvoiceProfile](ctx, b.door, to)
}

// DeleteInvoiceProfile deletes a profile; requests keep it.
func (b *BillingCenter) DeleteInvoiceProfile(ctx context.Context, id string) error {
	_, err := ask[struct{}](ctx, b.door, request{method: http.MethodDelete, path: path("billing-center", "invoice-profiles", id)})
	return err
}

// InvoiceAddresses lists where invoices are delivered to.
func (b *BillingCenter) InvoiceAddresses(ctx context.Context, p Page) (List[InvoiceAddress], error) {
	return ask[List[InvoiceAddress]](ctx, b.door, request{method: http.MethodGet, path: "/billing-center/invoice-addresses", query: p.query()})
}

// SaveInvoiceAddress makes an address, or changes the one of its ID.
func (b *BillingCenter) SaveInvoiceAddress(ctx context.Context, a InvoiceAddress) (InvoiceAddress, error) {
	to := request{method: http.MethodPost, path: "/billing-center/invoice-addresses"}
	if a.ID != "" {
		to = request{method: http.MethodPut, path: path("billing-center", "invoice-addresses", a.ID)}
	}
	a.ID = ""
	to.body = a
	return ask[InvoiceAddress](ctx, b.door, to)
}

// DeleteInvoiceAddress deletes an address; requests keep it.
func (b *BillingCenter) DeleteInvoiceAddress(ctx context.Context, id string) error {
	_, err := ask[struct{}](ctx, b.door, request{method: http.MethodDelete, path: path("billing-center", "invoice-addresses", id)})
	return err
}

// RequestInvoice asks for an invoice over months and purchases.
func (b *BillingCenter) RequestInvoice(ctx context.Context, k Key, w InvoiceWanted) (Invoice, error) {
	return ask[Invoice](ctx, b.door, request{method: http.MethodPost, path: "/billing-center/invoices", key: k, body: w})
}

// Invoices lists the account's requests, the newest first; of one state, the
// open ones, or all where it is empty.
func (b *BillingCenter) Invoices(ctx context.Context, state string, p Page) (List[Invoice], error) {
	return b.invoices(ctx, "/billing-center/invoices", state, p)
}

// Invoice is a request of the account, with its lines.
func (b *BillingCenter) Invoice(ctx context.Context, id string) (Invoice, error) {
	return ask[Invoice](ctx, b.door, request{method: http.MethodGet, path: path("billing-center", "invoices", id)})
}

// InvoiceFile is the invoice itself, where the operator added it.
func (b *BillingCenter) InvoiceFile(ctx context.Context, id string) (File, error) {
	return ask[File](ctx, b.door, request{method: http.MethodGet, path: path("billing-center", "invoices", id, "file")})
}

// InvoiceDocument is the request as a PDF in en or zh; empty is the account's
// language.
func (b *BillingCenter) InvoiceDocument(ctx context.Context, id, language string) ([]byte, error) {
	return b.invoiceDocument(ctx, path("billing-center", "invoices", id, "document"), language)
}

func (d door) invoiceDocument(ctx context.Context, where, language string) ([]byte, error) {
	q := url.Values{}
	set(q, "language", language)
	return d.send(ctx, request{method: http.MethodGet, path: where, query: q})
}

// WithdrawInvoice withdraws a request that was not issued yet.
func (b *BillingCenter) WithdrawInvoice(ctx context.Context, id string) (Invoice, error) {
	return ask[Invoice](ctx, b.door, request{method: http.MethodPost, path: path("billing-center", "invoices", id, "withdrawal")})
}

func (d door) invoices(ctx context.Context, where, state string, p Page) (List[Invoice], error) {
	q := p.query()
	set(q, "state", state)
	return ask[List[Invoice]](ctx, d, request{method: http.MethodGet, path: where, query: q})
}

// Invoices lists the requests of all payers.
func (o *Operator) Invoices(ctx context.Context, state string, p Page) (List[Invoice], error) {
	return o.invoices(ctx, "/operator/invoices", state, p)
}

// Invoice is a request with its lines.
func (o *Operator) Invoice(ctx context.Context, id string) (Invoice, error) {
	return ask[Invoice](ctx, o.door, request{method: http.MethodGet, path: path("operator", "invoices", id)})
}

// InvoiceDocument is the request as a PDF in en or zh; empty is the operator's
// language.
func (o *Operator) InvoiceDocument(ctx context.Context, id, language string) ([]byte, error) {
	return o.invoiceDocument(ctx, path("operator", "invoices", id, "document"), language)
}

// IssueInvoice enters the tax invoice of a request.
func (o *Operator) IssueInvoice(ctx context.Context, id string, t TaxInvoice) (Invoice, error) {
	return ask[Invoice](ctx, o.door, request{method: http.MethodPost, path: path("operator", "invoices", id, "issue"), body: t})
}

// SendInvoice says how an issued invoice was sent; an electronic one goes to
// the address of the request where nothing is said.
func (o *Operator) SendInvoice(ctx context.Context, id, delivery string) (Invoice, error) {
	return ask[Invoice](ctx, o.door, request{method: http.MethodPost, path: path("operator", "invoices", id, "dispatch"), body: map[string]string{"delivery": delivery}})
}

// RejectInvoice rejects a request with a reason.
func (o *Operator) RejectInvoice(ctx context.Context, id, reason string) (Invoice, error) {
	return ask[Invoice](ctx, o.door, request{method: http.MethodPost, path: path("operator", "invoices", id, "rejection"), body: map[string]string{"reason": reason}})
}

// WaiveInvoiceCash lets an account request invoices without a cash balance, or
// no longer.
func (o *Operator) WaiveInvoiceCash(ctx context.Context, account string, w InvoiceWaiver) (InvoiceWaiver, error) {
	return ask[InvoiceWaiver](ctx, o.door, request{method: http.MethodPut, path: path("operator", "accounts", account, "invoice-waiver"), body: w})
}

// ReverseInvoice enters the red-letter invoice that reverses an issued one; the
// payer reads the reason.
func (o *Operator) ReverseInvoice(ctx context.Context, id string, red TaxInvoice, reason string) (Invoice, error) {
	body := map[string]string{"tax_number": red.Number, "tax_day": red.Day, "reason": reason}
	return ask[Invoice](ctx, o.door, request{method: http.MethodPost, path: path("operator", "invoices", id, "reversal"), body: body})
}
