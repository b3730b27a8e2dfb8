package storetest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/id"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/wallet"
)

var (
	_ wallet.CodeTx  = (*store.Tx)(nil)
	_ wallet.BatchTx = (*store.Tx)(nil)
	_ wallet.WarnTx  = (*store.Tx)(nil)
)

var clerk = wallet.By{Operator: "oper_1", Address: "192.0.2.1"}

// codes makes and exports a batch.
func codes(t *testing.T, s *store.Store, b wallet.Batch) (wallet.Batch, []string) {
	t.Helper()
	var texts []string
	write(t, s, func(ctx context.Context, tx *store.Tx) (err error) {
		if b, err = wallet.MakeBatch(ctx, tx, b, clerk, noon); err != nil {
			return err
		}
		b, texts, err = wallet.Export(ctx, tx, b.ID, clerk, noon)
		return err
	})
	return b, texts
}

func ordinary(size int) wallet.Batch {
	return wallet.Batch{Payment: wallet.ByVoucher, Face: cny("50"), Size: size, RedeemBy: period.MustParseDay("2026-03-31"), Holds: wallet.Validity{Days: 30}}
}

func activate(ctx context.Context, s *store.Store, payer account.Billing, text, address string, at time.Time) (made wallet.Source, err error) {
	err = s.Write(ctx, func(tx *store.Tx) (err error) {
		made, err = wallet.Activate(ctx, tx, wallet.Attempt{Payer: payer, Text: text, Address: address}, at)
		if wallet.Counted(err) {
			return store.Keep(err)
		}
		return err
	})
	return made, err
}

// rich is another payer.
func rich(t *testing.T, s *store.Store, name string, c money.Currency) account.Billing {
	t.Helper()
	a := account.Billing{ID: id.New(id.BillingAccount), UserName: name, Email: name + "@pay.example", Currency: c, Language: "en", CreatedAt: noon}
	write(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.InsertBilling(ctx, a) })
	return a
}

func TestACodeIsActivatedOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x, other := newShop(t, s, "shop"), rich(t, s, "other", money.CNY)
		b, texts := codes(t, s, ordinary(3))
		made, err := activate(t.Context(), s, x.payer, strings.ToLower(texts[0]), "192.0.2.7", noon)
		if err != nil || made.Payment != wallet.ByVoucher || made.Origin != wallet.Activated || made.From != b.ID || made.Tail != texts[0][15:] || made.Balance != cny("50") {
			t.Fatalf("%+v, %v", made, err)
		}
		if want := period.MustParseDay("2026-03-31").End(wallet.Zone(money.CNY)); !made.ExpiresAt.Equal(want) {
			t.Errorf("it holds until %s, want %s", made.ExpiresAt, want)
		}
		_, err = activate(t.Context(), s, x.payer, texts[0], "192.0.2.7", noon)
		if f := fault.From(err); !errors.Is(err, wallet.ErrActivationUsed) || f.Args[wallet.OwnSource] != made.ID || f.Field != "code" {
			t.Errorf("again by the same account: %v", err)
		}
		_, err = activate(t.Context(), s, other, texts[0], "192.0.2.8", noon)
		if f := fault.From(err); !errors.Is(err, wallet.ErrActivationUsed) || f.Args[wallet.OwnSource] != nil {
			t.Errorf("by another account: %v", err)
		}
		if got := x.purse(t); !strings.HasPrefix(got, "voucher 50.00,") {
			t.Errorf("the wallet: %s", got)
		}
		sound(t, s)
	})
}

func TestACodeThatDoesNotWorkSaysWhy(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x, abroad := newShop(t, s, "shop"), rich(t, s, "abroad", money.USD)
		b, texts := codes(t, s, ordinary(4))
		_, others := codes(t, s, ordinary(1))
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			n, err := wallet.Revoke(ctx, tx, b.ID, 2, clerk, noon)
			if n != 1 {
				t.Errorf("revoked %d codes", n)
			}
			return err
		})
		closes := b.Closes()
		for name, c := range map[string]struct {
			payer account.Billing
			text  string
			at    time.Time
			want  *fault.Error
		}{
			"mistyped":         {x.payer, texts[0][:18] + "!", noon, wallet.ErrActivationForm},
			"revoked":          {x.payer, texts[1], noon, wallet.ErrActivationRevoked},
			"expired":          {x.payer, texts[0], closes, wallet.ErrActivationExpired},
			"another currency": {abroad, texts[0], noon, wallet.ErrActivationCurrency},
			"unknown":          {x.payer, "0000-0000-0000-0000", noon, wallet.ErrActivationUnknown},
		} {
			made, err := activate(t.Context(), s, c.payer, c.text, "192.0.2.7", c.at)
			if !errors.Is(err, c.want) || fault.From(err).Field != "code" {
				t.Errorf("%s: %v, %v", name, made.ID, err)
			}
		}
		if _, err := activate(t.Context(), s, x.payer, texts[0], "192.0.2.7", closes.Add(-time.Microsecond)); err != nil {
			t.Errorf("in the last instant: %v", err)
		}
		if _, err := activate(t.Context(), s, x.payer, others[0], "192.0.2.7", noon); err != nil {
			t.Errorf("of another batch: %v", err)
		}
		sound(t, s)
	})
}

func TestGuessingIsLimitedPerAccountAndAddress(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newShop(t, s, "shop")
		_, texts := codes(t, s, ordinary(3))
		guess := func(payer account.Billing, address string, at time.Time) error {
			_, err := activate(t.Context(), s, payer, "0000-0000-0000-0000", address, at)
			return err
		}
		for i := range wallet.TriesPerAccount {
			if err := guess(x.payer, fmt.Sprint("192.0.2.", i), noon); !errors.Is(err, wallet.ErrActivationUnknown) {
				t.Fatalf("guess %d: %v", i, err)
			}
		}
		later := noon.Add(wallet.TryWindow - time.Second)
		_, err := activate(t.Context(), s, x.payer, texts[0], "192.0.2.99", later)
		if f := fault.From(err); !errors.Is(err, wallet.ErrActivationTries) || f.Args["retry_after"] != int64(1) {
			t.Errorf("a good code after too many guesses: %v with %v", err, f.Args)
		}
		if _, err := activate(t.Context(), s, x.payer, texts[0], "192.0.2.99", noon.Add(wallet.TryWindow)); err != nil {
			t.Errorf("an hour later: %v", err)
		}
		for i := range wallet.TriesPerAddress {
			if err := guess(rich(t, s, fmt.Sprint("payer-", i), money.CNY), "198.51.100.1", noon); !errors.Is(err, wallet.ErrActivationUnknown) {
				t.Fatalf("guess %d from one address: %v", i, err)
			}
		}
		if err := guess(rich(t, s, "one-more", money.CNY), "198.51.100.1", noon); !errors.Is(err, wallet.ErrActivationTries) {
			t.Errorf("one guess more from one address: %v", err)
		}
		write(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.SweepTries(ctx, noon.Add(time.Minute)) })
		if err := guess(rich(t, s, "swept", money.CNY), "198.51.100.1", noon); !errors.Is(err, wallet.ErrActivationUnknown) {
			t.Errorf("after the old tries were swept: %v", err)
		}
	})
}

func TestGoodCodesCostNoTries(t *testing.T) {
	t.Parallel()
	x := newShop(t, storetest.SQLite(t), "shop")
	_, texts := codes(t, x.s, ordinary(2*wallet.TriesPerAccount))
	for i, text := range texts {
		for range 2 { // clicked twice
			if _, err := activate(t.Context(), x.s, x.payer, text, "192.0.2.7", noon); err != nil && !errors.Is(err, wallet.ErrActivationUsed) {
				t.Fatalf("code %d: %v", i, err)
			}
		}
	}
	if got := x.purse(t); !strings.HasPrefix(got, "voucher 1000.00,") {
		t.Errorf("the wallet: %s", got)
	}
}

func TestCodesAreExportedOnceAndKeptAsHashes(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		b, texts := codes(t, s, ordinary(wallet.MostCodes))
		seen := map[string]bool{}
		for _, text := range texts {
			seen[text] = true
		}
		if len(seen) != wallet.MostCodes {
			t.Errorf("%d different codes", len(seen))
		}
		err := s.Write(t.Context(), func(tx *store.Tx) error {
			_, _, err := wallet.Export(t.Context(), tx, b.ID, clerk, noon)
			return err
		})
		if !errors.Is(err, wallet.ErrBatchExported) {
			t.Errorf("exported again: %v", err)
		}
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			row, err := tx.Batch(ctx, b.ID)
			if err != nil || row.Unused() != wallet.MostCodes {
				t.Errorf("%+v, %v", row, err)
			}
			found, err := tx.Codes(ctx, b.ID, texts[41][15:], 0, 10)
			if err != nil || len(found) == 0 {
				t.Errorf("found %v, %v", found, err)
			}
			for _, c := range found {
				if strings.Contains(c.Hash, strings.ReplaceAll(texts[41], "-", "")) || c.Tail != texts[41][15:] {
					t.Errorf("kept %+v", c)
				}
			}
			n, err := wallet.Revoke(ctx, tx, b.ID, 0, clerk, noon)
			if n != wallet.MostCodes {
				t.Errorf("revoked %d", n)
			}
			return err
		})
		sound(t, s)
	})
}

// TestOneOfAThousandConcurrentActivationsWins has 64 payers try one code a
// thousand times at once. Who is past the bound of tries hears that instead.
func TestOneOfAThousandConcurrentActivationsWins(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		_, texts := codes(t, s, ordinary(1))
		payers := make([]account.Billing, crowd)
		for i := range payers {
			payers[i] = rich(t, s, fmt.Sprint("payer-", i), money.CNY)
		}
		var won atomic.Int64
		var winner sync.Map
		var all sync.WaitGroup
		for i := range 1000 {
			p := payers[i%crowd]
			all.Go(func() {
				_, err := activate(context.WithoutCancel(t.Context()), s, p, texts[0], fmt.Sprint("192.0.2.", i%250), noon)
				switch {
				case err == nil:
					won.Add(1)
					winner.Store(p.ID, true)
				case !errors.Is(err, wallet.ErrActivationUsed) && !errors.Is(err, wallet.ErrActivationTries):
					t.Error(err)
				}
			})
		}
		all.Wait()
		if won.Load() != 1 {
			t.Errorf("%d of a thousand activated the code", won.Load())
		}
		for _, p := range payers {
			want := "0"
			if _, won := winner.Load(p.ID); won {
				want = "1"
			}
			if got := fmt.Sprint(vouchersOf(t, s, p.ID)); got != want {
				t.Errorf("%s has %s vouchers, want %s", p.ID, got, want)
			}
		}
		sound(t, s)
	})
}

// vouchersOf counts what a payer was given.
func vouchersOf(t *testing.T, s *store.Store, payer string) (n int64) {
	t.Helper()
	write(t, s, func(ctx context.Context, tx *store.Tx) error {
		return tx.QueryRow(ctx, `SELECT COUNT(*) FROM wallet_source WHERE payer = $1`, payer).Scan(&n)
	})
	return n
}

func TestForgedActivationsAreFound(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newShop(t, s, "shop")
		_, texts := codes(t, s, ordinary(2))
		if _, err := activate(t.Context(), s, x.payer, texts[0], "192.0.2.7", noon); err != nil {
			t.Fatal(err)
		}
		sound(t, s)
		for _, forge := range []struct{ do, undo string }{
			{`UPDATE activation_code SET used_at = 0 WHERE number = 1`, `UPDATE activation_code SET used_at = 7 WHERE number = 1`},
			{`UPDATE activation_code SET payer = 'bcac_2' WHERE number = 1`, `UPDATE activation_code SET payer = (SELECT payer FROM wallet_source) WHERE number = 1`},
			{`UPDATE activation_code SET revoked_at = 7 WHERE number = 1`, `UPDATE activation_code SET revoked_at = 0 WHERE number = 1`},
			{`UPDATE activation_code SET used_at = 7 WHERE number = 2`, `UPDATE activation_code SET used_at = 0 WHERE number = 2`},
			{`UPDATE code_batch SET face = face + 1`, `UPDATE code_batch SET face = face - 1`},
			{`UPDATE code_batch SET size = 1`, `UPDATE code_batch SET size = 2`},
			{`UPDATE wallet_source SET origin = 'given'`, `UPDATE wallet_source SET origin = 'activated'`},
		} {
			run := func(sql string) {
				write(t, s, func(ctx context.Context, tx *store.Tx) error {
					_, err := tx.Exec(ctx, sql)
					return err
				})
			}
			run(forge.do)
			if found := findings(t, s); len(found) == 0 || found[0].Invariant != "I8" {
				t.Errorf("%s: %v", forge.do, found)
			}
			run(forge.undo)
		}
		sound(t, s)
	})
}

// TestBillsCodesAndCardsMoveOneWalletAtOnce pays bills while the same payer
// activates codes and buys cards: nothing is lost, whoever comes first.
func TestBillsCodesAndCardsMoveOneWalletAtOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newShop(t, s, "shop")
		x.recharge(t, "1000")
		_, texts := codes(t, s, ordinary(12))
		var all sync.WaitGroup
		ctx := context.WithoutCancel(t.Context())
		for i, text := range texts {
			all.Go(func() {
				if _, err := activate(ctx, s, x.payer, text, "192.0.2.7", noon); err != nil {
					t.Error(err)
				}
			})
			all.Go(func() {
				bill := wallet.Charging{Key: fmt.Sprint("opening-bill-", i), Cause: fmt.Sprint("opening-", i), Payer: x.payer.ID, Currency: money.CNY, Settlement: "billing_center",
					Lines: []wallet.Due{{Amount: cny("40"), VoucherPayable: true}, {Amount: cny("5")}}}
				if err := s.Write(ctx, func(tx *store.Tx) error {
					_, err := wallet.Pay(ctx, tx, bill, noon)
					return err
				}); err != nil {
					t.Error(err)
				}
			})
			if i%4 == 0 {
				all.Go(func() {
					if err := s.Write(ctx, func(tx *store.Tx) error {
						_, err := wallet.BuyCard(ctx, tx, x.payer, terms(t), cny("100"), time.Time{}, noon)
						return err
					}); err != nil {
						t.Error(err)
					}
				})
			}
		}
		all.Wait()
		b := x.balances(t)
		has, err := money.Sum(money.CNY, b.Cash, b.Voucher, b.FullReduction, b.Card, b.Owed.Neg())
		if err != nil || has != cny("1060") { // 1,000 of cash, 12 vouchers of 50, less 12 bills of 45
			t.Errorf("the wallet holds %s: %s, %v", has, x.purse(t), err)
		}
		for _, f := range findings(t, s) {
			if f.Invariant != "I4" && f.Invariant != "I5" { // these charges have no bills
				t.Errorf("%v", f)
			}
		}
	})
}
