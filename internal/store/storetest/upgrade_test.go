package storetest_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/id"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/notify"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/upgrade"
	"tollgate.dev/internal/workspace"
)

var noon = time.Date(2026, 3, 1, 4, 0, 0, 0, time.UTC) // 12:00 in Hangzhou

// team is an Owner with an Experience workspace and a payer beside him.
type team struct {
	owner account.Studio
	payer account.Billing
	shop  workspace.Workspace
}

func (x team) actor() workspace.Actor {
	return workspace.Actor{AccountID: x.owner.ID, Address: "192.0.2.7"}
}

func newTeam(t *testing.T, s *store.Store) team {
	t.Helper()
	var x team
	write(t, s, func(ctx context.Context, tx *store.Tx) error {
		x.owner = account.Studio{ID: id.New(id.StudioAccount), Site: "cn1", UserName: "lin", Email: "lin@shop.example", Language: "zh", CreatedAt: noon}
		if err := tx.InsertStudio(ctx, x.owner); err != nil {
			return err
		}
		x.payer = account.Billing{ID: id.New(id.BillingAccount), UserName: "acme", Email: "pay@acme.example", Currency: money.CNY, Language: "en", CreatedAt: noon}
		if err := tx.InsertBilling(ctx, x.payer); err != nil {
			return err
		}
		var err error
		x.shop, err = workspace.Create(ctx, tx, "cn1", "shop", "zh", x.actor(), noon)
		return err
	})
	return x
}

func write(t *testing.T, s *store.Store, f func(ctx context.Context, tx *store.Tx) error) {
	t.Helper()
	if err := s.Write(t.Context(), func(tx *store.Tx) error { return f(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
}

// refused runs f in a transaction and checks the fault that comes of it.
func refused(t *testing.T, s *store.Store, want *fault.Error, f func(ctx context.Context, tx *store.Tx) error) {
	t.Helper()
	err := s.Write(t.Context(), func(tx *store.Tx) error { return store.Keep(f(t.Context(), tx)) })
	if !errors.Is(err, want) {
		t.Fatalf("got %v, want %v", err, want)
	}
}

// digits finds the code in the outbox's newest mail to an address.
func digits(t *testing.T, s *store.Store, to string) string {
	t.Helper()
	var found string
	err := s.Read(t.Context(), func(tx *store.Tx) error {
		var mailID string
		if err := tx.QueryRow(t.Context(), `SELECT id FROM mail WHERE recipient = $1 AND kind = 'code' ORDER BY created_at DESC, id LIMIT 1`, to).Scan(&mailID); err != nil {
			return err
		}
		var m notify.Mail
		var err error
		if m, _, err = tx.Mail(t.Context(), mailID); err != nil {
			return err
		}
		found = sixDigits(m.Text)
		return nil
	})
	if err != nil || found == "" {
		t.Fatalf("no code was mailed to %s: %v", to, err)
	}
	return found
}

func sixDigits(text string) string {
	run := 0
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			run = 0
			continue
		}
		if run++; run == account.CodeDigits && (i+1 == len(text) || text[i+1] < '0' || text[i+1] > '9') {
			return text[i+1-run : i+1]
		}
	}
	return ""
}

// ready brings the upgrade to just before its confirmation.
func (x team) ready(t *testing.T, s *store.Store) {
	t.Helper()
	write(t, s, func(ctx context.Context, tx *store.Tx) error {
		if _, err := upgrade.Name(ctx, tx, x.shop.ID, " ACME ", x.actor(), noon); err != nil {
			return err
		}
		_, err := upgrade.Mail(ctx, tx, x.shop.ID, "Pay@acme.example", x.actor(), noon)
		return err
	})
	code := digits(t, s, x.payer.Email)
	write(t, s, func(ctx context.Context, tx *store.Tx) error {
		if _, err := upgrade.Prove(ctx, tx, x.shop.ID, code, x.actor(), noon); err != nil {
			return err
		}
		_, err := upgrade.Agree(ctx, tx, x.shop.ID, upgrade.AgreementVersion, "zh", true, x.actor(), noon)
		return err
	})
}

func TestAThousandConfirmationsAtOnceUpgradeOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newTeam(t, s)
		x.ready(t, s)
		var first, repeated atomic.Int64
		var group sync.WaitGroup
		for range 1000 {
			group.Go(func() {
				var r upgrade.Result
				err := s.Write(t.Context(), func(tx *store.Tx) (err error) {
					r, err = upgrade.Confirm(t.Context(), tx, x.shop.ID, "shop", x.actor(), noon.Add(time.Minute))
					return err
				})
				switch {
				case err != nil:
					t.Error(err)
				case r.Repeated:
					repeated.Add(1)
				default:
					first.Add(1)
				}
			})
		}
		group.Wait()
		if first.Load() != 1 || repeated.Load() != 999 {
			t.Errorf("%d upgrades and %d repetitions", first.Load(), repeated.Load())
		}
		_ = s.Read(t.Context(), func(tx *store.Tx) error {
			w, err := tx.Workspace(t.Context(), x.shop.ID)
			if err != nil || w.Plan != workspace.Commercial || w.Generation != 2 || w.Payer != x.payer.ID || !w.UpgradedAt.Equal(noon.Add(time.Minute)) {
				t.Errorf("workspace %+v, %v", w, err)
			}
			agreed, err := tx.AgreedFor(t.Context(), x.shop.ID)
			if err != nil || len(agreed) != 1 || agreed[0].Address != "192.0.2.7" || agreed[0].SHA256 != upgrade.AgreementSHA256("zh") {
				t.Errorf("agreements %+v, %v", agreed, err)
			}
			var reminders int64
			if err := tx.QueryRow(t.Context(), `SELECT COUNT(*) FROM mail WHERE kind = 'opening_reminder'`).Scan(&reminders); err != nil || reminders != 2 {
				t.Errorf("%d opening reminders, want one to the payer and one to the Owner: %v", reminders, err)
			}
			return nil
		})
	})
}

func TestNothingLeadsBackFromCommercial(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newTeam(t, s)
		x.ready(t, s)
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			_, err := upgrade.Confirm(ctx, tx, x.shop.ID, "shop", x.actor(), noon)
			return err
		})
		refused(t, s, workspace.ErrAlready, func(ctx context.Context, tx *store.Tx) error {
			_, err := upgrade.Name(ctx, tx, x.shop.ID, "acme", x.actor(), noon)
			return err
		})
		refused(t, s, upgrade.ErrBoundElsewhere, func(ctx context.Context, tx *store.Tx) error {
			_, err := upgrade.Bind(ctx, tx, x.shop.ID, workspace.Actor{AccountID: x.payer.ID}, noon)
			return err
		})
		refused(t, s, workspace.ErrStale, func(ctx context.Context, tx *store.Tx) error {
			w, err := tx.Workspace(ctx, x.shop.ID)
			if err != nil {
				return err
			}
			w.Plan = workspace.Experience
			return tx.UpdateWorkspace(ctx, w)
		})
		refused(t, s, workspace.ErrStale, func(ctx context.Context, tx *store.Tx) error {
			w, err := tx.Workspace(ctx, x.shop.ID)
			if err != nil {
				return err
			}
			w.Generation = 1
			return tx.UpdateWorkspace(ctx, w)
		})
	})
}
