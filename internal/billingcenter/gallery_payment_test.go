package billingcenter

import (
	"context"
	"testing"
	"time"

	"github.com/a-h/templ"

	"tollgate.dev/internal/money"
	"tollgate.dev/internal/topup"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/web/gallery"
)

// TestPaymentGallery shows an online payment in each state, and where the
// payer comes from.
func TestPaymentGallery(t *testing.T) {
	t.Parallel()
	none := cny("0")
	has := wallet.Balances{Cash: cny("120.5"), Voucher: none, FullReduction: none, Card: none, Owed: cny("14.7")}
	payment := func(s topup.State) topup.Payment {
		p := topup.Payment{
			ID: "pmnt_" + string(s), AccountID: acme.ID, Channel: topup.Alipay, Amount: cny("200"), State: s, URL: "https://pay.example/session",
			CreatedAt: noon, ExpiresAt: noon.Add(time.Hour), Refunded: none, Withheld: none,
		}
		if s.Booked() || s == topup.Paid {
			p.Reference, p.PaidAt = "2026031222001400001", noon.Add(time.Minute)
		}
		if s.Booked() {
			p.CreditedAt = noon.Add(2 * time.Minute)
		}
		switch s {
		case topup.Refunded:
			p.Refunded = p.Amount
		case topup.Disputed, topup.DisputeLost:
			p.Withheld = p.Amount
		}
		return p
	}
	view := func(p topup.Payment, from string, simulated bool) page {
		return func(ctx context.Context) templ.Component {
			return paymentPage(PaymentView{Frame: frame(ctx, "Payment", "recharge"), Payment: p, Balances: has, Zone: hangzhou, From: from, Simulated: simulated})
		}
	}
	var states []gallery.State
	var all []topup.Payment
	for _, s := range topup.States() {
		all = append(all, payment(s))
		states = append(states, gallery.State{Name: "billing-center/payment-" + string(s), Page: view(payment(s), "", false)})
	}
	part := payment(topup.Credited)
	part.Refunded = cny("50")
	list := func(ctx context.Context) templ.Component {
		return rechargePage(Recharge{Frame: frame(ctx, "Recharge", "recharge"), Form: web.Blank(), Currency: money.CNY, Zone: hangzhou, Balances: has, Reference: "TG-00000-00000",
			Now: noon, Offers: []topup.Name{topup.Alipay, topup.Stripe}, Payments: append(all, part)})
	}
	refusedChannel := func(ctx context.Context) templ.Component {
		return rechargePage(Recharge{Frame: frame(ctx, "Recharge", "recharge"), Form: refused(web.Blank("amount", "100", "channel", "paypal"), topup.ErrChannel.On("channel")), Currency: money.CNY,
			Zone: hangzhou, Balances: has, Reference: "TG-00000-00000", Now: noon, Offers: []topup.Name{topup.Alipay}})
	}
	gallery.Check(t, append(states,
		gallery.State{Name: "billing-center/payment-came-back", Page: view(payment(topup.Pending), "paid", false)},
		gallery.State{Name: "billing-center/payment-left", Page: view(payment(topup.Pending), "left", false)},
		gallery.State{Name: "billing-center/payment-simulated", Page: view(payment(topup.Pending), "", true)},
		gallery.State{Name: "billing-center/payment-part-refunded", Page: view(part, "", false)},
		gallery.State{Name: "billing-center/recharge-online", Page: list},
		gallery.State{Name: "billing-center/recharge-online-refused", Page: refusedChannel},
	))
}
