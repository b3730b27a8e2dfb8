package studio_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/sink"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/studio"
	"tollgate.dev/internal/testkit"
	"tollgate.dev/internal/workspace"
)

// house is a console on a store of its own, with a clock that stands still.
type house struct {
	t       *testing.T
	store   *store.Store
	sink    sink.Sink
	clock   *testkit.Clock
	console *studio.Console
	server  *httptest.Server
}

func newHouse(t *testing.T) house {
	t.Helper()
	h := house{t: t, store: storetest.SQLite(t), clock: testkit.NewClock(time.Date(2026, 3, 2, 4, 0, 0, 0, time.UTC))}
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	local, err := sink.OpenLocal(t.TempDir(), quiet)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = local.Close() })
	h.sink = local
	h.console = studio.New(studio.Options{
		Store: h.store, Sessions: h.store.Sessions("studio", time.Now), Records: local, Catalog: catalog.Default(), Profile: site.Seed,
		Gateway: "http://gateway.example.com:9529", Log: quiet, Now: h.clock.Now,
	})
	h.server = httptest.NewServer(h.console.Handler())
	t.Cleanup(h.server.Close)
	return h
}

func (h house) write(f func(ctx context.Context, tx *store.Tx) error) {
	h.t.Helper()
	ctx := h.t.Context()
	if err := h.store.Write(ctx, func(tx *store.Tx) error { return f(ctx, tx) }); err != nil {
		h.t.Fatal(err)
	}
}

// password is everybody's.
const password = "correct-horse-7"

// hash is made once: it is slow on purpose.
var hash = func() string {
	h, err := account.HashPassword(password)
	if err != nil {
		panic(err)
	}
	return h
}()

// person registers somebody at a site.
func (h house) person(s site.ID, name string) account.Studio {
	h.t.Helper()
	a := account.Studio{ID: "acnt_" + string(s) + name, Site: s, UserName: name, Email: name + "@example.com", Password: hash, Language: "en", CreatedAt: h.clock.Now()}
	h.write(func(ctx context.Context, tx *store.Tx) error { return tx.InsertStudio(ctx, a) })
	return a
}

// shop is a workspace with its Owner.
func (h house) shop(owner account.Studio) workspace.Workspace {
	h.t.Helper()
	var w workspace.Workspace
	h.write(func(ctx context.Context, tx *store.Tx) (err error) {
		w, err = workspace.Create(ctx, tx, owner.Site, "shop", "en", workspace.Actor{AccountID: owner.ID}, h.clock.Now())
		return err
	})
	return w
}

func (h house) join(w workspace.Workspace, a account.Studio, role workspace.Role) {
	h.t.Helper()
	h.write(func(ctx context.Context, tx *store.Tx) error {
		return tx.SaveMember(ctx, workspace.Member{WorkspaceID: w.ID, AccountID: a.ID, Role: role, JoinedAt: h.clock.Now()})
	})
}

// payer is a Billing Center account.
func (h house) payer(name string, c money.Currency) account.Billing {
	h.t.Helper()
	b := account.Billing{ID: "bcac_" + name, UserName: name, Email: name + "@pay.example.com", Password: hash, Currency: c, Language: "en", CreatedAt: h.clock.Now()}
	h.write(func(ctx context.Context, tx *store.Tx) error { return tx.InsertBilling(ctx, b) })
	return b
}

var sixDigits = regexp.MustCompile(`\b\d{6}\b`)

// code is the newest code mailed to the address.
func (h house) code(to string) string {
	h.t.Helper()
	var document string
	h.write(func(ctx context.Context, tx *store.Tx) error {
		return tx.QueryRow(ctx, `
			SELECT document
			FROM mail
			WHERE recipient = $1
				AND kind = 'code'
			ORDER BY created_at DESC
			LIMIT 1`, to).Scan(&document)
	})
	digits := sixDigits.FindString(document)
	if digits == "" {
		h.t.Fatalf("no code in %s", document)
	}
	return digits
}

// visitor is a browser without script.
type visitor struct {
	h      house
	client *http.Client
	page   *goquery.Document
	status int
	path   string
}

func (h house) visitor() *visitor {
	h.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		h.t.Fatal(err)
	}
	return &visitor{h: h, client: &http.Client{Jar: jar}}
}

// signedIn is somebody's browser after sign-in.
func (h house) signedIn(a account.Studio) *visitor {
	h.t.Helper()
	v := h.visitor()
	v.open("/studio/sign-in")
	v.send("/studio/sign-in", "site", string(a.Site), "email", a.Email, "password", password)
	if v.status == http.StatusUnauthorized || strings.HasPrefix(v.path, "/studio/sign-in") {
		h.t.Fatalf("sign-in of %s ended at %s with %d", a.Email, v.path, v.status)
	}
	return v
}

func (v *visitor) answered(r *http.Response, err error) {
	v.h.t.Helper()
	if err != nil {
		v.h.t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	v.status, v.path = r.StatusCode, r.Request.URL.RequestURI()
	if v.page, err = goquery.NewDocumentFromReader(r.Body); err != nil {
		v.h.t.Fatal(err)
	}
	if v.status >= 500 {
		v.h.t.Errorf("%s answered %d", v.path, v.status)
	}
}

func (v *visitor) open(path string) {
	v.h.t.Helper()
	r, err := v.client.Get(v.h.server.URL + path)
	v.answered(r, err)
}

// send posts pairs of field and value.
func (v *visitor) send(path string, pairs ...string) {
	v.h.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	r, err := v.client.PostForm(v.h.server.URL+path, form)
	v.answered(r, err)
}

func (v *visitor) at(t *testing.T, path string) {
	t.Helper()
	if got, _, _ := strings.Cut(v.path, "?"); got != path {
		t.Fatalf("at %s (%d), want %s: %s", v.path, v.status, path, v.codes())
	}
}

// codes are the codes of the faults on the page.
func (v *visitor) codes() string {
	var codes []string
	v.page.Find("[data-code]").Each(func(_ int, e *goquery.Selection) {
		code, _ := e.Attr("data-code")
		codes = append(codes, code)
	})
	return strings.Join(codes, " ")
}

func (v *visitor) says(t *testing.T, status int, code string) {
	t.Helper()
	if v.status != status || v.codes() != code {
		t.Errorf("%s answered %d %q, want %d %q", v.path, v.status, v.codes(), status, code)
	}
}

func (v *visitor) shows(t *testing.T, text string) {
	t.Helper()
	if !strings.Contains(v.page.Text(), text) {
		t.Errorf("%s does not show %q: %s", v.path, text, strings.Join(strings.Fields(v.page.Find("main").Text()), " "))
	}
}

func (h house) update(w workspace.Workspace) {
	h.t.Helper()
	h.write(func(ctx context.Context, tx *store.Tx) error { return tx.UpdateWorkspace(ctx, w) })
}
