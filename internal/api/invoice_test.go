package api_test

import (
	"bytes"
	"context"
	"testing"

	"tollgate.dev/client"
	"tollgate.dev/internal/account"
	"tollgate.dev/internal/api"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/wallet"
)

// buyer is a certified account with a card that it bought and cash left.
func (h *house) buyer(name string) (account.Billing, *client.BillingCenter) {
	h.t.Helper()
	a := h.billing(name, money.CNY)
	h.write(func(ctx context.Context, tx *store.Tx) error {
		t, err := wallet.Declare(a, money.MustParse("1000", money.CNY), "TG-1", noon)
		if err != nil {
			return err
		}
		if err := tx.InsertTransfer(ctx, t); err != nil {
			return err
		}
		if _, err := wallet.CreditTransfer(ctx, tx, t.ID, wallet.Arrival{}, nil, wallet.By{Operator: "oper_1"}, noon); err != nil {
			return err
		}
		v, err := catalog.Default().At(period.MustParseDay("2026-03-01"))
		if err != nil {
			return err
		}
		if _, err := wallet.BuyCard(ctx, tx, a, v.Cards, money.MustParse("300", money.CNY), noon.AddDate(1, 0, 0), noon); err != nil {
			return err
		}
		return tx.SetEnterprise(ctx, a.ID, account.Enterprise{Company: "Acme Ltd", TaxpayerID: "9133"})
	})
	return a, h.asBilling(a)
}

func TestAnInvoiceIsRequestedAndIssuedByCalls(t *testing.T) {
	t.Parallel()
	h := open(t, storetest.SQLite(t))
	ctx := t.Context()
	acme, payer := h.buyer("acme")
	ops := h.client.Operator(h.session(api.Operator, h.operator().ID))
	_, err := payer.SaveInvoiceProfile(ctx, client.InvoiceProfile{
		Type: "vat_special", Title: "Acme Ltd", TaxNumber: "9133", BankAccount: "6222 0000", RegisteredAddress: "1 Example Road", RegisteredPhone: "057100000",
	})
	refused(t, err, "invoice_bank")
	profile, err := payer.SaveInvoiceProfile(ctx, client.InvoiceProfile{Type: "electronic_ordinary", Title: "Acme Ltd", TaxNumber: "9133"})
	must(t, profile, err)
	profile.Bank = "Example Bank"
	changed, err := payer.SaveInvoiceProfile(ctx, profile)
	if must(t, changed, err).ID != profile.ID || changed.Bank != "Example Bank" {
		t.Errorf("changed to %+v", changed)
	}
	to, err := payer.SaveInvoiceAddress(ctx, client.InvoiceAddress{Recipient: "Mei", Email: "mei@acme.example"})
	must(t, to, err)
	items, err := payer.InvoiceItems(ctx, client.Page{})
	if len(must(t, items, err).Items) != 1 || !items.Items[0].Free || items.Items[0].Invoiceable.Amount != "300.00" {
		t.Fatalf("items %+v", items.Items)
	}
	wanted := client.InvoiceWanted{ProfileID: profile.ID, AddressID: to.ID, Items: []client.InvoiceRef{{Kind: items.Items[0].Kind, ID: items.Items[0].ID}}}
	key := client.NewKey()
	for range 2 { // sent again with its key
		r, err := payer.RequestInvoice(ctx, key, wanted)
		if must(t, r, err).Number != "IR-CNY-2026-000001" || r.Total.Amount != "300.00" || len(r.Lines) != 1 {
			t.Fatalf("requested %+v", r)
		}
	}
	_, err = payer.RequestInvoice(ctx, client.NewKey(), wanted)
	refused(t, err, "invoice_item_taken")
	open, err := ops.Invoices(ctx, "open", client.Page{Limit: 1})
	if len(must(t, open, err).Items) != 1 {
		t.Fatalf("open are %+v", open.Items)
	}
	one := open.Items[0].ID
	_, err = ops.IssueInvoice(ctx, one, client.TaxInvoice{Number: "26-1", Day: "2026-03-02"})
	refused(t, err, "invoice_tax_day")
	issued, err := ops.IssueInvoice(ctx, one, client.TaxInvoice{Number: "26-1", Day: "2026-03-01", File: &client.File{Name: "a.pdf", Content: []byte("%PDF-1")}})
	if must(t, issued, err).State != "issued" || issued.File != "a.pdf" {
		t.Errorf("issued %+v", issued)
	}
	file, err := payer.InvoiceFile(ctx, one)
	if string(must(t, file, err).Content) != "%PDF-1" {
		t.Errorf("the file is %q", file.Content)
	}
	_, err = payer.WithdrawInvoice(ctx, one)
	refused(t, err, "invoice_state")
	_, err = ops.RejectInvoice(ctx, one, "why")
	refused(t, err, "invoice_state")
	sent, err := ops.SendInvoice(ctx, one, "")
	if must(t, sent, err).Delivery != "mei@acme.example" || sent.SentAt == nil {
		t.Errorf("sent %+v", sent)
	}
	reversed(t, payer, ops, one, wanted)
	if err := payer.DeleteInvoiceProfile(ctx, profile.ID); err != nil {
		t.Error(err)
	}
	own, err := payer.Invoice(ctx, one)
	if must(t, own, err).Profile.Bank != "Example Bank" {
		t.Errorf("kept as %+v", own.Profile)
	}
	h.foreign(one, to.ID)
	h.readsInvoice(acme, ops, one)
}

func TestTheCashBalanceIsWaivedByACall(t *testing.T) {
	t.Parallel()
	h := open(t, storetest.SQLite(t))
	ops, a, ctx := h.client.Operator(h.session(api.Operator, h.operator().ID)), h.billing("acme", money.CNY), t.Context()
	_, err := ops.WaiveInvoiceCash(ctx, a.ID, client.InvoiceWaiver{Waived: true})
	refused(t, err, "invoice_waiver_reason")
	waiver, err := ops.WaiveInvoiceCash(ctx, a.ID, client.InvoiceWaiver{Waived: true, Reason: "by contract"})
	if !must(t, waiver, err).Waived {
		t.Errorf("waived %+v", waiver)
	}
}

// foreign tries what belongs to one account as another one.
func (h *house) foreign(invoiceID, addressID string) {
	h.t.Helper()
	ctx := h.t.Context()
	_, rival := h.buyer("rival")
	_, err := rival.Invoice(ctx, invoiceID)
	refused(h.t, err, "invoice_unknown")
	_, err = rival.WithdrawInvoice(ctx, invoiceID)
	refused(h.t, err, "invoice_unknown")
	refused(h.t, rival.DeleteInvoiceAddress(ctx, addressID), "invoice_address_unknown")
}

// reversed reverses an issued invoice and requests its items anew.
func reversed(t *testing.T, payer *client.BillingCenter, ops *client.Operator, one string, wanted client.InvoiceWanted) {
	t.Helper()
	_, err := ops.ReverseInvoice(t.Context(), one, client.TaxInvoice{Number: "26-1", Day: "2026-03-01"}, "the title is wrong")
	refused(t, err, "invoice_red_number")
	_, err = ops.ReverseInvoice(t.Context(), one, client.TaxInvoice{Number: "26-R1", Day: "2026-02-28"}, "the title is wrong")
	refused(t, err, "invoice_red_day")
	_, err = ops.ReverseInvoice(t.Context(), one, client.TaxInvoice{Number: "26-R1", Day: "2026-03-01"}, " ")
	refused(t, err, "invoice_reason")
	for range 2 {
		red, err := ops.ReverseInvoice(t.Context(), one, client.TaxInvoice{Number: "26-R1", Day: "2026-03-01"}, "the title is wrong")
		if must(t, red, err).State != "reversed" || red.Reversal != "RL-CNY-2026-000001" || red.RedNumber != "26-R1" || red.TaxNumber != "26-1" || red.Reason != "the title is wrong" {
			t.Errorf("reversed %+v", red)
		}
	}
	again, err := payer.RequestInvoice(t.Context(), client.NewKey(), wanted)
	if must(t, again, err).Number != "IR-CNY-2026-000002" {
		t.Errorf("requested anew as %+v", again)
	}
	_, err = ops.IssueInvoice(t.Context(), again.ID, client.TaxInvoice{Number: "26-R1", Day: "2026-03-01"})
	refused(t, err, "invoice_tax_number_taken")
	_, err = ops.ReverseInvoice(t.Context(), again.ID, client.TaxInvoice{Number: "26-R2", Day: "2026-03-01"}, "never issued")
	refused(t, err, "invoice_state")
	books, err := ops.Verify(t.Context())
	if must(t, books, err); !books.Sound {
		t.Errorf("the books: %+v", books.Findings)
	}
}

// readsInvoice reads a request with the account's key, and with that of another one.
func (h *house) readsInvoice(a account.Billing, ops *client.Operator, one string) {
	h.t.Helper()
	ctx := h.t.Context()
	reader := func(a account.Billing) *client.Reader {
		return h.client.Reader(h.key(account.KeyHolder{Scope: account.AccountKeys, ID: a.ID}, a.ID).Token)
	}
	key := reader(a)
	list, err := key.Invoices(ctx, "reversed", client.Page{})
	if len(must(h.t, list, err).Items) != 1 || list.Items[0].ID != one {
		h.t.Errorf("the key lists %+v", list)
	}
	shown, err := key.Invoice(ctx, one)
	if must(h.t, shown, err).AccountID != a.ID || len(shown.Lines) != 1 {
		h.t.Errorf("the key reads %+v", shown)
	}
	english, err := key.InvoiceDocument(ctx, one, "")
	must(h.t, english, err)
	chinese, err := key.InvoiceDocument(ctx, one, "zh")
	must(h.t, chinese, err)
	seen, err := ops.InvoiceDocument(ctx, one, "zh")
	if !bytes.HasPrefix(english, []byte("%PDF-")) || bytes.Equal(english, chinese) || !bytes.Equal(must(h.t, seen, err), chinese) {
		h.t.Errorf("documents of %d, %d and %d bytes", len(english), len(chinese), len(seen))
	}
	file, err := key.InvoiceFile(ctx, one)
	if string(must(h.t, file, err).Content) != "%PDF-1" {
		h.t.Errorf("the file is %q", file.Content)
	}
	_, err = key.InvoiceDocument(ctx, one, "fr")
	refused(h.t, err, "field_invalid")
	other := reader(h.billing("stranger", money.CNY))
	_, err = other.Invoice(ctx, one)
	refused(h.t, err, "invoice_unknown")
	_, err = other.InvoiceDocument(ctx, one, "en")
	refused(h.t, err, "invoice_unknown")
	_, err = other.InvoiceFile(ctx, one)
	refused(h.t, err, "invoice_unknown")
}
