package storetest_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/rebind"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/upgrade"
	"tollgate.dev/internal/workspace"
)

// twoAccounts of one company, and the Owner of the workspace that one pays for.
func twoAccounts(t *testing.T, s *store.Store) (x shopOf, other account.Billing, owner workspace.Actor) {
	t.Helper()
	x = newShop(t, s, "shop")
	owner = workspace.Actor{AccountID: x.shop.OwnerID}
	other = account.Billing{ID: "bcac_other", UserName: "other", Email: "other@pay.example", Currency: money.CNY, Language: "en", CreatedAt: noon}
	write(t, s, func(ctx context.Context, tx *store.Tx) error {
		for _, err := range []error{
			tx.InsertStudio(ctx, account.Studio{ID: owner.AccountID, Site: "cn1", UserName: "mei", Email: "mei@shop.example", Language: "en", CreatedAt: noon}),
			tx.SaveMember(ctx, workspace.Member{WorkspaceID: x.shop.ID, AccountID: owner.AccountID, Role: workspace.Owner, JoinedAt: noon}),
			tx.InsertBilling(ctx, other),
		} {
			if err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, `UPDATE billing_account SET certified_company = 'Acme', certified_taxpayer_id = '9133'`)
		return err
	})
	return x, other, owner
}

func nameOther(t *testing.T, s *store.Store, w workspace.Workspace, other account.Billing, owner workspace.Actor, at time.Time) error {
	t.Helper()
	return s.Write(t.Context(), func(tx *store.Tx) error {
		_, err := rebind.Name(t.Context(), tx, w.ID, other.UserName, other.Email, owner, at)
		return err
	})
}

func confirmOther(t *testing.T, s *store.Store, w workspace.Workspace, code, name string, owner workspace.Actor, at time.Time) error {
	t.Helper()
	return s.Write(t.Context(), func(tx *store.Tx) error {
		_, err := rebind.Confirm(t.Context(), tx, w.ID, code, name, owner, at)
		return store.Keep(err)
	})
}

func payerOf(t *testing.T, s *store.Store, workspaceID string, d period.Day) (payer string) {
	t.Helper()
	write(t, s, func(ctx context.Context, tx *store.Tx) error {
		return tx.QueryRow(ctx, `SELECT payer FROM bill WHERE workspace_id = $1 AND day = $2`, workspaceID, d.String()).Scan(&payer)
	})
	return payer
}

// TestADayIsChargedToWhoHasTheWorkspaceAtItsEnd re-binds in the last instant
// of a day, is refused until that day's close has ended, and compares the
// payers of the bills on both sides.
func TestADayIsChargedToWhoHasTheWorkspaceAtItsEnd(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x, other, owner := twoAccounts(t, s)
		cn1, err := site.Find("cn1")
		if err != nil {
			t.Fatal(err)
		}
		first := day(march1)
		y := x
		y.payer = other
		x.recharge(t, "10")
		y.recharge(t, "10")
		for i := range 3 {
			x.use(t, "logs", "14d", upgraded.AddDate(0, 0, i).Truncate(time.Hour), 1_000_000)
		}
		closeDay(t, s, first.String())
		midnight := first.Add(1).End(cn1.Zone)
		last := midnight.Add(-time.Microsecond)
		if err := nameOther(t, s, x.shop, other, owner, last.Add(-time.Minute)); err != nil {
			t.Fatal(err)
		}
		code := digits(t, s, other.Email)
		if err := confirmOther(t, s, x.shop, code, "shop", owner, midnight); !errors.Is(err, rebind.ErrDayOpen) || fault.From(err).Args["day"] != first.Add(1).String() {
			t.Fatalf("after midnight, before the close: %v", err)
		}
		if err := confirmOther(t, s, x.shop, code, "shop", owner, last); err != nil {
			t.Fatal(err)
		}
		closeDay(t, s, first.Add(1).String())
		if got := payerOf(t, s, x.shop.ID, first); got != x.payer.ID {
			t.Errorf("the day before is charged to %s", got)
		}
		if got := payerOf(t, s, x.shop.ID, first.Add(1)); got != other.ID {
			t.Errorf("the day of the move is charged to %s", got)
		}
		back := midnight.Add(time.Hour)
		if err := nameOther(t, s, x.shop, x.payer, owner, back); err != nil {
			t.Errorf("after the close it cannot go back: %v", err)
		}
		sound(t, s)
	})
}

func TestNothingIsReboundWhileADayIsClosed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x, other, owner := twoAccounts(t, s)
		cn1, err := site.Find("cn1")
		if err != nil {
			t.Fatal(err)
		}
		first := day(march1)
		end := first.End(cn1.Zone)
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			return tx.BeginSiteDay(ctx, bill.SiteDay{Site: "cn1", Day: first, BeganAt: end, Series: bill.Series("cn1", first)})
		})
		for _, at := range []time.Time{end.Add(-time.Minute), end.Add(time.Minute)} {
			if err := nameOther(t, s, x.shop, other, owner, at); !errors.Is(err, rebind.ErrDayOpen) {
				t.Errorf("at %s: %v", at, err)
			}
		}
	})
}

func TestAParkedDayHoldsTheWorkspace(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x, other, owner := twoAccounts(t, s)
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			return tx.Park(ctx, bill.Parked{WorkspaceID: x.shop.ID, Site: "cn1", Day: day(march1), At: noon, Kept: fault.Kept{Code: "x", Reason: "x"}})
		})
		if err := nameOther(t, s, x.shop, other, owner, upgraded.Add(time.Hour)); !errors.Is(err, rebind.ErrDayOpen) {
			t.Errorf("with a parked day: %v", err)
		}
	})
}

func TestARebindingNeedsItsOwnCodeAndTheName(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x, other, owner := twoAccounts(t, s)
		at := upgraded.Add(time.Hour)
		if err := confirmOther(t, s, x.shop, "000000", "shop", owner, at); !errors.Is(err, rebind.ErrNotNamed) {
			t.Errorf("before an account was named: %v", err)
		}
		err := s.Write(t.Context(), func(tx *store.Tx) error {
			_, err := rebind.Name(t.Context(), tx, x.shop.ID, other.UserName, "wrong@pay.example", owner, at)
			return err
		})
		if !errors.Is(err, upgrade.ErrEmailDiffers) {
			t.Errorf("another address: %v", err)
		}
		if err := nameOther(t, s, x.shop, other, workspace.Actor{AccountID: "acnt_stranger"}, at); !errors.Is(err, workspace.ErrUnknown) {
			t.Errorf("a stranger: %v", err)
		}
		if err := nameOther(t, s, x.shop, other, owner, at); err != nil {
			t.Fatal(err)
		}
		code := digits(t, s, other.Email)
		for what, c := range map[string]struct {
			got  error
			want *fault.Error
		}{
			"another name": {confirmOther(t, s, x.shop, code, "Shop", owner, at), upgrade.ErrNameDiffers},
			"a wrong code": {confirmOther(t, s, x.shop, strings.Repeat("0", 6), "shop", owner, at), account.ErrCodeWrong},
			"too late":     {confirmOther(t, s, x.shop, code, "shop", owner, at.Add(rebind.DraftLife)), rebind.ErrNotNamed},
		} {
			if !errors.Is(c.got, c.want) {
				t.Errorf("%s: %v, want %v", what, c.got, c.want)
			}
		}
		if err := confirmOther(t, s, x.shop, code, " shop ", owner, at); err != nil {
			t.Fatal(err)
		}
		if err := confirmOther(t, s, x.shop, code, "shop", owner, at); !errors.Is(err, rebind.ErrNotNamed) {
			t.Errorf("a second click: %v", err)
		}
		var mails, messages int64
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM mail WHERE kind = 'rebound'`).Scan(&mails)
			return errors.Join(err, tx.QueryRow(ctx, `SELECT COUNT(*) FROM message`).Scan(&messages))
		})
		if mails != 3 || messages != 2 {
			t.Errorf("%d mails and %d messages", mails, messages)
		}
	})
}
