package storetest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/wallet"
)

// threeDays is a shop that was recharged once and billed on three days: the
// first is covered, the next two leave a debt.
func threeDays(t *testing.T, s *store.Store, name string) shopOf {
	t.Helper()
	x := newShop(t, s, name)
	x.recharge(t, "2")
	for i := range 3 {
		x.use(t, "logs", "14d", upgraded.AddDate(0, 0, i).Truncate(time.Hour), 1_000_000)
		closeDay(t, s, day(march1).Add(i).String())
	}
	return x
}

func TestBalancesAfterAnEntryAreThoseOfItsTime(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := threeDays(t, s, "shop")
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			var got []string
			for n := range int64(5) {
				b, err := tx.BalancesAfter(ctx, x.payer.ID, money.CNY, n)
				if err != nil {
					return err
				}
				got = append(got, b.Cash.String()+"/"+b.Owed.String())
			}
			if text := strings.Join(got, " "); text != "0.00/0.00 2.00/0.00 0.50/0.00 0.00/1.00 0.00/2.50" {
				t.Errorf("balances %s", text)
			}
			return nil
		})
	})
}

func TestEntriesAreFoundByTimeAndNumber(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := threeDays(t, s, "shop")
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			for _, c := range []struct {
				within store.Range
				before int64
				limit  int
				want   string
			}{
				{store.Range{}, 0, 10, "[4 3 2 1]"},
				{store.Range{}, 4, 2, "[3 2]"},
				{store.Range{From: noon.AddDate(0, 0, 1)}, 0, 10, "[4 3]"},
				{store.Range{To: noon.Add(time.Second)}, 0, 10, "[1]"},
				{store.Range{From: noon.AddDate(1, 0, 0)}, 0, 10, "[]"},
			} {
				entries, err := tx.LedgerEntriesIn(ctx, x.payer.ID, c.within, c.before, c.limit)
				if err != nil {
					return err
				}
				numbers := []int64{}
				for _, e := range entries {
					numbers = append(numbers, e.Number)
				}
				if got := fmt.Sprint(numbers); got != c.want {
					t.Errorf("%+v before %d: %s, want %s", c.within, c.before, got, c.want)
				}
			}
			return nil
		})
	})
}

func TestOwedSinceIsTheBeginningOfThePresentDebt(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newShop(t, s, "shop")
		since := func() (at time.Time) {
			write(t, s, func(ctx context.Context, tx *store.Tx) (err error) {
				at, err = tx.OwedSince(ctx, x.payer.ID, money.CNY)
				return err
			})
			return at
		}
		billed := func(i int) time.Time {
			x.use(t, "logs", "14d", upgraded.AddDate(0, 0, i).Truncate(time.Hour), 1_000_000)
			return closeDay(t, s, day(march1).Add(i).String()).ClosedAt
		}
		if !since().IsZero() {
			t.Error("something is owed before the first bill")
		}
		first := billed(0)
		billed(1)
		if got := since(); !got.Equal(first) {
			t.Errorf("owed since %s, want the first bill's %s", got, first)
		}
		x.recharge(t, "3")
		if !since().IsZero() {
			t.Error("something is owed after it was paid")
		}
		third := billed(2)
		if got := since(); !got.Equal(third) {
			t.Errorf("owed since %s, want the third bill's %s", got, third)
		}
		x.recharge(t, "0.5")
		if got := since(); !got.Equal(third) {
			t.Errorf("a part that was paid began the debt anew, at %s", got)
		}
	})
}

func TestBillsOfAPayerComeInPages(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := threeDays(t, s, "shop")
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			q := store.BillQuery{Payer: x.payer.ID, First: day(march1), Last: day("2026-03-31")}
			var days []string
			for after := ""; ; {
				page, err := tx.BillsPage(ctx, q, after, 2)
				if err != nil {
					return err
				}
				for _, b := range page {
					days, after = append(days, b.Day.String()), b.ID
				}
				if len(page) < 2 {
					break
				}
			}
			if got := strings.Join(days, " "); got != "2026-03-03 2026-03-02 2026-03-01" {
				t.Errorf("bills of %s", got)
			}
			n, total, err := tx.BilledTo(ctx, q, money.CNY)
			if err != nil || n != 3 || total != cny("4.50") {
				t.Errorf("%d bills of %s, %v", n, total, err)
			}
			spent, err := tx.SpentByDay(ctx, q, money.CNY)
			if err != nil || len(spent) != 3 || spent[0].Day != day(march1) || spent[0].Total != cny("1.50") {
				t.Errorf("spent %v, %v", spent, err)
			}
			q.Payer = "bcac_other"
			page, err := tx.BillsPage(ctx, q, bill.IDOf(x.shop.ID, day(march1)), 2)
			if err != nil || len(page) != 0 {
				t.Errorf("another payer sees %v, %v", page, err)
			}
			return nil
		})
	})
}

func TestLatestDayOfEachSite(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		threeDays(t, s, "shop")
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			days, err := tx.SiteDays(ctx)
			if err != nil || len(days) != 1 || days[0].Day != day("2026-03-03") || days[0].Bills != 1 {
				t.Errorf("days %+v, %v", days, err)
			}
			return nil
		})
	})
}

func TestATransferIsItsPayersAlone(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newShop(t, s, "shop")
		transfer := x.recharge(t, "5")
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			if got, err := tx.TransferOf(ctx, x.payer.ID, transfer.ID); err != nil || got.State != wallet.Credited {
				t.Errorf("%+v, %v", got, err)
			}
			if _, err := tx.TransferOf(ctx, "bcac_other", transfer.ID); !errors.Is(err, wallet.ErrTransferUnknown) {
				t.Errorf("another payer's transfer: %v", err)
			}
			decided, err := tx.TransfersDecided(ctx, 10)
			if err != nil || len(decided) != 1 {
				t.Errorf("decided %v, %v", decided, err)
			}
			return nil
		})
	})
}

func TestTheOperatorFindsTenantsAndWaitingMails(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newShop(t, s, "Shop")
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			for text, want := range map[string]int{"": 1, "shop": 1, "HO": 1, "wksp_": 1, "%": 0, "'": 0, "none": 0} {
				found, err := tx.WorkspacesMatching(ctx, text, "", 10)
				if err != nil || len(found) != want {
					t.Errorf("%q finds %d workspaces, %v", text, len(found), err)
				}
			}
			if rest, err := tx.WorkspacesMatching(ctx, "", x.shop.ID, 10); err != nil || len(rest) != 0 {
				t.Errorf("after the last one come %v, %v", rest, err)
			}
			hello := account.Registered{UserName: "acme", Email: "pay@acme.example", Language: "en", RegisteredAt: noon}
			if err := tx.Announce(ctx, hello); err != nil {
				return err
			}
			early, err := tx.WaitingMails(ctx, noon, 10)
			if err != nil || len(early) != 0 {
				t.Errorf("waiting %v, %v", early, err)
			}
			late, err := tx.WaitingMails(ctx, noon.Add(time.Second), 10)
			if err != nil || len(late) != 1 || late[0].To != "pay@acme.example" {
				t.Errorf("waiting %v, %v", late, err)
			}
			return nil
		})
	})
}

func TestTheHolderChangesTheAccountButNotItsName(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newShop(t, s, "shop")
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			a := x.payer
			p := account.Person{System: account.BillingSystem, ID: a.ID, UserName: "other", Email: a.Email, Password: a.Password, Language: "zh", Profile: account.Profile{Company: "Acme"}}
			if err := tx.UpdatePerson(ctx, p); err != nil {
				return err
			}
			got, err := tx.BillingByID(ctx, a.ID)
			if err != nil || got.UserName != x.payer.UserName || got.Currency != money.CNY || got.Disabled || got.Language != "zh" || got.Profile.Company != "Acme" {
				t.Errorf("the account is now %+v, %v", got, err)
			}
			to := account.Switches{ArbitrarySettlement: true}
			for range 2 {
				if err := account.Switch(ctx, tx, a.ID, to, "oper_1", "192.0.2.1", noon); err != nil {
					return err
				}
			}
			log, err := tx.AuditLog(ctx, a.ID, 0, 10)
			if err != nil || len(log) != 1 || log[0].Detail["arbitrary_settlement"] != "false -> true" {
				t.Errorf("the log says %+v, %v", log, err)
			}
			return nil
		})
	})
}
