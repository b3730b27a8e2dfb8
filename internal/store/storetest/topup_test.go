package storetest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"tollgate.dev/internal/money"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/topup"
	"tollgate.dev/internal/wallet"
)

func TestANoticeCreditsOnceHoweverOftenItComes(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		c := newCounter(t, s, "shop")
		p := c.begin("100", "k1")
		if p.State != topup.Pending || p.URL != "https://pay.example/"+p.ID {
			t.Fatalf("begun: %+v", p)
		}
		var all sync.WaitGroup
		for i := range 8 { // the same event, and others that say the same
			all.Go(func() {
				r := paidBy(p, fmt.Sprintf("e%d", i/4))
				by := newTill(topup.Alipay)
				by.says = []topup.Report{r}
				desk := *c.desk
				desk.Channels = []topup.Channel{by}
				if err := desk.Receive(t.Context(), topup.Alipay, topup.Message{}, noon); err != nil {
					t.Errorf("receive: %v", err)
				}
			})
		}
		all.Wait()
		c.work()
		for range 8 {
			all.Go(func() {
				if err := c.desk.Credit(t.Context(), p.ID, noon); err != nil {
					t.Errorf("credit: %v", err)
				}
			})
		}
		all.Wait()
		if p = c.payment(p.ID); p.State != topup.Credited || c.money() != "100.00/0.00" || p.Reference != "trade-"+p.ID {
			t.Errorf("%s, %+v", c.money(), p)
		}
		if n := mailsTo(t, s, c.payer.Email); n != 1 {
			t.Errorf("%d receipts were mailed", n)
		}
		if got := c.parked(); len(got) != 0 {
			t.Errorf("parked: %v", got)
		}
		sound(t, s)
	})
}

func TestABegunPaymentIsOneHoweverOftenItIsSent(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		c := newCounter(t, s, "shop")
		c.alipay.silent = true
		wish := topup.Wish{Payer: c.payer, Channel: topup.Alipay, Amount: cny("50"), Key: "k"}
		p, first, err := c.desk.Begin(t.Context(), wish, noon)
		if !errors.Is(err, topup.ErrUnavailable) || !first || p.State != topup.Created {
			t.Fatalf("%+v, %v, %v", p, first, err)
		}
		c.alipay.silent = false
		again, first, err := c.desk.Begin(t.Context(), wish, noon)
		if err != nil || first || again.ID != p.ID || again.State != topup.Pending {
			t.Errorf("%+v, %v, %v", again, first, err)
		}
		if _, _, err := c.desk.Begin(t.Context(), wish, noon); err != nil || c.alipay.opened[p.ID] != 1 {
			t.Errorf("opened %d times, %v", c.alipay.opened[p.ID], err)
		}
		wish.Amount = cny("51")
		if _, _, err := c.desk.Begin(t.Context(), wish, noon); !errors.Is(err, topup.ErrKeyReused) {
			t.Errorf("another amount under the key: %v", err)
		}
		sound(t, s)
	})
}

func TestWhatCannotBePaidIsRefused(t *testing.T) {
	t.Parallel()
	c := newCounter(t, storetest.SQLite(t), "shop")
	for name, x := range map[string]struct {
		channel topup.Name
		amount  money.Amount
		key     string
		want    error
	}{
		"nothing":          {topup.Alipay, cny("0"), "k", wallet.ErrNotPositive},
		"negative":         {topup.Alipay, cny("-5"), "k", wallet.ErrNotPositive},
		"too little":       {topup.Alipay, cny("0.99"), "k", topup.ErrTooLittle},
		"too much":         {topup.Alipay, cny("100000.01"), "k", topup.ErrTooMuch},
		"absurd":           {topup.Alipay, cny("99999999999"), "k", topup.ErrTooMuch},
		"another currency": {topup.Alipay, money.Of(500, money.USD), "k", money.ErrCurrency},
		"no such channel":  {"cowries", cny("5"), "k", topup.ErrChannel},
		"no key":           {topup.Alipay, cny("5"), "", topup.ErrKey},
		"long key":         {topup.Alipay, cny("5"), strings.Repeat("k", 129), topup.ErrKey},
	} {
		_, _, err := c.desk.Begin(t.Context(), topup.Wish{Payer: c.payer, Channel: x.channel, Amount: x.amount, Key: x.key}, noon)
		if !errors.Is(err, x.want) {
			t.Errorf("%s: %v, want %v", name, err, x.want)
		}
	}
	american := c.payer
	american.Currency = money.USD
	if _, _, err := c.desk.Begin(t.Context(), topup.Wish{Payer: american, Channel: topup.Alipay, Amount: money.Of(500, money.USD), Key: "k"}, noon); !errors.Is(err, topup.ErrCurrency) {
		t.Errorf("a channel of another currency: %v", err)
	}
}

func TestWhatDoesNotFitIsParkedAndMovesNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		c := newCounter(t, s, "shop")
		p := c.begin("100", "k1")
		honest := paidBy(p, "")
		for i, x := range []struct {
			want   topup.Reason
			change func(r *topup.Report)
		}{
			{topup.ReasonAmount, func(r *topup.Report) { r.Amount = cny("99.99") }},
			{topup.ReasonAmount, func(r *topup.Report) { r.Amount = money.Of(100_00, money.USD) }},
			{topup.ReasonUnknown, func(r *topup.Report) { r.PaymentID = "pmnt_none" }},
			{topup.ReasonUnknown, func(r *topup.Report) { r.PaymentID, r.Reference = "", "none" }},
			{topup.ReasonUnreadable, func(r *topup.Report) { r.Reference = "" }},
			{topup.ReasonMerchant, func(r *topup.Report) { r.Odd = topup.ReasonMerchant }},
			{topup.ReasonMode, func(r *topup.Report) { r.Odd = topup.ReasonMode }},
		} {
			r := honest
			r.Event = fmt.Sprintf("odd%d", i)
			x.change(&r)
			c.hears(r)
			if got := c.parked(); len(got) != i+1 || !slices.Contains(got, x.want) {
				t.Errorf("%v: parked %v", x.want, got)
			}
		}
		other := honest
		other.Event = "of another channel"
		c.said(c.stripe, other)
		if c.money() != "0.00/0.00" || c.payment(p.ID).State != topup.Pending || !slices.Contains(c.parked(), topup.ReasonChannel) {
			t.Errorf("%s moved, parked %v", c.money(), c.parked())
		}
		honest.Event = "honest"
		c.hears(honest)
		before := len(c.parked())
		late := func(event string, change func(r *topup.Report)) {
			r := honest
			r.Event = event
			change(&r)
			c.hears(r)
		}
		late("paid with other money", func(r *topup.Report) { r.Reference = "trade-2" })
		late("too much back", func(r *topup.Report) { r.Outcome, r.Amount = topup.WasRefunded, cny("100.01") })
		late("other money back", func(r *topup.Report) { r.Outcome, r.Amount = topup.WasRefunded, money.Of(1, money.USD) })
		late("disputes too much", func(r *topup.Report) { r.Outcome, r.Dispute, r.Amount = topup.DisputeOpened, "d", cny("101") })
		late("a refund failed", func(r *topup.Report) { r.Outcome = topup.RefundFailed })
		if got := len(c.parked()) - before; got != 5 || c.money() != "100.00/0.00" {
			t.Errorf("%d more parked, %s", got, c.money())
		}
		late("expired, late", func(r *topup.Report) { r.Outcome = topup.HasExpired })
		late("failed, late", func(r *topup.Report) { r.Outcome = topup.HasFailed })
		if c.payment(p.ID).State != topup.Credited || c.money() != "100.00/0.00" {
			t.Errorf("a late word took the credit back: %s", c.money())
		}
		sound(t, s)
	})
}

func TestForgeriesAreRefusedAndShownWithinABound(t *testing.T) {
	t.Parallel()
	c := newCounter(t, storetest.SQLite(t), "shop")
	for range 3 {
		if err := c.desk.Receive(t.Context(), topup.Alipay, topup.Message{Body: []byte("forged")}, noon); !errors.Is(err, topup.ErrForged) {
			t.Errorf("a forgery: %v", err)
		}
	}
	if got := c.parked(); !slices.Equal(got, []topup.Reason{topup.ReasonForged}) {
		t.Errorf("the same forgery was kept as %v", got)
	}
	if err := c.desk.Receive(t.Context(), "cowries", topup.Message{}, noon); !errors.Is(err, topup.ErrChannel) {
		t.Errorf("a notice of no channel: %v", err)
	}
}

func TestMoneyThatComesLateIsCreditedAllTheSame(t *testing.T) {
	t.Parallel()
	c := newCounter(t, storetest.SQLite(t), "shop")
	for i, outcome := range []topup.Outcome{topup.HasExpired, topup.HasFailed} {
		p := c.begin("10", string(outcome))
		c.hears(topup.Report{Event: "end" + p.ID, PaymentID: p.ID, Outcome: outcome, Amount: p.Amount})
		if got := c.payment(p.ID).State; string(got) != string(outcome) {
			t.Errorf("%s: %s", outcome, got)
		}
		c.hears(paidBy(p, "paid"+p.ID))
		if want := fmt.Sprintf("%d0.00/0.00", i+1); c.payment(p.ID).State != topup.Credited || c.money() != want {
			t.Errorf("%s: %s, want %s", outcome, c.money(), want)
		}
	}
	sound(t, c.s)
}

func TestIncomingMoneyFillsTheArrearsFirst(t *testing.T) {
	t.Parallel()
	c := newCounter(t, storetest.SQLite(t), "shop")
	write(t, c.s, func(ctx context.Context, tx *store.Tx) error {
		_, err := wallet.Post(ctx, tx, wallet.Movement{Key: "debt", Kind: wallet.Charge, Cause: "debt", Payer: c.payer.ID, Postings: []wallet.Posting{
			{Account: wallet.Arrears(c.payer.ID), Amount: cny("-15")}, {Account: wallet.Revenue(money.CNY), Amount: cny("15")},
		}}, noon)
		return err
	})
	c.hears(paidBy(c.begin("10", "k1"), "e1"))
	if c.money() != "0.00/5.00" {
		t.Errorf("10 into a debt of 15: %s", c.money())
	}
	c.hears(paidBy(c.begin("10", "k2"), "e2"))
	if c.money() != "5.00/0.00" {
		t.Errorf("10 more: %s", c.money())
	}
}

// TestRefundsAndDisputesReverseExactly spends a part before it goes back.
func TestRefundsAndDisputesReverseExactly(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		c := newCounter(t, s, "shop")
		p := c.begin("100", "k1")
		c.hears(paidBy(p, "e1"))
		back := func(event, all string) {
			c.hears(topup.Report{Event: event, PaymentID: p.ID, Reference: "trade-" + p.ID, Outcome: topup.WasRefunded, Amount: cny(all)})
		}
		back("r1", "30")
		back("r1 again", "30")
		back("r2", "50")
		back("r1, late", "30")
		if c.money() != "50.00/0.00" || c.payment(p.ID).State != topup.Credited {
			t.Errorf("after 50 went back: %s", c.money())
		}
		write(t, s, func(ctx context.Context, tx *store.Tx) error { // 40 are spent
			_, err := wallet.Pay(ctx, tx, wallet.Charging{Key: "spent", Cause: "spent", Payer: c.payer.ID, Currency: money.CNY, Settlement: "billing_center", Lines: []wallet.Due{{Amount: cny("40"), VoucherPayable: true}}}, noon)
			return err
		})
		open := topup.Report{Event: "d1", Reference: "trade-" + p.ID, Outcome: topup.DisputeOpened, Dispute: "dp", Amount: cny("50")}
		c.hears(open)
		open.Event = "d1 again"
		c.hears(open)
		if c.money() != "0.00/40.00" || c.payment(p.ID).State != topup.Disputed {
			t.Errorf("disputed: %s, %s", c.money(), c.payment(p.ID).State)
		}
		won := open
		won.Event, won.Outcome, won.Won = "d2", topup.DisputeDecided, true
		c.hears(won)
		won.Event = "d2 again"
		c.hears(won)
		if c.money() != "10.00/0.00" || c.payment(p.ID).State != topup.DisputeWon {
			t.Errorf("won: %s, %s", c.money(), c.payment(p.ID).State)
		}
		lost := won
		lost.Event, lost.Won = "d3", false
		c.hears(lost)
		if c.money() != "10.00/0.00" || !slices.Contains(c.parked(), topup.ReasonContradicts) {
			t.Errorf("decided again: %s, %v", c.money(), c.parked())
		}
		back("all", "100")
		if c.money() != "0.00/40.00" || c.payment(p.ID).State != topup.Refunded {
			t.Errorf("all back: %s, %s", c.money(), c.payment(p.ID).State)
		}
		for _, f := range findings(t, s) {
			if f.Detail != "the charge has no bill" { // which is this test's own doing
				t.Errorf("verify: %v", f)
			}
		}
	})
}

// Whatever the order in which the facts of a payment come, and however often,
// the books end the same.
func TestTheOrderOfNoticesDoesNotMatter(t *testing.T) {
	t.Parallel()
	x := newShop(t, storetest.SQLite(t), "shop")
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		c := counterOf(t, x)
		before := c.money()
		n++
		p := c.begin("100", fmt.Sprintf("order%d", n))
		facts := []topup.Report{paidBy(p, "paid"), {Event: "expired", PaymentID: p.ID, Outcome: topup.HasExpired, Amount: p.Amount}}
		refunded := rapid.Int64Range(0, 60).Draw(t, "refunded")
		for _, part := range []int64{refunded / 2, refunded} {
			if part > 0 {
				facts = append(facts, topup.Report{Event: fmt.Sprint("refund", part), PaymentID: p.ID, Reference: "trade-" + p.ID, Outcome: topup.WasRefunded, Amount: money.Of(part*100, money.CNY)})
			}
		}
		withheld := int64(0)
		if rapid.Bool().Draw(t, "disputed") {
			won := rapid.Bool().Draw(t, "won")
			d := topup.Report{Event: "opened", Reference: "trade-" + p.ID, Outcome: topup.DisputeOpened, Dispute: "d" + p.ID, Amount: money.Of(30_00, money.CNY)}
			facts = append(facts, d)
			if rapid.Bool().Draw(t, "decided") {
				d.Event, d.Outcome, d.Won = "decided", topup.DisputeDecided, won
				facts = append(facts, d)
			} else {
				won = false
			}
			if !won {
				withheld = 30
			}
		}
		facts = append(facts, rapid.SliceOfN(rapid.SampledFrom(facts), 0, 4).Draw(t, "again")...)
		for i, f := range rapid.Permutation(facts).Draw(t, "order") {
			f.Event = fmt.Sprintf("%s-%d-%s", p.ID, i*rapid.IntRange(0, 1).Draw(t, "another event"), f.Event)
			c.hears(f)
		}
		want := money.Of((100-refunded-withheld)*100, money.CNY)
		p = c.payment(p.ID)
		left, err := p.Left()
		if err != nil || left != want || !p.State.Booked() {
			t.Fatalf("left %v of %+v, want %v", left, p, want)
		}
		sum, err := money.MustParse(strings.TrimSuffix(before, "/0.00"), money.CNY).Add(want)
		if err != nil || c.money() != sum.String()+"/0.00" {
			t.Fatalf("%s became %s, want %s more", before, c.money(), want)
		}
	})
	sound(t, x.s)
}
