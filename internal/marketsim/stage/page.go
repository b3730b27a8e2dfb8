package stage

import (
	"bytes"
	_ "embed" // the frame of the pages
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"time"
)

//go:embed frame.html
var frame string

// Words are the texts of pages, in English and in Chinese.
type Words map[string][2]string

// frameWords are those that all pages have.
var frameWords = Words{
	"ribbon":   {"Simulator. Nothing here reaches a cloud, and no money moves.", "模拟器。此处不连接任何云平台，也不产生真实交易。"},
	"other":    {"中文", "English"},
	"all":      {"All markets", "全部云市场"},
	"clock":    {"Clock of this simulator:", "模拟器时钟："},
	"none":     {"Nothing yet.", "暂无记录。"},
	"state":    {"State", "状态"},
	"actions":  {"Actions", "操作"},
	"at":       {"Time", "时间"},
	"quantity": {"Quantity", "用量"},
}

// Pages are the pages of a cloud.
type Pages struct {
	templates map[string]*template.Template
	words     Words
}

// NewPages reads pages: each text is the content of one, by its name. A text
// that cannot be read is a mistake of the programmer.
func NewPages(words Words, pages map[string]string) *Pages {
	all := Words{}
	for _, w := range []Words{frameWords, words} {
		for k, v := range w {
			all[k] = v
		}
	}
	p := &Pages{templates: map[string]*template.Template{}, words: all}
	for name, text := range pages {
		t := template.New(name).Funcs(template.FuncMap{"t": p.text("en"), "moment": moment, "dict": dict, "clock": moment})
		p.templates[name] = template.Must(template.Must(t.Parse(frame)).Parse(text))
	}
	return p
}

func (p *Pages) text(language string) func(string) (string, error) {
	return func(key string) (string, error) {
		w, known := p.words[key]
		if !known {
			return "", fmt.Errorf("there is no text %q", key)
		}
		if language == "zh" {
			return w[1], nil
		}
		return w[0], nil
	}
}

// Words lists the texts, for tests.
func (p *Pages) Words() Words { return p.words }

func moment(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format("2006-01-02 15:04:05") + " UTC"
}

// dict makes a map of its arguments, for templates that take several.
func dict(pairs ...any) (map[string]any, error) {
	if len(pairs)%2 != 0 {
		return nil, fmt.Errorf("dict wants pairs")
	}
	m := map[string]any{}
	for i := 0; i < len(pairs); i += 2 {
		key, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("dict wants names")
		}
		m[key] = pairs[i+1]
	}
	return m, nil
}

// View is what every page shows.
type View struct {
	Language, Other string
	Title, Cloud    string // texts, by their keys
	Home, Here      string
	Now             time.Time
	Problem         string
	Content         any
}

const languageCookie = "marketsim_language"

// Language is what the visitor reads: what was chosen, or else what the browser
// asks for.
func Language(w http.ResponseWriter, r *http.Request) string {
	chosen := r.URL.Query().Get("lang")
	if chosen == "en" || chosen == "zh" {
		http.SetCookie(w, &http.Cookie{Name: languageCookie, Value: chosen, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
		return chosen
	}
	if c, err := r.Cookie(languageCookie); err == nil && (c.Value == "en" || c.Value == "zh") {
		return c.Value
	}
	if strings.HasPrefix(strings.ToLower(r.Header.Get("Accept-Language")), "zh") {
		return "zh"
	}
	return "en"
}

// Write answers with a page.
func (p *Pages) Write(w http.ResponseWriter, r *http.Request, status int, name string, v View) {
	v.Language = Language(w, r)
	v.Other = map[string]string{"en": "zh", "zh": "en"}[v.Language]
	for _, said := range []*string{&v.Title, &v.Cloud} {
		if text, err := p.text(v.Language)(*said); err == nil {
			*said = text
		}
	}
	t, err := p.templates[name].Clone()
	var page bytes.Buffer
	if err == nil {
		err = t.Funcs(template.FuncMap{"t": p.text(v.Language)}).ExecuteTemplate(&page, "frame", v)
	}
	if err != nil {
		http.Error(w, "the page cannot be made: "+err.Error(), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(page.Bytes()) // the visitor has gone if this fails
}
