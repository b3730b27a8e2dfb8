package storetest_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"tollgate.dev/internal/money"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/wallet"
)

var proposer, approver = wallet.By{Operator: "oper_1", Address: "192.0.2.1"}, wallet.By{Operator: "oper_2", Address: "192.0.2.2"}

func (x shopOf) propose(t *testing.T, amount, bill string) wallet.Adjustment {
	t.Helper()
	var a wallet.Adjustment
	write(t, x.s, func(ctx context.Context, tx *store.Tx) (err error) {
		a, err = wallet.Propose(ctx, tx, x.payer.ID, wallet.AdjustmentDraft{Amount: cny(amount), Reason: "counted twice", Bill: bill}, proposer, noon)
		return err
	})
	return a
}

func (x shopOf) approve(t *testing.T, id string, by wallet.By) error {
	t.Helper()
	return x.s.Write(t.Context(), func(tx *store.Tx) error {
		_, err := wallet.ApproveAdjustment(t.Context(), tx, id, by, noon)
		return err
	})
}

func TestAnAdjustmentIsBookedOnceBySomebodyElse(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newShop(t, s, "shop")
		x.recharge(t, "10")
		mails := mailsTo(t, s, x.payer.Email)
		a := x.propose(t, "-25", "")
		err := s.Write(t.Context(), func(tx *store.Tx) error {
			_, err := wallet.Propose(t.Context(), tx, x.payer.ID, wallet.AdjustmentDraft{Amount: cny("-25"), Reason: "counted twice"}, approver, noon)
			return err
		})
		if !errors.Is(err, wallet.ErrAdjustmentTwice) {
			t.Errorf("the same one again: %v", err)
		}
		if err := x.approve(t, a.ID, proposer); !errors.Is(err, wallet.ErrAdjustmentOwn) {
			t.Errorf("one's own: %v", err)
		}
		if b := x.balances(t); b.Cash != cny("10") {
			t.Errorf("proposing moved money: %v", b.Cash)
		}
		var clicks sync.WaitGroup
		for range 6 {
			clicks.Go(func() {
				if err := x.approve(t, a.ID, approver); err != nil {
					t.Errorf("approve: %v", err)
				}
			})
		}
		clicks.Wait()
		if b := x.balances(t); !b.Cash.IsZero() || b.Owed != cny("15") {
			t.Errorf("25 off 10 leaves cash %v and owes %v", b.Cash, b.Owed)
		}
		sound(t, s) // the clock of the debt runs
		if err := x.approve(t, x.propose(t, "40", "").ID, approver); err != nil {
			t.Fatal(err)
		}
		if b := x.balances(t); b.Cash != cny("25") || !b.Owed.IsZero() {
			t.Errorf("40 on 15 owed leaves cash %v and owes %v", b.Cash, b.Owed)
		}
		if n := mailsTo(t, s, x.payer.Email) - mails; n < 2 {
			t.Errorf("%d mails for two adjustments", n)
		}
		sound(t, s)
	})
}

func TestARejectedAdjustmentMovesNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newShop(t, s, "shop")
		a := x.propose(t, "5", "")
		reject := func(why string) error {
			return s.Write(t.Context(), func(tx *store.Tx) error {
				_, err := wallet.RejectAdjustment(t.Context(), tx, a.ID, why, proposer, noon)
				return err
			})
		}
		if err := reject(" "); !errors.Is(err, wallet.ErrReason) {
			t.Errorf("without a reason: %v", err)
		}
		if err := reject("mistaken"); err != nil {
			t.Fatal(err)
		}
		if err := x.approve(t, a.ID, approver); !errors.Is(err, wallet.ErrAdjustmentRejected) {
			t.Errorf("approved afterwards: %v", err)
		}
		if err := x.approve(t, "adjm_none", approver); !errors.Is(err, wallet.ErrAdjustmentUnknown) {
			t.Errorf("an unknown one: %v", err)
		}
		b := x.propose(t, "5", "")
		if err := x.approve(t, b.ID, approver); err != nil {
			t.Fatal(err)
		}
		a = b
		if err := reject("late"); !errors.Is(err, wallet.ErrAdjustmentApproved) {
			t.Errorf("rejected afterwards: %v", err)
		}
		sound(t, s)
	})
}

func TestAnAdjustmentNamesABillOfItsPayerAndChangesNone(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		history(t, s)
		x := newShop(t, s, "other")
		for _, number := range []string{"cn1-2026-000001", "cn1-2026-999999", "nonsense", "';"} {
			err := s.Write(t.Context(), func(tx *store.Tx) error {
				_, err := wallet.Propose(t.Context(), tx, x.payer.ID, wallet.AdjustmentDraft{Amount: cny("1"), Reason: "r", Bill: number}, proposer, noon)
				return err
			})
			if !errors.Is(err, wallet.ErrAdjustmentBill) {
				t.Errorf("bill %s: %v", number, err)
			}
		}
		var payer string
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			b, err := tx.BillByNumber(ctx, "cn1-2026-000001")
			payer = b.Payer
			return err
		})
		x.payer.ID = payer
		a := x.propose(t, "2.5", "cn1-2026-000001")
		if err := x.approve(t, a.ID, approver); err != nil {
			t.Fatal(err)
		}
		sound(t, s)
	})
}

func TestABadAdjustmentIsRefused(t *testing.T) {
	t.Parallel()
	s := storetest.SQLite(t)
	x := newShop(t, s, "shop")
	for name, c := range map[string]struct {
		draft wallet.AdjustmentDraft
		want  error
	}{
		"zero":             {wallet.AdjustmentDraft{Amount: cny("0"), Reason: "r"}, wallet.ErrAdjustmentZero},
		"absurd":           {wallet.AdjustmentDraft{Amount: cny("10000000.01"), Reason: "r"}, wallet.ErrAbsurd},
		"absurdly less":    {wallet.AdjustmentDraft{Amount: cny("-10000000.01"), Reason: "r"}, wallet.ErrAbsurd},
		"another currency": {wallet.AdjustmentDraft{Amount: money.MustParse("1", money.USD), Reason: "r"}, money.ErrCurrency},
		"no reason":        {wallet.AdjustmentDraft{Amount: cny("1"), Reason: " "}, wallet.ErrReason},
	} {
		err := s.Write(t.Context(), func(tx *store.Tx) error {
			_, err := wallet.Propose(t.Context(), tx, x.payer.ID, c.draft, proposer, noon)
			return err
		})
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestVerificationHoldsAdjustmentsAgainstTheLedger(t *testing.T) {
	t.Parallel()
	for name, sql := range map[string]string{
		"an amount that was changed": `UPDATE adjustment SET minor = minor + 1`,
		"one taken back":             `UPDATE adjustment SET state = 'proposed'`,
		"one removed":                `DELETE FROM adjustment`,
		"approved by its proposer":   `UPDATE adjustment SET decided_by = proposed_by`,
		"approved without an entry":  `INSERT INTO adjustment SELECT 'adjm_2', account_id, currency, minor, 'r', '', '', state, proposed_by, proposed_at, decided_by, decided_at, '', '' FROM adjustment`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := storetest.SQLite(t)
			x := newShop(t, s, "shop")
			if err := x.approve(t, x.propose(t, "5", "").ID, approver); err != nil {
				t.Fatal(err)
			}
			sound(t, s)
			write(t, s, func(ctx context.Context, tx *store.Tx) error {
				_, err := tx.Exec(ctx, sql)
				return err
			})
			if found := findings(t, s); len(found) == 0 || found[0].Invariant != "I4" {
				t.Errorf("verify found %v", found)
			}
		})
	}
}

func TestTheEffectOfAnAdjustmentIsItsAmount(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		minor := func(name string, low, high int64) money.Amount {
			return money.Of(rapid.Int64Range(low, high).Draw(t, name), money.CNY)
		}
		b := wallet.Balances{Cash: minor("cash", 0, 1e9), Owed: money.Of(0, money.CNY)}
		if rapid.Bool().Draw(t, "in arrears") {
			b = wallet.Balances{Cash: money.Of(0, money.CNY), Owed: minor("owed", 1, 1e9)}
		}
		a := wallet.Adjustment{ID: "adjm_1", AccountID: "bcac_1", Amount: minor("amount", -wallet.MostAmount, wallet.MostAmount)}
		if a.Amount.IsZero() {
			return
		}
		cash, owed, err := a.Effect(b)
		if err != nil {
			t.Fatal(err)
		}
		moved := cash.Minor() - owed.Minor() - b.Cash.Minor() + b.Owed.Minor()
		if moved != a.Amount.Minor() || cash.Sign() < 0 || owed.Sign() < 0 || cash.Sign() > 0 && owed.Sign() > 0 {
			t.Fatalf("%v on cash %v and owed %v makes %v and %v", a.Amount, b.Cash, b.Owed, cash, owed)
		}
	})
}
