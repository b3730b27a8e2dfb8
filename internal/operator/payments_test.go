package operator

import (
	"context"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/a-h/templ"

	"tollgate.dev/internal/money"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/topup"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/web/gallery"
)

func TestPaymentsGallery(t *testing.T) {
	t.Parallel()
	zero := money.Of(0, money.CNY)
	payment := func(state topup.State, problem string) PaymentRow {
		p := topup.Payment{ID: "pmnt_" + string(state), AccountID: acme.ID, Channel: topup.Alipay, Amount: money.MustParse("1200", money.CNY), State: state, CreatedAt: noon, ExpiresAt: noon.Add(time.Hour), Refunded: zero, Withheld: zero, Problem: problem}
		if state.Booked() {
			p.Reference, p.CreditedAt, p.Refunded = "2026031122001447951426000001", noon.Add(time.Minute), money.MustParse("200", money.CNY)
		}
		return PaymentRow{p, acme}
	}
	notice := func(state topup.NoticeState, reason topup.Reason) topup.Notice {
		return topup.Notice{ID: "cntc_1", Channel: topup.Alipay, State: state, Reason: reason, ReceivedAt: noon, PaymentID: "pmnt_credited",
			Report: topup.Report{Event: "2026031122001447951426000001:TRADE_SUCCESS", Type: "TRADE_SUCCESS", PaymentID: "pmnt_credited", Reference: "2026031122001447951426000001", Amount: money.MustParse("1199.99", money.CNY)}}
	}
	view := func(row PaymentRow, form *web.Form) page {
		return func(ctx context.Context) templ.Component {
			left, err := row.Left()
			if err != nil {
				panic(err)
			}
			return paymentPage(PaymentView{
				Frame: frame(ctx, "Payment", "payments"), Form: form, Row: row, Left: left, Key: "k",
				Notices:  []topup.Notice{notice(topup.NoticeApplied, ""), notice(topup.NoticeParked, topup.ReasonAmount)},
				Refunds:  []topup.Refund{{ID: "rfnd_1", Amount: money.MustParse("200", money.CNY), State: topup.RefundDone, Reason: "Paid twice", AskedAt: noon}, {ID: "rfnd_2", Amount: money.MustParse("1", money.CNY), State: topup.RefundUnclear, Problem: topup.ProblemUnanswered, AskedAt: noon}},
				Disputes: []topup.Dispute{{Reference: "dp_1", Amount: money.MustParse("1000", money.CNY), State: topup.DisputeIsOpen, OpenedAt: noon}},
			})
		}
	}
	gallery.Check(t, []gallery.State{
		{Name: "operator/payments-empty", Page: func(ctx context.Context) templ.Component {
			return paymentsPage(Payments{Frame: frame(ctx, "Payments", "payments")})
		}},
		{Name: "operator/payments", Page: func(ctx context.Context) templ.Component {
			return paymentsPage(Payments{Frame: frame(ctx, "Payments", "payments"), Parked: []topup.Notice{notice(topup.NoticeParked, topup.ReasonAmount), {ID: "cntc_2", Channel: topup.Stripe, State: topup.NoticeParked, Reason: topup.ReasonForged, ReceivedAt: noon, Report: topup.Report{Type: "forged"}}},
				Trouble: []PaymentRow{payment(topup.Pending, topup.ProblemUnanswered)}, Latest: []PaymentRow{payment(topup.Credited, ""), payment(topup.Expired, ""), payment(topup.Disputed, "")}})
		}},
		{Name: "operator/payment", Page: view(payment(topup.Credited, ""), refused(web.Blank("amount", "2000"), topup.ErrRefundMost.On("amount")))},
		{Name: "operator/payment-unanswered", Page: view(payment(topup.Pending, topup.ProblemUnanswered), web.Blank())},
		{Name: "operator/payment-notice", Page: func(ctx context.Context) templ.Component {
			return noticePage(NoticeView{Frame: frame(ctx, "Notice", "payments"), Form: refused(web.Blank(), topup.ErrRemark.On("remark")), Notice: notice(topup.NoticeParked, topup.ReasonAmount)})
		}},
	})
}

// teller is a payment channel that says what it is told to.
type teller struct{ says []topup.Report }

func (c *teller) Name() topup.Name                           { return topup.Alipay }
func (c *teller) Takes(money.Currency) bool                  { return true }
func (c *teller) Reply(bool) topup.Reply                     { return topup.Reply{} }
func (c *teller) Read(topup.Message) ([]topup.Report, error) { return c.says, nil }
func (c *teller) Ask(context.Context, topup.Payment) ([]topup.Report, error) {
	return c.says, nil
}

func (c *teller) Open(_ context.Context, p topup.Payment) (topup.Opened, error) {
	return topup.Opened{Session: p.ID, URL: "https://pay.example"}, nil
}

func (c *teller) Refund(_ context.Context, p topup.Payment, r topup.Refund) (topup.Report, error) {
	return topup.Report{Event: r.ID, PaymentID: p.ID, Reference: p.Reference, Outcome: topup.WasRefunded, Amount: r.Amount}, nil
}

// desk of a house, over its store.
func (h *house) desk(c topup.Channel) *topup.Desk {
	return &topup.Desk{
		Channels: []topup.Channel{c}, Limits: topup.DefaultLimits(),
		Write: func(ctx context.Context, f func(topup.Tx) error) error {
			return h.store.Write(ctx, func(tx *store.Tx) error { return f(tx) })
		},
		Read: func(ctx context.Context, f func(topup.Tx) error) error {
			return h.store.Read(ctx, func(tx *store.Tx) error { return f(tx) })
		},
	}
}

// hears has the desk take a word of the channel, and gives its notice.
func (h *house) hears(d *topup.Desk, c *teller, r topup.Report) topup.Notice {
	h.t.Helper()
	ctx := h.t.Context()
	c.says = []topup.Report{r}
	if err := d.Receive(ctx, topup.Alipay, topup.Message{}, noon); err != nil {
		h.t.Fatal(err)
	}
	var list []topup.Notice
	h.write(func(ctx context.Context, tx *store.Tx) (err error) {
		list, err = tx.NoticesIn(ctx, topup.NoticeReceived, 10)
		return err
	})
	if err := d.Apply(ctx, list[0].ID, noon); err != nil {
		h.t.Fatal(err)
	}
	return list[0]
}

func TestTheOperatorRefundsAPaymentAndSeesWhatDidNotFit(t *testing.T) {
	t.Parallel()
	h := open(t, false)
	h.signIn()
	h.get(http.StatusOK, "/payments").says("Nothing is parked")
	channel := &teller{}
	d := h.desk(channel)
	p, _, err := d.Begin(t.Context(), topup.Wish{Payer: h.payer, Channel: topup.Alipay, Amount: money.MustParse("100", money.CNY), Key: "k"}, noon)
	if err != nil {
		t.Fatal(err)
	}
	odd := h.hears(d, channel, topup.Report{Event: "odd", Type: "TRADE_SUCCESS", PaymentID: p.ID, Reference: "T1", Outcome: topup.WasPaid, Amount: money.MustParse("1", money.CNY)})
	h.get(http.StatusOK, "/payments").says("The amount or the currency is not the payment's.")
	notice := "/payments/notices/" + odd.ID
	h.get(http.StatusOK, notice).says("Read it again")
	h.post(http.StatusUnprocessableEntity, notice+"/dismiss", "remark", " ").refused("remark_required")
	h.post(http.StatusOK, notice+"/again").says("The notice is being read again.")
	if err := d.Apply(t.Context(), odd.ID, noon); err != nil {
		t.Fatal(err)
	}
	h.post(http.StatusOK, notice+"/dismiss", "remark", "settled at Alipay").says("The notice is dismissed.")
	h.get(http.StatusOK, notice).says("settled at Alipay")
	if got := h.log(odd.ID); !slices.Equal(got, []string{"payment.notice_dismissed", "payment.notice_reconsidered"}) {
		t.Errorf("the audit log of the notice: %v", got)
	}

	one := "/payments/" + p.ID
	h.hears(d, channel, topup.Report{Event: "paid", Type: "TRADE_SUCCESS", PaymentID: p.ID, Reference: "T1", Outcome: topup.WasPaid, Amount: p.Amount})
	h.post(http.StatusConflict, one+"/refund", "amount", "10", "remark", "early", "key", "r0").refused("payment_not_credited")
	if err := d.Credit(t.Context(), p.ID, noon); err != nil {
		t.Fatal(err)
	}
	for typed, code := range map[string]string{"1e1": "malformed_amount", "0": "amount_not_positive", "100.01": "refund_too_much"} {
		status := http.StatusUnprocessableEntity
		if code == "refund_too_much" {
			status = http.StatusConflict
		}
		h.post(status, one+"/refund", "amount", typed, "remark", "why", "key", "x"+typed).refused(code)
	}
	h.post(http.StatusUnprocessableEntity, one+"/refund", "amount", "1", "remark", "", "key", "r1").refused("remark_required")
	for range 2 { // a second click is the same refund
		h.post(http.StatusOK, one+"/refund", "amount", "40", "remark", "Too much", "key", "r1").says("The refund is on its way to the channel.")
	}
	var refunds []topup.Refund
	h.write(func(ctx context.Context, tx *store.Tx) (err error) {
		refunds, err = tx.RefundsOf(ctx, p.ID)
		return err
	})
	if len(refunds) != 1 || refunds[0].AskedBy != h.operator.ID {
		t.Fatalf("refunds %+v", refunds)
	}
	if err := d.SendRefund(t.Context(), refunds[0].ID, noon); err != nil {
		t.Fatal(err)
	}
	page := h.get(http.StatusOK, one)
	page.says("Up to 60.00 CNY can go back")
	page.says("Too much")
	h.post(http.StatusOK, one+"/ask").says("The channel is being asked.")
	h.get(http.StatusNotFound, "/payments/pmnt_none")
	h.get(http.StatusNotFound, "/payments/notices/cntc_none")
}
