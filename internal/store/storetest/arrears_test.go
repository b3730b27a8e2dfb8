package storetest_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/arrears"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/settle"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/workspace"
)

var _ arrears.Tx = (*store.Tx)(nil)

// tell does what the job does after a lot of bills.
func (x shopOf) tell(t *testing.T) {
	t.Helper()
	write(t, x.s, func(ctx context.Context, tx *store.Tx) error {
		return arrears.Tell(ctx, tx, arrears.Debt, x.payer.ID, noon)
	})
}

// owned gives the shop an Owner with an account.
func (x shopOf) owned(t *testing.T) {
	t.Helper()
	write(t, x.s, func(ctx context.Context, tx *store.Tx) error {
		a := account.Studio{ID: x.shop.OwnerID, Site: "cn1", UserName: x.shop.Name, Email: x.shop.Name + "@owner.example", Language: "zh", CreatedAt: noon}
		if err := tx.InsertStudio(ctx, a); err != nil {
			return err
		}
		if err := tx.SaveMember(ctx, workspace.Member{WorkspaceID: x.shop.ID, AccountID: a.ID, Role: workspace.Owner, JoinedAt: noon}); err != nil {
			return err
		}
		return tx.SaveToken(ctx, workspace.NewToken(x.shop.ID, noon))
	})
}

func (x shopOf) dissolve(t *testing.T, typed string, at time.Time) error {
	t.Helper()
	return x.s.Write(t.Context(), func(tx *store.Tx) error {
		_, err := arrears.DissolveBy(t.Context(), tx, x.shop.ID, typed, workspace.Actor{AccountID: x.shop.OwnerID}, at)
		return err
	})
}

func (x shopOf) now(t *testing.T) (w workspace.Workspace, c arrears.Clearing) {
	t.Helper()
	if err := x.s.Read(t.Context(), func(tx *store.Tx) (err error) {
		if w, err = tx.Workspace(t.Context(), x.shop.ID); err != nil {
			return err
		}
		c, err = tx.Clearing(t.Context(), x.shop.ID)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return w, c
}

func (x shopOf) stands(t *testing.T, want workspace.State) {
	t.Helper()
	if w, _ := x.now(t); w.State != want {
		t.Errorf("%s is %s, want %s", w.Name, w.State, want)
	}
}

// owe opens a debt, pays one, and moves the clocks, as the doors and jobs do.
func (x shopOf) owe(t *testing.T, amount string, at time.Time) {
	t.Helper()
	write(t, x.s, func(ctx context.Context, tx *store.Tx) error {
		_, err := wallet.OpenDebt(ctx, tx, x.payer, cny(amount), at)
		return err
	})
}

func (x shopOf) pay(t *testing.T, amount string, at time.Time) {
	t.Helper()
	write(t, x.s, func(ctx context.Context, tx *store.Tx) error {
		transfer, err := wallet.Declare(x.payer, cny(amount), "INV", at)
		if err != nil {
			return err
		}
		if err := tx.InsertTransfer(ctx, transfer); err != nil {
			return err
		}
		_, err = wallet.CreditTransfer(ctx, tx, transfer.ID, wallet.Arrival{}, nil, wallet.By{Operator: "oper_1"}, at)
		return err
	})
}

// pass does what the calendar does at the instant.
func pass(t *testing.T, s *store.Store, at time.Time) {
	t.Helper()
	write(t, s, func(ctx context.Context, tx *store.Tx) error {
		clocks, err := tx.ClocksDue(ctx, at, 100)
		if err != nil {
			return err
		}
		for _, c := range clocks {
			if err := arrears.Advance(ctx, tx, c.Cause, c.Subject, at); err != nil {
				return err
			}
		}
		return nil
	})
}

// TestOneCauseDoesNotHideTheOther locks a workspace for its payer's debt and
// for its cloud subscription, and ends them one by one.
func TestOneCauseDoesNotHideTheOther(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a := newShop(t, s, "a")
		b := a.second(t, "b")
		a.owned(t)
		day := func(n int) time.Time { return noon.AddDate(0, 0, n) }
		cloud := func(change func(context.Context, arrears.ClockTx, arrears.Cause, string, time.Time) error, at time.Time) {
			t.Helper()
			write(t, s, func(ctx context.Context, tx *store.Tx) error {
				if err := change(ctx, tx, arrears.Cloud, a.shop.ID, at); err != nil {
					return err
				}
				return arrears.Tell(ctx, tx, arrears.Cloud, a.shop.ID, at)
			})
		}
		a.owe(t, "5", day(0))
		cloud(arrears.Begin, day(3))
		a.stands(t, workspace.Grace)
		pass(t, s, day(14))
		a.stands(t, workspace.Locked)
		b.stands(t, workspace.Locked)
		a.pay(t, "5", day(15))
		a.stands(t, workspace.Grace) // the subscription is still abnormal
		b.stands(t, workspace.Normal)
		sound(t, s)
		pass(t, s, day(17))
		a.stands(t, workspace.Locked)
		if _, c := a.now(t); !c.DueAt.Equal(day(24)) {
			t.Errorf("its data goes at %s, want seven days after the second lock", c.DueAt)
		}
		if err := s.Write(t.Context(), func(tx *store.Tx) error {
			return arrears.Unlock(t.Context(), tx, a.shop.ID, day(17))
		}); !errors.Is(err, arrears.ErrCloudAbsent) {
			t.Errorf("unlocking it: %v", err)
		}
		a.owe(t, "1", day(18))
		cloud(arrears.End, day(19))
		a.stands(t, workspace.Grace) // the debt is new
		sound(t, s)
		a.pay(t, "1", day(20))
		a.stands(t, workspace.Normal)
		if _, c := a.now(t); c.WorkspaceID != "" {
			t.Errorf("its data still goes: %+v", c)
		}
		sound(t, s)
	})
}

// TestAnotherMethodLeavesTheDebtAndComesBackToIt changes who settles in GRACE.
func TestAnotherMethodLeavesTheDebtAndComesBackToIt(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a := newShop(t, s, "a")
		change := func(to site.Method, at time.Time) error {
			return s.Write(t.Context(), func(tx *store.Tx) error {
				w, err := tx.WorkspaceForUpdate(t.Context(), a.shop.ID)
				if err != nil {
					return err
				}
				w.Settlement = to
				return errors.Join(tx.UpdateWorkspace(t.Context(), w), tx.Rejoin(t.Context(), w.ID, at))
			})
		}
		a.owe(t, "5", noon)
		a.stands(t, workspace.Grace)
		if err := change(site.Alibaba, noon.AddDate(0, 0, 1)); err != nil {
			t.Fatal(err)
		}
		a.stands(t, workspace.Normal)
		sound(t, s)
		pass(t, s, noon.AddDate(0, 0, 14))
		a.stands(t, workspace.Normal)
		if err := change(site.BillingCenter, noon.AddDate(0, 0, 15)); err != nil { // as a cancelled subscription forces it
			t.Fatal(err)
		}
		a.stands(t, workspace.Locked)
		if _, c := a.now(t); !c.DueAt.Equal(noon.AddDate(0, 0, 22)) {
			t.Errorf("its data goes at %s, want seven days after it came", c.DueAt)
		}
		sound(t, s)
	})
}

func TestNobodyChoosesAPayerThatIsLocked(t *testing.T) {
	t.Parallel()
	s := storetest.SQLite(t)
	a := newShop(t, s, "a")
	sub := subscribed(t, s, a.payer.ID, site.Alibaba, "i-1", noon)
	a.by(t, sub, noon)
	a.owe(t, "5", noon)
	pass(t, s, noon.AddDate(0, 0, 14))
	a.stands(t, workspace.Normal)
	later := noon.AddDate(0, 0, 15)
	choose := func(ctx context.Context, tx *store.Tx) error {
		_, err := everyCloud.Choose(ctx, tx, a.shop.ID, settle.Choice{Method: site.BillingCenter}, workspace.Actor{AccountID: a.payer.ID}, later)
		return err
	}
	refused(t, s, settle.ErrCloudLocked, choose) // the cloud is looked at first (C-12)
	hear(t, s, event(sub, marketplace.Expired, later), later)
	refused(t, s, arrears.ErrRunOut, choose)
	if err := s.Read(t.Context(), func(tx *store.Tx) error { return tx.Payable(t.Context(), a.payer.ID) }); !errors.Is(err, arrears.ErrRunOut) {
		t.Errorf("the payer can pay for more: %v", err)
	}
}

// TestDataGoesAfterTheHoldAndOnlyThen walks the clearing with a sink that
// fails at first.
func TestDataGoesAfterTheHoldAndOnlyThen(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a := newShop(t, s, "a")
		a.owned(t)
		a.owe(t, "5", noon)
		pass(t, s, noon.AddDate(0, 0, 14))
		due := noon.AddDate(0, 0, 21)
		begin := func(at time.Time) (begun bool) {
			write(t, s, func(ctx context.Context, tx *store.Tx) (err error) {
				_, begun, err = arrears.BeginClearing(ctx, tx, a.shop.ID, at)
				return err
			})
			return begun
		}
		if begin(due.Add(-time.Microsecond)) {
			t.Error("it began a microsecond too early")
		}
		a.stands(t, workspace.Locked)
		if !begin(due) {
			t.Fatal("it did not begin when it was due")
		}
		a.stands(t, workspace.Cleared)
		a.pay(t, "5", due)
		a.stands(t, workspace.Cleared) // half of the data may be gone
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			return arrears.PutOff(ctx, tx, a.shop.ID, "the disk is gone", due)
		})
		if begin(due.Add(59 * time.Second)) {
			t.Error("it is tried again before the wait is over")
		}
		var failed []arrears.Clearing
		write(t, s, func(ctx context.Context, tx *store.Tx) (err error) {
			failed, err = tx.ClearingsFailed(ctx, 10)
			return err
		})
		if len(failed) != 1 || failed[0].Failure != "the disk is gone" || failed[0].Tries != 1 {
			t.Errorf("the operator sees %+v", failed)
		}
		if !begin(due.Add(time.Minute)) {
			t.Fatal("it is not tried again")
		}
		for range 2 { // a job may run again
			write(t, s, func(ctx context.Context, tx *store.Tx) error {
				return arrears.FinishClearing(ctx, tx, a.shop.ID, due.Add(time.Minute))
			})
		}
		if _, c := a.now(t); c.DoneAt.IsZero() || c.Failure != "" {
			t.Errorf("in the end %+v", c)
		}
		if begin(due.AddDate(1, 0, 0)) {
			t.Error("it begins again")
		}
		if n := mailsTo(t, s, "a@owner.example"); n != 3 { // it began, was locked and was deleted; reminders were slept through
			t.Errorf("%d mails to the Owner", n)
		}
		sound(t, s)
	})
}

// TestADissolvedWorkspaceLeavesItsPayerAfterItsLastBill keeps the day of the
// dissolution open, and parked, before it lets go.
func TestADissolvedWorkspaceLeavesItsPayerAfterItsLastBill(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a := newShop(t, s, "a")
		a.owned(t)
		a.use(t, "logs", "nonsense", upgraded.Truncate(time.Hour), 2_000_000)
		at := upgraded.Add(time.Hour)
		if err := a.dissolve(t, "b", at); !errors.Is(err, arrears.ErrNameDiffers) {
			t.Errorf("with another name: %v", err)
		}
		if err := a.dissolve(t, " a ", at); err != nil {
			t.Fatal(err)
		}
		if err := a.dissolve(t, "a", at); !errors.Is(err, workspace.ErrDissolved) {
			t.Errorf("in another tab: %v", err)
		}
		due := at.Add(arrears.Hold)
		try := func(at time.Time) (workspace.Workspace, arrears.Clearing) {
			write(t, s, func(ctx context.Context, tx *store.Tx) error {
				_, begun, err := arrears.BeginClearing(ctx, tx, a.shop.ID, at)
				if err != nil || !begun {
					return errors.Join(err, fmt.Errorf("begun: %v", begun))
				}
				return arrears.FinishClearing(ctx, tx, a.shop.ID, at)
			})
			return a.now(t)
		}
		if w, c := try(due); w.Payer == "" || c.DeletedAt.IsZero() || !c.DoneAt.IsZero() {
			t.Errorf("before its day is closed: payer %q, %+v", w.Payer, c)
		}
		closeDay(t, s, march1) // parks it
		if w, c := try(due.Add(time.Hour)); w.Payer == "" || !c.DoneAt.IsZero() {
			t.Errorf("while it is parked: payer %q, %+v", w.Payer, c)
		}
		mend(t, s)
		if b, err := books(s).Retry(t.Context(), a.shop.ID, day(march1), due); err != nil || b.Payer != a.payer.ID {
			t.Fatalf("its last bill: %+v, %v", b, err)
		}
		w, c := try(due.Add(2 * time.Hour))
		if w.Payer != "" || w.State != workspace.Dissolved || c.DoneAt.IsZero() {
			t.Errorf("in the end: payer %q, %s, %+v", w.Payer, w.State, c)
		}
		sound(t, s)
		if closed := closeDay(t, s, "2026-03-02"); closed.Total != 0 {
			t.Errorf("the next day looks at %d workspaces", closed.Total)
		}
		sound(t, s)
	})
}

// TestOnlyTheOwnerDissolves asks as everybody else.
func TestOnlyTheOwnerDissolves(t *testing.T) {
	t.Parallel()
	s := storetest.SQLite(t)
	a := newShop(t, s, "a")
	a.staff(t)
	for who, want := range map[string]*fault.Error{"noah": workspace.ErrOwnerOnly, "mia": workspace.ErrOwnerOnly, "nobody": workspace.ErrUnknown} {
		err := s.Write(t.Context(), func(tx *store.Tx) error {
			_, err := arrears.DissolveBy(t.Context(), tx, a.shop.ID, "a", a.actor(who), noon)
			return err
		})
		if !errors.Is(err, want) {
			t.Errorf("%s: %v", who, err)
		}
	}
	a.stands(t, workspace.Normal)
}

// TestMoneyAndMethodsMoveAtOnceAndTheStatesAgree lets debts begin and end while
// workspaces change their method, all at the same time.
func TestMoneyAndMethodsMoveAtOnceAndTheStatesAgree(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a := newShop(t, s, "a")
		shops := []shopOf{a, a.second(t, "b"), a.second(t, "c")}
		var group sync.WaitGroup
		for worker := range 4 {
			group.Go(func() {
				for i := range 6 {
					at := noon.Add(time.Duration(worker*100+i) * time.Minute)
					err := s.Write(t.Context(), func(tx *store.Tx) error {
						if worker%2 == 0 {
							_, err := wallet.OpenDebt(t.Context(), tx, a.payer, cny("1"), at)
							return err
						}
						_, err := wallet.GiveCard(t.Context(), tx, a.payer, cny("100"), at.AddDate(1, 0, 0), at)
						return err
					})
					if err != nil {
						t.Errorf("worker %d: %v", worker, err)
					}
					x := shops[(worker+i)%len(shops)]
					err = s.Write(t.Context(), func(tx *store.Tx) error {
						w, err := tx.WorkspaceForUpdate(t.Context(), x.shop.ID)
						if err != nil {
							return err
						}
						w.Settlement = []site.Method{site.Alibaba, site.BillingCenter}[i%2]
						if err := tx.UpdateWorkspace(t.Context(), w); err != nil {
							return err
						}
						return tx.Rejoin(t.Context(), w.ID, at)
					})
					if err != nil {
						t.Errorf("worker %d: %v", worker, err)
					}
				}
			})
		}
		group.Wait()
		sound(t, s)
	})
}
