// Package gallery renders every state of every page with made-up figures, in
// every language, and checks what must hold of all of them. It is the golden
// test of the pages and the list of screenshots.
//
// With TOLLGATE_GALLERY naming a folder, the pages are also written there,
// with their static files, to be looked at in a browser.
package gallery

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/a-h/templ"

	"tollgate.dev/internal/web"
)

// State is one state of one page.
type State struct {
	Name     string // billing/experience-warning
	Page     func(ctx context.Context) templ.Component
	Fragment bool // a part that htmx swaps in, without a frame
}

// Check renders each state in each language and checks it.
func Check(t *testing.T, states []State) {
	t.Helper()
	seen := map[string]bool{}
	for _, s := range states {
		if seen[s.Name] {
			t.Errorf("two states are called %s", s.Name)
		}
		seen[s.Name] = true
		for _, language := range web.Languages() {
			t.Run(s.Name+"/"+language, func(t *testing.T) {
				t.Parallel()
				ctx := web.WithLanguage(t.Context(), language, "")
				body := render(ctx, t, s)
				write(t, s.Name+"."+language+".html", body)
				inspect(t, s, body)
			})
		}
	}
}

func render(ctx context.Context, t *testing.T, s State) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := s.Page(ctx).Render(ctx, &b); err != nil {
		t.Fatalf("render: %v", err)
	}
	return b.Bytes()
}

func inspect(t *testing.T, s State, body []byte) {
	t.Helper()
	text := string(body)
	for _, broken := range []string{"⟦", "%!", "<no value>", "templ: ", "javascript:"} {
		if i := strings.Index(text, broken); i >= 0 {
			t.Errorf("holds %q: …%s…", broken, text[max(0, i-40):min(len(text), i+60)])
		}
	}
	doc, err := goquery.NewDocumentFromReader(bytes.NewReader(body))
	if err != nil {
		t.Fatalf("parse: %v", err)
	}
	if !s.Fragment {
		whole(t, doc)
	}
	safe(t, doc)
	fields(t, doc)
	references(t, doc)
}

// whole checks a page's frame.
func whole(t *testing.T, doc *goquery.Document) {
	t.Helper()
	if n := doc.Find("h1").Length(); n != 1 {
		t.Errorf("%d main headings, want 1", n)
	}
	if n := doc.Find(".button.primary, button.primary").Length(); n > 1 {
		t.Errorf("%d primary buttons, want one at most", n)
	}
	if title := doc.Find("title").First().Text(); strings.HasPrefix(title, " ·") {
		t.Errorf("title is %q", title)
	}
	if lang, _ := doc.Find("html").Attr("lang"); lang == "" {
		t.Error("no language")
	}
	if doc.Find("main#main").Length() != 1 {
		t.Error("no main part to skip to")
	}
}

// safe checks what the content security policy would refuse.
func safe(t *testing.T, doc *goquery.Document) {
	t.Helper()
	doc.Find("[style], style, script:not([src]), [onclick], [onsubmit], [onchange]").Each(func(_ int, e *goquery.Selection) {
		html, _ := goquery.OuterHtml(e)
		t.Errorf("inline style or script: %.80s", html)
	})
}

// fields checks that each form works without script and each input has a name that is read out.
func fields(t *testing.T, doc *goquery.Document) {
	t.Helper()
	doc.Find("form").Each(func(_ int, e *goquery.Selection) {
		method, _ := e.Attr("method")
		if action, ok := e.Attr("action"); !ok || action == "" || (method != "post" && method != "get") {
			t.Errorf("a form with method %q and action %q", method, action)
		}
		if e.Find("button[type=submit], button:not([type])").Length() == 0 {
			t.Error("a form that cannot be sent without script")
		}
	})
	doc.Find("input:not([type=hidden]), select, textarea").Each(func(_ int, e *goquery.Selection) {
		id, _ := e.Attr("id")
		_, aria := e.Attr("aria-label")
		if !aria && e.Closest("label").Length() == 0 && doc.Find("label[for='"+id+"']").Length() != 1 {
			t.Errorf("input %q has no label", id)
		}
	})
	doc.Find("button, a").Each(func(_ int, e *goquery.Selection) {
		_, aria := e.Attr("aria-label")
		if !aria && strings.TrimSpace(e.Text()) == "" {
			html, _ := goquery.OuterHtml(e)
			t.Errorf("nothing to read out: %.120s", html)
		}
	})
}

// references checks that IDs are unique and that what is referred to exists.
func references(t *testing.T, doc *goquery.Document) {
	t.Helper()
	ids := map[string]int{}
	doc.Find("[id]").Each(func(_ int, e *goquery.Selection) {
		id, _ := e.Attr("id")
		ids[id]++
		if ids[id] == 2 {
			t.Errorf("two elements are called %q", id)
		}
	})
	need := func(id, by string) {
		if ids[id] == 0 {
			t.Errorf("%s refers to %q, which is not there", by, id)
		}
	}
	doc.Find("[aria-describedby]").Each(func(_ int, e *goquery.Selection) {
		list, _ := e.Attr("aria-describedby")
		for _, id := range strings.Fields(list) {
			need(id, "aria-describedby")
		}
	})
	doc.Find("a[href^='#']").Each(func(_ int, e *goquery.Selection) {
		href, _ := e.Attr("href")
		need(href[1:], "a link")
	})
	doc.Find("a[href]").Each(func(_ int, e *goquery.Selection) {
		if href, _ := e.Attr("href"); href == "" || strings.Contains(href, "TemplFailedSanitizationURL") {
			t.Errorf("the link %q leads nowhere", strings.TrimSpace(e.Text()))
		}
	})
	doc.Find("[data-copy]").Each(func(_ int, e *goquery.Selection) {
		id, _ := e.Attr("data-copy")
		need(id, "a copy button")
	})
}

// write keeps the page for the eye, if a folder is named.
func write(t *testing.T, name string, body []byte) {
	t.Helper()
	folder := os.Getenv("TOLLGATE_GALLERY")
	if folder == "" {
		return
	}
	keep(t, filepath.Join(folder, strings.ReplaceAll(name, "/", "_")), body)
	for _, file := range []string{"tollgate.css", "tollgate.js", "htmx.min.js", "logo.svg"} {
		address := web.Asset(file)
		answer := httptest.NewRecorder()
		web.Static().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, address, nil))
		keep(t, filepath.Join(folder, filepath.FromSlash(address)), answer.Body.Bytes())
	}
}

func keep(t *testing.T, path string, body []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, body, 0o644); err != nil {
		t.Fatal(err)
	}
}
