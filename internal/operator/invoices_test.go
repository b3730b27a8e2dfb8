package operator

import (
	"bytes"
	"context"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/invoice"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/web/gallery"
)

func exampleRequest(state invoice.State, of invoice.Type) invoice.Request {
	r := invoice.Request{
		ID: "invc_1", Number: "IR-CNY-2026-000007", AccountID: acme.ID, UserName: acme.UserName, Enterprise: account.Enterprise{Company: "杭州示例电子商务有限公司", TaxpayerID: "91330100MA27XXXX1A"},
		Profile: invoice.Profile{Type: of, Title: "杭州示例电子商务有限公司", TaxNumber: "91330100MA27XXXX2B", Bank: "Example Bank", BankAccount: "6222 0000"},
		Address: invoice.Address{Recipient: "李梅", Phone: "13800000000", Email: "finance@acme.example", Postal: "1 Example Road, Hangzhou"},
		Total:   cny("890.30"), Waived: true, State: state, RequestedAt: noon,
		Lines: []invoice.Line{{Kind: invoice.Month, ItemID: "stmt_1", Label: "ST-CNY-2026-000012", Month: "2026-02", Day: period.MustParseDay("2026-03-04"), Total: cny("1272.71"), Cash: cny("800.00"), Repaid: cny("90.30"), Amount: cny("890.30")}},
	}
	if state != invoice.Requested {
		r.TaxNumber, r.TaxDay, r.FileID, r.FileName, r.Delivery = "26332000000012345678", period.MustParseDay("2026-03-12"), "attc_1", "发票.pdf", "SF 1234567890"
	}
	return r
}

func TestInvoiceGallery(t *testing.T) {
	t.Parallel()
	list := func(rows ...invoice.Request) page {
		return func(ctx context.Context) templ.Component {
			return invoicesPage(Invoices{
				Frame: frame(ctx, "Invoices", "invoices"), Form: web.Blank(), Tab: "open", Rows: rows,
				Tabs: invoiceTabs(ctx, "open", map[invoice.State]int64{invoice.Requested: 2, invoice.Issued: 1, invoice.Sent: 1042}), Pager: web.Pager{Older: invoicesPath + "?after=invc_1"},
			})
		}
	}
	view := func(state invoice.State, of invoice.Type, change func(*InvoiceView)) page {
		return func(ctx context.Context) templ.Component {
			p := InvoiceView{Frame: frame(ctx, "Invoice", "invoices"), Issue: web.Blank(), Send: web.Blank(), Reject: web.Blank(), Request: exampleRequest(state, of), Account: acme, Today: period.MustParseDay("2026-03-12"), Log: log}
			change(&p)
			return invoicePage(p)
		}
	}
	same := func(*InvoiceView) {}
	gallery.Check(t, asAdmin([]gallery.State{
		{Name: "operator/invoices-none", Page: list()},
		{Name: "operator/invoices", Page: list(exampleRequest(invoice.Requested, invoice.Special), exampleRequest(invoice.Issued, invoice.Electronic), exampleRequest(invoice.Sent, invoice.Ordinary))},
		{Name: "operator/invoice-requested", Page: view(invoice.Requested, invoice.Special, func(p *InvoiceView) {
			p.Issue = refused(web.Blank("tax_number", "<1>"), invoice.ErrTaxNumber.On("tax_number"))
		})},
		{Name: "operator/invoice-reject", Page: view(invoice.Requested, invoice.Special, func(p *InvoiceView) { p.Reject = refused(web.Blank(), invoice.ErrReason.On("reason")) })},
		{Name: "operator/invoice-issued", Page: view(invoice.Issued, invoice.Electronic, same)},
		{Name: "operator/invoice-issued-paper", Page: view(invoice.Issued, invoice.Special, func(p *InvoiceView) { p.Send = refused(web.Blank(), invoice.ErrTracking.On("delivery")) })},
		{Name: "operator/invoice-sent", Page: view(invoice.Sent, invoice.Special, func(p *InvoiceView) { p.Reject = refused(web.Blank(), invoice.ErrState) })},
		{Name: "operator/invoice-reverse", Page: view(invoice.Sent, invoice.Special, func(p *InvoiceView) {
			p.Reverse = refused(web.Blank("tax_number", "26-1"), fault.Fields{invoice.ErrRedNumber.On("tax_number"), invoice.ErrReason.On("reason")})
		})},
		{Name: "operator/invoice-reversed", Page: view(invoice.Reversed, invoice.Special, func(p *InvoiceView) {
			p.Request.Reason, p.Request.Red = "The title is wrong.", invoice.Red{Number: "RL-CNY-2026-000001", TaxNumber: "26332000000099999999", TaxDay: period.MustParseDay("2026-03-12")}
		})},
	}))
}

// asked is a request over a card that the payer bought.
func (h *house) asked(of invoice.Type) invoice.Request {
	h.t.Helper()
	var r invoice.Request
	transfer := h.declared("1000", "TG-1")
	h.write(func(ctx context.Context, tx *store.Tx) error {
		if _, err := wallet.CreditTransfer(ctx, tx, transfer.ID, wallet.Arrival{}, nil, wallet.By{Operator: h.operator.ID}, noon); err != nil {
			return err
		}
		v, err := catalog.Default().At(period.MustParseDay("2026-03-10"))
		if err != nil {
			return err
		}
		if _, err := wallet.BuyCard(ctx, tx, h.payer, v.Cards, cny("300"), noon.AddDate(1, 0, 0), noon); err != nil {
			return err
		}
		e := account.Enterprise{Company: "Acme Ltd", TaxpayerID: "9133"}
		if err := tx.SetEnterprise(ctx, h.payer.ID, e); err != nil {
			return err
		}
		p, err := invoice.SaveProfile(ctx, tx, invoice.Profile{AccountID: h.payer.ID, Type: of, Title: e.Company, TaxNumber: e.TaxpayerID}, "", noon)
		if err != nil {
			return err
		}
		to, err := invoice.SaveAddress(ctx, tx, invoice.Address{AccountID: h.payer.ID, Recipient: "=Mei", Email: "mei@acme.example", Phone: "13800000000", Postal: "1 Example Road"}, "", noon)
		if err != nil {
			return err
		}
		items, err := invoice.Items(ctx, tx, h.payer)
		if err != nil {
			return err
		}
		r, err = invoice.Ask(ctx, tx, invoice.Asking{AccountID: h.payer.ID, ProfileID: p.ID, AddressID: to.ID, Items: []invoice.Ref{{Kind: items[0].Kind, ID: items[0].ID}}}, noon)
		return err
	})
	return r
}

// send posts a form with a file.
func (h *house) send(want int, path, file string, content []byte, pairs ...string) answer {
	h.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for i := 0; i+1 < len(pairs); i += 2 {
		if err := form.WriteField(pairs[i], pairs[i+1]); err != nil {
			h.t.Fatal(err)
		}
	}
	part, err := form.CreateFormFile("file", file)
	if err != nil {
		h.t.Fatal(err)
	}
	_, _ = part.Write(content)
	_ = form.Close()
	r, err := http.NewRequestWithContext(h.t.Context(), http.MethodPost, h.url+Prefix+path, &body)
	if err != nil {
		h.t.Fatal(err)
	}
	r.Header.Set("Content-Type", form.FormDataContentType())
	return h.do(want, r)
}

func TestARequestIsIssuedAndSent(t *testing.T) {
	t.Parallel()
	h := open(t, false)
	h.signIn()
	h.get(http.StatusOK, "/invoices").says("No request here")
	r := h.asked(invoice.Ordinary)
	own := "/invoices/" + r.ID
	h.get(http.StatusOK, "/invoices").says("IR-CNY-2026-000001")
	h.get(http.StatusOK, "/invoices?text=acme").says("IR-CNY-2026-000001")
	h.get(http.StatusOK, "/invoices?state=sent").says("No request here")
	h.get(http.StatusNotFound, "/invoices/invc_none").refused("invoice_unknown")
	h.get(http.StatusOK, own).says("Make the tax invoice over the total")
	document, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.url+Prefix+own+"/request.pdf?language=zh", nil)
	if err != nil {
		t.Fatal(err)
	}
	drawn, err := h.client.Do(document)
	if err != nil || drawn.Header.Get("Content-Type") != "application/pdf" || !strings.Contains(drawn.Header.Get("Content-Disposition"), "IR-CNY-2026-000001.zh.pdf") {
		t.Errorf("the document is %+v, %v", drawn, err)
	}
	_ = drawn.Body.Close()
	page := h.send(http.StatusUnprocessableEntity, own+"/issue", "a.exe", []byte("MZ"), "tax_number", "26-1", "tax_day", "2026-03-12")
	page.refused("file_type")
	page = h.send(http.StatusUnprocessableEntity, own+"/issue", "", nil, "tax_number", "", "tax_day", "tomorrow")
	page.refused("invoice_tax_number")
	page.refused("invoice_tax_day")
	h.send(http.StatusOK, own+"/issue", "发票.pdf", []byte("%PDF-1"), "tax_number", "26-1", "tax_day", "2026-03-12").says("Carrier and tracking number")
	h.get(http.StatusOK, own+"/file")
	h.post(http.StatusConflict, own+"/reject", "reason", "too late").refused("invoice_state")
	h.post(http.StatusUnprocessableEntity, own+"/send", "delivery", " ").refused("invoice_tracking")
	for range 2 {
		h.post(http.StatusOK, own+"/send", "delivery", "SF 1").says("SF 1")
	}
	h.get(http.StatusOK, "/invoices").says("No request here")
	h.get(http.StatusOK, "/invoices?state=sent").says("IR-CNY-2026-000001")
	if got := h.log(r.ID); len(got) != 3 || got[0] != "invoice.sent" || got[2] != "invoice.requested" {
		t.Errorf("the log says %v", got)
	}
	csv, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.url+Prefix+"/invoices.csv?state=all", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := h.client.Do(csv)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var table bytes.Buffer
	if _, err := table.ReadFrom(response.Body); err != nil || !strings.Contains(table.String(), "IR-CNY-2026-000001,sent,acme,") {
		t.Errorf("the table is %q, %v", table.String(), err)
	}
}

func TestTheCashBalanceIsWaivedWithAReason(t *testing.T) {
	t.Parallel()
	h := open(t, false)
	h.signIn()
	page := "/accounts/" + h.payer.ID
	h.post(http.StatusUnprocessableEntity, page+"/invoice-waiver", "to", "on").refused("invoice_waiver_reason")
	h.post(http.StatusOK, page+"/invoice-waiver", "to", "on", "reason", "pays by contract").says("pays by contract")
	h.post(http.StatusOK, page+"/invoice-waiver", "to", "on", "reason", "again").says("pays by contract")
	h.clock.Advance(time.Hour)
	h.post(http.StatusOK, page+"/invoice-waiver", "to", "off").says("Waive the cash balance")
	h.post(http.StatusNotFound, "/accounts/bcac_none/invoice-waiver", "to", "on", "reason", "x")
	if got := h.log(h.payer.ID); len(got) != 2 || got[0] != "invoice_waiver.changed" {
		t.Errorf("the log says %v", got)
	}
}
