package storetest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/wallet"
)

var _ wallet.SourceTx = (*store.Tx)(nil)

// issue runs one of the wallet's ways to issue a voucher or card.
func issue(t *testing.T, s *store.Store, f func(ctx context.Context, tx *store.Tx) (wallet.Source, error)) wallet.Source {
	t.Helper()
	var made wallet.Source
	write(t, s, func(ctx context.Context, tx *store.Tx) (err error) {
		made, err = f(ctx, tx)
		return err
	})
	return made
}

func (x shopOf) voucher(t *testing.T, kind wallet.Payment, face string, expires time.Time) wallet.Source {
	t.Helper()
	return issue(t, x.s, func(ctx context.Context, tx *store.Tx) (wallet.Source, error) {
		return wallet.GiveVoucher(ctx, tx, x.payer, kind, cny(face), expires, noon)
	})
}

func (x shopOf) purse(t *testing.T) string {
	t.Helper()
	b := x.balances(t)
	return fmt.Sprintf("voucher %s, full reduction %s, card %s, cash %s, owed %s", b.Voucher, b.FullReduction, b.Card, b.Cash, b.Owed)
}

func terms(t *testing.T) catalog.Cards {
	t.Helper()
	v, err := catalog.Default().At(day(march1))
	if err != nil {
		t.Fatal(err)
	}
	return v.Cards
}

// TestABillTakesEverySourceInItsOrder is vector W1 of domain section 10.2.
func TestABillTakesEverySourceInItsOrder(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newShop(t, s, "shop")
		x.recharge(t, "10")
		x.voucher(t, wallet.ByVoucher, "30", noon.AddDate(1, 0, 0))
		x.voucher(t, wallet.ByFullReduction, "20", noon.AddDate(1, 0, 0))
		expired := x.voucher(t, wallet.ByVoucher, "1000", noon.Add(time.Hour))
		issue(t, s, func(ctx context.Context, tx *store.Tx) (wallet.Source, error) {
			return wallet.GiveCard(ctx, tx, x.payer, cny("25"), time.Time{}, noon)
		})
		x.use(t, "logs", "30d", upgraded.Truncate(time.Hour), 50_000_000)
		closeDay(t, s, march1)
		p := x.bill(t, march1).Lines[0].Paid
		if got := fmt.Sprint(p.Voucher, p.FullReduction, p.Card, p.Cash, p.Owed); got != "30.00 20.00 25.00 10.00 15.00" {
			t.Errorf("paid %s", got)
		}
		sound(t, s)
		for range 2 { // the second time changes nothing
			write(t, s, func(ctx context.Context, tx *store.Tx) error {
				return wallet.End(ctx, tx, expired.ID, noon.AddDate(0, 0, 2))
			})
		}
		if got := x.purse(t); got != "voucher 0.00, full reduction 0.00, card 0.00, cash 0.00, owed 15.00" {
			t.Errorf("left: %s", got)
		}
		sound(t, s)
	})
}

func TestACardFillsTheDebtFirst(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newShop(t, s, "shop")
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			_, err := wallet.OpenDebt(ctx, tx, x.payer, cny("15"), noon)
			return err
		})
		card := func(face string) {
			issue(t, s, func(ctx context.Context, tx *store.Tx) (wallet.Source, error) {
				return wallet.GiveCard(ctx, tx, x.payer, cny(face), time.Time{}, noon)
			})
		}
		card("10")
		if got := x.purse(t); got != "voucher 0.00, full reduction 0.00, card 0.00, cash 0.00, owed 5.00" {
			t.Errorf("after 10: %s", got)
		}
		card("25")
		if got := x.purse(t); got != "voucher 0.00, full reduction 0.00, card 20.00, cash 0.00, owed 0.00" {
			t.Errorf("after 25: %s", got)
		}
		sound(t, s)
	})
}

func TestABoughtCardEarnsTheVoucherOfItsTier(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newShop(t, s, "shop")
		x.recharge(t, "50000")
		buy := func(face string) error {
			return s.Write(t.Context(), func(tx *store.Tx) error {
				_, err := wallet.BuyCard(t.Context(), tx, x.payer, terms(t), cny(face), time.Time{}, noon)
				return err
			})
		}
		for face, want := range map[string]*fault.Error{
			"50": wallet.ErrCardFace, "150": wallet.ErrCardFace, "0": wallet.ErrNotPositive, "50100": wallet.ErrFloor, "20000000": wallet.ErrAbsurd,
		} {
			if err := buy(face); !errors.Is(err, want) {
				t.Errorf("a card of %s: %v, want %v", face, err, want)
			}
		}
		for _, face := range []string{"9900", "30000"} {
			if err := buy(face); err != nil {
				t.Errorf("a card of %s: %v", face, err)
			}
		}
		if got := x.purse(t); got != "voucher 0.00, full reduction 5000.00, card 39900.00, cash 10100.00, owed 0.00" {
			t.Errorf("after two cards: %s", got)
		}
		sound(t, s)
	})
}

func TestAVoucherOutOfNothingIsFound(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newShop(t, s, "shop")
		v := x.voucher(t, wallet.ByVoucher, "30", noon.AddDate(1, 0, 0))
		for _, sql := range []string{
			`UPDATE wallet_source SET face = 29 WHERE id = $1`,
			`UPDATE wallet_source SET ended_at = 1 WHERE id = $1`,
			`DELETE FROM wallet_source WHERE id = $1`,
		} {
			write(t, s, func(ctx context.Context, tx *store.Tx) error {
				_, err := tx.Exec(ctx, sql, v.ID)
				return err
			})
			if found := findings(t, s); len(found) == 0 || found[0].Invariant != "I8" {
				t.Errorf("%s: %v", sql, found)
			}
		}
	})
}

func TestVouchersAndCardsOfAllPayersAreListedInPages(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newShop(t, s, "shop")
		usable := x.voucher(t, wallet.ByVoucher, "30", noon.AddDate(0, 1, 0))
		over := x.voucher(t, wallet.ByFullReduction, "20", noon.Add(time.Hour))
		always := issue(t, s, func(ctx context.Context, tx *store.Tx) (wallet.Source, error) {
			return wallet.GiveCard(ctx, tx, x.payer, cny("100"), time.Time{}, noon.Add(time.Second))
		})
		at := noon.AddDate(0, 0, 1)
		for _, c := range []struct {
			q    store.SourceQuery
			want []string
		}{
			{store.SourceQuery{Order: "expires"}, []string{over.ID, usable.ID, always.ID}},
			{store.SourceQuery{Order: "-expires"}, []string{always.ID, usable.ID, over.ID}},
			{store.SourceQuery{Payer: x.payer.ID, State: wallet.Usable, Order: "expires"}, []string{usable.ID, always.ID}},
			{store.SourceQuery{State: wallet.Expired}, []string{over.ID}},
			{store.SourceQuery{Payment: wallet.ByCard, Currency: "CNY"}, []string{always.ID}},
			{store.SourceQuery{Payer: "bcac_none"}, nil},
			{store.SourceQuery{From: day(march1).Add(2), Order: "expires"}, []string{usable.ID}},
			{store.SourceQuery{To: day(march1).Add(2)}, []string{over.ID}},
		} {
			c.q.At = at
			if got := sourcesOf(t, s, c.q); fmt.Sprint(got) != fmt.Sprint(c.want) {
				t.Errorf("%+v gives %v, want %v", c.q, got, c.want)
			}
		}
	})
}

// sourcesOf are the IDs that a query gives, one a page.
func sourcesOf(t *testing.T, s *store.Store, q store.SourceQuery) (ids []string) {
	t.Helper()
	read(t, s, func(ctx context.Context, tx *store.Tx) error {
		count, err := tx.CountSources(ctx, q)
		for after := ""; err == nil && len(ids) <= int(count); {
			var page []wallet.Source
			if page, err = tx.SourcesIn(ctx, q, after, 1); len(page) == 0 {
				break
			}
			ids, after = append(ids, page[0].ID), page[0].ID
		}
		if int(count) != len(ids) {
			t.Errorf("%+v: counted %d, listed %v", q, count, ids)
		}
		return err
	})
	return ids
}
