package billingcenter

import (
	"context"
	"net/http"
	"regexp"
	"strings"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/id"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/web"
)

// ErrQuoteChanged is a purchase whose terms are no longer those that were shown.
var ErrQuoteChanged = fault.New(fault.Conflict, "card_quote_changed", "What this card does has changed since the page was opened. Read it again below, then buy.")

// BuyCard is the page on which a face is chosen.
type BuyCard struct {
	Frame    web.Frame
	Form     *web.Form
	Currency money.Currency
	Balances wallet.Balances
	Terms    catalog.Cards
}

// ConfirmCard is the page that says what a purchase does before it is made.
type ConfirmCard struct {
	Frame     web.Frame
	Form      *web.Form
	Quote     wallet.Quote
	Balances  wallet.Balances
	Reference string // one purchase per page that was opened
}

const cardsPath = walletPath + "/cards"

var purchaseForm = regexp.MustCompile(`^ref_[0-9a-z]{32}$`)

func (b *Console) buyCardPage(w http.ResponseWriter, r *http.Request) error {
	return b.renderBuyCard(w, r, &web.Form{Values: r.URL.Query()})
}

func (b *Console) renderBuyCard(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	ctx := r.Context()
	a := payer(ctx)
	page := BuyCard{Frame: b.frame(r, web.T(ctx, "wallet.buy.title"), "wallet"), Form: form, Currency: a.Currency}
	terms, err := b.cardTerms(a)
	if err != nil {
		return err
	}
	page.Terms = terms
	if err := b.Store.Read(ctx, func(tx *store.Tx) (err error) {
		page.Balances, err = wallet.BalancesOf(ctx, tx, a.ID, a.Currency)
		return err
	}); err != nil {
		return err
	}
	return web.Render(w, r, form.Status(), buyCardPage(page))
}

// cardTerms are those of the catalogue that holds today.
func (b *Console) cardTerms(a account.Billing) (catalog.Cards, error) {
	v, err := b.Catalog.At(period.DayOf(b.Now(), zoneOf(a.Currency)))
	if err != nil {
		return catalog.Cards{}, err
	}
	if v.Cards.Currency != a.Currency {
		return v.Cards, wallet.ErrCardsNotSold
	}
	return v.Cards, nil
}

// quote is what the purchase comes to, and what there is to pay it from.
func (b *Console) quote(ctx context.Context, tx *store.Tx, a account.Billing, text string) (q wallet.Quote, has wallet.Balances, err error) {
	terms, err := b.cardTerms(a)
	if err != nil {
		return q, has, err
	}
	face, err := money.Parse(strings.TrimSpace(text), a.Currency)
	if err != nil {
		return q, has, fault.From(err).On("amount")
	}
	if has, err = wallet.BalancesOf(ctx, tx, a.ID, a.Currency); err != nil {
		return q, has, err
	}
	q, err = wallet.QuoteCard(a, terms, has, face, b.Now())
	return q, has, err
}

func (b *Console) confirmCardPage(w http.ResponseWriter, r *http.Request) error {
	form := &web.Form{Values: r.URL.Query()}
	return b.renderConfirmCard(w, r, form, nil)
}

// renderConfirmCard shows what the purchase does; wrong is why it was not made.
func (b *Console) renderConfirmCard(w http.ResponseWriter, r *http.Request, form *web.Form, wrong error) error {
	ctx := r.Context()
	page := ConfirmCard{Frame: b.frame(r, web.T(ctx, "wallet.confirm.title"), "wallet"), Form: form, Reference: id.New(id.Reference)}
	err := b.Store.Read(ctx, func(tx *store.Tx) (err error) {
		page.Quote, page.Balances, err = b.quote(ctx, tx, payer(ctx), form.Text("amount"))
		return err
	})
	if form.Refused(err) {
		return b.renderBuyCard(w, r, form)
	}
	if err != nil {
		return err
	}
	form.Refused(wrong)
	return web.Render(w, r, form.Status(), confirmCardPage(page))
}

// terms is what a quote promises, so that nobody buys what was not shown.
func terms(q wallet.Quote) string {
	return strings.Join([]string{
		q.Face.String(), q.FillsDebt.String(), q.Earned.String(), period.DayOf(q.ExpiresAt, zoneOf(q.Face.Currency())).String(),
	}, " ")
}

// buyCard buys once per page that was opened, however often it is sent.
func (b *Console) buyCard(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	if !purchaseForm.MatchString(form.Text("reference")) {
		return b.renderConfirmCard(w, r, form, ErrQuoteChanged)
	}
	cardID := ""
	err = b.Store.Write(ctx, func(tx *store.Tx) (err error) {
		cardID, err = b.purchase(ctx, tx, payer(ctx), form, web.Address(r))
		return err
	})
	if f := fault.From(err); f != nil && f.Kind != fault.Internal {
		return b.renderConfirmCard(w, r, form, err)
	}
	if err != nil {
		return err
	}
	b.say(ctx, "wallet.said.bought")
	return web.SeeOther(w, r, sourcePath(cardID))
}

func (b *Console) purchase(ctx context.Context, tx *store.Tx, a account.Billing, form *web.Form, address string) (string, error) {
	at, key, promised := b.Now(), "card:"+form.Text("reference"), form.Text("terms")
	answer, first, err := tx.ClaimKey(ctx, a.ID, key, promised, at)
	switch {
	case err != nil:
		return "", err
	case !first && answer.Request != promised:
		return "", ErrQuoteChanged
	case !first:
		return answer.Response, nil
	}
	if _, err := tx.LedgerHead(ctx, a.ID); err != nil { // what is shown and what is done see one balance
		return "", err
	}
	q, _, err := b.quote(ctx, tx, a, form.Text("amount"))
	if err != nil {
		return "", err
	}
	if terms(q) != promised {
		return "", ErrQuoteChanged
	}
	sold, err := b.cardTerms(a)
	if err != nil {
		return "", err
	}
	card, err := wallet.BuyCard(ctx, tx, a, sold, q.Face, q.ExpiresAt, at)
	if err != nil {
		return "", err
	}
	if err := tx.AnswerKey(ctx, a.ID, key, http.StatusSeeOther, card.ID); err != nil {
		return "", err
	}
	return card.ID, tx.Audit(ctx, audit.Entry{
		At: at, Actor: a.ID, Address: address, Action: "card.bought", Subject: card.ID,
		Detail: map[string]string{"face": card.Face.String(), "currency": string(card.Face.Currency()), "earned": q.Earned.String()},
	})
}
