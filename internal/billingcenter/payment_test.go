package billingcenter

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/topup"
)

// teller is a payment channel that does as it is told.
type teller struct {
	mu     sync.Mutex
	silent bool
	opened int
	says   []topup.Report
}

func (c *teller) Name() topup.Name                                           { return topup.Alipay }
func (c *teller) Takes(currency money.Currency) bool                         { return currency == money.CNY }
func (c *teller) Reply(bool) topup.Reply                                     { return topup.Reply{} }
func (c *teller) Read(topup.Message) ([]topup.Report, error)                 { return c.says, nil }
func (c *teller) Ask(context.Context, topup.Payment) ([]topup.Report, error) { return nil, nil }
func (c *teller) Refund(context.Context, topup.Payment, topup.Refund) (topup.Report, error) {
	return topup.Report{}, topup.ErrRefused
}

func (c *teller) Open(_ context.Context, p topup.Payment) (topup.Opened, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.silent {
		return topup.Opened{}, topup.ErrUnavailable
	}
	c.opened++
	return topup.Opened{Session: p.ID, URL: "https://pay.example/" + p.ID}, nil
}

// paying is a house with a payment channel.
type paying struct {
	*house
	channel *teller
	desk    *topup.Desk
}

func openPaying(t *testing.T) paying {
	t.Helper()
	x := paying{channel: &teller{}}
	x.house = openWith(t, func(c *Config) {
		s := c.Store
		x.desk = &topup.Desk{
			Channels: []topup.Channel{x.channel}, Limits: topup.DefaultLimits(),
			Write: func(ctx context.Context, f func(topup.Tx) error) error {
				return s.Write(ctx, func(tx *store.Tx) error { return f(tx) })
			},
			Read: func(ctx context.Context, f func(topup.Tx) error) error {
				return s.Read(ctx, func(tx *store.Tx) error { return f(tx) })
			},
		}
		c.Topups = x.desk
	})
	return x
}

// reference is the form's own.
func reference(v *visitor) string {
	text, _ := v.get(http.StatusOK, "/recharge").Find("input[name=reference]").Attr("value")
	return text
}

// payments of an account.
func (x paying) payments(a account.Billing) (list []topup.Payment) {
	x.t.Helper()
	x.write(func(ctx context.Context, tx *store.Tx) (err error) {
		list, err = tx.PaymentsOf(ctx, a.ID, "", 10)
		return err
	})
	return list
}

// told has the channel say something, and does what follows from it.
func (x paying) told(p topup.Payment, o topup.Outcome, amount string) {
	x.t.Helper()
	ctx := x.t.Context()
	r := topup.Report{Event: string(o) + p.ID, PaymentID: p.ID, Reference: "trade-7", Outcome: o, Amount: money.MustParse(amount, money.CNY), Dispute: "d" + p.ID}
	x.channel.says = []topup.Report{r}
	if err := x.desk.Receive(ctx, topup.Alipay, topup.Message{}, x.clock.Now()); err != nil {
		x.t.Fatal(err)
	}
	var open []string
	x.write(func(ctx context.Context, tx *store.Tx) error {
		list, err := tx.NoticesIn(ctx, topup.NoticeReceived, 10)
		for _, n := range list {
			open = append(open, n.ID)
		}
		return err
	})
	for _, id := range open {
		if err := x.desk.Apply(ctx, id, x.clock.Now()); err != nil {
			x.t.Fatal(err)
		}
	}
}

func TestAnOnlinePaymentIsWalkedFromTheFormToTheCredit(t *testing.T) {
	t.Parallel()
	x := openPaying(t)
	a := x.payer("acme", money.CNY)
	v := x.signedIn(a)
	form := v.get(http.StatusOK, "/recharge")
	if form.Find("input[name=channel][value=alipay]").Length() != 1 || form.Find("input[name=channel][value=stripe]").Length() != 0 {
		t.Error("the page does not offer exactly what is configured")
	}
	ref := reference(v)
	var clicks sync.WaitGroup
	for range 4 {
		clicks.Go(func() {
			v.post(http.StatusOK, "/recharge", "amount", "12.30", "channel", "alipay", "reference", ref).says("Now pay")
		})
	}
	clicks.Wait()
	list := x.payments(a)
	if len(list) != 1 {
		t.Fatalf("four clicks begun %d payments", len(list))
	}
	p := list[0]
	path := "/recharge/payments/" + p.ID
	page := v.get(http.StatusOK, path)
	if href, _ := page.Find("main a.primary").Attr("href"); href != "https://pay.example/"+p.ID {
		t.Errorf("the button leads to %q", href)
	}
	v.post(http.StatusConflict, "/recharge", "amount", "12.31", "channel", "alipay", "reference", ref).refused("topup_key_reused", "amount")

	v.get(http.StatusOK, path+"?from=left").says("You left without paying")
	back := v.get(http.StatusOK, path+"?from=paid&total_amount=12.30&trade_status=TRADE_SUCCESS")
	back.says("Waiting for confirmation")
	if x.payments(a)[0].State != topup.Pending {
		t.Error("the way back was believed")
	}
	if at := x.payments(a)[0].NextAskAt; at.After(x.clock.Now()) {
		t.Errorf("the channel is asked at %v only", at)
	}
	x.told(p, topup.WasPaid, "12.30")
	v.get(http.StatusOK, path).says("The money has arrived")
	if err := x.desk.Credit(t.Context(), p.ID, x.clock.Now()); err != nil {
		t.Fatal(err)
	}
	v.get(http.StatusOK, path).says("The amount first covered what was owed")
	moves := v.get(http.StatusOK, "/movements")
	moves.says("Alipay trade-7")
	if moves.Find("a[href='"+Prefix+path+"']").Length() != 1 {
		t.Error("the movement does not lead to its payment")
	}
	x.told(p, topup.WasRefunded, "2.30")
	v.get(http.StatusOK, path).says("2.30 CNY")
	x.told(p, topup.DisputeOpened, "10.00")
	v.get(http.StatusOK, path).says("This payment is disputed")
	all := v.get(http.StatusOK, "/movements")
	all.says("Refund")
	all.says("Dispute")
}

func TestAPaymentThatComesToNothingSaysSo(t *testing.T) {
	t.Parallel()
	x := openPaying(t)
	a := x.payer("acme", money.CNY)
	v := x.signedIn(a)
	for outcome, title := range map[topup.Outcome]string{topup.HasFailed: "The payment failed", topup.HasExpired: "The payment was not made in time"} {
		v.post(http.StatusOK, "/recharge", "amount", "5", "channel", "alipay", "reference", reference(v))
		p := x.payments(a)[0]
		x.clock.Advance(time.Second)
		x.told(p, outcome, "5")
		v.get(http.StatusOK, "/recharge/payments/"+p.ID).says(title)
	}
}

func TestAChannelThatDoesNotAnswerIsTriedAgainWithTheSamePayment(t *testing.T) {
	t.Parallel()
	x := openPaying(t)
	a := x.payer("acme", money.CNY)
	v := x.signedIn(a)
	x.channel.silent = true
	ref := reference(v)
	v.post(http.StatusServiceUnavailable, "/recharge", "amount", "5", "channel", "alipay", "reference", ref).says("does not answer")
	p := x.payments(a)[0]
	v.get(http.StatusOK, "/recharge/payments/"+p.ID).says("The channel has not answered")
	v.post(http.StatusServiceUnavailable, "/recharge/payments/"+p.ID+"/again")
	x.channel.silent = false
	v.post(http.StatusOK, "/recharge/payments/"+p.ID+"/again").says("Now pay")
	v.post(http.StatusOK, "/recharge/payments/"+p.ID+"/again").says("Now pay")
	if x.channel.opened != 1 || len(x.payments(a)) != 1 {
		t.Errorf("opened %d times, %d payments", x.channel.opened, len(x.payments(a)))
	}
}

func TestAnOnlineAmountThatCannotBeIsRefusedBesideTheField(t *testing.T) {
	t.Parallel()
	x := openPaying(t)
	v := x.signedIn(x.payer("acme", money.CNY))
	for typed, code := range map[string]string{
		"": "malformed_amount", "1e3": "malformed_amount", "1.234": "malformed_amount", "0": "amount_not_positive", "-5": "amount_not_positive",
		"0.99": "topup_too_little", "100000.01": "topup_too_much", "99999999999999999999": "malformed_amount", "٣": "malformed_amount",
	} {
		r := v.post(http.StatusUnprocessableEntity, "/recharge", "amount", typed, "channel", "alipay")
		r.refused(code, "amount")
		if r.Find("input[name=channel][value=alipay][checked]").Length() != 1 {
			t.Errorf("%q: the choice of the channel is lost", typed)
		}
	}
	v.post(http.StatusUnprocessableEntity, "/recharge", "amount", "5", "channel", "cowries").refused("channel_unknown", "channel")
}

func TestAChannelThatIsNotConfiguredDoesNotShow(t *testing.T) {
	t.Parallel()
	h := open(t)
	v := h.signedIn(h.payer("acme", money.CNY))
	if v.get(http.StatusOK, "/recharge").Find("input[name=channel]").Length() != 0 {
		t.Error("a channel shows")
	}
	v.post(http.StatusUnprocessableEntity, "/recharge", "amount", "5", "channel", "alipay").says("Choose one of the payment channels")
	x := openPaying(t)
	american := x.signedIn(x.payer("usa", money.USD))
	if american.get(http.StatusOK, "/recharge").Find("input[name=channel]").Length() != 0 {
		t.Error("a channel of another currency shows")
	}
}

func TestAnotherAccountsPaymentIsUnknown(t *testing.T) {
	t.Parallel()
	x := openPaying(t)
	a := x.payer("acme", money.CNY)
	x.signedIn(a).post(http.StatusOK, "/recharge", "amount", "5", "channel", "alipay")
	p := x.payments(a)[0]
	other := x.signedIn(x.payer("other", money.CNY))
	other.get(http.StatusNotFound, "/recharge/payments/"+p.ID)
	other.post(http.StatusNotFound, "/recharge/payments/"+p.ID+"/again")
	if text := other.get(http.StatusOK, "/recharge").Text(); strings.Contains(text, p.ID) {
		t.Error("it is in another account's list")
	}
}
