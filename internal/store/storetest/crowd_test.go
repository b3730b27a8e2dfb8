package storetest_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"tollgate.dev/internal/arrears"
	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/job"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/topup"
	"tollgate.dev/internal/wallet"
)

// crowd is how many payers do everything at once.
const crowd = 64

// pays is everything that a payer of the crowd does while the day is billed: a
// bank transfer of 100, an online payment of 50 whose notice comes twice, and a
// code of 50.
func (c *counter) pays(ctx context.Context, code string) error {
	transfer, err := wallet.Declare(c.payer, cny("100"), "INV", noon)
	if err != nil {
		return err
	}
	if err := c.s.Write(ctx, func(tx *store.Tx) error { return tx.InsertTransfer(ctx, transfer) }); err != nil {
		return fmt.Errorf("declare: %w", err)
	}
	if err := c.s.Write(ctx, func(tx *store.Tx) error {
		_, err := wallet.CreditTransfer(ctx, tx, transfer.ID, wallet.Arrival{}, nil, wallet.By{Operator: "oper_1"}, noon)
		return err
	}); err != nil {
		return fmt.Errorf("credit: %w", err)
	}
	p, _, err := c.desk.Begin(ctx, topup.Wish{Payer: c.payer, Channel: topup.Alipay, Amount: cny("50"), Key: "k"}, noon)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	c.alipay.says = []topup.Report{paidBy(p, "paid"+p.ID)}
	for range 2 {
		if err := c.desk.Receive(ctx, topup.Alipay, topup.Message{}, noon); err != nil {
			return fmt.Errorf("receive: %w", err)
		}
	}
	_, err = activate(ctx, c.s, c.payer, code, "", noon)
	return err
}

// TestSixtyFourPayersPayRedeemAndAreBilledAtOnce has every payer's money moved
// from all sides at the same time. In the end each has what came in less what
// was billed, and the books hold.
func TestSixtyFourPayersPayRedeemAndAreBilledAtOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		_, texts := codes(t, s, ordinary(crowd))
		var payers []*counter
		for i := range crowd {
			c := newCounter(t, s, fmt.Sprintf("p%02d", i))
			c.use(t, "logs", "14d", upgraded.Truncate(time.Hour), 40_000_000)
			payers = append(payers, c)
		}
		var all sync.WaitGroup
		ctx := t.Context()
		for i, c := range payers {
			all.Go(func() {
				if err := c.pays(ctx, texts[i]); err != nil {
					t.Errorf("%s: %v", c.payer.ID, err)
				}
			})
		}
		all.Go(func() {
			b := books(s)
			b.Lot, b.Workers, b.OneWrite = 8, 4, s.OneWriter()
			d, err := b.CloseDay(ctx, bill.CloseDay{Site: "cn1", Day: day(march1)}, noon.AddDate(0, 0, 1))
			if err != nil || d.Bills != crowd || d.Parked != 0 {
				t.Errorf("closed: %+v, %v", d, err)
			}
		})
		all.Wait()
		job.Register(payers[0].runner, func(ctx context.Context, j arrears.Apply) error {
			return s.Write(ctx, func(tx *store.Tx) error {
				for _, payer := range j.Payers {
					if err := arrears.Tell(ctx, tx, arrears.Debt, payer, noon); err != nil {
						return err
					}
				}
				return nil
			})
		})
		payers[0].work() // what was queued, of everybody
		for _, c := range payers {
			if err := c.desk.Credit(ctx, c.payment(paymentOf(t, c)).ID, noon); err != nil {
				t.Error(err)
			}
			if has, want := c.total(t), cny("140"); has != want { // 100 + 50 + 50 less 40 million logs
				t.Errorf("%s has %s, want %s", c.payer.ID, has, want)
			}
		}
		sound(t, s)
	})
}

// paymentOf is the only payment of a payer.
func paymentOf(t *testing.T, c *counter) (id string) {
	t.Helper()
	if err := c.s.Read(t.Context(), func(tx *store.Tx) error {
		return tx.QueryRow(t.Context(), `SELECT id FROM payment WHERE account_id = $1`, c.payer.ID).Scan(&id)
	}); err != nil {
		t.Fatal(err)
	}
	return id
}

// total is everything that a payer has, less what it owes.
func (x shopOf) total(t *testing.T) money.Amount {
	t.Helper()
	var minor int64
	err := x.s.Read(t.Context(), func(tx *store.Tx) error {
		return tx.QueryRow(t.Context(), `
			SELECT cash + (SELECT CAST(COALESCE(SUM(minor), 0) AS BIGINT) FROM ledger_balance WHERE payer = $1)
			FROM purse
			WHERE payer = $1`, x.payer.ID).Scan(&minor)
	})
	if err != nil && !errors.Is(err, store.ErrNoRows) {
		t.Fatal(err)
	}
	return money.Of(minor, money.CNY)
}
