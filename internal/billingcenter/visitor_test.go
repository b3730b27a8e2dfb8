package billingcenter

import (
	"context"
	"io"
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
	"tollgate.dev/internal/id"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/notify"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/testkit"
	"tollgate.dev/internal/workspace"
)

const password = "correct-horse-1"

var passwordHash = func() string {
	hash, err := account.HashPassword(password)
	if err != nil {
		panic(err)
	}
	return hash
}()

// house is a running console over a store of its own.
type house struct {
	t     *testing.T
	store *store.Store
	clock *testkit.Clock
	url   string

	console *Console
}

func open(t *testing.T) *house {
	t.Helper()
	return openWith(t, func(*Config) {})
}

// openWith is open with other settings.
func openWith(t *testing.T, change func(*Config)) *house {
	t.Helper()
	h := &house{t: t, store: storetest.SQLite(t), clock: testkit.NewClock(noon)}
	server := httptest.NewUnstartedServer(nil)
	h.url = "http://" + server.Listener.Addr().String()
	config := Config{
		Store: h.store, Sessions: h.store.Sessions("billing_center", time.Now), Now: h.clock.Now, Profile: site.Seed, BaseURL: h.url,
		Log: testkit.Logger(t), Catalog: catalog.Default(), Beneficiary: Beneficiary{Holder: "Operations Ltd", Bank: "Example Bank", Number: "6222"},
	}
	change(&config)
	h.console = New(config)
	server.Config.Handler = h.console
	server.Start()
	t.Cleanup(server.Close)
	return h
}

func (h *house) write(f func(ctx context.Context, tx *store.Tx) error) {
	h.t.Helper()
	if err := h.store.Write(h.t.Context(), func(tx *store.Tx) error { return f(h.t.Context(), tx) }); err != nil {
		h.t.Fatal(err)
	}
}

// payer makes a Billing Center account.
func (h *house) payer(name string, c money.Currency) account.Billing {
	h.t.Helper()
	a := account.Billing{
		ID: id.New(id.BillingAccount), UserName: name, Email: name + "@pay.example", Phone: "", Password: passwordHash, Currency: c,
		Profile: account.Profile{Company: name + " Ltd"}, Language: "en", CreatedAt: noon.AddDate(0, -1, 0),
	}
	h.write(func(ctx context.Context, tx *store.Tx) error { return tx.InsertBilling(ctx, a) })
	return a
}

// workspace makes a team with an Experience workspace on a site.
func (h *house) workspace(name string, s site.ID) workspace.Workspace {
	h.t.Helper()
	var w workspace.Workspace
	h.write(func(ctx context.Context, tx *store.Tx) (err error) {
		owner := account.Studio{ID: id.New(id.StudioAccount), Site: s, UserName: name, Email: name + "@shop.example", Language: "en", CreatedAt: noon}
		if err := tx.InsertStudio(ctx, owner); err != nil {
			return err
		}
		w, err = workspace.Create(ctx, tx, s, name, "en", workspace.Actor{AccountID: owner.ID}, noon.AddDate(0, 0, -3))
		return err
	})
	return w
}

// paidFor is a workspace that the account pays for since the first of the month.
func (h *house) paidFor(a account.Billing, name string, s site.ID) workspace.Workspace {
	h.t.Helper()
	w := h.workspace(name, s)
	h.write(func(ctx context.Context, tx *store.Tx) error {
		next, err := w.Upgrade(a.ID, time.Date(2026, 3, 1, 2, 20, 0, 0, time.UTC))
		if err != nil {
			return err
		}
		w = next
		return tx.UpdateWorkspace(ctx, next)
	})
	return w
}

// code is the one in the newest mail to the address.
func (h *house) code(to string) string {
	h.t.Helper()
	var mail notify.Mail
	err := h.store.Read(h.t.Context(), func(tx *store.Tx) error {
		var mailID string
		err := tx.QueryRow(h.t.Context(), `SELECT id FROM mail WHERE recipient = $1 AND kind = 'code' ORDER BY created_at DESC LIMIT 1`, to).Scan(&mailID)
		if err != nil {
			return err
		}
		mail, _, err = tx.Mail(h.t.Context(), mailID)
		return err
	})
	digits := regexp.MustCompile(`\b\d{6}\b`).FindString(mail.Text)
	if err != nil || digits == "" {
		h.t.Fatalf("no code was mailed to %s: %v", to, err)
	}
	return digits
}

// visitor is a browser without script.
type visitor struct {
	*house
	client *http.Client
}

func (h *house) visitor() *visitor {
	jar, err := cookiejar.New(nil)
	if err != nil {
		h.t.Fatal(err)
	}
	return &visitor{h, &http.Client{Jar: jar, Timeout: time.Minute}}
}

// signedIn is a browser in which the account is signed in.
func (h *house) signedIn(a account.Billing) *visitor {
	h.t.Helper()
	v := h.visitor()
	v.post(http.StatusOK, "/sign-in", "login", a.UserName, "password", password)
	return v
}

// answer is a page that came back.
type answer struct {
	t      *testing.T
	status int
	path   string
	body   string
	header http.Header
	*goquery.Document
}

func (v *visitor) do(want int, r *http.Request) answer {
	v.t.Helper()
	response, err := v.client.Do(r)
	if err != nil {
		v.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(string(body)))
	if err != nil {
		v.t.Fatal(err)
	}
	if response.StatusCode != want {
		v.t.Fatalf("%s %s: status %d, want %d: %s", r.Method, r.URL.Path, response.StatusCode, want, strings.Join(strings.Fields(doc.Find("main").Text()), " "))
	}
	return answer{v.t, response.StatusCode, response.Request.URL.Path, string(body), response.Header, doc}
}

func (v *visitor) get(want int, path string) answer {
	v.t.Helper()
	r, err := http.NewRequestWithContext(v.t.Context(), http.MethodGet, v.url+Prefix+path, nil)
	if err != nil {
		v.t.Fatal(err)
	}
	return v.do(want, r)
}

func (v *visitor) post(want int, path string, pairs ...string) answer {
	v.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return v.do(want, v.formed(path, form))
}

// formed is a form as a browser of the console sends it.
func (v *visitor) formed(path string, form url.Values) *http.Request {
	v.t.Helper()
	r, err := http.NewRequestWithContext(v.t.Context(), http.MethodPost, v.url+Prefix+path, strings.NewReader(form.Encode()))
	if err != nil {
		v.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", v.url)
	return r
}

// refused checks that the page names the fault, beside the field if one is given.
func (a answer) refused(code, field string) {
	a.t.Helper()
	if a.Find("[data-code='"+code+"']").Length() == 0 {
		a.t.Errorf("%s does not say %s: %s", a.path, code, strings.Join(strings.Fields(a.Find("main").Text()), " "))
	}
	if field != "" && a.Find("#"+field+"-error").Length() == 0 {
		a.t.Errorf("%s says nothing beside %s", a.path, field)
	}
}

func (a answer) at(path string) answer {
	a.t.Helper()
	if a.path != Prefix+path {
		a.t.Fatalf("at %s, want %s", a.path, Prefix+path)
	}
	return a
}

func (a answer) says(text string) {
	a.t.Helper()
	if all := squeezed(a.Find("main").Text()); !strings.Contains(all, squeezed(text)) {
		a.t.Errorf("%s does not say %q: %s", a.path, text, all)
	}
}

// squeezed leaves out all white space: cells of a table touch each other in
// the text of a page.
func squeezed(text string) string { return strings.Join(strings.Fields(text), "") }
