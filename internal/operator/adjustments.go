package operator

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/web"
)

const adjustmentsPath = Prefix + "/adjustments"

// adjustmentsShown bounds each of the lists.
const adjustmentsShown = 100

// AdjustmentRow is an adjustment with its payer and who is behind it.
type AdjustmentRow struct {
	wallet.Adjustment
	Payer    account.Billing
	Proposer string
	Decider  string
}

// Adjustments is what waits for a second operator, and what was decided lately.
type Adjustments struct {
	Frame    web.Frame
	Proposed []AdjustmentRow
	Decided  []AdjustmentRow
}

// AdjustmentView is one adjustment, to be approved or rejected.
type AdjustmentView struct {
	Frame    web.Frame
	Form     *web.Form
	Row      AdjustmentRow
	Own      bool // proposed by who looks at it
	Balances wallet.Balances
	Cash     money.Amount // after it
	Owed     money.Amount
}

// Adjust is the form in which an adjustment is proposed.
type Adjust struct {
	Frame    web.Frame
	Form     *web.Form
	Account  account.Billing
	Balances wallet.Balances
}

// adjustments are the routes of adjustments.
func (o *Console) adjustments() []web.Route {
	const one, of = adjustmentsPath + "/{adjustment}", Prefix + "/accounts/{account}/adjustments"
	look, adjust := needs(account.Look), needs(account.AdjustBalances)
	return []web.Route{
		{Method: http.MethodGet, Pattern: adjustmentsPath, Needs: look, Handler: o.adjustmentsPage},
		{Method: http.MethodGet, Pattern: one, Needs: look, Handler: o.adjustmentPage},
		{Method: http.MethodPost, Pattern: one + "/approve", Needs: adjust, Handler: o.approveAdjustment},
		{Method: http.MethodPost, Pattern: one + "/reject", Needs: adjust, Handler: o.rejectAdjustment},
		{Method: http.MethodGet, Pattern: of + "/new", Needs: adjust, Handler: o.adjustPage},
		{Method: http.MethodPost, Pattern: of, Needs: adjust, Handler: o.propose},
	}
}

func adjustmentPath(id string) string { return adjustmentsPath + "/" + url.PathEscape(id) }

func adjustPath(accountID string) string {
	return Prefix + "/accounts/" + url.PathEscape(accountID) + "/adjustments"
}

func (o *Console) adjustmentsPage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	page := Adjustments{Frame: o.frame(r, web.T(ctx, "op.nav.adjustments"), "adjustments")}
	err := o.Store.Read(ctx, func(tx *store.Tx) error {
		proposed, err := tx.AdjustmentsProposed(ctx, adjustmentsShown)
		if err != nil {
			return err
		}
		decided, err := tx.AdjustmentsDecided(ctx, adjustmentsShown)
		if err != nil {
			return err
		}
		if page.Proposed, err = adjustmentRows(ctx, tx, proposed); err != nil {
			return err
		}
		page.Decided, err = adjustmentRows(ctx, tx, decided)
		return err
	})
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, adjustmentsView(page))
}

func adjustmentRows(ctx context.Context, tx *store.Tx, list []wallet.Adjustment) ([]AdjustmentRow, error) {
	name := names(ctx, tx)
	rows := make([]AdjustmentRow, len(list))
	for i, a := range list {
		payer, err := tx.BillingByID(ctx, a.AccountID)
		if err != nil {
			return nil, err
		}
		rows[i] = AdjustmentRow{a, payer, name(a.ProposedBy), name(a.DecidedBy)}
	}
	return rows, nil
}

func (o *Console) adjustmentPage(w http.ResponseWriter, r *http.Request) error {
	return o.showAdjustment(w, r, web.Blank())
}

func (o *Console) showAdjustment(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	ctx := r.Context()
	page := AdjustmentView{Form: form}
	err := o.Store.Read(ctx, func(tx *store.Tx) error {
		a, err := tx.AdjustmentForUpdate(ctx, r.PathValue("adjustment"))
		if err != nil {
			return err
		}
		rows, err := adjustmentRows(ctx, tx, []wallet.Adjustment{a})
		if err != nil {
			return err
		}
		page.Row, page.Own = rows[0], a.ProposedBy == operator(ctx).ID
		if page.Balances, err = wallet.BalancesOf(ctx, tx, a.AccountID, a.Amount.Currency()); err != nil {
			return err
		}
		page.Cash, page.Owed, err = a.Effect(page.Balances)
		return err
	})
	if err != nil {
		return err
	}
	page.Frame = o.frame(r, web.T(ctx, "adjust.page"), "adjustments")
	return web.Render(w, r, form.Status(), adjustmentView(page))
}

func (o *Console) approveAdjustment(w http.ResponseWriter, r *http.Request) error {
	return o.decideAdjustment(w, r, "adjust.said.approved", func(tx *store.Tx, id, _ string) error {
		_, err := wallet.ApproveAdjustment(r.Context(), tx, id, by(r), o.Clock.Now())
		return err
	})
}

func (o *Console) rejectAdjustment(w http.ResponseWriter, r *http.Request) error {
	return o.decideAdjustment(w, r, "adjust.said.rejected", func(tx *store.Tx, id, why string) error {
		_, err := wallet.RejectAdjustment(r.Context(), tx, id, why, by(r), o.Clock.Now())
		return err
	})
}

func (o *Console) decideAdjustment(w http.ResponseWriter, r *http.Request, said string, decide func(tx *store.Tx, id, why string) error) error {
	ctx, id := r.Context(), r.PathValue("adjustment")
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	err = o.Store.Write(ctx, func(tx *store.Tx) error { return decide(tx, id, form.Text("reason")) })
	switch {
	case err == nil:
		o.say(ctx, web.Good, said)
		return web.SeeOther(w, r, adjustmentPath(id))
	case errors.Is(err, wallet.ErrAdjustmentUnknown) || !form.Refused(err):
		return err
	}
	return o.showAdjustment(w, r, form)
}

func (o *Console) adjustPage(w http.ResponseWriter, r *http.Request) error {
	return o.showAdjust(w, r, web.Blank())
}

func (o *Console) showAdjust(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	ctx := r.Context()
	page := Adjust{Form: form}
	err := o.Store.Read(ctx, func(tx *store.Tx) (err error) {
		if page.Account, err = tx.BillingByID(ctx, r.PathValue("account")); err != nil {
			return err
		}
		page.Balances, err = wallet.BalancesOf(ctx, tx, page.Account.ID, page.Account.Currency)
		return err
	})
	if err != nil {
		return err
	}
	page.Frame = o.frame(r, web.T(ctx, "adjust.new", "account", page.Account.UserName), "adjustments")
	return web.Render(w, r, form.Status(), adjustView(page))
}

// propose asks for an adjustment of what was typed: an amount above zero and
// whose favour it is in.
func (o *Console) propose(w http.ResponseWriter, r *http.Request) error {
	ctx, accountID := r.Context(), r.PathValue("account")
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	var made wallet.Adjustment
	err = o.Store.Write(ctx, func(tx *store.Tx) error {
		payer, err := tx.BillingByID(ctx, accountID)
		if err != nil {
			return err
		}
		amount, err := adjusted(form, payer.Currency)
		if err != nil {
			return err
		}
		made, err = wallet.Propose(ctx, tx, payer.ID, wallet.AdjustmentDraft{Amount: amount, Reason: form.Text("reason"), Bill: form.Text("bill")}, by(r), o.Clock.Now())
		return err
	})
	switch {
	case err == nil:
		o.say(ctx, web.Good, "adjust.said.proposed")
		return web.SeeOther(w, r, adjustmentPath(made.ID))
	case errors.Is(err, account.ErrUnknown) || !form.Refused(err):
		return err
	}
	return o.showAdjust(w, r, form)
}

// adjusted is the signed amount of the form.
func adjusted(form *web.Form, c money.Currency) (money.Amount, error) {
	amount, err := money.Parse(strings.TrimSpace(form.Text("amount")), c)
	if err != nil {
		return amount, fault.From(err).On("amount")
	}
	if amount.Sign() <= 0 {
		return amount, wallet.ErrNotPositive.On("amount")
	}
	if form.Text("direction") == "against" {
		return amount.Neg(), nil
	}
	return amount, nil
}
