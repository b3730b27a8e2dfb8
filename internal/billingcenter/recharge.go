package billingcenter

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/audit"
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
	form, err := web.Parse(w, r)
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
			transferID, err = b.declare(ctx, tx, payer(ctx), amount, reference, web.Address(r))
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
func (b *Console) declare(ctx context.Context, tx *store.Tx, a account.Billing, amount money.Amount, reference, address string) (string, error) {
	at := b.Now()
	t, err := wallet.Declare(a, amount, reference, at)
	if err != nil {
		return "", err
	}
	answer, first, err := tx.ClaimKey(ctx, a.ID, "transfer:"+reference, amount.String(), at)
	switch {
	case err != nil:
		return "", err
	case !first && answer.Request != amount.String():
		return "", ErrSentBefore.On("amount")
	case !first:
		return answer.Response, nil
	}
	if err := tx.InsertTransfer(ctx, t); err != nil {
		return "", err
	}
	if err := tx.AnswerKey(ctx, a.ID, "transfer:"+reference, http.StatusSeeOther, t.ID); err != nil {
		return "", err
	}
	return t.ID, tx.Audit(ctx, audit.Entry{
		At: at, Actor: a.ID, Address: address, Action: "transfer.declared", Subject: t.ID,
		Detail: map[string]string{"amount": amount.String(), "currency": string(amount.Currency()), "reference": t.Reference},
	})
}

func (b *Console) transferPage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	a := payer(ctx)
	page := TransferView{Frame: b.frame(r, web.T(ctx, "bc.transfer.page"), "recharge"), Beneficiary: b.Beneficiary, Zone: zoneOf(a.Currency)}
	err := b.Store.Read(ctx, func(tx *store.Tx) (err error) {
		page.Transfer, err = tx.TransferOf(ctx, a.ID, r.PathValue("transfer"))
		return err
	})
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, transferPage(page))
}
