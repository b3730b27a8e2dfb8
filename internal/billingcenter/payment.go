package billingcenter

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"tollgate.dev/internal/money"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/topup"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/web"
)

// byBank is the choice of a bank transfer, beside the payment channels.
const byBank = "bank"

// paymentsShown bounds the list of online payments.
const paymentsShown = 50

// PaymentPath is where a payer sees a payment, and comes back to from its
// channel.
func PaymentPath(paymentID string) string {
	return Prefix + "/recharge/payments/" + url.PathEscape(paymentID)
}

// PaymentView is the page of one online payment.
type PaymentView struct {
	Frame     web.Frame
	Payment   topup.Payment
	Balances  wallet.Balances
	Zone      *time.Location
	From      string // paid or left: where the payer comes from. It is only said, never proven.
	Simulated bool
}

// payments are the routes of online payments.
func (b *Console) payments() []web.Route {
	const one = Prefix + "/recharge/payments/{payment}"
	return []web.Route{
		{Method: http.MethodGet, Pattern: one, Needs: web.SignedIn, Handler: b.paymentPage},
		{Method: http.MethodPost, Pattern: one + "/again", Needs: web.SignedIn, Handler: b.openAgain},
	}
}

// offers are the channels that the payer may choose.
func (b *Console) offers(c money.Currency) []topup.Name {
	if b.Topups == nil {
		return nil
	}
	return b.Topups.Offers(c)
}

// begin starts an online payment and leads to its page. The reference that
// stood in the form makes it one, however often it is sent.
func (b *Console) begin(w http.ResponseWriter, r *http.Request, form *web.Form, reference string) error {
	ctx := r.Context()
	amount, err := typedAmount(form, payer(ctx).Currency)
	var p topup.Payment
	if err == nil && b.Topups == nil {
		err = topup.ErrChannel.On("channel")
	}
	if err == nil {
		p, _, err = b.Topups.Begin(ctx, topup.Wish{
			Payer: payer(ctx), Channel: topup.Name(form.Text("channel")), Amount: amount, Key: "page:" + reference, Address: web.Address(r),
		}, b.Now())
	}
	if errors.Is(err, topup.ErrUnavailable) || errors.Is(err, topup.ErrRefused) {
		b.Log.Warn("a payment channel did not take a payment", "payment", p.ID, "channel", p.Channel, "err", err)
	}
	if form.Refused(err) {
		if form.Faults[0].Code == topup.ErrKeyReused.Code {
			reference = freshReference()
		}
		return b.renderRecharge(w, r, form, reference)
	}
	if err != nil {
		return err
	}
	return web.SeeOther(w, r, PaymentPath(p.ID))
}

// openAgain tells the channel of a payment of which it did not hear at first.
func (b *Console) openAgain(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	p, err := b.paymentOf(ctx, r.PathValue("payment"))
	if err != nil {
		return err
	}
	if b.Topups != nil && p.State == topup.Created {
		if p, _, err = b.Topups.Begin(ctx, topup.Wish{Payer: payer(ctx), Channel: p.Channel, Amount: p.Amount, Key: p.Key, Address: web.Address(r)}, b.Now()); err != nil {
			return err
		}
	}
	return web.SeeOther(w, r, PaymentPath(p.ID))
}

func (b *Console) paymentOf(ctx context.Context, id string) (p topup.Payment, err error) {
	err = b.Store.Read(ctx, func(tx *store.Tx) (err error) {
		p, err = tx.PaymentOf(ctx, payer(ctx).ID, id)
		return err
	})
	return p, err
}

// paymentPage shows how a payment stands. Whoever comes back from the channel
// brings no proof: it is asked, and its own word counts.
func (b *Console) paymentPage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	a := payer(ctx)
	page := PaymentView{Zone: zoneOf(a.Currency), Simulated: b.Simulated}
	if from := r.URL.Query().Get("from"); from == "paid" || from == "left" {
		page.From = from
	}
	err := b.Store.Read(ctx, func(tx *store.Tx) (err error) {
		if page.Payment, err = tx.PaymentOf(ctx, a.ID, r.PathValue("payment")); err != nil {
			return err
		}
		page.Balances, err = wallet.BalancesOf(ctx, tx, a.ID, a.Currency)
		return err
	})
	if err != nil {
		return err
	}
	if p := page.Payment; page.From != "" && p.State == topup.Pending && p.Asks == 0 && p.NextAskAt.After(b.Now()) {
		if err := b.Store.Write(ctx, func(tx *store.Tx) error { return tx.HastenAsk(ctx, a.ID, p.ID, b.Now()) }); err != nil {
			return err
		}
	}
	page.Frame = b.frame(r, web.T(ctx, "topup.page"), "recharge")
	return web.Render(w, r, http.StatusOK, paymentPage(page))
}

// notice is the sentence on the payment's state.
func (p PaymentView) notice(ctx context.Context) web.Notice {
	key, tone := string(p.Payment.State), web.Accent
	switch p.Payment.State {
	case topup.Pending:
		switch p.From {
		case "paid":
			key = "returned"
		case "left":
			key, tone = "left", web.Warn
		}
	case topup.Credited, topup.DisputeWon:
		tone = web.Good
	case topup.Failed, topup.Disputed, topup.DisputeLost:
		tone = web.Bad
	case topup.Created, topup.Expired, topup.Refunded:
		tone = web.Warn
	}
	return web.Notice{
		Tone: tone, Title: web.T(ctx, "topup.head."+key),
		Text: web.T(ctx, "topup.says."+key, "channel", web.Name(ctx, "channel", p.Payment.Channel)),
	}
}

// moves reports whether the page will soon say something else by itself.
func (p PaymentView) moves() bool {
	return p.Payment.State == topup.Paid || p.Payment.State == topup.Pending && p.From == "paid"
}

// path is the page's own address, with where the payer comes from.
func (p PaymentView) path() string {
	if p.From == "" {
		return PaymentPath(p.Payment.ID)
	}
	return PaymentPath(p.Payment.ID) + "?from=" + p.From
}

// text is an instant in the zone of the payer's account.
func (p PaymentView) text(at time.Time) string {
	return web.Instant(at, p.Zone) + " " + web.Zone(at, p.Zone)
}

// facts are what is known of the payment.
func (p PaymentView) facts(ctx context.Context) []web.Pair {
	pay := p.Payment
	currency := " " + string(pay.Amount.Currency())
	list := []web.Pair{
		{Term: web.T(ctx, "topup.amount"), Text: web.Money(pay.Amount) + currency},
		{Term: web.T(ctx, "topup.channel"), Text: web.Name(ctx, "channel", pay.Channel)},
		{Term: web.T(ctx, "topup.begun"), Text: p.text(pay.CreatedAt)},
	}
	if pay.State == topup.Pending {
		list = append(list, web.Pair{Term: web.T(ctx, "topup.payable_until"), Text: p.text(pay.ExpiresAt)})
	}
	if pay.State.Unpaid() && !p.Balances.Owed.IsZero() {
		list = append(list, web.Pair{Term: web.T(ctx, "bc.overview.owed"), Text: web.Money(p.Balances.Owed) + currency, Note: web.T(ctx, "bc.recharge.owed_first")})
	}
	if !pay.CreditedAt.IsZero() {
		list = append(list, web.Pair{Term: web.T(ctx, "topup.credited_at"), Text: p.text(pay.CreditedAt)})
	}
	if !pay.Refunded.IsZero() {
		list = append(list, web.Pair{Term: web.T(ctx, "topup.refunded"), Text: web.Money(pay.Refunded) + currency})
	}
	if !pay.Withheld.IsZero() {
		list = append(list, web.Pair{Term: web.T(ctx, "topup.withheld"), Text: web.Money(pay.Withheld) + currency})
	}
	if pay.Reference != "" {
		list = append(list, web.Pair{Term: web.T(ctx, "bc.col.reference"), Text: pay.Reference, Mono: true})
	}
	return append(list, web.Pair{Term: web.T(ctx, "topup.number"), Text: pay.ID, Mono: true})
}

func paymentTone(s topup.State) web.Tone {
	switch s {
	case topup.Credited, topup.DisputeWon:
		return web.Good
	case topup.Paid, topup.Pending:
		return web.Accent
	case topup.Failed, topup.Disputed, topup.DisputeLost:
		return web.Bad
	}
	return web.Plain
}

// channelOptions are the ways to recharge, online ones first.
func (p Recharge) channelOptions(ctx context.Context) []web.Option {
	var list []web.Option
	for _, name := range p.Offers {
		note := web.T(ctx, "topup.note."+string(name))
		if p.Simulated {
			note = web.T(ctx, "topup.simulated_note")
		}
		list = append(list, web.Option{Value: string(name), Label: web.Name(ctx, "channel", name), Note: note})
	}
	return append(list, web.Option{Value: byBank, Label: web.Name(ctx, "channel", topup.Name(byBank)), Note: web.T(ctx, "topup.note.bank")})
}

// lede and heading say what the page is for: with channels, or without.
func (p Recharge) lede(ctx context.Context) string {
	if len(p.Offers) > 0 {
		return web.T(ctx, "topup.recharge_lede")
	}
	return web.T(ctx, "bc.recharge.lede")
}

func (p Recharge) heading(ctx context.Context) string {
	if len(p.Offers) > 0 {
		return web.T(ctx, "topup.recharge")
	}
	return web.T(ctx, "bc.recharge.transfer")
}
