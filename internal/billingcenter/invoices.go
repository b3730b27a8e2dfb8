package billingcenter

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/attachment"
	"tollgate.dev/internal/export"
	"tollgate.dev/internal/invoice"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/web"
)

// Where the pages of invoices live.
const (
	invoicesPath   = Prefix + "/invoices"
	profilesPath   = Prefix + "/invoice-profiles"
	addressesPath  = Prefix + "/invoice-addresses"
	invoicesOnPage = 50
)

// Invoices is the list of what an account requested.
type Invoices struct {
	Frame    web.Frame
	Form     *web.Form
	Account  account.Billing
	Zone     *time.Location
	Rows     []invoice.Request
	Pager    web.Pager
	Filtered bool
}

// ItemRow is an item as the page of a new request offers it.
type ItemRow struct {
	invoice.Item
	Ticked bool
}

// AskInvoice is the page on which an invoice is requested.
type AskInvoice struct {
	Frame     web.Frame
	Form      *web.Form
	Account   account.Billing
	Zone      *time.Location
	Rows      []ItemRow
	Chosen    int
	Total     money.Amount
	Cash      money.Amount
	Waived    bool
	Profiles  []invoice.Profile
	Addresses []invoice.Address
}

// InvoiceView is one request.
type InvoiceView struct {
	Frame   web.Frame
	Form    *web.Form
	Request invoice.Request
	Zone    *time.Location
	Issuer  string // of the document, as the installation calls itself
}

// invoices are the routes of invoices.
func (b *Console) invoices() []web.Route {
	get := func(path string, h web.Handler) web.Route {
		return web.Route{Method: http.MethodGet, Pattern: path, Needs: web.SignedIn, Handler: h}
	}
	post := func(path string, h web.Handler) web.Route {
		return web.Route{Method: http.MethodPost, Pattern: path, Needs: web.SignedIn, Handler: h}
	}
	return []web.Route{
		get(invoicesPath, b.invoicesPage),
		get(Prefix+"/invoices.csv", b.invoicesCSV),
		get(invoicesPath+"/new", b.askInvoicePage),
		post(invoicesPath+"/new", b.askInvoice),
		get(invoicesPath+"/{invoice}", b.invoicePage),
		get(invoicesPath+"/{invoice}/request.pdf", b.invoicePDF),
		get(invoicesPath+"/{invoice}/file", b.invoiceFile),
		post(invoicesPath+"/{invoice}/withdraw", b.withdrawInvoice),

		get(profilesPath, b.profilesPage),
		post(profilesPath, b.saveProfile),
		get(profilesPath+"/{profile}", b.profilePage),
		post(profilesPath+"/{profile}", b.saveProfile),
		post(profilesPath+"/{profile}/delete", b.deleteProfile),
		get(addressesPath, b.addressesPage),
		post(addressesPath, b.saveAddress),
		get(addressesPath+"/{address}", b.addressPage),
		post(addressesPath+"/{address}", b.saveAddress),
		post(addressesPath+"/{address}/delete", b.deleteAddress),
	}
}

func (b *Console) invoicesPage(w http.ResponseWriter, r *http.Request) error {
	ctx, q := r.Context(), r.URL.Query()
	a := payer(ctx)
	page := Invoices{Frame: b.frame(r, web.T(ctx, "invoice.title"), "invoices"), Form: &web.Form{Values: q}, Account: a, Zone: zoneOf(a.Currency)}
	query := store.InvoiceQuery{AccountID: a.ID, State: invoice.State(q.Get("state")), After: q.Get("after")}
	page.Filtered = query.State != ""
	err := b.Store.Read(ctx, func(tx *store.Tx) (err error) {
		page.Rows, err = tx.Invoices(ctx, query, invoicesOnPage)
		return err
	})
	if err != nil {
		return err
	}
	if n := len(page.Rows); n == invoicesOnPage {
		page.Pager.Older = invoicesPath + "?" + url.Values{"state": {q.Get("state")}, "after": {page.Rows[n-1].ID}}.Encode()
	}
	return web.Render(w, r, http.StatusOK, invoicesPage(page))
}

func (b *Console) invoicesCSV(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	a := payer(ctx)
	rows := [][]string{{"number", "state", "requested_at", "type", "title", "taxpayer_id", "kind", "item", "month", "day", "currency", "amount", "total", "tax_invoice", "tax_day", "sent_to", "reason"}}
	err := b.Store.Read(ctx, func(tx *store.Tx) error {
		list, err := tx.Invoices(ctx, store.InvoiceQuery{AccountID: a.ID, State: invoice.State(r.URL.Query().Get("state"))}, exported+1)
		if err != nil {
			return err
		}
		if len(list) > exported {
			return ErrExport.With("most", exported).On("state")
		}
		for _, short := range list {
			q, err := tx.InvoiceOf(ctx, a.ID, short.ID)
			if err != nil {
				return err
			}
			day := ""
			if !q.TaxDay.IsZero() {
				day = q.TaxDay.String()
			}
			for _, l := range q.Lines {
				rows = append(rows, []string{
					q.Number, string(q.State), web.Machine(q.RequestedAt), string(q.Profile.Type), export.Inert(q.Profile.Title), q.Profile.TaxNumber,
					string(l.Kind), l.Label, l.Month, l.Day.String(), string(a.Currency), l.Amount.String(), q.Total.String(), q.TaxNumber, day, export.Inert(q.Delivery), export.Inert(q.Reason),
				})
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return web.CSV(w, "invoices.csv", rows)
}

func (b *Console) askInvoicePage(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	return b.showAsk(w, r, form)
}

// showAsk shows what can be invoiced, with what is ticked in the form and what
// that comes to.
func (b *Console) showAsk(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	ctx := r.Context()
	a := payer(ctx)
	page := AskInvoice{Frame: b.frame(r, web.T(ctx, "invoice.ask"), "invoices"), Form: form, Account: a, Zone: zoneOf(a.Currency), Total: money.Of(0, a.Currency)}
	err := b.Store.Read(ctx, func(tx *store.Tx) error {
		items, err := invoice.Items(ctx, tx, a)
		if err != nil {
			return err
		}
		if err := page.tick(items, form.Values["item"]); err != nil {
			return err
		}
		has, err := wallet.BalancesOf(ctx, tx, a.ID, a.Currency)
		if err != nil {
			return err
		}
		waiver, err := tx.InvoiceWaiver(ctx, a.ID)
		if err != nil {
			return err
		}
		page.Cash, page.Waived = has.Cash, waiver.On
		if page.Profiles, err = tx.InvoiceProfiles(ctx, a.ID, invoicesOnPage); err != nil {
			return err
		}
		page.Addresses, err = tx.InvoiceAddresses(ctx, a.ID, invoicesOnPage)
		return err
	})
	if err != nil {
		return err
	}
	return web.Render(w, r, form.Status(), askInvoicePage(page))
}

// tick marks what was chosen and sums it.
func (p *AskInvoice) tick(items []invoice.Item, chosen []string) error {
	for _, i := range items {
		row := ItemRow{i, i.Free() && slices.Contains(chosen, itemValue(i))}
		if row.Ticked {
			amount, err := i.Amount()
			if err != nil {
				return err
			}
			if p.Total, err = p.Total.Add(amount); err != nil {
				return err
			}
			p.Chosen++
		}
		p.Rows = append(p.Rows, row)
	}
	return nil
}

// itemValue names an item in a form.
func itemValue(i invoice.Item) string { return string(i.Kind) + ":" + i.ID }

func (b *Console) askInvoice(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	ctx := r.Context()
	asked := invoice.Asking{AccountID: payer(ctx).ID, ProfileID: form.Text("profile"), AddressID: form.Text("address"), From: web.Address(r)}
	for _, value := range form.Values["item"] {
		kind, id, _ := strings.Cut(value, ":")
		asked.Items = append(asked.Items, invoice.Ref{Kind: invoice.Kind(kind), ID: id})
	}
	var made invoice.Request
	err = b.Store.Write(ctx, func(tx *store.Tx) (err error) {
		made, err = invoice.Ask(ctx, tx, asked, b.Now())
		return err
	})
	if form.Refused(err) {
		return b.showAsk(w, r, form)
	}
	if err != nil {
		return err
	}
	b.say(ctx, "invoice.said_requested", "number", made.Number)
	return web.SeeOther(w, r, invoicePath(made))
}

func invoicePath(r invoice.Request) string { return invoicesPath + "/" + r.ID }

// request reads the request that the path names, of the account that asks.
func (b *Console) request(r *http.Request) (invoice.Request, error) {
	var q invoice.Request
	err := b.Store.Read(r.Context(), func(tx *store.Tx) (err error) {
		q, err = tx.InvoiceOf(r.Context(), payer(r.Context()).ID, r.PathValue("invoice"))
		return err
	})
	return q, err
}

func (b *Console) invoicePage(w http.ResponseWriter, r *http.Request) error {
	return b.showInvoice(w, r, web.Blank())
}

func (b *Console) showInvoice(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	q, err := b.request(r)
	if err != nil {
		return err
	}
	return web.Render(w, r, form.Status(), invoicePage(InvoiceView{
		Frame: b.frame(r, q.Number, "invoices"), Form: form, Request: q, Zone: zoneOf(q.Total.Currency()),
	}))
}

// invoicePDF is the document of the request, in the language that is asked
// for, else in that of the page.
func (b *Console) invoicePDF(w http.ResponseWriter, r *http.Request) error {
	q, err := b.request(r)
	if err != nil {
		return err
	}
	ctx, language := r.Context(), r.URL.Query().Get("language")
	if language == "" {
		language = web.Language(ctx)
	}
	d, err := b.InvoiceDocument(ctx, q, language)
	if err != nil {
		return err
	}
	web.Download(w, d.Name, d.Type, d.Bytes)
	return nil
}

// InvoiceDocument draws an invoice request as a PDF in en or zh.
func (b *Console) InvoiceDocument(ctx context.Context, q invoice.Request, language string) (Document, error) {
	if !slices.Contains(web.Languages(), language) {
		return Document{}, ErrLanguage.On("language")
	}
	text, err := drawInvoice(web.WithLanguage(ctx, language, ""), InvoiceView{Request: q, Zone: zoneOf(q.Total.Currency()), Issuer: b.Beneficiary.Holder})
	return Document{q.Number + "." + language + ".pdf", "application/pdf", text}, err
}

func (b *Console) invoiceFile(w http.ResponseWriter, r *http.Request) error {
	q, err := b.request(r)
	if err != nil {
		return err
	}
	var f attachment.File
	err = b.Store.Read(r.Context(), func(tx *store.Tx) (err error) {
		f, err = tx.Attachment(r.Context(), q.FileID)
		return err
	})
	if err != nil {
		return err
	}
	return web.SendFile(w, f)
}

func (b *Console) withdrawInvoice(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	ctx := r.Context()
	var q invoice.Request
	err = b.Store.Write(ctx, func(tx *store.Tx) (err error) {
		q, err = invoice.Withdraw(ctx, tx, payer(ctx).ID, r.PathValue("invoice"), web.Address(r), b.Now())
		return err
	})
	if isState(err) && form.Refused(err) {
		return b.showInvoice(w, r, form)
	}
	if err != nil {
		return err
	}
	b.say(ctx, "invoice.said_withdrawn", "number", q.Number)
	return web.SeeOther(w, r, invoicePath(q))
}

// tabs are the pages of invoices.
func invoiceTabs(ctx context.Context, current string) []web.Tab {
	var tabs []web.Tab
	for _, t := range []struct{ key, path string }{
		{"invoice.tab.requests", invoicesPath}, {"invoice.tab.ask", invoicesPath + "/new"}, {"invoice.tab.profiles", profilesPath}, {"invoice.tab.addresses", addressesPath},
	} {
		tabs = append(tabs, web.Tab{Label: web.T(ctx, t.key), Href: t.path, Current: t.path == current})
	}
	return tabs
}
