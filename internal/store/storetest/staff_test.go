package storetest_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/notify"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/wallet"
)

func TestTwoAdministratorsCannotDisableEachOther(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var ids []string
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			for _, name := range []string{"a", "b"} {
				o, err := account.AddOperator(ctx, tx, account.OperatorDraft{Email: name + "@tollgate.example", Role: account.Admin}, "hash", account.CommandLine, noon)
				if err != nil {
					return err
				}
				ids = append(ids, o.ID)
			}
			return nil
		})
		var both sync.WaitGroup
		for i := range ids {
			both.Go(func() {
				err := s.Write(t.Context(), func(tx *store.Tx) error {
					return account.DisableOperator(t.Context(), tx, ids[i], account.By{ID: ids[1-i]}, noon)
				})
				if err != nil && !errors.Is(err, account.ErrOperatorLast) {
					t.Errorf("disable: %v", err)
				}
			})
		}
		both.Wait()
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			admins, err := tx.AdminsForUpdate(ctx)
			if len(admins) != 1 {
				t.Errorf("%d administrators are left", len(admins))
			}
			return err
		})
	})
}

// broken makes the queued job one that failed.
func broken(t *testing.T, s *store.Store, state string) {
	t.Helper()
	failure, finalized := `jsonb('[{"at":"2026-03-01T00:00:00Z","attempt":1,"error":"first"},{"error":"no route to host"}]')`, `NULL`
	write(t, s, func(ctx context.Context, tx *store.Tx) error {
		if tx.Dialect() == store.Postgres {
			failure = `ARRAY['{"error":"first"}'::jsonb, '{"error":"no route to host"}'::jsonb]`
		}
		if state == "discarded" {
			finalized = `CURRENT_TIMESTAMP`
		}
		_, err := tx.Exec(ctx, `
			UPDATE river_job
			SET state = '`+state+`', attempt = 25, max_attempts = 25, attempted_at = CURRENT_TIMESTAMP, finalized_at = `+finalized+`, errors = `+failure)
		return err
	})
}

func TestAFailedJobIsListedAndTriedAgain(t *testing.T) {
	t.Parallel()
	for _, state := range []string{"retryable", "discarded"} {
		storetest.Each(t, func(t *testing.T, s *store.Store) {
			failed := func() (list []store.FailedJob) {
				t.Helper()
				write(t, s, func(ctx context.Context, tx *store.Tx) (err error) {
					list, err = tx.FailedJobs(ctx, 10)
					return err
				})
				return list
			}
			retry := func(id int64) error {
				return s.Write(t.Context(), func(tx *store.Tx) error { return tx.RetryJob(t.Context(), id) })
			}
			write(t, s, func(ctx context.Context, tx *store.Tx) error {
				return tx.Enqueue(ctx, notify.Deliver{MailID: "mail_1"})
			})
			if list := failed(); len(list) != 0 {
				t.Fatalf("a job that waits failed: %+v", list)
			}
			broken(t, s, state)
			list := failed()
			if len(list) != 1 || list[0].Kind != "mail.deliver" || list[0].Failure != "no route to host" || list[0].Given != (state == "discarded") ||
				list[0].At.IsZero() || list[0].NextAt.IsZero() != list[0].Given || !strings.Contains(string(list[0].Args), "mail_1") {
				t.Fatalf("failed are %+v", list)
			}
			if err := retry(list[0].ID); err != nil {
				t.Fatal(err)
			}
			if err := retry(list[0].ID); !errors.Is(err, store.ErrJobGone) {
				t.Errorf("again: %v", err)
			}
			write(t, s, func(ctx context.Context, tx *store.Tx) error {
				j, ok, err := tx.NextJob(ctx)
				if !ok || j.ID != list[0].ID {
					t.Errorf("the queue holds %+v", j)
				}
				return err
			})
		})
	}
}

func TestACurrencyStaysOnceTheBooksHoldIt(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newShop(t, s, "shop")
		change := func(to money.Currency) error {
			return s.Write(t.Context(), func(tx *store.Tx) error {
				return account.ChangeCurrency(t.Context(), tx, x.payer.ID, to, "oper_1", "192.0.2.1", noon)
			})
		}
		if err := errors.Join(change(money.USD), change(money.USD), change(money.CNY)); err != nil {
			t.Fatal(err)
		}
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			lines, err := tx.AuditIn(ctx, store.AuditFilter{Subject: x.payer.ID, Action: "billing_account.currency"}, 0, 10)
			if len(lines) != 2 || lines[0].Detail["currency"] != "USD -> CNY" {
				t.Errorf("the log says %+v", lines)
			}
			return err
		})
		declared, err := wallet.Declare(x.payer, cny("5"), "ref", noon)
		if err != nil {
			t.Fatal(err)
		}
		write(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.InsertTransfer(ctx, declared) })
		if err := change(money.USD); !errors.Is(err, account.ErrCurrencyUsed) {
			t.Errorf("with a transfer under way: %v", err)
		}
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			_, err := wallet.RejectTransfer(ctx, tx, declared.ID, "none came", wallet.By{Operator: "oper_1"}, noon)
			return err
		})
		if err := errors.Join(change(money.USD), change(money.CNY)); err != nil {
			t.Errorf("after its rejection: %v", err)
		}
		x.recharge(t, "5")
		if err := change(money.USD); !errors.Is(err, account.ErrCurrencyUsed) {
			t.Errorf("with money: %v", err)
		}
		sound(t, s)
	})
}

func TestTheSearchFindsThingsByWhatIsKnownOfThem(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		history(t, s)
		x := newShop(t, s, "needle")
		declared, err := wallet.Declare(x.payer, cny("5"), "REF 77", noon)
		if err != nil {
			t.Fatal(err)
		}
		write(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.InsertTransfer(ctx, declared) })
		for text, want := range map[string]func(f store.Found) bool{
			x.payer.ID:               func(f store.Found) bool { return f.Accounts[0].ID == x.payer.ID },
			x.payer.Email:            func(f store.Found) bool { return f.Accounts[0].ID == x.payer.ID },
			" " + x.payer.UserName:   func(f store.Found) bool { return f.Accounts[0].ID == x.payer.ID },
			x.shop.ID:                func(f store.Found) bool { return f.Workspaces[0].ID == x.shop.ID },
			"cn1-2026-000002":        func(f store.Found) bool { return f.Bills[0].Number == "cn1-2026-000002" },
			"REF 77":                 func(f store.Found) bool { return f.Transfers[0].ID == declared.ID },
			declared.ID:              func(f store.Found) bool { return f.Transfers[0].ID == declared.ID },
			"":                       nil,
			"%":                      nil,
			"'; DROP TABLE bill; --": nil,
			"ST-CNY-2026-000009":     nil,
		} {
			var found store.Found
			write(t, s, func(ctx context.Context, tx *store.Tx) (err error) {
				found, err = tx.Search(ctx, text, 10)
				return err
			})
			if want == nil && found.Count() != 0 || want != nil && (found.Count() == 0 || !want(found)) {
				t.Errorf("%q finds %+v", text, found)
			}
		}
	})
}

func TestTheAuditLogIsFiltered(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		history(t, s)
		all := func(f store.AuditFilter) (lines []store.AuditLine) {
			t.Helper()
			write(t, s, func(ctx context.Context, tx *store.Tx) (err error) {
				lines, err = tx.AuditIn(ctx, f, 0, 1000)
				return err
			})
			return lines
		}
		every := all(store.AuditFilter{})
		if len(every) < 3 {
			t.Fatalf("the log has %d entries", len(every))
		}
		one := every[len(every)/2]
		for name, f := range map[string]store.AuditFilter{
			"actor": {Actor: one.Actor}, "subject": {Subject: one.Subject}, "action": {Action: one.Action[:4]},
			"from": {From: one.At}, "to": {To: one.At.Add(1e3)}, "all": {Actor: one.Actor, Subject: one.Subject, Action: one.Action, From: one.At, To: one.At.Add(1e3)},
		} {
			matching := 0
			for _, l := range every {
				if (f.Actor == "" || l.Actor == f.Actor) && (f.Subject == "" || l.Subject == f.Subject) && strings.HasPrefix(l.Action, f.Action) &&
					!l.At.Before(f.From) && (f.To.IsZero() || l.At.Before(f.To)) {
					matching++
				}
			}
			if got := all(f); len(got) != matching || matching == 0 {
				t.Errorf("%s leaves %d entries, want %d", name, len(got), matching)
			}
		}
		if got := all(store.AuditFilter{From: period.MustParseDay("2030-01-01").Start(noon.Location())}); len(got) != 0 {
			t.Errorf("the future holds %d entries", len(got))
		}
	})
}
