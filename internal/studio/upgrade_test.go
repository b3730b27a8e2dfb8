package studio_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/meter"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/sink"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/upgrade"
	"tollgate.dev/internal/usage"
	"tollgate.dev/internal/workspace"
)

// bound is a visitor whose draft is proven.
func bound(t *testing.T, h house, w workspace.Workspace, owner account.Studio, b account.Billing) (*visitor, string) {
	t.Helper()
	v, base := h.signedIn(owner), "/studio/workspaces/"+w.ID
	v.send(base+"/upgrade/name", "user_name", b.UserName)
	v.at(t, base+"/upgrade/bind")
	v.send(base+"/upgrade/mail", "email", b.Email)
	v.at(t, base+"/upgrade/bind")
	v.send(base+"/upgrade/prove", "code", h.code(b.Email))
	v.at(t, base+"/upgrade/agreement")
	return v, base
}

func upgraded(t *testing.T, v *visitor, base string) {
	t.Helper()
	v.send(base+"/upgrade/agreement", "version", upgrade.AgreementVersion, "language", "en", "agreed", "yes")
	v.at(t, base+"/upgrade/confirm")
	v.send(base+"/upgrade/confirm", "workspace_name", "shop")
}

func TestOwnerUpgradesStepByStep(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	owner, b := h.person("cn1", "olivia"), h.payer("acme-pay", "CNY")
	w := h.shop(owner)
	v, base := bound(t, h, w, owner, b)
	v.send(base+"/upgrade/agreement", "version", upgrade.AgreementVersion, "language", "en")
	v.says(t, http.StatusUnprocessableEntity, "agreement_not_agreed")
	v.open(base + "/upgrade/confirm")
	v.at(t, base+"/upgrade/agreement") // not agreed: cannot continue
	v.send(base+"/upgrade/agreement", "version", upgrade.AgreementVersion, "language", "en", "agreed", "yes")
	v.send(base+"/upgrade/confirm", "workspace_name", "shops")
	v.says(t, http.StatusUnprocessableEntity, "workspace_name_differs")
	v.send(base+"/upgrade/confirm", "workspace_name", "shop")
	v.at(t, base+"/upgrade/done")
	v.shows(t, "Bind Settlement Cloud Account")
	v.send(base+"/upgrade/confirm", "workspace_name", "shop") // the second click
	v.at(t, base+"/upgrade/done")
	v.open(base + "/settlement")
	v.shows(t, "Alibaba Cloud account: not enabled on this installation")
	v.open(base + "/billing")
	v.shows(t, "Commercial")
	v.shows(t, "acme-pay")
	v.open(base + "/upgrade")
	v.says(t, http.StatusConflict, "already_commercial")
}

func TestStaleTabsOfAnUpgradedWorkspaceGetAClearAnswer(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	owner, b := h.person("cn2", "olivia"), h.payer("acme-pay", "CNY")
	h.payer("other-pay", "CNY")
	v, base := bound(t, h, h.shop(owner), owner, b)
	stale := h.signedIn(owner)
	stale.open(base + "/upgrade/bind")
	upgraded(t, v, base)
	stale.send(base+"/upgrade/name", "user_name", "other-pay")
	stale.says(t, http.StatusConflict, "already_commercial")
	stale.send(base+"/upgrade/mail", "email", "other-pay@pay.example.com")
	stale.says(t, http.StatusConflict, "already_commercial")
	stale.open(base + "/upgrade/confirm")
	stale.says(t, http.StatusConflict, "already_commercial")
	stale.open(base + "/billing")
	stale.shows(t, "acme-pay")
}

func TestWhereNoCloudSettlesTheUpgradeReturnsToBilling(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	owner, b := h.person("cn4", "olivia"), h.payer("acme-pay", "CNY")
	w := h.shop(owner)
	v, base := bound(t, h, w, owner, b)
	upgraded(t, v, base)
	v.at(t, base+"/billing")
	v.shows(t, "shop is on the Commercial plan")
	v.open(base + "/settlement")
	v.shows(t, "are settled by the Billing Center account")
}

func TestEveryWrongBindingHasItsAnswer(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	owner := h.person("cn1", "olivia")
	h.payer("acme-pay", "CNY")
	h.payer("acme-usd", "USD")
	v, base := h.signedIn(owner), "/studio/workspaces/"+h.shop(owner).ID
	steps := []struct {
		path, field, value string
		status             int
		code               string
	}{
		{"mail", "email", "acme-pay@pay.example.com", http.StatusConflict, "upgrade_not_begun"},
		{"prove", "code", "123456", http.StatusConflict, "upgrade_not_begun"},
		{"name", "user_name", "nobody", http.StatusNotFound, "billing_account_unknown"},
		{"name", "user_name", "!", http.StatusNotFound, "billing_account_unknown"},
		{"name", "user_name", "acme-usd", http.StatusConflict, "billing_currency_differs"},
		{"name", "user_name", "acme-pay", http.StatusOK, ""},
		{"prove", "code", "123456", http.StatusConflict, "account_not_named"},
		{"mail", "email", "other@pay.example.com", http.StatusUnprocessableEntity, "billing_email_differs"},
		{"mail", "email", "acme-pay@pay.example.com", http.StatusOK, ""},
		{"mail", "email", "acme-pay@pay.example.com", http.StatusTooManyRequests, "code_too_often"},
		{"prove", "code", "nonsense", http.StatusUnprocessableEntity, "code_wrong"},
	}
	for _, s := range steps {
		v.send(base+"/upgrade/"+s.path, s.field, s.value)
		v.says(t, s.status, s.code)
	}
	h.clock.Advance(11 * time.Minute)
	v.send(base+"/upgrade/prove", "code", h.code("acme-pay@pay.example.com"))
	v.says(t, http.StatusGone, "code_expired")
	v.open(base + "/upgrade/agreement")
	v.at(t, base+"/upgrade/bind")
}

func TestOwnerJumpsByATicketOfOneUse(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	owner, b := h.person("cn1", "olivia"), h.payer("acme-pay", "CNY")
	v, base := bound(t, h, h.shop(owner), owner, b)
	upgraded(t, v, base)
	answer := v.ask("POST", base+"/billing-center")
	to, err := url.Parse(answer.Header.Get("Location"))
	if err != nil || answer.StatusCode != http.StatusSeeOther || to.Path != "/billing-center/enter" {
		t.Fatalf("%d to %v, %v", answer.StatusCode, to, err)
	}
	h.write(func(ctx context.Context, tx *store.Tx) error {
		ticket, err := tx.UseTicket(ctx, to.Query().Get("ticket"), h.clock.Now())
		if err == nil && (ticket.BillingID != b.ID || ticket.StudioID != owner.ID) {
			t.Errorf("ticket %+v", ticket)
		}
		return err
	})
}

// report puts a log record into the sink and its count into the store.
func (h house) report(w workspace.Workspace, text string, seq int64) {
	h.t.Helper()
	now := h.clock.Now()
	report := sink.Report{
		Key: sink.Key{byte(seq)}, WorkspaceID: w.ID, Generation: w.Generation, Type: meter.Logging, Class: "7d", Received: now,
		Points: []meter.Point{{Name: "nginx", Time: now, Fields: []meter.Field{{Key: "message", Value: meter.Text(text)}}}},
	}
	if err := h.sink.Write(h.t.Context(), []sink.Report{report}); err != nil {
		h.t.Fatal(err)
	}
	key := usage.Key{WorkspaceID: w.ID, Generation: w.Generation, Item: "logs", Class: "7d"}
	h.write(func(ctx context.Context, tx *store.Tx) error {
		return tx.AddUsage(ctx, usage.Batch{Gateway: "g", Epoch: 1, Seq: seq, Through: now, Deltas: []usage.Delta{{Key: key, Hour: period.HourOf(now), Add: 870_000}}})
	})
}

func TestFreeDataIsShownBeforeAndHiddenAfterTheUpgrade(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	owner, b := h.person("cn1", "olivia"), h.payer("acme-pay", "CNY")
	w := h.shop(owner)
	h.clock.Advance(time.Minute)
	v, base := h.signedIn(owner), "/studio/workspaces/"+w.ID
	v.open(base + "/start/light")
	v.shows(t, "Waiting for the first data")
	h.report(w, "order <b>placed</b>", 1)
	v.open(base + "/start/light")
	v.shows(t, "Data is arriving")
	v.open(base + "/explorer?type=logging&q=PLACED")
	v.shows(t, "order <b>placed</b>")
	v.open(base + "/explorer?type=logging&q=absent&range=7d")
	v.shows(t, "No record matches")
	v.open(base + "/billing")
	v.shows(t, "87 % of today's quota")
	v.open(base + "/upgrade")
	v.shows(t, "The last 7 days would have cost")
	v, base = bound(t, h, w, owner, b)
	upgraded(t, v, base)
	v.open(base + "/explorer?type=logging")
	if strings.Contains(v.page.Text(), "placed") {
		t.Error("a record of the Experience plan is viewable after the upgrade")
	}
	v.shows(t, "when the workspace was upgraded")
	v.open(base + "/billing")
	v.shows(t, "Nothing has been metered today")
}
