package api

import (
	"time"
	"tollgate.dev/internal/account"

	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/invoice"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/store"
)

// mostOfAccount is beyond the profiles, addresses and items of an account.
const mostOfAccount = 500

// invoices are the calls of invoices.
func (s *server) invoices() []route {
	const profiles, addresses = "/billing-center/invoice-profiles", "/billing-center/invoice-addresses"
	const own, all = "/billing-center/invoices", "/operator/invoices"
	return []route{
		reads(line(get, "/billing-center/invoice-items", BillingCenter, "", "list-invoice-items", "Months and purchases: what of each can be invoiced, and why the rest cannot"), listInvoiceItems),
		reads(line(get, profiles, BillingCenter, "", "list-invoice-profiles", "What invoices are made out to"), listInvoiceProfiles),
		writes(line(post, profiles, BillingCenter, "", "create-invoice-profile", "Make an invoice profile"), created, createInvoiceProfile),
		writes(line(put, profiles+"/{profile_id}", BillingCenter, "", "change-invoice-profile", "Change an invoice profile; requests keep it as it was"), ok, changeInvoiceProfile),
		removes(line(remove, profiles+"/{profile_id}", BillingCenter, "", "delete-invoice-profile", "Delete an invoice profile; requests keep it"), deleteInvoiceProfile),
		reads(line(get, addresses, BillingCenter, "", "list-invoice-addresses", "Where invoices are delivered to"), listInvoiceAddresses),
		writes(line(post, addresses, BillingCenter, "", "create-invoice-address", "Make a delivery address"), created, createInvoiceAddress),
		writes(line(put, addresses+"/{address_id}", BillingCenter, "", "change-invoice-address", "Change a delivery address; requests keep it as it was"), ok, changeInvoiceAddress),
		removes(line(remove, addresses+"/{address_id}", BillingCenter, "", "delete-invoice-address", "Delete a delivery address; requests keep it"), deleteInvoiceAddress),

		reads(line(get, own, BillingCenter, "", "list-own-invoices", "The account's invoice requests, the newest first, without their lines"), listOwnInvoices),
		once(line(post, own, BillingCenter, "", "request-invoice", "Request an invoice over months and purchases"), created, requestInvoice),
		reads(line(get, own+"/{invoice_id}", BillingCenter, "", "show-own-invoice", "An invoice request with its lines"), showOwnInvoice),
		reads(line(get, own+"/{invoice_id}/file", BillingCenter, "", "show-own-invoice-file", "The invoice itself, where the operator added it"), showOwnInvoiceFile),
		files(line(get, own+"/{invoice_id}/document", BillingCenter, "", "download-own-invoice", "An invoice request as a PDF"), s.downloadInvoice),
		writes(line(post, own+"/{invoice_id}/withdrawal", BillingCenter, "", "withdraw-invoice", "Withdraw a request that was not issued yet; its items are free again"), ok, withdrawInvoice),

		reads(onDuty(get, all, account.Look, "list-invoices", "Invoice requests of all payers, without their lines: the newest first, open ones the longest waiting first"), listInvoices),
		reads(onDuty(get, all+"/{invoice_id}", account.Look, "show-invoice", "An invoice request with its lines"), showInvoice),
		files(onDuty(get, all+"/{invoice_id}/document", account.Look, "download-invoice", "An invoice request as a PDF"), s.downloadAnyInvoice),
		wide(writes(onDuty(post, all+"/{invoice_id}/issue", account.IssueInvoices, "issue-invoice", "Enter the tax invoice of a request"), ok, issueInvoice)),
		writes(onDuty(post, all+"/{invoice_id}/dispatch", account.IssueInvoices, "send-invoice", "Say how an issued invoice was sent"), ok, sendInvoice),
		writes(onDuty(post, all+"/{invoice_id}/rejection", account.IssueInvoices, "reject-invoice", "Reject a request with a reason; its items are free again"), ok, rejectInvoice),
		writes(onDuty(post, all+"/{invoice_id}/reversal", account.IssueInvoices, "reverse-invoice", "Reverse an issued invoice by a red-letter one; its items are free again"), ok, reverseInvoice),
		writes(onDuty(put, "/operator/accounts/{account_id}/invoice-waiver", account.IssueInvoices, "waive-invoice-cash", "Let an account request invoices without a cash balance, or no longer"), ok, waiveInvoiceCash),
	}
}

// InvoiceItem is a month or a purchase.
type InvoiceItem struct {
	Kind        string        `json:"kind" example:"statement" doc:"statement, card or package."`
	ID          string        `json:"id"`
	Label       string        `json:"label" doc:"The number of its document."`
	Month       string        `json:"month,omitempty" doc:"Of a statement." example:"2026-03"`
	At          time.Time     `json:"at"`
	Total       Amount        `json:"total"`
	Invoiceable Amount        `json:"invoiceable" doc:"What was paid in cash, at once or as arrears since."`
	Repaid      Amount        `json:"repaid" doc:"Of it, arrears repaid in cash since."`
	Rest        []InvoiceRest `json:"rest" nullable:"false"`
	Free        bool          `json:"free" doc:"Whether it can be requested now."`
	InvoiceID   string        `json:"invoice_id,omitempty" doc:"The live request that it is on."`
}

// InvoiceRest is a part of an item that is not invoiced, and why.
type InvoiceRest struct {
	Why    string `json:"why" example:"voucher"`
	Amount Amount `json:"amount"`
}

func invoiceItemOf(i invoice.Item) InvoiceItem {
	amount, err := i.Amount()
	if err != nil { // items are of one currency; a sum beyond all bounds shows as nothing
		amount = money.Of(0, i.Total.Currency())
	}
	shown := InvoiceItem{
		Kind: string(i.Kind), ID: i.ID, Label: i.Label, Month: i.Month, At: i.At.UTC(), Total: amountOf(i.Total), Invoiceable: amountOf(amount),
		Repaid: amountOf(i.Repaid), Rest: []InvoiceRest{}, Free: i.Free(), InvoiceID: i.Holder.RequestID,
	}
	for _, r := range i.Rest {
		shown.Rest = append(shown.Rest, InvoiceRest{r.Why, amountOf(r.Amount)})
	}
	return shown
}

func listInvoiceItems(c *call, in *struct{ Paged }) (*Page[InvoiceItem], error) {
	all, err := invoice.Items(c, c.tx, c.Billing)
	if err != nil {
		return nil, err
	}
	return pageOf(in.Paged, "invoice_items", all, func(i invoice.Item) string { return string(i.Kind) + ":" + i.ID }, invoiceItemOf)
}

// InvoiceProfile is what an invoice is made out to.
type InvoiceProfile struct {
	ID                string `json:"id" readOnly:"true" required:"false"`
	Type              string `json:"type" enum:"electronic_ordinary,vat_ordinary,vat_special"`
	Title             string `json:"title" maxLength:"1024" doc:"The name that the account is certified for."`
	TaxNumber         string `json:"tax_number" maxLength:"64"`
	Bank              string `json:"bank,omitempty" maxLength:"1024" doc:"This and what follows: needed for vat_special."`
	BankAccount       string `json:"bank_account,omitempty" maxLength:"256"`
	RegisteredAddress string `json:"registered_address,omitempty" maxLength:"1024"`
	RegisteredPhone   string `json:"registered_phone,omitempty" maxLength:"64"`
}

func invoiceProfileOf(p invoice.Profile) InvoiceProfile {
	return InvoiceProfile{p.ID, string(p.Type), p.Title, p.TaxNumber, p.Bank, p.BankAccount, p.RegisteredAddress, p.RegisteredPhone}
}

// saveProfile keeps a profile of the account: a new one where id is empty.
func (c *call) saveProfile(p InvoiceProfile, id string) (*InvoiceProfile, error) {
	kept, err := invoice.SaveProfile(c, c.tx, invoice.Profile{
		ID: id, AccountID: c.AccountID, Type: invoice.Type(p.Type), Title: p.Title, TaxNumber: p.TaxNumber, Bank: p.Bank,
		BankAccount: p.BankAccount, RegisteredAddress: p.RegisteredAddress, RegisteredPhone: p.RegisteredPhone,
	}, c.Address, c.at)
	shown := invoiceProfileOf(kept)
	return &shown, err
}

func listInvoiceProfiles(c *call, in *struct{ Paged }) (*Page[InvoiceProfile], error) {
	all, err := c.tx.InvoiceProfiles(c, c.AccountID, mostOfAccount)
	if err != nil {
		return nil, err
	}
	return pageOf(in.Paged, "invoice_profiles", all, func(p invoice.Profile) string { return p.ID }, invoiceProfileOf)
}

func createInvoiceProfile(c *call, in *struct{ Body InvoiceProfile }) (*InvoiceProfile, error) {
	return c.saveProfile(in.Body, "")
}

func changeInvoiceProfile(c *call, in *struct {
	ProfileID string `path:"profile_id" maxLength:"64"`
	Body      InvoiceProfile
}) (*InvoiceProfile, error) {
	return c.saveProfile(in.Body, in.ProfileID)
}

func deleteInvoiceProfile(c *call, in *struct {
	ProfileID string `path:"profile_id" maxLength:"64"`
}) error {
	return invoice.DeleteProfile(c, c.tx, c.AccountID, in.ProfileID, c.Address, c.at)
}

// InvoiceAddress is where invoices are delivered to: an e-mail address, a
// postal one with a phone number, or both.
type InvoiceAddress struct {
	ID        string `json:"id" readOnly:"true" required:"false"`
	Recipient string `json:"recipient" maxLength:"1024"`
	Email     string `json:"email,omitempty" maxLength:"256"`
	Phone     string `json:"phone,omitempty" maxLength:"64"`
	Postal    string `json:"postal,omitempty" maxLength:"1024"`
}

func invoiceAddressOf(a invoice.Address) InvoiceAddress {
	return InvoiceAddress{a.ID, a.Recipient, a.Email, a.Phone, a.Postal}
}

// saveAddress keeps an address of the account: a new one where id is empty.
func (c *call) saveAddress(a InvoiceAddress, id string) (*InvoiceAddress, error) {
	kept, err := invoice.SaveAddress(c, c.tx, invoice.Address{
		ID: id, AccountID: c.AccountID, Recipient: a.Recipient, Email: a.Email, Phone: a.Phone, Postal: a.Postal,
	}, c.Address, c.at)
	shown := invoiceAddressOf(kept)
	return &shown, err
}

func listInvoiceAddresses(c *call, in *struct{ Paged }) (*Page[InvoiceAddress], error) {
	all, err := c.tx.InvoiceAddresses(c, c.AccountID, mostOfAccount)
	if err != nil {
		return nil, err
	}
	return pageOf(in.Paged, "invoice_addresses", all, func(a invoice.Address) string { return a.ID }, invoiceAddressOf)
}

func createInvoiceAddress(c *call, in *struct{ Body InvoiceAddress }) (*InvoiceAddress, error) {
	return c.saveAddress(in.Body, "")
}

func changeInvoiceAddress(c *call, in *struct {
	AddressID string `path:"address_id" maxLength:"64"`
	Body      InvoiceAddress
}) (*InvoiceAddress, error) {
	return c.saveAddress(in.Body, in.AddressID)
}

func deleteInvoiceAddress(c *call, in *struct {
	AddressID string `path:"address_id" maxLength:"64"`
}) error {
	return invoice.DeleteAddress(c, c.tx, c.AccountID, in.AddressID, c.Address, c.at)
}

// invoiceIn names a request.
type invoiceIn struct {
	InvoiceID string `path:"invoice_id" maxLength:"64"`
}

// invoiceListing lists requests.
type invoiceListing struct {
	Paged
	State string `query:"state" enum:"open,requested,issued,sent,rejected,withdrawn,reversed" doc:"open: requested and issued ones."`
}

func (c *call) invoices(in *invoiceListing, accountID string) (*Page[Invoice], error) {
	place, err := in.after("invoices")
	if err != nil {
		return nil, err
	}
	q := store.InvoiceQuery{AccountID: accountID, State: invoice.State(in.State), After: place}
	if in.State == "open" {
		q.State, q.Open = "", true
	}
	all, err := c.tx.Invoices(c, q, in.limit()+1)
	if err != nil {
		return nil, err
	}
	return pageFrom(in.Paged, "invoices", all, func(r invoice.Request) string { return r.ID }, invoiceOf), nil
}

func listOwnInvoices(c *call, in *invoiceListing) (*Page[Invoice], error) {
	return c.invoices(in, c.AccountID)
}

func listInvoices(c *call, in *invoiceListing) (*Page[Invoice], error) { return c.invoices(in, "") }

// requesting asks for an invoice.
type requesting struct {
	Keyed
	Body struct {
		ProfileID string `json:"profile_id" maxLength:"64"`
		AddressID string `json:"address_id" maxLength:"64"`
		Items     []struct {
			Kind string `json:"kind" maxLength:"32" example:"statement"`
			ID   string `json:"id" maxLength:"64"`
		} `json:"items" maxItems:"1000"`
	}
}

func requestInvoice(c *call, in *requesting) (*Invoice, error) {
	asked := invoice.Asking{AccountID: c.AccountID, ProfileID: in.Body.ProfileID, AddressID: in.Body.AddressID, From: c.Address}
	for _, i := range in.Body.Items {
		asked.Items = append(asked.Items, invoice.Ref{Kind: invoice.Kind(i.Kind), ID: i.ID})
	}
	return wholeInvoice(invoice.Ask(c, c.tx, asked, c.at))
}

func showOwnInvoice(c *call, in *invoiceIn) (*Invoice, error) {
	return wholeInvoice(c.tx.InvoiceOf(c, c.AccountID, in.InvoiceID))
}

func showOwnInvoiceFile(c *call, in *invoiceIn) (*File, error) {
	r, err := c.tx.InvoiceOf(c, c.AccountID, in.InvoiceID)
	if err != nil {
		return nil, err
	}
	f, err := c.tx.Attachment(c, r.FileID)
	if err != nil {
		return nil, err
	}
	return fileOf(f), nil
}

func withdrawInvoice(c *call, in *invoiceIn) (*Invoice, error) {
	return wholeInvoice(invoice.Withdraw(c, c.tx, c.AccountID, in.InvoiceID, c.Address, c.at))
}

func showInvoice(c *call, in *invoiceIn) (*Invoice, error) {
	return wholeInvoice(c.tx.InvoiceForUpdate(c, in.InvoiceID))
}

func issueInvoice(c *call, in *struct {
	InvoiceID string `path:"invoice_id" maxLength:"64"`
	Body      struct {
		TaxNumber string `json:"tax_number" maxLength:"256"`
		TaxDay    string `json:"tax_day" maxLength:"16" example:"2026-04-10"`
		File      *File  `json:"file,omitempty" doc:"The invoice itself."`
	}
}) (*Invoice, error) {
	day, err := period.ParseDay(in.Body.TaxDay)
	if err != nil {
		return nil, fault.From(err).On("tax_day")
	}
	return wholeInvoice(invoice.Issue(c, c.tx, invoice.Issuing{
		RequestID: in.InvoiceID, TaxNumber: in.Body.TaxNumber, TaxDay: day, File: in.Body.File.sent(), Operator: c.AccountID, Address: c.Address,
	}, c.at))
}

func sendInvoice(c *call, in *struct {
	InvoiceID string `path:"invoice_id" maxLength:"64"`
	Body      struct {
		Delivery string `json:"delivery,omitempty" maxLength:"1024" doc:"Carrier and tracking number of one on paper; the e-mail address of an electronic one, else that of the request."`
	}
}) (*Invoice, error) {
	return wholeInvoice(invoice.Send(c, c.tx, in.InvoiceID, in.Body.Delivery, c.AccountID, c.Address, c.at))
}

func rejectInvoice(c *call, in *struct {
	InvoiceID string `path:"invoice_id" maxLength:"64"`
	Body      struct {
		Reason string `json:"reason" maxLength:"1024"`
	}
}) (*Invoice, error) {
	return wholeInvoice(invoice.Reject(c, c.tx, in.InvoiceID, in.Body.Reason, c.AccountID, c.Address, c.at))
}

func reverseInvoice(c *call, in *struct {
	InvoiceID string `path:"invoice_id" maxLength:"64"`
	Body      struct {
		TaxNumber string `json:"tax_number" maxLength:"256" doc:"Of the red-letter invoice."`
		TaxDay    string `json:"tax_day" maxLength:"16" example:"2026-04-10"`
		Reason    string `json:"reason" maxLength:"1024" doc:"The payer reads it."`
	}
}) (*Invoice, error) {
	day, err := period.ParseDay(in.Body.TaxDay)
	if err != nil {
		return nil, fault.From(err).On("tax_day")
	}
	return wholeInvoice(invoice.Reverse(c, c.tx, invoice.Reversing{
		RequestID: in.InvoiceID, TaxNumber: in.Body.TaxNumber, TaxDay: day, Reason: in.Body.Reason, Operator: c.AccountID, Address: c.Address,
	}, c.at))
}

// InvoiceWaiver says whether an account needs a cash balance to request.
type InvoiceWaiver struct {
	Waived bool   `json:"waived"`
	Reason string `json:"reason,omitempty" maxLength:"1024" doc:"Needed to waive it."`
}

func waiveInvoiceCash(c *call, in *struct {
	AccountID string `path:"account_id" maxLength:"64"`
	Body      InvoiceWaiver
}) (*InvoiceWaiver, error) {
	w := invoice.Waiver{AccountID: in.AccountID, On: in.Body.Waived, Reason: in.Body.Reason, By: c.AccountID, At: c.at}
	if err := invoice.Waive(c, c.tx, w, c.Address); err != nil {
		return nil, err
	}
	kept, err := c.tx.InvoiceWaiver(c, in.AccountID)
	return &InvoiceWaiver{kept.On, kept.Reason}, err
}
