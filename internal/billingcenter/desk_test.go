package billingcenter

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/settle"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/workspace"
)

// settledBy gives a workspace to a cloud.
func (h *house) settledBy(w workspace.Workspace, m site.Method) {
	h.t.Helper()
	h.write(func(ctx context.Context, tx *store.Tx) error {
		w, err := tx.WorkspaceForUpdate(ctx, w.ID)
		if err != nil {
			return err
		}
		w.Settlement = m
		return tx.UpdateWorkspace(ctx, w)
	})
}

// TestTheSettlementDialogSaysWhenAChangeIsPossible walks the reasons for which
// nothing can be chosen: the dialog says them before anything is sent.
func TestTheSettlementDialogSaysWhenAChangeIsPossible(t *testing.T) {
	t.Parallel()
	h := open(t)
	a := h.payer("acme", money.CNY)
	changed, cloud, free := h.paidFor(a, "changed", "cn1"), h.paidFor(a, "cloud", "cn1"), h.paidFor(a, "free", "cn1")
	h.settledBy(cloud, site.Alibaba)
	h.write(func(ctx context.Context, tx *store.Tx) error {
		return tx.Audit(ctx, audit.Entry{At: noon.Add(-time.Hour), Actor: a.ID, Action: settle.Changed, Subject: changed.ID, Detail: map[string]string{settle.Counts: "true"}})
	})
	v := h.signedIn(a)
	for _, c := range []struct {
		workspace workspace.Workspace
		says      string
		possible  string
		buttons   int
	}{
		{changed, "It can be changed again from 2026-04-01 on", "2026-04-01", 0},
		{cloud, "Unsubscribe from the product on the marketplace of Alibaba Cloud", "", 0},
		{free, "At most one change a calendar month", "", 1},
	} {
		page := v.get(http.StatusOK, "/workspaces/"+c.workspace.ID+"/settlement")
		page.says(c.says)
		if day, _ := page.Find("[data-possible]").Attr("data-possible"); day != c.possible {
			t.Errorf("%s: possible on %q, want %q", c.workspace.Name, day, c.possible)
		}
		if n := page.Find(".dialog-foot button[type=submit]").Length(); n != c.buttons {
			t.Errorf("%s: %d buttons that change something, want %d", c.workspace.Name, n, c.buttons)
		}
	}
	again := v.post(http.StatusConflict, "/workspaces/"+changed.ID+"/settlement", "method", "alibaba")
	again.refused("settlement_already_changed_this_month", "method")
	again.says("from 2026-04-01 on")
	v.get(http.StatusOK, "/workspaces").says("changed")
	v.post(http.StatusOK, "/account/language", "language", "zh")
	if page := v.get(http.StatusOK, "/workspaces/"+changed.ID+"/settlement"); !strings.Contains(page.body, "2026-04-01 起可") {
		t.Error("the day is not said in Chinese")
	}
}
