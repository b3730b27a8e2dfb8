package storetest_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/workspace"
)

func basics(user, email string) account.Basics {
	return account.Basics{Site: "cn1", Currency: money.CNY, UserName: user, Email: email, Phone: "", Password: "correct horse 1", Repeat: "correct horse 1", Language: "en"}
}

func begin(t *testing.T, s *store.Store, system account.System, b account.Basics) account.Registration {
	t.Helper()
	var r account.Registration
	write(t, s, func(ctx context.Context, tx *store.Tx) (err error) {
		r, err = account.Begin(ctx, tx, system, b, noon)
		return err
	})
	return r
}

func TestRegistrationMakesOneAccount(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		r := begin(t, s, account.StudioSystem, basics("Lin", "Lin@Shop.example"))
		refused(t, s, account.ErrEmailUnverified, func(ctx context.Context, tx *store.Tx) error {
			_, err := account.FinishStudio(ctx, tx, r.ID, account.Profile{Company: "Shop"}, true, "", noon)
			return err
		})
		code := digits(t, s, "lin@shop.example")
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			_, err := account.Verify(ctx, tx, r.ID, " "+code[:3]+" "+code[3:], noon)
			return err
		})
		var made, late atomic.Int64
		var group sync.WaitGroup
		for range 8 { // two browsers, and some more
			group.Go(func() {
				err := s.Write(t.Context(), func(tx *store.Tx) error {
					_, err := account.FinishStudio(t.Context(), tx, r.ID, account.Profile{Company: "Shop"}, true, "", noon)
					return err
				})
				switch {
				case err == nil:
					made.Add(1)
				case errors.Is(err, account.ErrRegistrationUnknown), errors.Is(err, account.ErrEmailTaken):
					late.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		group.Wait()
		if made.Load() != 1 || late.Load() != 7 {
			t.Errorf("%d accounts, %d refusals", made.Load(), late.Load())
		}
		_, err := beginAgain(t, s)
		if !errors.Is(err, account.ErrEmailTaken) {
			t.Errorf("the address registers twice on one site: %v", err)
		}
	})
}

func beginAgain(t *testing.T, s *store.Store) (r account.Registration, err error) {
	err = s.Write(t.Context(), func(tx *store.Tx) error {
		r, err = account.Begin(t.Context(), tx, account.StudioSystem, basics("lin2", "lin@shop.example"), noon.Add(time.Hour))
		return err
	})
	return r, err
}

func TestCodesAreRefusedByTheirOwnReason(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		r := begin(t, s, account.BillingSystem, basics("acme", "pay@acme.example"))
		code := digits(t, s, "pay@acme.example")
		wrong := "000000"
		if code == wrong {
			wrong = "111111"
		}
		try := func(digits string, at time.Time) func(context.Context, *store.Tx) error {
			return func(ctx context.Context, tx *store.Tx) error {
				_, err := account.Verify(ctx, tx, r.ID, digits, at)
				return err
			}
		}
		refused(t, s, account.ErrCodeExpired, try(code, noon.Add(account.CodeLife)))
		for range account.CodeTries - 1 {
			refused(t, s, account.ErrCodeWrong, try(wrong, noon))
		}
		refused(t, s, account.ErrCodeTries, try(wrong, noon))
		refused(t, s, account.ErrCodeTries, try(code, noon))
		refused(t, s, account.ErrCodeOften, func(ctx context.Context, tx *store.Tx) error {
			return account.Resend(ctx, tx, r.ID, noon.Add(time.Second))
		})
		later := noon.Add(time.Minute)
		write(t, s, func(ctx context.Context, tx *store.Tx) error { return account.Resend(ctx, tx, r.ID, later) })
		write(t, s, try(digits(t, s, "pay@acme.example"), later))
		var used account.Code
		write(t, s, func(ctx context.Context, tx *store.Tx) (err error) {
			used, err = tx.LatestCode(ctx, account.ForBilling, "pay@acme.example", r.ID)
			return err
		})
		if _, err := used.Try(wrong, later); !errors.Is(err, account.ErrCodeUsed) {
			t.Errorf("a used code answers %v", err)
		}
	})
}

func TestEveryMistakeOfAFormIsNamed(t *testing.T) {
	t.Parallel()
	s := storetest.SQLite(t)
	err := s.Write(t.Context(), func(tx *store.Tx) error {
		_, err := account.Begin(t.Context(), tx, account.StudioSystem, account.Basics{Site: "moon", UserName: "-", Email: "x", Phone: "abc", Password: "short", Repeat: "other"}, noon)
		return err
	})
	var list fault.Fields
	if !errors.As(err, &list) {
		t.Fatalf("no list of faults: %v", err)
	}
	want := []string{"site", "user_name", "email", "phone", "password", "password_repeat"}
	for i, f := range list {
		if i >= len(want) || f.Field != want[i] {
			t.Fatalf("fault %d stands beside %q; want the fields %v", i, f.Field, want)
		}
	}
	if len(list) != len(want) {
		t.Errorf("%d faults, want %d", len(list), len(want))
	}
}

func TestTicketSignsInOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ticket := account.NewTicket("bcac_x", "acnt_x", "/billing-center", noon)
		write(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.InsertTicket(ctx, ticket) })
		var used atomic.Int64
		var group sync.WaitGroup
		for range 16 {
			group.Go(func() {
				err := s.Write(t.Context(), func(tx *store.Tx) error {
					_, err := tx.UseTicket(t.Context(), ticket.ID, noon.Add(time.Second))
					return err
				})
				if err == nil {
					used.Add(1)
				} else if !errors.Is(err, account.ErrTicket) {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if used.Load() != 1 {
			t.Errorf("the ticket was used %d times", used.Load())
		}
	})
}

func TestAuditLogShowsTampering(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var group sync.WaitGroup
		for range 20 {
			group.Go(func() {
				err := s.Write(t.Context(), func(tx *store.Tx) error {
					return tx.Audit(t.Context(), audit.Entry{At: noon, Actor: "a", Action: "b", Subject: "c", Detail: map[string]string{"k": "v"}})
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		broken := func() (n int64) {
			_ = s.Read(t.Context(), func(tx *store.Tx) (err error) {
				if n, err = tx.BrokenAudit(t.Context()); err != nil {
					t.Error(err)
				}
				return nil
			})
			return n
		}
		if n := broken(); n != 0 {
			t.Fatalf("an untouched log is broken at %d", n)
		}
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			_, err := tx.Exec(ctx, `UPDATE audit SET actor = 'someone' WHERE n = 7`)
			return err
		})
		if n := broken(); n != 7 {
			t.Errorf("a changed entry 7 is found at %d", n)
		}
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			_, err := tx.Exec(ctx, `UPDATE audit SET actor = 'a' WHERE n = 7`)
			return err
		})
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			_, err := tx.Exec(ctx, `DELETE FROM audit WHERE n = 20`)
			return err
		})
		if n := broken(); n == 0 {
			t.Error("a missing last entry is not found")
		}
	})
}

func TestRolesHoldOnTheTeam(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newTeam(t, s)
		guest := account.Studio{ID: "acnt_guest", Site: "cn1", Email: "guest@shop.example", Language: "en", CreatedAt: noon}
		abroad := account.Studio{ID: "acnt_abroad", Site: "us1", Email: "guest@shop.example", Language: "en", CreatedAt: noon}
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(tx.InsertStudio(ctx, guest), tx.InsertStudio(ctx, abroad))
		})
		join := func(id string, role workspace.Role, as workspace.Actor) func(context.Context, *store.Tx) error {
			return func(ctx context.Context, tx *store.Tx) error {
				_, _, err := workspace.Join(ctx, tx, x.shop.ID, id, role, as, noon)
				return err
			}
		}
		refused(t, s, workspace.ErrMemberUnknown, func(ctx context.Context, tx *store.Tx) error {
			err := join(abroad.ID, workspace.Standard, x.actor())(ctx, tx)
			if err != nil {
				return errors.Join(err, tx.DeleteMember(ctx, x.shop.ID, abroad.ID)) // what a rollback does for a page
			}
			return nil
		})
		refused(t, s, workspace.ErrRole, join(guest.ID, workspace.Owner, x.actor()))
		refused(t, s, workspace.ErrUnknown, join(guest.ID, workspace.Standard, workspace.Actor{AccountID: "acnt_nobody"}))
		write(t, s, join(guest.ID, workspace.Standard, x.actor()))
		refused(t, s, workspace.ErrMemberAlready, join(guest.ID, workspace.Standard, x.actor()))
		as := workspace.Actor{AccountID: guest.ID}
		refused(t, s, workspace.ErrNotPermitted, func(ctx context.Context, tx *store.Tx) error {
			_, err := workspace.ReplaceToken(ctx, tx, x.shop.ID, as, noon)
			return err
		})
		refused(t, s, workspace.ErrOwnerStays, func(ctx context.Context, tx *store.Tx) error {
			return workspace.Leave(ctx, tx, x.shop.ID, x.owner.ID, x.actor(), noon)
		})
	})
}

func TestReplacedTokenHoldsForADay(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newTeam(t, s)
		var old, fresh workspace.Token
		write(t, s, func(ctx context.Context, tx *store.Tx) (err error) {
			if old, err = tx.CurrentToken(ctx, x.shop.ID); err != nil {
				return err
			}
			fresh, err = workspace.ReplaceToken(ctx, tx, x.shop.ID, x.actor(), noon)
			return err
		})
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			_, replaced, err := tx.WorkspaceByToken(ctx, old.Secret)
			if err != nil || !replaced.Holds(noon.Add(23*time.Hour)) || replaced.Holds(noon.Add(24*time.Hour)) {
				t.Errorf("the old token: %+v, %v", replaced, err)
			}
			w, current, err := tx.WorkspaceByToken(ctx, fresh.Secret)
			if err != nil || w.ID != x.shop.ID || !current.EndsAt.IsZero() {
				t.Errorf("the new token: %+v, %v", current, err)
			}
			_, _, err = tx.WorkspaceByToken(ctx, "tkn_unknown")
			if !errors.Is(err, workspace.ErrTokenUnknown) {
				t.Errorf("an unknown token: %v", err)
			}
			return nil
		})
	})
}

func TestSessionsOfTwoConsolesAreApart(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		now := noon
		studio, billing := s.Sessions("studio", func() time.Time { return now }), s.Sessions("billing", func() time.Time { return now })
		if err := studio.CommitCtx(t.Context(), "token", []byte("data"), noon.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		if data, found, err := studio.FindCtx(t.Context(), "token"); err != nil || !found || string(data) != "data" {
			t.Errorf("own session: %q %v %v", data, found, err)
		}
		if _, found, err := billing.FindCtx(t.Context(), "token"); err != nil || found {
			t.Errorf("a Studio session is one in the Billing Center: %v %v", found, err)
		}
		now = noon.Add(2 * time.Hour)
		if _, found, err := studio.FindCtx(t.Context(), "token"); err != nil || found {
			t.Errorf("an ended session is found: %v %v", found, err)
		}
	})
}
