package billingcenter

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/rebind"
	"tollgate.dev/internal/settle"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/workspace"
)

// settledBy gives a workspace to a cloud, by a subscription that lives.
func (h *house) settledBy(w workspace.Workspace, m site.Method) {
	h.t.Helper()
	h.write(func(ctx context.Context, tx *store.Tx) error {
		w, err := tx.WorkspaceForUpdate(ctx, w.ID)
		if err != nil {
			return err
		}
		p := marketplace.Purchase{Account: "1001", Instance: "i-" + w.ID, Product: "ours", Plan: marketplace.Hourly, Active: true, BoughtAt: noon.Add(-time.Hour)}
		bought, err := marketplace.Bind(ctx, tx, m, p, w.Payer, workspace.Actor{AccountID: w.Payer}, noon)
		if err != nil {
			return err
		}
		w.Settlement = m
		return errors.Join(tx.UpdateWorkspace(ctx, w), tx.SettleBy(ctx, w.ID, bought.ID, noon))
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
		{cloud, "as soon as the marketplace has reported that it is unsubscribed", "", 0},
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

// TestWorkspacesAreSearchedFilteredSortedAndPaged walks the list by its links.
func TestWorkspacesAreSearchedFilteredSortedAndPaged(t *testing.T) {
	t.Parallel()
	h := open(t)
	a, other := h.payer("acme", money.CNY), h.payer("other", money.CNY)
	for i := range pageSize + 2 {
		h.paidFor(a, fmt.Sprintf("shop-%02d", i), "cn1")
	}
	south := h.paidFor(a, "south", "cn4")
	h.paidFor(other, "theirs", "cn4")
	h.settledBy(south, site.Huawei)
	v := h.signedIn(a)
	names := func(page answer) (list []string) {
		page.Find("tbody th[scope=row]").Each(func(_ int, s *goquery.Selection) { list = append(list, strings.Fields(s.Text())[0]) })
		return list
	}
	page := v.get(http.StatusOK, "/workspaces")
	if got := names(page); len(got) != pageSize || got[0] != "shop-00" {
		t.Fatalf("the first page holds %v", got)
	}
	page.says("53 workspaces")
	next, _ := page.Find("a[rel=next]").Attr("href")
	page = v.get(http.StatusOK, strings.TrimPrefix(next, Prefix))
	if got := names(page); !slices.Equal(got, []string{"shop-50", "shop-51", "south"}) {
		t.Errorf("the second page holds %v", got)
	}
	down, _ := page.Find("th a.sort").First().Attr("href")
	if got := names(v.get(http.StatusOK, strings.TrimPrefix(down, Prefix))); got[0] != "south" {
		t.Errorf("from the end by name: %v", got[:3])
	}
	for query, want := range map[string]string{
		"text=SOUTH": "south", "text=" + south.ID[:12]: "south", "site=cn4": "south", "settlement=huawei": "south", "state=locked": "", "state=nonsense": "", "text=theirs": "",
	} {
		if got := strings.Join(names(v.get(http.StatusOK, "/workspaces?"+query)), " "); query != "text="+south.ID[:12] && got != want || !strings.Contains(got, want) {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	v.get(http.StatusOK, "/workspaces?state=locked").says("No workspace fits these filters")
	rows := table(t, v.get(http.StatusOK, "/workspaces.csv?site=cn4"))
	if len(rows) != 2 || rows[1][1] != "south" || rows[1][6] != "huawei" || rows[1][10] != "0.00" {
		t.Errorf("the table holds %v", rows)
	}
}

// certified makes an account's company, which re-binding asks for.
func (h *house) certified(a account.Billing, company string) {
	h.t.Helper()
	h.write(func(ctx context.Context, tx *store.Tx) error {
		return tx.SetEnterprise(ctx, a.ID, account.Enterprise{Company: company, TaxpayerID: "91330100MA27XXXX1A"})
	})
}

// openedToday is a workspace that the account pays for since this very day, so
// that no day of it waits for its bill.
func (h *house) openedToday(a account.Billing, name string) workspace.Workspace {
	h.t.Helper()
	w := h.workspace(name, "cn1")
	h.write(func(ctx context.Context, tx *store.Tx) error {
		next, err := w.Upgrade(a.ID, h.clock.Now())
		if err != nil {
			return err
		}
		return tx.UpdateWorkspace(ctx, next)
	})
	return w
}

// TestAnotherAccountOfTheCompanyTakesAWorkspaceOver begins a re-binding in the
// Billing Center: the Owner's code, a last look, and the other account pays.
func TestAnotherAccountOfTheCompanyTakesAWorkspaceOver(t *testing.T) {
	t.Parallel()
	h := open(t)
	first, second, stranger := h.payer("acme", money.CNY), h.payer("acme-two", money.CNY), h.payer("stranger", money.CNY)
	h.certified(first, "Acme")
	h.certified(second, "Acme")
	h.certified(stranger, "Other")
	shop := h.openedToday(first, "shop")
	h.signedIn(stranger).post(http.StatusConflict, "/workspaces/bind", "workspace_id", shop.ID).refused("workspace_bound_elsewhere", "workspace_id")
	h.signedIn(first).post(http.StatusConflict, "/workspaces/bind", "workspace_id", shop.ID).refused("rebind_same_account", "workspace_id")
	v, page := h.signedIn(second), "/workspaces/"+shop.ID+"/take-over"
	v.get(http.StatusConflict, page).refused("rebind_not_begun", "")
	got := v.post(http.StatusOK, "/workspaces/bind", "workspace_id", shop.ID).at(page)
	got.says("s***@shop.example")
	if strings.Contains(got.body, ">shop<") {
		t.Error("the name is shown before the Owner consents")
	}
	v.post(http.StatusTooManyRequests, page+"/resend").refused("code_too_often", "code")
	v.post(http.StatusConflict, page+"/confirm").refused("take_over_not_proved", "")
	v.post(http.StatusUnprocessableEntity, page, "code", "000000").refused("code_wrong", "code")
	v.post(http.StatusOK, page, "code", h.code("shop@shop.example")).at(page).says("Take over shop")
	h.signedIn(stranger).post(http.StatusConflict, page+"/confirm").refused("rebind_not_begun", "")
	v.post(http.StatusOK, page+"/confirm").at("/workspaces").says("This account pays for shop from today on")
	v.post(http.StatusOK, page+"/confirm").at("/workspaces") // a double click
	h.write(func(ctx context.Context, tx *store.Tx) error {
		w, err := tx.Workspace(ctx, shop.ID)
		if err != nil || w.Payer != second.ID || w.Generation != 2 {
			t.Errorf("the workspace is now %+v, %v", w, err)
		}
		return nil
	})
	h.signedIn(first).get(http.StatusNotFound, "/workspaces/"+shop.ID+"/standing")
}

// TestATakeOverIsRefusedWhereADayIsNotBilled keeps a day with who had it.
func TestATakeOverIsRefusedWhereADayIsNotBilled(t *testing.T) {
	t.Parallel()
	h := open(t)
	first, second := h.payer("acme", money.CNY), h.payer("acme-two", money.CNY)
	h.certified(first, "Acme")
	h.certified(second, "Acme")
	shop := h.openedToday(first, "shop")
	v, page := h.signedIn(second), "/workspaces/"+shop.ID+"/take-over"
	v.post(http.StatusOK, "/workspaces/bind", "workspace_id", shop.ID)
	v.post(http.StatusOK, page, "code", h.code("shop@shop.example"))
	h.clock.Advance(rebind.DraftLife)
	v.post(http.StatusConflict, page+"/confirm").refused("rebind_not_begun", "")
	h.clock.Advance(24 * time.Hour)
	h.signedIn(second).post(http.StatusConflict, "/workspaces/bind", "workspace_id", shop.ID).refused("rebind_day_open", "workspace_id")
}

// TestThePayerDissolvesWithTheOwnersConsent asks for the code, refuses what is
// not typed right, and ends the workspace once.
func TestThePayerDissolvesWithTheOwnersConsent(t *testing.T) {
	t.Parallel()
	h := open(t)
	a, other := h.payer("acme", money.CNY), h.payer("other", money.CNY)
	shop := h.paidFor(a, "shop", "cn1")
	page := "/workspaces/" + shop.ID + "/dissolve"
	v := h.signedIn(a)
	if href, _ := v.get(http.StatusOK, "/workspaces/"+shop.ID+"/standing").Find("a.danger").Attr("href"); href != Prefix+page {
		t.Errorf("the standing leads to %q", href)
	}
	h.signedIn(other).get(http.StatusNotFound, page)
	h.signedIn(other).post(http.StatusNotFound, page+"/code")
	v.post(http.StatusNotFound, page, "workspace_name", "shop", "code", "123456").refused("code_not_sent", "")
	v.post(http.StatusOK, page+"/code").at(page)
	v.post(http.StatusTooManyRequests, page+"/code").refused("code_too_often", "code")
	code := h.code("shop@shop.example")
	v.post(http.StatusUnprocessableEntity, page, "workspace_name", "shopp", "code", code).refused("dissolve_name_differs", "workspace_name")
	v.post(http.StatusUnprocessableEntity, page, "workspace_name", "shop", "code", "000000").refused("code_wrong", "code")
	h.signedIn(other).post(http.StatusNotFound, page, "workspace_name", "shop", "code", code)
	v.post(http.StatusOK, page, "workspace_name", " shop ", "code", code).at("/workspaces").says("is dissolved")
	v.get(http.StatusOK, page).at("/workspaces/" + shop.ID + "/standing")
	v.post(http.StatusGone, page+"/code").refused("workspace_dissolved", "")
	v.post(http.StatusGone, page, "workspace_name", "shop", "code", code).refused("workspace_dissolved", "")
	h.write(func(ctx context.Context, tx *store.Tx) error {
		w, err := tx.Workspace(ctx, shop.ID)
		if err != nil || w.State != workspace.Dissolved {
			t.Errorf("the workspace is now %+v, %v", w, err)
		}
		return nil
	})
}

// TestALinkOfAMailLeadsThroughTheSignInToItsPage follows the mails' addresses
// in a browser in which nobody is signed in.
func TestALinkOfAMailLeadsThroughTheSignInToItsPage(t *testing.T) {
	t.Parallel()
	h := open(t)
	a := h.payer("acme", money.CNY)
	shop := h.paidFor(a, "shop", "cn1")
	for _, link := range []string{"/recharge?amount=15.00", "/workspaces/" + shop.ID + "/standing", "/workspaces", "/movements", "/"} {
		v := h.visitor()
		page := v.get(http.StatusOK, link).at("/sign-in")
		back, _ := page.Find("form[action$=\"/sign-in\"] input[name=return]").Attr("value")
		path, _, _ := strings.Cut(link, "?")
		page = v.post(http.StatusOK, "/sign-in", "login", a.UserName, "password", password, "return", back).at(path)
		if amount, _ := page.Find("#amount").Attr("value"); path == "/recharge" && amount != "15.00" {
			t.Errorf("%s: the amount is %q behind the sign-in", link, amount)
		}
	}
}
