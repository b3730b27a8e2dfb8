package operator

import (
	"context"
	"errors"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/id"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/statement"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
)

// The operators by letter: v looks, u is of support, f of finance, p the
// administrator.
var letters = map[byte]account.OperatorRole{'v': account.Viewer, 'u': account.Support, 'f': account.Finance, 'p': account.Admin}

const looking = "vufp"

// permits says who may use each page and form, written down apart from the
// console's own table. What is missing here fails the test.
var permits = map[string]string{
	"GET /sign-in": looking, "POST /sign-in": looking, "POST /sign-out": looking,
	"GET /{$}": looking, "POST /verify": "ufp",
	"POST /parked/{workspace}/{day}/retry": "up", "POST /statements/{account}/{month}/retry": "up", "POST /mails/{mail}/retry": "up",

	"GET /cloud-usage": looking, "GET /cloud-usage/{record}": looking, "POST /cloud-usage/{record}": "fp",
	"GET /cloud-usage/reconciliation": looking, "GET /cloud-usage/reconciliation.csv": looking,
	"GET /payments": looking, "GET /payments/{payment}": looking, "POST /payments/{payment}/ask": "fp", "POST /payments/{payment}/refund": "fp",
	"GET /payments/notices/{notice}": looking, "POST /payments/notices/{notice}/again": "fp", "POST /payments/notices/{notice}/dismiss": "fp",

	"GET /transfers": looking, "GET /transfers/{transfer}": looking, "GET /transfers/{transfer}/slips/{slip}": "fp",
	"POST /transfers/{transfer}/credit": "fp", "POST /transfers/{transfer}/approve": "fp", "POST /transfers/{transfer}/return": "fp", "POST /transfers/{transfer}/reject": "fp",

	"GET /accounts.csv": looking, "GET /workspaces.csv": looking,
	"GET /accounts": looking, "GET /accounts/{account}": looking, "POST /accounts/{account}/settlement": "up", "POST /accounts/{account}/disabled": "up",
	"GET /accounts/{account}/prices": looking, "POST /accounts/{account}/prices": "p", "POST /accounts/{account}/prices/{price}/end": "p",

	"GET /accounts/{account}/discounts": looking, "POST /accounts/{account}/discounts": "p", "POST /accounts/{account}/discounts/{item}/end": "p",

	"GET /catalog": looking, "GET /catalog/new": "p", "POST /catalog/new": "p", "GET /catalog/versions/{version}": looking,
	"POST /catalog/versions/{version}/remove": "p", "GET /catalog/versions/{version}/what-if": looking, "GET /catalog/versions/{version}/what-if.csv": looking,

	"GET /workspaces": looking, "GET /workspaces/{workspace}": looking, "POST /workspaces/{workspace}/grant": "up", "POST /workspaces/{workspace}/log-count": "p",
	"GET /audit": looking, "GET /audit.csv": looking, "GET /search": looking, "POST /jobs/{job}/retry": "up", "POST /accounts/{account}/currency": "up", "GET /system": looking, "POST /system/clock": "p",

	"GET /service-keys": "p", "POST /service-keys": "p", "GET /service-keys/{key}/revoke": "p", "POST /service-keys/{key}/revoke": "p",

	"GET /cloud-credentials": "p", "POST /cloud-credentials": "p", "POST /cloud-credentials/{cloud}/{name}/remove": "p",

	"GET /certifications": looking, "GET /certifications/{certification}": looking, "GET /certifications/{certification}/scan": "fp",
	"POST /certifications/{certification}/certify": "fp", "POST /certifications/{certification}/reject": "fp",

	"GET /invoices": looking, "GET /invoices.csv": looking, "GET /invoices/{invoice}": looking, "GET /invoices/{invoice}/file": looking, "GET /invoices/{invoice}/request.pdf": looking,
	"POST /invoices/{invoice}/issue": "fp", "POST /invoices/{invoice}/send": "fp", "POST /invoices/{invoice}/reject": "fp", "POST /invoices/{invoice}/reverse": "fp",
	"POST /accounts/{account}/invoice-waiver": "fp",

	"GET /sources": looking, "GET /sources.csv": looking, "GET /sources/{source}": looking,
	"GET /codes": looking, "POST /codes": "fp", "GET /codes/{batch}": looking, "POST /codes/{batch}/export": "fp", "POST /codes/{batch}/revoke": "fp",
	"GET /accounts/{account}/vouchers": looking, "POST /accounts/{account}/vouchers": "fp", "POST /accounts/{account}/vouchers/{source}/withdraw": "fp",

	"GET /adjustments": looking, "GET /adjustments/{adjustment}": looking, "POST /adjustments/{adjustment}/approve": "fp", "POST /adjustments/{adjustment}/reject": "fp",
	"GET /accounts/{account}/adjustments/new": "fp", "POST /accounts/{account}/adjustments": "fp",

	"GET /operators": looking, "POST /operators": "p", "GET /operators/{operator}": looking, "POST /operators/{operator}/role": "p",
	"POST /operators/{operator}/password": "p", "POST /operators/{operator}/disable": "p", "POST /operators/{operator}/enable": "p",
	"GET /account": looking, "POST /account/password": looking,
}

func allowed(t *testing.T, r web.Route, letter byte) bool {
	t.Helper()
	who, known := permits[r.Method+" "+strings.TrimPrefix(r.Pattern, Prefix)]
	if !known {
		t.Fatalf("nobody wrote down who may %s %s", r.Method, r.Pattern)
	}
	return strings.IndexByte(who, letter) >= 0
}

func TestNothingIsPermittedThatThereIsNot(t *testing.T) {
	t.Parallel()
	routes := map[string]bool{}
	for _, r := range (&Console{}).Routes() {
		routes[r.Method+" "+strings.TrimPrefix(r.Pattern, Prefix)] = true
	}
	for what := range permits {
		if !routes[what] {
			t.Errorf("the console has no %s", what)
		}
	}
}

// hire makes an operator of the role and signs him in, in a browser of his own.
func (h *house) hire(role account.OperatorRole) (account.Operator, *house) {
	h.t.Helper()
	o := account.Operator{ID: id.New(id.Operator), Email: string(role) + "@hired.example", Name: string(role), Role: role, Password: hashed(), Language: "en", CreatedAt: noon}
	h.write(func(ctx context.Context, tx *store.Tx) error { return tx.InsertOperator(ctx, o) })
	return o, h.browser(o.Email, password)
}

// browser is the same house, seen through a browser that signs in.
func (h *house) browser(email, password string) *house {
	h.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		h.t.Fatal(err)
	}
	other := *h // the copy shares the server and has its own cookies
	other.client = &http.Client{Jar: jar, Timeout: time.Minute}
	other.post(http.StatusOK, "/sign-in", "email", email, "password", password)
	return &other
}

// filled puts things that exist into a route's path.
func (h *house) filled(pattern string, transfer, mail string) string {
	return strings.NewReplacer("{$}", "", "{workspace}", h.shop.ID, "{account}", h.payer.ID, "{cloud}", "aws", "{name}", "secret", "{transfer}", transfer, "{slip}", "attc_none", "{day}", "2026-03-10",
		"{month}", "2026-02", "{mail}", mail, "{price}", "prce_none", "{version}", "none", "{certification}", "cert_none", "{invoice}", "invc_none", "{batch}", "btch_none", "{source}", "vchr_none", "{adjustment}", "adjm_none", "{job}", "99", "{operator}", h.operator.ID).
		Replace(strings.TrimPrefix(pattern, Prefix))
}

// busy gives every page something to offer.
func (h *house) busy() (transfer, mail string) {
	h.t.Helper()
	transfer = h.declared("500", "TG-BUSY0-00000").ID
	h.write(func(ctx context.Context, tx *store.Tx) error {
		day := period.MustParseDay("2026-03-10")
		if err := tx.Park(ctx, bill.Parked{WorkspaceID: h.shop.ID, Site: "cn1", Day: day, At: noon, Kept: fault.Kept{Code: "bill_beyond_bound", Reason: "too large"}}); err != nil {
			return err
		}
		if err := tx.ParkStatement(ctx, statement.Parked{Payer: h.payer.ID, Month: day.Month(), At: noon, Kept: fault.Kept{Code: "statement_does_not_sum"}}); err != nil {
			return err
		}
		return tx.Announce(ctx, account.Registered{UserName: "acme", Email: "pay@acme.example", Language: "en", RegisteredAt: noon})
	})
	h.clock.Advance(stuckAfter + time.Second)
	h.write(func(ctx context.Context, tx *store.Tx) error {
		waiting, err := tx.WaitingMails(ctx, h.clock.Now(), 1)
		if err == nil {
			mail = waiting[0].ID
		}
		return err
	})
	return transfer, mail
}

// refusals are the codes by which a role is refused.
var refusals = []string{"operator_support_only", "operator_finance_only", "operator_worker_only", "operator_admin_only"}

func TestEveryPageAndFormIsOpenToTheRolesThatMayAndToNoOther(t *testing.T) {
	t.Parallel()
	for letter, role := range letters {
		t.Run(string(role), func(t *testing.T) {
			t.Parallel()
			h := open(t, true)
			transfer, mail := h.busy()
			_, me := h.hire(role)
			for _, route := range (&Console{}).Routes() {
				if route.Needs == web.Public {
					continue
				}
				code := me.code(route.Method, h.filled(route.Pattern, transfer, mail))
				if may := allowed(t, route, letter); may == slices.Contains(refusals, code) {
					t.Errorf("%s %s: %s may: %t, and gets %q", route.Method, route.Pattern, role, may, code)
				}
			}
		})
	}
}

// code is that of the refusal that a request gets; empty for none.
func (h *house) code(method, path string) string {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), method, h.url+Prefix+path, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	status, page := h.any(r)
	code, _ := page.Find("[data-code]").Attr("data-code")
	if status >= http.StatusInternalServerError || status == http.StatusForbidden != slices.Contains(refusals, code) {
		h.t.Errorf("%s %s: status %d with %q", method, path, status, code)
	}
	return code
}

func TestAPageOffersNothingThatItsReaderMayNotDo(t *testing.T) {
	t.Parallel()
	h := open(t, true)
	transfer, mail := h.busy()
	mux, routes := http.NewServeMux(), map[string]web.Route{}
	for _, route := range (&Console{}).Routes() {
		pattern := route.Method + " " + route.Pattern
		mux.HandleFunc(pattern, func(http.ResponseWriter, *http.Request) {})
		routes[pattern] = route
	}
	for letter, role := range letters {
		_, me := h.hire(role)
		offered := 0
		for _, route := range routes {
			if route.Method != http.MethodGet || route.Needs == web.Public || !allowed(t, route, letter) {
				continue
			}
			path := h.filled(route.Pattern, transfer, mail)
			for _, to := range me.offers(path) {
				_, pattern := mux.Handler(to)
				found, ours := routes[pattern]
				switch {
				case !ours:
				case allowed(t, found, letter):
					offered++
				default:
					t.Errorf("%s shows the %s %s", path, role, pattern)
				}
			}
		}
		if offered < len(sections) {
			t.Errorf("the %s is offered %d things only", role, offered)
		}
	}
}

// offers are the requests that the forms and links of a page make.
func (h *house) offers(path string) (all []*http.Request) {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), http.MethodGet, h.url+Prefix+path, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	_, page := h.any(r)
	add := func(method, target string) {
		if u, err := url.Parse(target); err == nil && strings.HasPrefix(u.Path, Prefix) {
			all = append(all, &http.Request{Method: method, URL: u, Host: "tollgate.example"})
		}
	}
	for _, a := range page.Find("a[href]").EachIter() {
		target, _ := a.Attr("href")
		add(http.MethodGet, target)
	}
	for _, f := range page.Find("form").EachIter() {
		target, _ := f.Attr("action")
		add(strings.ToUpper(f.AttrOr("method", "get")), target)
	}
	return all
}

func TestARefusedOperatorReadsWhomToAsk(t *testing.T) {
	t.Parallel()
	h := open(t, false)
	_, viewer := h.hire(account.Viewer)
	h.hire(account.Finance)
	transfer := h.declared("500", "TG-AAAAA-AAAAA")
	page := viewer.post(http.StatusForbidden, "/transfers/"+transfer.ID+"/credit")
	page.refused("operator_finance_only")
	page.says("Operators of the role finance or administrator may do it.")
	page.says("finance@hired.example · Finance")
	page.says("ops@demo.example · Administrator")
	if page.Find("li:contains('viewer@hired.example')").Length() != 0 {
		t.Error("somebody is named who may not either")
	}
}

func TestAnAdministratorHiresChangesAndDismissesOperators(t *testing.T) {
	t.Parallel()
	h := open(t, false)
	h.signIn()
	h.post(http.StatusUnprocessableEntity, "/operators", "email", "chen", "role", "king").refused("email_form")
	h.post(http.StatusConflict, "/operators", "email", "OPS@demo.example", "role", "viewer").refused("operator_email_taken")
	page := h.post(http.StatusOK, "/operators", "email", "Chen@tollgate.example", "name", "Chen", "role", "finance")
	page.says("A password for Chen")
	first := page.Find("#password").Text()
	chen := h.find("chen@tollgate.example")
	at := h.browser("chen@tollgate.example", first)
	at.get(http.StatusOK, "/account").says("Finance")

	at.post(http.StatusUnprocessableEntity, "/account/password", "password_present", "wrong", "password", "new-horse-22", "password_repeat", "new-horse-22").refused("password_present")
	second := h.browser("chen@tollgate.example", first)
	at.post(http.StatusOK, "/account/password", "password_present", first, "password", "new-horse-22", "password_repeat", "new-horse-22").says("The password is changed.")
	at.get(http.StatusOK, "/account").says("Finance")
	if got := second.get(http.StatusOK, "/account").path; got != signInPath {
		t.Errorf("a session of the old password leads to %s", got)
	}

	h.post(http.StatusUnprocessableEntity, "/operators/"+chen.ID+"/role", "role", "king").refused("operator_role_unknown")
	h.post(http.StatusOK, "/operators/"+chen.ID+"/role", "role", "support").says("The role is changed.")
	at.get(http.StatusOK, "/account").says("Support")
	fresh := h.post(http.StatusOK, "/operators/"+chen.ID+"/password").Find("#password").Text()
	if got := at.get(http.StatusOK, "/account").path; got != signInPath {
		t.Errorf("a session outlived the reset: %s", got)
	}
	at = h.browser("chen@tollgate.example", fresh)

	h.post(http.StatusOK, "/operators/"+chen.ID+"/disable").says("The operator is disabled.")
	if got := at.get(http.StatusOK, "/account").path; got != signInPath {
		t.Errorf("a session outlived the operator: %s", got)
	}
	h.post(http.StatusConflict, "/operators/"+chen.ID+"/password").refused("operator_disabled")
	again := h.post(http.StatusOK, "/operators/"+chen.ID+"/enable").Find("#password").Text()
	if got := at.get(http.StatusOK, "/account").path; got != signInPath {
		t.Errorf("an ended session came back: %s", got)
	}
	h.browser("chen@tollgate.example", again).get(http.StatusOK, "/account").says("Support")
	want := []string{"operator_account.enabled", "operator_account.disabled", "operator_account.password_reset", "operator_account.role_changed", "operator_account.password_changed", "operator_account.made"}
	got := slices.DeleteFunc(h.log(chen.ID), func(action string) bool { return action == "operator.signed_in" })
	if !slices.Equal(got, want) {
		t.Errorf("the log says %v", got)
	}
	h.get(http.StatusOK, "/operators/"+chen.ID).says("role: finance -> support")
	h.post(http.StatusNotFound, "/operators/oper_none/disable").refused("account_unknown")
}

func (h *house) find(email string) (o account.Operator) {
	h.t.Helper()
	h.write(func(ctx context.Context, tx *store.Tx) (err error) {
		o, err = tx.OperatorByEmail(ctx, email)
		return err
	})
	return o
}

func TestNobodyChangesHimselfAndTheLastAdministratorStays(t *testing.T) {
	t.Parallel()
	h := open(t, false)
	h.signIn()
	mine := "/operators/" + h.operator.ID
	h.post(http.StatusConflict, mine+"/role", "role", "viewer").refused("operator_self")
	h.post(http.StatusConflict, mine+"/disable").refused("operator_self")
	h.post(http.StatusConflict, mine+"/password").refused("operator_self")
	h.write(func(ctx context.Context, tx *store.Tx) error {
		for _, err := range []error{
			account.DisableOperator(ctx, tx, h.operator.ID, account.CommandLine, noon),
			account.GiveRole(ctx, tx, h.operator.ID, account.Viewer, account.CommandLine, noon),
		} {
			if !errors.Is(err, account.ErrOperatorLast) {
				t.Errorf("the last administrator: %v", err)
			}
		}
		return nil
	})
	other, _ := h.hire(account.Admin)
	h.post(http.StatusOK, "/operators/"+other.ID+"/disable").says("disabled")
	h.get(http.StatusOK, mine).says("This is you")
}
