package web_test

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"
	"github.com/alexedwards/scs/v2/memstore"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/web"
)

type harness struct {
	*web.Console
	log *bytes.Buffer
}

func newConsole(t *testing.T) harness {
	t.Helper()
	log := &bytes.Buffer{}
	h := harness{log: log}
	h.Console = web.NewConsole(web.Options{
		Name: "studio", Prefix: "/studio", SignIn: "/studio/sign-in", Cookie: "tollgate_studio", BaseURL: "https://tollgate.example.com",
		Sessions: memstore.NewWithCleanupInterval(0), Log: slog.New(slog.NewJSONHandler(log, nil)), Now: time.Now,
		Guard: func(r *http.Request, needs web.Need) (*http.Request, error) {
			if needs != web.Public && h.Account(r.Context()) == "" {
				return r, account.ErrSignedOut
			}
			if strings.HasSuffix(r.URL.Path, "/open") {
				r = web.Prefer(r, "zh")
			}
			return r, nil
		},
		Frame: func(r *http.Request) web.Frame {
			return web.Frame{Title: "Problem", Console: "Studio", Home: "/studio/", Focused: true, Notices: h.Said(r.Context())}
		},
	})
	h.Serve(
		web.Route{Method: "GET", Pattern: "/studio/open", Needs: web.Public, Handler: func(w http.ResponseWriter, r *http.Request) error {
			return web.Render(w, r, http.StatusOK, templ.Raw("<p>"+web.T(r.Context(), "frame.copy")+"</p>"))
		}},
		web.Route{Method: "POST", Pattern: "/studio/enter", Needs: web.Public, Handler: func(w http.ResponseWriter, r *http.Request) error {
			if err := h.Enter(r.Context(), "acnt_1"); err != nil {
				return err
			}
			return web.SeeOther(w, r, "/studio/closed")
		}},
		web.Route{Method: "GET", Pattern: "/studio/closed", Needs: web.SignedIn, Handler: func(w http.ResponseWriter, r *http.Request) error {
			return web.Render(w, r, http.StatusOK, templ.Raw(h.Account(r.Context())))
		}},
		web.Route{Method: "GET", Pattern: "/studio/broken", Needs: web.Public, Handler: func(http.ResponseWriter, *http.Request) error {
			return errors.New("the disk holding secret-7 is on fire")
		}},
		web.Route{Method: "GET", Pattern: "/studio/panics", Needs: web.Public, Handler: func(http.ResponseWriter, *http.Request) error {
			panic("secret-8")
		}},
	)
	return h
}

func (h harness) ask(t *testing.T, method, path string, change func(r *http.Request)) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, "https://tollgate.example.com"+path, nil)
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	h.Handler().ServeHTTP(w, r)
	return w.Result()
}

func text(t *testing.T, r *http.Response) string {
	t.Helper()
	buffer := new(bytes.Buffer)
	if _, err := buffer.ReadFrom(r.Body); err != nil {
		t.Fatal(err)
	}
	return buffer.String()
}

func TestRouteWithoutNeedDoesNotStart(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("a route without a need was accepted")
		}
	}()
	newConsole(t).Serve(web.Route{Method: "GET", Pattern: "/studio/forgotten"})
}

func TestSignedOutVisitorIsLedToSignInAndBack(t *testing.T) {
	t.Parallel()
	answer := newConsole(t).ask(t, "GET", "/studio/closed?day=2026-03-01", nil)
	want := "/studio/sign-in?return=" + url.QueryEscape("/studio/closed?day=2026-03-01")
	if got := answer.Header.Get("Location"); answer.StatusCode != http.StatusSeeOther || got != want {
		t.Errorf("status %d to %q, want %q", answer.StatusCode, got, want)
	}
}

func TestSessionCookieIsClosedToScriptAndOtherSites(t *testing.T) {
	t.Parallel()
	h := newConsole(t)
	answer := h.ask(t, "POST", "/studio/enter", nil)
	cookies := answer.Cookies()
	if len(cookies) != 1 {
		t.Fatalf("%d cookies, want 1", len(cookies))
	}
	c := cookies[0]
	if c.Name != "tollgate_studio" || !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteLaxMode {
		t.Errorf("cookie %v", c)
	}
	answer = h.ask(t, "GET", "/studio/closed", func(r *http.Request) { r.AddCookie(c) })
	if got := text(t, answer); got != "acnt_1" {
		t.Errorf("signed in as %q", got)
	}
}

func TestCrossOriginFormIsRefused(t *testing.T) {
	t.Parallel()
	answer := newConsole(t).ask(t, "POST", "/studio/enter", func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") })
	if answer.StatusCode != http.StatusForbidden || !strings.Contains(text(t, answer), `data-code="cross_origin"`) {
		t.Errorf("status %d", answer.StatusCode)
	}
}

func TestUnknownErrorShowsItsReferenceAndNotItsText(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/studio/broken", "/studio/panics"} {
		h := newConsole(t)
		answer := h.ask(t, "GET", path, nil)
		body, reference := text(t, answer), answer.Header.Get("X-Request-Id")
		if answer.StatusCode != http.StatusInternalServerError || strings.Contains(body, "secret") || !strings.Contains(body, reference) {
			t.Errorf("%s: status %d: %s", path, answer.StatusCode, body)
		}
		if !strings.Contains(h.log.String(), reference) || !strings.Contains(h.log.String(), "secret") {
			t.Errorf("%s: the log does not explain %s", path, reference)
		}
	}
}

func TestLanguageIsChoiceThenAccountThenBrowser(t *testing.T) {
	t.Parallel()
	h := newConsole(t)
	cases := map[string]struct {
		change func(r *http.Request)
		path   string
		want   string
	}{
		"the account's":                     {nil, "/studio/open", "复制"},
		"the visitor's choice":              {func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "tollgate_lang", Value: "en"}) }, "/studio/open", "Copy"},
		"the browser's where nobody is":     {func(r *http.Request) { r.Header.Set("Accept-Language", "zh-HK,zh;q=0.8") }, "/studio/nowhere", "页面不存在"},
		"English where nothing is known":    {nil, "/studio/nowhere", "Nothing here"},
		"English for an unknown preference": {func(r *http.Request) { r.Header.Set("Accept-Language", "fr") }, "/studio/nowhere", "Nothing here"},
	}
	for name, c := range cases {
		if body := text(t, h.ask(t, "GET", c.path, c.change)); !strings.Contains(body, c.want) {
			t.Errorf("%s: no %q", name, c.want)
		}
	}
}

func TestChoiceOfLanguageStaysOnTheSite(t *testing.T) {
	t.Parallel()
	for back, want := range map[string]string{"/studio/open?x=1": "/studio/open?x=1", "https://elsewhere.example.com/": "/", "//elsewhere.example.com": "/", `/\elsewhere`: "/"} {
		form := url.Values{"language": {"zh"}, "theme": {"dark"}, "return": {back}}
		r := httptest.NewRequest("POST", "/preferences", strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		web.Choose(false).ServeHTTP(w, r)
		if got := w.Header().Get("Location"); got != want || len(w.Result().Cookies()) != 2 {
			t.Errorf("back to %q: %q with %d cookies", back, got, len(w.Result().Cookies()))
		}
	}
}

func TestEveryPageForbidsInlineScript(t *testing.T) {
	t.Parallel()
	answer := newConsole(t).ask(t, "GET", "/studio/open", nil)
	if p := answer.Header.Get("Content-Security-Policy"); !strings.Contains(p, "default-src 'self'") || strings.Contains(p, "unsafe") {
		t.Errorf("policy %q", p)
	}
}

func TestLimiterRefusesAfterFailuresAndForgivesAfterTheWindow(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	l := &web.Limiter{Most: 3, Window: 5 * time.Minute, Now: func() time.Time { return now }}
	for range 3 {
		if !l.Allows("address") {
			t.Fatal("refused too early")
		}
		l.Failed("address")
	}
	if l.Allows("another", "address") {
		t.Error("a fourth try was allowed")
	}
	now = now.Add(5 * time.Minute)
	if !l.Allows("address") {
		t.Error("not forgiven")
	}
}

func TestStaticFilesAreKeptByTheirContent(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	web.Static().ServeHTTP(w, httptest.NewRequest("GET", web.Asset("tollgate.css"), nil))
	if w.Code != http.StatusOK || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/css") {
		t.Errorf("status %d, headers %v", w.Code, w.Header())
	}
}
