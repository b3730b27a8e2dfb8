package api_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"tollgate.dev/client"
	"tollgate.dev/internal/account"
	"tollgate.dev/internal/api"
	"tollgate.dev/internal/arrears"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/workspace"
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

// TestAPayersStandingIsReadAndTheOperatorGrantsDays reads the same clock as the
// payer and as the operator, before and after more days were granted.
func TestAPayersStandingIsReadAndTheOperatorGrantsDays(t *testing.T) {
	t.Parallel()
	ctx, x := t.Context(), newTeam(t, storetest.SQLite(t))
	x.upgraded()
	ops := x.asOperator(x.operator())
	at := x.clock.Now()
	var payer string
	x.write(func(ctx context.Context, tx *store.Tx) error {
		w, err := tx.Workspace(ctx, x.shop.ID)
		if err != nil {
			return err
		}
		payer = w.Payer
		a, err := tx.BillingByID(ctx, w.Payer)
		if err != nil {
			return err
		}
		_, err = wallet.OpenDebt(ctx, tx, a, money.MustParse("15", money.CNY), at.Add(-arrears.Grace/2))
		return err
	})
	own, err := x.client.BillingCenter(x.session(api.BillingCenter, payer)).Standing(ctx)
	if must(t, own, err).State != "grace" || own.Owed != "15.00" || own.Currency != "CNY" || !own.Causes[0].LockAt.Equal(at.Add(arrears.Grace/2)) {
		t.Errorf("the payer reads %+v", own)
	}
	seen, err := ops.AccountStanding(ctx, payer)
	if must(t, seen, err).State != own.State || !seen.Causes[0].LockAt.Equal(own.Causes[0].LockAt) {
		t.Errorf("the operator reads %+v", seen)
	}
	var p *client.Problem
	if _, err := ops.Extend(ctx, x.shop.ID, 2, "they asked"); !errors.As(err, &p) || p.Code != "extension_not_later" {
		t.Errorf("fewer days than there are: %v", err)
	}
	got, err := ops.Extend(ctx, x.shop.ID, 20, "they asked")
	if must(t, got, err).State != "grace" || !got.Causes[0].LockAt.Equal(at.AddDate(0, 0, 20)) || !got.Causes[0].BeganAt.Equal(own.Causes[0].BeganAt) {
		t.Errorf("granted %+v", got)
	}
	now, err := ops.WorkspaceStanding(ctx, x.shop.ID)
	if must(t, now, err).Owed != "15.00" || !now.Causes[0].LockAt.Equal(got.Causes[0].LockAt) {
		t.Errorf("then %+v", now)
	}
	if _, err := ops.AccountStanding(ctx, "bcac_none"); !errors.As(err, &p) || p.Status != 404 {
		t.Errorf("of nobody: %v", err)
	}
}

// TestAPayerDissolvesByACodeOfTheOwner takes the Owner's consent over the API.
func TestAPayerDissolvesByACodeOfTheOwner(t *testing.T) {
	t.Parallel()
	ctx, x := t.Context(), newTeam(t, storetest.SQLite(t))
	x.upgraded()
	var w workspace.Workspace
	var owner account.Studio
	x.write(func(ctx context.Context, tx *store.Tx) (err error) {
		if w, err = tx.Workspace(ctx, x.shop.ID); err != nil {
			return err
		}
		owner, err = tx.StudioByID(ctx, w.OwnerID)
		return err
	})
	pays := x.client.BillingCenter(x.session(api.BillingCenter, w.Payer))
	var p *client.Problem
	if _, err := pays.Claim(ctx, w.ID); !errors.As(err, &p) || p.Code != "rebind_same_account" {
		t.Errorf("its own: %v", err)
	}
	if _, err := pays.AskDissolution(ctx, w.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := pays.Dissolve(ctx, w.ID, w.Name, "000000"); !errors.As(err, &p) || p.Code != "code_wrong" {
		t.Errorf("with a wrong code: %v", err)
	}
	ended, err := pays.Dissolve(ctx, w.ID, w.Name, x.code(owner.Email))
	if must(t, ended, err).State != "dissolved" {
		t.Errorf("it is %+v", ended)
	}
}
