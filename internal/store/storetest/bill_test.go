package storetest_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/id"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/usage"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/workspace"
)

// What a store transaction must be able to do for the ledger and the bills.
var (
	_ bill.Tx           = (*store.Tx)(nil)
	_ bill.MonthTx      = (*store.Tx)(nil)
	_ wallet.TransferTx = (*store.Tx)(nil)
)

// shopOf is a Commercial workspace with its payer.
type shopOf struct {
	s     *store.Store
	payer account.Billing
	shop  workspace.Workspace
}

// upgraded is the instant of the upgrade: 10:20 on 1 March in Hangzhou.
var upgraded = time.Date(2026, 3, 1, 2, 20, 0, 0, time.UTC)

const march1 = "2026-03-01"

func day(s string) period.Day { return period.MustParseDay(s) }

// newShop inserts a payer and a workspace that was upgraded on 1 March. Workspaces
// are in alphabetical order of their names.
func newShop(t *testing.T, s *store.Store, name string) shopOf {
	t.Helper()
	x := shopOf{s: s}
	write(t, s, func(ctx context.Context, tx *store.Tx) error {
		x.payer = account.Billing{ID: id.BillingAccount + "_" + name, UserName: name, Email: name + "@pay.example", Currency: money.CNY, Language: "en", CreatedAt: noon}
		if err := tx.InsertBilling(ctx, x.payer); err != nil {
			return err
		}
		w, err := workspace.New("cn1", name, "en", "acnt_"+name, upgraded.AddDate(0, 0, -3))
		if err != nil {
			return err
		}
		w.ID = "wksp_" + name
		if w, err = w.Upgrade(x.payer.ID, upgraded); err != nil {
			return err
		}
		x.shop = w
		return tx.InsertWorkspace(ctx, w)
	})
	return x
}

// use adds usage of the workspace's present generation.
func (x shopOf) use(t *testing.T, item, class string, hour time.Time, n int64) {
	t.Helper()
	x.useOf(t, x.shop.Generation, item, class, hour, n)
}

var flushes atomic.Int64

func (x shopOf) useOf(t *testing.T, g workspace.Generation, item, class string, hour time.Time, n int64) {
	t.Helper()
	key := usage.Key{WorkspaceID: x.shop.ID, Generation: g, Item: item, Class: class}
	b := usage.Batch{Gateway: "test", Epoch: 1, Seq: flushes.Add(1), Deltas: []usage.Delta{{Key: key, Hour: hour, Add: n}}}
	write(t, x.s, func(ctx context.Context, tx *store.Tx) error { return tx.AddUsage(ctx, b) })
}

func books(s *store.Store) bill.Books {
	return bill.Books{
		Catalog: catalog.Default(), Quiet: time.Hour,
		Write: func(ctx context.Context, f func(bill.Tx) error) error {
			return s.Write(ctx, func(tx *store.Tx) error { return f(tx) })
		},
	}
}

// closeDay closes a day of cn1 just after its midnight.
func closeDay(t *testing.T, s *store.Store, d string) bill.SiteDay {
	t.Helper()
	cn1, err := site.Find("cn1")
	if err != nil {
		t.Fatal(err)
	}
	closed, err := books(s).CloseDay(t.Context(), bill.CloseDay{Site: "cn1", Day: day(d)}, day(d).End(cn1.Zone).Add(time.Minute))
	if err != nil {
		t.Fatalf("close %s: %v", d, err)
	}
	return closed
}

func (x shopOf) bill(t *testing.T, d string) bill.Bill {
	t.Helper()
	var b bill.Bill
	write(t, x.s, func(ctx context.Context, tx *store.Tx) (err error) {
		b, err = tx.BillOfDay(ctx, x.shop.ID, day(d))
		return err
	})
	return b
}

func (x shopOf) balances(t *testing.T) wallet.Balances {
	t.Helper()
	var b wallet.Balances
	if err := x.s.Read(t.Context(), func(tx *store.Tx) (err error) {
		b, err = wallet.BalancesOf(t.Context(), tx, x.payer.ID, x.payer.Currency)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return b
}

// recharge declares a bank transfer and credits it.
func (x shopOf) recharge(t *testing.T, amount string) wallet.Transfer {
	t.Helper()
	transfer, err := wallet.Declare(x.payer, money.MustParse(amount, money.CNY), "INV 7", noon)
	if err != nil {
		t.Fatal(err)
	}
	write(t, x.s, func(ctx context.Context, tx *store.Tx) error {
		if err := tx.InsertTransfer(ctx, transfer); err != nil {
			return err
		}
		transfer, err = wallet.CreditTransfer(ctx, tx, transfer.ID, wallet.Arrival{}, nil, wallet.By{Operator: "oper_1"}, noon)
		return err
	})
	return transfer
}

func TestDayIsClosedOnceAndPaid(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newShop(t, s, "shop")
		x.recharge(t, "10")
		x.use(t, "logs", "14d", upgraded.Truncate(time.Hour), 4_000_000)
		x.use(t, "logs", "14d", upgraded.Add(5*time.Hour).Truncate(time.Hour), 4_000_000)
		x.use(t, "timeseries", "7d", upgraded.Truncate(time.Hour), 6000)
		first := closeDay(t, s, march1)
		if first.Bills != 1 || first.Parked != 0 || !first.Closed() {
			t.Errorf("closed with %d bills, %d parked", first.Bills, first.Parked)
		}
		b := x.bill(t, march1)
		if got := fmt.Sprint(b.Number, " ", b.Total, " ", b.Lines[0].Item, " ", b.Lines[0].Amount, " ", b.Lines[1].Item, " ", b.Lines[1].Amount); got != "cn1-2026-000001 16.20 timeseries 4.20 logs 12.00" {
			t.Errorf("bill %s", got)
		}
		if got := fmt.Sprint(b.Paid.Cash, " ", b.Paid.Owed, " ", b.Lines[1].Paid.Cash, " ", b.Lines[1].Paid.Owed); got != "10.00 6.20 5.80 6.20" {
			t.Errorf("paid %s", got)
		}
		if got := x.balances(t); got.Cash.String() != "0.00" || got.Owed.String() != "6.20" {
			t.Errorf("balances %+v", got)
		}
		if again := closeDay(t, s, march1); again.Hash != first.Hash || !again.ClosedAt.Equal(first.ClosedAt) {
			t.Errorf("closed again: %+v, before %+v", again, first)
		}
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			again, err := bill.Close(ctx, tx, catalog.Default(), day(march1), x.shop.ID, noon.AddDate(0, 1, 0))
			if err == nil && (again.Hash != b.Hash || again.Number != b.Number) {
				t.Errorf("billed again: %+v", again)
			}
			return err
		})
		if got := x.balances(t); got.Owed.String() != "6.20" {
			t.Errorf("paid twice: %+v", got)
		}
		sound(t, s)
	})
}

func TestFreeGenerationIsNeverBilled(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newShop(t, s, "shop")
		for h := range 24 {
			x.useOf(t, x.shop.Generation-1, "logs", "7d", day(march1).Start(time.UTC).Add(time.Duration(h)*time.Hour), 5_000_000)
		}
		x.use(t, "logs", "14d", upgraded.Add(-time.Hour).Truncate(time.Hour), 7_000_000) // before the hour of the upgrade: cannot be
		closed := closeDay(t, s, march1)
		if closed.Bills != 0 || closed.Parked != 0 {
			t.Errorf("%d bills, %d parked", closed.Bills, closed.Parked)
		}
		sound(t, s)
	})
}

func TestDaysAreClosedInOrderAndNotBeforeTheirEnd(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newShop(t, s, "shop")
		cn1, _ := site.Find("cn1")
		try := func(d string, at time.Time) error {
			_, err := books(s).CloseDay(t.Context(), bill.CloseDay{Site: "cn1", Day: day(d)}, at)
			return err
		}
		if err := try(march1, day(march1).End(cn1.Zone).Add(-time.Microsecond)); !errors.Is(err, bill.ErrNotDue) {
			t.Errorf("before midnight: %v", err)
		}
		one := closeDay(t, s, march1)
		if err := try("2026-03-03", noon.AddDate(0, 1, 0)); !errors.Is(err, bill.ErrOutOfOrder) {
			t.Errorf("a day left out: %v", err)
		}
		x.use(t, "logs", "14d", day("2026-03-02").Start(cn1.Zone), 2_000_000)
		two := closeDay(t, s, "2026-03-02")
		if two.Previous != one.Hash || two.Bills != 1 {
			t.Errorf("the second day holds %q of %q", two.Previous, one.Hash)
		}
		sound(t, s)
	})
}

func TestDayWaitsForTheGateways(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		newShop(t, s, "shop")
		cn1, _ := site.Find("cn1")
		end := day(march1).End(cn1.Zone)
		through := func(gateway string, at time.Time) {
			b := usage.Batch{Gateway: gateway, Epoch: 1, Seq: flushes.Add(1), Through: at}
			write(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.AddUsage(ctx, b) })
		}
		through("a", end.Add(time.Second))
		through("b", end.Add(-time.Second))
		job := bill.CloseDay{Site: "cn1", Day: day(march1)}
		if _, err := books(s).CloseDay(t.Context(), job, end.Add(time.Minute)); !errors.Is(err, bill.ErrNotFlushed) {
			t.Fatalf("with usage still in a gateway: %v", err)
		}
		through("b", end)
		closeDay(t, s, march1)
	})
}

func TestWorkspaceThatFailsIsParkedAndTheOthersGoOn(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a, b, c := newShop(t, s, "a"), newShop(t, s, "b"), newShop(t, s, "c")
		hour := upgraded.Truncate(time.Hour)
		a.use(t, "logs", "14d", hour, 2_000_000)
		b.use(t, "logs", "nonsense", hour, 2_000_000)
		c.use(t, "logs", "14d", hour, 4_000_000)
		closed := closeDay(t, s, march1)
		if closed.Bills != 2 || closed.Parked != 1 {
			t.Errorf("%d bills, %d parked", closed.Bills, closed.Parked)
		}
		if n := c.bill(t, march1).Number; n != "cn1-2026-000002" {
			t.Errorf("the third workspace has number %s", n)
		}
		var parked []bill.Parked
		write(t, s, func(ctx context.Context, tx *store.Tx) (err error) {
			parked, err = tx.Parked(ctx, 10)
			return err
		})
		mend(t, s)
		if len(parked) != 1 || parked[0].WorkspaceID != b.shop.ID || parked[0].Code != catalog.ErrClassUnknown.Code {
			t.Fatalf("parked %+v", parked)
		}
		made, err := books(s).Retry(t.Context(), b.shop.ID, day(march1), noon.AddDate(0, 0, 2))
		if err != nil || made.Number != "cn1-2026-000003" {
			t.Errorf("retried: %s, %v", made.Number, err)
		}
		write(t, s, func(ctx context.Context, tx *store.Tx) (err error) {
			parked, err = tx.Parked(ctx, 10)
			return err
		})
		if len(parked) != 0 {
			t.Errorf("still parked: %+v", parked)
		}
		sound(t, s)
	})
}

func TestAbsurdBillIsParkedAndNothingIsCharged(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newShop(t, s, "shop")
		x.recharge(t, "100")
		x.use(t, "logs", "14d", upgraded.Truncate(time.Hour), 9_000_000_000_000)
		if closed := closeDay(t, s, march1); closed.Bills != 0 || closed.Parked != 1 {
			t.Errorf("%d bills, %d parked", closed.Bills, closed.Parked)
		}
		if got := x.balances(t); got.Cash.String() != "100.00" || !got.Owed.IsZero() {
			t.Errorf("charged: %+v", got)
		}
		sound(t, s)
	})
}

func TestMonthToDateIsBillsAndTheOpenDays(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newShop(t, s, "shop")
		cn1, _ := site.Find("cn1")
		for _, d := range []string{march1, "2026-03-02", "2026-03-03"} {
			x.use(t, "logs", "14d", day(d).Start(cn1.Zone).Add(12*time.Hour), 2_000_000)
		}
		month := func() string {
			var r bill.Running
			if err := s.Read(t.Context(), func(tx *store.Tx) (err error) {
				r, err = bill.MonthToDate(t.Context(), tx, catalog.Default(), x.shop, day("2026-03-03").Start(cn1.Zone).Add(13*time.Hour))
				return err
			}); err != nil {
				t.Fatal(err)
			}
			return fmt.Sprint(r.Billed, " ", r.Open, " ", r.Total, " ", r.Today.Total)
		}
		for _, c := range []struct{ closes, want string }{
			{"", "0.00 9.00 9.00 3.00"},
			{march1, "3.00 6.00 9.00 3.00"},
			{"2026-03-02", "6.00 3.00 9.00 3.00"},
		} {
			if c.closes != "" {
				closeDay(t, s, c.closes)
			}
			if got := month(); got != c.want {
				t.Errorf("month to date with %q closed: %s, want %s", c.closes, got, c.want)
			}
		}
	})
}

// TestUsageThatIsBeingBookedIsInTheBill holds a flush open while the close of
// its day begins: the close waits, and the bill has the usage.
func TestUsageThatIsBeingBookedIsInTheBill(t *testing.T) {
	t.Parallel()
	s := storetest.Postgres(t)
	x := newShop(t, s, "shop")
	hour := upgraded.Truncate(time.Hour)
	x.use(t, "logs", "14d", hour, 1_000_000)
	done := make(chan error, 1)
	write(t, s, func(ctx context.Context, tx *store.Tx) error {
		key := usage.Key{WorkspaceID: x.shop.ID, Generation: x.shop.Generation, Item: "logs", Class: "14d"}
		b := usage.Batch{Gateway: "test", Epoch: 1, Seq: flushes.Add(1), Deltas: []usage.Delta{{Key: key, Hour: hour, Add: 2_000_000}}}
		if err := tx.AddUsage(ctx, b); err != nil {
			return err
		}
		go func() {
			_, err := books(s).CloseDay(ctx, bill.CloseDay{Site: "cn1", Day: day(march1)}, noon.AddDate(0, 0, 2))
			done <- err
		}()
		return waiting(ctx, s)
	})
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if total := x.bill(t, march1).Total.String(); total != "4.50" {
		t.Errorf("the bill is %s, want 4.50", total)
	}
	sound(t, s)
}

// waiting returns once some transaction of PostgreSQL waits for another.
func waiting(ctx context.Context, s *store.Store) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for n := int64(0); n == 0; {
		if err := s.Read(ctx, func(tx *store.Tx) error {
			return tx.QueryRow(ctx, `
				SELECT COUNT(*)
				FROM pg_stat_activity
				WHERE datname = current_database()
					AND wait_event_type = 'Lock'`).Scan(&n)
		}); err != nil {
			return fmt.Errorf("nothing waits: %w", err)
		}
	}
	return nil
}

// TestUsageOfAClosedDayIsBilledWithTheNext is the late gateway.
func TestUsageOfAClosedDayIsBilledWithTheNext(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newShop(t, s, "shop")
		hour := upgraded.Truncate(time.Hour)
		x.use(t, "logs", "14d", hour, 2_000_000)
		closeDay(t, s, march1)
		x.use(t, "logs", "14d", hour, 4_000_000)
		closeDay(t, s, "2026-03-02")
		if first, second := x.bill(t, march1).Total.String(), x.bill(t, "2026-03-02").Total.String(); first != "3.00" || second != "6.00" {
			t.Errorf("bills of %s and %s", first, second)
		}
		sound(t, s)
	})
}
