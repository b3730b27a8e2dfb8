package operator

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/attachment"
	"tollgate.dev/internal/export"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/invoice"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/statement"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
)

const invoicesPath = Prefix + "/invoices"

// invoicesExported bounds a table of requests.
const invoicesExported = 10_000

// ErrInvoiceExport is a table that would not be whole.
var ErrInvoiceExport = fault.New(fault.Invalid, "invoice_export_large", "There are more than 10,000 such requests. Narrow the list first.")

// Invoices is the list of requests: what waits for a person, or a search.
type Invoices struct {
	Frame web.Frame
	Form  *web.Form
	Tab   string
	Tabs  []web.Tab
	Rows  []invoice.Request
	Pager web.Pager
}

// InvoiceView is one request, to be driven on.
type InvoiceView struct {
	Frame   web.Frame
	Issue   *web.Form
	Send    *web.Form
	Reject  *web.Form
	Reverse *web.Form
	Request invoice.Request
	Account account.Billing
	Today   period.Day
	Log     []store.AuditLine
}

// invoices are the routes of invoices.
func (o *Console) invoices() []web.Route {
	const one = invoicesPath + "/{invoice}"
	get := func(path string, h web.Handler) web.Route {
		return web.Route{Method: http.MethodGet, Pattern: path, Needs: needs(account.Look), Handler: h}
	}
	post := func(path string, h web.Handler) web.Route {
		return web.Route{Method: http.MethodPost, Pattern: path, Needs: needs(account.IssueInvoices), Handler: h}
	}
	return []web.Route{
		get(invoicesPath, o.invoicesPage),
		get(Prefix+"/invoices.csv", o.invoicesCSV),
		get(one, o.invoicePage),
		get(one+"/request.pdf", o.invoicePDF),
		get(one+"/file", o.invoiceFile),
		post(one+"/issue", o.issueInvoice),
		post(one+"/send", o.sendInvoice),
		post(one+"/reject", o.rejectInvoice),
		post(one+"/reverse", o.reverseInvoice),
		post(Prefix+"/accounts/{account}/invoice-waiver", o.waiveInvoices),
	}
}

// invoiceQuery is what the address asks for: the open ones where it says
// nothing.
func invoiceQuery(q url.Values) (tab string, query store.InvoiceQuery) {
	tab = q.Get("state")
	query = store.InvoiceQuery{Text: strings.TrimSpace(q.Get("text")), After: q.Get("after")}
	switch {
	case tab == "all":
	case tab == "" && query.Text != "":
		tab = "all"
	case tab == "":
		tab, query.Open = "open", true
	case tab == "open":
		query.Open = true
	default:
		query.State = invoice.State(tab)
	}
	return tab, query
}

func (o *Console) invoicesPage(w http.ResponseWriter, r *http.Request) error {
	ctx, q := r.Context(), r.URL.Query()
	tab, query := invoiceQuery(q)
	page := Invoices{Frame: o.frame(r, web.T(ctx, "op.nav.invoices"), "invoices"), Form: &web.Form{Values: q}, Tab: tab}
	err := o.Store.Read(ctx, func(tx *store.Tx) (err error) {
		if page.Rows, err = tx.Invoices(ctx, query, pageSize); err != nil {
			return err
		}
		counts, err := tx.InvoiceCounts(ctx)
		page.Tabs = invoiceTabs(ctx, tab, counts)
		return err
	})
	if err != nil {
		return err
	}
	if n := len(page.Rows); n == pageSize {
		page.Pager.Older = invoicesPath + "?" + url.Values{"state": {tab}, "text": {query.Text}, "after": {page.Rows[n-1].ID}}.Encode()
	}
	return web.Render(w, r, http.StatusOK, invoicesPage(page))
}

// invoiceTabs are the lists by state, with how many stand in each.
func invoiceTabs(ctx context.Context, current string, counts map[invoice.State]int64) []web.Tab {
	tabs := []web.Tab{{
		Label: web.T(ctx, "op.invoices.open"), Href: invoicesPath + "?state=open", Current: current == "open",
		Count: web.Count(counts[invoice.Requested] + counts[invoice.Issued]),
	}}
	for _, s := range invoice.States() {
		tabs = append(tabs, web.Tab{
			Label: web.T(ctx, "invoice.state."+string(s)), Href: invoicesPath + "?state=" + string(s), Current: current == string(s), Count: web.Count(counts[s]),
		})
	}
	return append(tabs, web.Tab{Label: web.T(ctx, "op.invoices.all"), Href: invoicesPath + "?state=all", Current: current == "all"})
}

// csv is the list as a table.
func (p Invoices) csv() string {
	return Prefix + "/invoices.csv?" + url.Values{"state": {p.Tab}, "text": {p.Form.Text("text")}}.Encode()
}

// invoicesCSV is the list as a table, each request a row.
func (o *Console) invoicesCSV(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	_, query := invoiceQuery(r.URL.Query())
	rows := [][]string{{"number", "state", "account", "requested_at", "type", "title", "taxpayer_id", "currency", "total", "waived", "tax_invoice", "tax_day", "sent_to", "reason", "reversal", "red_tax_invoice", "red_tax_day"}}
	err := o.Store.Read(ctx, func(tx *store.Tx) error {
		list, err := tx.Invoices(ctx, query, invoicesExported+1)
		if len(list) > invoicesExported {
			return ErrInvoiceExport.On("state")
		}
		for _, q := range list {
			day, redDay, waived := "", "", "no"
			if !q.TaxDay.IsZero() {
				day = q.TaxDay.String()
			}
			if !q.Red.TaxDay.IsZero() {
				redDay = q.Red.TaxDay.String()
			}
			if q.Waived {
				waived = "yes"
			}
			rows = append(rows, []string{
				q.Number, string(q.State), q.UserName, web.Machine(q.RequestedAt), string(q.Profile.Type), export.Inert(q.Profile.Title), q.Profile.TaxNumber,
				string(q.Total.Currency()), q.Total.String(), waived, q.TaxNumber, day, export.Inert(q.Delivery), export.Inert(q.Reason), q.Red.Number, q.Red.TaxNumber, redDay,
			})
		}
		return err
	})
	if err != nil {
		return err
	}
	return web.CSV(w, "invoices.csv", rows)
}

func (o *Console) invoicePage(w http.ResponseWriter, r *http.Request) error {
	return o.showInvoice(w, r, InvoiceView{Issue: web.Blank(), Send: web.Blank(), Reject: web.Blank()}, http.StatusOK)
}

// showInvoice shows the request with the forms as they are given.
func (o *Console) showInvoice(w http.ResponseWriter, r *http.Request, page InvoiceView, status int) error {
	ctx := r.Context()
	err := o.Store.Read(ctx, func(tx *store.Tx) (err error) {
		if page.Request, err = tx.InvoiceForUpdate(ctx, r.PathValue("invoice")); err != nil {
			return err
		}
		if page.Account, err = tx.BillingByID(ctx, page.Request.AccountID); err != nil {
			return err
		}
		page.Log, err = tx.AuditLog(ctx, page.Request.ID, 0, logLines)
		return err
	})
	if err != nil {
		return err
	}
	page.Frame = o.frame(r, page.Request.Number, "invoices")
	page.Today = period.DayOf(o.Clock.Now(), statement.Zone(page.Request.Total.Currency()))
	return web.Render(w, r, status, invoicePage(page))
}

func (o *Console) invoiceFile(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	var f attachment.File
	err := o.Store.Read(ctx, func(tx *store.Tx) error {
		q, err := tx.InvoiceForUpdate(ctx, r.PathValue("invoice"))
		if err == nil {
			f, err = tx.Attachment(ctx, q.FileID)
		}
		return err
	})
	if err != nil {
		return err
	}
	return web.SendFile(w, f)
}

// invoicePDF is the document of a request, as its payer has it, in the
// language that is asked for, else in that of the page.
func (o *Console) invoicePDF(w http.ResponseWriter, r *http.Request) error {
	ctx, language := r.Context(), r.URL.Query().Get("language")
	if language == "" {
		language = web.Language(ctx)
	}
	var q invoice.Request
	err := o.Store.Read(ctx, func(tx *store.Tx) (err error) {
		q, err = tx.InvoiceForUpdate(ctx, r.PathValue("invoice"))
		return err
	})
	if err != nil {
		return err
	}
	name, document, err := o.Invoice(ctx, q, language)
	if err != nil {
		return err
	}
	web.Download(w, name, "application/pdf", document)
	return nil
}

func (o *Console) issueInvoice(w http.ResponseWriter, r *http.Request) error {
	form, file, err := web.ParseUpload(w, r, "file")
	if err != nil {
		return err
	}
	ctx := r.Context()
	is := invoice.Issuing{RequestID: r.PathValue("invoice"), TaxNumber: form.Text("tax_number"), File: file, Operator: operator(ctx).ID, Address: web.Address(r)}
	if is.TaxDay, err = period.ParseDay(strings.TrimSpace(form.Text("tax_day"))); err != nil {
		is.TaxDay = period.Day{} // said beside the field, with the rest
	}
	err = o.Store.Write(ctx, func(tx *store.Tx) error {
		_, err := invoice.Issue(ctx, tx, is, o.Clock.Now())
		return err
	})
	return o.movedInvoice(w, r, err, form, InvoiceView{Issue: form, Send: web.Blank(), Reject: web.Blank()}, "op.said.invoice_issued")
}

func (o *Console) sendInvoice(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	ctx := r.Context()
	err = o.Store.Write(ctx, func(tx *store.Tx) error {
		_, err := invoice.Send(ctx, tx, r.PathValue("invoice"), form.Text("delivery"), operator(ctx).ID, web.Address(r), o.Clock.Now())
		return err
	})
	return o.movedInvoice(w, r, err, form, InvoiceView{Issue: web.Blank(), Send: form, Reject: web.Blank()}, "op.said.invoice_sent")
}

func (o *Console) rejectInvoice(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	ctx := r.Context()
	err = o.Store.Write(ctx, func(tx *store.Tx) error {
		_, err := invoice.Reject(ctx, tx, r.PathValue("invoice"), form.Text("reason"), operator(ctx).ID, web.Address(r), o.Clock.Now())
		return err
	})
	return o.movedInvoice(w, r, err, form, InvoiceView{Issue: web.Blank(), Send: web.Blank(), Reject: form}, "op.said.invoice_rejected")
}

// reverseInvoice enters the red-letter invoice of one that was issued.
func (o *Console) reverseInvoice(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	ctx := r.Context()
	x := invoice.Reversing{RequestID: r.PathValue("invoice"), TaxNumber: form.Text("tax_number"), Reason: form.Text("reason"), Operator: operator(ctx).ID, Address: web.Address(r)}
	if x.TaxDay, err = period.ParseDay(strings.TrimSpace(form.Text("tax_day"))); err != nil {
		x.TaxDay = period.Day{} // said beside the field, with the rest
	}
	err = o.Store.Write(ctx, func(tx *store.Tx) error {
		_, err := invoice.Reverse(ctx, tx, x, o.Clock.Now())
		return err
	})
	return o.movedInvoice(w, r, err, form, InvoiceView{Issue: web.Blank(), Send: web.Blank(), Reject: web.Blank(), Reverse: form}, "op.said.invoice_reversed")
}

// movedInvoice shows what came of a move: the request, or its form again.
func (o *Console) movedInvoice(w http.ResponseWriter, r *http.Request, err error, form *web.Form, page InvoiceView, said string) error {
	switch {
	case errors.Is(err, invoice.ErrUnknown):
		return err
	case form.Refused(err):
		return o.showInvoice(w, r, page, form.Status())
	case err != nil:
		return err
	}
	o.say(r.Context(), web.Good, said)
	return web.SeeOther(w, r, invoicesPath+"/"+url.PathEscape(r.PathValue("invoice")))
}

// waiveInvoices says whether an account needs a cash balance to request an
// invoice (domain C-17).
func (o *Console) waiveInvoices(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	ctx := r.Context()
	waiver := invoice.Waiver{AccountID: r.PathValue("account"), On: form.Text("to") == "on", Reason: form.Text("reason"), By: operator(ctx).ID, At: o.Clock.Now()}
	err = o.Store.Write(ctx, func(tx *store.Tx) error { return invoice.Waive(ctx, tx, waiver, web.Address(r)) })
	if errors.Is(err, invoice.ErrWaiverReason) && form.Refused(err) {
		return o.showAccount(w, r, form)
	}
	if err != nil {
		return err
	}
	o.say(ctx, web.Good, "op.said.switched")
	return web.SeeOther(w, r, Prefix+"/accounts/"+url.PathEscape(waiver.AccountID))
}

func invoiceTone(s invoice.State) web.Tone {
	switch s {
	case invoice.Sent:
		return web.Good
	case invoice.Issued:
		return web.Accent
	case invoice.Rejected, invoice.Reversed:
		return web.Bad
	case invoice.Requested:
		return web.Warn
	}
	return web.Plain
}

// invoiceFacts are what the operator needs to make the tax invoice.
func invoiceFacts(ctx context.Context, p InvoiceView) []web.Pair {
	f := p.Request.Profile
	number := web.Pair{Term: web.T(ctx, "invoice.field.tax_number"), Text: f.TaxNumber, Mono: true}
	if f.TaxNumber != p.Request.Enterprise.TaxpayerID {
		number.Note = web.T(ctx, "op.invoice.tax_number_differs", "taxpayer_id", p.Request.Enterprise.TaxpayerID)
	}
	pairs := []web.Pair{
		{Term: web.T(ctx, "invoice.type"), Text: web.T(ctx, "invoice.type."+string(f.Type))},
		{Term: web.T(ctx, "invoice.field.title"), Text: f.Title}, number,
	}
	for _, x := range []struct{ key, text string }{
		{"bank", f.Bank}, {"bank_account", f.BankAccount}, {"registered_address", f.RegisteredAddress}, {"registered_phone", f.RegisteredPhone},
	} {
		if x.text != "" {
			pairs = append(pairs, web.Pair{Term: web.T(ctx, "invoice.field."+x.key), Text: x.text})
		}
	}
	return pairs
}

// invoiceWay is where the invoice goes and how far it is.
func invoiceWay(ctx context.Context, p InvoiceView) []web.Pair {
	r := p.Request
	pairs := []web.Pair{
		{Term: web.T(ctx, "invoice.state"), Part: web.Badge(invoiceTone(r.State), web.T(ctx, "invoice.state."+string(r.State))), Note: r.Reason},
		{Term: web.T(ctx, "op.certification.account"), Text: r.UserName, Note: p.Account.Email},
		{Term: web.T(ctx, "invoice.field.recipient"), Text: r.Address.Recipient, Note: r.Address.Phone},
		{Term: web.T(ctx, "invoice.field.email"), Text: orDash(r.Address.Email)},
		{Term: web.T(ctx, "invoice.field.postal"), Text: orDash(r.Address.Postal)},
	}
	if r.Waived {
		pairs = append(pairs, web.Pair{Term: web.T(ctx, "op.invoice.cash"), Text: web.T(ctx, "op.invoice.waived")})
	}
	if r.TaxNumber != "" {
		pairs = append(pairs, web.Pair{Term: web.T(ctx, "invoice.tax_number"), Text: r.TaxNumber, Mono: true, Note: r.TaxDay.String()})
	}
	if r.Red.Number != "" {
		pairs = append(pairs, web.Pair{Term: web.T(ctx, "invoice.red_tax_number"), Text: r.Red.TaxNumber, Mono: true, Note: r.Red.Number + " · " + r.Red.TaxDay.String()})
	}
	if r.Delivery != "" {
		pairs = append(pairs, web.Pair{Term: web.T(ctx, "op.invoice.sent_as"), Text: r.Delivery})
	}
	return pairs
}

// kindName names a line.
func kindName(ctx context.Context, l invoice.Line) string {
	return web.T(ctx, "invoice.kind."+string(l.Kind), "month", l.Month)
}
