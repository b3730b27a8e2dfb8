package api_test

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"tollgate.dev/client"
	"tollgate.dev/internal/api"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
)

// attack is a request that must be refused with that status and code.
type attack struct {
	name   string
	as     byte
	sent   raw
	status int
	code   string
}

const (
	ws        = "/workspaces/{w}"
	transfers = "/billing-center/transfers"
	begin     = "/studio/registrations"
)

func key(k string) map[string]string    { return map[string]string{"Idempotency-Key": k} }
func typed(ct string) map[string]string { return map[string]string{"Content-Type": ct} }
func bearer(t string) map[string]string { return map[string]string{"Authorization": t} }
func basics(change, to string) string {
	return strings.Replace(bodies["begin-studio-registration"], change, to, 1)
}
func body(b string) raw           { return raw{method: "POST", path: "/workspaces", body: b} }
func get(path string) raw         { return raw{method: "GET", path: path} }
func registering(body string) raw { return raw{method: "POST", path: begin, body: body} }
func transferring(k, b string) raw {
	return raw{method: "POST", path: transfers, header: key(k), body: b}
}
func inviting(b string) raw { return raw{method: "POST", path: ws + "/members", body: b} }

// attacks are grouped by what they get wrong.
var attacks = [][]attack{brokenBodies, brokenFields, brokenPaths, brokenHeaders, brokenQueries, brokenSense}

var brokenBodies = []attack{
	{"half an object", 'o', body(`{"name":"x"`), 400, "json_malformed"},
	{"no JSON", 'o', body(`name=x&language=en`), 400, "json_malformed"},
	{"two objects", 'o', body(`{"name":"x","language":"en"}{"name":"y"}`), 400, "json_malformed"},
	{"trailing text", 'o', body(`{"name":"x","language":"en"} --`), 400, "json_malformed"},
	{"a comma too many", 'o', body(`{"name":"x","language":"en",}`), 400, "json_malformed"},
	{"single quotes", 'o', body(`{'name':'x'}`), 400, "json_malformed"},
	{"NaN", 'o', body(`{"name":NaN}`), 400, "json_malformed"},
	{"a byte order mark", 'o', body("\xef\xbb\xbf{}"), 400, "json_malformed"},
	{"not UTF-8", 'o', body("{\"name\":\"\xff\xfe\",\"language\":\"en\"}"), 400, "json_malformed"},
	{"a NUL, escaped", 'o', body(`{"name":"a\u0000b","language":"en"}`), 400, "json_malformed"},
	{"a NUL in a key", 'o', body(`{"na\u0000me":"a","language":"en"}`), 400, "json_malformed"},
	{"a raw NUL", 'o', body("{\"name\":\"a\x00b\",\"language\":\"en\"}"), 400, "json_malformed"},
	{"ten thousand brackets", 'o', body(strings.Repeat("[", 10_001)), 400, "json_malformed"},
	{"thirty thousand braces", 'o', body(strings.Repeat(`{"a":`, 11_000)), 400, "json_malformed"},
	{"a very deep, whole body", 'o', body(strings.Repeat("[", 9_000) + strings.Repeat("]", 9_000)), 422, "field_invalid"},
	{"null", 'o', body(`null`), 422, "field_invalid"},
	{"a list", 'o', body(`[]`), 422, "field_invalid"},
	{"a text", 'o', body(`"x"`), 422, "field_invalid"},
	{"a number", 'o', body(`1e400`), 400, "json_malformed"},
	{"nothing", 'o', body(``), 400, "body_missing"},
	{"more than 64 KiB", 'o', body(`{"name":"` + strings.Repeat("x", 64<<10) + `","language":"en"}`), 413, "body_too_large"},
}

var brokenFields = []attack{
	{"a missing field", 'o', body(`{"language":"en"}`), 422, "field_missing"},
	{"two missing fields", 'o', body(`{}`), 422, "fields_invalid"},
	{"an unknown field", 'o', body(`{"name":"x","language":"en","plan":"commercial"}`), 422, "field_unknown"},
	{"a field in capitals", 'o', body(`{"Name":"x","language":"en"}`), 422, "fields_invalid"},
	{"a number for a text", 'o', body(`{"name":7,"language":"en"}`), 422, "field_invalid"},
	{"null for a text", 'o', body(`{"name":null,"language":"en"}`), 422, "field_invalid"},
	{"a list for a text", 'o', body(`{"name":["x"],"language":"en"}`), 422, "field_invalid"},
	{"an object for a text", 'o', body(`{"name":{"$ne":""},"language":"en"}`), 422, "field_invalid"},
	{"a text for a truth", 'n', raw{method: "POST", path: begin + "/ref_x/account", body: `{"company":"x","agreed":"yes"}`}, 422, "field_invalid"},
	{"an unknown language", 'o', body(`{"name":"x","language":"tlh"}`), 422, "field_invalid"},
	{"an empty name", 'o', body(`{"name":"  ","language":"en"}`), 422, "workspace_name"},
	{"a name without end", 'o', body(`{"name":"` + strings.Repeat("语", 257) + `","language":"en"}`), 422, "workspace_name"},
	{"an unknown role", 'o', inviting(`{"email":"newcomer@team.example","role":"owner"}`), 422, "field_invalid"},
	{"an address of two", 'o', inviting(`{"email":"a@x.example, b@x.example","role":"standard"}`), 422, "email_form"},
	{"an address with a line", 'o', inviting(`{"email":"a@x.example\r\nBcc: b@x.example","role":"standard"}`), 422, "email_form"},
	{"an unknown guest", 'o', inviting(`{"email":"nobody@team.example","role":"standard"}`), 404, "member_unknown"},
	{"a guest who is there", 'o', inviting(`{"email":"guest@team.example","role":"standard"}`), 409, "member_already"},
	{"a weak password", 'n', registering(basics("correct horse 1", "password")), 422, "password_form"},
	{"an unknown site", 'n', registering(basics("cn1", "mars1")), 422, "unknown_site"},
	{"the closed site", 'n', registering(basics("cn1", "cn3")), 422, "unknown_site"},
	{"a name of one letter", 'n', registering(basics(`"new"`, `"n"`)), 422, "user_name_form"},
	{"a taken address", 'n', registering(basics("new@team", "OWNER@team")), 409, "email_taken"},
	{"an unknown currency", 'n', raw{method: "POST", path: "/billing-center/registrations", body: strings.Replace(bodies["begin-billing-registration"], "CNY", "BTC", 1)}, 422, "unknown_currency"},
	{"a taken user name", 'n', raw{method: "POST", path: "/billing-center/registrations", body: strings.Replace(bodies["begin-billing-registration"], `"new"`, `"Payer"`, 1)}, 409, "user_name_taken"},
	{"a taken name beside", 'o', body(`{"name":"x","language":"en","billing_user_name":"payer"}`), 409, "user_name_taken"},
}

var brokenPaths = []attack{
	{"no such call", 'o', get("/nothing"), 404, "route_unknown"},
	{"the bare prefix", 'o', get("/"), 404, "route_unknown"},
	{"a wrong method", 'o', raw{method: "DELETE", path: "/workspaces"}, 405, "method_not_allowed"},
	{"an invented method", 'o', raw{method: "PURGE", path: "/workspaces"}, 405, "method_not_allowed"},
	{"a NUL in the path", 'o', get("/workspaces/a%00b"), 400, "request_malformed"},
	{"no UTF-8 in the path", 'o', get("/workspaces/%ff%fe"), 400, "request_malformed"},
	{"a slash in an ID", 'o', get("/workspaces/a%2Fb"), 404, "workspace_unknown"},
	{"dots for an ID", 'o', get("/workspaces/%2e%2e"), 404, "workspace_unknown"},
	{"SQL for an ID", 'o', get("/workspaces/'%20OR%201=1%20--"), 404, "workspace_unknown"},
	{"an ID without end", 'o', get("/workspaces/" + strings.Repeat("a", 5000)), 404, "workspace_unknown"},
	{"an ID of another shape", 'b', get("/billing-center/bills/" + strings.Repeat("a", 65)), 422, "field_invalid"},
	{"an unknown bill", 'o', get(ws + "/bills/bill_none"), 404, "bill_unknown"},
	{"an unknown bill of a payer", 'b', get("/billing-center/bills/bill_none"), 404, "bill_unknown"},
	{"an unknown transfer", 'p', raw{method: "POST", path: "/operator/transfers/trsf_none/credit", header: key("k1"), body: `{}`}, 404, "transfer_unknown"},
	{"an unknown registration", 'n', raw{method: "POST", path: begin + "/ref_none/code"}, 410, "registration_unknown"},
	{"no such member", 'o', raw{method: "DELETE", path: ws + "/members/acnt_none"}, 404, "member_not_found"},
	{"no such member's role", 'o', raw{method: "PATCH", path: ws + "/members/acnt_none", body: `{"role":"standard"}`}, 404, "member_not_found"},
}

var brokenHeaders = []attack{
	{"a form", 'o', raw{method: "POST", path: "/workspaces", header: typed("application/x-www-form-urlencoded"), body: `{}`}, 415, "content_type_unsupported"},
	{"plain text", 'o', raw{method: "POST", path: "/workspaces", header: typed("text/plain"), body: `{}`}, 415, "content_type_unsupported"},
	{"another alphabet", 'o', raw{method: "POST", path: "/workspaces", header: typed("application/json; charset=gbk"), body: `{}`}, 415, "content_type_unsupported"},
	{"no media type", 'o', raw{method: "POST", path: "/workspaces", header: typed(";;;"), body: `{}`}, 415, "content_type_unsupported"},
	{"a packed body", 'o', raw{method: "POST", path: "/workspaces", header: map[string]string{"Content-Encoding": "gzip"}, body: "\x1f\x8b"}, 415, "content_type_unsupported"},
	{"no key", 'b', raw{method: "POST", path: transfers, body: `{"amount":"1.00"}`}, 422, "idempotency_key_required"},
	{"a key of spaces", 'b', transferring("a b", `{"amount":"1.00"}`), 422, "idempotency_key_form"},
	{"a key without end", 'b', transferring(strings.Repeat("k", 129), `{"amount":"1.00"}`), 422, "idempotency_key_form"},
	{"a key that is no ASCII", 'b', transferring("kéy", `{"amount":"1.00"}`), 422, "idempotency_key_form"},
	{"basic authentication", 'n', raw{method: "GET", path: "/workspaces", header: bearer("Basic b3duZXI6cGFzcw==")}, 401, "signed_out"},
	{"an empty token", 'n', raw{method: "GET", path: "/workspaces", header: bearer("Bearer ")}, 401, "signed_out"},
	{"an invented token", 'n', raw{method: "GET", path: "/workspaces", header: bearer("Bearer tgak_" + strings.Repeat("a", 32))}, 401, "signed_out"},
	{"a token without end", 'n', raw{method: "GET", path: "/workspaces", header: bearer("Bearer " + strings.Repeat("a", 5000))}, 401, "signed_out"},
}

var brokenQueries = []attack{
	{"an unknown parameter", 'o', get("/workspaces?admin=1"), 422, "field_unknown"},
	{"a limit of nothing", 'o', get("/workspaces?limit=0"), 422, "field_invalid"},
	{"a limit below zero", 'o', get("/workspaces?limit=-1"), 422, "field_invalid"},
	{"a limit that is huge", 'o', get("/workspaces?limit=99999999999999999999"), 422, "field_invalid"},
	{"a limit that is no number", 'o', get("/workspaces?limit=ten"), 422, "field_invalid"},
	{"an invented cursor", 'o', get("/workspaces?cursor=abc"), 422, "cursor_invalid"},
	{"another list's cursor", 'o', get("/workspaces?cursor=bWVtYmVyczpl"), 422, "cursor_invalid"},
	{"a cursor that is no base64", 'o', get("/workspaces?cursor=%25%25%25"), 422, "cursor_invalid"},
	{"a records cursor of nowhere", 'o', get(ws + "/records?cursor=cmVjb3JkczpuZXZlcg"), 422, "cursor_malformed"},
	{"an entries cursor of nowhere", 'b', get("/billing-center/entries?cursor=ZW50cmllczotMQ"), 422, "cursor_invalid"},
	{"a bills cursor of nowhere", 'o', get(ws + "/bills?cursor=YmlsbHM6bmV2ZXI"), 422, "cursor_invalid"},
	{"broken escapes", 'o', get("/workspaces?cursor=%zz"), 400, "request_malformed"},
	{"a NUL in the query", 'o', get(ws + "/records?q=%00"), 400, "request_malformed"},
	{"no UTF-8 in the query", 'o', get(ws + "/records?q=%ff"), 400, "request_malformed"},
	{"a semicolon", 'o', get("/workspaces?limit=1;cursor=2"), 400, "request_malformed"},
	{"an unknown type", 'o', get(ws + "/records?type=secrets"), 422, "field_invalid"},
	{"a day that is none", 'o', get(ws + "/bills?from=2026-02-30"), 422, "malformed_date"},
	{"a day with an hour", 'b', get("/billing-center/bills?to=2026-02-03T00"), 422, "field_invalid"},
	{"an instant that is none", 'b', get("/billing-center/entries?from=yesterday"), 422, "field_invalid"},
	{"an unknown state", 'p', get("/operator/transfers?state=lost"), 422, "field_invalid"},
	{"an agreement in Klingon", 'o', get(ws + "/upgrade/agreement?language=tlh"), 422, "field_invalid"},
}

var brokenSense = []attack{
	{"an amount of nothing", 'b', transferring("s1", `{"amount":"0.00"}`), 422, "amount_not_positive"},
	{"an amount below zero", 'b', transferring("s2", `{"amount":"-5.00"}`), 422, "amount_not_positive"},
	{"half a cent", 'b', transferring("s3", `{"amount":"0.005"}`), 422, "malformed_amount"},
	{"an exponent", 'b', transferring("s4", `{"amount":"1e9"}`), 422, "malformed_amount"},
	{"separators", 'b', transferring("s5", `{"amount":"1,000.00"}`), 422, "malformed_amount"},
	{"other digits", 'b', transferring("s6", `{"amount":"１００"}`), 422, "malformed_amount"},
	{"an absurd amount", 'b', transferring("s7", `{"amount":"99999999999.00"}`), 422, "amount_absurd"},
	{"an amount past all", 'b', transferring("s8", `{"amount":"99999999999999999999999999"}`), 422, "malformed_amount"},
	{"a number for an amount", 'b', transferring("s9", `{"amount":100}`), 422, "field_invalid"},
	{"a reference without end", 'b', transferring("s10", `{"amount":"1.00","reference":"`+strings.Repeat("r", 129)+`"}`), 422, "transfer_reference"},
	{"a clock going back", 'p', raw{method: "POST", path: "/operator/clock", body: `{"advance":"-1h"}`}, 422, "clock_step"},
	{"a clock by never", 'p', raw{method: "POST", path: "/operator/clock", body: `{"advance":"1y"}`}, 422, "clock_step"},
	{"a balance of nobody", 'o', get(ws + "/balance"), 409, "not_commercial"},
	{"a month of nothing", 'o', get(ws + "/month-to-date"), 409, "not_commercial"},
	{"a settlement of nothing", 'o', get(ws + "/settlement"), 409, "settlement_needs_commercial"},
	{"a settlement too early", 'o', raw{method: "PUT", path: ws + "/settlement", body: `{"method":"aws"}`}, 409, "settlement_needs_commercial"},
	{"a wrong password", 'n', raw{method: "POST", path: "/studio/sessions", body: `{"site":"cn1","email":"owner@team.example","password":"wrong"}`}, 401, "login_failed"},
	{"the wrong site", 'n', raw{method: "POST", path: "/studio/sessions", body: `{"site":"us1","email":"owner@team.example","password":"correct horse 1"}`}, 401, "login_failed"},
	{"SQL for a login", 'n', raw{method: "POST", path: "/billing-center/sessions", body: `{"login":"' OR '1'='1","password":"x"}`}, 401, "login_failed"},
}

func TestHostileRequestsGetTheirCodeAndNever500(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newCrowd(t, s)
		n := 0
		for _, group := range attacks {
			for _, a := range group {
				n++
				a.sent.path = strings.ReplaceAll(a.sent.path, "{w}", x.shop.ID)
				got := x.send(x.in[a.as], a.sent)
				if got.status != a.status || got.problem.Code != a.code {
					t.Errorf("%s: got %d %q, want %d %q (%s)", a.name, got.status, got.problem.Code, a.status, a.code, got.problem.Detail)
				}
			}
		}
		if n < 60 {
			t.Errorf("only %d attacks", n)
		}
	})
}

// Every call that takes a body must refuse these by their form.
func TestNoCallTakesABodyThatIsNotItsOwn(t *testing.T) {
	t.Parallel()
	x := newCrowd(t, storetest.SQLite(t))
	for _, r := range api.Routes() {
		if bodies[r.ID] == "" {
			continue
		}
		as := permits[r.ID][0]
		for _, broken := range []string{`{`, `null`, `[]`, `7`, `{"nonsense":1}`, strings.TrimSuffix(bodies[r.ID], "}") + `,"nonsense":1}`, ``} {
			sent := x.request(r)
			sent.body = broken
			if got := x.send(x.in[as], sent); got.status != 400 && got.status != 422 {
				t.Errorf("%s takes %q with %d %s", r.ID, broken, got.status, got.problem.Code)
			}
		}
	}
}

func TestSeveralFaultsOfAFormAreNamedEach(t *testing.T) {
	t.Parallel()
	x := newCrowd(t, storetest.SQLite(t))
	got := x.send(client.Session{}, registering(`{"site":"mars1","user_name":"?","email":"x","password":"x","language":"en"}`))
	fields := map[string]string{}
	for _, e := range got.problem.Errors {
		fields[e.Field] = e.Code
	}
	want := map[string]string{"site": "unknown_site", "user_name": "user_name_form", "email": "email_form", "password": "password_form"}
	if got.status != 422 || got.problem.Code != "fields_invalid" || !maps.Equal(fields, want) {
		t.Errorf("got %d %v, want %v", got.status, fields, want)
	}
}

func TestATruncatedBodyIsTheSendersFault(t *testing.T) {
	t.Parallel()
	x := newCrowd(t, storetest.SQLite(t))
	r := httptest.NewRequest(http.MethodPost, api.Prefix+"/workspaces", http.MaxBytesReader(nil, http.NoBody, 0))
	r.Body = brokenPipe{}
	r.Header.Set("Authorization", "Bearer "+x.in['o'].Token)
	w := httptest.NewRecorder()
	x.handler.ServeHTTP(w, r)
	if p := problemOf(t, w.Code, w.Header(), w.Body.Bytes()); w.Code != 400 || p.Code != "request_malformed" {
		t.Errorf("got %d %s", w.Code, p.Code)
	}
}

type brokenPipe struct{}

func (brokenPipe) Read([]byte) (int, error) { return 0, fmt.Errorf("the sender is gone") }
func (brokenPipe) Close() error             { return nil }

func FuzzRequest(f *testing.F) {
	routes := api.Routes()
	for i, r := range routes {
		f.Add(uint16(i), "", "", bodies[r.ID], "k")
	}
	f.Add(uint16(3), "a\x00b", "limit=1&cursor=%00", `{"a":"\u0000"}`, "é")
	x := newCrowd(f, storetest.SQLite(f))
	f.Fuzz(func(t *testing.T, route uint16, part, query, body, key string) {
		r := routes[int(route)%len(routes)]
		sent := x.request(r)
		path := sent.path
		if part != "" {
			path = strings.ReplaceAll(r.Path, "{workspace_id}", x.shop.ID)
			for _, name := range []string{"{account_id}", "{registration_id}", "{bill_id}", "{transfer_id}", "{key_id}"} {
				path = strings.ReplaceAll(path, name, url.PathEscape(part))
			}
		}
		address, err := url.Parse(api.Prefix + path)
		if err != nil {
			return
		}
		address.RawQuery = query
		request := httptest.NewRequest(r.Method, "/", bytes.NewReader([]byte(body)))
		request.URL = address
		request.Header["Idempotency-Key"] = []string{key}
		request.Header.Set("Authorization", "Bearer "+x.in[permits[r.ID][0]].Token)
		w := httptest.NewRecorder()
		x.handler.ServeHTTP(w, request)
		if w.Code == http.StatusInternalServerError {
			t.Errorf("%s %s?%s with %q: %s", r.Method, path, query, body, w.Body)
		}
		if w.Code >= 400 {
			problemOf(t, w.Code, w.Header(), w.Body.Bytes())
		}
	})
}
