package billingcenter

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/attachment"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/id"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/web"
)

// ErrSentBefore is a form that was sent a second time with another amount.
var ErrSentBefore = fault.New(fault.Conflict, "form_sent_before", "This form was sent before with another amount. See the list below, or send it again as a new transfer.")

// transfersShown bounds the list of bank transfers.
const transfersShown = 100

var referenceForm = regexp.MustCompile(`^TG-[0-9A-Z]{5}-[0-9A-Z]{5}$`)

// freshReference is what the payer puts on the transfer. It stands in the form
// before it is sent, so that a form that is sent twice declares one transfer.
func freshReference() string {
	text := strings.ToUpper(id.Short())
	return "TG-" + text[:5] + "-" + text[5:]
}

func (b *Console) rechargePage(w http.ResponseWriter, r *http.Request) error {
	return b.renderRecharge(w, r, web.Blank("amount", r.URL.Query().Get("amount")), freshReference())
}

func (b *Console) renderRecharge(w http.ResponseWriter, r *http.Request, form *web.Form, reference string) error {
	ctx := r.Context()
	a := payer(ctx)
	page := Recharge{Frame: b.frame(r, web.T(ctx, "bc.nav.recharge"), "recharge"), Form: form, Currency: a.Currency, Zone: zoneOf(a.Currency), Reference: reference, Offers: b.offers(a.Currency), Simulated: b.Simulated, Now: b.Now()}
	err := b.Store.Read(ctx, func(tx *store.Tx) (err error) {
		if page.Balances, err = wallet.BalancesOf(ctx, tx, a.ID, a.Currency); err != nil {
			return err
		}
		if page.Payments, err = tx.PaymentsOf(ctx, a.ID, "", paymentsShown); err != nil {
			return err
		}
		page.Transfers, err = tx.TransfersOf(ctx, a.ID, transfersShown)
		return err
	})
	if err != nil {
		return err
	}
	return web.Render(w, r, form.Status(), rechargePage(page))
}

func (b *Console) recharge(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	form, slip, err := web.ParseUpload(w, r, "slip")
	if err != nil {
		return err
	}
	reference := form.Text("reference")
	if !referenceForm.MatchString(reference) {
		reference = freshReference()
	}
	if channel := form.Text("channel"); channel != "" && channel != byBank {
		return b.begin(w, r, form, reference)
	}
	transferID := ""
	amount, err := typedAmount(form, payer(ctx).Currency)
	if err == nil {
		err = b.Store.Write(ctx, func(tx *store.Tx) (err error) {
			transferID, err = b.declare(ctx, tx, payer(ctx), wallet.Declaration{Amount: amount, Reference: reference, Slip: slip}, web.Address(r))
			return err
		})
	}
	if form.Refused(err) {
		if fault.From(err).Code == ErrSentBefore.Code {
			reference = freshReference()
		}
		return b.renderRecharge(w, r, form, reference)
	}
	if err != nil {
		return err
	}
	return web.SeeOther(w, r, Prefix+"/recharge/"+url.PathEscape(transferID))
}

// typedAmount is what was typed as an amount.
func typedAmount(form *web.Form, c money.Currency) (money.Amount, error) {
	amount, err := money.Parse(strings.TrimSpace(form.Text("amount")), c)
	if err != nil {
		return amount, fault.From(err).On("amount")
	}
	return amount, nil
}

// declare keeps a transfer once per reference and gives its ID.
func (b *Console) declare(ctx context.Context, tx *store.Tx, a account.Billing, d wallet.Declaration, address string) (string, error) {
	key := "transfer:" + d.Reference
	answer, first, err := tx.ClaimKey(ctx, a.ID, key, d.Amount.String(), b.Now())
	switch {
	case err != nil:
		return "", err
	case !first && answer.Request != d.Amount.String():
		return "", ErrSentBefore.On("amount")
	case !first:
		return answer.Response, nil
	}
	t, err := wallet.DeclareTransfer(ctx, tx, a, d, address, b.Now())
	if err != nil {
		return "", err
	}
	return t.ID, tx.AnswerKey(ctx, a.ID, key, http.StatusSeeOther, t.ID)
}

func (b *Console) transferPage(w http.ResponseWriter, r *http.Request) error {
	return b.showTransfer(w, r, web.Blank())
}

func (b *Console) showTransfer(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	ctx := r.Context()
	a := payer(ctx)
	page := TransferView{Frame: b.frame(r, web.T(ctx, "bc.transfer.page"), "recharge"), Form: form, Beneficiary: b.Beneficiary, Zone: zoneOf(a.Currency)}
	err := b.Store.Read(ctx, func(tx *store.Tx) (err error) {
		if page.Transfer, err = tx.TransferOf(ctx, a.ID, r.PathValue("transfer")); err != nil {
			return err
		}
		page.Slips, err = tx.Slips(ctx, page.Transfer.ID)
		return err
	})
	if err != nil {
		return err
	}
	return web.Render(w, r, form.Status(), transferPage(page))
}

// addSlip takes one more slip of a transfer that was declared before.
func (b *Console) addSlip(w http.ResponseWriter, r *http.Request) error {
	form, slip, err := web.ParseUpload(w, r, "slip")
	if err != nil {
		return err
	}
	ctx, id := r.Context(), r.PathValue("transfer")
	err = b.Store.Write(ctx, func(tx *store.Tx) error {
		_, err := wallet.AddSlip(ctx, tx, payer(ctx).ID, id, slip, web.Address(r), b.Now())
		return err
	})
	switch {
	case err == nil:
		b.say(ctx, "bc.transfer.slip_said")
		return web.SeeOther(w, r, Prefix+"/recharge/"+url.PathEscape(id))
	case errors.Is(err, wallet.ErrTransferUnknown) || !form.Refused(err):
		return err
	}
	return b.showTransfer(w, r, form)
}

func (b *Console) transferSlip(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	var f attachment.File
	err := b.Store.Read(ctx, func(tx *store.Tx) error {
		t, err := tx.TransferOf(ctx, payer(ctx).ID, r.PathValue("transfer"))
		if err != nil {
			return err
		}
		f, err = tx.Slip(ctx, t.ID, r.PathValue("slip"))
		return err
	})
	if err != nil {
		return err
	}
	return web.SendFile(w, f)
}
