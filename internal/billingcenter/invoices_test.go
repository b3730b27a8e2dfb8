package billingcenter

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/attachment"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/invoice"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/web/gallery"
)

var (
	exampleProfile = invoice.Profile{
		ID: "invp_1", AccountID: acme.ID, Type: invoice.Special, Title: "杭州示例电子商务有限公司", TaxNumber: "91330100MA27XXXX1A", Bank: "Example Bank, Hangzhou",
		BankAccount: "6222 0000 1111 2222", RegisteredAddress: "1 Example Road, Hangzhou", RegisteredPhone: "+865710000",
	}
	exampleAddress = invoice.Address{ID: "inva_1", AccountID: acme.ID, Recipient: "李梅 Mei Li", Phone: "13800000000", Email: "finance@acme.example", Postal: "1 Example Road, Hangzhou"}
)

func exampleRequest(state invoice.State) invoice.Request {
	r := invoice.Request{
		ID: "invc_1", Number: "IR-CNY-2026-000007", AccountID: acme.ID, UserName: acme.UserName, Enterprise: account.Enterprise{Company: exampleProfile.Title, TaxpayerID: exampleProfile.TaxNumber},
		Profile: exampleProfile, Address: exampleAddress, Total: cny("10890.30"), State: state, RequestedAt: noon,
		Lines: []invoice.Line{
			{Kind: invoice.Month, ItemID: "stmt_1", Label: "ST-CNY-2026-000012", Month: "2026-02", Day: period.MustParseDay("2026-03-04"), Total: cny("1272.71"), Cash: cny("800.00"), Repaid: cny("90.30"), Amount: cny("890.30")},
			{Kind: invoice.Card, ItemID: "card_1", Label: "card_7f3k2m9q0x4v8b1n6c5z7a2s4d9g0h1j", Day: period.MustParseDay("2026-03-08"), Total: cny("10000"), Cash: cny("10000"), Repaid: cny("0"), Amount: cny("10000")},
		},
	}
	if state == invoice.Issued || state == invoice.Sent {
		r.TaxNumber, r.TaxDay, r.FileID, r.FileName, r.IssuedAt = "26332000000012345678", period.MustParseDay("2026-03-12"), "attc_1", "发票.pdf", noon.Add(time.Hour)
		r.Delivery, r.SentAt = "SF 1234567890", noon.Add(2*time.Hour)
	}
	if !state.Live() {
		r.ClosedAt, r.Reason = noon.Add(time.Hour), "The bank account is not the company's."
	}
	return r
}

func exampleItems() []ItemRow {
	none := cny("0")
	return []ItemRow{
		{invoice.Item{Kind: invoice.Month, ID: "stmt_3", Label: "ST-CNY-2026-000031", Month: "2026-03", At: noon, Total: cny("1500"), Cash: cny("1200.50"), Repaid: none, Rest: []invoice.Rest{{Why: "voucher", Amount: cny("100")}, {Why: "card", Amount: cny("99.50")}, {Why: invoice.StillOwed, Amount: cny("100")}}}, true},
		{invoice.Item{Kind: invoice.Month, ID: "stmt_2", Label: "ST-CNY-2026-000022", Month: "2026-02", At: noon, Total: cny("900"), Cash: cny("500"), Repaid: cny("300"), Rest: []invoice.Rest{{Why: "full_reduction", Amount: cny("50")}, {Why: invoice.RepaidOther, Amount: cny("50")}}, Holder: invoice.Holder{RequestID: "invc_1", Number: "IR-CNY-2026-000007"}}, false},
		{invoice.Item{Kind: invoice.Month, ID: "stmt_1", Label: "ST-CNY-2026-000012", Month: "2026-01", At: noon, Total: cny("120"), Cash: none, Repaid: none, Rest: []invoice.Rest{{Why: "cloud", Amount: cny("120")}}}, false},
		{invoice.Item{Kind: invoice.Card, ID: "card_1", Label: "card_7f3k2m9q0x4v8b1n6c5z7a2s4d9g0h1j", At: noon, Total: cny("10000"), Cash: cny("9000"), Repaid: none, Rest: []invoice.Rest{{Why: "not_cash", Amount: cny("1000")}}}, true},
	}
}

func TestInvoiceGallery(t *testing.T) {
	t.Parallel()
	certified := acme
	certified.Enterprise = account.Enterprise{Company: exampleProfile.Title, TaxpayerID: exampleProfile.TaxNumber}
	list := func(a account.Billing, filtered bool, rows ...invoice.Request) page {
		return func(ctx context.Context) templ.Component {
			return invoicesPage(Invoices{Frame: frame(ctx, "Invoices", "invoices"), Form: web.Blank(), Account: a, Zone: hangzhou, Rows: rows, Filtered: filtered, Pager: web.Pager{Older: invoicesPath + "?after=invc_1"}})
		}
	}
	ask := func(a account.Billing, cash string, form *web.Form, rows []ItemRow, whole bool) page {
		return func(ctx context.Context) templ.Component {
			p := AskInvoice{Frame: frame(ctx, "Request an invoice", "invoices"), Form: form, Account: a, Zone: hangzhou, Rows: rows, Chosen: 2, Total: cny("10200.50"), Cash: cny(cash)}
			if whole {
				p.Profiles, p.Addresses = []invoice.Profile{exampleProfile}, []invoice.Address{exampleAddress}
			}
			return askInvoicePage(p)
		}
	}
	view := func(state invoice.State, form *web.Form) page {
		return func(ctx context.Context) templ.Component {
			return invoicePage(InvoiceView{Frame: frame(ctx, "IR-CNY-2026-000007", "invoices"), Form: form, Request: exampleRequest(state), Zone: hangzhou})
		}
	}
	profiles := func(form *web.Form, changed invoice.Profile, rows ...invoice.Profile) page {
		return func(ctx context.Context) templ.Component {
			return profilesPage(InvoiceProfiles{Frame: frame(ctx, "Profiles", "invoices"), Form: form, Account: certified, Changed: changed, Rows: rows})
		}
	}
	addresses := func(form *web.Form, changed invoice.Address, rows ...invoice.Address) page {
		return func(ctx context.Context) templ.Component {
			return addressesPage(InvoiceAddresses{Frame: frame(ctx, "Addresses", "invoices"), Form: form, Changed: changed, Rows: rows})
		}
	}
	old := exampleProfile
	old.ID, old.Type, old.Title = "invp_2", invoice.Ordinary, "旧名称有限公司"
	states := []gallery.State{
		{Name: "billing-center/invoices-none", Page: list(acme, false)},
		{Name: "billing-center/invoices-none-such", Page: list(certified, true)},
		{Name: "billing-center/invoices", Page: list(certified, false, exampleRequest(invoice.Requested), exampleRequest(invoice.Issued), exampleRequest(invoice.Sent), exampleRequest(invoice.Rejected), exampleRequest(invoice.Withdrawn))},
		{Name: "billing-center/invoice-ask-none", Page: ask(acme, "0", web.Blank(), nil, false)},
		{Name: "billing-center/invoice-ask", Page: ask(certified, "5", web.Blank(), exampleItems(), true)},
		{Name: "billing-center/invoice-ask-wrong", Page: ask(certified, "0", refused(web.Blank(), invoice.ErrNoItems.On("item"), invoice.ErrNoCash, invoice.ErrAddressPost.On("address")), exampleItems(), true)},
		{Name: "billing-center/invoice-ask-bare", Page: ask(acme, "0", web.Blank(), exampleItems(), false)},
		{Name: "billing-center/invoice-profiles-none", Page: profiles(web.Blank("type", "electronic_ordinary"), invoice.Profile{})},
		{Name: "billing-center/invoice-profiles", Page: profiles(refused(web.Blank("type", "vat_special", "title", "Acme"), invoice.ErrTitleCertified.On("title"), invoice.ErrBank.On("bank")), exampleProfile, exampleProfile, old)},
		{Name: "billing-center/invoice-addresses-none", Page: addresses(web.Blank(), invoice.Address{})},
		{Name: "billing-center/invoice-addresses", Page: addresses(refused(web.Blank("recipient", "Mei"), invoice.ErrNowhere.On("email")), exampleAddress, exampleAddress)},
	}
	for _, s := range invoice.States() {
		states = append(states, gallery.State{Name: "billing-center/invoice-" + string(s), Page: view(s, web.Blank())})
	}
	states = append(states, gallery.State{Name: "billing-center/invoice-late", Page: view(invoice.Sent, refused(web.Blank(), invoice.ErrState))})
	gallery.Check(t, states)
}

func TestTheDocumentOfARequestIsDrawnInBothLanguages(t *testing.T) {
	t.Parallel()
	r := exampleRequest(invoice.Issued)
	for range 40 {
		r.Lines = append(r.Lines, r.Lines[0])
	}
	for _, language := range web.Languages() {
		ctx := web.WithLanguage(t.Context(), language, "")
		document, err := drawInvoice(ctx, InvoiceView{Request: r, Zone: hangzhou, Issuer: "Tollgate Operations Ltd"})
		again, errAgain := drawInvoice(ctx, InvoiceView{Request: r, Zone: hangzhou, Issuer: "Tollgate Operations Ltd"})
		if err := errors.Join(err, errAgain); err != nil || !bytes.Equal(document, again) || !bytes.HasPrefix(document, []byte("%PDF-")) {
			t.Fatalf("drawn again it differs, or is none: %v", err)
		}
		if folder := os.Getenv("TOLLGATE_GALLERY"); folder != "" {
			if err := os.WriteFile(filepath.Join(folder, "invoice."+language+".pdf"), document, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// invoiceable is an account with a statement of March, cash left, and a card.
func (h *house) invoiceable(a account.Billing) {
	h.t.Helper()
	h.recharged(a, "904.00", noon.AddDate(0, 0, -10))
	h.spent(h.paidFor(a, a.UserName+"-shop", "cn1"), "2026-03-09", 2_000_000)
	h.stated(a.ID, "2026-03")
	h.write(func(ctx context.Context, tx *store.Tx) error {
		v, err := catalog.Default().At(period.MustParseDay("2026-03-10"))
		if err != nil {
			return err
		}
		_, err = wallet.BuyCard(ctx, tx, a, v.Cards, cny("300"), time.Time{}, h.clock.Now())
		return err
	})
}

func TestAnInvoiceIsRequestedWithoutScript(t *testing.T) {
	t.Parallel()
	h := open(t)
	a := h.payer("acme", money.CNY)
	v := h.signedIn(a)
	v.get(http.StatusOK, "/invoices").says("Not certified")
	v.get(http.StatusOK, "/invoices/new").says("Nothing to invoice yet")
	v.post(http.StatusConflict, "/invoice-profiles", "type", "vat_special", "title", "Acme").refused("not_certified", "")
	h.invoiceable(a)
	v.post(http.StatusOK, "/certification", "company", "Acme Ltd", "taxpayer_id", "91330100")
	h.certify(a, account.CertificationCertified, "")
	page := v.post(http.StatusUnprocessableEntity, "/invoice-profiles", "type", "vat_special", "title", "Acme", "tax_number", "")
	for code, field := range map[string]string{"invoice_title": "title", "taxpayer_id": "tax_number", "invoice_bank": "bank", "invoice_bank_account": "bank_account", "invoice_registered_address": "registered_address", "invoice_registered_phone": "registered_phone"} {
		page.refused(code, field)
	}
	v.post(http.StatusOK, "/invoice-profiles", "type", "electronic_ordinary", "title", "Acme Ltd", "tax_number", "91330100").says("The profile was saved.")
	v.post(http.StatusUnprocessableEntity, "/invoice-addresses", "recipient", "").refused("invoice_recipient", "recipient")
	v.post(http.StatusOK, "/invoice-addresses", "recipient", "Mei", "email", "mei@acme.example").says("The address was saved.")
	page = v.get(http.StatusOK, "/invoices/new")
	page.says("Consumption of 2026-03")
	page.says("Stored-value card")
	profile, _ := page.Find("#profile option").Attr("value")
	address, _ := page.Find("#address option").Attr("value")
	var items []string
	for _, box := range page.Find("input[name=item]").EachIter() {
		value, _ := box.Attr("value")
		items = append(items, value)
	}
	if len(items) != 2 || profile == "" || address == "" {
		t.Fatalf("items %v, profile %q, address %q", items, profile, address)
	}
	page = v.get(http.StatusOK, "/invoices/new?item="+items[0]+"&item="+items[1]) // "Add up"
	page.says("Chosen 2")
	page.says("Invoice total 303.00 CNY")
	hidden := page.Find("#chosen input[type=hidden]")
	if hidden.Length() != 2 {
		t.Errorf("%d items go along", hidden.Length())
	}
	v.post(http.StatusUnprocessableEntity, "/invoices/new", "profile", profile, "address", address).refused("invoice_items_missing", "item")
	v.post(http.StatusNotFound, "/invoices/new", "profile", "invp_none", "address", "inva_none", "item", items[0]).refused("invoice_profile_unknown", "")
	page = v.post(http.StatusOK, "/invoices/new", "profile", profile, "address", address, "item", items[0])
	page.says("IR-CNY-2026-000001")
	page.says("Consumption of 2026-03")
	own := strings.TrimPrefix(page.path, Prefix)
	v.post(http.StatusConflict, "/invoices/new", "profile", profile, "address", address, "item", items[0]).refused("invoice_item_taken", "item")
	v.get(http.StatusOK, "/invoices/new").says("On request IR-CNY-2026-000001")
	v.get(http.StatusOK, "/invoices").says("IR-CNY-2026-000001")
	v.get(http.StatusOK, "/invoices?state=sent").says("No request in this state")
	rows := table(t, v.get(http.StatusOK, "/invoices.csv"))
	if len(rows) != 2 || rows[1][0] != "IR-CNY-2026-000001" || rows[1][11] != "3.00" {
		t.Errorf("the table is %v", rows)
	}
	document := v.get(http.StatusOK, own+"/request.pdf?language=zh")
	if document.header.Get("Content-Type") != "application/pdf" || !strings.HasPrefix(document.body, "%PDF-") {
		t.Error("there is no document")
	}
	v.get(http.StatusUnprocessableEntity, own+"/request.pdf?language=fr")
	v.get(http.StatusNotFound, own+"/file").refused("file_unknown", "")
	h.strange(own, profile, address)
	v.post(http.StatusOK, own+"/withdraw").says("Withdrawn")
	v.post(http.StatusOK, "/invoice-profiles/"+profile+"/delete").says("Requests keep it")
	v.post(http.StatusOK, "/invoice-addresses/"+address, "recipient", "Mei Li", "email", "mei@acme.example").says("Mei Li")
	v.get(http.StatusOK, own).says("91330100")
}

// strange tries what belongs to one account as another one.
func (h *house) strange(own, profile, address string) {
	h.t.Helper()
	rival := h.signedIn(h.payer("rival", money.CNY))
	for _, path := range []string{own, own + "/request.pdf", own + "/file", "/invoice-profiles/" + profile, "/invoice-addresses/" + address} {
		rival.get(http.StatusNotFound, path)
	}
	for _, path := range []string{own + "/withdraw", "/invoice-profiles/" + profile + "/delete", "/invoice-addresses/" + address + "/delete"} {
		rival.post(http.StatusNotFound, path)
	}
}

func TestAnIssuedInvoiceIsDownloadedAndNotWithdrawn(t *testing.T) {
	t.Parallel()
	h := open(t)
	a := h.payer("acme", money.CNY)
	h.invoiceable(a)
	var r invoice.Request
	h.write(func(ctx context.Context, tx *store.Tx) error {
		e := account.Enterprise{Company: "Acme Ltd", TaxpayerID: "9133"}
		if err := tx.SetEnterprise(ctx, a.ID, e); err != nil {
			return err
		}
		p, err := invoice.SaveProfile(ctx, tx, invoice.Profile{AccountID: a.ID, Type: invoice.Electronic, Title: e.Company, TaxNumber: e.TaxpayerID}, "", noon)
		if err != nil {
			return err
		}
		to, err := invoice.SaveAddress(ctx, tx, invoice.Address{AccountID: a.ID, Recipient: "Mei", Email: "mei@acme.example"}, "", noon)
		if err != nil {
			return err
		}
		a.Enterprise = e
		items, err := invoice.Items(ctx, tx, a)
		if err != nil {
			return err
		}
		if r, err = invoice.Ask(ctx, tx, invoice.Asking{AccountID: a.ID, ProfileID: p.ID, AddressID: to.ID, Items: []invoice.Ref{{Kind: items[0].Kind, ID: items[0].ID}}}, noon); err != nil {
			return err
		}
		_, err = invoice.Issue(ctx, tx, invoice.Issuing{RequestID: r.ID, TaxNumber: "26-1", TaxDay: period.MustParseDay("2026-03-01"), File: attachment.Sent{Name: "发票.pdf", Content: []byte("%PDF-1")}, Operator: "oper_1"}, noon)
		return err
	})
	v := h.signedIn(a)
	v.get(http.StatusOK, "/invoices/"+r.ID).says("Issued as 26-1 of 2026-03-01")
	if file := v.get(http.StatusOK, "/invoices/"+r.ID+"/file"); file.body != "%PDF-1" || !strings.HasPrefix(file.header.Get("Content-Disposition"), "attachment") {
		t.Errorf("the file comes as %q, %v", file.body, file.header)
	}
	v.post(http.StatusConflict, "/invoices/"+r.ID+"/withdraw").refused("invoice_state", "")
}
