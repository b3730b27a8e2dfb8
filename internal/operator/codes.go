package operator

import (
	"context"
	"encoding/csv"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/web"
)

// Batches is the list of batches of activation codes, with the form of a new one.
type Batches struct {
	Frame web.Frame
	Form  *web.Form
	Rows  []store.BatchRow
	Pager web.Pager
}

// BatchView is one batch and its codes.
type BatchView struct {
	Frame  web.Frame
	Form   *web.Form // of the search for a code's end
	Refuse *web.Form // why a revocation was refused
	Batch  store.BatchRow
	Rows   []store.CodeRow
	Pager  web.Pager
}

// Vouchers is an account's vouchers and cards, with the form that gives one.
type Vouchers struct {
	Frame    web.Frame
	Form     *web.Form
	Account  account.Billing
	Balances wallet.Balances
	Rows     []SourceRow
	Pager    web.Pager
}

// SourceRow is a voucher or card as it stands now.
type SourceRow struct {
	wallet.Source
	State wallet.SourceState
}

const codesPath = Prefix + "/codes"

func batchPath(id string) string { return codesPath + "/" + url.PathEscape(id) }

func vouchersPath(accountID string) string {
	return Prefix + "/accounts/" + url.PathEscape(accountID) + "/vouchers"
}

// vouchers lists the routes of codes, vouchers and cards.
func (o *Console) vouchers() []web.Route {
	const of = Prefix + "/accounts/{account}/vouchers"
	return []web.Route{
		{Method: http.MethodGet, Pattern: codesPath, Needs: needs(account.Look), Handler: o.batchesPage},
		{Method: http.MethodPost, Pattern: codesPath, Needs: needs(account.IssueVouchers), Handler: o.makeBatch},
		{Method: http.MethodGet, Pattern: codesPath + "/{batch}", Needs: needs(account.Look), Handler: o.batchPage},
		{Method: http.MethodPost, Pattern: codesPath + "/{batch}/export", Needs: needs(account.IssueVouchers), Handler: o.exportCodes},
		{Method: http.MethodPost, Pattern: codesPath + "/{batch}/revoke", Needs: needs(account.IssueVouchers), Handler: o.revokeCodes},
		{Method: http.MethodGet, Pattern: of, Needs: needs(account.Look), Handler: o.vouchersPage},
		{Method: http.MethodPost, Pattern: of, Needs: needs(account.IssueVouchers), Handler: o.assignVoucher},
		{Method: http.MethodPost, Pattern: of + "/{source}/withdraw", Needs: needs(account.IssueVouchers), Handler: o.takeBack},
	}
}

func by(r *http.Request) wallet.By {
	return wallet.By{Operator: operator(r.Context()).ID, Address: web.Address(r)}
}

func (o *Console) batchesPage(w http.ResponseWriter, r *http.Request) error {
	return o.renderBatches(w, r, &web.Form{Values: r.URL.Query()})
}

func (o *Console) renderBatches(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	ctx := r.Context()
	page := Batches{Frame: o.frame(r, web.T(ctx, "op.nav.codes"), "codes"), Form: form}
	err := o.Store.Read(ctx, func(tx *store.Tx) (err error) {
		page.Rows, err = tx.Batches(ctx, r.URL.Query().Get("after"), pageSize)
		return err
	})
	if err != nil {
		return err
	}
	if n := len(page.Rows); n == pageSize {
		page.Pager.Older = codesPath + "?after=" + url.QueryEscape(page.Rows[n-1].ID)
	}
	return web.Render(w, r, form.Status(), batchesPage(page))
}

// optionalDay reads a day that may be left out.
func optionalDay(form *web.Form, field string, list *fault.Fields) period.Day {
	text := strings.TrimSpace(form.Text(field))
	if text == "" {
		return period.Day{}
	}
	d, err := period.ParseDay(text)
	if err != nil {
		*list = append(*list, fault.From(err).On(field))
	}
	return d
}

// wholeNumber reads a number that may be left out, which is zero.
func wholeNumber(form *web.Form, field string, wrong *fault.Error, list *fault.Fields) int {
	text := strings.TrimSpace(form.Text(field))
	if text == "" {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		*list = append(*list, wrong.On(field))
	}
	return n
}

// batchOf reads the form of a new batch.
func batchOf(form *web.Form) (wallet.Batch, error) {
	var list fault.Fields
	b := wallet.Batch{
		Payment: wallet.Payment(form.Text("kind")), Note: form.Text("note"), RedeemBy: optionalDay(form, "redeem_by", &list),
		Size:  wholeNumber(form, "size", wallet.ErrBatchSize, &list),
		Holds: wallet.Validity{Days: wholeNumber(form, "days", wallet.ErrBatchValidity, &list), Until: optionalDay(form, "until", &list)},
	}
	currency, err := money.ParseCurrency(form.Text("currency"))
	if err != nil {
		return b, append(list, fault.From(err).On("currency"))
	}
	if b.Face, err = money.Parse(strings.TrimSpace(form.Text("amount")), currency); err != nil {
		list = append(list, fault.From(err).On("amount"))
	}
	return b, list.OrNil()
}

func (o *Console) makeBatch(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	b, err := batchOf(form)
	if err == nil {
		err = o.Store.Write(ctx, func(tx *store.Tx) (err error) {
			b, err = wallet.MakeBatch(ctx, tx, b, by(r), o.Clock.Now())
			return err
		})
	}
	if form.Refused(err) {
		return o.renderBatches(w, r, form)
	}
	if err != nil {
		return err
	}
	o.say(ctx, web.Good, "codes.said.made")
	return web.SeeOther(w, r, batchPath(b.ID))
}

func (o *Console) batchPage(w http.ResponseWriter, r *http.Request) error {
	return o.renderBatch(w, r, web.Blank())
}

func (o *Console) renderBatch(w http.ResponseWriter, r *http.Request, refused *web.Form) error {
	ctx, q := r.Context(), r.URL.Query()
	page := BatchView{Form: &web.Form{Values: q}, Refuse: refused}
	after, err := strconv.Atoi(q.Get("after"))
	if err != nil || after < 0 {
		after = 0 // from the first
	}
	tail := strings.ToUpper(strings.TrimSpace(q.Get("text")))
	err = o.Store.Read(ctx, func(tx *store.Tx) (err error) {
		if page.Batch, err = tx.Batch(ctx, r.PathValue("batch")); err != nil {
			return err
		}
		page.Rows, err = tx.Codes(ctx, page.Batch.ID, tail, after, pageSize)
		return err
	})
	if err != nil {
		return err
	}
	if n := len(page.Rows); n == pageSize {
		page.Pager.Older = batchPath(page.Batch.ID) + "?" + url.Values{"text": {tail}, "after": {strconv.Itoa(page.Rows[n-1].Number)}}.Encode()
	}
	page.Frame = o.frame(r, web.T(ctx, "codes.batch.title"), "codes")
	return web.Render(w, r, refused.Status(), batchPage(page))
}

// exportCodes hands the codes out as a table, once. They are kept nowhere, so
// that a file that is lost means another batch.
func (o *Console) exportCodes(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	var b wallet.Batch
	var codes []string
	err = o.Store.Write(ctx, func(tx *store.Tx) (err error) {
		b, codes, err = wallet.Export(ctx, tx, r.PathValue("batch"), by(r), o.Clock.Now())
		return err
	})
	if form.Refused(err) {
		return o.renderBatch(w, r, form)
	}
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="`+b.ID+`.csv"`)
	h.Set("Cache-Control", "no-store")
	out := csv.NewWriter(w)
	rows := [][]string{{"number", "code", "kind", "face", "currency", "redeem_by", "days", "until"}}
	for i, code := range codes {
		rows = append(rows, []string{
			strconv.Itoa(i + 1), code, string(b.Payment), b.Face.String(), string(b.Face.Currency()), b.RedeemBy.String(), strconv.Itoa(b.Holds.Days), b.Holds.Until.String(),
		})
	}
	_ = out.WriteAll(rows) // whoever hung up must revoke the batch
	return nil
}

func (o *Console) revokeCodes(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	var list fault.Fields
	number := wholeNumber(form, "number", wallet.ErrCodeNotUnused, &list)
	revoked := int64(0)
	if err = list.OrNil(); err == nil {
		err = o.Store.Write(ctx, func(tx *store.Tx) (err error) {
			revoked, err = wallet.Revoke(ctx, tx, r.PathValue("batch"), max(number, 0), by(r), o.Clock.Now())
			return err
		})
	}
	if form.Refused(err) {
		return o.renderBatch(w, r, form)
	}
	if err != nil {
		return err
	}
	o.say(ctx, web.Good, "codes.said.revoked", "count", int(revoked))
	return web.SeeOther(w, r, batchPath(r.PathValue("batch")))
}

func (o *Console) vouchersPage(w http.ResponseWriter, r *http.Request) error {
	return o.renderVouchers(w, r, web.Blank())
}

func (o *Console) renderVouchers(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	ctx := r.Context()
	page := Vouchers{Form: form}
	err := o.Store.Read(ctx, func(tx *store.Tx) (err error) {
		if page.Account, err = tx.BillingByID(ctx, r.PathValue("account")); err != nil {
			return err
		}
		if page.Balances, err = wallet.BalancesOf(ctx, tx, page.Account.ID, page.Account.Currency); err != nil {
			return err
		}
		list, err := tx.SourcesOf(ctx, page.Account.ID, r.URL.Query().Get("after"), pageSize)
		page.Rows = sourceRows(list, o)
		return err
	})
	if err != nil {
		return err
	}
	if n := len(page.Rows); n == pageSize {
		page.Pager.Older = vouchersPath(page.Account.ID) + "?after=" + url.QueryEscape(page.Rows[n-1].ID)
	}
	page.Frame = o.frame(r, page.Account.UserName, "accounts")
	return web.Render(w, r, form.Status(), vouchersPage(page))
}

func sourceRows(list []wallet.Source, o *Console) []SourceRow {
	rows := make([]SourceRow, len(list))
	for i, s := range list {
		rows[i] = SourceRow{s, s.State(o.Clock.Now())}
	}
	return rows
}

// assignVoucher gives once per form that was opened, however often it is sent.
func (o *Console) assignVoucher(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	var list fault.Fields
	a := wallet.Assignment{Payment: wallet.Payment(form.Text("kind")), Through: optionalDay(form, "through", &list), Reason: form.Text("reason")}
	err = o.Store.Write(ctx, func(tx *store.Tx) error {
		payer, err := tx.BillingByID(ctx, r.PathValue("account"))
		if err != nil {
			return err
		}
		if a.Amount, err = money.Parse(strings.TrimSpace(form.Text("amount")), payer.Currency); err != nil {
			return append(list, fault.From(err).On("amount"))
		}
		if len(list) > 0 {
			return list
		}
		return o.assign(ctx, tx, payer, a, form.Text("reference"), by(r))
	})
	if form.Refused(err) {
		return o.renderVouchers(w, r, form)
	}
	if err != nil {
		return err
	}
	o.say(ctx, web.Good, "codes.said.assigned")
	return web.SeeOther(w, r, vouchersPath(r.PathValue("account")))
}

// longestReference bounds the name of a form that was opened.
const longestReference = 64

func (o *Console) assign(ctx context.Context, tx *store.Tx, payer account.Billing, a wallet.Assignment, reference string, by wallet.By) error {
	at := o.Clock.Now()
	asked := strings.Join([]string{payer.ID, string(a.Payment), a.Amount.String(), a.Through.String(), a.Reason}, "\n")
	if reference = reference[:min(len(reference), longestReference)]; reference != "" {
		answer, first, err := tx.ClaimKey(ctx, by.Operator, "assign:"+reference, asked, at)
		switch {
		case err != nil:
			return err
		case !first && answer.Request == asked:
			return nil // sent twice
		case !first:
			return ErrAssigned
		}
	}
	made, err := wallet.Assign(ctx, tx, payer, a, by, at)
	if err != nil || reference == "" {
		return err
	}
	return tx.AnswerKey(ctx, by.Operator, "assign:"+reference, http.StatusSeeOther, made.ID)
}

// ErrAssigned is a form that was sent a second time with other values.
var ErrAssigned = fault.New(fault.Conflict, "assigned_before", "This form was sent before with other values. See the list below, and load the page again to give another one.")

func (o *Console) takeBack(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	err = o.Store.Write(ctx, func(tx *store.Tx) error {
		if _, err := tx.SourceOf(ctx, r.PathValue("account"), r.PathValue("source")); err != nil {
			return err
		}
		_, err := wallet.TakeBack(ctx, tx, r.PathValue("source"), form.Text("reason"), by(r), o.Clock.Now())
		return err
	})
	if form.Refused(err) {
		return o.renderVouchers(w, r, form)
	}
	if err != nil {
		return err
	}
	o.say(ctx, web.Good, "codes.said.taken_back")
	return web.SeeOther(w, r, vouchersPath(r.PathValue("account")))
}
