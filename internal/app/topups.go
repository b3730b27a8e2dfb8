package app

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	sdk "github.com/stripe/stripe-go/v85"

	"tollgate.dev/internal/billingcenter"
	"tollgate.dev/internal/hooks"
	"tollgate.dev/internal/job"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/paysim"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/topup"
	"tollgate.dev/internal/topup/alipay"
	"tollgate.dev/internal/topup/stripe"
)

// Channels are the payment channels of an installation. One of which nothing
// is set is not offered.
type Channels struct {
	Stripe stripe.Config // without what the installation knows by itself
	Alipay alipay.Config
	Limits topup.Limits // zero: the default
}

// openTopups makes the channels that are configured, or ends the start with
// what is wrong with one. In the demo they are simulators.
func (a *App) openTopups(ctx context.Context) error {
	a.desk = &topup.Desk{
		Limits: a.config.Channels.Limits,
		Write: func(ctx context.Context, f func(topup.Tx) error) error {
			return a.store.Write(ctx, func(tx *store.Tx) error { return f(tx) })
		},
		Read: func(ctx context.Context, f func(topup.Tx) error) error {
			return a.store.Read(ctx, func(tx *store.Tx) error { return f(tx) })
		},
	}
	if a.desk.Limits == (topup.Limits{}) {
		a.desk.Limits = topup.DefaultLimits()
	}
	config := a.config.Channels
	if a.config.Demo {
		var err error
		if config, err = a.simulated(ctx); err != nil {
			return err
		}
	}
	if c := config.Alipay; c.AppID != "" || c.SellerID != "" || c.Key != "" || c.AlipayKey != "" {
		c.Notify, c.Return, c.Now = a.baseURL+hooks.Prefix+"/"+string(topup.Alipay), a.returned, time.Now
		if a.config.Demo {
			c.Now = a.clock.Now // which the simulator goes by, too
		}
		channel, err := alipay.New(c)
		if err != nil {
			return err
		}
		a.desk.Channels = append(a.desk.Channels, channel)
	}
	if c := config.Stripe; c.Key != "" || len(c.Secrets) > 0 {
		c.Return, c.Cancel, c.Now = a.returned, a.left, time.Now
		channel, err := stripe.New(c)
		if err != nil {
			return err
		}
		a.desk.Channels = append(a.desk.Channels, channel)
	}
	return nil
}

// returned and left are where a payer comes back to from a channel.
func (a *App) returned(paymentID string) string {
	return a.baseURL + billingcenter.PaymentPath(paymentID) + "?from=paid"
}

func (a *App) left(paymentID string) string {
	return a.baseURL + billingcenter.PaymentPath(paymentID) + "?from=left"
}

// registerTopups says how the jobs of payments are done.
func (a *App) registerTopups() {
	job.Register(a.runner, func(ctx context.Context, j topup.Apply) error { return a.desk.Apply(ctx, j.NoticeID, a.clock.Now()) })
	job.Register(a.runner, func(ctx context.Context, j topup.Credit) error { return a.desk.Credit(ctx, j.PaymentID, a.clock.Now()) })
	job.Register(a.runner, func(ctx context.Context, j topup.SendRefund) error {
		return a.desk.SendRefund(ctx, j.RefundID, a.clock.Now())
	})
	job.Register(a.runner, func(ctx context.Context, j topup.Ask) error {
		err := a.desk.Ask(ctx, j.PaymentID, a.clock.Now())
		if errors.Is(err, topup.ErrUnavailable) || errors.Is(err, topup.ErrRefused) || errors.Is(err, topup.ErrChannel) {
			a.log.Warn("a payment channel did not tell how a payment stands", "payment", j.PaymentID, "err", err)
			return nil // the payment has its own next time
		}
		return err
	})
}

// asking falls due when a channel is to be asked about a payment of which no
// notice has come.
func (a *App) asking() job.Task {
	return job.Task{
		Name:    "ask payment channels",
		Next:    func(ctx context.Context, tx *store.Tx) (time.Time, bool, error) { return tx.NextAsk(ctx) },
		Enqueue: func(ctx context.Context, tx *store.Tx, at time.Time) error { return a.desk.AskDue(ctx, tx, at) },
	}
}

// Where the demo's simulators are.
const (
	alipaySim = "/simulators/alipay"
	stripeSim = "/simulators/stripe"
)

// sims are the demo's stand-ins for the payment channels.
type sims struct {
	alipay *paysim.Alipay
	stripe *paysim.Stripe
	door   net.Listener // of Stripe's API, whose library takes no address with a path
	api    *http.Server
}

// gaps are how long the simulators wait before each attempt of a notice.
var gaps = []time.Duration{time.Second, 5 * time.Second, 30 * time.Second, 2 * time.Minute}

// simulated makes the simulators, with keys of this start, and the settings by
// which they are reached.
func (a *App) simulated(ctx context.Context) (Channels, error) {
	var pairs [2]*rsa.PrivateKey
	for i := range pairs {
		var err error
		if pairs[i], err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
			return Channels{}, fmt.Errorf("make keys for the simulators: %w", err)
		}
	}
	ours, err := x509.MarshalPKCS8PrivateKey(pairs[0])
	if err != nil {
		return Channels{}, err
	}
	theirs, err := x509.MarshalPKIXPublicKey(&pairs[1].PublicKey)
	if err != nil {
		return Channels{}, err
	}
	var l net.ListenConfig
	door, err := l.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return Channels{}, fmt.Errorf("listen for the simulator of Stripe: %w", err)
	}
	const app, seller = "2021000000000001", "2088000000000001"
	key, secret := "sk_test_"+rand.Text(), "whsec_"+rand.Text()
	a.sims = &sims{
		door:   door,
		alipay: paysim.NewAlipay(paysim.AlipayConfig{Base: a.baseURL + alipaySim, AppID: app, SellerID: seller, Merchant: &pairs[0].PublicKey, Key: pairs[1], Now: a.clock.Now}),
		stripe: paysim.NewStripe(paysim.StripeConfig{
			Base: a.baseURL + stripeSim, Key: key, Secret: secret, Version: sdk.APIVersion,
			Webhook: a.baseURL + hooks.Prefix + "/" + string(topup.Stripe), Now: a.clock.Now, RealNow: time.Now,
		}),
	}
	a.sims.api = newServer(a.sims.stripe, a.log)
	a.sims.alipay.Gaps, a.sims.stripe.Gaps = gaps, gaps
	return Channels{
		Alipay: alipay.Config{
			Gateway: a.baseURL + alipaySim + "/gateway.do", AppID: app, SellerID: seller,
			Key: base64.StdEncoding.EncodeToString(ours), AlipayKey: base64.StdEncoding.EncodeToString(theirs),
		},
		Stripe: stripe.Config{Key: key, Secrets: []string{secret}, Currencies: money.Currencies(), API: "http://" + door.Addr().String()},
	}, nil
}

// mount serves the simulators.
func (s *sims) mount(mux *http.ServeMux) {
	if s == nil {
		return
	}
	mux.Handle(alipaySim+"/", http.StripPrefix(alipaySim, s.alipay))
	mux.Handle(stripeSim+"/", http.StripPrefix(stripeSim, s.stripe))
}

func (s *sims) start(ctx context.Context) {
	if s != nil {
		s.alipay.Start(ctx)
		s.stripe.Start(ctx)
		go func() { _ = s.api.Serve(s.door) }() // it ends with the demo
	}
}

func (s *sims) stop() {
	if s != nil {
		s.alipay.Stop()
		s.stripe.Stop()
		_ = s.api.Close() // nobody waits for a simulator
	}
}
