package operator

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/id"
	"tollgate.dev/internal/invoice"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/statement"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/testkit"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/workspace"
)

const password = "correct-horse-1"

// house is a running console with an operator, a payer and a team.
type house struct {
	t        *testing.T
	store    *store.Store
	clock    *testkit.Clock
	url      string
	client   *http.Client
	operator account.Operator
	payer    account.Billing
	shop     workspace.Workspace

	findings []audit.Finding
	retried  []string
}

func open(t *testing.T, sandbox bool) *house {
	t.Helper()
	h := &house{t: t, store: storetest.SQLite(t), clock: testkit.NewClock(noon)}
	server := httptest.NewUnstartedServer(nil)
	h.url = "http://" + server.Listener.Addr().String()
	clock := Clock{Now: h.clock.Now, Sandbox: sandbox, Advance: func(_ context.Context, by time.Duration) (time.Time, error) {
		return h.clock.Advance(by), nil
	}}
	limits := wallet.Limits{money.CNY: money.MustParse("1000", money.CNY)}
	server.Config.Handler = New(Config{
		Store: h.store, Sessions: h.store.Sessions("operator", time.Now), Clock: clock, Profile: site.Seed, Catalog: catalog.Default().Shipped(), BaseURL: h.url, Limits: limits, Log: testkit.Logger(t), Credentials: sealedWith(),
		Verify: func(ctx context.Context) ([]audit.Finding, error) {
			return h.findings, h.store.Write(ctx, func(tx *store.Tx) error {
				return tx.KeepVerdict(ctx, audit.Verdict{At: h.clock.Now(), Findings: h.findings})
			})
		},
		Invoice: func(_ context.Context, r invoice.Request, language string) (string, []byte, error) {
			return r.Number + "." + language + ".pdf", []byte("%PDF of " + r.Number), nil
		},
		Retry: func(_ context.Context, workspaceID string, day period.Day) (bill.Bill, error) {
			h.retried = append(h.retried, workspaceID+" "+day.String())
			return bill.Bill{ID: "bill_1", Number: "cn1-2026-000001"}, nil
		},
		Issue: func(_ context.Context, accountID string, m period.Month) (statement.Statement, error) {
			h.retried = append(h.retried, accountID+" "+m.String())
			if m.String() == "2026-01" {
				return statement.Statement{}, nil
			}
			return statement.Statement{ID: "stmt_1", Number: "ST-CNY-2026-000001"}, nil
		},
	})
	server.Start()
	t.Cleanup(server.Close)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	h.client = &http.Client{Jar: jar, Timeout: time.Minute}
	h.people()
	return h
}

// hashed is the password's hash, made once: it is slow on purpose.
var hashed = sync.OnceValue(func() string {
	hash, err := account.HashPassword(password)
	if err != nil {
		panic(err)
	}
	return hash
})

func (h *house) people() {
	h.t.Helper()
	hash := hashed()
	h.operator = account.Operator{ID: id.New(id.Operator), Email: "ops@demo.example", Name: "ops", Role: account.Admin, Password: hash, Language: "en", CreatedAt: noon}
	h.payer = account.Billing{ID: id.New(id.BillingAccount), UserName: "acme", Email: "pay@acme.example", Currency: money.CNY, Language: "en", CreatedAt: noon}
	h.write(func(ctx context.Context, tx *store.Tx) error {
		owner := account.Studio{ID: id.New(id.StudioAccount), Site: "cn1", UserName: "lin", Email: "lin@shop.example", Language: "en", CreatedAt: noon}
		if err := errors.Join(tx.InsertOperator(ctx, h.operator), tx.InsertBilling(ctx, h.payer), tx.InsertStudio(ctx, owner)); err != nil {
			return err
		}
		w, err := workspace.Create(ctx, tx, "cn1", "Shop", "en", workspace.Actor{AccountID: owner.ID}, noon.AddDate(0, 0, -5))
		if err != nil {
			return err
		}
		if h.shop, err = w.Upgrade(h.payer.ID, noon.AddDate(0, 0, -3)); err != nil {
			return err
		}
		return tx.UpdateWorkspace(ctx, h.shop)
	})
}

func (h *house) write(f func(ctx context.Context, tx *store.Tx) error) {
	h.t.Helper()
	if err := h.store.Write(h.t.Context(), func(tx *store.Tx) error { return f(h.t.Context(), tx) }); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) signIn() {
	h.t.Helper()
	h.post(http.StatusOK, "/sign-in", "email", "Ops@demo.example", "password", password)
}

// answer is a page that came back: where from, and what it says without white space.
type answer struct {
	t    *testing.T
	path string
	text string
	*goquery.Document
}

func (h *house) do(want int, r *http.Request) answer {
	h.t.Helper()
	status, a := h.any(r)
	if status != want {
		h.t.Fatalf("%s %s: status %d, want %d: %s", r.Method, r.URL.Path, status, want, a.text)
	}
	return a
}

// any sends a request and gives whatever comes back.
func (h *house) any(r *http.Request) (int, answer) {
	h.t.Helper()
	response, err := h.client.Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(string(body)))
	if err != nil {
		h.t.Fatal(err)
	}
	return response.StatusCode, answer{h.t, response.Request.URL.Path, squeezed(doc.Find("main").Text()), doc}
}

func squeezed(text string) string { return strings.Join(strings.Fields(text), "") }

func (h *house) get(want int, path string) answer {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), http.MethodGet, h.url+Prefix+path, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	return h.do(want, r)
}

func (h *house) post(want int, path string, pairs ...string) answer {
	h.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	r, err := http.NewRequestWithContext(h.t.Context(), http.MethodPost, h.url+Prefix+path, strings.NewReader(form.Encode()))
	if err != nil {
		h.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return h.do(want, r)
}

func (a answer) says(text string) {
	a.t.Helper()
	if !strings.Contains(a.text, squeezed(text)) {
		a.t.Errorf("%s does not say %q: %s", a.path, text, a.text)
	}
}

func (a answer) refused(code string) {
	a.t.Helper()
	if a.Find("[data-code='"+code+"']").Length() == 0 {
		a.t.Errorf("%s does not say %s: %s", a.path, code, a.text)
	}
}

// log lists what was done on a subject, the newest first.
func (h *house) log(subject string) (actions []string) {
	h.t.Helper()
	h.write(func(ctx context.Context, tx *store.Tx) error {
		lines, err := tx.AuditLog(ctx, subject, 0, 100)
		for _, l := range lines {
			actions = append(actions, l.Action)
		}
		return err
	})
	return actions
}

func TestNobodyButAnOperatorGetsIn(t *testing.T) {
	t.Parallel()
	h := open(t, true)
	for _, route := range (&Console{}).Routes() {
		if route.Needs == web.Public {
			continue
		}
		path := strings.NewReplacer("{$}", "", "{workspace}", h.shop.ID, "{account}", h.payer.ID, "{transfer}", "t", "{slip}", "attc_none", "{day}", "2026-03-01", "{month}", "2026-02", "{mail}", "m", "{price}", "p", "{version}", "v", "{certification}", "c", "{operator}", h.operator.ID).
			Replace(strings.TrimPrefix(route.Pattern, Prefix))
		answer := answer{}
		if route.Method == http.MethodGet {
			answer = h.get(http.StatusOK, path)
		} else {
			answer = h.post(http.StatusOK, path, "to", "on", "step", "1d")
		}
		if answer.path != signInPath {
			t.Errorf("%s %s leads to %s", route.Method, route.Pattern, answer.path)
		}
	}
	if !h.clock.Now().Equal(noon) {
		t.Error("the clock was moved")
	}
	h.post(http.StatusUnauthorized, "/sign-in", "email", "ops@demo.example", "password", "wrong").refused("login_failed")
	h.post(http.StatusUnauthorized, "/sign-in", "email", "pay@acme.example", "password", password).refused("login_failed")
	h.signIn()
	h.get(http.StatusOK, "/").says("Today")
	if got := h.log(h.operator.ID); len(got) != 2 || got[0] != "operator.signed_in" || got[1] != "operator.sign_in_refused" {
		t.Errorf("the log says %v", got)
	}
}

func (h *house) declared(amount, reference string) wallet.Transfer {
	h.t.Helper()
	t, err := wallet.Declare(h.payer, money.MustParse(amount, money.CNY), reference, noon)
	if err != nil {
		h.t.Fatal(err)
	}
	h.write(func(ctx context.Context, tx *store.Tx) error { return tx.InsertTransfer(ctx, t) })
	return t
}

func TestSwitchesAreSetNotToggled(t *testing.T) {
	t.Parallel()
	h := open(t, false)
	h.signIn()
	path := "/accounts/" + h.payer.ID
	for range 2 { // a second click changes nothing
		h.post(http.StatusOK, path+"/settlement", "to", "on")
		h.post(http.StatusOK, path+"/disabled", "to", "on").says("Disabled")
	}
	h.post(http.StatusOK, path+"/disabled", "to", "off").says("Active")
	h.write(func(ctx context.Context, tx *store.Tx) error {
		a, err := tx.BillingByID(ctx, h.payer.ID)
		if a.Disabled || !a.ArbitrarySettlement {
			t.Errorf("the account is now %+v", a)
		}
		return err
	})
	if got := h.log(h.payer.ID); len(got) != 3 {
		t.Errorf("the log says %v", got)
	}
	h.post(http.StatusNotFound, "/accounts/bcac_none/disabled", "to", "on").refused("account_unknown")
}

func TestTenantsAreFound(t *testing.T) {
	t.Parallel()
	h := open(t, false)
	h.signIn()
	h.get(http.StatusOK, "/accounts?text=AC").says("acme")
	h.get(http.StatusOK, "/accounts?text=%25").says("No account")
	h.get(http.StatusOK, "/workspaces?text=sHO").says("Shop")
	h.get(http.StatusOK, "/workspaces?text="+h.shop.ID[:12]).says("Shop")
	h.get(http.StatusOK, "/workspaces?text=%27%25").says("No workspace")
	page := h.get(http.StatusOK, "/workspaces/"+h.shop.ID)
	page.says("lin@shop.example")
	page.says("workspace.created")
	h.get(http.StatusNotFound, "/workspaces/wksp_none").refused("workspace_unknown")
	h.get(http.StatusNotFound, "/accounts/bcac_none").refused("account_unknown")
}

func TestParkedWorkspacesAreBilledAgain(t *testing.T) {
	t.Parallel()
	h := open(t, false)
	h.signIn()
	h.write(func(ctx context.Context, tx *store.Tx) error {
		return tx.Park(ctx, bill.Parked{WorkspaceID: h.shop.ID, Site: "cn1", Day: period.MustParseDay("2026-03-10"), At: noon, Kept: fault.Kept{Code: "bill_beyond_bound", Reason: "too large"}})
	})
	h.get(http.StatusOK, "/").says("bill_beyond_bound")
	h.post(http.StatusOK, "/parked/"+h.shop.ID+"/2026-03-10/retry").says("Billed: cn1-2026-000001.")
	if len(h.retried) != 1 || h.retried[0] != h.shop.ID+" 2026-03-10" {
		t.Errorf("retried %v", h.retried)
	}
	h.post(http.StatusUnprocessableEntity, "/parked/"+h.shop.ID+"/yesterday/retry").refused("malformed_date")
}

func TestParkedStatementsAreIssuedAgain(t *testing.T) {
	t.Parallel()
	h := open(t, false)
	h.signIn()
	february := period.MustParseDay("2026-02-01").Month()
	h.write(func(ctx context.Context, tx *store.Tx) error {
		return tx.ParkStatement(ctx, statement.Parked{Payer: h.payer.ID, Month: february, At: noon, Kept: fault.Kept{Code: "statement_does_not_sum", Reason: "a bill is not what was issued"}})
	})
	page := h.get(http.StatusOK, "/")
	for _, text := range []string{"Parked statements", "acme", "2026-02", "statement_does_not_sum", "a bill is not what was issued"} {
		page.says(text)
	}
	if page.Find("form[action='"+Prefix+"/statements/"+h.payer.ID+"/2026-02/retry']").Length() != 1 {
		t.Error("the statement cannot be issued again")
	}
	h.post(http.StatusOK, "/statements/"+h.payer.ID+"/2026-02/retry").says("Issued: ST-CNY-2026-000001.")
	h.post(http.StatusOK, "/statements/"+h.payer.ID+"/2026-01/retry").says("Nothing is left to state.")
	if len(h.retried) != 2 || h.retried[0] != h.payer.ID+" 2026-02" {
		t.Errorf("retried %v", h.retried)
	}
	if got := h.log(h.payer.ID); len(got) != 2 || got[0] != "statement.retried" {
		t.Errorf("the log says %v", got)
	}
	h.post(http.StatusUnprocessableEntity, "/statements/"+h.payer.ID+"/winter/retry").refused("malformed_date")
}

func TestADayThatShouldBeClosedIsLate(t *testing.T) {
	t.Parallel()
	h := open(t, false)
	h.signIn()
	h.get(http.StatusOK, "/").says("China 1 (Hangzhou) Asia/Shanghai – 0 0 2026-03-09 due 2026-03-10 00:00 Late")
	h.write(func(ctx context.Context, tx *store.Tx) error {
		d := bill.SiteDay{Site: "cn1", Day: period.MustParseDay("2026-03-11"), BeganAt: noon, Series: "cn1-2026"}
		if err := tx.BeginSiteDay(ctx, d); err != nil {
			return err
		}
		d.ClosedAt, d.Bills, d.Hash = noon, 7, "h"
		return tx.FinishSiteDay(ctx, d)
	})
	h.get(http.StatusOK, "/").says("2026-03-11 closed 2026-03-12 12:00 7 0 2026-03-12 due 2026-03-13 00:00 On time")
}

func TestVerifyShowsWhatItFound(t *testing.T) {
	t.Parallel()
	h := open(t, false)
	h.signIn()
	h.get(http.StatusOK, "/").says("Not verified yet")
	h.post(http.StatusOK, "/verify").says("Every invariant held")
	h.findings = []audit.Finding{{Invariant: "I1", Subject: "ltxn_1", Detail: "does not sum to zero"}}
	h.post(http.StatusOK, "/verify").says("I1 ltxn_1: does not sum to zero")
}

func TestTheAuditLogShowsWhereItIsBroken(t *testing.T) {
	t.Parallel()
	h := open(t, false)
	h.signIn()
	h.get(http.StatusOK, "/audit").says("The chain is whole")
	h.get(http.StatusOK, "/audit?subject="+h.shop.ID+"&before=no").says("workspace.created")
	h.write(func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE audit SET actor = 'somebody else' WHERE n = 1`)
		return err
	})
	h.get(http.StatusOK, "/audit").says("The chain is broken at entry 1")
}

func TestTheClockMovesInASandboxOnly(t *testing.T) {
	t.Parallel()
	h := open(t, true)
	h.signIn()
	h.post(http.StatusOK, "/system/clock", "step", "1d").says("2026-03-13 04:00")
	h.post(http.StatusUnprocessableEntity, "/system/clock", "step", "-1d").refused("clock_step")
	h.post(http.StatusUnprocessableEntity, "/system/clock").refused("clock_step")
	real := open(t, false)
	real.signIn()
	real.post(http.StatusConflict, "/system/clock", "step", "1d").refused("clock_not_sandbox")
	if real.get(http.StatusOK, "/system").Find("button[name=step]").Length() != 0 {
		t.Error("a real clock has a time machine")
	}
}

func TestAStuckMailIsQueuedAgain(t *testing.T) {
	t.Parallel()
	h := open(t, false)
	h.signIn()
	h.write(func(ctx context.Context, tx *store.Tx) error {
		return tx.Announce(ctx, account.Registered{UserName: "acme", Email: "pay@acme.example", Language: "en", RegisteredAt: noon})
	})
	h.clock.Advance(stuckAfter + time.Second)
	page := h.get(http.StatusOK, "/")
	page.says("pay@acme.example")
	path, _ := page.Find("form[action*='/mails/']").Attr("action")
	h.post(http.StatusOK, strings.TrimPrefix(path, Prefix)).says("The mail was queued again.")
	h.post(http.StatusNotFound, "/mails/mail_none/retry").refused("mail_not_waiting")
}
