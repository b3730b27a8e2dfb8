package operator

import (
	"context"
	"net/http"
	"net/url"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/web"
)

// TransferRow is a bank transfer with its payer.
type TransferRow struct {
	wallet.Transfer
	Payer account.Billing
}

// Transfers is what waits to be credited, and what was decided lately.
type Transfers struct {
	Frame    web.Frame
	Declared []TransferRow
	Decided  []TransferRow
}

// TransferView is one transfer, to be credited or rejected.
type TransferView struct {
	Frame    web.Frame
	Form     *web.Form
	Row      TransferRow
	Decider  string // who decided it
	Balances wallet.Balances
}

// transfersShown bounds each of the two lists.
const transfersShown = 100

func (o *Console) transfersPage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	page := Transfers{Frame: o.frame(r, web.T(ctx, "op.nav.transfers"), "transfers")}
	err := o.Store.Read(ctx, func(tx *store.Tx) error {
		declared, err := tx.TransfersIn(ctx, wallet.Declared, transfersShown)
		if err != nil {
			return err
		}
		decided, err := tx.TransfersDecided(ctx, transfersShown)
		if err != nil {
			return err
		}
		if page.Declared, err = withPayers(ctx, tx, declared); err != nil {
			return err
		}
		page.Decided, err = withPayers(ctx, tx, decided)
		return err
	})
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, transfersPage(page))
}

func withPayers(ctx context.Context, tx *store.Tx, list []wallet.Transfer) ([]TransferRow, error) {
	known := map[string]account.Billing{}
	rows := make([]TransferRow, len(list))
	for i, t := range list {
		a, ok := known[t.AccountID]
		if !ok {
			var err error
			if a, err = tx.BillingByID(ctx, t.AccountID); err != nil {
				return nil, err
			}
			known[t.AccountID] = a
		}
		rows[i] = TransferRow{t, a}
	}
	return rows, nil
}

func (o *Console) transferPage(w http.ResponseWriter, r *http.Request) error {
	return o.renderTransfer(w, r, web.Blank())
}

func (o *Console) renderTransfer(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	ctx := r.Context()
	page := TransferView{Frame: o.frame(r, web.T(ctx, "op.transfer.page"), "transfers"), Form: form}
	err := o.Store.Read(ctx, func(tx *store.Tx) (err error) {
		t, err := tx.TransferForUpdate(ctx, r.PathValue("transfer"))
		if err != nil {
			return err
		}
		a, err := tx.BillingByID(ctx, t.AccountID)
		if err != nil {
			return err
		}
		page.Row = TransferRow{t, a}
		if t.DecidedBy != "" {
			by, err := tx.OperatorByID(ctx, t.DecidedBy)
			if err != nil {
				return err
			}
			page.Decider = by.Name
		}
		page.Balances, err = wallet.BalancesOf(ctx, tx, a.ID, a.Currency)
		return err
	})
	if err != nil {
		return err
	}
	return web.Render(w, r, form.Status(), transferPage(page))
}

// creditTransfer credits once; a second click finds it credited.
func (o *Console) creditTransfer(w http.ResponseWriter, r *http.Request) error {
	return o.decide(w, r, "transfer.credited", "op.said.credited", func(ctx context.Context, tx *store.Tx, id, _ string) (wallet.Transfer, error) {
		return wallet.CreditTransfer(ctx, tx, id, operator(ctx).ID, o.Clock.Now())
	})
}

func (o *Console) rejectTransfer(w http.ResponseWriter, r *http.Request) error {
	return o.decide(w, r, "transfer.rejected", "op.said.rejected", func(ctx context.Context, tx *store.Tx, id, reason string) (wallet.Transfer, error) {
		return wallet.RejectTransfer(ctx, tx, id, operator(ctx).ID, reason, o.Clock.Now())
	})
}

// decide makes the decision and writes it to the audit log, once.
func (o *Console) decide(w http.ResponseWriter, r *http.Request, action, said string, do func(ctx context.Context, tx *store.Tx, id, reason string) (wallet.Transfer, error)) error {
	ctx := r.Context()
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	id := r.PathValue("transfer")
	err = o.Store.Write(ctx, func(tx *store.Tx) error {
		before, err := tx.TransferForUpdate(ctx, id)
		if err != nil {
			return err
		}
		t, err := do(ctx, tx, id, form.Text("reason"))
		if err != nil || before.State == t.State {
			return err
		}
		detail := map[string]string{"amount": t.Amount.String(), "currency": string(t.Amount.Currency()), "payer": t.AccountID, "reference": t.Reference}
		if t.Reason != "" {
			detail["reason"] = t.Reason
		}
		return tx.Audit(ctx, audit.Entry{At: o.Clock.Now(), Actor: operator(ctx).ID, Address: web.Address(r), Action: action, Subject: t.ID, Detail: detail})
	})
	if form.Refused(err) {
		return o.renderTransfer(w, r, form)
	}
	if err != nil {
		return err
	}
	o.say(ctx, web.Good, said)
	return web.SeeOther(w, r, Prefix+"/transfers/"+url.PathEscape(id))
}
