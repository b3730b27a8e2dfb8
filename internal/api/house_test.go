package api_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tollgate.dev/client"
	"tollgate.dev/internal/account"
	"tollgate.dev/internal/api"
	"tollgate.dev/internal/billingcenter"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/id"
	"tollgate.dev/internal/invoice"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/notify"
	"tollgate.dev/internal/sink"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/statement"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/testkit"
	"tollgate.dev/internal/till"
	"tollgate.dev/internal/topup"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/workspace"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// noon is 12:00 in Hangzhou.
var noon = time.Date(2026, 3, 1, 4, 0, 0, 0, time.UTC)

const password = "correct horse 1"

// hashed is the password's hash, made once: it is slow on purpose.
var hashed = sync.OnceValue(func() string {
	h, err := account.HashPassword(password)
	if err != nil {
		panic(err)
	}
	return h
})

// house is an installation of its own, behind a real HTTP server.
type house struct {
	t       testing.TB
	store   *store.Store
	clock   *testkit.Clock
	real    *testkit.Clock
	sink    *sink.Local
	url     string
	client  *client.Client
	handler http.Handler
	topups  *topup.Desk
	till    *till.Till

	mu      sync.Mutex
	changed []string
}

// Advance moves the clock as the calendar does, without any work.
func (h *house) Advance(_ context.Context, by time.Duration) (time.Time, error) {
	return h.clock.Advance(by), nil
}

func open(t testing.TB, s *store.Store) *house {
	t.Helper()
	h := &house{t: t, store: s, clock: testkit.NewClock(noon), real: testkit.NewClock(noon)}
	var err error
	if h.sink, err = sink.OpenLocal(t.TempDir(), testkit.Logger(t)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.sink.Close() })
	s.OnChange(func(workspaceID string) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.changed = append(h.changed, workspaceID)
	})
	h.topups, h.till = h.deskOf(s), till.Open(s, h.clock.Now)
	t.Cleanup(h.till.Close)
	prices := catalog.Default().Shipped()
	center := billingcenter.New(billingcenter.Config{
		Store: s, Sessions: s.Sessions("billing_center", h.real.Now), Now: h.clock.Now, Profile: site.Seed, BaseURL: "http://tollgate.example", Log: testkit.Logger(t), Catalog: prices,
	})
	h.handler = api.New(api.Config{
		Store: s, Now: h.clock.Now, RealNow: h.real.Now, Catalog: prices, Profile: site.Seed, Topups: h.topups, Till: h.till, Limits: wallet.Limits{money.CNY: money.MustParse("50000", money.CNY)},
		Sink: h.sink, Sandbox: true, Clock: h, Log: testkit.Logger(t),
		Invoice: func(ctx context.Context, r invoice.Request, language string) (api.Drawn, error) {
			d, err := center.InvoiceDocument(ctx, r, language)
			return api.Drawn(d), err
		},
		Statement: func(ctx context.Context, st statement.Statement, format, language string) (api.Drawn, error) {
			d, err := center.StatementDocument(ctx, st, format, language)
			return api.Drawn(d), err
		},
	})
	server := httptest.NewServer(h.handler)
	t.Cleanup(server.Close)
	h.url, h.client = server.URL, client.New(server.URL)
	return h
}

func (h *house) told(workspaceID string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Contains(h.changed, workspaceID)
}

func (h *house) write(f func(ctx context.Context, tx *store.Tx) error) {
	h.t.Helper()
	if err := h.store.Write(h.t.Context(), func(tx *store.Tx) error { return f(h.t.Context(), tx) }); err != nil {
		h.t.Fatal(err)
	}
}

// studio makes a Studio account on cn1.
func (h *house) studio(name string) account.Studio { return h.studioOn("cn1", name) }

func (h *house) studioOn(s site.ID, name string) account.Studio {
	h.t.Helper()
	a := account.Studio{ID: id.New(id.StudioAccount), Site: s, UserName: name, Email: name + "@team.example", Password: hashed(), Language: "en", CreatedAt: noon}
	h.write(func(ctx context.Context, tx *store.Tx) error { return tx.InsertStudio(ctx, a) })
	return a
}

// billing makes a Billing Center account.
func (h *house) billing(name string, c money.Currency) account.Billing {
	h.t.Helper()
	a := account.Billing{ID: id.New(id.BillingAccount), UserName: name, Email: name + "@pay.example", Password: hashed(), Currency: c, Language: "en", CreatedAt: noon}
	h.write(func(ctx context.Context, tx *store.Tx) error { return tx.InsertBilling(ctx, a) })
	return a
}

func (h *house) operator() account.Operator { return h.operatorOf(account.Admin) }

func (h *house) operatorOf(role account.OperatorRole) account.Operator {
	h.t.Helper()
	email := map[account.OperatorRole]string{account.Admin: "ops"}[role]
	if email == "" {
		email = string(role)
	}
	a := account.Operator{ID: id.New(id.Operator), Email: email + "@tollgate.example", Name: "Ops", Role: role, Password: hashed(), Language: "en", CreatedAt: noon}
	h.write(func(ctx context.Context, tx *store.Tx) error { return tx.InsertOperator(ctx, a) })
	return a
}

// workspace makes an Experience workspace.
func (h *house) workspace(owner account.Studio, name string) workspace.Workspace {
	h.t.Helper()
	var w workspace.Workspace
	h.write(func(ctx context.Context, tx *store.Tx) (err error) {
		w, err = workspace.Create(ctx, tx, owner.Site, name, "en", workspace.Actor{AccountID: owner.ID}, noon)
		return err
	})
	return w
}

func (h *house) join(w workspace.Workspace, a account.Studio, r workspace.Role) {
	h.t.Helper()
	h.write(func(ctx context.Context, tx *store.Tx) error {
		return tx.SaveMember(ctx, workspace.Member{WorkspaceID: w.ID, AccountID: a.ID, Role: r, JoinedAt: noon})
	})
}

func (h *house) asStudio(a account.Studio) *client.Studio {
	h.t.Helper()
	return h.client.Studio(h.session(api.Studio, a.ID))
}

func (h *house) asBilling(a account.Billing) *client.BillingCenter {
	h.t.Helper()
	return h.client.BillingCenter(h.session(api.BillingCenter, a.ID))
}

func (h *house) asOperator(a account.Operator) *client.Operator {
	h.t.Helper()
	return h.client.Operator(h.session(api.Operator, a.ID))
}

// signIn signs in with the password.
func (h *house) signIn(a account.Studio) *client.Studio {
	h.t.Helper()
	s, err := h.client.SignInStudio(h.t.Context(), string(a.Site), a.Email, password)
	return must(h.t, s, err)
}

func must[T any](t testing.TB, v T, err error) T {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// refused checks the code of a refusal.
func refused(t testing.TB, err error, code string) {
	t.Helper()
	if !client.Refused(err, code) {
		t.Errorf("got %v, want the refusal %s", err, code)
	}
}

var sixDigits = regexp.MustCompile(`\b[0-9]{6}\b`)

// code finds the code in the newest mail to an address.
func (h *house) code(to string) string {
	h.t.Helper()
	found := ""
	err := h.store.Read(h.t.Context(), func(tx *store.Tx) error {
		var mailID string
		if err := tx.QueryRow(h.t.Context(), `SELECT id FROM mail WHERE recipient = $1 AND kind = 'code' ORDER BY created_at DESC, id LIMIT 1`, to).Scan(&mailID); err != nil {
			return err
		}
		var m notify.Mail
		var err error
		m, _, err = tx.Mail(h.t.Context(), mailID)
		found = sixDigits.FindString(m.Text)
		return err
	})
	if err != nil || found == "" {
		h.t.Fatalf("no code was mailed to %s: %v", to, err)
	}
	return found
}

// wrong is a code that is not the given one.
func wrong(code string) string {
	if code == "000000" {
		return "111111"
	}
	return "000000"
}

// session signs an account in without asking for its password, which is slow
// on purpose.
func (h *house) session(console api.Console, accountID string) client.Session {
	h.t.Helper()
	token := id.New(id.APIKey)
	sum := sha256.Sum256([]byte(token))
	key := store.APIKey{Hash: hex.EncodeToString(sum[:]), Console: string(console), AccountID: accountID, CreatedAt: h.real.Now()}
	h.write(func(ctx context.Context, tx *store.Tx) error {
		return tx.InsertAPIKey(ctx, key, h.real.Now().Add(-api.SessionLife))
	})
	return client.Session{Token: token, AccountID: accountID}
}

// key makes a key that reads.
func (h *house) key(of account.KeyHolder, maker string) client.Session {
	h.t.Helper()
	var secret string
	h.write(func(ctx context.Context, tx *store.Tx) (err error) {
		_, secret, err = account.MakeKey(ctx, tx, account.KeyDraft{Holder: of, Name: "key of " + maker, MadeBy: maker}, noon)
		return err
	})
	return client.Session{Token: secret}
}

// raw is a request as it goes over the wire.
type raw struct {
	method string
	path   string // below the prefix
	header map[string]string
	body   string
}

// answer is what came back: the status and, of a refusal, the problem.
type answer struct {
	status  int
	header  http.Header
	body    string
	problem client.Problem
}

// send makes a request with a session, if it has a token.
func (h *house) send(s client.Session, r raw) answer {
	h.t.Helper()
	sent, err := http.NewRequestWithContext(h.t.Context(), r.method, h.url+api.Prefix+r.path, strings.NewReader(r.body))
	if err != nil {
		h.t.Fatal(err)
	}
	if r.body != "" {
		sent.Header.Set("Content-Type", "application/json")
	}
	if s.Token != "" {
		sent.Header.Set("Authorization", "Bearer "+s.Token)
	}
	for name, value := range r.header {
		sent.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(sent)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	a := answer{status: response.StatusCode, header: response.Header, body: string(text)}
	if a.status >= 400 {
		a.problem = problemOf(h.t, a.status, response.Header, text)
	}
	return a
}

// problemOf checks the shape that every refusal has.
func problemOf(t testing.TB, status int, header http.Header, text []byte) client.Problem {
	t.Helper()
	var p client.Problem
	if err := json.Unmarshal(text, &p); err != nil || header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("status %d without a problem: %s %q, %v", status, header.Get("Content-Type"), text, err)
		return p
	}
	if p.Status != status || p.Code == "" || p.Detail == "" || p.Title == "" || p.Type != "urn:tollgate:problem:"+p.Code {
		t.Errorf("status %d with an incomplete problem: %s", status, text)
	}
	return p
}
