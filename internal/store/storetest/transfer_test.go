package storetest_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"tollgate.dev/internal/attachment"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/wallet"
)

// TestTwoOperatorsCreditOnceHoweverOftenTheyClick has both operators enter and
// approve at the same time, again and again.
func TestTwoOperatorsCreditOnceHoweverOftenTheyClick(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newShop(t, s, "shop")
		limits := wallet.Limits{money.CNY: cny("1000")}
		var made wallet.Transfer
		write(t, s, func(ctx context.Context, tx *store.Tx) (err error) {
			slip := attachment.Sent{Name: "slip.pdf", Content: []byte("%PDF-1.7")}
			made, err = wallet.DeclareTransfer(ctx, tx, x.payer, wallet.Declaration{Amount: cny("5000"), Reference: "INV 7", Slip: slip}, "192.0.2.1", noon)
			return err
		})
		var clicks sync.WaitGroup
		for _, operator := range []string{"oper_1", "oper_2"} {
			for range 4 {
				clicks.Go(func() {
					by := wallet.By{Operator: operator}
					for _, decide := range []func(tx *store.Tx) error{
						func(tx *store.Tx) error {
							_, err := wallet.CreditTransfer(t.Context(), tx, made.ID, wallet.Arrival{}, limits, by, noon)
							return err
						},
						func(tx *store.Tx) error {
							_, err := wallet.ApproveTransfer(t.Context(), tx, made.ID, by, noon)
							return err
						},
					} {
						err := s.Write(t.Context(), decide)
						if err != nil && !errors.Is(err, wallet.ErrTransferOwn) && !errors.Is(err, wallet.ErrTransferProposed) && !errors.Is(err, wallet.ErrTransferUnproposed) {
							t.Error(err)
						}
					}
				})
			}
		}
		clicks.Wait()
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			got, err := tx.TransferOf(ctx, x.payer.ID, made.ID)
			if err != nil || got.State != wallet.Credited || got.ProposedBy == got.DecidedBy || got.ProposedBy == "" {
				t.Errorf("the transfer is %+v, %v", got, err)
			}
			b, err := wallet.BalancesOf(ctx, tx, x.payer.ID, money.CNY)
			if err != nil || b.Cash != cny("5000") {
				t.Errorf("the cash is %v, %v", b.Cash, err)
			}
			return nil
		})
		sound(t, s)
	})
}

// TestTheStoreItselfRefusesASingleOperator goes around the noun.
func TestTheStoreItselfRefusesASingleOperator(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newShop(t, s, "shop")
		made, err := wallet.Declare(x.payer, cny("5000"), "INV 7", noon)
		if err != nil {
			t.Fatal(err)
		}
		write(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.InsertTransfer(ctx, made) })
		entered, _ := made.Credit(wallet.Arrival{}, wallet.Limits{money.CNY: cny("0")}, "oper_1", noon)
		write(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.MoveTransfer(ctx, entered, wallet.Declared) })
		entered.State, entered.DecidedBy = wallet.Credited, "oper_1"
		err = s.Write(t.Context(), func(tx *store.Tx) error { return tx.MoveTransfer(t.Context(), entered, wallet.Proposed) })
		if err == nil {
			t.Error("one operator entered and credited it")
		}
	})
}

func TestSlipsAreKeptInTheirOrderAndBounded(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newShop(t, s, "shop")
		made, err := wallet.Declare(x.payer, cny("5"), "INV 7", noon)
		if err != nil {
			t.Fatal(err)
		}
		write(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.InsertTransfer(ctx, made) })
		var sends sync.WaitGroup
		for range 2 * wallet.MostSlips {
			sends.Go(func() {
				sent := attachment.Sent{Name: "slip.pdf", Content: []byte("%PDF-1.7")}
				err := s.Write(t.Context(), func(tx *store.Tx) error {
					_, err := wallet.AddSlip(t.Context(), tx, x.payer.ID, made.ID, sent, "", noon)
					return err
				})
				if err != nil && !errors.Is(err, wallet.ErrSlipsMany) && !errors.Is(err, wallet.ErrSlipLate) {
					t.Error(err)
				}
			})
		}
		sends.Wait()
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			files, err := tx.Slips(ctx, made.ID)
			if err != nil || len(files) != wallet.MostSlips {
				t.Errorf("%d slips, %v", len(files), err)
			}
			for _, f := range files {
				if got, err := tx.Slip(ctx, made.ID, f.ID); err != nil || string(got.Content) != "%PDF-1.7" {
					t.Errorf("%+v, %v", got, err)
				}
			}
			if _, err := tx.Slip(ctx, "trsf_other", files[0].ID); !errors.Is(err, attachment.ErrUnknown) {
				t.Errorf("the slip of another transfer: %v", err)
			}
			return nil
		})
		sound(t, s)
	})
}
