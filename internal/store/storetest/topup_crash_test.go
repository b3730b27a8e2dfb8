package storetest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"tollgate.dev/internal/money"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/topup"
)

var errKilled = errors.New("killed here")

// executioner kills once, at the given point: each commit has one before it
// and one behind it, each call of the channel one behind it.
type executioner struct {
	at, passed int
}

func (x *executioner) kills() bool {
	x.passed++
	return x.passed == x.at
}

func (x *executioner) write(write func(context.Context, func(topup.Tx) error) error) func(context.Context, func(topup.Tx) error) error {
	return func(ctx context.Context, f func(topup.Tx) error) error {
		if x.kills() {
			return errKilled
		}
		if err := write(ctx, f); err != nil {
			return err
		}
		if x.kills() {
			return errKilled
		}
		return nil
	}
}

// mortal is a channel whose caller may die before it hears the answer.
type mortal struct {
	*till
	*executioner
}

func (m mortal) Open(ctx context.Context, p topup.Payment) (topup.Opened, error) {
	o, err := m.till.Open(ctx, p)
	if m.kills() {
		return o, errKilled
	}
	return o, err
}

func (m mortal) Refund(ctx context.Context, p topup.Payment, r topup.Refund) (topup.Report, error) {
	report, err := m.till.Refund(ctx, p, r)
	if m.kills() {
		return report, errKilled
	}
	return report, err
}

// survive does a step again until it was not killed, as a process that is
// started again does.
func survive(t *testing.T, what string, step func() error) {
	t.Helper()
	for range 3 {
		err := step()
		if err == nil {
			return
		}
		if !errors.Is(err, errKilled) {
			t.Fatalf("%s: %v", what, err)
		}
	}
	t.Fatalf("%s was killed again and again", what)
}

// TestADeathBetweenAnyTwoStepsLosesAndDoublesNothing kills the way of a
// payment, from the wish to the refund, at every point once.
func TestADeathBetweenAnyTwoStepsLosesAndDoublesNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		points := 0
		for at := 1; ; at++ {
			x := &executioner{at: at}
			c := newCounter(t, s, fmt.Sprintf("shop%d", at))
			c.desk.Write = x.write(c.desk.Write)
			c.desk.Channels = []topup.Channel{mortal{c.alipay, x}}
			died(t, c)
			if x.passed < at {
				break
			}
			points = at
		}
		if points < 15 {
			t.Errorf("only %d points to die at", points)
		}
		sound(t, s)
	})
}

func died(t *testing.T, c *counter) {
	t.Helper()
	ctx := t.Context()
	var p topup.Payment
	survive(t, "begin", func() (err error) {
		p, _, err = c.desk.Begin(ctx, topup.Wish{Payer: c.payer, Channel: topup.Alipay, Amount: cny("100"), Key: "k"}, noon)
		return err
	})
	c.alipay.says = []topup.Report{paidBy(p, "paid"+p.ID)}
	survive(t, "notice", func() error { return c.desk.Receive(ctx, topup.Alipay, topup.Message{}, noon) })
	survive(t, "credit", func() error { return c.runner.Drain(ctx) })
	write(t, c.s, func(ctx context.Context, tx *store.Tx) error {
		_, err := topup.AskRefund(ctx, tx, topup.RefundWish{PaymentID: p.ID, Amount: cny("40"), Reason: "too much", Key: "r", Operator: "oper_1"}, noon)
		return err
	})
	survive(t, "refund", func() error { return c.runner.Drain(ctx) })
	c.alipay.says = []topup.Report{{Event: "back" + p.ID, PaymentID: p.ID, Reference: "trade-" + p.ID, Outcome: topup.WasRefunded, Amount: cny("40")}}
	survive(t, "notice of the refund", func() error { return c.desk.Receive(ctx, topup.Alipay, topup.Message{}, noon) })
	survive(t, "end", func() error { return c.runner.Drain(ctx) })
	p = c.payment(p.ID)
	if c.money() != "60.00/0.00" || p.State != topup.Credited || p.Refunded != cny("40") || c.alipay.refunded[p.ID] != cny("40") {
		t.Errorf("%s, %+v, the channel refunded %v", c.money(), p, c.alipay.refunded[p.ID])
	}
	if n := mailsTo(t, c.s, c.payer.Email); n != 2 {
		t.Errorf("%d mails", n)
	}
}

// due works what the calendar would queue at the instant.
func (c *counter) due(at time.Time) {
	c.t.Helper()
	c.at = at
	if err := c.desk.Write(context.Background(), func(tx topup.Tx) error { return c.desk.AskDue(context.Background(), tx, at) }); err != nil {
		c.t.Fatal(err)
	}
	c.work()
}

func TestAPaymentWithoutNoticeIsAskedFor(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		c := newCounter(t, s, "shop")
		paid, left, odd := c.begin("100", "paid"), c.begin("50", "left"), c.begin("70", "odd")
		c.due(noon.Add(4 * time.Minute))
		if c.payment(paid.ID).Asks != 0 {
			t.Error("it is asked too early")
		}
		c.alipay.says = []topup.Report{{Event: "ask", PaymentID: left.ID, Outcome: topup.IsOpen}, paidBy(paid, "ask1"), {Event: "ask2", PaymentID: odd.ID, Reference: "x", Outcome: topup.WasPaid, Amount: cny("7")}}
		c.due(noon.Add(5 * time.Minute))
		if c.payment(paid.ID).State != topup.Credited || c.money() != "100.00/0.00" || c.payment(left.ID).State != topup.Pending {
			t.Errorf("%s, %s", c.money(), c.payment(left.ID).State)
		}
		if got := c.parked(); len(got) != 1 || got[0] != topup.ReasonAmount {
			t.Errorf("parked %v", got)
		}
		c.alipay.says = nil // the channel knows nothing of it
		for hours := range 24 {
			c.due(noon.Add(time.Duration(hours) * time.Hour))
		}
		if got := c.payment(left.ID); got.State != topup.Expired || !got.NextAskAt.IsZero() {
			t.Errorf("never paid: %+v", got)
		}
		sound(t, s)
	})
}

func TestAChannelThatNeverAnswersIsTheOperatorsConcern(t *testing.T) {
	t.Parallel()
	c := newCounter(t, storetest.SQLite(t), "shop")
	p := c.begin("100", "k")
	c.alipay.silent = true
	for range 20 {
		at := c.payment(p.ID).NextAskAt
		if at.IsZero() {
			break
		}
		if err := c.desk.Write(t.Context(), func(tx topup.Tx) error { return c.desk.AskDue(t.Context(), tx, at) }); err != nil {
			t.Fatal(err)
		}
		if err := c.runner.Drain(t.Context()); !errors.Is(err, topup.ErrUnavailable) {
			t.Fatalf("asked a silent channel: %v", err)
		}
		write(t, c.s, func(ctx context.Context, tx *store.Tx) error {
			_, err := tx.Exec(ctx, `DELETE FROM river_job`)
			return err
		})
	}
	if got := c.payment(p.ID); got.Problem != topup.ProblemUnanswered || got.State != topup.Pending {
		t.Errorf("%+v", got)
	}
	var troubled []topup.Payment
	write(t, c.s, func(ctx context.Context, tx *store.Tx) (err error) {
		troubled, err = tx.PaymentsInTrouble(ctx, 10)
		return err
	})
	if len(troubled) != 1 {
		t.Errorf("in trouble: %v", troubled)
	}
	c.alipay.silent = false
	c.hears(paidBy(p, "at last"))
	if got := c.payment(p.ID); got.State != topup.Credited || got.Problem != "" {
		t.Errorf("%+v", got)
	}
}

func TestARefundIsBoundedByWhatIsLeft(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		c := newCounter(t, s, "shop")
		p := c.begin("100", "k")
		ask := func(amount, key string) (topup.Refund, error) {
			var r topup.Refund
			err := s.Write(t.Context(), func(tx *store.Tx) (err error) {
				r, err = topup.AskRefund(t.Context(), tx, topup.RefundWish{PaymentID: p.ID, Amount: cny(amount), Reason: "asked", Key: key, Operator: "oper_1"}, c.at)
				return err
			})
			return r, err
		}
		if _, err := ask("10", "early"); !errors.Is(err, topup.ErrNotCredited) {
			t.Errorf("before it was credited: %v", err)
		}
		c.hears(paidBy(p, "paid"))
		first, err := ask("70", "a")
		if err != nil {
			t.Fatal(err)
		}
		if again, err := ask("70", "a"); err != nil || again.ID != first.ID {
			t.Errorf("sent again: %+v, %v", again, err)
		}
		if _, err := ask("71", "a"); !errors.Is(err, topup.ErrRefundKnown) {
			t.Errorf("another amount under the key: %v", err)
		}
		if _, err := ask("30.01", "b"); !errors.Is(err, topup.ErrRefundMost) {
			t.Errorf("more than is left: %v", err)
		}
		if _, err := ask("0", "c"); err == nil {
			t.Error("nothing was refunded")
		}
		c.alipay.refuses = true
		c.work()
		if c.money() != "100.00/0.00" {
			t.Errorf("a refused refund moved money: %s", c.money())
		}
		c.alipay.refuses = false
		if _, err := ask("100", "d"); err != nil {
			t.Errorf("all of it, after a refusal: %v", err)
		}
		c.work()
		if c.money() != "0.00/0.00" || c.payment(p.ID).State != topup.Refunded {
			t.Errorf("%s, %s", c.money(), c.payment(p.ID).State)
		}
		sound(t, s)
	})
}

func TestARefundWithoutAnswerIsNotRepeatedForDays(t *testing.T) {
	t.Parallel()
	c := newCounter(t, storetest.SQLite(t), "shop")
	p := c.begin("100", "k")
	c.hears(paidBy(p, "paid"))
	var r topup.Refund
	write(t, c.s, func(ctx context.Context, tx *store.Tx) (err error) {
		r, err = topup.AskRefund(ctx, tx, topup.RefundWish{PaymentID: p.ID, Amount: cny("1"), Reason: "asked", Key: "k", Operator: "oper_1"}, noon)
		return err
	})
	c.at = noon.Add(21 * time.Hour)
	c.work()
	write(t, c.s, func(ctx context.Context, tx *store.Tx) (err error) {
		r, err = tx.RefundForUpdate(ctx, r.ID)
		return err
	})
	if r.State != topup.RefundUnclear || len(c.alipay.refunds) != 0 || c.money() != "100.00/0.00" {
		t.Errorf("%+v, %v, %s", r, c.alipay.refunds, c.money())
	}
}

func TestAParkedNoticeIsReadAgainOrDismissed(t *testing.T) {
	t.Parallel()
	c := newCounter(t, storetest.SQLite(t), "shop")
	c.hears(topup.Report{Event: "early", Reference: "trade-x", Outcome: topup.DisputeOpened, Dispute: "d", Amount: cny("5")})
	var notice topup.Notice
	write(t, c.s, func(ctx context.Context, tx *store.Tx) error {
		list, err := tx.NoticesIn(ctx, topup.NoticeParked, 10)
		if err != nil || len(list) != 1 {
			t.Fatalf("%v, %v", list, err)
		}
		notice = list[0]
		return topup.Reconsider(ctx, tx, notice.ID)
	})
	c.work()
	if got := c.parked(); len(got) != 1 || got[0] != topup.ReasonUnknown {
		t.Errorf("read again: %v", got)
	}
	write(t, c.s, func(ctx context.Context, tx *store.Tx) error {
		n, err := tx.NoticeForUpdate(ctx, notice.ID)
		if err != nil {
			return err
		}
		if _, err := n.Dismiss("oper_1", " ", noon); !errors.Is(err, topup.ErrRemark) {
			t.Errorf("dismissed without a reason: %v", err)
		}
		if n, err = n.Dismiss("oper_1", "of another shop", noon); err != nil {
			return err
		}
		return tx.KeepNotice(ctx, n)
	})
	if got := c.parked(); len(got) != 0 {
		t.Errorf("dismissed, and still parked: %v", got)
	}
}

func TestEveryPlantedCorruptionOfAPaymentIsFound(t *testing.T) {
	t.Parallel()
	for name, sql := range map[string]string{
		"a credit that never was":     `UPDATE payment SET state = 'credited', credited_at = 1 WHERE key = 'open'`,
		"a credit that is denied":     `UPDATE payment SET credited_at = 0 WHERE key = 'paid'`,
		"another amount":              `UPDATE payment SET minor = minor + 1 WHERE key = 'paid'`,
		"a refund that never was":     `UPDATE payment SET refunded = refunded + 1 WHERE key = 'paid'`,
		"a refund that is denied":     `UPDATE payment SET refunded = 0 WHERE key = 'paid'`,
		"a dispute that is denied":    `UPDATE payment_dispute SET state = 'won'`,
		"another payer":               `UPDATE payment SET account_id = 'bcac_x' WHERE key = 'paid'`,
		"another channel":             `UPDATE payment SET channel = 'stripe' WHERE key = 'paid'`,
		"a payment lost":              `DELETE FROM payment WHERE key = 'paid'`,
		"a state that does not match": `UPDATE payment SET state = 'refunded' WHERE key = 'paid'`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCounter(t, storetest.SQLite(t), "shop")
			c.begin("10", "open")
			p := c.begin("100", "paid")
			c.hears(paidBy(p, "e"))
			c.hears(topup.Report{Event: "r", PaymentID: p.ID, Reference: "trade-" + p.ID, Outcome: topup.WasRefunded, Amount: money.Of(5_00, money.CNY)})
			c.hears(topup.Report{Event: "d", PaymentID: p.ID, Reference: "trade-" + p.ID, Outcome: topup.DisputeOpened, Dispute: "d", Amount: money.Of(6_00, money.CNY)})
			sound(t, c.s)
			write(t, c.s, func(ctx context.Context, tx *store.Tx) error {
				_, err := tx.Exec(ctx, sql)
				return err
			})
			for _, f := range findings(t, c.s) {
				if f.Invariant == "I4" {
					return
				}
			}
			t.Error("nothing of I4 is found")
		})
	}
}
