package billingcenter

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/prepaid"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/topup"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/web"
)

// ErrMovementKind is a filter for a kind of movement that there is not.
var ErrMovementKind = fault.New(fault.Invalid, "movement_kind_unknown", "There is no such kind of movement. Choose one of the list.")

// movementRange reads the filter: days of the account's zone, and a kind.
func (b *Console) movementRange(form *web.Form, c money.Currency) (store.Range, error) {
	first, last, err := b.days(form)
	if err != nil {
		return store.Range{}, err
	}
	zone := zoneOf(c)
	r := store.Range{From: first.Start(zone), Kind: wallet.Kind(form.Text("kind"))}
	if last != utmost {
		r.To = last.End(zone)
	}
	if r.Kind != "" && !slices.Contains(wallet.Kinds(), r.Kind) {
		return r, ErrMovementKind.On("kind")
	}
	return r, nil
}

func (b *Console) movementsPage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	a, form := payer(ctx), &web.Form{Values: r.URL.Query()}
	page := Movements{
		Form: form, Currency: a.Currency, Zone: zoneOf(a.Currency),
		From: strings.TrimSpace(form.Text("from")), To: strings.TrimSpace(form.Text("to")), Kind: form.Text("kind"),
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
	if before > 0 {
		page.Pager.Newer = Prefix + "/movements?" + page.query()
	}
	if n := len(page.Rows); n == pageSize {
		page.Pager.Older = Prefix + "/movements?" + page.query() + "&before=" + strconv.FormatInt(page.Rows[n-1].Number, 10)
	}
	page.Frame = b.frame(r, web.T(ctx, "bc.nav.movements"), "movements")
	return web.Render(w, r, form.Status(), movementsPage(page))
}

// movements reads entries of the account, the newest first, each with the
// balances after it.
func movements(ctx context.Context, tx *store.Tx, a account.Billing, within store.Range, before int64, limit int) ([]MovementRow, error) {
	entries, err := tx.LedgerEntriesIn(ctx, a.ID, within, before, limit)
	if err != nil || len(entries) == 0 {
		return nil, err
	}
	numbers := make([]int64, len(entries))
	for i, e := range entries {
		numbers[i] = e.Number
	}
	after, err := tx.CashAndArrearsAfter(ctx, a.ID, a.Currency, numbers)
	if err != nil {
		return nil, err
	}
	rows := make([]MovementRow, len(entries))
	for i, e := range entries {
		if rows[i], err = rowOf(ctx, tx, e, a.Currency); err != nil {
			return nil, err
		}
		rows[i].Cash, rows[i].Owed = after[i].Cash, after[i].Owed
	}
	return rows, nil
}

// rowOf is an entry as the payer reads it.
func rowOf(ctx context.Context, tx *store.Tx, e wallet.Entry, c money.Currency) (row MovementRow, err error) {
	row = MovementRow{Number: e.Number, ID: e.ID, At: e.At, Kind: e.Kind}
	if row.Amount, row.Parts, err = net(e, c); err != nil {
		return row, err
	}
	row.Cause, row.Href, err = cause(ctx, tx, e)
	return row, err
}

// net is what an entry means for the payer: the sum over the payer's own
// accounts, and the part of each source.
func net(e wallet.Entry, c money.Currency) (money.Amount, []PaidPart, error) {
	total, sums := money.Of(0, c), map[wallet.Account]money.Amount{}
	for _, p := range e.Postings {
		if p.Account.Payer() == "" {
			continue
		}
		var err error
		if total, err = total.Add(p.Amount); err != nil {
			return total, nil, err
		}
		if sums[p.Account], err = sums[p.Account].Add(p.Amount); err != nil {
			return total, nil, err
		}
	}
	var list []PaidPart
	for _, kind := range wallet.Payments() {
		for _, p := range e.Postings {
			if sum, ok := sums[p.Account]; ok && p.Account.Payment() == kind && !sum.IsZero() {
				list = append(list, PaidPart{kind, sum, p.Account.Source()})
				delete(sums, p.Account)
			}
		}
	}
	return total, list, nil
}

// cause says what moved the money, as a person knows it, and where it is shown.
func cause(ctx context.Context, tx *store.Tx, e wallet.Entry) (text, href string, err error) {
	switch e.Kind {
	case wallet.Charge:
		if _, day, ok := bill.Caused(e.Cause); ok {
			return together(ctx, tx, e, day)
		}
		d, err := tx.Bill(ctx, e.Cause)
		if errors.Is(err, bill.ErrUnknown) {
			return e.Cause, "", nil
		}
		return d.Number, Prefix + "/bills/" + e.Cause, err
	case wallet.PackageBought, wallet.PackageDay:
		c, err := tx.PackageCharge(ctx, e.Cause)
		if errors.Is(err, prepaid.ErrChargeUnknown) {
			return e.Cause, "", nil
		}
		if err != nil {
			return "", "", err
		}
		var titles []string
		for _, l := range c.Lines {
			titles = append(titles, chargeTitle(ctx, c.Kind, l.Item))
		}
		return strings.Join(titles, " · "), packagesPath + "/" + c.Package, nil
	case wallet.Deposit:
		t, err := tx.TransferOf(ctx, e.Payer, e.Cause)
		if errors.Is(err, wallet.ErrTransferUnknown) {
			return paymentCause(ctx, tx, e)
		}
		return t.Reference, Prefix + "/recharge/" + e.Cause, err
	case wallet.Adjusted:
		a, err := tx.AdjustmentForUpdate(ctx, e.Cause)
		if errors.Is(err, wallet.ErrAdjustmentUnknown) {
			return e.Cause, "", nil
		}
		if a.BillID == "" {
			return a.Reason, "", err
		}
		return a.Reason + " · " + a.BillNumber, Prefix + "/bills/" + a.BillID, err
	case wallet.VoucherIssued, wallet.CardIssued, wallet.Lapse, wallet.Withdrawal:
		for _, p := range e.Postings {
			if source := p.Account.Source(); source != "" {
				return originOf(ctx, tx, e.Payer, source)
			}
		}
		return originOf(ctx, tx, e.Payer, e.Cause) // all of the card went into arrears
	case wallet.Refund, wallet.Chargeback, wallet.Returned:
		return paymentCause(ctx, tx, e)
	}
	return e.Cause, "", nil
}

// originOf names a voucher or card by how it came about.
func originOf(ctx context.Context, tx *store.Tx, payerID, sourceID string) (text, href string, err error) {
	s, err := tx.SourceOf(ctx, payerID, sourceID)
	if errors.Is(err, wallet.ErrSourceUnknown) {
		return sourceID, "", nil
	}
	return sourceTitle(ctx, s.Payment, s.ID) + " · " + originText(ctx, s), sourcePath(s.ID), err
}

// together names the bills that an entry paid at the close of a day, by the
// first and the last number, and leads to the one or to the list of them.
func together(ctx context.Context, tx *store.Tx, e wallet.Entry, day period.Day) (text, href string, err error) {
	t, err := tx.PaidTogether(ctx, e.Payer, day, e.Number)
	switch {
	case err != nil || t.Bills == 0:
		return e.Cause, "", err
	case t.Bills == 1:
		return t.First, Prefix + "/bills/" + t.ID, nil
	}
	of := BillFilter{From: day.String(), To: day.String(), Entry: e.Number}
	return t.First + " – " + t.Last, Prefix + "/bills?" + of.query(), nil
}

// paymentCause names the channel of a payment and what it calls the money.
func paymentCause(ctx context.Context, tx *store.Tx, e wallet.Entry) (text, href string, err error) {
	p, err := tx.PaymentOf(ctx, e.Payer, e.Cause)
	if errors.Is(err, topup.ErrUnknown) {
		return e.Cause, "", nil
	}
	return web.Name(ctx, "channel", p.Channel) + " " + p.Reference, PaymentPath(p.ID), err
}
