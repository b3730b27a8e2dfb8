package billingcenter

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/workspace"
)

// Wallet is the page of all that the account can pay with, and of the order in
// which that happens.
type Wallet struct {
	Frame     web.Frame
	Form      *web.Form // of an activation code
	At        time.Time
	Zone      *time.Location
	Currency  money.Currency
	Balances  wallet.Balances
	CardsSold bool
	All       bool // the list shows what is used up, too
	Rows      []wallet.Source
	Pager     web.Pager
	Orders    []OrderView
	PaidAt    time.Time // when the next bills take their money
	Next      *NextBills
}

// OrderView is what pays bills that one method settles, first to last.
type OrderView struct {
	Method site.Method
	Usual  []wallet.Turn
	Except []wallet.Turn // of the items that vouchers do not pay
	Items  []string      // their IDs
}

// NextBills is how the next bills would be paid if each workspace's cost what
// its last one did.
type NextBills struct {
	Bills int
	Total money.Amount
	Parts []PaidPart
}

// SourceView is the page of one voucher or card.
type SourceView struct {
	Frame  web.Frame
	At     time.Time
	Zone   *time.Location
	Source wallet.Source
	Rows   []MovementRow
}

// Bounds of the wallet's page.
const (
	workspacesSampled = 50  // whose last bills the example is made of
	movementsShown    = 200 // of one voucher or card
)

// activationField is the field of the code. Fields that are called code are
// never shown again; this one is, so that a slip can be corrected.
const activationField = "activation_code"

func (b *Console) walletPage(w http.ResponseWriter, r *http.Request) error {
	return b.renderWallet(w, r, &web.Form{Values: r.URL.Query()})
}

func (b *Console) renderWallet(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	ctx := r.Context()
	a, at := payer(ctx), b.Now()
	page := Wallet{Form: form, At: at, Zone: zoneOf(a.Currency), Currency: a.Currency, All: form.Text("show") == "all"}
	today, err := b.Catalog.At(period.DayOf(at, page.Zone))
	if err != nil {
		return err
	}
	page.CardsSold = today.Cards.Currency == a.Currency
	if err := b.Store.Read(ctx, func(tx *store.Tx) error { return page.read(ctx, tx, a, today, form.Text("after")) }); err != nil {
		return err
	}
	page.Frame = b.frame(r, web.T(ctx, "bc.nav.wallet"), "wallet")
	return web.Render(w, r, form.Status(), walletPage(page))
}

// read fills the page from one consistent view.
func (p *Wallet) read(ctx context.Context, tx *store.Tx, a account.Billing, today *catalog.Version, after string) error {
	workspaces, err := tx.WorkspacesPaidBy(ctx, a.ID)
	if err != nil {
		return err
	}
	p.PaidAt = p.At
	next, err := closes(workspaces, p.At)
	if err != nil {
		return err
	}
	if len(next) > 0 {
		p.PaidAt = next[0].At
	}
	var means wallet.Deduction
	if means, p.Balances, err = wallet.Means(ctx, tx, a.ID, a.Currency, p.PaidAt); err != nil {
		return err
	}
	if p.Orders, err = ordersOf(means, methodsOf(workspaces), today); err != nil {
		return err
	}
	if err := p.list(ctx, tx, a.ID, after); err != nil {
		return err
	}
	return p.example(ctx, tx, means, workspaces, today)
}

// list is the vouchers and cards: those that can pay in the order of their
// use, or all of them, the newest first.
func (p *Wallet) list(ctx context.Context, tx *store.Tx, payerID, after string) (err error) {
	if !p.All {
		now, _, err := wallet.Means(ctx, tx, payerID, p.Currency, p.At)
		if err != nil {
			return err
		}
		now.Settlement = site.BillingCenter
		turns, err := now.Order(true)
		for _, t := range turns {
			if t.Source.ID != "" {
				p.Rows = append(p.Rows, t.Source)
			}
		}
		return err
	}
	if p.Rows, err = tx.SourcesOf(ctx, payerID, after, pageSize); err != nil {
		return err
	}
	if after != "" {
		p.Pager.Newer = walletPath + "?show=all"
	}
	if n := len(p.Rows); n == pageSize {
		p.Pager.Older = walletPath + "?show=all&after=" + url.QueryEscape(p.Rows[n-1].ID)
	}
	return nil
}

const walletPath = Prefix + "/wallet"

func sourcePath(id string) string { return walletPath + "/" + url.PathEscape(id) }

// methodsOf lists who settles the workspaces; without one it is the Billing
// Center, where everything begins.
func methodsOf(workspaces []workspace.Workspace) []site.Method {
	used := map[site.Method]bool{}
	for _, w := range workspaces {
		used[w.Settlement] = true
	}
	var methods []site.Method
	for _, m := range site.Methods() {
		if used[m] || len(workspaces) == 0 && m == site.BillingCenter {
			methods = append(methods, m)
		}
	}
	return methods
}

// ordersOf asks the policy itself, with the sources as they are.
func ordersOf(means wallet.Deduction, methods []site.Method, today *catalog.Version) ([]OrderView, error) {
	var orders []OrderView
	for _, m := range methods {
		order := OrderView{Method: m}
		means.Settlement = m
		var err error
		if order.Usual, err = means.Order(true); err != nil {
			return nil, err
		}
		if order.Except, err = means.Order(false); err != nil {
			return nil, err
		}
		for _, item := range today.Items {
			if !item.VoucherPayable {
				order.Items = append(order.Items, item.ID)
			}
		}
		orders = append(orders, order)
	}
	return orders, nil
}

// example pays each workspace's last bill once more, one after the other, from
// what there is now.
func (p *Wallet) example(ctx context.Context, tx *store.Tx, means wallet.Deduction, workspaces []workspace.Workspace, today *catalog.Version) error {
	next := NextBills{Total: money.Of(0, p.Currency)}
	var all [][]wallet.Part
	for _, w := range workspaces[:min(len(workspaces), workspacesSampled)] {
		last, err := tx.BillsOf(ctx, w.ID, earliest, utmost, 1)
		if err != nil {
			return err
		}
		if len(last) == 0 || last[0].Market.Currency != p.Currency || last[0].Total.IsZero() {
			continue
		}
		due := make([]wallet.Due, len(last[0].Lines))
		for i, l := range last[0].Lines {
			item, err := today.Item(l.Item)
			due[i] = wallet.Due{Amount: l.Amount, VoucherPayable: err != nil || item.VoucherPayable}
		}
		means.Settlement = w.Settlement
		parts, err := wallet.Deduct(means, due)
		if err != nil {
			return err
		}
		if means, err = means.Spend(parts); err != nil {
			return err
		}
		next.Bills++
		if next.Total, err = next.Total.Add(last[0].Total); err != nil {
			return err
		}
		all = append(all, parts...)
	}
	if next.Bills == 0 {
		return nil
	}
	var err error
	next.Parts, err = summed(all)
	p.Next = &next
	return err
}

// summed adds the parts of many lines by what paid, in the order of deduction.
func summed(lines [][]wallet.Part) ([]PaidPart, error) {
	var list []PaidPart
	for _, kind := range wallet.Payments() {
		at := map[wallet.Account]int{}
		for _, line := range lines {
			for _, p := range line {
				if p.Payment != kind {
					continue
				}
				i, known := at[p.Account]
				if !known {
					at[p.Account] = len(list)
					list = append(list, PaidPart{kind, p.Amount, p.Account.Source()})
					continue
				}
				var err error
				if list[i].Amount, err = list[i].Amount.Add(p.Amount); err != nil {
					return nil, err
				}
			}
		}
	}
	return list, nil
}

// activate turns a code into a voucher or card. A code that this account has
// used already, such as one that was clicked twice, leads to what came of it.
func (b *Console) activate(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	var made wallet.Source
	err = b.Store.Write(ctx, func(tx *store.Tx) (err error) {
		made, err = wallet.Activate(ctx, tx, wallet.Attempt{Payer: payer(ctx), Text: form.Text(activationField), Address: web.Address(r)}, b.Now())
		if wallet.Counted(err) {
			return store.Keep(err)
		}
		return err
	})
	var f *fault.Error
	if errors.As(err, &f) && f.Args[wallet.OwnSource] != nil {
		id, _ := f.Args[wallet.OwnSource].(string)
		b.web.Say(ctx, web.Accent, web.T(ctx, "wallet.said.yours"))
		return web.SeeOther(w, r, sourcePath(id))
	}
	if errors.As(err, &f) && f.Field == "code" {
		err = f.On(activationField)
	}
	if form.Refused(err) {
		return b.renderWallet(w, r, form)
	}
	if err != nil {
		return err
	}
	b.say(ctx, "wallet.said.activated", "amount", web.Money(made.Face)+" "+string(made.Face.Currency()))
	return web.SeeOther(w, r, sourcePath(made.ID))
}

func (b *Console) sourcePage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	a := payer(ctx)
	page := SourceView{At: b.Now(), Zone: zoneOf(a.Currency)}
	err := b.Store.Read(ctx, func(tx *store.Tx) (err error) {
		if page.Source, err = tx.SourceOf(ctx, a.ID, r.PathValue("source")); err != nil {
			return err
		}
		entries, err := tx.EntriesOfSource(ctx, page.Source, movementsShown)
		if err != nil {
			return err
		}
		for _, e := range entries {
			row, err := rowOf(ctx, tx, e, a.Currency)
			if err != nil {
				return err
			}
			if row.Amount, err = e.On(page.Source.Account); err != nil {
				return err
			}
			page.Rows = append(page.Rows, row)
		}
		return nil
	})
	if err != nil {
		return err
	}
	page.Frame = b.frame(r, web.T(ctx, "wallet.kind."+string(page.Source.Payment)), "wallet")
	return web.Render(w, r, http.StatusOK, sourcePage(page))
}

// purse lists the routes of the wallet.
func (b *Console) purse() []web.Route {
	return []web.Route{
		{Method: http.MethodGet, Pattern: walletPath, Needs: web.SignedIn, Handler: b.walletPage},
		{Method: http.MethodPost, Pattern: walletPath + "/activate", Needs: web.SignedIn, Handler: b.activate},
		{Method: http.MethodGet, Pattern: cardsPath + "/new", Needs: web.SignedIn, Handler: b.buyCardPage},
		{Method: http.MethodGet, Pattern: cardsPath + "/confirm", Needs: web.SignedIn, Handler: b.confirmCardPage},
		{Method: http.MethodPost, Pattern: cardsPath, Needs: web.SignedIn, Handler: b.buyCard},
		{Method: http.MethodGet, Pattern: walletPath + "/{source}", Needs: web.SignedIn, Handler: b.sourcePage},
	}
}
