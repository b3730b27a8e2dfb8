// Package e2e walks the whole product as a newcomer would: the real binary, a
// real browser, real mails, real reports. It holds only test machinery.
package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// flags make Chromium run headless, as root, and leave the network alone.
var flags = []chromedp.ExecAllocatorOption{
	chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck, chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU,
	chromedp.Flag("disable-quic", true),
	chromedp.Flag("disable-background-networking", true),
	chromedp.Flag("disable-component-update", true),
	chromedp.Flag("disable-sync", true),
	chromedp.Flag("hide-scrollbars", true),
	chromedp.Flag("disable-dev-shm-usage", true),
}

// stepWithin bounds each thing that the browser is told to do.
const stepWithin = 60 * time.Second

// Visitor is somebody at a browser of his own.
type Visitor struct {
	t    testing.TB
	ctx  context.Context
	base string
	look Look
}

// Look is how the visitor sees the pages.
type Look struct {
	Language string // en or zh
	Script   bool
	Dark     bool
	Width    int64
	Shots    string // folder for screenshots; empty: none
}

// Visit opens a browser that knows nothing of the installation at base.
func Visit(t testing.TB, base string, look Look) *Visitor {
	t.Helper()
	program, err := browser()
	if err != nil {
		t.Fatal(err)
	}
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), append(flags, chromedp.ExecPath(program), chromedp.UserDataDir(t.TempDir()))...)
	t.Cleanup(cancel)
	ctx, end := chromedp.NewContext(allocator)
	t.Cleanup(end)
	v := &Visitor{t: t, ctx: ctx, base: base, look: look}
	if err := v.dress(); err != nil {
		t.Fatalf("open a browser: %v", err)
	}
	return v
}

// dress starts the browser and gives it the visitor's look. The first call
// must not have a deadline: the browser would end with it.
func (v *Visitor) dress() error {
	scheme := "light"
	if v.look.Dark {
		scheme = "dark"
	}
	locale := map[string]string{"en": "en-US", "zh": "zh-CN"}[v.look.Language]
	if err := chromedp.Do(v.ctx, chromedp.EmulateViewport(v.look.Width, 900)); err != nil {
		return err
	}
	_, err1 := chromedp.Call(v.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
	_, err2 := chromedp.Call(v.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !v.look.Script})
	_, err3 := chromedp.Call(v.ctx, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{
		UserAgent: "Tollgate walk", AcceptLanguage: locale,
	})
	return errors.Join(err1, err2, err3)
}

// browser finds Chromium; without it the walk fails, it is never skipped.
func browser() (string, error) {
	for _, path := range []string{"/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"} {
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("no Chromium on this machine: run scripts/prepare.sh")
}

func (v *Visitor) run(what string, steps ...chromedp.Action[chromedp.Void]) {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.ctx, stepWithin)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		v.t.Fatalf("%s: %v\nat %s\n%s", what, err, v.URL(), v.peek())
	}
}

// ask runs an action for its value.
func ask[T any](v *Visitor, what string, action chromedp.Action[T]) T {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.ctx, stepWithin)
	defer cancel()
	value, err := chromedp.Run(ctx, action)
	if err != nil {
		v.t.Fatalf("%s: %v\nat %s", what, err, v.URL())
	}
	return value
}

// peek is what the page says, for the report of a failure.
func (v *Visitor) peek() string {
	ctx, cancel := context.WithTimeout(v.ctx, 5*time.Second)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Text(chromedp.CSS("body")))
	if err != nil {
		return ""
	}
	return text
}

// URL is where the visitor is.
func (v *Visitor) URL() string {
	ctx, cancel := context.WithTimeout(v.ctx, 5*time.Second)
	defer cancel()
	at, err := chromedp.Run(ctx, chromedp.Location())
	if err != nil {
		return "?"
	}
	return at
}

// Path is the path where the visitor is.
func (v *Visitor) Path() string {
	u, err := url.Parse(v.URL())
	if err != nil {
		return ""
	}
	return u.Path
}

// Open goes to a path of the installation.
func (v *Visitor) Open(path string) {
	v.t.Helper()
	v.run("open "+path, chromedp.Navigate(v.base+path), chromedp.WaitReady(chromedp.CSS("main")))
}

// Go goes to an address anywhere.
func (v *Visitor) Go(address string) {
	v.t.Helper()
	v.run("go to "+address, chromedp.Navigate(address), chromedp.WaitReady(chromedp.CSS("main")))
}

// Leave goes where the first such link leads, in this window whatever it says.
func (v *Visitor) Leave(link string) {
	v.t.Helper()
	v.Go(v.Attribute(link, "href"))
}

// Fill types into the field of that name in the form that is sent to action.
func (v *Visitor) Fill(action, name, value string) {
	v.t.Helper()
	field := fmt.Sprintf(`form[action$=%q] [name=%q]`, action, name)
	v.run("fill "+name, chromedp.WaitVisible(chromedp.CSS(field)))
	v.set(field, "")
	v.run("fill "+name, chromedp.SendKeys(chromedp.CSS(field), value))
}

// Choose picks a radio button or an entry of a list.
func (v *Visitor) Choose(action, name, value string) {
	v.t.Helper()
	radio := fmt.Sprintf(`form[action$=%q] input[type=radio][name=%q][value=%q]`, action, name, value)
	if v.Has(radio) {
		v.run("choose "+name, chromedp.Click(chromedp.CSS(radio)))
		return
	}
	v.set(fmt.Sprintf(`form[action$=%q] select[name=%q]`, action, name), value)
}

// set gives a field a value, as the browser does when something is picked.
func (v *Visitor) set(field, value string) {
	v.t.Helper()
	if got := ask(v, "set "+field, chromedp.Evaluate[string](fmt.Sprintf("document.querySelector(%q).value = %q", field, value))); got != value {
		v.t.Fatalf("%s does not take %q", field, value)
	}
}

// Tick sets a box.
func (v *Visitor) Tick(action, name string) {
	v.t.Helper()
	if !v.Ticked(action, name) {
		v.Toggle(action, name)
	}
}

// Ticked reports whether a box is set.
func (v *Visitor) Ticked(action, name string) bool {
	v.t.Helper()
	return v.Has(box(action, name) + ":checked")
}

// Toggle clicks a box.
func (v *Visitor) Toggle(action, name string) {
	v.t.Helper()
	v.run("tick "+name, chromedp.Click(chromedp.CSS(box(action, name))))
}

func box(action, name string) string {
	return fmt.Sprintf(`form[action$=%q] input[type=checkbox][name=%q]`, action, name)
}

// Send presses the button of the form that is sent to action and waits for the
// next page.
func (v *Visitor) Send(action string) {
	v.t.Helper()
	v.Press(fmt.Sprintf(`form[action$=%q] button`, action))
}

// Follow clicks the link whose address ends so, and waits for the next page.
func (v *Visitor) Follow(href string) {
	v.t.Helper()
	v.Press(fmt.Sprintf(`main a[href$=%q]`, href))
}

// Press clicks what leads to another page, and waits for that page.
func (v *Visitor) Press(selector string) {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.ctx, stepWithin)
	defer cancel()
	button := chromedp.CSS(selector)
	if err := chromedp.Do(ctx, chromedp.WaitVisible(button)); err != nil {
		v.t.Fatalf("there is no %s: %v\nat %s\n%s", selector, err, v.URL(), v.peek())
	}
	if _, err := chromedp.RunResponse(ctx, chromedp.Click(button)); err != nil {
		v.t.Fatalf("press %s: %v\nat %s\n%s", selector, err, v.URL(), v.peek())
	}
	v.run("wait for the page", chromedp.WaitReady(chromedp.CSS("main")))
}

// Has reports whether something is on the page now.
func (v *Visitor) Has(selector string) bool {
	v.t.Helper()
	return ask(v, "look for "+selector, chromedp.Evaluate[int](fmt.Sprintf("document.querySelectorAll(%q).length", selector))) > 0
}

// Attribute is the value of an attribute of the first such element.
func (v *Visitor) Attribute(selector, name string) string {
	v.t.Helper()
	return ask(v, "read "+name, chromedp.Evaluate[string](fmt.Sprintf("(document.querySelector(%q) || document.body).getAttribute(%q) || ''", selector, name)))
}

// Text is what the page's main part says.
func (v *Visitor) Text() string {
	v.t.Helper()
	return ask(v, "read the page", chromedp.Text(chromedp.CSS("main")))
}

// Texts are those of each such element, in their order.
func (v *Visitor) Texts(selector string) []string {
	v.t.Helper()
	return ask(v, "read "+selector, chromedp.Evaluate[[]string](fmt.Sprintf("Array.from(document.querySelectorAll(%q), e => e.innerText.trim())", selector)))
}

// Sees fails unless the page says each of these.
func (v *Visitor) Sees(words ...string) {
	v.t.Helper()
	text := v.Text()
	for _, w := range words {
		if !strings.Contains(text, w) {
			v.t.Fatalf("the page does not say %q\nat %s\n%s", w, v.URL(), text)
		}
	}
}

// At fails unless the visitor has come to a path that ends so.
func (v *Visitor) At(path string) {
	v.t.Helper()
	if !strings.HasSuffix(v.Path(), path) {
		v.t.Fatalf("at %s, want …%s\n%s", v.URL(), path, v.peek())
	}
}

// Shot leaves a screenshot of the whole page, which must fit the window's
// width: wide tables scroll inside themselves.
func (v *Visitor) Shot(name string) {
	v.t.Helper()
	wide := ask(v, "measure the page", chromedp.Evaluate[int]("document.documentElement.scrollWidth"))
	if int64(wide) > v.look.Width {
		v.t.Errorf("%s is %d pixels wide in a window of %d\nat %s", name, wide, v.look.Width, v.URL())
	}
	if v.look.Shots == "" {
		return
	}
	theme := "light"
	if v.look.Dark {
		theme = "dark"
	}
	v.run("scroll to the top", chromedp.Evaluate[chromedp.Void]("window.scrollTo(0, 0)"))
	png := ask(v, "take a screenshot", chromedp.FullScreenshot(100))
	file := filepath.Join(v.look.Shots, fmt.Sprintf("%s-%s-%s-%d.png", name, v.look.Language, theme, v.look.Width))
	if err := os.MkdirAll(v.look.Shots, 0o755); err != nil {
		v.t.Fatal(err)
	}
	if err := os.WriteFile(file, png, 0o644); err != nil {
		v.t.Fatal(err)
	}
}
