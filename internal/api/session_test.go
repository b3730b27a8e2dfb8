package api_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tollgate.dev/client"
	"tollgate.dev/internal/api"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
)

func TestASessionHoldsForTwelveHoursOfRealTime(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := open(t, s)
		studio := h.signIn(h.studio("lin"))
		if !studio.Session().ExpiresAt.Equal(noon.Add(12 * time.Hour)) {
			t.Errorf("expires at %v", studio.Session().ExpiresAt)
		}
		h.clock.Advance(100 * 24 * time.Hour) // the sandbox's clock signs nobody out
		h.real.Advance(12*time.Hour - time.Second)
		_, err := studio.Account(t.Context())
		must(t, 0, err)
		h.real.Advance(time.Second)
		_, err = studio.Account(t.Context())
		refused(t, err, "signed_out")
	})
}

func TestSigningOutEndsThatSessionOnly(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := open(t, s)
		lin := h.studio("lin")
		first, second := h.signIn(lin), h.signIn(lin)
		if err := first.SignOut(t.Context()); err != nil {
			t.Fatal(err)
		}
		_, err := first.Account(t.Context())
		refused(t, err, "signed_out")
		refused(t, first.SignOut(t.Context()), "signed_out")
		_, err = second.Account(t.Context())
		must(t, 0, err)
	})
}

func TestASessionOfOneConsoleIsNobodyAtAnother(t *testing.T) {
	t.Parallel()
	h := open(t, storetest.SQLite(t))
	ctx := t.Context()
	lin, acme, ops := h.signIn(h.studio("lin")).Session(), h.asBilling(h.billing("acme", money.CNY)).Session(), h.asOperator(h.operator()).Session()
	for _, s := range []client.Session{acme, ops} {
		_, err := h.client.Studio(s).Account(ctx)
		refused(t, err, "signed_out")
	}
	for _, s := range []client.Session{lin, ops} {
		_, err := h.client.BillingCenter(s).Account(ctx)
		refused(t, err, "signed_out")
	}
	for _, s := range []client.Session{lin, acme} {
		_, err := h.client.Operator(s).Clock(ctx)
		refused(t, err, "signed_out")
	}
}

func TestOnlyTheHashOfATokenIsKept(t *testing.T) {
	t.Parallel()
	h := open(t, storetest.SQLite(t))
	token := h.signIn(h.studio("lin")).Session().Token
	_ = h.store.Read(t.Context(), func(tx *store.Tx) error {
		var kept string
		err := tx.QueryRow(t.Context(), `SELECT hash FROM api_key`).Scan(&kept)
		if err != nil || kept == token || len(kept) != 64 {
			t.Errorf("kept %q, %v", kept, err)
		}
		return nil
	})
}

func TestGuessingPasswordsIsSlowedDown(t *testing.T) {
	t.Parallel()
	h := open(t, storetest.SQLite(t))
	lin, mei := h.studio("lin"), h.studio("mei")
	guess := func(password string) error {
		_, err := h.client.SignInStudio(t.Context(), "cn1", lin.Email, password)
		return err
	}
	for range 10 {
		refused(t, guess("wrong password 1"), "login_failed")
	}
	err := guess(password)
	refused(t, err, "too_many_logins")
	var p *client.Problem
	if !errors.As(err, &p) || p.Status != 429 || p.RetryAfter <= 0 || p.RetryAfter > 5*time.Minute {
		t.Errorf("problem %+v", p)
	}
	h.signIn(mei) // another account from the same address is not held up
	h.real.Advance(5 * time.Minute)
	if err := guess(password); err != nil {
		t.Errorf("after the wait: %v", err)
	}
	for range 9 { // a success begins the counting anew
		refused(t, guess("wrong password 1"), "login_failed")
	}
	if err := guess(password); err != nil {
		t.Errorf("after nine wrong ones: %v", err)
	}
}

func TestGuessesAtOnceAreNoMoreThanGuessesInARow(t *testing.T) {
	t.Parallel()
	h := open(t, storetest.SQLite(t))
	lin := h.studio("lin")
	var tried atomic.Int64
	var group sync.WaitGroup
	for range 60 {
		group.Go(func() {
			_, err := h.client.SignInStudio(t.Context(), "cn1", lin.Email, "wrong password 1")
			if client.Refused(err, "login_failed") {
				tried.Add(1)
			}
		})
	}
	group.Wait()
	if tried.Load() != 10 {
		t.Errorf("%d passwords were tried", tried.Load())
	}
}

func TestADisabledPayerIsRefusedAtSignInAndAfter(t *testing.T) {
	t.Parallel()
	h := open(t, storetest.SQLite(t))
	acme := h.billing("acme", money.CNY)
	center := h.asBilling(acme)
	h.write(func(ctx context.Context, tx *store.Tx) error { return tx.SetBillingSwitches(ctx, acme.ID, true, false) })
	_, err := center.Balance(t.Context())
	refused(t, err, "account_disabled")
	_, err = h.client.SignInBillingCenter(t.Context(), "acme", password)
	refused(t, err, "account_disabled")
	_, err = h.client.SignInBillingCenter(t.Context(), "acme", "wrong password 1")
	refused(t, err, "login_failed") // whoever does not know the password learns nothing
}

func TestAPayerSignsInByNameAddressOrPhone(t *testing.T) {
	t.Parallel()
	h := open(t, storetest.SQLite(t))
	acme := h.billing("acme", money.CNY)
	for _, login := range []string{"acme", " ACME ", acme.Email} {
		if _, err := h.client.SignInBillingCenter(t.Context(), login, password); err != nil {
			t.Errorf("by %q: %v", login, err)
		}
	}
}

func TestRegistrationsFromOneAddressAreLimited(t *testing.T) {
	t.Parallel()
	h := open(t, storetest.SQLite(t))
	for i := range 61 {
		got := h.send(client.Session{}, raw{method: "POST", path: "/studio/registrations", body: `{"site":"mars1","user_name":"x","email":"x","password":"x","language":"en"}`})
		if want := map[bool]string{false: "fields_invalid", true: "too_many_registrations"}[i == 60]; got.problem.Code != want {
			t.Fatalf("attempt %d: %s", i+1, got.problem.Code)
		}
	}
	h.real.Advance(time.Hour)
	if got := h.send(client.Session{}, raw{method: "POST", path: "/studio/registrations", body: bodies["begin-studio-registration"]}); got.status != 201 {
		t.Errorf("an hour later: %s", got.body)
	}
}

var _ api.Clock = (*house)(nil)
