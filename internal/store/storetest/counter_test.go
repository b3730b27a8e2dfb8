package storetest_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"tollgate.dev/internal/job"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/topup"
	"tollgate.dev/internal/wallet"
)

// till is a payment channel in the test's hands: it remembers what it was told
// and says what the test wants it to say.
type till struct {
	mu       sync.Mutex
	name     topup.Name
	opened   map[string]int // by payment
	refunded map[string]money.Amount
	refunds  map[string]bool // by the refund's name
	says     []topup.Report  // to the next question
	silent   bool
	refuses  bool
}

func newTill(name topup.Name) *till {
	return &till{name: name, opened: map[string]int{}, refunded: map[string]money.Amount{}, refunds: map[string]bool{}}
}

func (c *till) Name() topup.Name                   { return c.name }
func (c *till) Takes(currency money.Currency) bool { return currency == money.CNY }
func (c *till) Reply(bool) topup.Reply             { return topup.Reply{} }

func (c *till) Open(_ context.Context, p topup.Payment) (topup.Opened, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.silent {
		return topup.Opened{}, topup.ErrUnavailable
	}
	c.opened[p.ID]++
	return topup.Opened{Session: "s-" + p.ID, URL: "https://pay.example/" + p.ID}, nil
}

func (c *till) Ask(context.Context, topup.Payment) ([]topup.Report, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.silent {
		return nil, topup.ErrUnavailable
	}
	return c.says, nil
}

func (c *till) Refund(_ context.Context, p topup.Payment, r topup.Refund) (topup.Report, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.silent:
		return topup.Report{}, topup.ErrUnavailable
	case c.refuses:
		return topup.Report{}, topup.ErrRefused.Says("No.")
	}
	if !c.refunds[r.ID] {
		c.refunds[r.ID] = true
		all, err := c.refunded[p.ID].Add(r.Amount)
		if err != nil {
			return topup.Report{}, err
		}
		c.refunded[p.ID] = all
	}
	return topup.Report{Event: "refund:" + r.ID, PaymentID: p.ID, Reference: p.Reference, Outcome: topup.WasRefunded, Amount: c.refunded[p.ID]}, nil
}

// Read takes the event and the outcome from the body: "forged", or one of the
// reports that the test has laid out under that name.
func (c *till) Read(m topup.Message) ([]topup.Report, error) {
	if string(m.Body) == "forged" {
		return nil, topup.ErrForged
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.says, nil
}

// judge is as much of a test as a property has, too.
type judge interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// counter is a desk with its tills and a queue that is worked by hand.
type counter struct {
	shopOf
	t      judge
	desk   *topup.Desk
	alipay *till
	stripe *till
	runner *job.Runner
	at     time.Time
}

func newCounter(t *testing.T, s *store.Store, name string) *counter {
	t.Helper()
	return counterOf(t, newShop(t, s, name))
}

func counterOf(t judge, x shopOf) *counter {
	c := &counter{shopOf: x, t: t, alipay: newTill(topup.Alipay), stripe: newTill(topup.Stripe), at: noon}
	c.desk = &topup.Desk{
		Channels: []topup.Channel{c.alipay, c.stripe}, Limits: topup.DefaultLimits(),
		Write: func(ctx context.Context, f func(topup.Tx) error) error {
			return x.s.Write(ctx, func(tx *store.Tx) error { return f(tx) })
		},
		Read: func(ctx context.Context, f func(topup.Tx) error) error {
			return x.s.Read(ctx, func(tx *store.Tx) error { return f(tx) })
		},
	}
	c.runner = job.NewRunner(x.s, slog.New(slog.DiscardHandler))
	job.Register(c.runner, func(ctx context.Context, j topup.Apply) error { return c.desk.Apply(ctx, j.NoticeID, c.at) })
	job.Register(c.runner, func(ctx context.Context, j topup.Credit) error { return c.desk.Credit(ctx, j.PaymentID, c.at) })
	job.Register(c.runner, func(ctx context.Context, j topup.Ask) error { return c.desk.Ask(ctx, j.PaymentID, c.at) })
	job.Register(c.runner, func(ctx context.Context, j topup.SendRefund) error { return c.desk.SendRefund(ctx, j.RefundID, c.at) })
	job.Register(c.runner, func(context.Context, mailJob) error { return nil })
	return c
}

// mailJob stands for the delivery of mails, which is not looked at here.
type mailJob struct{}

func (mailJob) Kind() string { return "mail.deliver" }

func (c *counter) begin(amount, key string) topup.Payment {
	c.t.Helper()
	p, _, err := c.desk.Begin(context.Background(), topup.Wish{Payer: c.payer, Channel: topup.Alipay, Amount: cny(amount), Key: key}, c.at)
	if err != nil {
		c.t.Fatalf("begin: %v", err)
	}
	return p
}

// hears has a channel say something, and works what that queues.
func (c *counter) hears(r topup.Report) {
	c.t.Helper()
	c.said(c.alipay, r)
}

func (c *counter) said(by *till, r topup.Report) {
	c.t.Helper()
	by.says = []topup.Report{r}
	if err := c.desk.Receive(context.Background(), by.name, topup.Message{Body: []byte(r.Event)}, c.at); err != nil {
		c.t.Fatalf("receive %s: %v", r.Event, err)
	}
	c.work()
}

func (c *counter) work() {
	c.t.Helper()
	if err := c.runner.Drain(context.Background()); err != nil {
		c.t.Fatalf("work the queue: %v", err)
	}
}

func (c *counter) payment(id string) (p topup.Payment) {
	c.t.Helper()
	if err := c.s.Read(context.Background(), func(tx *store.Tx) (err error) {
		p, err = tx.PaymentForUpdate(context.Background(), id)
		return err
	}); err != nil {
		c.t.Fatal(err)
	}
	return p
}

func (c *counter) parked() (reasons []topup.Reason) {
	c.t.Helper()
	if err := c.s.Read(context.Background(), func(tx *store.Tx) error {
		list, err := tx.NoticesIn(context.Background(), topup.NoticeParked, 100)
		for _, n := range list {
			reasons = append(reasons, n.Reason)
		}
		return err
	}); err != nil {
		c.t.Fatal(err)
	}
	return reasons
}

// money is cash and debt as one text.
func (c *counter) money() string {
	c.t.Helper()
	var b wallet.Balances
	if err := c.s.Read(context.Background(), func(tx *store.Tx) (err error) {
		b, err = wallet.BalancesOf(context.Background(), tx, c.payer.ID, money.CNY)
		return err
	}); err != nil {
		c.t.Fatal(err)
	}
	return b.Cash.String() + "/" + b.Owed.String()
}

func paidBy(p topup.Payment, event string) topup.Report {
	return topup.Report{Event: event, PaymentID: p.ID, Reference: "trade-" + p.ID, Outcome: topup.WasPaid, Amount: p.Amount}
}
