package storetest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"tollgate.dev/internal/money"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/wallet"
)

func cny(s string) money.Amount { return money.MustParse(s, money.CNY) }

// deposit is a movement of cash that came in.
func (x shopOf) deposit(key, amount string) wallet.Movement {
	return wallet.Movement{Key: key, Kind: wallet.Deposit, Cause: key, Payer: x.payer.ID, Postings: []wallet.Posting{
		{Account: wallet.Cash(x.payer.ID), Amount: cny(amount)}, {Account: wallet.Bank(money.CNY), Amount: cny(amount).Neg()},
	}}
}

func (x shopOf) post(t *testing.T, m wallet.Movement) (wallet.Entry, error) {
	t.Helper()
	var e wallet.Entry
	err := x.s.Write(t.Context(), func(tx *store.Tx) (err error) {
		e, err = wallet.Post(t.Context(), tx, m, noon)
		return err
	})
	return e, err
}

func TestOneKeyMovesMoneyOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newShop(t, s, "shop")
		var all sync.WaitGroup
		ids := make([]string, 16)
		for i := range ids {
			all.Go(func() {
				e, err := x.post(t, x.deposit("k", "5"))
				if err != nil {
					t.Errorf("post: %v", err)
				}
				ids[i] = e.ID
			})
		}
		all.Wait()
		if b := x.balances(t); b.Cash != cny("5") {
			t.Errorf("16 posts of one key left %v", b.Cash)
		}
		for _, id := range ids {
			if id == "" || id != ids[0] {
				t.Errorf("posts of one key gave entries %v", ids)
				break
			}
		}
		if _, err := x.post(t, x.deposit("k", "6")); !errors.Is(err, wallet.ErrKeyReused) {
			t.Errorf("another movement under the key: %v", err)
		}
	})
}

func TestConcurrentMovementsLoseNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newShop(t, s, "shop")
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				for j := range 10 {
					if _, err := x.post(t, x.deposit(fmt.Sprintf("k%d-%d", i, j), "0.01")); err != nil {
						t.Errorf("post: %v", err)
					}
				}
			})
		}
		all.Wait()
		if b := x.balances(t); b.Cash != cny("0.80") {
			t.Errorf("80 deposits of 0.01 left %v", b.Cash)
		}
		var entries []wallet.Entry
		write(t, s, func(ctx context.Context, tx *store.Tx) (err error) {
			entries, err = tx.LedgerEntries(ctx, x.payer.ID, 0, 100)
			return err
		})
		if len(entries) != 80 || entries[0].Number != 80 || len(entries[0].Postings) != 2 {
			t.Errorf("%d entries, the newest %+v", len(entries), entries[0])
		}
	})
}

func TestNoBalancePassesItsFloor(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newShop(t, s, "shop")
		if _, err := x.post(t, x.deposit("k", "5")); err != nil {
			t.Fatal(err)
		}
		take := func(account wallet.Account, amount string) error {
			m := wallet.Movement{Key: string(account) + amount, Kind: wallet.Charge, Cause: amount, Payer: x.payer.ID, Postings: []wallet.Posting{
				{Account: account, Amount: cny(amount)}, {Account: wallet.Revenue(money.CNY), Amount: cny(amount).Neg()},
			}}
			_, err := x.post(t, m)
			return err
		}
		if err := take(wallet.Cash(x.payer.ID), "-5.01"); !errors.Is(err, wallet.ErrFloor) {
			t.Errorf("more cash than there is: %v", err)
		}
		if err := take(wallet.Arrears(x.payer.ID), "0.01"); !errors.Is(err, wallet.ErrFloor) {
			t.Errorf("arrears above zero: %v", err)
		}
		if err := take(wallet.Card(x.payer.ID, "c"), "-0.01"); !errors.Is(err, wallet.ErrFloor) {
			t.Errorf("a card below zero: %v", err)
		}
		if err := take(wallet.Cash(x.payer.ID), "-5.00"); err != nil {
			t.Errorf("all the cash: %v", err)
		}
		if b := x.balances(t); !b.Cash.IsZero() || !b.Owed.IsZero() {
			t.Errorf("left: %+v", b)
		}
	})
}

func TestTransferIsCreditedExactlyOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newShop(t, s, "shop")
		transfer, err := wallet.Declare(x.payer, cny("100"), "INV 7", noon)
		if err != nil {
			t.Fatal(err)
		}
		write(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.InsertTransfer(ctx, transfer) })
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				if err := s.Write(t.Context(), func(tx *store.Tx) error {
					_, err := wallet.CreditTransfer(t.Context(), tx, transfer.ID, wallet.Arrival{}, nil, wallet.By{Operator: "oper_1"}, noon)
					return err
				}); err != nil {
					t.Errorf("credit: %v", err)
				}
			})
		}
		all.Wait()
		if b := x.balances(t); b.Cash != cny("100") {
			t.Errorf("eight operators credited %v", b.Cash)
		}
		err = s.Write(t.Context(), func(tx *store.Tx) error {
			_, err := wallet.RejectTransfer(t.Context(), tx, transfer.ID, "late", wallet.By{Operator: "oper_1"}, noon)
			return err
		})
		if !errors.Is(err, wallet.ErrTransferCredited) {
			t.Errorf("rejected afterwards: %v", err)
		}
		err = s.Write(t.Context(), func(tx *store.Tx) error {
			_, err := wallet.CreditTransfer(t.Context(), tx, "trsf_none", wallet.Arrival{}, nil, wallet.By{Operator: "oper_1"}, noon)
			return err
		})
		if !errors.Is(err, wallet.ErrTransferUnknown) {
			t.Errorf("an unknown transfer: %v", err)
		}
		if n := mailsTo(t, s, x.payer.Email); n != 1 {
			t.Errorf("%d receipts were mailed", n)
		}
		sound(t, s)
	})
}

func mailsTo(t *testing.T, s *store.Store, to string) (n int64) {
	t.Helper()
	if err := s.Read(t.Context(), func(tx *store.Tx) error {
		return tx.QueryRow(t.Context(), `SELECT COUNT(*) FROM mail WHERE recipient = $1`, to).Scan(&n)
	}); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestRejectedTransferMovesNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newShop(t, s, "shop")
		transfer, err := wallet.Declare(x.payer, cny("100"), "INV 7", noon)
		if err != nil {
			t.Fatal(err)
		}
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			if err := tx.InsertTransfer(ctx, transfer); err != nil {
				return err
			}
			_, err := wallet.RejectTransfer(ctx, tx, transfer.ID, "never came", wallet.By{Operator: "oper_1"}, noon)
			return err
		})
		err = s.Write(t.Context(), func(tx *store.Tx) error {
			_, err := wallet.CreditTransfer(t.Context(), tx, transfer.ID, wallet.Arrival{}, nil, wallet.By{Operator: "oper_1"}, noon)
			return err
		})
		if !errors.Is(err, wallet.ErrTransferRejected) {
			t.Errorf("credited afterwards: %v", err)
		}
		var kept []wallet.Transfer
		write(t, s, func(ctx context.Context, tx *store.Tx) (err error) {
			kept, err = tx.TransfersOf(ctx, x.payer.ID, 10)
			return err
		})
		if len(kept) != 1 || kept[0].State != wallet.Rejected || kept[0].Reason != "never came" || !kept[0].DecidedAt.Equal(noon) {
			t.Errorf("kept %+v", kept)
		}
		if b := x.balances(t); !b.Cash.IsZero() {
			t.Errorf("left: %+v", b)
		}
		sound(t, s)
	})
}

// TestOnePayersBillsMoveTogether bills many workspaces of one payer at once:
// no unit of cash is spent twice, and what is missing is owed.
func TestOnePayersBillsMoveTogether(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newShop(t, s, "shop")
		x.recharge(t, "10")
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				if err := s.Write(t.Context(), func(tx *store.Tx) error {
					_, err := wallet.Pay(t.Context(), tx, wallet.Charging{
						Key: fmt.Sprint("bill:", i), Cause: fmt.Sprint(i), Payer: x.payer.ID, Currency: money.CNY,
						Settlement: "billing_center", Lines: []wallet.Due{{Amount: cny("3"), VoucherPayable: true}},
					}, noon)
					return err
				}); err != nil {
					t.Errorf("pay: %v", err)
				}
			})
		}
		all.Wait()
		if b := x.balances(t); !b.Cash.IsZero() || b.Owed != cny("14") {
			t.Errorf("left: %+v", b)
		}
		x.recharge(t, "20")
		if b := x.balances(t); b.Cash != cny("6") || !b.Owed.IsZero() {
			t.Errorf("after a recharge: %+v", b)
		}
	})
}

func TestArrearsAreMailedWhenTheyStart(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newShop(t, s, "shop")
		for i, d := range []string{march1, "2026-03-02"} {
			x.use(t, "logs", "14d", upgraded.Add(time.Duration(24*i)*time.Hour).Truncate(time.Hour), 2_000_000)
			closeDay(t, s, d)
			x.tell(t)
		}
		if n := mailsTo(t, s, x.payer.Email); n != 1 {
			t.Errorf("two days of arrears were mailed %d times", n)
		}
		var texts []string
		if err := s.Read(t.Context(), func(tx *store.Tx) error {
			var document string
			err := tx.QueryRow(t.Context(), `SELECT document FROM mail WHERE recipient = $1`, x.payer.Email).Scan(&document)
			texts = append(texts, document)
			return err
		}); err != nil || !strings.Contains(texts[0], "3.00") {
			t.Errorf("the mail does not name 3.00: %v, %v", texts, err)
		}
		sound(t, s)
	})
}
