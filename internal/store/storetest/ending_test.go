package storetest_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/notify"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/wallet"
)

// mails lists the mails of the outbox by kind.
func mailsOf(t *testing.T, s *store.Store) map[notify.Kind]int {
	t.Helper()
	sent := map[notify.Kind]int{}
	write(t, s, func(ctx context.Context, tx *store.Tx) error {
		rows, err := tx.Query(ctx, `SELECT kind FROM mail`)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var kind string
			if err := rows.Scan(&kind); err != nil {
				return err
			}
			sent[notify.Kind(kind)]++
		}
		return rows.Err()
	})
	return sent
}

func TestAPayerIsToldOnceOfWhatEnds(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newShop(t, s, "shop")
		ends := noon.AddDate(0, 0, 20)
		first := x.voucher(t, wallet.ByVoucher, "30", ends)
		x.voucher(t, wallet.ByFullReduction, "20", ends)
		x.voucher(t, wallet.ByVoucher, "5", noon.AddDate(1, 0, 0))
		if sent := mailsOf(t, s); sent[notify.SourceGiven] != 3 {
			t.Errorf("mails %v", sent)
		}
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			at, ok, err := tx.NextEnding(ctx)
			if err != nil || !ok || !at.Equal(ends) {
				t.Errorf("the next end is %s, %v", at, ok)
			}
			payers, err := tx.PayersOfEnding(ctx, ends, 10)
			if err != nil || len(payers) != 1 || payers[0] != x.payer.ID {
				t.Errorf("payers %v", payers)
			}
			return err
		})
		for range 2 { // the second time tells nothing
			write(t, s, func(ctx context.Context, tx *store.Tx) error {
				return wallet.WarnOfEnd(ctx, tx, x.payer.ID, ends.Add(-wallet.WarnBefore))
			})
		}
		if sent := mailsOf(t, s); sent[notify.SourceExpiring] != 1 {
			t.Errorf("mails %v", sent)
		}
		for range 2 {
			write(t, s, func(ctx context.Context, tx *store.Tx) error { return wallet.End(ctx, tx, first.ID, ends) })
		}
		if sent := mailsOf(t, s); sent[notify.SourceLapsed] != 1 {
			t.Errorf("mails %v", sent)
		}
		sound(t, s)
	})
}

func TestWhatIsUsedUpEndsInSilence(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newShop(t, s, "shop")
		v := x.voucher(t, wallet.ByVoucher, "30", noon.AddDate(0, 0, 20))
		x.use(t, "logs", "30d", upgraded.Truncate(time.Hour), 50_000_000)
		closeDay(t, s, march1)
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			if err := wallet.WarnOfEnd(ctx, tx, x.payer.ID, noon.AddDate(0, 0, 15)); err != nil {
				return err
			}
			return wallet.End(ctx, tx, v.ID, noon.AddDate(0, 0, 20))
		})
		if sent := mailsOf(t, s); sent[notify.SourceExpiring] != 0 || sent[notify.SourceLapsed] != 0 {
			t.Errorf("mails %v", sent)
		}
		sound(t, s)
	})
}

func TestWhatWasGivenIsTakenBackAndWhatWasBoughtIsNot(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newShop(t, s, "shop")
		x.recharge(t, "200")
		given := x.voucher(t, wallet.ByVoucher, "30", noon.AddDate(1, 0, 0))
		bought := issue(t, s, func(ctx context.Context, tx *store.Tx) (wallet.Source, error) {
			return wallet.BuyCard(ctx, tx, x.payer, terms(t), cny("100"), time.Time{}, noon)
		})
		back := func(id, reason string) error {
			return s.Write(t.Context(), func(tx *store.Tx) error {
				_, err := wallet.TakeBack(t.Context(), tx, id, reason, clerk, noon.Add(time.Hour))
				return err
			})
		}
		for _, c := range []struct {
			id, reason string
			want       *fault.Error
		}{
			{given.ID, " ", wallet.ErrReason}, {given.ID, strings.Repeat("x", 257), wallet.ErrReason}, {bought.ID, "mistake", wallet.ErrSourceBought},
			{"vchr_none", "mistake", wallet.ErrSourceUnknown}, {given.ID, "wrong account", nil}, {given.ID, "wrong account", wallet.ErrSourceOver},
		} {
			if err := back(c.id, c.reason); c.want == nil && err != nil || c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("%s for %q: %v, want %v", c.id, c.reason, err, c.want)
			}
		}
		if got := x.purse(t); got != "voucher 0.00, full reduction 0.00, card 100.00, cash 100.00, owed 0.00" {
			t.Errorf("left: %s", got)
		}
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			v, err := tx.SourceOf(ctx, x.payer.ID, given.ID)
			if err != nil || v.State(noon.Add(2*time.Hour)) != wallet.Ended {
				t.Errorf("%+v, %v", v, err)
			}
			moved, err := tx.EntriesOfSource(ctx, v, 10)
			if err != nil || len(moved) != 2 || moved[0].Kind != wallet.Withdrawal || moved[1].Kind != wallet.VoucherIssued {
				t.Errorf("moved by %+v, %v", moved, err)
			}
			list, err := tx.SourcesOf(ctx, x.payer.ID, "", 1)
			if err != nil || len(list) != 1 {
				t.Fatalf("%+v, %v", list, err)
			}
			rest, err := tx.SourcesOf(ctx, x.payer.ID, list[0].ID, 10)
			if err != nil || len(rest) != 1 || rest[0].ID == list[0].ID {
				t.Errorf("behind it %+v, %v", rest, err)
			}
			return err
		})
		sound(t, s)
	})
}
