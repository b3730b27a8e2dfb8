package studio_test

import (
	"context"
	"net/http"
	"testing"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/upgrade"
	"tollgate.dev/internal/workspace"
)

// The branches of domain section 5 that a browser meets less often than those
// of TestEveryWrongBindingHasItsAnswer: each has its own sentence on the page,
// and changes nothing.

func TestCodesAreGuessedFiveTimesAndUsedOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	owner, b := h.person("cn1", "olivia"), h.payer("acme-pay", "CNY")
	w := h.shop(owner)
	v, base := bound(t, h, w, owner, b)
	v.send(base+"/upgrade/prove", "code", h.code(b.Email))
	v.says(t, http.StatusGone, "code_used")

	h.clock.Advance(account.CodePause)
	v.send(base+"/upgrade/name", "user_name", b.UserName)
	v.send(base+"/upgrade/mail", "email", b.Email)
	wrong := "000000"
	if h.code(b.Email) == wrong {
		wrong = "111111"
	}
	for range account.CodeTries - 1 {
		v.send(base+"/upgrade/prove", "code", wrong)
		v.says(t, http.StatusUnprocessableEntity, "code_wrong")
	}
	v.send(base+"/upgrade/prove", "code", wrong)
	v.says(t, http.StatusTooManyRequests, "code_too_many_tries")
	v.send(base+"/upgrade/prove", "code", h.code(b.Email)) // the right one comes too late
	v.says(t, http.StatusTooManyRequests, "code_too_many_tries")
	h.stillFree(w)
}

func TestDisabledPayerIsRefusedAtTheFirstAndAtTheLastStep(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	owner, b := h.person("cn1", "olivia"), h.payer("acme-pay", "CNY")
	w := h.shop(owner)
	v, base := bound(t, h, w, owner, b)
	v.send(base+"/upgrade/agreement", "version", upgrade.AgreementVersion, "language", "en", "agreed", "yes")
	h.write(func(ctx context.Context, tx *store.Tx) error { return tx.SetBillingSwitches(ctx, b.ID, true, false) })
	v.send(base+"/upgrade/confirm", "workspace_name", "shop")
	v.says(t, http.StatusForbidden, "billing_account_disabled")
	v.send(base+"/upgrade/name", "user_name", b.UserName)
	v.says(t, http.StatusForbidden, "billing_account_disabled")
	h.stillFree(w)
}

func TestAgreementOfAnotherVersionIsNotThisOne(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	owner, b := h.person("cn1", "olivia"), h.payer("acme-pay", "CNY")
	w := h.shop(owner)
	v, base := bound(t, h, w, owner, b)
	v.send(base+"/upgrade/agreement", "version", "2020-01-01", "language", "en", "agreed", "yes")
	v.says(t, http.StatusConflict, "agreement_changed")
	h.stillFree(w)
}

func TestLockedOrDissolvedWorkspaceIsNotUpgraded(t *testing.T) {
	t.Parallel()
	for state, want := range map[workspace.State]struct {
		status int
		code   string
	}{
		workspace.Locked:    {http.StatusForbidden, "workspace_locked"},
		workspace.Dissolved: {http.StatusGone, "workspace_dissolved"},
	} {
		t.Run(string(state), func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			owner, b := h.person("cn1", "olivia"), h.payer("acme-pay", "CNY")
			w := h.shop(owner)
			v, base := bound(t, h, w, owner, b)
			v.send(base+"/upgrade/agreement", "version", upgrade.AgreementVersion, "language", "en", "agreed", "yes")
			h.write(func(ctx context.Context, tx *store.Tx) error {
				now, err := tx.WorkspaceForUpdate(ctx, w.ID)
				if err != nil {
					return err
				}
				now.State = state
				return tx.UpdateWorkspace(ctx, now)
			})
			v.send(base+"/upgrade/confirm", "workspace_name", "shop")
			v.says(t, want.status, want.code)
			h.stillFree(w)
		})
	}
}

// stillFree fails unless the workspace is on the Experience plan, unbound.
func (h house) stillFree(w workspace.Workspace) {
	h.t.Helper()
	h.write(func(ctx context.Context, tx *store.Tx) error {
		now, err := tx.Workspace(ctx, w.ID)
		if err == nil && (now.Plan != workspace.Experience || now.Generation != 1 || now.Payer != "") {
			h.t.Errorf("a refusal changed the workspace: %+v", now)
		}
		return err
	})
}
