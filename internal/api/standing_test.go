package api_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"tollgate.dev/client"
	"tollgate.dev/internal/arrears"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/wallet"
)

func TestALockedWorkspaceAnswersWithItsDates(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx, x := t.Context(), newTeam(t, s)
		x.upgraded()
		now, err := x.studio.Standing(ctx, x.shop.ID)
		if must(t, now, err).State != "normal" || len(now.Causes) != 0 {
			t.Errorf("at first %+v", now)
		}
		at := x.clock.Now()
		x.write(func(ctx context.Context, tx *store.Tx) error {
			w, err := tx.Workspace(ctx, x.shop.ID)
			if err != nil {
				return err
			}
			a, err := tx.BillingByID(ctx, w.Payer)
			if err != nil {
				return err
			}
			if _, err := wallet.OpenDebt(ctx, tx, a, money.MustParse("15", money.CNY), at.Add(-arrears.Grace)); err != nil {
				return err
			}
			return arrears.Advance(ctx, tx, arrears.Debt, a.ID, at)
		})
		_, err = x.studio.Usage(ctx, x.shop.ID)
		var p *client.Problem
		if !errors.As(err, &p) || p.Status != 403 || p.Code != "workspace_locked" || p.Figures["lock_at"] != at.UTC().Format(time.RFC3339) {
			t.Fatalf("its usage: %v %+v", err, p)
		}
		now, err = x.studio.Standing(ctx, x.shop.ID)
		if must(t, now, err).State != "locked" || len(now.Causes) != 1 || !now.Causes[0].LockAt.Equal(at) || now.Owed != "15.00" || now.ClearAt == nil {
			t.Errorf("locked %+v", now)
		}
		if _, err := x.studio.Dissolve(ctx, x.shop.ID, "another"); !errors.As(err, &p) || p.Code != "dissolve_name_differs" {
			t.Errorf("with another name: %v", err)
		}
		w, err := x.studio.Dissolve(ctx, x.shop.ID, x.shop.Name)
		if must(t, w, err).State != "dissolved" {
			t.Errorf("dissolved %+v", w)
		}
		if _, err := x.studio.Dissolve(ctx, x.shop.ID, x.shop.Name); !errors.As(err, &p) || p.Status != 410 {
			t.Errorf("again: %v", err)
		}
	})
}
