package api_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"tollgate.dev/client"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/topup"
	"tollgate.dev/internal/topup/alipay"
)

// keys of an application at Alipay and of Alipay itself, made once.
var keys = sync.OnceValue(func() (texts [2]string) {
	var pairs [2]*rsa.PrivateKey
	for i := range pairs {
		var err error
		if pairs[i], err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
			panic(err)
		}
	}
	ours, err1 := x509.MarshalPKCS8PrivateKey(pairs[0])
	theirs, err2 := x509.MarshalPKIXPublicKey(&pairs[1].PublicKey)
	if err1 != nil || err2 != nil {
		panic("keys cannot be written")
	}
	return [2]string{base64.StdEncoding.EncodeToString(ours), base64.StdEncoding.EncodeToString(theirs)}
})

// deskOf takes payments by Alipay.
func (h *house) deskOf(s *store.Store) *topup.Desk {
	channel, err := alipay.New(alipay.Config{
		AppID: "2021000000000001", SellerID: "2088000000000001", Key: keys()[0], AlipayKey: keys()[1],
		Notify: "http://tollgate.example/hooks/alipay", Return: func(id string) string { return "http://tollgate.example/" + id }, Now: h.clock.Now,
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return &topup.Desk{
		Channels: []topup.Channel{channel}, Limits: topup.DefaultLimits(),
		Write: func(ctx context.Context, f func(topup.Tx) error) error {
			return s.Write(ctx, func(tx *store.Tx) error { return f(tx) })
		},
		Read: func(ctx context.Context, f func(topup.Tx) error) error {
			return s.Read(ctx, func(tx *store.Tx) error { return f(tx) })
		},
	}
}

func TestATopUpIsBegunOnceAndReadUntilItIsCredited(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx, h := t.Context(), open(t, s)
		account := h.billing("payer", money.CNY)
		center := h.asBilling(account)
		key := client.NewKey()
		begun, err := center.BeginTopUp(ctx, key, "alipay", "12.30")
		if must(t, begun, err).State != "pending" || begun.Amount.String() != "12.30 CNY" || begun.Refunded.String() != "0.00 CNY" {
			t.Errorf("begun %+v", begun)
		}
		u, err := url.Parse(begun.URL)
		if err != nil || u.Query().Get("method") != "alipay.trade.page.pay" || !strings.Contains(u.Query().Get("biz_content"), begun.ID) {
			t.Errorf("it is paid at %s, %v", begun.URL, err)
		}
		again, err := center.BeginTopUp(ctx, key, "alipay", "12.30")
		if must(t, again, err).ID != begun.ID || again.URL != begun.URL {
			t.Errorf("sent again: %+v", again)
		}
		if _, err := center.BeginTopUp(ctx, key, "alipay", "12.31"); !client.Refused(err, "idempotency_key_reused") {
			t.Errorf("another amount under the key: %v", err)
		}
		paid := topup.Report{Event: "e", PaymentID: begun.ID, Reference: "2026", Outcome: topup.WasPaid, Amount: money.MustParse("12.30", money.CNY)}
		h.paid(paid)
		shown, err := center.TopUp(ctx, begun.ID)
		if must(t, shown, err).State != "credited" || shown.CreditedAt == nil || shown.URL != "" || shown.Reference != "2026" {
			t.Errorf("shown %+v", shown)
		}
		balance, err := center.Balance(ctx)
		if must(t, balance, err).Cash.String() != "12.30 CNY" {
			t.Errorf("balance %+v", balance)
		}
		h.clock.Advance(time.Second)
		second, err := center.BeginTopUp(ctx, client.NewKey(), "alipay", "1")
		must(t, second, err)
		var listed []string
		for one, err := range client.All(func(p client.Page) (client.List[client.TopUp], error) {
			p.Limit = 1
			return center.TopUps(ctx, p)
		}) {
			listed = append(listed, must(t, one, err).ID)
		}
		if len(listed) != 2 || listed[1] != begun.ID {
			t.Errorf("listed %v", listed)
		}
		other := h.asBilling(h.billing("other", money.CNY))
		if _, err := other.TopUp(ctx, begun.ID); !client.Refused(err, "payment_unknown") {
			t.Errorf("another account's: %v", err)
		}
		american := h.asBilling(h.billing("usa", money.USD))
		if _, err := american.BeginTopUp(ctx, client.NewKey(), "alipay", "5"); !client.Refused(err, "channel_currency") {
			t.Errorf("a channel of another currency: %v", err)
		}
	})
}

// paid has the desk take a report as the inbox does, and credits what it says.
func (h *house) paid(r topup.Report) {
	h.t.Helper()
	said := said{h.topups.Channels[0], r}
	desk := *h.topups
	desk.Channels = []topup.Channel{said}
	ctx := h.t.Context()
	if err := desk.Receive(ctx, topup.Alipay, topup.Message{}, h.clock.Now()); err != nil {
		h.t.Fatal(err)
	}
	var notices []topup.Notice
	h.write(func(ctx context.Context, tx *store.Tx) (err error) {
		notices, err = tx.NoticesOf(ctx, r.PaymentID)
		return err
	})
	for _, n := range notices {
		if err := desk.Apply(ctx, n.ID, h.clock.Now()); err != nil {
			h.t.Fatal(err)
		}
	}
	if err := desk.Credit(ctx, r.PaymentID, h.clock.Now()); err != nil {
		h.t.Fatal(err)
	}
}

// said is a channel that has just said something.
type said struct {
	topup.Channel
	report topup.Report
}

func (s said) Read(topup.Message) ([]topup.Report, error) { return []topup.Report{s.report}, nil }

func TestATopUpOfAnAmountThatCannotBeIsRefused(t *testing.T) {
	t.Parallel()
	h := open(t, storetest.SQLite(t))
	center := h.asBilling(h.billing("payer", money.CNY))
	for amount, code := range map[string]string{
		"": "malformed_amount", "0": "amount_not_positive", "-1": "amount_not_positive", "1.005": "malformed_amount", "1e3": "malformed_amount",
		"0.50": "topup_too_little", "100000.01": "topup_too_much", "9999999999999999": "topup_too_much",
	} {
		if _, err := center.BeginTopUp(t.Context(), client.NewKey(), "alipay", amount); !client.Refused(err, code) {
			t.Errorf("%q: %v, want %s", amount, err, code)
		}
	}
	if _, err := center.BeginTopUp(t.Context(), client.NewKey(), "stripe", "5"); !client.Refused(err, "channel_unknown") {
		t.Errorf("a channel that is not configured: %v", err)
	}
}
