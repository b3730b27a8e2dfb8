package billingcenter

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/web"
)

// movementRange reads the filter: days of the account's zone.
func (b *Console) movementRange(form *web.Form, c money.Currency) (store.Range, error) {
	first, last, err := b.days(form)
	if err != nil {
		return store.Range{}, err
	}
	zone := zoneOf(c)
	r := store.Range{From: first.Start(zone)}
	if last != utmost {
		r.To = last.End(zone)
	}
	return r, nil
}

func (b *Console) movementsPage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	a, form := payer(ctx), &web.Form{Values: r.URL.Query()}
	page := Movements{
		Form: form, Currency: a.Currency, Zone: zoneOf(a.Currency),
		From: strings.TrimSpace(form.Text("from")), To: strings.TrimSpace(form.Text("to")),
	}
	within, err := b.movementRange(form, a.Currency)
	wrong := form.Refused(err)
	if err != nil && !wrong {
		return err
	}
	before, err := strconv.ParseInt(form.Text("before"), 10, 64)
	if err != nil || before < 0 {
		before = 0 // the newest
	}
	if !wrong {
		err := b.Store.Read(ctx, func(tx *store.Tx) (err error) {
			page.Rows, err = movements(ctx, tx, a, within, before, pageSize)
			return err
		})
		if err != nil {
			return err
		}
	}
	query := BillFilter{From: page.From, To: page.To}.query()
	if before > 0 {
		page.Pager.Newer = Prefix + "/movements?" + query
	}
	if n := len(page.Rows); n == pageSize {
		page.Pager.Older = Prefix + "/movements?" + query + "&before=" + strconv.FormatInt(page.Rows[n-1].Number, 10)
	}
	page.Frame = b.frame(r, web.T(ctx, "bc.nav.movements"), "movements")
	return web.Render(w, r, form.Status(), movementsPage(page))
}

// movements reads entries of the account, the newest first, each with the
// balances after it.
func movements(ctx context.Context, tx *store.Tx, a account.Billing, within store.Range, before int64, limit int) ([]MovementRow, error) {
	entries, err := tx.LedgerEntriesIn(ctx, a.ID, within, before, limit)
	if err != nil {
		return nil, err
	}
	rows := make([]MovementRow, len(entries))
	for i, e := range entries {
		row := &rows[i]
		*row = MovementRow{Number: e.Number, ID: e.ID, At: e.At, Kind: e.Kind}
		if i == 0 || rows[i-1].Number != e.Number+1 {
			after, err := tx.BalancesAfter(ctx, a.ID, a.Currency, e.Number)
			if err != nil {
				return nil, err
			}
			row.Cash, row.Owed = after.Cash, after.Owed
		} else if row.Cash, row.Owed, err = undo(entries[i-1], rows[i-1]); err != nil {
			return nil, err
		}
		if row.Amount, row.Parts, err = net(e, a.Currency); err != nil {
			return nil, err
		}
		if row.Cause, row.Href, err = cause(ctx, tx, e); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// undo gives the balances before an entry from those after it.
func undo(e wallet.Entry, after MovementRow) (cash, owed money.Amount, err error) {
	cash, owed = after.Cash, after.Owed
	for _, p := range e.Postings {
		switch p.Account {
		case wallet.Cash(e.Payer):
			cash, err = cash.Sub(p.Amount)
		case wallet.Arrears(e.Payer):
			owed, err = owed.Add(p.Amount)
		}
		if err != nil {
			return cash, owed, err
		}
	}
	return cash, owed, nil
}

// payments tells a payer's kinds of account by how the books name them.
var payments = map[string]wallet.Payment{
	"cash": wallet.ByCash, "arrears": wallet.Owed, "voucher": wallet.ByVoucher,
	"full_reduction": wallet.ByFullReduction, "card": wallet.ByCard,
}

// net is what an entry means for the payer: the sum over the payer's own
// accounts, and the part of each kind of source.
func net(e wallet.Entry, c money.Currency) (money.Amount, []PaidPart, error) {
	total, sums := money.Of(0, c), map[wallet.Payment]money.Amount{}
	for _, p := range e.Postings {
		if p.Account.Payer() == "" {
			continue
		}
		kind, _, _ := strings.Cut(string(p.Account), ":")
		var err error
		if total, err = total.Add(p.Amount); err != nil {
			return total, nil, err
		}
		if sums[payments[kind]], err = sums[payments[kind]].Add(p.Amount); err != nil {
			return total, nil, err
		}
	}
	var list []PaidPart
	for _, kind := range wallet.Payments() {
		if a := sums[kind]; !a.IsZero() {
			list = append(list, PaidPart{kind, a})
		}
	}
	return total, list, nil
}

// cause says what moved the money, as a person knows it, and where it is shown.
func cause(ctx context.Context, tx *store.Tx, e wallet.Entry) (text, href string, err error) {
	switch e.Kind {
	case wallet.Charge:
		d, err := tx.Bill(ctx, e.Cause)
		if errors.Is(err, bill.ErrUnknown) {
			return e.Cause, "", nil
		}
		return d.Number, Prefix + "/bills/" + e.Cause, err
	case wallet.Deposit:
		t, err := tx.TransferOf(ctx, e.Payer, e.Cause)
		if errors.Is(err, wallet.ErrTransferUnknown) {
			return e.Cause, "", nil
		}
		return t.Reference, Prefix + "/recharge/" + e.Cause, err
	}
	return e.Cause, "", nil
}
