package operator

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/attachment"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/web"
)

const transfersPath = Prefix + "/transfers"

// TransferRow is a bank transfer with its payer and who is behind it.
type TransferRow struct {
	wallet.Transfer
	Payer    account.Billing
	Proposer string
	Decider  string
}

// Transfers is what waits for a second operator, what waits to be credited,
// and what was decided lately.
type Transfers struct {
	Frame    web.Frame
	Limits   wallet.Limits
	Proposed []TransferRow
	Declared []TransferRow
	Decided  []TransferRow
}

// TransferView is one transfer, to be credited, approved or rejected.
type TransferView struct {
	Frame    web.Frame
	Form     *web.Form
	Row      TransferRow
	Slips    []attachment.File
	Limits   wallet.Limits
	Own      bool // what arrived was entered by who looks at it
	Balances wallet.Balances
	Cash     money.Amount // after it
	Owed     money.Amount
}

// transfersShown bounds each of the lists.
const transfersShown = 100

// transferRoutes are the routes of bank transfers.
func (o *Console) transferRoutes() []web.Route {
	const one = transfersPath + "/{transfer}"
	look, credit := needs(account.Look), needs(account.CreditMoney)
	return []web.Route{
		{Method: http.MethodGet, Pattern: transfersPath, Needs: look, Handler: o.transfersPage},
		{Method: http.MethodGet, Pattern: one, Needs: look, Handler: o.transferPage},
		{Method: http.MethodGet, Pattern: one + "/slips/{slip}", Needs: credit, Handler: o.transferSlip},
		{Method: http.MethodPost, Pattern: one + "/credit", Needs: credit, Handler: o.creditTransfer},
		{Method: http.MethodPost, Pattern: one + "/approve", Needs: credit, Handler: o.approveTransfer},
		{Method: http.MethodPost, Pattern: one + "/return", Needs: credit, Handler: o.returnTransfer},
		{Method: http.MethodPost, Pattern: one + "/reject", Needs: credit, Handler: o.rejectTransfer},
	}
}

func transferPath(id string) string { return transfersPath + "/" + url.PathEscape(id) }

func (o *Console) transfersPage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	page := Transfers{Frame: o.frame(r, web.T(ctx, "op.nav.transfers"), "transfers"), Limits: o.Limits}
	err := o.Store.Read(ctx, func(tx *store.Tx) error {
		for _, part := range []struct {
			rows *[]TransferRow
			read func() ([]wallet.Transfer, error)
		}{
			{&page.Proposed, func() ([]wallet.Transfer, error) { return tx.TransfersIn(ctx, wallet.Proposed, transfersShown) }},
			{&page.Declared, func() ([]wallet.Transfer, error) { return tx.TransfersIn(ctx, wallet.Declared, transfersShown) }},
			{&page.Decided, func() ([]wallet.Transfer, error) { return tx.TransfersDecided(ctx, transfersShown) }},
		} {
			list, err := part.read()
			if err != nil {
				return err
			}
			if *part.rows, err = transferRows(ctx, tx, list); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, transfersPage(page))
}

func transferRows(ctx context.Context, tx *store.Tx, list []wallet.Transfer) ([]TransferRow, error) {
	payers, name := map[string]account.Billing{}, names(ctx, tx)
	rows := make([]TransferRow, len(list))
	for i, t := range list {
		a, ok := payers[t.AccountID]
		if !ok {
			var err error
			if a, err = tx.BillingByID(ctx, t.AccountID); err != nil {
				return nil, err
			}
			payers[t.AccountID] = a
		}
		rows[i] = TransferRow{t, a, name(t.ProposedBy), name(t.DecidedBy)}
	}
	return rows, nil
}

// names gives the names of operators, and of one who is unknown the ID.
func names(ctx context.Context, tx *store.Tx) func(id string) string {
	known := map[string]string{"": ""}
	return func(id string) string {
		if _, ok := known[id]; !ok {
			by, err := tx.OperatorByID(ctx, id)
			if known[id] = by.Name; err != nil {
				known[id] = id
			}
		}
		return known[id]
	}
}

func (o *Console) transferPage(w http.ResponseWriter, r *http.Request) error {
	return o.renderTransfer(w, r, web.Blank())
}

func (o *Console) renderTransfer(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	ctx := r.Context()
	page := TransferView{Frame: o.frame(r, web.T(ctx, "op.transfer.page"), "transfers"), Form: form, Limits: o.Limits}
	err := o.Store.Read(ctx, func(tx *store.Tx) (err error) {
		t, err := tx.TransferForUpdate(ctx, r.PathValue("transfer"))
		if err != nil {
			return err
		}
		rows, err := transferRows(ctx, tx, []wallet.Transfer{t})
		if err != nil {
			return err
		}
		page.Row, page.Own = rows[0], t.ProposedBy == operator(ctx).ID
		if page.Slips, err = tx.Slips(ctx, t.ID); err != nil {
			return err
		}
		if page.Balances, err = wallet.BalancesOf(ctx, tx, t.AccountID, t.Amount.Currency()); err != nil || t.State != wallet.Proposed {
			return err
		}
		page.Cash, page.Owed, err = t.Effect(page.Balances)
		return err
	})
	if err != nil {
		return err
	}
	return web.Render(w, r, form.Status(), transferPage(page))
}

// transferSlip hands out a file of the payer's, to those who credit money.
func (o *Console) transferSlip(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	var f attachment.File
	err := o.Store.Read(ctx, func(tx *store.Tx) (err error) {
		f, err = tx.Slip(ctx, r.PathValue("transfer"), r.PathValue("slip"))
		return err
	})
	if err != nil {
		return err
	}
	return web.SendFile(w, f)
}

// creditTransfer credits once; a second click finds it credited. Above the
// limit it waits for another operator.
func (o *Console) creditTransfer(w http.ResponseWriter, r *http.Request) error {
	return o.decideTransfer(w, r, func(tx *store.Tx, id string, form *web.Form) (wallet.Transfer, error) {
		arrived, err := arrivalOf(r.Context(), tx, id, form)
		if err != nil {
			return wallet.Transfer{}, err
		}
		return wallet.CreditTransfer(r.Context(), tx, id, arrived, o.Limits, by(r), o.Clock.Now())
	})
}

// arrivalOf is what was typed as the amount that arrived.
func arrivalOf(ctx context.Context, tx *store.Tx, transferID string, form *web.Form) (wallet.Arrival, error) {
	t, err := tx.TransferForUpdate(ctx, transferID)
	if err != nil {
		return wallet.Arrival{}, err
	}
	amount, err := money.Parse(strings.TrimSpace(form.Text("amount")), t.Amount.Currency())
	if err != nil {
		return wallet.Arrival{}, fault.From(err).On("amount")
	}
	if amount.Sign() <= 0 {
		return wallet.Arrival{}, wallet.ErrNotPositive.On("amount")
	}
	return wallet.Arrival{Amount: amount, Why: form.Text("difference")}, nil
}

func (o *Console) approveTransfer(w http.ResponseWriter, r *http.Request) error {
	return o.decideTransfer(w, r, func(tx *store.Tx, id string, _ *web.Form) (wallet.Transfer, error) {
		return wallet.ApproveTransfer(r.Context(), tx, id, by(r), o.Clock.Now())
	})
}

func (o *Console) returnTransfer(w http.ResponseWriter, r *http.Request) error {
	return o.decideTransfer(w, r, func(tx *store.Tx, id string, form *web.Form) (wallet.Transfer, error) {
		t, err := wallet.ReturnTransfer(r.Context(), tx, id, form.Text("why"), by(r), o.Clock.Now())
		if errors.Is(err, wallet.ErrReason) { // the page has two fields for reasons
			err = wallet.ErrReason.On("why")
		}
		return t, err
	})
}

func (o *Console) rejectTransfer(w http.ResponseWriter, r *http.Request) error {
	return o.decideTransfer(w, r, func(tx *store.Tx, id string, form *web.Form) (wallet.Transfer, error) {
		return wallet.RejectTransfer(r.Context(), tx, id, form.Text("reason"), by(r), o.Clock.Now())
	})
}

// transferSaid is what a decision is answered with, by the state that it left.
var transferSaid = map[wallet.TransferState]string{
	wallet.Declared: "op.said.returned", wallet.Proposed: "op.said.proposed", wallet.Credited: "op.said.credited", wallet.Rejected: "op.said.rejected",
}

func (o *Console) decideTransfer(w http.ResponseWriter, r *http.Request, do func(tx *store.Tx, id string, form *web.Form) (wallet.Transfer, error)) error {
	ctx := r.Context()
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	var t wallet.Transfer
	err = o.Store.Write(ctx, func(tx *store.Tx) (err error) {
		t, err = do(tx, r.PathValue("transfer"), form)
		return err
	})
	if form.Refused(err) {
		return o.renderTransfer(w, r, form)
	}
	if err != nil {
		return err
	}
	o.say(ctx, web.Good, transferSaid[t.State])
	return web.SeeOther(w, r, transferPath(t.ID))
}

// limitsText names the amounts above which two operators credit.
func limitsText(ctx context.Context, l wallet.Limits) string {
	var parts []string
	for _, c := range money.Currencies() {
		if most, ok := l[c]; ok {
			parts = append(parts, web.Money(most)+" "+string(c))
		}
	}
	if len(parts) == 0 {
		return web.T(ctx, "op.transfers.no_limit")
	}
	return web.T(ctx, "op.transfers.limit", "limits", strings.Join(parts, " · "))
}
