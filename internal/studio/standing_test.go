package studio_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/arrears"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/workspace"
)

// owing is a Commercial workspace whose payer owes since so many days.
func (h house) owing(owner account.Studio, days int) (workspace.Workspace, account.Billing) {
	h.t.Helper()
	w := h.shop(owner)
	payer := h.payer("acme", money.CNY)
	h.write(func(ctx context.Context, tx *store.Tx) error {
		next, err := w.Upgrade(payer.ID, h.clock.Now().AddDate(0, 0, -days-1))
		if err != nil {
			return err
		}
		if err := tx.UpdateWorkspace(ctx, next); err != nil {
			return err
		}
		began := h.clock.Now().AddDate(0, 0, -days)
		if _, err := wallet.OpenDebt(ctx, tx, payer, money.MustParse("15", money.CNY), began); err != nil {
			return err
		}
		return arrears.Advance(ctx, tx, arrears.Debt, payer.ID, h.clock.Now())
	})
	return w, payer
}

func TestTheOwnerOfALockedWorkspaceUnlocksOrDissolvesIt(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	owner := h.person("cn1", "olivia")
	w, _ := h.owing(owner, 14)
	base := "/studio/workspaces/" + w.ID
	v := h.signedIn(owner)
	for _, page := range []string{"/start", "/billing", "/settings", "/explorer"} {
		v.open(base + page)
		v.says(t, http.StatusForbidden, "workspace_locked")
		v.shows(t, "15.00 CNY")
		v.shows(t, "Unlock now")
		v.shows(t, "Dissolve")
		if n := v.page.Find("nav.side a").Length(); n != 0 {
			t.Errorf("%s leads to %d places", page, n)
		}
	}
	v.send(base + "/unlock")
	v.at(t, "/billing-center/enter")
	v.open(base + "/dissolve")
	v.shows(t, "type the name")
	v.send(base+"/dissolve", "workspace_name", "another")
	v.says(t, http.StatusUnprocessableEntity, "dissolve_name_differs")
	v.send(base+"/dissolve", "workspace_name", w.Name)
	v.open(base + "/dissolve")
	v.says(t, http.StatusGone, "workspace_dissolved")
}

func TestOnlyTheOwnerSeesTheAmountAndTheWayOut(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	owner, reader := h.person("cn1", "olivia"), h.person("cn1", "rita")
	w, _ := h.owing(owner, 3)
	h.join(w, reader, workspace.Administrator)
	v := h.signedIn(owner)
	v.open("/studio/workspaces/" + w.ID + "/settings")
	v.shows(t, "15.00 CNY owed")
	v.shows(t, "Unlock now")
	v.shows(t, "Dissolve")
	v = h.signedIn(reader)
	v.open("/studio/workspaces/" + w.ID + "/settings")
	v.shows(t, "is locked on")
	if text := v.page.Text(); strings.Contains(text, "15.00") || strings.Contains(text, "Unlock now") || strings.Contains(text, "Dissolve") {
		t.Error("an Administrator sees the amount or the way out")
	}
	for _, page := range []string{"/unlock", "/dissolve"} {
		v.open("/studio/workspaces/" + w.ID + page)
		v.says(t, http.StatusForbidden, "owner_only")
	}
}
